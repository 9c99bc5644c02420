"""What each event did to an account's books, told as the difference that it made: right whatever the fold does.

Law: of every account at any time, the lines of an invoice add up to what is open of it (the rest of an invoice that was
issued and is neither voided nor written off), and `on_account_minor` to the money that is on no issued invoice. Of an
event of money, cash = - lines + on account + recovered.
"""

from datetime import date
from hashlib import blake2b
from typing import Any

from models.account.last_touch import last_touch
from models.account.ledger import VOIDED, WRITTEN_OFF, Invoice, PaymentFacts, decode_invoice
from models.account.money import find_invoice
from models.account.payments import HANDLERS
from models.account.seen import instant_of
from models.account.state import Facts
from models.actions.announce import SOURCE, Message, encode, replace
from models.calendar import Zone, date_of, instant
from models.compliance.live import debt_of
from schemas.envelope import Event, type_of
from schemas.payments import InvoiceWrittenOff, PaymentReceived, PaymentReversed
from schemas.postings import LedgerPosted, PostedLine

POSTINGS = "ledger-postings"
CAUSES = {kind: type_of(kind) for kind in HANDLERS}
"""The types that can change the books, and what they are called."""
CASH = (PaymentReceived, PaymentReversed)
"""Those that move money in or out. The others are about one invoice each."""
LONGEST_ID = 180
"""Of a cause, for its posting's id to begin with it."""

Sums = dict[str, int]
"""Minor units by currency."""
NOTHING: Sums = {}
Line = tuple[str, PostedLine]
"""Currency and line."""


class Books:
    """An account's books while events are folded in: opened before the first of them, told after each."""

    __slots__ = ("_account_id", "_facts", "_given_up", "_key", "_on_account", "_open", "_tenant_id", "_zone")

    def __init__(self, facts: Facts, zone: Zone, key: str) -> None:
        payments = facts.payments
        self._facts = facts
        self._zone = zone
        self._key = key.encode()
        self._tenant_id, _, self._account_id = key.partition("|")
        self._open: dict[str, tuple[Invoice, int]] = {}
        """Invoices that are open, and what is open of each."""
        for name, invoice in payments.invoices.items():
            if invoice.known:
                self._open[name] = invoice, invoice.amount + invoice.adjusted - invoice.paid  # its `rest`, uncalled
        self._on_account = _on_account(payments, len(self._open))
        self._given_up = _given_up(payments) if payments.habits.written_off else {}

    def tell(self, event: Event) -> list[Message]:
        """The messages about an event that has been applied, one a currency; none when it changed nothing."""
        payments, kind, had = self._facts.payments, type(event), self._on_account
        recovered = self._recovered(payments, event) if payments.habits.written_off else NOTHING
        lines = self._lines(payments.invoices)
        has = self._on_account = _on_account(payments, len(self._open))
        cash, currency = 0, lines[0][0] if lines else ""
        if kind is PaymentReceived:
            cash, currency = event.amount_minor, event.currency  # type: ignore[attr-defined]
        elif kind is PaymentReversed:
            cash, currency = -event.amount_minor, event.currency  # type: ignore[attr-defined]
        if has == had and not recovered and (not lines or (len(lines) == 1 and lines[0][0] == currency)):  # mostly
            return [self._message(event, currency, lines, cash, 0, 0)] if currency else []
        moved = {of for of, _ in lines} | recovered.keys() | ({currency} if cash else set())
        moved |= {of for of in has.keys() | had.keys() if has.get(of, 0) != had.get(of, 0)}
        return [
            self._message(
                event,
                of,
                [line for line in lines if line[0] == of],
                cash if of == currency else 0,
                has.get(of, 0) - had.get(of, 0),
                recovered.get(of, 0),
            )
            for of in sorted(moved)
        ]

    def _message(
        self, event: Event, currency: Any, lines: list[Line], cash: int, on_account: int, recovered: int
    ) -> Message:
        at, key, cause = instant(event.occurred_at), self._key, event.event_id
        named = None if type(event) in CASH else event.invoice_id  # type: ignore[attr-defined]
        posted = LedgerPosted(  # at most 15 names: see `announce._decided`
            event_id=f"{cause}:posted:{currency}" if len(cause) <= LONGEST_ID else _short_id(key, cause, currency),
            tenant_id=self._tenant_id,
            account_id=self._account_id,
            occurred_at=event.occurred_at,
            source=SOURCE,
            history=event.history,
            cause=CAUSES[type(event)],
            caused_by=cause,
            invoice_id=named,
            currency=currency,
            booked_on=date_of(self._zone.day(at)),
            cash_minor=cash,
            on_account_minor=on_account,
            recovered_minor=recovered,
            lines=tuple([line for _, line in lines]),
        )
        if cash > 0 and (touch := last_touch(self._facts, at)) is not None:
            posted = replace(posted, contact_id=touch[0], contact_channel=touch[1])
        if named is not None and named not in [line.invoice_id for _, line in lines]:
            posted = replace(posted, placed_on=self._placed_on(named))
        return POSTINGS, key, encode(posted)

    def _lines(self, invoices: dict[str, Invoice]) -> list[Line]:
        """What has changed of what is open, by invoice."""
        known, lines, waiting = self._open, [], 0
        for name, invoice in invoices.items():
            if not invoice.known:
                waiting += 1
                continue
            rest = invoice.amount + invoice.adjusted - invoice.paid
            was = known[name][1] if name in known else 0
            if rest != was:  # what is open is never 0
                lines.append(self._line(name, invoice, rest - was, 0 if was else 1))
                known[name] = invoice, rest
        if len(known) + waiting != len(invoices):
            for name in known.keys() - invoices.keys():
                invoice, was = known.pop(name)
                lines.append(self._line(name, invoice, -was, -1))
        if len(lines) > 1:
            lines.sort(key=_invoice_of)
        return lines

    def _line(self, name: str, invoice: Invoice, amount: int, opened: Any) -> Line:
        due_on, placed_on = date_of(self._zone.day(invoice.due)), self._placed(invoice)
        return invoice.currency, PostedLine(
            invoice_id=name, amount_minor=amount, due_on=due_on, placed_on=placed_on, opened=opened
        )

    def _placed(self, invoice: Invoice) -> date:
        crm, at = self._facts.crm, invoice.at
        if crm.debts and (debt := debt_of(crm, invoice.debt_id)) is not None:
            at = instant_of(debt.stamp)
        return date_of(self._zone.day(at))

    def _placed_on(self, name: str) -> date | None:
        """When the debt of an invoice was placed; None = it has not been issued, or is no longer remembered."""
        invoice = find_invoice(self._facts.payments, name)
        return self._placed(invoice) if invoice is not None and invoice.known else None

    def _recovered(self, payments: PaymentFacts, event: Event) -> Sums:
        """Money that went onto invoices that were written off, by currency; taken off = negative."""
        had = self._given_up
        has = self._given_up = _given_up(payments)
        found: Sums = {}
        for name, (currency, paid) in has.items():
            was = had.get(name)
            if was is not None or type(event) is not InvoiceWrittenOff:  # what was paid before it was given up is none
                found[currency] = found.get(currency, 0) + paid - (was[1] if was else 0)
        for name, (currency, paid) in had.items():
            if name not in has and name in payments.closed:  # voided; one that is only forgotten keeps its money
                found[currency] = found.get(currency, 0) - paid
        return {currency: amount for currency, amount in found.items() if amount}


def _invoice_of(line: Line) -> str:
    return line[1].invoice_id


def _short_id(key: bytes, cause: str, currency: str) -> str:
    return f"{blake2b(key + b'|' + cause.encode(), digest_size=16).hexdigest()}:posted:{currency}"


def _on_account(payments: PaymentFacts, issued: int) -> Sums:
    """Money that is on no issued invoice: unused payments, and what waits for invoices to be issued.

    Args:
        issued: how many of the invoices have been.
    """
    if not payments.credits and issued == len(payments.invoices):
        return NOTHING
    sums: Sums = {}
    for payment in payments.credits.values():
        sums[payment.currency] = sums.get(payment.currency, 0) + payment.unused
    for invoice in payments.invoices.values():
        if not invoice.known and invoice.status != VOIDED:
            sums[invoice.currency] = sums.get(invoice.currency, 0) - invoice.rest
    return sums


def _given_up(payments: PaymentFacts) -> dict[str, tuple[str, int]]:
    """Currency and what was paid of each invoice that was written off and is remembered."""
    closed = {name: decode_invoice(stored) for name, stored in payments.closed.items()}
    return {name: (invoice.currency, invoice.paid) for name, invoice in closed.items() if invoice.status == WRITTEN_OFF}
