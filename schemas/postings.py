"""ledger-postings: what each event of payment-events did to an account's books."""

from typing import Literal

import msgspec

from schemas.envelope import Channel, Currency, Day, Event, Id, Name, Sum


class PostedLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The change of what is open of one invoice."""

    invoice_id: Id
    amount_minor: Sum
    """Positive = more is open."""
    due_on: Day
    """On the tenant's calendar."""
    placed_on: Day
    """When its debt was placed; where no placement is known, when the invoice was issued. On the tenant's calendar."""
    opened: Literal[-1, 0, 1] = 0
    """1 = the invoice became open, -1 = it is open no more."""


class LedgerPosted(Event, frozen=True, kw_only=True, tag="ledger.posted"):
    """One event moved money or an invoice in one currency; `occurred_at` and `history` are the event's own."""

    cause: Name
    """The type of the event."""
    caused_by: Id
    """Its `event_id`."""
    invoice_id: Id | None = None
    """The invoice that the event names; absent = it names none, as money does not."""
    placed_on: Day | None = None
    """Of that invoice, where no line says it; absent too while it has not been issued. On the tenant's calendar."""
    currency: Currency
    booked_on: Day
    """The day of `occurred_at` on the tenant's calendar."""
    cash_minor: Sum = 0
    """Money that arrived; negative = went back."""
    on_account_minor: Sum = 0
    """Change of the credit that is on no issued invoice; positive = in the customer's favour."""
    recovered_minor: Sum = 0
    """The part of the cash that went onto invoices that were written off, which are open no more."""
    contact_id: Id | None = None
    """The last contact that had left within 14 days before the money arrived."""
    contact_channel: Channel | None = None
    lines: tuple[PostedLine, ...] = ()
