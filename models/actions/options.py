"""What a policy is asked, what it may choose from, and what each choice is worth: values that a logged decision holds too.

They name no account and no state, so that a decision in the log can be put to another strategy, word for word.
"""

from collections.abc import Sequence

import msgspec

from models.account.course import WAIT
from models.calendar import instant, utc
from models.clock import Instant
from schemas.actions import NONE, Candidate, Context, NextBestAction

CREDIT_HOLD = "credit_hold"
OFFER_PLAN = "offer_plan"
CONTACTS = frozenset({"contact", "pre_due_reminder", "offer_plan"})
"""Kinds of action that reach the customer."""


class Question(msgspec.Struct, gc=False):
    """What is known of an account when its actions are valued."""

    score: float
    """Of the model: probability of being paid."""
    currency: str
    """The one that the values are in."""
    at_stake: int
    """Minor units."""
    context: Context


class Option(msgspec.Struct, gc=False):
    """One action that is looked at; waiting is one as well."""

    id: str
    action: str
    channel: str | None = None
    template: str | None = None
    allowed: bool = True
    denied_by: tuple[str, ...] = ()
    next_allowed_at: Instant | None = None
    left: int | None = None
    """Contacts that the limits leave in their window, this one included; None = no limit binds."""


class Weighed(msgspec.Struct, gc=False):
    """An option and the terms of its value, in minor units."""

    option: Option
    value: float = 0.0
    """gain - cost - friction - scarcity, taken off in this order."""
    pay_action: float | None = None
    """P(pay) if it is done, by the mean effect; None = not worked out, as for waiting."""
    lift_low: float = NONE
    gain: float = NONE
    cost: float = NONE
    friction: float = NONE
    scarcity: float = NONE


WAITING = Option("", WAIT)


def question_of(decision: NextBestAction) -> Question | None:
    """What a logged decision was asked; None when nothing was valued, as when a promise was waited for."""
    if decision.context is None or decision.currency is None:
        return None
    return Question(decision.score, decision.currency, decision.at_stake_minor, decision.context)


def options_of(decision: NextBestAction) -> list[Option]:
    """What a logged decision was chosen from, in its order."""
    return [
        Option(
            candidate.id,
            candidate.action,
            candidate.channel,
            candidate.template,
            candidate.allowed,
            candidate.denied_by,
            None if candidate.next_allowed_at is None else instant(candidate.next_allowed_at),
            candidate.left,
        )
        for candidate in decision.actions
    ]


def candidates_of(weighed: Sequence[Weighed], probabilities: Sequence[float]) -> tuple[Candidate, ...]:
    """The set as a decision tells of it."""
    return tuple([_candidate(its, its.option, chance) for its, chance in zip(weighed, probabilities, strict=True)])


def _candidate(its: Weighed, option: Option, probability: float) -> Candidate:
    if its.pay_action is None and option.action == WAIT:
        return Candidate(action=WAIT, value=0.0, probability=probability, allowed=True)
    again = option.next_allowed_at
    candidate = Candidate(
        action=option.action,
        value=its.value,
        probability=probability,
        allowed=option.allowed,
        channel=option.channel,  # type: ignore[arg-type]
        template=option.template,
        next_allowed_at=None if again is None else utc(again),
        id=option.id,
        pay_action=its.pay_action,
        lift_low=its.lift_low,
        gain=its.gain,
        cost=its.cost,
        friction=its.friction,
        scarcity=its.scarcity,
        left=option.left,
    )
    # The call has 15 names, the most that are cheap: see `announce._decided`.
    return msgspec.structs.replace(candidate, denied_by=option.denied_by) if option.denied_by else candidate
