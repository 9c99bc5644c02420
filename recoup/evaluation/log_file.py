"""Logged decisions out of a file: JSON lines, each a next-best-action message with what came of it.

A line is a message of the topic next-best-actions, with one more field:

    {"type": "next_best_action.chosen", "decision_id": ..., "actions": [...], ...,
     "outcome": {"received": [{"amount_minor": 12000, "currency": "EUR", "at": "2026-03-11T09:00:00Z"}]}}

`received` is money on the account after the decision, up to its next one or longer; `at` may be left out where only the sum
is known, and is then just after the decision. Money that went back is negative, with `paid_at`, the time at which it had
come. Every piece of money stands on one line only.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from models.calendar import instant
from models.evaluation.decisions import Decided, Money
from schemas.actions import NextBestAction
from schemas.envelope import Currency, Timestamp
from schemas.envelope import Money as Amount
from schemas.errors import BadInput


class Received(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of money."""

    amount_minor: Amount
    currency: Currency
    at: Timestamp | None = None
    paid_at: Timestamp | None = None


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came after a decision."""

    received: tuple[Received, ...] = ()


class _WithOutcome(msgspec.Struct, frozen=True):
    outcome: Outcome


_decision = msgspec.json.Decoder(NextBestAction).decode
_outcome = msgspec.json.Decoder(_WithOutcome).decode


def read(path: Path) -> list[Decided]:
    """The decisions of a file, by tenant, account and time.

    Raises:
        BadInput: a line is wrong, or a decision is there twice: which, and why.
    """
    found: list[Decided] = []
    seen: dict[tuple[str, str, str], int] = {}
    for number, line in _lines(path):
        decided = _read(line, f"{path} line {number}")
        decision = decided.decision
        key = decision.tenant_id, decision.account_id, decision.decision_id
        if key in seen:
            raise BadInput(f"{path} line {number}: the decision of line {seen[key]} once more. Keep one of them.")
        seen[key] = number
        found.append(decided)
    if not found:
        raise BadInput(f"{path}: there is no decision in it; expected one JSON object a line.")
    return sorted(found, key=lambda its: (its.decision.tenant_id, its.decision.account_id, its.decision.occurred_at))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.") from error


def _read(line: bytes, where: str) -> Decided:
    try:
        decision, outcome = _decision(line), _outcome(line).outcome
    except msgspec.DecodeError as error:
        said = str(error)
        hint = " Every line needs its `outcome`, `{}` where nothing came." if "`outcome`" in said else ""
        raise BadInput(f"{where}: {said}.{hint}") from error
    made = instant(decision.occurred_at)
    money = [
        Money(
            at=made + 1 if piece.at is None else instant(piece.at),
            currency=piece.currency,
            amount=piece.amount_minor,
            paid_at=None if piece.paid_at is None else instant(piece.paid_at),
        )
        for piece in outcome.received
    ]
    if any(piece.at <= made for piece in money):
        raise BadInput(f"{where}: `received` has money from before the decision; it stands on the line before it.")
    return Decided(decision, tuple(money))
