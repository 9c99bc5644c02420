"""An account that owes and may be contacted, and requests to do so: what the dispatch tests start from."""

import datetime as dt
from typing import Any

from models.account import state
from models.account.state import AccountState
from models.calendar import instant
from schemas.contacts import ContactRequested
from schemas.control import Limits, Tenant
from schemas.crm import AccountUpdated, ContactPointUpdated
from schemas.envelope import Event
from schemas.payments import Allocation, InvoiceIssued, PaymentReceived

TUESDAY_NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
NOON = instant(TUESDAY_NOON)
ADDRESS = "someone@customer.example"

TENANT = Tenant(
    tenant_id="acme",
    name="Acme",
    currencies=("GBP",),
    time_zone="Europe/London",
    country="GB",
    live_since=dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    limits=Limits(min_hours_between_contacts=24, max_contacts_per_7_days=3),
)


def envelope(account_id: str, number: int, **more: Any) -> dict[str, Any]:
    occurred = TUESDAY_NOON - dt.timedelta(days=1) + dt.timedelta(minutes=number)
    base = {"event_id": f"{account_id}-{number}", "tenant_id": "acme", "account_id": account_id, "source": "test"}
    return base | {"occurred_at": occurred} | more


def owes(account_id: str, invoice_id: str = "i1", amount: int = 1_200, number: int = 3, **more: Any) -> InvoiceIssued:
    """An invoice that is due."""
    due = TUESDAY_NOON - dt.timedelta(days=10)
    fields: dict[str, Any] = {"invoice_id": invoice_id, "amount_minor": amount, "currency": "GBP", "due_at": due}
    return InvoiceIssued(**envelope(account_id, number), **(fields | more))


def paid(account_id: str, amount: int, invoice_id: str = "i1", number: int = 9) -> PaymentReceived:
    """Money for an invoice."""
    fields: dict[str, Any] = {"payment_id": f"p{number}", "amount_minor": amount, "currency": "GBP"}
    allocations = (Allocation(invoice_id=invoice_id, amount_minor=amount),)
    return PaymentReceived(**envelope(account_id, number), **fields, allocations=allocations)


def known(account_id: str) -> list[Event]:
    """What is known of the customer: in London, reachable by e-mail, owes 12 pounds."""
    return [
        owes(account_id),
        AccountUpdated(**envelope(account_id, 1), time_zones=("Europe/London",), country="GB"),
        ContactPointUpdated(**envelope(account_id, 2), channel="email", address=ADDRESS, verified=True),
    ]


def blob_of(*events: Event) -> bytes:
    """The stored state after these events."""
    return state.fold(None, events)


def state_of(*events: Event) -> AccountState:
    return state.decode(blob_of(*events))


def requested(account_id: str, **more: Any) -> ContactRequested:
    fields: dict[str, Any] = {
        "event_id": f"{account_id}:request",
        "tenant_id": "acme",
        "account_id": account_id,
        "occurred_at": TUESDAY_NOON,
        "source": "decide",
        "decision_id": f"{account_id}-d1",
        "contact_id": f"{account_id}-d1:contact",
        "channel": "email",
        "address": ADDRESS,
        "template": "reminder",
        "not_before": TUESDAY_NOON,
        "expires_at": TUESDAY_NOON + dt.timedelta(days=1),
        "idempotency_key": f"{account_id}-d1:contact",
        "variables": {"amount": "12.00 GBP"},
    }
    return ContactRequested(**(fields | more))
