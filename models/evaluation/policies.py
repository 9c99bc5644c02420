"""What is judged: policies that can be asked how likely they would have chosen each action of a logged decision."""

from typing import Protocol

from models.account.course import WAIT
from models.actions.options import Option, question_of
from models.actions.policy import Strategist, instead, weigh
from schemas.actions import Candidate, NextBestAction
from schemas.strategies import ActionStrategy

Key = tuple[str, str, str]
"""What an action is to everybody: its kind, channel and template."""
NOTHING: frozenset[Key] = frozenset()
KINDS_THAT_VALUE = ("nba", "random", "none")
"""Policies that value every choice; where theirs holds no values, rules alone ruled."""


class Policy(Protocol):
    """A candidate."""

    name: str

    def offers(self, decision: NextBestAction) -> frozenset[Key]:
        """What it would have had to choose from, as far as it knows; what no decision in the log had cannot be judged."""
        ...

    def probabilities(self, decision: NextBestAction) -> list[float] | None:
        """Of each of the decision's `actions`, in their order. None = it cannot be asked about this decision."""
        ...


class Waits:
    """Does nothing, ever."""

    name = "none"

    def offers(self, decision: NextBestAction) -> frozenset[Key]:
        """Nothing of its own."""
        return NOTHING

    def probabilities(self, decision: NextBestAction) -> list[float] | None:
        """1 for waiting; None where waiting was not among the actions."""
        place = next((place for place, its in enumerate(decision.actions) if its.action == WAIT and its.allowed), None)
        return None if place is None else [float(place == number) for number in range(len(decision.actions))]


class Uniform:
    """Any allowed action, each as likely as the other."""

    name = "random"

    def offers(self, decision: NextBestAction) -> frozenset[Key]:
        """Nothing of its own."""
        return NOTHING

    def probabilities(self, decision: NextBestAction) -> list[float] | None:
        """One over the number of allowed actions."""
        allowed = sum(its.allowed for its in decision.actions)
        return [its.allowed / allowed for its in decision.actions] if allowed else None


class Logged:
    """What decided itself: the yardstick, and a check of the log."""

    name = "logged"

    def offers(self, decision: NextBestAction) -> frozenset[Key]:
        """Nothing of its own."""
        return NOTHING

    def probabilities(self, decision: NextBestAction) -> list[float] | None:
        """Those of the log."""
        return [its.probability for its in decision.actions]


class OfStrategy:
    """A strategy that values the logged decisions again.

    Args:
        strategy: of any policy but `schedule`, whose steps hang on invoices that a decision does not hold.
        name: how it is called in reports.
    """

    def __init__(self, strategy: ActionStrategy, name: str) -> None:
        if strategy.policy == "schedule":
            raise ValueError("a schedule acts by the days of single invoices, which a logged decision does not hold")
        self.name = name
        self.strategist = Strategist(strategy)
        self.options = [
            Option(spec.id, spec.action, spec.channel, spec.template) for spec in strategy.actions if not spec.after
        ]

    def offers(self, decision: NextBestAction) -> frozenset[Key]:
        """By the day, the segment and the kind of debt; what only comes after another action need never have come."""
        question = question_of(decision)
        if question is None:
            return NOTHING
        weighed = [its.option for its in weigh(self.strategist, question, self.options)]
        return frozenset((its.action, its.channel or "", its.template or "") for its in weighed if its.allowed)

    def probabilities(self, decision: NextBestAction) -> list[float] | None:
        """As it would have drawn; None where the log does not hold what it values by, or it has no prices in the currency."""
        if decision.currency is not None and self.strategist.prices(decision.currency) is None:
            return None
        return instead(self.strategist, decision)


def key_of(option: Candidate | NextBestAction) -> Key:
    """What an option, or the chosen action, is."""
    return option.action, option.channel or "", option.template or ""


def is_choice(decision: NextBestAction) -> bool:
    """Whether any policy had a choice: two actions were allowed, and no rule had settled the matter before.

    A promise that is waited for or an account that must go to a person is the same under every policy.
    """
    if sum(its.allowed for its in decision.actions) < 2:
        return False
    settled = all(its.probability in (0.0, 1.0) for its in decision.actions) and question_of(decision) is None
    return not (settled and decision.policy.partition(":")[0] in KINDS_THAT_VALUE)
