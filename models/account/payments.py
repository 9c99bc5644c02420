"""What is owed and what was paid, folded from payment-events alone, so that no other topic's order can matter.

Natural keys (invoice, payment, adjustment, reversal) make duplicates harmless however late they come.
"""

from collections.abc import Callable
from typing import Any

from models.account.ledger import (
    VOIDED,
    WRITTEN_OFF,
    Invoice,
    Payment,
    PaymentFacts,
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
from models.account.seen import IDS, fingerprint, remember
from models.calendar import instant
from models.clock import Instant
from schemas.decode import Refusal
from schemas.envelope import Event
from schemas.payments import (
    InvoiceAdjusted,
    InvoiceIssued,
    InvoiceVoided,
    InvoiceWrittenOff,
    PaymentReceived,
    PaymentReversed,
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
    if event.delivery is not None:
        invoice.electronic = event.delivery == "electronic"
    if invoice.paid:
        invoice.paid_at = max(invoice.paid_at, at)
    habits = facts.habits
    habits.issued += 1
    habits.first_at = min(habits.first_at or at, at)
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


Handler = Callable[[PaymentFacts, Any, Instant], Answer]

HANDLERS: dict[type, Handler] = {
    InvoiceIssued: _issued,
    InvoiceAdjusted: _adjusted,
    InvoiceVoided: _voided,
    InvoiceWrittenOff: _written_off,
    PaymentReceived: _received,
    PaymentReversed: _reversed,
}


def fold(facts: PaymentFacts, event: Event, handler: Handler) -> Answer:
    """Fold one event that a natural key names. A refused or dropped one leaves the facts as they were."""
    at = instant(event.occurred_at)
    if at < facts.spread_at:
        return _fold_late(facts, event, at, handler)
    answer = handler(facts, event, at)
    if answer is APPLIED:
        if facts.credits:
            if facts.invoices and max([invoice.at for invoice in facts.invoices.values()]) > at:
                spread_in_order(facts)  # which of them the money came before matters
            else:
                spread(facts)
        forget_oldest(facts)
    return answer


def _fold_late(facts: PaymentFacts, event: Event, at: Instant, handler: Handler) -> Answer:
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
