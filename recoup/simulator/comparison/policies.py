"""The policies that can be compared, each as what decides: the real core with that policy in force for every tenant."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from models.actions.strategy import NONE, check_for
from models.compliance.rule_gate import RuleGate
from models.core import Outcome, Work, step
from recoup.policy_releases import read_strategy
from recoup.simulator.world.run import Decides
from schemas.control import Tenant
from schemas.errors import BadInput
from schemas.strategies import ActionStrategy

NBA_FILE = Path(__file__).parent / "strategies" / "nba.yaml"
NAMES = ("schedule", "random", "none", "nba")
"""Besides strategy files."""


class Policy(msgspec.Struct, frozen=True):
    """A policy by the name that it is called by."""

    name: str
    strategy: ActionStrategy | None = None
    """For every tenant that it has prices for, the others keep their own schedule; None = for none of them."""

    def fits(self, tenant: Tenant) -> bool:
        """Whether the policy decides for a tenant."""
        if self.strategy is None:
            return True
        try:
            check_for(self.strategy, tenant, self.name)
        except BadInput:
            return False
        return True


def policy_named(text: str) -> Policy:
    """The policy of a name or a strategy file.

    Raises:
        BadInput: there is no such policy or file, or the file is no strategy.
    """
    match text:
        case "schedule":
            return Policy(text)
        case "none":
            return Policy(text, NONE)
        case "nba":
            return Policy(text, read_strategy(NBA_FILE))
        case "random":
            return Policy(text, msgspec.structs.replace(read_strategy(NBA_FILE), name="random", policy="random"))
    path = Path(text)
    if not path.is_file():
        raise BadInput(f"There is no policy `{text}`: expected {', '.join(NAMES)}, or the path of a strategy file.")
    return Policy(path.stem, read_strategy(path))


def decides(policy: Policy, tenants: Mapping[str, Tenant]) -> Decides:
    """What decides when the policy is in force."""
    gate = RuleGate()
    strategies = (
        {}
        if policy.strategy is None
        else {name: policy.strategy for name, tenant in tenants.items() if policy.fits(tenant)}
    )

    def decide(work: list[Work]) -> Outcome:
        return step(work, tenants, "live", gate, strategies=strategies)

    return decide
