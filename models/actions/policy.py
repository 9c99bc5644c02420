"""A strategy's choice: what each option is worth, and how likely each is chosen; equal questions, equal answers.

Nothing here looks at an account. `weigh` and `probabilities` of a decision in the log therefore are the very numbers
that it was made with, and another strategy's say what it would have chosen in its place.
"""

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

import msgspec

from models.account.course import WAIT
from models.actions.effects import Moved, answer_factor, effect_of, expected_share, log_odds, probability
from models.actions.options import CONTACTS, Option, Question, Weighed, options_of, question_of
from schemas.actions import Context, NextBestAction
from schemas.strategies import ActionSpec, ActionStrategy, Condition, Costs

Arm = Literal["policy", "explore", "hold_out"]
Chosen = tuple[int, Arm]
"""The place of an option, and how it came to be chosen."""

TIRED = 30
"""Contacts beyond which nobody gets more tired."""
OF_QUESTION = frozenset({"score", "at_stake", "currency"})
"""What segments may ask for besides the context."""
OTHERS = ""
"""The segment of accounts that fit none."""

Priced = tuple[float, float]
"""Cost, and friction of an untired customer, in minor units."""
Terms = tuple[float, float, float, float]
"""An action's mean effect and what caution takes off it (both on the log-odds), its cost and its friction."""


class Strategist:
    """A strategy made ready to choose. Without prices in a currency it values nothing in it: see `prices`."""

    def __init__(self, strategy: ActionStrategy) -> None:
        self.strategy = strategy
        self.kind = strategy.policy
        self.specs: dict[str, ActionSpec] = {spec.id: spec for spec in strategy.actions}
        self.explore = strategy.explore.share if strategy.policy == "nba" else 0.0
        self.floors = strategy.explore.floor
        names = [OTHERS, *(segment.name for segment in strategy.segments)]
        self.effects: dict[str, dict[str, Moved]] = {
            name: {spec.id: effect_of(spec, name, strategy.learned) for spec in strategy.actions} for name in names
        }
        self.tired = [round(strategy.fatigue**contacts, 9) for contacts in range(TIRED + 1)]
        wait = None if strategy.learned is None else strategy.learned.wait
        self.offset, self.slope = (0.0, 1.0) if wait is None else (wait.offset, wait.slope)
        self.segments = [(its.name, [*map(_bounds, its.when.items())]) for its in strategy.segments]
        self._treatments: dict[tuple[str, str | None, str | None], ActionSpec] = {}
        for spec in reversed(strategy.actions):
            self._treatments[spec.action, spec.channel, spec.template] = spec
        self._prices: dict[str, dict[str, Priced] | None] = {}
        self._terms: dict[tuple[str, str], dict[str, Terms]] = {}

    def terms(self, segment: str, currency: str) -> dict[str, Terms]:
        """What the actions do and cost in a segment and a currency, by their ids; empty without prices in it."""
        found = self._terms.get((segment, currency))
        if found is None:
            found = self._terms[segment, currency] = self._terms_of(segment, currency)
        return found

    def _terms_of(self, segment: str, currency: str) -> dict[str, Terms]:
        prices, effects = self.prices(currency), self.effects[segment]
        if prices is None:
            return {}
        caution = self.strategy.caution
        return {name: (effects[name][0], caution * effects[name][1], *prices[name]) for name in self.specs}

    def prices(self, currency: str) -> dict[str, Priced] | None:
        """What each action costs and risks in a currency; None when the strategy has no prices in it."""
        if currency not in self._prices:
            self._prices[currency] = self._priced(currency)
        return self._prices[currency]

    def _priced(self, currency: str) -> dict[str, Priced] | None:
        prices = self.strategy.prices
        found: dict[str, Priced] = {}
        for spec in self.strategy.actions:
            cost = price(spec.cost, currency) if spec.cost else 0.0
            minute = price(prices.minute, currency) if spec.staff_minutes else 0.0
            complaint = price(prices.complaint, currency) if spec.complaint else 0.0
            opt_out = price(prices.opt_out, currency) if spec.opt_out else 0.0
            if cost is None or minute is None or complaint is None or opt_out is None:
                return None
            friction = spec.complaint * complaint + spec.opt_out * opt_out
            found[spec.id] = cost + spec.staff_minutes * minute, friction
        return found

    def spec_of(self, option: Option) -> ActionSpec | None:
        """The strategy's action that does the same as an option, which may be another strategy's."""
        spec = self.specs.get(option.id)
        if (
            spec is None
            or spec.template != option.template
            or spec.channel != option.channel
            or spec.action != option.action
        ):
            return self._treatments.get((option.action, option.channel, option.template))
        return spec


def _bounds(named: tuple[str, Condition]) -> tuple[str, float, float, tuple[str, ...]]:
    """A condition as its field, its bounds and, of a text, what it may be."""
    field, its = named
    field = "at_stake" if field == "at_stake_minor" else field
    low, high = its.at_least, its.below
    return field, -math.inf if low is None else low, math.inf if high is None else high, its.one_of


def price(costs: Costs, currency: str) -> float | None:
    """What something costs in a currency; None when that was not declared."""
    return costs.get(currency)  # type: ignore[call-overload, no-any-return]  # any text may be asked for


def segment_of(strategist: Strategist, question: Question) -> str:
    """The first segment that the account fits; empty = none."""
    for name, conditions in strategist.segments:
        for field, low, high, texts in conditions:
            value = getattr(question if field in OF_QUESTION else question.context, field)
            if not (value in texts if texts else low <= value < high):
                break
        else:
            return name
    return OTHERS


def pay_wait(strategist: Strategist, score: float) -> float:
    """P(pay | wait) within the horizon: the score itself until waits have taught better."""
    return probability(log_odds(score, strategist.offset, strategist.slope))


def is_offered(spec: ActionSpec, context: Context, segment: str) -> bool:
    """Whether the strategy has the action for such an account at all."""
    return (
        spec.from_days <= context.days_past_due <= spec.to_days
        and (not spec.segments or segment in spec.segments)
        and (spec.debt_class is None or spec.debt_class == context.debt_class)
    )


def weigh(
    strategist: Strategist, question: Question, options: Sequence[Option], segment: str | None = None
) -> list[Weighed]:
    """The value of each option over waiting, in the order of the options.

    Args:
        segment: `segment_of` the same question; None = it is worked out.

    An option that this strategy does not offer (another one's, in a log) comes back as not allowed, `strategy:offers`;
    one in a currency without prices as `strategy:prices`.
    """
    context, strategy = question.context, strategist.strategy
    if segment is None:
        segment = segment_of(strategist, question)
    terms = strategist.terms(segment, question.currency)
    base = log_odds(question.score, strategist.offset, strategist.slope)
    waiting, factor = probability(base), answer_factor(strategy.answering, context)
    amount = question.at_stake * expected_share(strategy, context)
    tired = strategist.tired[min(context.contacts_30, TIRED)]
    weighed: list[Weighed] = []
    best = 0.0
    for option in options:
        if option.action == WAIT:
            weighed.append(Weighed(option))
            continue
        spec = strategist.spec_of(option)
        found = None if spec is None else terms.get(spec.id)
        if spec is None or found is None or not is_offered(spec, context, segment):
            rule = "strategy:prices" if spec is not None and found is None else "strategy:offers"
            weighed.append(Weighed(_refused(option, rule)))
            continue
        mean, caution, cost, friction = found
        moved = base + mean * factor
        lift = probability(moved - caution) - waiting
        gain = lift * amount
        friction *= tired
        weighed.append(Weighed(option, gain - cost - friction, probability(moved), lift, gain, cost, friction))
        if gain > best and (option.allowed or option.next_allowed_at is not None) and option.action in CONTACTS:
            best = gain
    if best and strategy.scarcity:
        _take_off_scarcity(weighed, strategy.scarcity * best)
    return weighed


def _refused(option: Option, rule: str) -> Option:
    denied = tuple(sorted({*option.denied_by, rule}))
    return msgspec.structs.replace(option, allowed=False, denied_by=denied, next_allowed_at=None)


def _take_off_scarcity(weighed: list[Weighed], last: float) -> None:
    """A contact that a limit counts takes the place of a later one: with n left, an n-th of what the last is worth."""
    for its in weighed:
        left = its.option.left
        if left and its.pay_action is not None:
            its.scarcity = last / left
            its.value = its.gain - its.cost - its.friction - its.scarcity


def best_of(weighed: Sequence[Weighed]) -> int:
    """The place of the allowed option of the greatest value; of equal ones the first, and waiting stands first."""
    place, value = 0, 0.0
    for number, its in enumerate(weighed):
        if its.value > value and its.option.allowed:
            place, value = number, its.value
    return place


def tried(strategist: Strategist, weighed: Sequence[Weighed], currency: str) -> list[int]:
    """The places that exploration draws from, waiting always among them."""
    floor = strategist.floors.get(currency, 0.0)  # type: ignore[call-overload]  # any text may be asked for
    return [
        place
        for place, its in enumerate(weighed)
        if its.option.allowed and (its.value >= floor or its.option.action == WAIT)
    ]


def probabilities(
    strategist: Strategist, weighed: Sequence[Weighed], currency: str, arm: Arm = "policy"
) -> list[float]:
    """How likely each option is chosen, given the arm that the account is in: exact, and 1 in sum.

    Args:
        weighed: waiting first.
        arm: `hold_out` waits; the two others are one arm before the draw.
    """
    chances = [0.0] * len(weighed)
    if arm == "hold_out" or strategist.kind == "none":
        chances[0] = 1.0
        return chances
    if strategist.kind == "random":
        allowed = [place for place, its in enumerate(weighed) if its.option.allowed]
        for place in allowed:
            chances[place] = 1.0 / len(allowed)
        return chances
    share = strategist.explore
    if share:
        drawn = tried(strategist, weighed, currency)
        for place in drawn:
            chances[place] = share / len(drawn)
    chances[best_of(weighed)] += 1.0 - share
    return chances


def choose(
    strategist: Strategist, weighed: Sequence[Weighed], currency: str, decision_id: str, arm: Arm = "policy"
) -> Chosen:
    """The choice, drawn by the decision's id: the same id chooses the same. Its probability is that of `probabilities`."""
    if arm == "hold_out" or strategist.kind == "none" or len(weighed) == 1:
        return 0, arm
    if strategist.kind == "random":
        allowed = [place for place, its in enumerate(weighed) if its.option.allowed]
        return allowed[int(drawn(decision_id) * len(allowed))], "explore"
    share = strategist.explore
    if share and (number := drawn(decision_id)) < share:
        places = tried(strategist, weighed, currency)
        return places[min(int(number / share * len(places)), len(places) - 1)], "explore"
    return best_of(weighed), "policy"


_NO_ID = blake2b(digest_size=8, person=b"choose")


def drawn(decision_id: str) -> float:
    """A number from 0 up to but without 1, uniform over ids."""
    digest = _NO_ID.copy()
    digest.update(decision_id.encode())
    return (int.from_bytes(digest.digest(), "big") >> 11) / 9_007_199_254_740_992.0


def instead(strategist: Strategist, decision: NextBestAction) -> list[float] | None:
    """How likely the strategy would have chosen each action of a logged decision, in the order of its `actions`.

    None: nothing was valued then (nothing owed, a promise, a hold ...), and no strategy would have had a choice.
    """
    question = question_of(decision)
    if question is None:
        return None
    weighed = weigh(strategist, question, options_of(decision))
    return probabilities(strategist, weighed, question.currency)
