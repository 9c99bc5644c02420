"""The strategies that the example tenants decide by in the demo, released as a person would release them."""

from collections.abc import Callable

import msgspec

from models.actions.strategy import check_for
from models.calendar import DAY, utc
from models.clock import Instant, WallClock
from recoup.audit.acts import recorded
from recoup.audit.settings import of_policy
from recoup.policy_releases import plan, read_strategy, send, stamp
from recoup.settings import Settings
from recoup.tenants import published
from schemas.control import PolicyReleased
from schemas.strategies import HoldOut

OF_TENANT = {"acme": "household", "nordlicht": "business"}
"""Tenant -> the file of `config/strategies`; every other tenant keeps its schedule."""
HELD_OUT = 0.1
"""Of the accounts: nobody contacts them, so that it can be seen what would have been paid anyway."""
HELD_OUT_FOR = 90 * DAY


def trial(now: Instant) -> HoldOut:
    """The hold-out of the demo, which runs from now on."""
    return HoldOut(share=HELD_OUT, experiment="demo", ends_at=utc(now + HELD_OUT_FOR))


def release_strategies(settings: Settings, say: Callable[[str], None], hold_out: HoldOut | None = None) -> None:
    """Put the strategies in force for the example tenants that are published.

    Args:
        hold_out: takes the place of theirs.

    Raises:
        BadInput: a strategy's file is wrong.
        NotReady: Kafka does not answer.
    """
    folder = settings.tenants_dir.parent / "strategies"
    for tenant_id, tenant in sorted(published(settings.kafka).items()):
        path = folder / f"{OF_TENANT.get(tenant_id, '')}.yaml"
        if not path.is_file():
            say(f"{tenant_id} decides by its own schedule")
            continue
        strategy = read_strategy(path)
        if hold_out is not None:
            strategy = msgspec.structs.replace(strategy, hold_out=hold_out)
        check_for(strategy, tenant, str(path))
        wanted = plan({}, strategy, tenant_id, "policy")
        _release(settings, stamp(wanted, WallClock().now()))
        say(f"{tenant_id} decides by {wanted.policy}")


def _release(settings: Settings, release: PolicyReleased) -> None:
    recorded(settings, [of_policy(release)], lambda: send(settings.kafka, settings.models, settings.home, release))
