"""What events do to the books, told as messages. Amounts are in cents, days are of New York."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.account.ledger import VOIDED, WRITTEN_OFF, Invoice, balances, decode_invoice
from models.account.state import decode
from models.actions.postings import LONGEST_ID, POSTINGS
from models.calendar import instant
from models.core import Work, step
from schemas.crm import DebtPlaced
from schemas.payments import (
    InvoiceAdjusted,
    InvoiceIssued,
    InvoiceVoided,
    InvoiceWrittenOff,
    PaymentReceived,
    PaymentReversed,
)
from schemas.postings import LedgerPosted
from tests.unit.models.events import (
    adjusted,
    day,
    envelope,
    issued,
    paid,
    reversed_,
    sent,
    tenant,
    voided,
    written_off,
)
from tests.unit.models.life import Life
from tests.unit.models.strategies import CRM_EVENTS, DAYS, INTERACTION_EVENTS, INVOICES, money_events, numbered

CASH = (PaymentReceived, PaymentReversed)


def posted(*events: Any, life: Life | None = None) -> list[LedgerPosted]:
    """The postings of the last event."""
    life = life or Life()
    for event in events[:-1]:
        life.take(20, event)
    before = len(life.said("LedgerPosted"))
    life.take(20, events[-1])
    return life.said("LedgerPosted")[before:]


def lines(posting: LedgerPosted) -> dict[str, tuple[int, int]]:
    return {line.invoice_id: (line.amount_minor, line.opened) for line in posting.lines}


# -- what each event does ----------------------------------------------------------------------------------------------


def test_an_invoice_is_opened_with_its_days_on_the_tenants_calendar():
    (posting,) = posted(issued("a", 100, at=0.1, due=14.1))
    assert (posting.cause, posting.caused_by, posting.currency) == ("invoice.issued", "issued-a", "USD")
    assert posting.event_id == "issued-a:posted:USD"
    assert posting.occurred_at == day(0.1)
    assert posting.booked_on == day(-1).date()  # there it is the evening before
    assert lines(posting) == {"a": (100, 1)}
    assert posting.lines[0].due_on == day(13).date()  # there the clocks have been put forward, and it is past ten
    assert posting.lines[0].placed_on == day(-1).date()
    assert (posting.cash_minor, posting.on_account_minor) == (0, 0)


def test_a_part_is_paid():
    (posting,) = posted(issued("a", 100), paid("p", 30))
    assert (posting.cash_minor, posting.on_account_minor) == (30, 0)
    assert lines(posting) == {"a": (-30, 0)}


def test_what_is_paid_too_much_waits_for_the_next_invoice():
    (over,) = posted(issued("a", 100), paid("p", 150))
    assert (over.cash_minor, over.on_account_minor, lines(over)) == (150, 50, {"a": (-100, -1)})
    (next_,) = posted(issued("a", 100), paid("p", 150), issued("b", 80, at=2))
    assert (next_.cash_minor, next_.on_account_minor, lines(next_)) == (0, -50, {"b": (30, 1)})


def test_an_invoice_that_credit_covers_is_never_open():
    (posting,) = posted(paid("p", 100), issued("a", 80, at=2))
    assert (posting.on_account_minor, posting.lines) == (-80, ())


def test_a_payment_spreads_over_invoices():
    (posting,) = posted(issued("b", 100, due=20), issued("a", 100, due=10), paid("p", 150))
    assert lines(posting) == {"a": (-100, -1), "b": (-50, 0)}


def test_a_reversal_opens_again_what_the_payment_had_closed():
    (posting,) = posted(issued("a", 100), paid("p", 120), reversed_("p", 120))
    assert (posting.cash_minor, posting.on_account_minor, lines(posting)) == (-120, -20, {"a": (100, 1)})


def test_a_voided_invoice_gives_its_money_back():
    (posting,) = posted(issued("a", 100), paid("p", 30), voided("a", at=2))
    assert (posting.cash_minor, posting.on_account_minor, lines(posting)) == (0, 30, {"a": (-70, -1)})
    (paid_up,) = posted(issued("a", 100), paid("p", 100), voided("a", at=2))
    assert (paid_up.currency, paid_up.on_account_minor, paid_up.lines) == ("USD", 100, ())


def test_a_written_off_rest_is_open_no_more_and_what_is_paid_on_it_later_is_recovered():
    (off,) = posted(issued("a", 100), paid("p", 30), written_off("a", at=2))
    assert (off.on_account_minor, off.recovered_minor, lines(off)) == (0, 0, {"a": (-70, -1)})
    (late,) = posted(issued("a", 100), written_off("a"), paid("p", 40, at=2, on={"a": 40}))
    assert (late.cash_minor, late.on_account_minor, late.recovered_minor, late.lines) == (40, 0, 40, ())
    (back,) = posted(issued("a", 100), written_off("a"), paid("p", 40, at=2, on={"a": 40}), reversed_("p", 40, at=3))
    assert (back.cash_minor, back.on_account_minor, back.recovered_minor, back.lines) == (-40, 0, -40, ())
    (void,) = posted(issued("a", 100), written_off("a"), paid("p", 40, at=2, on={"a": 40}), voided("a", at=3))
    assert (void.cash_minor, void.on_account_minor, void.recovered_minor, void.lines) == (0, 40, -40, ())


def test_what_an_invoice_keeps_that_was_paid_and_is_written_off_late_is_not_recovered():
    (late,) = posted(
        issued("a", 100, due=10),
        issued("b", 100, due=20),
        paid("p", 40, at=2, on={"a": 40}),
        paid("q", 60, at=5),
        written_off("a", at=3),
    )
    assert (late.on_account_minor, late.recovered_minor, lines(late)) == (0, 0, {"b": (-60, 0)})
    assert (late.invoice_id, late.placed_on) == ("a", day(-1).date())


def test_a_posting_names_the_invoice_of_its_event_and_its_day_where_no_line_does():
    (own,) = posted(issued("a", 100))
    assert (own.invoice_id, own.placed_on) == ("a", None)
    (money,) = posted(issued("a", 100), paid("p", 100, on={"a": 100}))
    assert (money.invoice_id, money.placed_on) == (None, None)
    (moved,) = posted(issued("a", 100), paid("p", 100, at=2), issued("b", 70, at=3), voided("a", at=4))
    assert (moved.invoice_id, moved.placed_on, lines(moved)) == ("a", day(-1).date(), {"b": (-70, -1)})
    (early,) = posted(adjusted("a", -30))
    assert (early.invoice_id, early.placed_on, early.on_account_minor) == ("a", None, 30)


def test_credit_notes_lower_what_is_open_and_then_go_on_account():
    (less,) = posted(issued("a", 100), adjusted("a", -30))
    assert (less.on_account_minor, lines(less)) == (0, {"a": (-30, 0)})
    (over,) = posted(issued("a", 100), adjusted("a", -130))
    assert (over.on_account_minor, lines(over)) == (30, {"a": (-100, -1)})


def test_money_for_an_invoice_that_is_issued_later_lies_on_account_until_then():
    (early,) = posted(paid("p", 100, on={"a": 100}))
    assert (early.cash_minor, early.on_account_minor, early.lines) == (100, 100, ())
    (later,) = posted(paid("p", 60, on={"a": 60}), issued("a", 100, at=2))
    assert (later.cash_minor, later.on_account_minor, lines(later)) == (0, -60, {"a": (40, 1)})


def test_an_event_that_comes_late_is_booked_on_its_own_day_with_all_that_it_moves():
    """The older invoice takes the money that was spread over the newer one."""
    (posting,) = posted(issued("new", 100, at=5, due=20), paid("p", 100, at=8), issued("old", 100, at=3, due=10))
    assert posting.booked_on == day(2).date()
    assert (posting.on_account_minor, lines(posting)) == (0, {"new": (100, 1)})


def test_one_event_in_two_currencies_is_two_messages():
    """The money that waited for `a` was of another currency, so it pays `b`."""
    found = posted(
        issued("b", 50, currency="EUR"), paid("p", 60, at=2, on={"a": 60}, currency="EUR"), issued("a", 100, at=3)
    )
    assert [(p.event_id, p.on_account_minor, lines(p)) for p in found] == [
        ("issued-a:posted:EUR", -50, {"b": (-50, -1)}),
        ("issued-a:posted:USD", 0, {"a": (100, 1)}),
    ]


@pytest.mark.parametrize(
    "event", [voided("unknown"), paid("p", 100), written_off("a")], ids=["no effect", "a duplicate", "no effect again"]
)
def test_what_changes_nothing_is_not_told(event):
    assert posted(issued("a", 100), paid("p", 100), event) == []


def test_history_and_tenants_that_are_not_live_are_told_as_well():
    (posting,) = posted(paid("p", 5, history=True))
    assert posting.history
    (posting,) = posted(issued("a", 100), life=Life(tenant(live_since=None)))
    assert not posting.history
    life = Life(mode="replay")
    assert len(posted(issued("a", 100), life=life)) == 1


def test_postings_come_before_the_decision():
    life = Life()
    life.take(20, issued("a"), issued("b"))
    assert [topic for topic, _ in life.messages][:3] == [POSTINGS, POSTINGS, "propensity-scores"]


def test_the_id_of_a_posting_fits_whatever_the_id_of_its_cause_is():
    long = "x" * 200
    (one,) = posted(PaymentReceived(**envelope(1, long), payment_id="p", amount_minor=1, currency="USD"))
    (other,) = posted(PaymentReceived(**envelope(1, "y" * LONGEST_ID), payment_id="p", amount_minor=1, currency="USD"))
    assert len(one.event_id) < 200
    assert one.caused_by == long
    assert other.event_id.startswith("y" * LONGEST_ID)


# -- when a debt was placed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("debt_id", ["d1", None], ids=["named", "the only one"])
def test_a_placed_debt_gives_its_invoices_their_day(debt_id):
    placed = DebtPlaced(**envelope(9.5), debt_id="d1")
    (posting,) = posted(placed, issued("a", 100, at=3, debt_id=debt_id))
    assert posting.lines[0].placed_on == day(9).date()


def test_an_invoice_of_another_debt_was_placed_when_it_was_issued():
    placed = DebtPlaced(**envelope(9.5), debt_id="d1")
    (posting,) = posted(placed, issued("a", 100, at=3.5, debt_id="d2"))
    assert posting.lines[0].placed_on == day(3).date()


# -- the last touch ----------------------------------------------------------------------------------------------------


def test_money_is_put_down_to_the_last_contact_before_it():
    touches = [sent("c1", at=3), sent("c2", at=5, channel="sms"), sent("c3", at=9)]
    (posting,) = posted(issued("a", 100), *touches, paid("p", 100, at=8))
    assert (posting.contact_id, posting.contact_channel) == ("c2", "sms")


@pytest.mark.parametrize(("at", "found"), [(15, "c1"), (15.001, None)])
def test_a_contact_counts_for_fourteen_days(at, found):
    (posting,) = posted(issued("a", 100), sent("c1", at=1), paid("p", 100, at=at))
    assert posting.contact_id == found


def test_a_contact_about_something_else_does_not_count():
    (posting,) = posted(issued("a", 100), sent("c1", at=1, purpose="transactional"), paid("p", 100, at=2))
    assert posting.contact_id is None


def test_only_money_that_was_received_has_a_contact():
    (posting,) = posted(paid("p", 100), sent("c1", at=1), reversed_("p", 100, at=2))
    assert posting.contact_id is None


# -- the law -----------------------------------------------------------------------------------------------------------


@st.composite
def written_off_events(draw: st.DrawFn) -> Any:
    return InvoiceWrittenOff(**envelope(draw(DAYS)), invoice_id=draw(INVOICES))


ledgers = st.lists(st.one_of(money_events(), money_events(), written_off_events()), max_size=14).map(numbered)
stories = st.lists(
    st.one_of(money_events(), money_events(), written_off_events(), CRM_EVENTS, INTERACTION_EVENTS), max_size=12
).map(numbered)


class Sums:
    """What postings add up to."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        self.on_account: Counter[str] = Counter()
        self.opened: Counter[str] = Counter()

    def add(self, posting: LedgerPosted) -> None:
        self.on_account[posting.currency] += posting.on_account_minor
        for line in posting.lines:
            assert line.amount_minor
            self.open[line.invoice_id] += line.amount_minor
            self.opened[line.invoice_id] += line.opened

    def assert_are(self, blob: bytes | None) -> None:
        payments = decode(blob).facts.payments
        rests = {name: its for name, its in payments.invoices.items() if its.known and its.status == "open"}
        assert {name: minor for name, minor in self.open.items() if minor} == {n: its.rest for n, its in rests.items()}
        assert {name: flag for name, flag in self.opened.items() if flag} == dict.fromkeys(rests, 1)
        owed = Counter[str]()
        for invoice in rests.values():
            owed[invoice.currency] += invoice.rest
        for currency in {*owed, *self.on_account, *balances(payments)}:
            assert owed[currency] - self.on_account[currency] == balances(payments).get(currency, 0)


@settings(max_examples=150)
@given(ledgers)
def test_postings_add_up_to_the_books_after_every_event(events):
    life, sums = Life(), Sums()
    ended: set[str] = set()
    for event in events:
        seen, before = len(life.messages), life.blob
        outcome = life.take(60, event)
        told = [message for _, message in life.messages[seen:] if isinstance(message, LedgerPosted)]
        for posting in told:
            sums.add(posting)
            assert posting.caused_by == event.event_id
        sums.assert_are(life.blob)
        if isinstance(event, CASH) and outcome.applied:
            amount = event.amount_minor if isinstance(event, PaymentReceived) else -event.amount_minor
            assert sum(posting.cash_minor for posting in told) == amount
            for posting in told:
                moved = posting.on_account_minor - sum(line.amount_minor for line in posting.lines)
                assert posting.cash_minor == moved + posting.recovered_minor
        else:
            assert not any(posting.cash_minor for posting in told)
        if isinstance(event, InvoiceIssued) and outcome.applied and event.invoice_id not in ended:
            assert sum(_billed(posting) for posting in told) == event.amount_minor
        if isinstance(event, InvoiceVoided | InvoiceWrittenOff):
            ended.add(event.invoice_id)
        given_up = _paid_on_written_off(life.blob) - _paid_on_written_off(before)
        if isinstance(event, CASH):
            assert sum(posting.recovered_minor for posting in told) == given_up


class Worth:
    """What the documents of each invoice come to and the money on it: as postings add up, and as the states say."""

    def __init__(self) -> None:
        self.posted: Counter[tuple[str, str, str]] = Counter()
        """By invoice, currency, and `worth` or `money`."""
        self.said: Counter[tuple[str, str, str]] = Counter()
        self.ended: dict[str, tuple[int, int]] = {}
        """Invoices that were written off, and how they stood then. What comes onto one is recovered, and is no more."""
        self.issued: set[str] = set()

    def add(self, posting: LedgerPosted) -> None:
        """By the rule of docs/ledger.md."""
        named, of = posting.invoice_id, posting.currency
        own = sum(line.amount_minor for line in posting.lines if line.invoice_id == named)
        for line in posting.lines:
            if line.invoice_id != named:
                self.posted[line.invoice_id, of, "money"] -= line.amount_minor
        if named is not None:
            self.posted[named, of, "worth"] += _billed(posting) if posting.cause in PLACES else 0
            self.posted[named, of, "money"] += _billed(posting) - own

    def look(self, blob: bytes | None) -> None:
        payments = decode(blob).facts.payments
        for name, invoice in (payments.invoices | {n: decode_invoice(s) for n, s in payments.closed.items()}).items():
            now = self._now(name, invoice)
            self.said[name, invoice.currency, "worth"], self.said[name, invoice.currency, "money"] = now

    def _now(self, name: str, invoice: Invoice) -> tuple[int, int]:
        over = invoice.overcredited  # by notes; it went on account, or onto other invoices
        if name in self.ended:
            worth, money = self.ended[name]
            return worth - over, money - over
        if invoice.status == VOIDED:
            return 0, 0
        if not invoice.known:
            return invoice.adjusted, invoice.adjusted  # it all lies on account
        if invoice.status == WRITTEN_OFF:
            worth = self.said[name, invoice.currency, "worth"]
            self.ended[name] = (worth, invoice.paid) if name in self.issued else (0, 0)
            return self._now(name, invoice)
        self.issued.add(name)
        return invoice.amount + invoice.adjusted - over, invoice.paid - over


PLACES = ("invoice.issued", "invoice.adjusted", "invoice.voided")


def in_one_currency(event: Any) -> Any:
    """Every invoice in one currency of its own; notes in another one than it is issued in are loose in the end."""
    if isinstance(event, InvoiceIssued | InvoiceAdjusted):
        return msgspec.structs.replace(event, currency="EUR" if event.invoice_id.endswith("1") else "USD")
    return event


@settings(max_examples=200)
@given(ledgers.map(lambda events: [in_one_currency(event) for event in events]))
def test_postings_say_what_each_invoice_came_to_and_what_money_is_on_it(events):
    life, worth = Life(), Worth()
    for event in events:
        seen = len(life.messages)
        life.take(60, event)
        for _, message in life.messages[seen:]:
            if isinstance(message, LedgerPosted):
                assert message.invoice_id == getattr(event, "invoice_id", None)
                worth.add(message)
        worth.look(life.blob)
        assert +worth.posted == +worth.said
        assert -worth.posted == -worth.said


def _billed(posting: LedgerPosted) -> int:
    """What a document came to."""
    return sum(line.amount_minor for line in posting.lines) - posting.on_account_minor - posting.recovered_minor


def _paid_on_written_off(blob: bytes | None) -> int:
    invoices = map(decode_invoice, decode(blob).facts.payments.closed.values())
    return sum(invoice.paid for invoice in invoices if invoice.status == WRITTEN_OFF)


@settings(max_examples=50)
@given(stories, st.integers(1, 11))
def test_postings_are_the_same_bytes_however_events_are_batched(events, size):
    def told(size: int) -> list[bytes]:
        blob, found = None, []
        for start in range(0, len(events), size):
            batch = [(event, place) for place, event in enumerate(events[start : start + size])]
            outcome = step([Work("acme|a1", "acme", "a1", blob, batch, instant(day(60)))], {"acme": tenant()}, "live")
            blob = outcome.states[0][1] or None
            found += [value for topic, _, value in outcome.messages[0] if topic == POSTINGS]
        return found

    assert told(1) == told(size) == told(len(events) or 1)
