"""Money between payments and invoices: every unit is on an invoice or on account, and can be traced back.

A payment pays the invoices that it names. The rest pays the open invoices of its currency, oldest due first, and what
is still left stays on account until another invoice is issued.
"""

from bisect import insort
from collections.abc import Iterator

from models.account.ledger import (
    AMOUNTS,
    CLOSED,
    CREDITS,
    OPEN,
    RECENT,
    SETTLED,
    UNCOUNTED,
    WAITING,
    Habits,
    Invoice,
    Payment,
    PaymentFacts,
    Share,
    decode_invoice,
    decode_payment,
    encode,
    recent_item,
    recent_slacks,
)
from models.account.seen import IDS, fingerprint, remember
from models.calendar import DAY
from models.clock import Instant

INVOICE = "i:"
PAYMENT = "p:"
LOOSE = "~"
"""Money whose payment is no longer remembered is kept under this and its currency."""


def was_seen(facts: PaymentFacts, kind: str, name: str) -> bool:
    """Whether the record of this id has been let go."""
    return bool(facts.ids) and fingerprint(kind + name) in facts.ids


# -- records -----------------------------------------------------------------------------------------------------------


def find_invoice(facts: PaymentFacts, name: str) -> Invoice | None:
    """The invoice, open, waiting or closed. Say `keep_invoice` after a change."""
    invoice = facts.invoices.get(name)
    if invoice is None and (stored := facts.closed.get(name)) is not None:
        invoice = decode_invoice(stored)
    return invoice


def keep_invoice(facts: PaymentFacts, name: str, invoice: Invoice) -> None:
    """Put an invoice where it belongs after a change, and count it when it was paid."""
    if not invoice.known or (invoice.status == OPEN and invoice.rest > 0):
        _uncount(facts, invoice)
        facts.closed.pop(name, None)
        facts.invoices[name] = invoice
        return
    if invoice.status == OPEN and invoice.paid > 0:
        _count(facts, invoice)
    else:
        _uncount(facts, invoice)
    facts.invoices.pop(name, None)
    facts.closed[name] = encode(invoice)


def wait_for_invoice(facts: PaymentFacts, name: str, currency: str) -> Invoice:
    """An invoice that others speak of before it was issued."""
    waiting = [other for other, invoice in facts.invoices.items() if not invoice.known]
    if len(waiting) >= WAITING:
        oldest = facts.invoices.pop(waiting[0])
        release(facts, waiting[0], oldest, oldest.paid)
        post_loose(facts, oldest.currency, -oldest.adjusted)
    invoice = facts.invoices[name] = Invoice(currency=currency, known=False)
    return invoice


def find_payment(facts: PaymentFacts, name: str) -> Payment | None:
    """The payment, on account or used up. Say `keep_payment` after a change."""
    payment = facts.credits.get(name)
    if payment is None and (stored := facts.settled.get(name)) is not None:
        payment = decode_payment(stored)
    return payment


def keep_payment(facts: PaymentFacts, name: str, payment: Payment) -> None:
    """Put a payment where it belongs after a change."""
    if payment.unused or not payment.known:
        facts.settled.pop(name, None)
        facts.credits[name] = payment
    else:
        facts.credits.pop(name, None)
        facts.settled[name] = encode(payment)


def post_loose(facts: PaymentFacts, currency: str, amount: int) -> None:
    """A posting whose invoice or payment is no longer remembered: positive = in the customer's favour."""
    if not amount:
        return
    loose = facts.credits.setdefault(LOOSE + currency, Payment(currency=currency, at=0))
    loose.unused += amount
    if not loose.unused:
        del facts.credits[LOOSE + currency]


def forget_oldest(facts: PaymentFacts) -> None:
    """Keep within the bounds: the longest closed and settled go, of their ids a fingerprint stays."""
    while len(facts.closed) > CLOSED:
        _forget(facts, facts.closed, INVOICE)
    while len(facts.settled) > SETTLED:
        _forget(facts, facts.settled, PAYMENT)
    if len(facts.credits) > CREDITS:
        named = [(payment.at, name) for name, payment in facts.credits.items() if not name.startswith(LOOSE)]
        for _, name in sorted(named)[: len(named) - CREDITS]:
            payment = facts.credits.pop(name)
            post_loose(facts, payment.currency, payment.unused)
            if payment.known:
                facts.ids = remember(facts.ids, fingerprint(PAYMENT + name), IDS)


def _forget(facts: PaymentFacts, records: dict[str, bytes], kind: str) -> None:
    oldest = next(iter(records))
    del records[oldest]
    facts.ids = remember(facts.ids, fingerprint(kind + oldest), IDS)


# -- onto invoices -----------------------------------------------------------------------------------------------------


def pay(payment: Payment, name: str, invoice: Invoice, amount: int, *, named: bool) -> None:
    """Move money that is on account onto an invoice."""
    payment.unused -= amount
    if payment.at:  # nameless money cannot be asked back
        payment.shares.append((name, amount, named))
    invoice.paid += amount
    invoice.paid_at = max(invoice.paid_at, payment.at, invoice.at)


def spread(facts: PaymentFacts, until: Instant | None = None) -> None:
    """Let money on account pay the open invoices of its currency, oldest due first.

    Args:
        until: only money and invoices up to this instant.
    """
    for currency in sorted({payment.currency for payment in facts.credits.values() if payment.unused > 0}):
        _spread(facts, currency, until)


def _spread(facts: PaymentFacts, currency: str, until: Instant | None) -> None:
    purses = _purses(facts, currency, until)
    left = sum(payment.unused for payment in facts.credits.values() if payment.currency == currency)
    for name, invoice in _oldest_due_first(facts, currency, until):
        while purses and left > 0 and invoice.rest > 0:
            purse, payment = purses[0]
            amount = min(payment.unused, invoice.rest, left)
            left -= amount
            pay(payment, name, invoice, amount, named=False)
            facts.spread_at = max(facts.spread_at, payment.at, invoice.at)
            if payment.unused:
                continue
            purses.pop(0)
            if purse.startswith(LOOSE):
                del facts.credits[purse]
            else:
                keep_payment(facts, purse, payment)
        keep_invoice(facts, name, invoice)
        if not purses or left <= 0:
            return


def _purses(facts: PaymentFacts, currency: str, until: Instant | None) -> list[tuple[str, Payment]]:
    found = [
        (name, payment)
        for name, payment in facts.credits.items()
        if payment.unused > 0 and payment.currency == currency and (until is None or payment.at <= until)
    ]
    found.sort(key=lambda pair: (pair[1].at, pair[0]))
    return found


def _oldest_due_first(facts: PaymentFacts, currency: str, until: Instant | None) -> list[tuple[str, Invoice]]:
    found = [
        (name, invoice)
        for name, invoice in facts.invoices.items()
        if invoice.known and invoice.currency == currency and (until is None or invoice.at <= until)
    ]
    found.sort(key=lambda pair: (pair[1].due, pair[0]))
    return found


# -- off invoices ------------------------------------------------------------------------------------------------------


def release(facts: PaymentFacts, name: str, invoice: Invoice, amount: int) -> None:
    """Put money that was on an invoice back on account, the latest payment's first."""
    if amount <= 0:
        return
    invoice.paid -= amount
    for purse, payment in _payments_on(facts, name):
        given = _withdraw(payment, name, amount)
        payment.unused += given
        amount -= given
        keep_payment(facts, purse, payment)
        if not amount:
            return
    if amount:
        post_loose(facts, invoice.currency, amount)


def take_back(facts: PaymentFacts, purse: str, payment: Payment, amount: int) -> None:
    """Take money out of a payment: what is on account first, then from the invoice that it paid last."""
    touched: set[str] = set()
    taken = min(amount, max(payment.unused, 0))
    payment.unused -= taken
    amount -= taken
    while amount and payment.shares:
        name, share, named = payment.shares.pop()
        taken = min(amount, share)
        if taken < share:
            payment.shares.append((name, share - taken, named))
        invoice = find_invoice(facts, name)
        if invoice is None:
            payment.unused -= taken  # the invoice is no longer remembered: a debit on account
        else:
            invoice.paid -= taken
            keep_invoice(facts, name, invoice)
            touched.add(name)
        amount -= taken
    payment.unused -= amount
    keep_payment(facts, purse, payment)
    for name in sorted(touched):
        _date(facts, name)


def lift(facts: PaymentFacts, since: Instant) -> None:
    """Take what was spread after `since` back on account: something that happened then has arrived late."""
    touched: set[str] = set()
    for purse, payment in list(_payments(facts)):
        kept: list[Share] = []
        for name, amount, named in payment.shares:
            invoice = None if named else find_invoice(facts, name)
            if invoice is None or max(payment.at, invoice.at) <= since:
                kept.append((name, amount, named))
                continue
            invoice.paid -= amount
            payment.unused += amount
            keep_invoice(facts, name, invoice)
            touched.add(name)
        if len(kept) != len(payment.shares):
            payment.shares = kept
            keep_payment(facts, purse, payment)
    for name in sorted(touched):
        _date(facts, name)


def _date(facts: PaymentFacts, name: str) -> None:
    """When an invoice from which money was taken was paid last, as far as payments are remembered."""
    invoice = find_invoice(facts, name)
    if invoice is None:
        return
    shares = [max(p.at, invoice.at) for _, p in _payments(facts) for other, _, _ in p.shares if other == name]
    if shares or not invoice.paid:
        invoice.paid_at = max(shares, default=0)
        keep_invoice(facts, name, invoice)


def spread_in_order(facts: PaymentFacts) -> None:
    """Spread what is on account as it would have been had every event come in its time."""
    moments = {payment.at for payment in facts.credits.values()}
    moments.update(invoice.at for invoice in facts.invoices.values() if invoice.known)
    for moment in sorted(moments):
        spread(facts, moment)


def _payments(facts: PaymentFacts) -> Iterator[tuple[str, Payment]]:
    yield from facts.credits.items()
    for name, stored in facts.settled.items():
        yield name, decode_payment(stored)


def _payments_on(facts: PaymentFacts, invoice: str) -> list[tuple[str, Payment]]:
    found = [(name, p) for name, p in _payments(facts) if any(share[0] == invoice for share in p.shares)]
    found.sort(key=lambda pair: (pair[1].at, pair[0]), reverse=True)
    return found


def _withdraw(payment: Payment, invoice: str, most: int) -> int:
    """Take up to `most` off the payment's shares in an invoice; the last share first."""
    taken = 0
    for place in range(len(payment.shares) - 1, -1, -1):
        name, amount, named = payment.shares[place]
        if name != invoice or taken == most:
            continue
        part = min(amount, most - taken)
        taken += part
        if part == amount:
            del payment.shares[place]
        else:
            payment.shares[place] = (name, amount - part, named)
    return taken


# -- habits ------------------------------------------------------------------------------------------------------------


def _count(facts: PaymentFacts, invoice: Invoice) -> None:
    paid_at = invoice.paid_at
    days = invoice.days_past_due(paid_at)
    if invoice.late == days and invoice.counted == paid_at:
        return
    _uncount(facts, invoice)
    invoice.late, invoice.counted = days, paid_at
    _tally(facts.habits, days, 1)
    _remember(facts.habits, invoice, 1)


def _uncount(facts: PaymentFacts, invoice: Invoice) -> None:
    if invoice.late != UNCOUNTED:
        _tally(facts.habits, invoice.late, -1)
        if invoice.counted:
            _remember(facts.habits, invoice, -1)
        invoice.late, invoice.counted = UNCOUNTED, 0


def _tally(habits: Habits, days: int, sign: int) -> None:
    habits.closed += sign
    habits.late += sign if days else 0
    habits.late_days += sign * days
    habits.late_squares += sign * days * days


def _remember(habits: Habits, invoice: Invoice, sign: int) -> None:
    """What is known of an invoice by when it was `counted`, added or taken back."""
    paid_at, currency = invoice.counted, invoice.currency
    slack = invoice.slack(paid_at)
    habits.timed += sign
    habits.slack += sign * slack
    habits.to_pay += sign * ((paid_at - invoice.at) // DAY)
    item, recent = recent_item(paid_at, slack), habits.recent
    if sign > 0:
        insort(recent, item)
        if len(recent) > RECENT:
            del recent[0]
    elif item in recent:
        recent.remove(item)
    slacks = recent_slacks(habits)
    habits.recent_slack, habits.recent_on_time = sum(slacks), sum([days <= 0 for days in slacks])
    amounts = habits.amounts
    closed, total = amounts.get(currency, (0, 0))
    if closed + sign > 0 and (closed or len(amounts) < AMOUNTS):
        amounts[currency] = closed + sign, total + sign * invoice.amount
    elif closed:
        del amounts[currency]
