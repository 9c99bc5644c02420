"""Strategies: what may be done about unpaid invoices, when, and what each action is worth and costs. All of it is data.

Amounts are minor units a currency, in decimals where one unit is too coarse. Effects are on the log-odds of paying
within the horizon: an effect moves those in the middle most, and hardly those who pay anyway or never can.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.envelope import Channel, Currency, DebtClass, Hours, Id, Name, Timestamp

Kind = Literal["contact", "pre_due_reminder", "offer_plan", "hand_to_person", "credit_hold"]
"""What an action does. The first three are contacts."""
PolicyKind = Literal["schedule", "nba", "random", "none"]

Days = Annotated[int, Meta(ge=-365, le=3650)]
"""Past due; negative = before it."""
Share = Annotated[float, Meta(ge=0, le=1)]
Chance = Annotated[float, Meta(ge=0, le=1)]
LogOdds = Annotated[float, Meta(ge=-10, le=10)]
Spread = Annotated[float, Meta(ge=0, le=10)]
Cost = Annotated[float, Meta(ge=0, le=10**12)]
Costs = dict[Currency, Cost]
PosHours = Annotated[float, Meta(gt=0, le=8760)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """What a strategy is made of: unknown fields are refused, so that a misspelt one is not silently without effect."""


class Step(_Part, frozen=True, kw_only=True):
    """One step of a schedule: `at_days` counts from the due date, negative = before it."""

    id: Id
    at_days: Days
    action: Name = "contact"
    channel: Channel | None = None
    template: Id | None = None


class Condition(_Part, frozen=True, kw_only=True):
    """What a field must be: a number from `at_least` up to but without `below`, or one of some texts."""

    at_least: float | None = None
    below: float | None = None
    one_of: tuple[Name, ...] = msgspec.field(default=(), name="is")


class Segment(_Part, frozen=True, kw_only=True):
    """A group of accounts; of several that fit, the first."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    when: dict[str, Condition] = {}
    """By the field of `schemas.actions.Context`, `score`, `at_stake_minor` or `currency`; empty = everybody."""


class Effect(_Part, frozen=True, kw_only=True):
    """What an action does to the log-odds of paying, and how surely that is known (standard deviation)."""

    log_odds: LogOdds
    sd: Spread


class ActionSpec(_Part, frozen=True, kw_only=True):
    """One action that may be chosen."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$(?!\n)")]
    action: Kind
    channel: Channel | None = None
    template: Id | None = None
    from_days: Days = 1
    to_days: Days = 3650
    """Days past due of the oldest invoice that may be chased: from the first day to the last, both included."""
    at_most: Annotated[int, Meta(ge=1, le=100)] = 100
    """Times, for as long as one of the invoices that it was about is open."""
    hours: tuple[Hours, ...] = ()
    """On the customer's clock, within the hours that law and tenant permit; empty = all of them."""
    after: tuple[Name, ...] = ()
    """Ids of actions of which one must have been taken before."""
    segments: tuple[Name, ...] = ()
    """Empty = all."""
    debt_class: DebtClass | None = None
    cost: Costs = {}
    staff_minutes: Annotated[float, Meta(ge=0, le=10_000)] = 0
    effect: Effect
    by_segment: dict[str, Effect] = {}
    """Of segments in which the effect is declared to be another one."""
    complaint: Chance = 0.0
    """Probability that the contact is complained about."""
    opt_out: Chance = 0.0
    """Probability that it makes the customer opt out of the channel."""


class Prices(_Part, frozen=True, kw_only=True):
    """What is dear besides money spent."""

    minute: Costs = {}
    """One minute of a person, at the price at which the minutes that there are go to where they bring most."""
    complaint: Costs = {}
    opt_out: Costs = {}
    """What a channel is worth that is lost for good."""


class Expected(_Part, frozen=True, kw_only=True):
    """How much of what is asked for comes and stays, of those who pay: partial payments and reversals taken off."""

    share: Share = 0.9
    weight: Annotated[float, Meta(ge=0, le=1000)] = 10
    """Payments that the declared share counts as, against those of the account."""


class Answering(_Part, frozen=True, kw_only=True):
    """How an account's own answers move the effects on it: who answers more than usual is moved more."""

    usual: Annotated[float, Meta(gt=0, le=1)] = 0.3
    """Answers a contact."""
    weight: Annotated[float, Meta(gt=0, le=1000)] = 6
    """Contacts that the usual rate counts as, against those of the account."""
    least: Annotated[float, Meta(ge=0, le=1)] = 0.3
    most: Annotated[float, Meta(ge=1, le=10)] = 1.5
    """Limits of the factor."""


class Explore(_Part, frozen=True, kw_only=True):
    """Choices at random, without which nothing can be learned."""

    share: Share = 0.0
    floor: dict[Currency, float] = {}
    """The least value of an action that is tried out; a currency that is not named = 0."""


class HoldOut(_Part, frozen=True, kw_only=True):
    """Accounts that are not contacted, to know what would have been paid anyway."""

    share: Share
    experiment: Annotated[str, Meta(min_length=1, max_length=100)]
    """Salt of the assignment: another experiment has other accounts."""
    ends_at: Timestamp


class Window(_Part, frozen=True, kw_only=True):
    """How long after a decision a reply or a payment counts as its outcome."""

    reply_hours: PosHours = 72
    payment_days: Annotated[int, Meta(ge=1, le=365)] = 14


class Review(_Part, frozen=True, kw_only=True):
    """When an account is looked at again if nothing happens."""

    contact_hours: PosHours = 72
    """After a contact: nobody is chased before they can have answered."""
    idle_hours: PosHours = 72
    """After nothing was worth it."""


class Escalate(_Part, frozen=True, kw_only=True):
    """When automatic contact has had its chance: the account goes to a person, and stays there until there is news."""

    after_contacts: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """Contacts about the invoices that are open."""
    after_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    """Past due."""


class Notice(_Part, frozen=True, kw_only=True):
    """How a validation notice goes out, where the law asks a collector for one."""

    channels: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=5)] = ("letter", "email")
    """The first on which it may be sent."""
    template: Id = "validation_notice"


class WaitCalibration(_Part, frozen=True, kw_only=True):
    """P(pay | wait) = sigmoid(offset + slope * logit(score)), learned of hold-outs and of waits that were drawn."""

    offset: float = 0.0
    slope: Annotated[float, Meta(ge=0, le=100)] = 1.0
    n: Annotated[int, Meta(ge=0)] = 0
    """Waits that it was learned of; 0 = it is the score itself."""


class LearnedEffect(_Part, frozen=True, kw_only=True):
    """What was learned of an action: the posterior on the log-odds, partially pooled."""

    action: Name
    """The action's id."""
    segment: Name = ""
    """Empty = all."""
    log_odds: LogOdds
    sd: Spread
    n: Annotated[int, Meta(ge=0)] = 0
    """Decisions that it was learned of."""


class Learned(_Part, frozen=True, kw_only=True):
    """What a log of decisions has taught, beside what was declared."""

    at: Timestamp
    source: Name
    """What it was learned of, such as the warehouse and its days."""
    horizon_days: Annotated[int, Meta(ge=1, le=365)]
    wait: WaitCalibration = WaitCalibration()
    effects: tuple[LearnedEffect, ...] = ()


class ActionStrategy(_Part, frozen=True, kw_only=True):
    """A strategy as it is written in a file and travels with its release."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$(?!\n)")]
    policy: PolicyKind = "nba"
    steps: tuple[Step, ...] = ()
    """Of policy `schedule`; empty = the tenant's own steps."""
    horizon_days: Annotated[int, Meta(ge=1, le=365)] = 30
    window: Window = Window()
    review: Review = Review()
    segments: tuple[Segment, ...] = ()
    minimums: dict[Currency, Annotated[int, Meta(ge=0)]] = {}
    """Minor units; an account that owes less is left alone."""
    actions: tuple[ActionSpec, ...] = ()
    prices: Prices = Prices()
    expected: Expected = Expected()
    answering: Answering = Answering()
    caution: Annotated[float, Meta(ge=0, le=5)] = 1.0
    """Standard deviations that an effect is taken lower by."""
    fatigue: Annotated[float, Meta(ge=1, le=10)] = 1.4
    """Factor of complaints and opt-outs for each contact of the last 30 days."""
    scarcity: Share = 0.5
    """Of what the best contact would bring, the price of the last one that a limit leaves; with n left, a n-th of it."""
    explore: Explore = Explore()
    hold_out: HoldOut | None = None
    freshness_hours: PosHours | None = None
    """Nobody is chased when the newest payment event is older; absent = not asked."""
    unapplied_share: Annotated[float, Meta(gt=0, le=1)] = 0.25
    """Money on account above this share of what is owed goes to a person, before anybody is asked for more."""
    grace_days: Annotated[int, Meta(ge=0, le=60)] = 2
    """After the day of a promise or an instalment, for money that is on its way."""
    escalate: Escalate = Escalate()
    caps: dict[Channel, Annotated[int, Meta(ge=0)]] = {}
    """Contacts a channel and day, of the whole tenant: what staff and budget can bear."""
    notice: Notice = Notice()
    learned: Learned | None = None
