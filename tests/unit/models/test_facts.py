"""Properties of the fold: total, idempotent, independent of interleaving and batching, and true to the cent."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.account import state
from models.account.bars import disputed
from models.account.ledger import CLOSED, RECENT, SETTLED, balances, decode_invoice, recent_item
from models.account.outcome import APPLIED, Applied, Drop
from models.account.state import AccountState, Facts, facts_bytes, fold
from models.calendar import DAY
from schemas import registry
from schemas.crm import DisputeOpened, DisputeResolved
from schemas.decode import Refusal
from schemas.payments import (
    InvoiceAdjusted,
    InvoiceIssued,
    InvoiceVoided,
    PaymentReceived,
    PaymentReversed,
)
from schemas.replay import ReplayMarker
from tests.unit.models.events import account, envelope, issued, paid, reversed_
from tests.unit.models.strategies import (
    CRM_EVENTS,
    INTERACTION_EVENTS,
    anything,
    money_events,
    numbered,
    paid_invoices,
)

STRUCTS = sorted(
    {spec.struct for topic in registry.topics().values() for spec in topic.types.values()},
    key=lambda kind: kind.__name__,
)
SOURCE_STRUCTS = [
    spec.struct
    for name in registry.SOURCE_TOPICS
    for spec in registry.topics()[name].types.values()
    if spec.struct is not ReplayMarker
]


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_every_type_of_the_registry_is_answered_and_none_raises(kind: type, data: st.DataObject):
    facts = Facts()
    for event in numbered(data.draw(st.lists(anything(kind), min_size=1, max_size=4))):
        assert isinstance(facts.apply(event), Applied | Drop | Refusal)
    before = bytes_of(facts)
    assert facts_bytes(state.encode(AccountState(facts))) == before


@pytest.mark.parametrize("kind", SOURCE_STRUCTS, ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_applied_twice_is_applied_once(kind: type, data: st.DataObject):
    event = data.draw(anything(kind))
    facts = Facts()
    first = facts.apply(event)
    before = bytes_of(facts)
    again = Facts(facts.encoded())
    second = again.apply(event)
    assert second is first if isinstance(first, Refusal) else isinstance(second, Drop)
    assert bytes_of(again) == before


@pytest.mark.parametrize("kind", SOURCE_STRUCTS, ids=lambda kind: kind.__name__)
def test_every_type_of_a_source_topic_is_folded(kind: type):
    assert kind in state._ROUTES


def bytes_of(facts: Facts) -> bytes:
    stored = facts.encoded()
    return stored.payments + stored.crm + stored.interactions


def batches(events: list[Any], cuts: list[int]) -> list[list[Any]]:
    edges = [0, *sorted({cut % (len(events) + 1) for cut in cuts}), len(events)]
    return [events[start:end] for start, end in itertools.pairwise(edges)]


topics = st.tuples(
    st.lists(money_events(), max_size=10), st.lists(CRM_EVENTS, max_size=6), st.lists(INTERACTION_EVENTS, max_size=6)
)


@given(topics, st.randoms(use_true_random=False), st.lists(st.integers(0, 100), max_size=5))
def test_no_interleaving_and_no_batching_changes_a_byte(by_topic, random, cuts):
    queues = [numbered(events) for events in by_topic]
    one_after_the_other = fold(None, [event for queue in queues for event in queue])
    order = [place for place, queue in enumerate(queues) for _ in queue]
    random.shuffle(order)
    mixed = [iter(queue) for queue in queues]
    interleaved = [next(mixed[place]) for place in order]
    blob = None
    for batch in batches(interleaved, cuts):
        blob = fold(blob, batch)
    assert facts_bytes(blob) == facts_bytes(one_after_the_other)


def postings(events: list[Any]) -> dict[str, int]:
    """The balance as an accountant would add it up, from the events that count, each once."""
    currencies: dict[str, str] = {}
    lines: dict[tuple[str, str], int] = {}
    voided = {event.invoice_id for event in events if type(event) is InvoiceVoided}
    issued_in = {event.invoice_id: event.currency for event in events if type(event) is InvoiceIssued}
    for event in events:
        if type(event) is InvoiceIssued and event.invoice_id not in voided:
            lines["issued", event.invoice_id] = event.amount_minor
            currencies["issued" + event.invoice_id] = event.currency
        elif type(event) is PaymentReceived:
            lines["paid", event.payment_id] = -event.amount_minor
            currencies["paid" + event.payment_id] = event.currency
        elif type(event) is InvoiceAdjusted:
            if event.invoice_id in voided and issued_in.get(event.invoice_id, event.currency) == event.currency:
                continue  # a note in another currency was never about the invoice that was voided
            lines["adjusted", event.adjustment_id] = event.amount_minor
            currencies["adjusted" + event.adjustment_id] = event.currency
        elif type(event) is PaymentReversed:
            lines["reversed", event.reversal_id] = event.amount_minor
            currencies["reversed" + event.reversal_id] = event.currency
    sums: dict[str, int] = {}
    for (kind, name), amount in lines.items():
        currency = currencies[kind + name]
        sums[currency] = sums.get(currency, 0) + amount
    return {currency: amount for currency, amount in sums.items() if amount}


@given(st.lists(money_events(), max_size=25))
def test_balances_are_the_sum_of_the_postings(events):
    facts = Facts()
    taken = []
    for event in numbered(events):
        if facts.apply(event) is APPLIED:
            taken.append(event)
        owed = {currency: amount for currency, amount in balances(facts.payments).items() if amount}
        assert owed == postings(taken)


@given(st.lists(money_events(), max_size=25))
def test_money_is_in_one_place_only(events):
    facts = Facts()
    for event in numbered(events):
        facts.apply(event)
    payments = facts.payments
    for name, invoice in payments.invoices.items():
        assert invoice.paid >= 0
        assert not invoice.known or (invoice.status == "open" and invoice.rest > 0), name
    for currency in ("USD", "EUR"):
        spare = sum(p.unused for p in payments.credits.values() if p.currency == currency)
        owing = sum(i.rest for i in payments.invoices.values() if i.known and i.currency == currency)
        assert not (spare > 0 and owing > 0), "money lies on account beside an open invoice"
    assert payments.habits.closed >= payments.habits.late >= 0
    assert payments.habits.late_days >= payments.habits.late


@given(st.permutations([issued("a", 100, due=3), issued("b", 100, due=5), paid("p", 100, at=1), paid("q", 100, at=6)]))
def test_any_order_of_arrival_gives_the_same_habits(events):
    facts = Facts()
    for event in events:
        facts.apply(event)
    assert facts.payments.habits.closed == 2
    assert facts.payments.habits.late == 1
    assert balances(facts.payments) == {}


@given(paid_invoices(), st.randoms(use_true_random=False), st.booleans())
def test_what_arrives_late_leaves_the_habits_as_if_it_had_come_in_time(events, random, taken_back):
    shuffled = list(events)
    random.shuffle(shuffled)
    if taken_back:
        payment = next(event for event in events if type(event) is PaymentReceived)
        back = reversed_(payment.payment_id, payment.amount_minor, at=41, currency=payment.currency)
        events, shuffled = [*events, back], [*shuffled, back]
    in_time, late = Facts(), Facts()
    for facts, order in ((in_time, events), (late, shuffled)):
        for event in order:
            assert facts.apply(event) is APPLIED
    assert late.payments.habits == in_time.payments.habits


@given(st.lists(money_events(), max_size=25))
def test_the_habits_are_those_of_the_invoices_that_are_closed(events):
    facts = Facts()
    for event in numbered(events):
        facts.apply(event)
    closed = [decode_invoice(stored) for stored in facts.payments.closed.values()]
    counted = [invoice for invoice in closed if invoice.counted]
    habits = facts.payments.habits
    slacks = [invoice.slack(invoice.paid_at) for invoice in counted]
    assert [invoice.counted for invoice in counted] == [invoice.paid_at for invoice in counted]
    assert (habits.closed, habits.timed, habits.slack) == (len(counted), len(counted), sum(slacks))
    assert habits.late_days == sum(max(0, slack) for slack in slacks)
    assert habits.to_pay == sum((invoice.paid_at - invoice.at) // DAY for invoice in counted)
    assert habits.recent == sorted(recent_item(i.paid_at, i.slack(i.paid_at)) for i in counted)
    amounts = {c: [i.amount for i in counted if i.currency == c] for c in {i.currency for i in counted}}
    assert habits.amounts == {currency: (len(all_), sum(all_)) for currency, all_ in amounts.items()}


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=60))
def test_a_long_life_stays_small_and_true(amounts):
    facts = Facts()
    for number, amount in enumerate(amounts):
        facts.apply(issued(f"i{number}", amount, at=number, due=number + 1))
        facts.apply(paid(f"p{number}", amount, at=number + 0.5))
    assert balances(facts.payments) == {}
    assert len(facts.payments.closed) <= CLOSED
    assert len(facts.payments.settled) <= SETTLED
    assert len(facts.payments.habits.recent) == min(len(amounts), RECENT)
    assert facts.payments.habits.amounts == {"USD": (len(amounts), sum(amounts))}
    assert len(bytes_of(facts)) < 4_000


@given(
    st.permutations(
        [
            account(1, country="US", language="en"),
            account(2, country="DE"),
            account(3, language="de", time_zones=("Europe/Berlin",)),
            account(4, time_zones=()),
        ]
    )
)
def test_each_field_is_what_the_latest_event_says(events):
    facts = Facts()
    for event in events:
        facts.apply(event)
    profile = facts.crm.profile
    assert (profile.country, profile.language, profile.time_zones) == ("DE", "de", ())


@given(st.permutations([("opened", "d1", 1), ("opened", "d2", 2), ("resolved", None, 3)]))
def test_a_resolution_without_an_id_resolves_every_dispute_of_the_invoice(words):
    facts = Facts()
    for kind, name, at in words:
        if kind == "opened":
            facts.apply(DisputeOpened(**envelope(at), dispute_id=name, invoice_id="i"))
        else:
            facts.apply(DisputeResolved(**envelope(at), invoice_id="i", outcome="verified"))
    assert not disputed(facts.crm, "i", None)
    facts.apply(DisputeOpened(**envelope(4), dispute_id="d3", invoice_id="i"))
    assert disputed(facts.crm, "i", None)
    assert not disputed(facts.crm, "other", None)
