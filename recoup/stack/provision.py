"""Puts into the servers what every job expects: the topics of the registry, the tables, the tenants."""

from collections.abc import Callable

from models.clock import WallClock
from recoup.settings import Settings


def provision(settings: Settings, say: Callable[[str], None] = lambda _: None) -> None:
    """Create what is missing and bring the rest up to date; doing it again changes nothing.

    Tenants that have no file stay as they are published.

    Raises:
        NotReady: a server does not answer, or refuses.
        BadInput: a tenant's file is wrong.
    """
    from connectors.clickhouse.migrate import migrate  # noqa: PLC0415 - the clients load slowly
    from connectors.kafka import topics  # noqa: PLC0415
    from recoup import tenants  # noqa: PLC0415

    changed = len(topics.apply(settings.kafka))
    say(f"topics: {changed} created or changed" if changed else "topics: up to date")
    applied = len(migrate(settings.clickhouse))
    say(f"tables: {applied} changes applied" if applied else "tables: up to date")
    if not settings.tenants_dir.is_dir():
        say(f"tenants: there is no folder {settings.tenants_dir}; publish some with `recoup tenants apply`")
        return
    wanted = tenants.read_folder(settings.tenants_dir)
    changes = tenants.plan(wanted, tenants.published(settings.kafka))
    sent = tenants.publish(settings.kafka, wanted, changes, WallClock())
    say(f"tenants: {sent} published" if sent else "tenants: up to date")
