"""Decisions that had a choice, and the money that came after each, gathered account by account from a log."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from models.account.course import WAIT
from models.actions.effects import answer_factor
from models.actions.learning import WAITED, Examples, log_odds_of
from models.actions.options import Option, options_of, question_of
from models.actions.policy import Strategist, segment_of
from models.calendar import DAY, instant
from models.clock import Instant
from models.evaluation.decisions import Decided
from recoup.evaluation.log_file import read
from schemas.actions import NextBestAction
from schemas.contacts import ContactRequested
from schemas.envelope import Event
from schemas.errors import BadInput
from schemas.payments import PaymentReceived, PaymentReversed
from schemas.strategies import ActionStrategy

DECISION = b'"next_best_action.chosen"'
UNKNOWN = -2
"""The place of an action that the strategy does not have."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A decision as it is learned from; its outcome is still to come."""

    at: Instant
    currency: str
    at_stake: int
    score: float
    segment: int
    action: int
    factor: float
    held_out: bool
    allowed: tuple[bool, ...]
    probability: tuple[float, ...]
    """Waiting first."""


class Story(msgspec.Struct):
    """One account's part of a log."""

    rows: list[Row] = []
    money: list[tuple[Instant, str, int]] = []
    """When it came, currency, minor units; negative = it went back."""


class Gathered:
    """Takes in a log, the live one of a run or a written one's lines, and keeps of it what a strategy can learn from."""

    def __init__(self, strategy: ActionStrategy) -> None:
        self.strategy = strategy
        self.stories: dict[str, Story] = {}
        self.until: Instant = 0
        self._strategist = Strategist(strategy)
        self._place = {spec.id: place for place, spec in enumerate(strategy.actions)}
        self._group = {"": 0} | {segment.name: place for place, segment in enumerate(strategy.segments, start=1)}

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
        if decision.at_stake_minor > 0 and len(decision.actions) > 1 and (row := self._row(decision)) is not None:
            self._story(decision).rows.append(row)

    def take(self, decided: Decided) -> None:
        """Takes a decision with money on its account, as judges of policies read them."""
        self.decided(0, decided.decision)
        if decided.received:
            self.until = max(self.until, *[piece.at for piece in decided.received])
            self._story(decided.decision).money += [(its.at, its.currency, its.amount) for its in decided.received]

    def _story(self, event: Event) -> Story:
        key = f"{event.tenant_id}|{event.account_id}"
        return self.stories.setdefault(key, Story())

    def _chosen(self, decision: NextBestAction) -> int:
        """Another strategy's action is ours when it does the same."""
        if decision.action == WAIT:
            return WAITED
        done = Option(decision.step or "", decision.action, decision.channel, decision.template)
        spec = self._strategist.spec_of(done)
        return UNKNOWN if spec is None else self._place[spec.id]

    def _row(self, decision: NextBestAction) -> Row | None:
        """None: nothing was valued, or what was done is not the strategy's to do."""
        question = question_of(decision)
        if question is None:
            return None
        allowed = [False] * len(self._place)
        probability = [0.0] * (len(self._place) + 1)
        for option, candidate in zip(options_of(decision), decision.actions, strict=True):
            spec = None if option.action == WAIT else self._strategist.spec_of(option)
            if spec is not None:
                allowed[self._place[spec.id]] |= option.allowed
                probability[self._place[spec.id] + 1] += candidate.probability
            elif option.action == WAIT:
                probability[0] += candidate.probability
        chosen = self._chosen(decision)
        if chosen == UNKNOWN or probability[chosen + 1] <= 0.0:
            return None
        return Row(
            at=instant(decision.occurred_at),
            currency=question.currency,
            at_stake=question.at_stake,
            score=question.score,
            segment=self._group[segment_of(self._strategist, question)],
            action=chosen,
            factor=answer_factor(self.strategy.answering, question.context),
            held_out=decision.arm == "hold_out",
            allowed=tuple(allowed),
            probability=tuple(probability),
        )


class _Line(msgspec.Struct):
    policy: str = ""
    seed: int = 0
    heard: msgspec.Raw = msgspec.Raw()
    decided: msgspec.Raw = msgspec.Raw()


_HEARD: Any = PaymentReceived | PaymentReversed


def read_log(path: Path, strategy: ActionStrategy) -> list[Gathered]:
    """The runs of a file that `recoup simulate --policy ... --log` has written, or the log that `recoup evaluate` takes.

    Raises:
        BadInput: a line is of neither.
    """
    with path.open("rb") as file:
        first = file.readline()
    if b'"outcome"' in first and DECISION in first:
        gathered = Gathered(strategy)
        for decided in read(path):
            gathered.take(decided)
        return [gathered]
    return _read_simulation(path, strategy)


def _read_simulation(path: Path, strategy: ActionStrategy) -> list[Gathered]:
    line_of, decision_of = msgspec.json.Decoder(_Line).decode, msgspec.json.Decoder(NextBestAction).decode
    event_of = msgspec.json.Decoder(_HEARD).decode
    found: dict[tuple[str, int], Gathered] = {}
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            try:
                line = line_of(text)
                gathered = found.setdefault((line.policy, line.seed), Gathered(strategy))
                if b'"type":"payment.received"' in text or b'"type":"payment.reversed"' in text:
                    gathered.heard(0, event_of(line.heard))
                elif line.decided:
                    gathered.decided(0, decision_of(line.decided))
            except msgspec.MsgspecError as error:
                raise BadInput(f"{path} line {number}: no line of a simulation's log: {error}.") from error
    if not found:
        raise BadInput(f"{path}: there is no line in it. `recoup simulate --policy FILE --log LOG` writes one.")
    return list(found.values())


def examples_of(logs: Iterable[Gathered]) -> Examples:
    """The decisions whose outcome is known by the end of their log.

    The outcome is the share of what was at stake that came, in its currency, within the strategy's horizon.

    Raises:
        BadInput: there is none.
    """
    rows: list[Row] = []
    account: list[int] = []
    paid: list[float] = []
    number, days = -1, 0
    for log in logs:
        days = log.strategy.horizon_days
        for story in log.stories.values():
            number += 1
            known = [row for row in story.rows if row.at <= log.until - days * DAY]
            rows += known
            account += [number] * len(known)
            paid += [_paid(row, story, days) for row in known]
    if not rows:
        raise BadInput(
            f"No decision of the log had a choice and an outcome after {days} days: a log must be longer than the strategy's"
            " horizon, and its policy must explore."
        )
    return Examples(
        account=np.array(account, dtype=np.int64),
        log_odds=log_odds_of([row.score for row in rows]),
        segment=np.array([row.segment for row in rows], dtype=np.int64),
        action=np.array([row.action for row in rows], dtype=np.int64),
        allowed=np.array([row.allowed for row in rows], dtype=bool),
        probability=np.array([row.probability for row in rows]),
        factor=np.array([row.factor for row in rows]),
        held_out=np.array([row.held_out for row in rows], dtype=bool),
        paid=np.array(paid),
    )


def _paid(row: Row, story: Story, days: int) -> float:
    came = sum([
        amount for at, currency, amount in story.money if row.at < at <= row.at + days * DAY and currency == row.currency
    ])  # fmt: skip
    return min(max(came / row.at_stake, 0.0), 1.0)
