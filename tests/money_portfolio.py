"""A random portfolio's books, folded by the core, and every money aggregate worked out from them in plain Python."""

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec

from models.account.ledger import OPEN
from models.account.money import find_invoice
from models.account.outcome import APPLIED
from models.account.state import Facts
from models.actions.postings import Books
from models.calendar import DAY, HOUR, Zone, utc
from models.clock import Instant
from schemas.envelope import Currency, Event
from schemas.payments import (
    Allocation,
    InvoiceAdjusted,
    InvoiceIssued,
    InvoiceVoided,
    InvoiceWrittenOff,
    PaymentReceived,
    PaymentReversed,
)
from schemas.postings import LedgerPosted

TENANTS = {"acme": "America/New_York", "basta": "Asia/Tokyo"}
CURRENCIES: tuple[Currency, ...] = ("EUR", "USD")
BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
MADE = ("invoice.issued", "invoice.adjusted", "invoice.voided")

Key = tuple[Any, ...]
Row = tuple[Any, ...]


class Portfolio:
    """Some accounts' events of the days before `until`.

    Args:
        late: some events reach the core long after they occurred.
    """

    def __init__(self, seed: int, until: Instant, *, late: bool = False, days: int = 170, accounts: int = 10) -> None:
        self.random = random.Random(seed)
        self.until = until
        self.days = days
        self.late = late
        self.posted: list[tuple[bytes, LedgerPosted]] = []
        """Key and posting, in the order in which they were booked."""
        self.bytes: list[bytes] = []
        self.applied: list[Event] = []
        self.on_ended: set[str] = set()
        """Events of invoices that were voided or written off before, also before they were issued."""
        self.facts: dict[tuple[str, str], Facts] = {}
        self.history: dict[tuple[str, str], list[tuple[dt.date, dict[str, tuple[str, int, dt.date]]]]] = {}
        """Account -> after each event its day, and invoice -> currency, what is open, the due day."""
        self._numbers = count(1)
        for tenant in TENANTS:
            for number in range(accounts):
                self._live(tenant, f"a{number}")
        order = sorted(range(len(self.posted)), key=lambda i: self.posted[i][1].occurred_at)
        self.posted = [self.posted[i] for i in order]
        self.bytes = [self.bytes[i] for i in order]

    def _live(self, tenant: str, account: str) -> None:
        zone = Zone(TENANTS[tenant])
        facts = self.facts[tenant, account] = Facts()
        told = self.history[tenant, account] = []
        decode = msgspec.json.Decoder(LedgerPosted).decode
        for event in self._events(tenant, account):
            books = Books(facts, zone, f"{tenant}|{account}")
            invoice = find_invoice(facts.payments, getattr(event, "invoice_id", ""))
            if invoice is not None and invoice.status != OPEN:
                self.on_ended.add(event.event_id)
            if facts.apply(event) is not APPLIED:
                continue
            self.applied.append(event)
            for _, key, value in books.tell(event):
                self.posted.append((key, decode(value)))
                self.bytes.append(value)
            told.append((day_of(zone, event), {
                name: (invoice.currency, invoice.rest, date(zone, invoice.due))
                for name, invoice in facts.payments.invoices.items() if invoice.known and invoice.status == OPEN
            }))  # fmt: skip

    def _events(self, tenant: str, account: str) -> list[Event]:
        draw = self.random
        invoices: list[tuple[str, Currency, int]] = []
        payments: list[tuple[str, Currency, int]] = []
        made: list[Event] = []
        for at in sorted(self.until - draw.randrange(self.days * DAY) for _ in range(draw.randrange(4, 40))):
            name, currency, amount = f"n{next(self._numbers)}", draw.choice(CURRENCIES), draw.randrange(1, 50_000)
            about: dict[str, Any] = {
                "event_id": f"e-{name}", "tenant_id": tenant, "account_id": account, "occurred_at": utc(at), "source": "test",
            }  # fmt: skip
            kind = draw.choices(("issue", "pay", "adjust", "void", "write", "reverse"), (5, 6, 1, 0.5, 0.5, 1))[0]
            if kind == "issue" or not invoices:
                invoices.append((name, currency, amount))
                due = utc(at + draw.randrange(-5, 60) * DAY + draw.randrange(24) * HOUR)
                made.append(InvoiceIssued(invoice_id=name, amount_minor=amount, currency=currency, due_at=due, **about))
            elif kind == "pay":
                invoice, currency, asked = draw.choice(invoices)
                amount = draw.choice((asked, asked // 2 + 1, asked + 700))
                payments.append((name, currency, amount))
                to = (Allocation(invoice_id=invoice, amount_minor=min(asked, amount)),) if draw.random() < 0.5 else ()
                made.append(
                    PaymentReceived(payment_id=name, amount_minor=amount, currency=currency, allocations=to, **about)
                )
            elif kind == "reverse" and payments:
                payment, currency, amount = payments.pop(draw.randrange(len(payments)))
                amount = draw.choice((amount, amount // 3 + 1))
                made.append(PaymentReversed(
                    payment_id=payment, reversal_id=name, amount_minor=amount, currency=currency, kind="return", **about
                ))  # fmt: skip
            elif kind == "adjust":
                invoice, currency, asked = draw.choice(invoices)
                credit = draw.choice((-asked // 2, -asked - 300, 450))
                made.append(InvoiceAdjusted(
                    invoice_id=invoice, adjustment_id=name, amount_minor=credit, currency=currency, **about
                ))  # fmt: skip
            else:
                make = InvoiceVoided if kind == "void" else InvoiceWrittenOff
                made.append(make(invoice_id=draw.choice(invoices)[0], **about))
            if draw.random() < 0.1:
                made.append(made[-1])  # told twice
        if self.late:
            for _ in range(len(made) // 4):
                made.append(made.pop(draw.randrange(len(made))))
        return made

    # -- worked out in plain Python --------------------------------------------------------------------------------

    def collections(self) -> dict[Key, Row]:
        """As collections_daily; what events say where they say it, else what the postings add up to."""
        sums: defaultdict[Key, Counter[str]] = defaultdict(Counter)
        payers: defaultdict[Key, set[str]] = defaultdict(set)
        for _, p in self.posted:
            key = p.tenant_id, p.currency, p.booked_on
            charged = sum(line.amount_minor for line in p.lines) - p.on_account_minor + p.cash_minor - p.recovered_minor
            sums[key]["recovered"] += p.recovered_minor
            if p.cause == "invoice.voided":
                sums[key]["voided"] -= charged
            elif p.cause == "invoice.written_off":
                sums[key]["written_off"] -= charged
            elif p.caused_by in self.on_ended:
                sums[key]["adjusted" if p.cause == "invoice.adjusted" else "billed"] += charged
        for event in self.applied:
            day = day_of(Zone(TENANTS[event.tenant_id]), event)
            said: dict[str, Any] = msgspec.structs.asdict(event)
            of: Key = (event.tenant_id, said.get("currency"), day)
            match event:
                case InvoiceIssued() if event.event_id not in self.on_ended:
                    sums[of]["billed"] += event.amount_minor
                case InvoiceAdjusted() if event.event_id not in self.on_ended:
                    sums[of]["adjusted"] += event.amount_minor
                case PaymentReversed():
                    sums[of]["reversed"] += event.amount_minor
                case PaymentReceived():
                    sums[of]["collected"] += event.amount_minor
                    sums[of]["payments"] += 1
                    payers[of].add(event.account_id)
        names = ("billed", "collected", "reversed", "adjusted", "voided", "written_off", "recovered", "payments")
        return {key: (*(summed[name] for name in names), len(payers[key])) for key, summed in sums.items()}

    def open_by_day(self, today: dt.date) -> dict[Key, dict[str, tuple[int, int]]]:
        """Tenant, currency and day -> bucket -> what is open and in how many invoices: each day's postings added up."""
        found: dict[Key, dict[str, tuple[int, int]]] = {}
        for (tenant, currency), lines in self.lines().items():
            for day in days(min(booked for booked, _ in lines), today):
                amounts, numbers = Counter[str](), Counter[str]()
                for booked, line in lines:
                    if booked <= day:
                        amounts[bucket(line.due_on, day)] += line.amount_minor
                        numbers[bucket(line.due_on, day)] += line.opened
                found[tenant, currency, day] = {name: (amounts[name], numbers[name]) for name in BUCKETS}
        return found

    def open_by_the_core(self, tenant: str, currency: str, day: dt.date) -> dict[str, tuple[int, int]]:
        """The same of one day from the core's own states; of a portfolio in which nothing comes late."""
        amounts, numbers = Counter[str](), Counter[str]()
        for (of, _), told in self.history.items():
            states = [state for on, state in told if on <= day] if of == tenant else []
            for its_currency, rest, due in states[-1].values() if states else ():
                if its_currency == currency:
                    amounts[bucket(due, day)] += rest
                    numbers[bucket(due, day)] += 1
        return {name: (amounts[name], numbers[name]) for name in BUCKETS}

    def on_account(self, tenant: str, currency: str, day: dt.date) -> int:
        """Credit on no invoice at the end of a day."""
        return sum(
            p.on_account_minor for _, p in self.posted
            if (p.tenant_id, p.currency) == (tenant, currency) and p.booked_on <= day
        )  # fmt: skip

    def liquidation(self) -> dict[Key, tuple[int, dict[int, int]]]:
        """Tenant, currency and month of placement -> what was placed, and months since -> what was collected.

        That the postings say so of each invoice, the core's own states prove: tests/unit/models/test_postings.py.
        """
        placed: Counter[Key] = Counter()
        collected: defaultdict[Key, Counter[int]] = defaultdict(Counter)

        def count(p: LedgerPosted, day: dt.date, worth: int, money: int) -> None:
            month = day.replace(day=1)
            key = p.tenant_id, p.currency, month
            since = (p.booked_on.year - month.year) * 12 + p.booked_on.month - month.month
            placed[key] += worth
            collected[key][max(0, since)] += money

        for _, p in self.posted:
            own = [line for line in p.lines if line.invoice_id == p.invoice_id]
            for line in p.lines:
                if line not in own:
                    count(p, line.placed_on, 0, -line.amount_minor)
            charged = sum(line.amount_minor for line in p.lines) - p.on_account_minor - p.recovered_minor
            if p.invoice_id is not None and (charged or own):
                day = own[0].placed_on if own else p.placed_on or p.booked_on
                met = charged - sum(line.amount_minor for line in own)
                count(p, day, charged if p.cause in MADE else 0, met)
        return {key: (placed[key], dict(of)) for key, of in collected.items()}

    def open_invoices(self) -> dict[Key, tuple[int, dt.date]]:
        """Tenant, account, invoice and currency -> what is open and when it is due, from the core's last states."""
        found: dict[Key, tuple[int, dt.date]] = {}
        for (tenant, account), told in self.history.items():
            for name, (currency, rest, due) in (told[-1][1] if told else {}).items():
                found[tenant, account, name, currency] = rest, due
        return found

    def credit(self) -> dict[Key, int]:
        """Tenant, account and currency -> credit on no issued invoice, from the core's last states."""
        sums: Counter[Key] = Counter()
        for (tenant, account), facts in self.facts.items():
            for payment in facts.payments.credits.values():
                sums[tenant, account, payment.currency] += payment.unused
        return {key: amount for key, amount in sums.items() if amount}

    def lines(self) -> dict[tuple[str, str], list[tuple[dt.date, Any]]]:
        """Tenant and currency -> the day that each line was booked on, and the line."""
        found: defaultdict[tuple[str, str], list[tuple[dt.date, Any]]] = defaultdict(list)
        for _, p in self.posted:
            found[p.tenant_id, p.currency] += [(p.booked_on, line) for line in p.lines]
        return {key: lines for key, lines in found.items() if lines}


def bucket(due: dt.date, day: dt.date) -> str:
    """The bucket of age of what was due on a day."""
    past = (day - due).days
    return BUCKETS[0 if past <= 0 else min(4, (past + 29) // 30)]


def days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Every day from the first to the last."""
    return (first + dt.timedelta(number) for number in range((last - first).days + 1))


def date(zone: Zone, at: Instant) -> dt.date:
    """The day of an instant on a zone's calendar."""
    return dt.date.fromordinal(zone.day(at) + dt.date(1970, 1, 1).toordinal())


def day_of(zone: Zone, event: Event) -> dt.date:
    """The day on which an event occurred."""
    return date(zone, int(event.occurred_at.timestamp() * 1000))
