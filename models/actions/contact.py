"""What a contact needs besides being chosen: whom it reaches, which invoices it covers, and what it says of them."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from models.account.course import Course, Planned
from models.account.profile import ContactPoint, CrmFacts, Profile
from models.account.standing import Named, Standing
from models.account.state import Facts
from models.calendar import DAY, date_of
from models.clock import Instant
from schemas.currencies import decimals
from schemas.envelope import Channel, Purpose

EXPIRES = DAY
"""A contact that has not left by then is not sent any more; the account has been looked at again since."""

OWN_ROLES = (None, "debtor", "co_debtor", "accounts_payable")
"""Linked parties that owe themselves; anybody else is a third party, who must not learn of the debt."""


class Draft(msgspec.Struct, gc=False):
    """What a contact request says; there is one when a contact was chosen and allowed."""

    channel: Channel
    address: str
    template: str
    variables: dict[str, str]
    debt_id: str | None
    language: str | None
    purpose: Purpose = "collection"
    expires_at: Instant | None = None
    """None = EXPIRES after the decision."""


def covered(standing: Standing, ruling: Named, at: Instant) -> list[Named]:
    """The ruling invoice first, then whatever else is due by then."""
    if len(standing.chaseable) == 1:
        return standing.chaseable
    until = max(at, ruling[0])
    return [ruling, *[named for named in standing.chaseable if named[0] <= until and named is not ruling]]


def variables(covers: Sequence[Named], profile: Profile) -> dict[str, str]:
    """What a template may say: how much is open, in which currencies, since when."""
    first = covers[0][2]
    sums = {first.currency: first.rest}
    for _, _, invoice in covers[1:]:
        sums[invoice.currency] = sums.get(invoice.currency, 0) + invoice.rest
    return {
        "name": profile.name or "",
        "amount": ", ".join(f"{major_units(amount, currency)} {currency}" for currency, amount in sums.items()),
        "invoice_id": covers[0][1],
        "invoices": str(len(covers)),
        "due_on": _written(covers[0][0] // DAY),
    }


def major_units(amount: int, currency: str) -> str:
    """Minor units as a decimal number: 1234 EUR cents are `12.34`."""
    places = decimals(currency)
    if not places:
        return str(amount)
    digits = str(abs(amount)).zfill(places + 1)
    return f"{'-' if amount < 0 else ''}{digits[:-places]}.{digits[-places:]}"


@lru_cache(maxsize=4_096)
def _written(day: int) -> str:
    """A UTC day number as people write it."""
    return date_of(day).isoformat()


def point_for(crm: CrmFacts, channel: str, debt_class: str) -> ContactPoint | None:
    """The customer's own contact point of a channel: verified before unverified, then the one named last."""
    kind = "call" if channel == "voicemail" else channel
    business = (crm.profile.debt_class or debt_class) == "business"
    usable = [
        point
        for point in crm.points.values()
        if point.channel == kind
        and not point.removed
        and (business or not point.workplace)
        and (point.party_id is None or _owes(crm, point.party_id))
    ]
    if len(usable) == 1:
        return usable[0]
    return max(usable, key=lambda point: (point.verified, point.stamp, point.address), default=None)


def _owes(crm: CrmFacts, party_id: str) -> bool:
    party = crm.parties.get(party_id)
    return party is not None and party.linked and party.role in OWN_ROLES


def planned_contacts(facts: Facts, course: Course, at: Instant, mode: str) -> list[Planned]:
    """Contacts decided on and not told of by interaction-events; live, one that never left counts until it expires."""
    touches = facts.interactions.touches
    return [
        contact
        for contact in course.planned
        if contact.contact_id not in touches
        and contact.purpose != "opt_out_confirmation"  # it is exempt from every limit and counts for none
        and (mode == "replay" or at < contact.at + EXPIRES)
    ]
