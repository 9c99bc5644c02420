"""Puts into the servers what every job expects: the topics of the registry, the tables, the tenants, their templates."""

from collections.abc import Callable

from models.clock import WallClock
from recoup.settings import Settings


def provision(settings: Settings, say: Callable[[str], None] = lambda _: None) -> None:
    """Create what is missing and bring the rest up to date; doing it again changes nothing.

    Tenants and templates that have no file stay as they are published.

    Raises:
        NotReady: a server does not answer, or refuses.
        BadInput: a file of a tenant or of a template is wrong.
    """
    from connectors.clickhouse.migrate import migrate  # noqa: PLC0415 - the clients load slowly
    from connectors.kafka import topics  # noqa: PLC0415
    from connectors.templates import files as template_files  # noqa: PLC0415
    from recoup import person, templates, tenants  # noqa: PLC0415
    from recoup.audit.acts import recorded  # noqa: PLC0415
    from recoup.audit.settings import of_tenants  # noqa: PLC0415

    changed = len(topics.apply(settings.kafka))
    say(f"topics: {changed} created or changed" if changed else "topics: up to date")
    applied = len(migrate(settings.clickhouse))
    say(f"tables: {applied} changes applied" if applied else "tables: up to date")
    if not settings.tenants_dir.is_dir():
        say(f"tenants: there is no folder {settings.tenants_dir}; publish some with `recoup tenants apply`")
        return
    wanted = tenants.read_folder(settings.tenants_dir)
    changes = tenants.plan(wanted, tenants.published(settings.kafka))
    acts = of_tenants(changes, wanted, prune=False)
    sent, _ = recorded(settings, acts, lambda: tenants.publish(settings.kafka, wanted, changes, WallClock()))
    say(f"tenants: {sent} published" if sent else "tenants: up to date")
    if not settings.templates_dir.is_dir():
        say(
            f"templates: there is no folder {settings.templates_dir}; put some in force with `recoup templates register`"
        )
        return
    files = template_files.read_folder(settings.templates_dir)
    templates.refuse(templates.check(files, wanted))
    texts = [file.template for file in files]
    changed_texts = templates.plan(texts, templates.published(settings.kafka))
    sent = templates.publish(settings.kafka, texts, changed_texts, WallClock(), by=person.name())
    say(f"templates: {sent} registered" if sent else "templates: up to date")
