"""The question whether a contact is allowed, and the shape of its answer; what answers it can be replaced."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from models.account.course import Planned
from models.account.profile import ContactPoint
from models.account.state import Facts
from models.clock import Instant
from schemas.control import Tenant
from schemas.rules import Limit


class Situation(msgspec.Struct, gc=False):
    """One contact that might be made, with everything that is known about it at that instant."""

    at: Instant
    channel: str
    tenant: Tenant
    facts: Facts
    point: ContactPoint | None
    """Where it would go; None when no suitable contact point is known."""
    debt_id: str | None = None
    """None = the account's one debt, or any of them."""
    purpose: str = "collection"
    mode: str = "live"
    planned: Sequence[Instant | Planned] = ()
    """Contacts that were decided on and that interaction-events have not told of yet. One of which only the time is
    known counts as one on every channel."""
    suppressed: tuple[str, ...] = ()
    """What `models.suppression.standing` says that the tenant's other accounts know of the contact point."""
    requested: bool = False
    """A transactional answer that the customer has asked for."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """Whether the contact is allowed, and if not, every rule that denies it, sorted."""

    allowed: bool
    denied_by: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """For people, in the order of `denied_by`."""
    next_allowed_at: Instant | None = None
    """The first instant from the one asked about at which the same contact would be allowed if nothing else happened;
    None when no passing of time helps."""


class Gate(Protocol):
    """Judges contacts. Denies what it has not enough knowledge to allow."""

    def judge(self, situation: Situation) -> Verdict: ...

    def judge_all(self, situations: Sequence[Situation]) -> list[Verdict]:
        """Several contacts of one account at one instant: what each of them alone would be answered."""
        ...

    def limits_all(self, situations: Sequence[Situation]) -> list[Sequence[Limit]]:
        """The limits of contacts that bind each of them, the tenant's own included, full or not."""
        ...


ALLOWED = Verdict(allowed=True)
