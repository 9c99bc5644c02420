"""One row of a ledger as the events that it tells of; a cell that cannot be read is a fault and keeps its text."""

from typing import Any

import msgspec

from models.calendar import utc
from models.clock import Instant
from recoup.replay.cells import Cells, Edge, Unreadable
from recoup.replay.csv_file import Row
from recoup.replay.mapping import BalanceColumns, InvoiceColumns, Mapping
from schemas.currencies import CURRENCIES


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a row, and where."""

    line: int
    column: str
    says: str


class Draft(msgspec.Struct):
    """One event of a row on its way to a message."""

    kind: str
    fields: dict[str, Any]
    at: Instant | None = None
    faulty: bool = False
    """Something is wrong with it that has been noted; the pipeline will refuse it."""
    name: str = ""
    """Instead of the row's."""
    known_at: Instant | None = None
    """When it became known, where that was later than when it happened."""
    dated: bool = True
    """The ledger says when it happened; else `at` is taken for granted."""


class Told(msgspec.Struct):
    """What one row tells: of whom, and which events."""

    account_id: str
    name: str
    """What makes the row's events different from all others; the same in a row that says the same."""
    drafts: list[Draft]
    invoice_id: str = ""


NEVER: Instant = 253_402_300_799_999
"""The last millisecond of the year 9999: the ledger does not say that it ever became known."""


class RowReader:
    """Turns rows into drafts, one after the other, and remembers what would contradict a later row."""

    def __init__(self, mapping: Mapping, cells: Cells) -> None:
        self.mapping = mapping
        self.cells = cells
        self.faults: list[Fault] = []
        self.rows = self.repeated = 0
        self.known: dict[str, tuple[int, tuple[str, ...]]] = {}
        """Invoice -> the line that named it first, and what stood there."""
        self.payments: dict[str, tuple[int, tuple[str, ...]]] = {}

    def __call__(self, row: Row) -> Told:
        """What a row tells."""
        self.rows += 1
        if not row.whole:
            self._fault(row, "(all)", f"it has {len(row.raw)} cells, which is not as many as the header")
            return Told("", f"row-{row.line}", [Draft("invoice.issued", {"ledger_row": row.raw}, faulty=True)])
        account_id = self._value(row, self.mapping.account.id)
        if not account_id:
            self._fault(row, self.mapping.account.id, "is empty, so it is not known who owes")
        if self.mapping.invoice is not None:
            return self._invoice(row, account_id, self.mapping.invoice)
        assert self.mapping.balance is not None  # noqa: S101 - a mapping has one of both
        return self._balance(row, account_id, self.mapping.balance)

    def _invoice(self, row: Row, account_id: str, columns: InvoiceColumns) -> Told:
        invoice_id = self._value(row, columns.id)
        issued = Draft("invoice.issued", {"invoice_id": invoice_id})
        currency = self._currency(row, columns.currency, issued)
        if not invoice_id:
            self._fault(row, columns.id, "is empty", issued)
        amount = self._money(row, columns.amount, currency, issued)
        if delivery := self._value(row, columns.delivery):
            issued.fields["delivery"] = delivery.lower()
        issued.at = self._instant(row, columns.issued_at, "start", issued)
        issued.known_at = self._known(row, columns.known_at, "start", issued)
        due = self._instant(row, columns.due_at, "end", issued, field="due_at", past=False)
        said = (account_id, str(amount), str(issued.at), str(due), currency, *self._paid_with(row, columns.id))
        first_line, before = self.known.get(invoice_id, (row.line, said))
        if not issued.faulty:
            self.known.setdefault(invoice_id, (row.line, said))
        if before != said:
            self._fault(row, columns.id, f"the invoice stands on line {first_line} already, with other values", issued)
            del issued.fields["invoice_id"]
            return Told(account_id, f"{invoice_id}-row-{row.line}", [issued], invoice_id)
        again = first_line != row.line
        disputes, payment = self._dispute(row, invoice_id, issued), self._payment(row, invoice_id, amount, currency)
        name = invoice_id or f"row-{row.line}"
        if again and self.mapping.payment and self.mapping.payment.id:
            # One more payment of an invoice that was told of already.
            return Told(account_id, name, [payment] if payment else [], invoice_id)
        self.repeated += again
        if disputes and payment and len(disputes) == 1 and payment.at is not None:
            resolved = {"invoice_id": invoice_id, "dispute_id": invoice_id, "outcome": "withdrawn"}
            disputes.append(Draft("dispute.resolved", resolved, payment.at, known_at=payment.known_at))
        if disputes and not disputes[0].dated:
            later = [draft.known_at or draft.at for draft in (payment, *disputes[1:]) if draft is not None]
            disputes[0].known_at = min([at for at in later if at is not None], default=NEVER)
        return Told(account_id, name, [issued, *([payment] if payment else []), *disputes], invoice_id)

    def _paid_with(self, row: Row, invoice_column: str) -> tuple[str, ...]:
        """What else must be the same in a row that repeats another: its payment, unless rows are payments."""
        columns = self.mapping.payment
        if columns is None or columns.id is not None:
            return ()
        return row.get(columns.paid_at), row.get(columns.amount or invoice_column)

    def _payment(self, row: Row, invoice_id: str, whole: int | None, currency: str) -> Draft | None:
        columns = self.mapping.payment
        if columns is None or not row.get(columns.paid_at):
            return None
        payment_id = f"{invoice_id}-{self._value(row, columns.id)}" if columns.id else f"{invoice_id}-payment"
        draft = Draft("payment.received", {"payment_id": payment_id, "currency": currency}, name=payment_id)
        draft.faulty = currency not in CURRENCIES or not invoice_id
        draft.at = self._instant(row, columns.paid_at, "end", draft)
        draft.known_at = self._known(row, columns.known_at, "end", draft)
        if columns.amount is None:
            amount = whole
            draft.faulty = draft.faulty or whole is None
        else:
            amount = self._money(row, columns.amount, currency, draft)
        if not invoice_id:
            del draft.fields["payment_id"]
            draft.name = f"row-{row.line}"
        if amount is None or draft.faulty or draft.at is None:
            return draft
        draft.fields["amount_minor"] = amount
        draft.fields["allocations"] = [{"invoice_id": invoice_id, "amount_minor": min(amount, whole or amount)}]
        said = (str(draft.at), str(amount), currency)
        line, before = self.payments.setdefault(payment_id, (row.line, said))
        if before != said:
            self._fault(
                row, columns.id or columns.paid_at, f"the payment stands on line {line} with other values", draft
            )
            del draft.fields["payment_id"]
        return draft

    def _dispute(self, row: Row, invoice_id: str, issued: Draft) -> list[Draft]:
        columns = self.mapping.dispute
        if columns is None or not all(self._value(row, name) in values for name, values in columns.when.items()):
            return []
        about = {"invoice_id": invoice_id, "dispute_id": invoice_id}
        opened = Draft("dispute.opened", dict(about), issued.at, faulty=not invoice_id or issued.at is None)
        if row.get(columns.opened_at):
            opened.at = self._instant(row, columns.opened_at or "", "start", opened)
        if row.get(columns.known_at):
            opened.known_at = self._known(row, columns.known_at, "end", opened)
        opened.dated = bool(row.get(columns.opened_at) or row.get(columns.known_at))
        if not row.get(columns.resolved_at):
            return [opened]
        resolved = Draft("dispute.resolved", {**about, "outcome": "verified"}, faulty=not invoice_id)
        resolved.at = self._instant(row, columns.resolved_at or "", "end", resolved)
        return [opened, resolved]

    def _balance(self, row: Row, account_id: str, columns: BalanceColumns) -> Told:
        """A balance as the one invoice that it owes, or as money on account."""
        currency = self.mapping.currency
        draft = Draft("invoice.issued", {"currency": currency})
        draft.at = self._instant(row, columns.as_of, "start", draft)
        name = f"balance-{row.get(columns.as_of)}-{account_id}"
        amount = self._money(row, columns.amount, currency, draft, positive=False)
        if amount is None:
            return Told(account_id, name, [draft])
        if amount > 0:
            due_column = columns.due_at if row.get(columns.due_at) else columns.as_of
            self._instant(row, due_column or "", "end", draft, field="due_at", past=False)
            draft.fields["invoice_id"] = name
            return Told(account_id, name, [draft])
        if amount == 0:
            return Told(account_id, name, [])
        credit = {"currency": currency, "payment_id": name, "amount_minor": -amount}
        return Told(account_id, name, [Draft("payment.received", draft.fields | credit, draft.at, draft.faulty)])

    # -- cells ---------------------------------------------------------------------------------------------------------

    def _value(self, row: Row, column: str | None) -> str:
        cell = row.get(column)
        meanings = self.mapping.values.get(column or "")
        return meanings.get(cell, cell) if meanings else cell

    def _currency(self, row: Row, column: str | None, draft: Draft) -> str:
        draft.fields["currency"] = currency = self._value(row, column).upper() or self.mapping.currency
        if column is not None and currency not in CURRENCIES:
            self._fault(row, column, f'"{currency[:10]}" is not a currency of ISO 4217', draft)
        return currency

    def _money(self, row: Row, column: str, currency: str, draft: Draft, *, positive: bool = True) -> int | None:
        draft.fields["amount_minor"] = cell = row.get(column)
        try:
            amount = self.cells.money(cell, currency, positive=positive)
        except Unreadable as unreadable:
            self._fault(row, column, str(unreadable), draft)
            return None
        draft.fields["amount_minor"] = amount
        return amount

    def _instant(
        self, row: Row, column: str, edge: Edge, draft: Draft, *, field: str = "occurred_at", past: bool = True
    ) -> Instant | None:
        draft.fields[field] = cell = row.get(column)
        try:
            at = self.cells.instant(cell, edge, past=past)
        except Unreadable as unreadable:
            self._fault(row, column, str(unreadable), draft)
            return None
        draft.fields[field] = utc(at)
        return at

    def _known(self, row: Row, column: str | None, edge: Edge, draft: Draft) -> Instant | None:
        """When a draft became known: as its column says, but not before it happened."""
        cell = row.get(column)
        if not cell:
            return None
        try:
            known_at = self.cells.instant(cell, edge)
        except Unreadable as unreadable:
            self._fault(
                row, column or "", str(unreadable)
            )  # a replay, which goes by the date, can send it all the same
            return None
        return known_at if draft.at is None else max(known_at, draft.at)

    def _fault(self, row: Row, column: str, says: str, draft: Draft | None = None) -> None:
        self.faults.append(Fault(row.line, column, says))
        if draft is not None:
            draft.faulty = True
