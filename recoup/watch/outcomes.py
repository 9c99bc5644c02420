"""What came of scores: the invoices that they name, looked at with the fold and the labels that training uses."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

import numpy as np

from connectors.clickhouse.rows import ANY_TIME
from connectors.clickhouse.scores import Judged, Message
from models.calendar import Zone, instant
from models.clock import Instant
from models.features.outcomes import NEVER_ISSUED, horizon_end, outcome_of, timelines
from models.propensity.examples import Target
from models.propensity.matured import Calibration, LeftOut, calibration
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import Event
from schemas.payments import InvoiceIssued

UNKNOWN = "unknown"


def calibration_of(
    scores: Iterable[Judged],
    messages: Iterable[Message],
    zone: Zone,
    *,
    settled_from: Instant,
    settled_to: Instant,
) -> Calibration:
    """Compare scores with what came of them, of those whose horizon ends within a time.

    Args:
        scores: in the order of their accounts.
        messages: the events of these accounts before `settled_to`, those of one account together.
        zone: of the tenant, where due dates end.
    """
    by_account = {account: list(group) for account, group in groupby(scores, attrgetter("account_id"))}
    found: Counter[str] = Counter({UNKNOWN: sum(map(len, by_account.values()))})
    settled: list[Judged] = []
    paid: list[bool] = []
    for account, events in _events(messages):
        known = timelines(events)
        due = {event.invoice_id: instant(event.due_at) for event in events if isinstance(event, InvoiceIssued)}
        for score in by_account.get(account, ()):
            if score.invoice_id not in due:
                continue
            found[UNKNOWN] -= 1
            end = horizon_end(target_of(score), score.at, due[score.invoice_id], zone)
            if end < max(score.at, settled_from):
                continue  # settled before it was made, so that it foretold nothing, or too long ago
            outcome = outcome_of(known.get(score.invoice_id, NEVER_ISSUED), score.at, end, settled_to)
            found[outcome] += 1
            if outcome in ("paid", "unpaid"):
                settled.append(score)
                paid.append(outcome == "paid")
    return calibration(
        np.array([score.probability for score in settled], dtype=np.float64),
        np.array(paid, dtype=np.int64),
        np.array([score.account_id for score in settled], dtype=np.str_),
        LeftOut(not_yet=found["unmatured"], competing=found["competing"], unknown=found[UNKNOWN]),
    )


def target_of(score: Judged) -> Target:
    """What a score foretells; what does not say so is taken by its horizon."""
    if score.target == "paid_by_due":
        return Target("paid_by_due")
    return Target("paid_within", days_of(score.target) or score.horizon_days)


def days_of(target: str) -> int:
    """How many days from the score a target foretells; 0 where it does not say so."""
    days = target.partition(":")[2]
    return int(days) if days.isdecimal() else 0


def _events(messages: Iterable[Message]) -> Iterator[tuple[str, list[Event]]]:
    """The events of each account; what cannot be decoded any more is no event."""
    decoders: dict[str, TopicDecoder] = {}
    for account, group in groupby(messages, attrgetter("account_id")):
        events = []
        for message in group:
            decode = decoders.get(message.topic) or decoders.setdefault(message.topic, TopicDecoder(message.topic))
            event = decode(message.payload, message.key, ANY_TIME)
            if not isinstance(event, Refusal):
                events.append(event)
        yield account, events
