"""What a template may say: the catalogue of its variables, and their values for one contact.

A value that is not known is left out, so that a template that needs it is not sent with a gap. A statement that the law
does not demand of this contact is empty instead: the same template serves a creditor and a debt collector.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale

from connectors.templates.money import amounts, written_amounts, written_date
from connectors.templates.statements.wording import Statements
from models.account.profile import WHOLE, CrmFacts
from models.addresses import unsubscribe_address
from models.calendar import date_of, day_number, utc
from models.clock import Instant
from models.compliance.validation import period_ends
from schemas.contacts import ContactRequested
from schemas.control import Tenant

DECIDED = {
    "name": "the customer's name; may be empty, so ask: {{ name or 'customer' }}",
    "amount": "what is open, in each currency",
    "invoice_id": "the invoice that the contact is about first",
    "invoices": "how many invoices it is about",
    "due_on": "the day on which the first of them was or will be due",
}
"""From the contact request."""

SENDERS = {
    "business_name": "the tenant's name",
    "postal_address": "its postal address on one line",
    "phone": "where customers can call it",
    "email": "where customers can write to it",
    "website": "where customers can pay or ask",
    "agent_name": "who answers for it, by name",
}
"""From the tenant's `sender`."""

STATEMENTS = {
    "opt_out": "how to get no more contacts on this channel",
    "mini_miranda": "an attempt to collect a debt, from a debt collector; empty where the law does not ask for it",
    "from_debt_collector": "from a debt collector; empty where the law does not ask for it",
    "reply_request": "a request to call back",
    "salutation": "a greeting without a name",
    "sent_at": "the day on which it is sent",
    "validation_information": "what is owed to whom, and what the customer may do about it",
    "validation_period_ends": "the last day to dispute in writing",
}
"""Worded by Recoup, in the language of the template."""

CATALOGUE: Mapping[str, str] = DECIDED | SENDERS | STATEMENTS
"""Variable -> what it is."""


class Contact(msgspec.Struct, frozen=True):
    """One contact that is to be worded."""

    request: ContactRequested
    tenant: Tenant
    crm: CrmFacts
    """What is known of the customer and of the debt."""
    variables: Mapping[str, str]
    """As the request carries them, or newer."""
    at: Instant


def values(contact: Contact, said: Statements, locale: Locale) -> dict[str, Any]:
    """Every variable that has a value.

    Args:
        said: the statements of the template's language, which `locale` is of too.

    Raises:
        ValueError: an amount or a day of the request is none.
    """
    known = dict(_decided(contact.variables)) | sender_values(contact.tenant)
    return known | dict(_statements(contact, said, locale, known))


def _decided(given: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        match name:
            case "amount":
                yield name, amounts(value)
            case "due_on":
                yield name, dt.date.fromisoformat(value)
            case "invoices":
                yield name, int(value)
            case "name" | "invoice_id":
                yield name, value


def sender_values(tenant: Tenant) -> dict[str, str]:
    """What the tenant says of itself; what it leaves empty is left out."""
    sender = tenant.sender
    known = {
        "business_name": sender.name or tenant.name,
        "postal_address": ", ".join(sender.postal_address),
        "phone": sender.phone,
        "email": sender.email,
        "website": sender.website,
        "agent_name": sender.agent,
    }
    return {name: value for name, value in known.items() if value}


def _statements(
    contact: Contact, said: Statements, locale: Locale, known: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    today = utc(contact.at).astimezone(ZoneInfo(contact.tenant.time_zone)).date()
    until = date_of(period_ends(day_number(today)))
    collector = binds(contact)
    link = contact.tenant.sender.unsubscribe.startswith("https:")
    opt_out = said.opt_out.of(contact.request.channel, link=link)
    filled = {
        "phone": known.get("phone"),
        "unsubscribe": unsubscribe_address(contact.tenant.sender.unsubscribe, contact.request.contact_id),
    }
    if "{phone}" not in opt_out or filled["phone"]:
        yield "opt_out", opt_out.format(**filled)
    yield "mini_miranda", said.mini_miranda if collector else ""
    yield "from_debt_collector", said.from_debt_collector if collector else ""
    yield "reply_request", said.reply_request
    yield "salutation", said.salutation
    yield "sent_at", today
    yield "validation_period_ends", until
    if {"invoice_id", "amount", "due_on"} <= known.keys():
        about = (said.what_of_one if known.get("invoices") == 1 else said.what).format(
            invoice_id=known["invoice_id"],
            amount=written_amounts(known["amount"], locale),
            due_on=written_date(known["due_on"], locale),
        )
        yield (
            "validation_information",
            said.validation_information.format(
                what=about, creditor=known["business_name"], until=written_date(until, locale)
            ),
        )


def binds(contact: Contact) -> bool:
    """Whether the statements of the Fair Debt Collection Practices Act are due: what is not known counts as due."""
    tenant, profile = contact.tenant, contact.crm.profile
    debt = contact.crm.debts.get(contact.request.debt_id or WHOLE)
    country = profile.country or tenant.country
    role = (debt and debt.collector_role) or profile.collector_role or tenant.collector_role
    kind = (debt and debt.debt_class) or profile.debt_class or tenant.debt_class
    return country in (None, "US") and role == "third_party" and kind == "consumer"
