"""next-best-actions: what was chosen for an account, out of what, why, and how likely each choice was."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.envelope import Channel, Currency, Event, Id, Money, Name, Probability, Purpose, Timestamp

NONE = 0.0
"""No money and no share. A field that holds this very object holds its default, and is left out of the message."""

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
    id: Name = ""
    """Of the strategy's action. `wait` is always there and needs none."""
    pay_action: Probability | None = None
    """Probability of paying within the horizon if this is done, by the mean effect."""
    lift_low: float = NONE
    """What it adds to the probability of paying, by the lower bound of its effect."""
    gain: float = NONE
    """`lift_low` times what is expected of the amount at stake. `value` is this less the three that follow."""
    cost: float = NONE
    friction: float = NONE
    """Complaints and opt-outs that it risks."""
    scarcity: float = NONE
    """What the contact would bring later, where a limit leaves few."""
    left: Annotated[int, Meta(ge=0)] | None = None
    """Contacts that the limits leave in their window, this one included; absent = no limit binds."""


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What actions were valued by, besides score and amount: another strategy can value them again from it."""

    days_past_due: int = 0
    """Of the oldest invoice that may be chased; negative = before its due day."""
    open_invoices: Annotated[int, Meta(ge=0)] = 0
    """That may be chased."""
    contacts_30: Annotated[int, Meta(ge=0)] = 0
    """Contacts of the last 30 days."""
    made: Annotated[int, Meta(ge=0)] = 0
    """Contacts ever."""
    answered: Annotated[int, Meta(ge=0)] = 0
    """Signs ever that somebody is there."""
    payments: Annotated[int, Meta(ge=0)] = 0
    reversed: Annotated[int, Meta(ge=0)] = 0
    closed: Annotated[int, Meta(ge=0)] = 0
    """Invoices closed by payment."""
    late: Annotated[int, Meta(ge=0)] = 0
    """Of them, after the due date."""
    segment: Name = ""
    """As the CRM system names it."""
    debt_class: Name = ""
    country: Name = ""
    state: Name = ""


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
    segment: Name = ""
    """Of the strategy."""
    currency: Currency | None = None
    """The account's main one, that the values are in."""
    at_stake_minor: Money = 0
    """Open in that currency on all invoices that one contact covers."""
    pay_wait: Probability | None = None
    """Probability of paying within the horizon if nothing is done; absent = nothing was valued."""
    context: Context | None = None
    experiment: Name = ""
    """In which the account was assigned to its arm; empty = none was running."""
    hold_out: Probability = NONE
    """Share of the accounts that the experiment holds out."""
    explore: Probability = NONE
    """Share of the decisions that are drawn at random; the probabilities of the actions have it in them."""
