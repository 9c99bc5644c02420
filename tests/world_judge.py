"""A long simulated run before the oracle: what was sent that it forbids, and what was denied that it would allow."""

from collections.abc import Iterator
from typing import Any

import msgspec

from models.calendar import utc
from recoup.simulator.world.log import Account
from recoup.simulator.world.opening import debt_of, email_of, phone_of
from recoup.simulator.world.population import Population
from schemas import payments
from tests.compliance_oracle.judge import judge_contact

OWN = ("tenant:", "strategy:")
"""Rules that the tenant has given itself; the oracle reads the law alone."""
NO_POINT = "no_contact_point"


def forbidden(population: Population, accounts: list[Account]) -> Iterator[tuple[int, str, set[str]]]:
    """Customer, contact and the rules that forbid it, for each contact that left and should not have."""
    for customer, account in enumerate(accounts):
        if not account.contacts:
            continue
        facts = [msgspec.to_builtins(event) for event in account.events if not _is_money(event)]
        for at, contact, _ in account.contacts:
            asked = {
                "at": utc(at).isoformat(), "contact_id": contact.contact_id, "channel": contact.channel,
                "mode": contact.mode, "purpose": contact.purpose, "debt_id": contact.debt_id,
                "contact_point": {"address": contact.address, "verified": True},
            }  # fmt: skip
            if denied := judge_contact(facts, asked, given(population, customer)):
                yield customer, contact.contact_id, denied


def denials(population: Population, accounts: list[Account]) -> Iterator[tuple[int, str, set[str], set[str]]]:
    """Customer, channel, the law's rules that denied and those that the oracle finds.

    Each account's first denial by a set of rules on a channel is asked about.
    """
    for customer, account in enumerate(accounts):
        asked: set[tuple[str, tuple[str, ...]]] = set()
        for decision, heard in account.decisions:
            for option in decision.actions:
                law = tuple(rule for rule in option.denied_by if not rule.startswith(OWN))
                if not law or option.channel is None or NO_POINT in law or (option.channel, law) in asked:
                    continue
                asked.add((option.channel, law))
                contact = {
                    "at": decision.occurred_at.isoformat(), "channel": option.channel,
                    "debt_id": debt_of(customer) if population.third_party[customer] else None,
                    "contact_point": {"address": _address(population, customer, option.channel, account), "verified": True},
                }  # fmt: skip
                found = judge_contact(
                    _known(account, heard, decision.decision_id), contact, given(population, customer)
                )
                yield customer, option.channel, set(law), found


def given(population: Population, customer: int) -> dict[str, Any]:
    """What the tenant says of its accounts."""
    tenant = population.tenant_of(customer)
    return {"collector_role": tenant.collector_role, "debt_class": tenant.debt_class, "country": tenant.country}


def _known(account: Account, heard: int, decision_id: str) -> list[dict[str, Any]]:
    """What had been heard, and what had been sent without its report having come back."""
    told = account.events[:heard]
    facts = [msgspec.to_builtins(event) for event in told if not _is_money(event)]
    reported = {fact.get("contact_id") for fact in facts}
    for at, contact, before in account.contacts:
        if before <= heard and contact.contact_id not in reported and contact.decision_id != decision_id:
            facts.append(
                {
                    "type": "contact.sent",
                    "occurred_at": utc(at).isoformat(),
                    "contact_id": contact.contact_id,
                    "channel": contact.channel,
                    "address": contact.address,
                    "debt_id": contact.debt_id,
                    "purpose": contact.purpose,
                }
            )
    return facts


def _is_money(event: Any) -> bool:
    return type(event).__module__ == payments.__name__


def _address(population: Population, customer: int, channel: str, account: Account) -> str:
    if channel == "email":
        return email_of(customer, population.tenant_ids[population.tenant[customer]])
    if channel == "letter":
        address: str = next(
            event.address
            for event in account.events
            if getattr(event, "channel", "") == "letter" and hasattr(event, "address")
        )
        return address
    return phone_of(customer)
