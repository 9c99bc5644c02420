"""Payments that are on their way or failed, plans, settlements and asserted balances: what money may still come.

None of it changes a balance; each is as the latest event about it says.
"""

from collections.abc import Callable
from typing import Any

from models.account.ledger import ATTEMPTS, DEALS, Attempt, Claim, Deal, PaymentFacts, balances
from models.account.money import PAYMENT, find_payment, was_seen
from models.account.outcome import APPLIED, DUPLICATE, Answer
from models.account.seen import EVENTS, fingerprint, remember, stamp
from models.calendar import day_number, instant
from schemas.envelope import Event
from schemas.payments import (
    AccountBalanceAsserted,
    PaymentFailed,
    PaymentPending,
    PaymentScheduled,
    PlanAccepted,
    PlanBroken,
    PlanCompleted,
    PlanInstalmentDue,
    PlanOffered,
    SettlementAccepted,
    SettlementOffered,
)


def _attempted(facts: PaymentFacts, event: PaymentScheduled | PaymentPending, written: int, status: str) -> None:
    if find_payment(facts, event.payment_id) is not None or was_seen(facts, PAYMENT, event.payment_id):
        return  # it has arrived already
    expected = None if event.expected_at is None else instant(event.expected_at)
    attempt = Attempt(written, status, event.amount_minor, event.currency, expected)
    _latest(facts.attempts, event.payment_id, attempt, ATTEMPTS)


def _scheduled(facts: PaymentFacts, event: PaymentScheduled, written: int) -> None:
    _attempted(facts, event, written, "scheduled")


def _pending(facts: PaymentFacts, event: PaymentPending, written: int) -> None:
    _attempted(facts, event, written, "pending")


def _failed(facts: PaymentFacts, event: PaymentFailed, written: int) -> None:
    facts.habits.failed += 1
    retry = None if event.retry_at is None else instant(event.retry_at)
    attempt = Attempt(written, "failed", event.amount_minor, event.currency, retry)
    _latest(facts.attempts, event.payment_id, attempt, ATTEMPTS)


def _plan_terms(facts: PaymentFacts, event: PlanOffered | PlanAccepted, written: int, status: str) -> None:
    known = facts.deals.get(event.plan_id)
    deal = Deal(written, status, event.currency or (known.currency if known else None))
    if event.instalments:
        days = [day_number(instalment.due_on) for instalment in event.instalments]
        deal.amount = sum(instalment.amount_minor for instalment in event.instalments)
        deal.instalments, deal.first_on, deal.last_on = len(days), min(days), max(days)
    elif known is not None:
        _copy_terms(known, deal)
    if known is not None and not known.instalments:
        _copy_terms(deal, known)  # an acceptance that came before its offer
    _latest(facts.deals, event.plan_id, deal, DEALS)


def _copy_terms(terms: Deal, deal: Deal) -> None:
    deal.currency = terms.currency
    deal.amount, deal.instalments = terms.amount, terms.instalments
    deal.first_on, deal.last_on = terms.first_on, terms.last_on


def _plan_offered(facts: PaymentFacts, event: PlanOffered, written: int) -> None:
    _plan_terms(facts, event, written, "offered")


def _plan_accepted(facts: PaymentFacts, event: PlanAccepted, written: int) -> None:
    _plan_terms(facts, event, written, "accepted")


def _plan_ended(facts: PaymentFacts, plan: str, written: int, status: str) -> None:
    known = facts.deals.get(plan) or Deal(0, "")
    deal = Deal(written, status, known.currency, known.amount, known.instalments, known.first_on, known.last_on)
    _latest(facts.deals, plan, deal, DEALS)


def _plan_broken(facts: PaymentFacts, event: PlanBroken, written: int) -> None:
    _plan_ended(facts, event.plan_id, written, "broken")


def _plan_completed(facts: PaymentFacts, event: PlanCompleted, written: int) -> None:
    _plan_ended(facts, event.plan_id, written, "completed")


def _instalment_due(facts: PaymentFacts, event: PlanInstalmentDue, written: int) -> None:
    if event.plan_id not in facts.deals:
        day = day_number(event.due_on)
        deal = Deal(written, "accepted", event.currency, event.amount_minor, event.instalment, day, day)
        _latest(facts.deals, event.plan_id, deal, DEALS)


def _settlement(facts: PaymentFacts, event: SettlementOffered | SettlementAccepted, written: int, status: str) -> None:
    due = day_number(event.due_on)
    deal = Deal(written, status, event.currency, event.amount_minor, 1, due, due)
    _latest(facts.deals, event.settlement_id, deal, DEALS)


def _settlement_offered(facts: PaymentFacts, event: SettlementOffered, written: int) -> None:
    _settlement(facts, event, written, "settlement_offered")


def _settlement_accepted(facts: PaymentFacts, event: SettlementAccepted, written: int) -> None:
    _settlement(facts, event, written, "settlement_accepted")


def _asserted(facts: PaymentFacts, event: AccountBalanceAsserted, written: int) -> None:
    difference = event.amount_minor - balances(facts).get(event.currency, 0)
    facts.mismatches += difference != 0
    known = facts.claims.get(event.currency)
    if known is None or written > known.stamp:
        facts.claims[event.currency] = Claim(written, event.amount_minor, difference)


def _latest(records: dict[str, Any], name: str, record: Any, most: int) -> None:
    """Keep the record unless a newer one is known; over the limit the oldest goes."""
    known = records.get(name)
    if known is not None and known.stamp >= record.stamp:
        return
    records[name] = record
    if len(records) > most:
        del records[min(records, key=lambda other: (records[other].stamp, other))]


Handler = Callable[[PaymentFacts, Any, int], None]

HANDLERS: dict[type, Handler] = {
    PaymentScheduled: _scheduled,
    PaymentPending: _pending,
    PaymentFailed: _failed,
    PlanOffered: _plan_offered,
    PlanAccepted: _plan_accepted,
    PlanInstalmentDue: _instalment_due,
    PlanBroken: _plan_broken,
    PlanCompleted: _plan_completed,
    SettlementOffered: _settlement_offered,
    SettlementAccepted: _settlement_accepted,
    AccountBalanceAsserted: _asserted,
}


def fold(facts: PaymentFacts, event: Event, handler: Handler) -> Answer:
    """Fold one event, known by its id. A dropped one leaves the facts as they were."""
    mark = fingerprint(event.event_id)
    if mark in facts.events:
        return DUPLICATE
    facts.events = remember(facts.events, mark, EVENTS)
    handler(facts, event, stamp(instant(event.occurred_at), mark))
    return APPLIED
