"""Events as short as a story: days are counted from 2026-03-02T00:00Z, money is in cents."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas import crm, interactions, payments
from schemas.control import Limits, Strategy, Tenant
from schemas.envelope import Hours
from schemas.strategies import Step

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
_numbers = itertools.count(1)


def day(number: float) -> datetime:
    return MONDAY + timedelta(days=number)


def envelope(at: float, event_id: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "event_id": event_id or f"e{next(_numbers)}",
        "tenant_id": "acme",
        "account_id": "a1",
        "occurred_at": day(at),
        "source": "test",
        **more,
    }


def issued(name: str, cents: int = 100_00, *, at: float = 0, due: float = 14, currency: Any = "USD", **more: Any):
    return payments.InvoiceIssued(
        **envelope(at, f"issued-{name}"),
        invoice_id=name,
        amount_minor=cents,
        currency=currency,
        due_at=day(due),
        **more,
    )


def adjusted(name: str, cents: int, *, at: float = 1, adjustment: str = "adj", currency: Any = "USD"):
    return payments.InvoiceAdjusted(
        **envelope(at), invoice_id=name, adjustment_id=adjustment, amount_minor=cents, currency=currency
    )


def voided(name: str, *, at: float = 1):
    return payments.InvoiceVoided(**envelope(at), invoice_id=name)


def written_off(name: str, *, at: float = 1):
    return payments.InvoiceWrittenOff(**envelope(at), invoice_id=name)


def paid(name: str, cents: int, *, at: float = 1, on: dict[str, int] | None = None, currency: Any = "USD", **more: Any):
    allocations = tuple(payments.Allocation(invoice_id=i, amount_minor=a) for i, a in (on or {}).items())
    return payments.PaymentReceived(
        **envelope(at, f"paid-{name}", **more),
        payment_id=name,
        amount_minor=cents,
        currency=currency,
        allocations=allocations,
    )


def reversed_(name: str, cents: int, *, at: float = 2, reversal: str = "rev", currency: Any = "USD"):
    return payments.PaymentReversed(
        **envelope(at), reversal_id=reversal, payment_id=name, amount_minor=cents, currency=currency, kind="chargeback"
    )


def account(at: float = 0, **fields: Any):
    return crm.AccountUpdated(**envelope(at), **fields)


def point(channel: Any = "email", address: str = "a1@example.com", *, at: float = 0, **more: Any):
    return crm.ContactPointUpdated(
        **envelope(at),
        channel=channel,
        address=address,
        verified=True,
        **more,
    )


def consent(state: Any, *, at: float = 0, channel: Any = "sms", **more: Any):
    return crm.ConsentChanged(**envelope(at), channel=channel, state=state, **more)


def opted_out(channel: Any, *, at: float = 1, **more: Any):
    return interactions.OptOutReceived(**envelope(at), channel=channel, **more)


def replied(text: str, *, at: float = 1, channel: Any = "sms", **more: Any):
    return interactions.ReplyReceived(**envelope(at), channel=channel, text=text, **more)


def sent(name: str, *, at: float = 1, channel: Any = "email", **more: Any):
    return interactions.ContactSent(
        **envelope(at, f"sent-{name}"),
        contact_id=name,
        channel=channel,
        **more,
    )


def promised(name: str, cents: int = 100_00, *, at: float = 1, by: int = 9, currency: Any = "USD", **more: Any):
    """A promise for the date that `by` days from the beginning fall on."""
    return interactions.PromiseMade(
        **envelope(at, f"promised-{name}", **more),
        promise_id=name,
        amount_minor=cents,
        currency=currency,
        due_on=day(by).date(),
    )


def cancelled(name: str, *, at: float):
    return interactions.PromiseCancelled(**envelope(at), promise_id=name)


STEPS = (
    Step(id="reminder", at_days=-3, channel="email", template="reminder"),
    Step(id="first", at_days=1, channel="email", template="overdue_first"),
    Step(id="second", at_days=7, channel="email", template="overdue_second"),
    Step(id="person", at_days=30, action="hand_to_person"),
)


def tenant(**fields: Any) -> Tenant:
    """A tenant in New York with STEPS, live for long, whose own limits stay out of the way."""
    defaults: dict[str, Any] = {
        "tenant_id": "acme",
        "name": "Acme",
        "currencies": ("USD", "EUR"),
        "time_zone": "America/New_York",
        "country": "US",
        "state": "TX",
        "live_since": day(-1000),
        "strategy": Strategy(name="test", steps=STEPS),
        "limits": Limits(
            contact_hours=(Hours(start="08:00", end="21:00"),),
            min_hours_between_contacts=0,
            max_contacts_per_7_days=100,
        ),
    }
    return Tenant(**defaults | fields)
