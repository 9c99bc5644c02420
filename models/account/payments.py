"""What is owed and what was paid, folded from payment-events alone, so that no other topic's order can matter.

Natural keys (invoice, payment, adjustment, reversal) make duplicates harmless however late they come; other types are
known by their event ids.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from models.account.ledger import (
    ATTEMPTS,
    DEALS,
    VOIDED,
    WRITTEN_OFF,
    Attempt,
    Claim,
    Deal,
    Invoice,
    Payment,
    PaymentFacts,
    balances,
    decode_facts,
    encode,
)
from models.account.money import (
    INVOICE,
    PAYMENT,
    find_invoice,
    find_payment,
    forget_oldest,
    keep_invoice,
    keep_payment,
    lift,
    pay,
    post_loose,
    release,
    spread,
    spread_in_order,
    take_back,
    wait_for_invoice,
    was_seen,
)
from models.account.outcome import APPLIED, DUPLICATE, NO_EFFECT, Answer
from models.account.seen import EVENTS, IDS, fingerprint, remember, stamp
from models.calendar import day_number, instant
from models.clock import Instant
from schemas.decode import Refusal
from schemas.envelope import Event
from schemas.payments import (
    AccountBalanceAsserted,
    InvoiceAdjusted,
    InvoiceIssued,
    InvoiceVoided,
    InvoiceWrittenOff,
    PaymentFailed,
    PaymentPending,
    PaymentReceived,
    PaymentReversed,
    PaymentScheduled,
    PlanAccepted,
    PlanBroken,
    PlanCompleted,
    PlanInstalmentDue,
    PlanOffered,
    SettlementAccepted,
    SettlementOffered,
)

MOST_MONEY = 10**18
"""Sums beyond this no longer fit in 64 bits together with the next ones; such a posting is refused."""

CURRENCY_MISMATCH = Refusal("currency_mismatch", "not the currency of the invoice or payment that it names", "currency")
TOO_MUCH = Refusal("wrong_field", "with this amount the sum leaves the range of money", "amount_minor")
OVERALLOCATED = Refusal("wrong_field", "the allocations exceed the amount", "allocations")


def _issued(facts: PaymentFacts, event: InvoiceIssued, at: Instant) -> Answer:
    name = event.invoice_id
    invoice = facts.invoices.get(name)
    if (invoice is not None and invoice.known) or name in facts.closed or was_seen(facts, INVOICE, name):
        return DUPLICATE
    if invoice is None:
        invoice = Invoice(currency=event.currency)
    elif invoice.currency != event.currency:
        # What was said about it in another currency cannot be about this invoice.
        release(facts, name, invoice, invoice.paid)
        post_loose(facts, invoice.currency, -invoice.adjusted)
        invoice.currency, invoice.adjusted = event.currency, 0
    invoice.known = True
    invoice.amount = event.amount_minor
    invoice.due = instant(event.due_at)
    invoice.at = at
    invoice.debt_id = event.debt_id
    if invoice.paid:
        invoice.paid_at = max(invoice.paid_at, at)
    _weigh(facts, name, invoice)
    return APPLIED


def _weigh(facts: PaymentFacts, name: str, invoice: Invoice) -> None:
    """Give back what an invoice holds beyond what it asks for, and put it where it belongs."""
    if invoice.status == VOIDED:
        release(facts, name, invoice, invoice.paid)
        post_loose(facts, invoice.currency, -invoice.overcredited)
        invoice.overcredited = 0
    elif invoice.known and invoice.rest < 0:
        release(facts, name, invoice, min(invoice.paid, -invoice.rest))
        excess = -invoice.rest  # of credit notes over the invoice itself
        post_loose(facts, invoice.currency, excess)
        invoice.adjusted += excess
        invoice.overcredited += excess
    keep_invoice(facts, name, invoice)


def _adjusted(facts: PaymentFacts, event: InvoiceAdjusted, _at: Instant) -> Answer:
    mark = fingerprint("a:" + event.adjustment_id)
    if mark in facts.ids:
        return DUPLICATE
    name = event.invoice_id
    invoice = find_invoice(facts, name)
    if invoice is not None and invoice.currency not in (event.currency, ""):
        return CURRENCY_MISMATCH
    if invoice is None and was_seen(facts, INVOICE, name):
        post_loose(facts, event.currency, -event.amount_minor)
    else:
        invoice = invoice or wait_for_invoice(facts, name, event.currency)
        if abs(invoice.adjusted + event.amount_minor) > MOST_MONEY:
            return TOO_MUCH
        invoice.currency = event.currency
        if invoice.status != VOIDED or not invoice.known:
            invoice.adjusted += event.amount_minor
        _weigh(facts, name, invoice)
    facts.ids = remember(facts.ids, mark, IDS)
    return APPLIED


def _voided(facts: PaymentFacts, event: InvoiceVoided, _at: Instant) -> Answer:
    invoice = _invoice_to_end(facts, event.invoice_id)
    if invoice is None:
        return NO_EFFECT
    if invoice.status == VOIDED:
        return DUPLICATE
    invoice.status = VOIDED
    _weigh(facts, event.invoice_id, invoice)
    return APPLIED


def _written_off(facts: PaymentFacts, event: InvoiceWrittenOff, _at: Instant) -> Answer:
    invoice = _invoice_to_end(facts, event.invoice_id)
    if invoice is None or invoice.status == VOIDED or (invoice.known and invoice.rest <= 0):
        return NO_EFFECT
    if invoice.status == WRITTEN_OFF:
        return DUPLICATE
    invoice.status = WRITTEN_OFF
    _weigh(facts, event.invoice_id, invoice)
    facts.habits.written_off += 1
    return APPLIED


def _invoice_to_end(facts: PaymentFacts, name: str) -> Invoice | None:
    invoice = find_invoice(facts, name)
    if invoice is None and not was_seen(facts, INVOICE, name):
        invoice = wait_for_invoice(facts, name, "")
    return invoice


def _received(facts: PaymentFacts, event: PaymentReceived, at: Instant) -> Answer:
    name = event.payment_id
    payment = facts.credits.get(name)
    if (payment is not None and payment.known) or name in facts.settled or was_seen(facts, PAYMENT, name):
        return DUPLICATE
    if (refusal := _refusal(facts, event, payment)) is not None:
        return refusal
    if payment is None:
        payment = Payment(currency=event.currency, at=at)
    payment.at, payment.known = at, True
    payment.unused += event.amount_minor
    for allocation in event.allocations:
        _pay_named(facts, payment, allocation.invoice_id, allocation.amount_minor)
    keep_payment(facts, name, payment)
    if facts.attempts:
        facts.attempts.pop(name, None)
    habits = facts.habits
    habits.payments += 1
    habits.last_paid_at = max(habits.last_paid_at, at)
    return APPLIED


def _refusal(facts: PaymentFacts, event: PaymentReceived, payment: Payment | None) -> Refusal | None:
    if payment is not None and payment.currency != event.currency:
        return CURRENCY_MISMATCH
    total = 0
    for allocation in event.allocations:
        total += allocation.amount_minor
        invoice = find_invoice(facts, allocation.invoice_id)
        if invoice is not None and invoice.currency not in (event.currency, ""):
            return CURRENCY_MISMATCH
    return OVERALLOCATED if total > event.amount_minor else None


def _pay_named(facts: PaymentFacts, payment: Payment, name: str, wanted: int) -> None:
    """Pay an invoice that the payment names; what it does not need stays on account."""
    invoice = find_invoice(facts, name)
    if invoice is None:
        if was_seen(facts, INVOICE, name):
            return
        invoice = wait_for_invoice(facts, name, payment.currency)
    amount = min(wanted, payment.unused)
    if invoice.known:
        amount = min(amount, invoice.rest)
    if amount > 0 and invoice.status != VOIDED:
        invoice.currency = payment.currency
        pay(payment, name, invoice, amount, named=True)
        keep_invoice(facts, name, invoice)


def _reversed(facts: PaymentFacts, event: PaymentReversed, at: Instant) -> Answer:
    mark = fingerprint("r:" + event.reversal_id)
    if mark in facts.ids:
        return DUPLICATE
    name = event.payment_id
    payment = find_payment(facts, name)
    if payment is None:
        payment = Payment(currency=event.currency, at=at, known=was_seen(facts, PAYMENT, name))
    elif payment.currency != event.currency:
        return CURRENCY_MISMATCH
    if payment.unused - event.amount_minor < -MOST_MONEY:
        return TOO_MUCH
    take_back(facts, name, payment, event.amount_minor)
    facts.habits.reversed += 1
    facts.ids = remember(facts.ids, mark, IDS)
    return APPLIED


# -- known by their event ids ------------------------------------------------------------------------------------------


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
    due: date = event.due_on
    deal = Deal(written, status, event.currency, event.amount_minor, 1, day_number(due), day_number(due))
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


ByKey = Callable[[PaymentFacts, Any, Instant], Answer]
ById = Callable[[PaymentFacts, Any, int], None]

BY_NATURAL_KEY: dict[type, ByKey] = {
    InvoiceIssued: _issued,
    InvoiceAdjusted: _adjusted,
    InvoiceVoided: _voided,
    InvoiceWrittenOff: _written_off,
    PaymentReceived: _received,
    PaymentReversed: _reversed,
}

BY_EVENT_ID: dict[type, ById] = {
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


def fold(facts: PaymentFacts, event: Event, handler: ByKey) -> Answer:
    """Fold one event that a natural key names. A refused or dropped one leaves the facts as they were."""
    at = instant(event.occurred_at)
    if at < facts.spread_at:
        return _fold_late(facts, event, at, handler)
    answer = handler(facts, event, at)
    if answer is APPLIED:
        if facts.credits:
            spread(facts)
        forget_oldest(facts)
    return answer


def fold_by_event_id(facts: PaymentFacts, event: Event, handler: ById) -> Answer:
    """Fold one event that only its id names. A dropped one leaves the facts as they were."""
    mark = fingerprint(event.event_id)
    if mark in facts.events:
        return DUPLICATE
    facts.events = remember(facts.events, mark, EVENTS)
    handler(facts, event, stamp(instant(event.occurred_at), mark))
    return APPLIED


def _fold_late(facts: PaymentFacts, event: Event, at: Instant, handler: ByKey) -> Answer:
    """Fold an event that happened before money was spread: the spreading is done again, with it in its place."""
    before = decode_facts(encode(facts))
    lift(facts, at)
    answer = handler(facts, event, at)
    if answer is APPLIED:
        spread_in_order(facts)
        forget_oldest(facts)
    else:
        for name in facts.__struct_fields__:
            setattr(facts, name, getattr(before, name))
    return answer
