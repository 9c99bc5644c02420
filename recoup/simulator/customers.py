"""Who the simulated customers are: five habits, and each customer's own probabilities drawn around them."""

from random import Random
from typing import Literal

import msgspec

HabitName = Literal["prompt", "late", "forgetful", "disputing", "insolvent"]
Answer = Literal["pays", "promises", "replies", "opts_out", "complains"]

ANSWERS: tuple[Answer, ...] = ("pays", "promises", "replies", "opts_out", "complains")


class Habit(msgspec.Struct, frozen=True):
    """The typical customer of one kind; every probability is per business day unless it says otherwise."""

    name: HabitName
    share: float
    """Of the portfolio."""
    pays_before_due: float
    """An open invoice that is not due yet."""
    pays_when_due: float
    """In the seven days from its due date on."""
    pays_later: float
    disputes: float
    """Per invoice."""
    fails: float
    """Per payment: it bounces."""
    part: float
    """Per payment: only a part is paid."""
    answers: float
    """Per contact: that it moves the customer to anything, before the channel's weight."""
    answer_shares: tuple[float, float, float, float, float]
    """What an answer is, in the order of `ANSWERS`."""
    keeps: float
    """Per promise."""
    ages: tuple[float, float]
    """The age of their invoices when they become known, in days past due; negative = not due yet."""


HABITS = (
    Habit(
        name="prompt", share=0.42, pays_before_due=0.30, pays_when_due=0.45, pays_later=0.50, disputes=0.004,
        fails=0.01, part=0.02, answers=0.55, answer_shares=(0.86, 0.06, 0.06, 0.01, 0.01), keeps=0.97, ages=(-28, 3),
    ),
    Habit(
        name="late", share=0.25, pays_before_due=0.02, pays_when_due=0.08, pays_later=0.20, disputes=0.01,
        fails=0.05, part=0.15, answers=0.40, answer_shares=(0.50, 0.30, 0.14, 0.04, 0.02), keeps=0.70, ages=(-14, 30),
    ),
    Habit(
        name="forgetful", share=0.18, pays_before_due=0.03, pays_when_due=0.04, pays_later=0.04, disputes=0.005,
        fails=0.03, part=0.05, answers=0.65, answer_shares=(0.78, 0.13, 0.06, 0.02, 0.01), keeps=0.80, ages=(-14, 45),
    ),
    Habit(
        name="disputing", share=0.08, pays_before_due=0.06, pays_when_due=0.08, pays_later=0.08, disputes=0.12,
        fails=0.03, part=0.30, answers=0.45, answer_shares=(0.20, 0.15, 0.45, 0.10, 0.10), keeps=0.55, ages=(-14, 45),
    ),
    Habit(
        name="insolvent", share=0.07, pays_before_due=0.004, pays_when_due=0.006, pays_later=0.01, disputes=0.02,
        fails=0.45, part=0.60, answers=0.30, answer_shares=(0.08, 0.42, 0.28, 0.14, 0.08), keeps=0.15, ages=(-7, 75),
    ),
)  # fmt: skip

CHANNEL_WEIGHTS = {"email": 0.7, "sms": 1.0, "call": 1.25, "voicemail": 0.6, "letter": 0.8}
"""How strongly a channel moves the average customer."""

SPREAD = 0.35
"""Customers of one habit differ: the standard deviation of the logarithm of each probability's factor."""

MOST = 0.98


class Customer(msgspec.Struct, frozen=True):
    """One customer's true probabilities. Nothing of this is ever sent: it is what a policy is judged by."""

    tenant_id: str
    account_id: str
    habit: HabitName
    pays_before_due: float
    pays_when_due: float
    pays_later: float
    disputes: float
    fails: float
    part: float
    answers: dict[str, float]
    """By channel: the probability that a contact moves the customer to anything."""
    answer_shares: dict[Answer, float]
    keeps: float
    ages: tuple[float, float]
    answer_days: float
    """Mean of the exponential time between a contact and its answer, in business days."""


def habit_of(random: Random) -> Habit:
    """A habit, as often as its share."""
    return random.choices(HABITS, [habit.share for habit in HABITS])[0]


def customer_of(random: Random, tenant_id: str, account_id: str, habit: Habit) -> Customer:
    """A customer of this habit with probabilities of their own."""

    def own(typical: float) -> float:
        return round(min(typical * random.lognormvariate(0.0, SPREAD), MOST), 4)

    return Customer(
        tenant_id=tenant_id,
        account_id=account_id,
        habit=habit.name,
        pays_before_due=own(habit.pays_before_due),
        pays_when_due=own(habit.pays_when_due),
        pays_later=own(habit.pays_later),
        disputes=own(habit.disputes),
        fails=own(habit.fails),
        part=own(habit.part),
        answers={channel: own(habit.answers * weight) for channel, weight in CHANNEL_WEIGHTS.items()},
        answer_shares=dict(zip(ANSWERS, habit.answer_shares, strict=True)),
        keeps=own(habit.keeps),
        ages=habit.ages,
        answer_days=round(random.lognormvariate(0.3, 0.6), 3),
    )
