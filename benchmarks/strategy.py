"""The strategy that benchmarks decide with: the one for households that comes with the project."""

from pathlib import Path

from benchmarks.portfolio import TENANT
from models.clock import WallClock
from recoup.policy_releases import plan, publish, read_strategy
from recoup.settings import Settings

FILE = Path(__file__).parent.parent / "config" / "strategies" / "household.yaml"


def release(settings: Settings) -> str:
    """Put the strategy in force; its version. Workers that start afterwards decide by it from their first batch."""
    wanted = plan({}, read_strategy(FILE), TENANT.tenant_id, "policy")
    return publish(settings.kafka, settings.models, settings.home, wanted, WallClock()).policy
