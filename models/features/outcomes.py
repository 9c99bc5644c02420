"""What came of every invoice, as the whole of the data tells it: open, paid, or ended otherwise, and when.

Unlike a snapshot this is the truth of hindsight: events are folded in the order in which they happened, late postings
in their place. An invoice that was voided, credited, written off, disputed, recalled or sold was not left unpaid; for a
label those are competing events.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from models.account.bars import RECALLED, SOLD, disputed
from models.account.ledger import OPEN, VOIDED, WRITTEN_OFF, Invoice, PaymentFacts, decode_invoice
from models.account.outcome import APPLIED
from models.account.standing import barred
from models.account.state import Facts
from models.calendar import DAY, Zone, instant
from models.clock import Instant
from models.propensity.examples import Outcome, Target
from schemas.crm import DebtPlaced, DebtRecalled, DebtSold, DisputeOpened, DisputeResolved
from schemas.envelope import Event
from schemas.payments import (
    InvoiceAdjusted,
    InvoiceIssued,
    InvoiceVoided,
    InvoiceWrittenOff,
    PaymentReceived,
    PaymentReversed,
)

PAID = "paid"
CREDITED = "credited"
DISPUTED = "disputed"
WITHDRAWN = "withdrawn"
"""Its debt was recalled or sold: what was paid since, we are not told."""

ENDED = frozenset({VOIDED, CREDITED, WRITTEN_OFF, WITHDRAWN})
COMPETING = ENDED | {DISPUTED}

MOVES_MONEY = (InvoiceIssued, PaymentReceived, InvoiceAdjusted, InvoiceVoided, InvoiceWrittenOff, PaymentReversed)
BARS_DEBTS = (DisputeOpened, DisputeResolved, DebtPlaced, DebtRecalled, DebtSold)


class Change(NamedTuple):
    """From this instant on the invoice is so."""

    at: Instant
    state: str


Timeline = list[Change]
NEVER_ISSUED: Timeline = []


def timelines(events: Iterable[Event]) -> dict[str, Timeline]:
    """The timeline of each invoice of one account, its changes in the order of time.

    Events of one instant are folded in the order that they are given in, invoices first.
    """
    truth = _Truth()
    for event in sorted(events, key=_happened):
        if isinstance(event, MOVES_MONEY):
            truth.move(event)
        elif isinstance(event, BARS_DEBTS):
            truth.bar(event)
    return truth.timelines


def _happened(event: Event) -> tuple[Instant, bool]:
    return instant(event.occurred_at), not isinstance(event, InvoiceIssued)


class _Truth:
    """One account, as it was."""

    def __init__(self) -> None:
        self.facts = Facts()
        self.timelines: dict[str, Timeline] = {}
        self.open: set[str] = set()

    def move(self, event: Event) -> None:
        """Fold an event of payment-events and take down which invoices it opened and closed."""
        if self.facts.apply(event) is not APPLIED:
            return
        at = instant(event.occurred_at)
        payments = self.facts.payments
        closed = []
        for name in payments.invoices.keys() ^ self.open:
            invoice = payments.invoices.get(name)
            if invoice is None:
                self.open.remove(name)
                closed.append(name)
            elif invoice.known:
                self.open.add(name)
                self._note(name, at, self._open_state(name, invoice))
        if isinstance(event, InvoiceIssued | InvoiceVoided) and event.invoice_id not in payments.invoices:
            closed.append(event.invoice_id)  # paid in advance, or voided after it was paid
        for name in closed:
            self._note(name, at, _closed_state(payments, name, event))

    def bar(self, event: Event) -> None:
        """Fold a dispute, or a debt that comes or goes, and take down which open invoices it concerns."""
        if self.facts.apply(event) is not APPLIED:
            return
        at = instant(event.occurred_at)
        for name in self.open:
            self._note(name, at, self._open_state(name, self.facts.payments.invoices[name]))

    def _open_state(self, name: str, invoice: Invoice) -> str:
        bars = self.facts.bars
        if bars.disputes and disputed(bars, name, invoice.debt_id):
            return DISPUTED
        if bars.flags and (barred(bars, RECALLED, invoice.debt_id) or barred(bars, SOLD, invoice.debt_id)):
            return WITHDRAWN
        return OPEN

    def _note(self, name: str, at: Instant, state: str) -> None:
        timeline = self.timelines.setdefault(name, [])
        if not timeline or timeline[-1].state != state:
            timeline.append(Change(at, state))


def _closed_state(payments: PaymentFacts, name: str, event: Event) -> str:
    """How an invoice was closed. One that money and a credit note closed together counts as paid, as in the habits."""
    stored = payments.closed.get(name)
    if stored is not None:
        invoice = decode_invoice(stored)
        if invoice.status != OPEN:
            return invoice.status
        return PAID if invoice.paid > 0 else CREDITED
    # It was closed together with so many others that it has been let go already.
    match event:
        case InvoiceVoided():
            return VOIDED
        case InvoiceWrittenOff():
            return WRITTEN_OFF
        case InvoiceAdjusted():
            return CREDITED
        case _:
            return PAID


def horizon_end(target: Target, at: Instant, due: Instant, zone: Zone) -> Instant:
    """When a label is settled: at the end of the due date on the tenant's calendar, or some days after the row."""
    if target.name == "paid_by_due":
        return zone.start(zone.day(due) + 1, 0) - 1
    return at + target.days * DAY


def outcome_of(timeline: Timeline, at: Instant, end: Instant, data_end: Instant) -> Outcome:
    """What came of an invoice within a horizon.

    Paid = in full, and still so at the horizon's end. Where the data end before the horizon the answer is `unmatured`
    whatever is known by then: to take only those who had paid already would make everybody a payer.
    """
    if end > data_end:
        return "unmatured"
    last = bisect_right(timeline, end, key=_at) - 1
    if last < 0:
        return "competing"  # in hindsight it was not issued by then
    if timeline[last].state == PAID:
        return "paid"
    first = max(0, bisect_right(timeline, at, key=_at) - 1)
    return "competing" if any(change.state in COMPETING for change in timeline[first : last + 1]) else "unpaid"


def days_to_pay(timeline: Timeline, at: Instant, data_end: Instant) -> tuple[float, bool]:
    """Days from `at` until the invoice was paid for good, and True; or the days that it was watched unpaid, and False.

    Nobody watches an invoice any longer that was voided, credited, written off, recalled or sold.
    """
    if timeline and timeline[-1].state == PAID and timeline[-1].at <= data_end:
        return max(0.0, (timeline[-1].at - at) / DAY), True
    ended = data_end
    if timeline and timeline[-1].state in ENDED:
        ended = min(ended, timeline[-1].at)
    return max(0.0, (ended - at) / DAY), False


def _at(change: Change) -> Instant:
    return change.at
