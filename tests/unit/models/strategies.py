"""Random events: any value that a Struct allows, and stories whose events belong together."""

import datetime as dt
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from schemas import crm, interactions, payments
from tests.unit.models.events import day, envelope, issued, paid

MOMENTS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2099, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001


def anything(kind: type) -> st.SearchStrategy[Any]:
    """Instances of a Struct with any values that its schema allows."""
    return _of(inspect.type_info(kind))


def _of(info: inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(info, inspect.Metadata):
        return _of(info.type)
    if isinstance(info, inspect.StructType):
        fields = {f.name: _of(f.type) for f in info.fields if f.required}
        optional = {f.name: _of(f.type) for f in info.fields if not f.required}
        return st.fixed_dictionaries(fields, optional=optional).map(lambda values: info.cls(**values))
    if isinstance(info, inspect.UnionType):
        return st.one_of([_of(one) for one in info.types])
    if isinstance(info, inspect.LiteralType):
        return st.sampled_from(info.values)
    if isinstance(info, inspect.VarTupleType):
        return st.lists(_of(info.item_type), max_size=3).map(tuple)
    if isinstance(info, inspect.DictType):
        return st.dictionaries(_of(info.key_type), _of(info.value_type), max_size=2)
    if isinstance(info, inspect.IntType):
        low = info.ge if info.ge is not None else -(10**15)
        high = info.le if info.le is not None else 10**15
        return st.integers(low, high)
    if isinstance(info, inspect.StrType):
        if info.pattern is not None:
            return st.from_regex(info.pattern, fullmatch=True)
        # Few different ids, so that events of a run speak of the same things.
        return st.sampled_from(["a", "b", "STOP", "x" * 200])
    return _SIMPLE[type(info)]


_SIMPLE: dict[type, st.SearchStrategy[Any]] = {
    inspect.FloatType: st.floats(0, 1),
    inspect.BoolType: st.booleans(),
    inspect.NoneType: st.none(),
    inspect.DateTimeType: MOMENTS,
    inspect.DateType: st.dates(dt.date(1990, 1, 1), dt.date(2099, 1, 1)),
}

INVOICES = st.sampled_from(["i1", "i2", "i3", "i4"])
PAYMENTS = st.sampled_from(["p1", "p2", "p3", "p4", "p5"])
CURRENCIES: st.SearchStrategy[Any] = st.sampled_from(["USD", "EUR"])
CENTS = st.integers(1, 300)
DAYS = st.integers(0, 40)


@st.composite
def money_events(draw: st.DrawFn) -> Any:
    """Events about few invoices and payments, so that they meet."""
    at, kind = (
        draw(DAYS),
        draw(st.sampled_from(["issued", "paid", "named", "adjusted", "voided", "reversed", "failed"])),
    )
    invoice, payment, currency, cents = draw(INVOICES), draw(PAYMENTS), draw(CURRENCIES), draw(CENTS)
    if kind == "issued":
        return payments.InvoiceIssued(
            **envelope(at), invoice_id=invoice, amount_minor=cents, currency=currency, due_at=day(draw(DAYS))
        )
    if kind in ("paid", "named"):
        part = draw(st.integers(1, cents))
        named = (payments.Allocation(invoice_id=invoice, amount_minor=part),) if kind == "named" else ()
        return payments.PaymentReceived(
            **envelope(at), payment_id=payment, amount_minor=cents, currency=currency, allocations=named
        )
    if kind == "adjusted":
        amount = draw(st.integers(-300, 300))
        return payments.InvoiceAdjusted(
            **envelope(at),
            invoice_id=invoice,
            adjustment_id=draw(st.sampled_from(["a1", "a2", "a3"])),
            amount_minor=amount,
            currency=currency,
        )
    if kind == "voided":
        return payments.InvoiceVoided(**envelope(at), invoice_id=invoice)
    if kind == "failed":
        return payments.PaymentFailed(
            **envelope(at), payment_id=payment, amount_minor=cents, currency=currency, code="declined"
        )
    return payments.PaymentReversed(
        **envelope(at),
        reversal_id=draw(st.sampled_from(["r1", "r2", "r3"])),
        payment_id=payment,
        amount_minor=cents,
        currency=currency,
        kind="chargeback",
    )


@st.composite
def paid_invoices(draw: st.DrawFn) -> list[Any]:
    """Invoices and payments of no named invoice, in the order of their time, no two at the same one."""
    times = iter(draw(st.lists(st.integers(0, 40), min_size=9, max_size=9, unique=True)))
    hundreds = st.integers(1, 3).map(lambda number: 100 * number)
    events: list[Any] = []
    for number in range(draw(st.integers(1, 4))):
        at, currency = next(times), draw(CURRENCIES)
        due = at + draw(st.integers(0, 12))
        events.append(issued(f"i{number}", draw(hundreds), at=at, due=due, currency=currency))
    events += [
        paid(f"p{number}", draw(hundreds), at=next(times), currency=draw(CURRENCIES))
        for number in range(draw(st.integers(1, 4)))
    ]
    return sorted(events, key=lambda event: event.occurred_at)


CRM_EVENTS = st.sampled_from(
    [
        crm.AccountUpdated,
        crm.ContactPointUpdated,
        crm.ConsentChanged,
        crm.ContactPreferenceChanged,
        crm.DisputeOpened,
        crm.DisputeResolved,
        crm.HoldPlaced,
        crm.HoldReleased,
        crm.CeaseRequested,
        crm.DebtRecalled,
        crm.BreathingSpaceStarted,
    ]
).flatmap(anything)

INTERACTION_EVENTS = st.sampled_from(
    [
        interactions.ContactSent,
        interactions.ContactDelivered,
        interactions.ContactFailed,
        interactions.CallCompleted,
        interactions.ReplyReceived,
        interactions.ReplyRead,
        interactions.PromiseMade,
        interactions.PromiseCancelled,
        interactions.OptOutReceived,
    ]
).flatmap(anything)


def numbered(events: list[Any]) -> list[Any]:
    """The events with ids of their own."""
    return [msgspec.structs.replace(event, event_id=f"n{number}") for number, event in enumerate(events)]
