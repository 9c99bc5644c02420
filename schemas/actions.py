"""next-best-actions: what was chosen for an account, out of what, why, and how likely each choice was."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.envelope import Channel, Event, Id, Name, Probability, Purpose, Timestamp

ActionName = Name
"""`wait`, `contact`, `hand_to_person`, `offer_plan`, ..."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One action that could have been chosen."""

    action: ActionName
    value: float
    """Expected gain over waiting, in minor units."""
    probability: Probability
    """Of being chosen by the policy that decided."""
    allowed: bool
    channel: Channel | None = None
    template: Id | None = None
    denied_by: tuple[Name, ...] = ()
    """Ids of the rules that deny it."""
    next_allowed_at: Timestamp | None = None


class NextBestAction(Event, frozen=True, kw_only=True, tag="next_best_action.chosen"):
    """A decision. `decision_no` counts an account's decisions from 1, without a gap."""

    decision_id: Id
    decision_no: Annotated[int, Meta(ge=1)]
    trigger: Literal["event", "review"]
    action: ActionName
    policy: Name
    model: Name
    arm: Literal["policy", "explore", "hold_out"]
    score: float
    channel: Channel | None = None
    template: Id | None = None
    step: Name | None = None
    """The step of the strategy that the action carries out."""
    invoice_ids: tuple[Id, ...] = ()
    actions: tuple[Candidate, ...] = ()
    """The whole set that was looked at, the chosen one included."""
    contact_id: Id | None = None
    purpose: Purpose | None = None
    review_at: Timestamp | None = None
    overdue: tuple[Id, ...] = ()
    """Invoices that this decision found overdue first; each is told as `invoice.overdue`."""
    overdue_since: Timestamp | None = None
    """Due date of the oldest overdue invoice; absent = nothing is overdue."""
    reasons: tuple[Name, ...] = ()
    promises_kept: tuple[Id, ...] = ()
    """Promises whose day has passed, judged with this decision; each is told as `promise.kept` if it is news."""
    promises_broken: tuple[Id, ...] = ()
