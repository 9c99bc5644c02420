"""The policies that can be compared, each as what decides: the real core with that policy in force for every tenant."""

from collections.abc import Mapping

import msgspec

from models.core import Outcome, Work, step
from recoup.simulator.world.run import Decides
from schemas.control import Strategy, Tenant
from schemas.errors import BadInput

NAMES = ("schedule", "none")
"""Besides strategy files."""


class Policy(msgspec.Struct, frozen=True):
    """A policy by the name that it is called by."""

    name: str


def policy_named(text: str) -> Policy:
    """The policy of a name or a strategy file.

    Raises:
        BadInput: there is no such policy or file, or the file is no strategy.
    """
    if text in NAMES:
        return Policy(text)
    raise BadInput(f"There is no policy `{text}`: expected {', '.join(NAMES)}, or the path of a strategy file.")


def decides(policy: Policy, tenants: Mapping[str, Tenant]) -> Decides:
    """What decides when the policy is in force."""
    if policy.name == "none":
        tenants = {
            name: msgspec.structs.replace(tenant, strategy=Strategy(name="none")) for name, tenant in tenants.items()
        }

    def decide(work: list[Work]) -> Outcome:
        return step(work, tenants, "live")

    return decide
