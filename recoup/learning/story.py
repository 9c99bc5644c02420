"""Decisions that had a choice, and the money that came after each, gathered account by account from a log."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from models.actions.effects import answer_factor
from models.actions.learning import WAITED, Examples, log_odds_of
from models.actions.options import options_of, question_of
from models.actions.policy import Strategist, segment_of
from models.calendar import DAY, instant
from models.clock import Instant
from schemas.actions import NextBestAction
from schemas.contacts import ContactRequested
from schemas.envelope import Event
from schemas.errors import BadInput
from schemas.payments import PaymentReceived, PaymentReversed
from schemas.strategies import ActionStrategy


class Story(msgspec.Struct):
    """One account's part of a log."""

    decisions: list[NextBestAction] = []
    """Those that valued something."""
    money: list[tuple[Instant, str, int]] = []
    """When it came, currency, minor units; negative = it went back."""
    until: Instant = 0
    """The last that is known of the account."""


class Gathered:
    """Takes in a log: the live one of a run, or a written one's lines."""

    def __init__(self) -> None:
        self.stories: dict[str, Story] = {}
        self.until: Instant = 0

    def heard(self, customer: int, event: Event) -> None:
        """Takes what is about money."""
        self.until = max(self.until, instant(event.occurred_at))
        if isinstance(event, PaymentReceived | PaymentReversed):
            sign = 1 if isinstance(event, PaymentReceived) else -1
            at = instant(event.occurred_at)
            self._story(event).money.append((at, event.currency, sign * event.amount_minor))

    def contacted(self, customer: int, contact: ContactRequested, at: Instant) -> None:
        """The decision tells of it already."""

    def decided(self, customer: int, decision: NextBestAction) -> None:
        """Takes what had a choice."""
        self.until = max(self.until, instant(decision.occurred_at))
        if decision.context is not None and decision.at_stake_minor > 0 and len(decision.actions) > 1:
            self._story(decision).decisions.append(decision)

    def _story(self, event: Event) -> Story:
        key = f"{event.tenant_id}|{event.account_id}"
        return self.stories.setdefault(key, Story())


class _Line(msgspec.Struct):
    policy: str = ""
    seed: int = 0
    heard: msgspec.Raw = msgspec.Raw()
    decided: msgspec.Raw = msgspec.Raw()


_HEARD: Any = PaymentReceived | PaymentReversed


def read_log(path: Path) -> list[Gathered]:
    """The runs of a file that `recoup simulate --policy ... --log` has written.

    Raises:
        BadInput: a line is not of such a file.
    """
    line_of, decision_of = msgspec.json.Decoder(_Line).decode, msgspec.json.Decoder(NextBestAction).decode
    event_of = msgspec.json.Decoder(_HEARD).decode
    found: dict[tuple[str, int], Gathered] = {}
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            try:
                line = line_of(text)
                gathered = found.setdefault((line.policy, line.seed), Gathered())
                if b'"type":"payment.received"' in text or b'"type":"payment.reversed"' in text:
                    gathered.heard(0, event_of(line.heard))
                elif line.decided:
                    gathered.decided(0, decision_of(line.decided))
            except msgspec.MsgspecError as error:
                raise BadInput(f"{path} line {number}: no line of a simulation's log: {error}.") from error
    if not found:
        raise BadInput(f"{path}: there is no line in it. `recoup simulate --policy FILE --log LOG` writes one.")
    return list(found.values())


def examples_of(strategy: ActionStrategy, logs: Iterable[Gathered]) -> Examples:
    """The decisions whose outcome is known by the end of their log, as a strategy sees them.

    The outcome is the share of what was at stake that came, in its currency, within the strategy's horizon.

    Raises:
        BadInput: there is none.
    """
    rows = _Rows(strategy)
    for number, log in enumerate(logs):
        known = log.until - strategy.horizon_days * DAY
        for key, story in log.stories.items():
            for decision in story.decisions:
                if instant(decision.occurred_at) <= known:
                    rows.add(f"{number}|{key}", decision, story)
    return rows.examples()


class _Rows:
    def __init__(self, strategy: ActionStrategy) -> None:
        self.strategy = strategy
        self.strategist = Strategist(strategy)
        self.place = {spec.id: place for place, spec in enumerate(strategy.actions)}
        self.group = {"": 0} | {segment.name: place for place, segment in enumerate(strategy.segments, start=1)}
        self.accounts: dict[str, int] = {}
        self.rows: list[tuple[int, float, int, int, float, bool, float]] = []
        self.allowed: list[list[bool]] = []
        self.probability: list[list[float]] = []

    def add(self, account: str, decision: NextBestAction, story: Story) -> None:
        """One decision; one that did what the strategy does not know is left out."""
        question = question_of(decision)
        if question is None:
            return
        allowed = [False] * len(self.place)
        probability = [0.0] * (len(self.place) + 1)
        for option, candidate in zip(options_of(decision), decision.actions, strict=True):
            spec = None if option.action == "wait" else self.strategist.spec_of(option)
            if spec is not None:
                allowed[self.place[spec.id]] |= option.allowed
                probability[self.place[spec.id] + 1] += candidate.probability
            elif option.action == "wait":
                probability[0] += candidate.probability
        chosen = WAITED if decision.action == "wait" else self.place.get(decision.step or "", -2)
        if chosen < WAITED or probability[chosen + 1] <= 0.0:
            return
        self.rows.append((
            self.accounts.setdefault(account, len(self.accounts)),
            question.score,
            self.group[segment_of(self.strategist, question)],
            chosen,
            answer_factor(self.strategy.answering, question.context),
            decision.arm == "hold_out",
            _paid(decision, story, self.strategy.horizon_days),
        ))  # fmt: skip
        self.allowed.append(allowed)
        self.probability.append(probability)

    def examples(self) -> Examples:
        if not self.rows:
            raise BadInput(
                f"No decision of the log had a choice and an outcome after {self.strategy.horizon_days} days: a log must be"
                " longer than the strategy's horizon, and its policy must explore."
            )
        account, score, segment, action, factor, held_out, paid = zip(*self.rows, strict=True)
        return Examples(
            account=np.array(account, dtype=np.int64),
            log_odds=log_odds_of(score),
            segment=np.array(segment, dtype=np.int64),
            action=np.array(action, dtype=np.int64),
            allowed=np.array(self.allowed, dtype=bool),
            probability=np.array(self.probability),
            factor=np.array(factor),
            held_out=np.array(held_out, dtype=bool),
            paid=np.array(paid),
        )


def _paid(decision: NextBestAction, story: Story, days: int) -> float:
    at = instant(decision.occurred_at)
    came = sum(
        amount
        for when, currency, amount in story.money
        if at < when <= at + days * DAY and currency == decision.currency
    )
    return min(max(came / decision.at_stake_minor, 0.0), 1.0)
