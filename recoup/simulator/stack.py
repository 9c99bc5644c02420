"""What a simulation asks of the stack that it is let loose on: that it is live, and which tenants it has."""

from collections.abc import Sequence

from connectors.redis.mode import stack_mode
from recoup.settings import Settings
from recoup.simulator.portfolio import Business, business_of
from recoup.tenants import published
from schemas.errors import BadInput


def require_live(settings: Settings) -> None:
    """Refuse a stack that replays a ledger.

    Raises:
        BadInput: it does: events of the present would mix with the ledger's.
    """
    if stack_mode(settings.redis) == "replay":
        raise BadInput(
            "This stack replays a ledger on its own clock; events of the present would spoil it."
            " Use another stack: RECOUP_HOME=.recoup/live recoup up"
        )


def businesses_of(settings: Settings, wanted: Sequence[str] = ()) -> tuple[Business, ...]:
    """The published tenants of these names, or all.

    Raises:
        BadInput: one of them, or any at all, is not published.
    """
    tenants = published(settings.kafka)
    unknown = [name for name in wanted if name not in tenants]
    if unknown or not tenants:
        raise BadInput(
            f"Not published: {', '.join(unknown) or 'any tenant'}. `recoup tenants apply` publishes those of"
            f" {settings.tenants_dir}; published are: {', '.join(sorted(tenants)) or 'none'}."
        )
    return tuple(business_of(tenants[name]) for name in (wanted or sorted(tenants)))
