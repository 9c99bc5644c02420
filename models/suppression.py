"""What must hold for a contact point whoever's it is: an opt-out, a wrong party or a reassigned number binds every account.

An account's own facts already bar its own contacts. This is for the tenant's other accounts that name the same number
or address. A later word of the account that is to be contacted, and of no other, lifts it there: its own consent an
opt-out, its own naming of the contact point a wrong party. So one account's consent never opens another's.
"""

from collections.abc import Mapping

import msgspec

from models.account.profile import ContactPoint, CrmFacts
from models.account.seen import instant_of
from models.account.state import Facts
from models.calendar import instant
from models.clock import Instant
from schemas.crm import ConsentChanged, ContactPointChecked
from schemas.envelope import Event
from schemas.interactions import CallCompleted, OptOutReceived, ReplyRead, ReplyReceived

OPT_OUT = "opt_out:"
"""Followed by the channel, or `all`."""
WRONG_PARTY = "wrong_party"
REASSIGNED = "reassigned"
SOMEBODY_ELSES = (WRONG_PARTY, REASSIGNED)

TELLING = frozenset({OptOutReceived, ReplyReceived, ReplyRead, CallCompleted, ContactPointChecked, ConsentChanged})
"""The types of event that may suppress a contact point."""


class Suppression(msgspec.Struct, frozen=True, gc=False):
    """A contact point that the tenant must not use, and since when. Told again, the later instant holds."""

    tenant_id: str
    address: str
    kind: str
    at: Instant


def suppressions_of(event: Event, facts: Facts) -> list[Suppression]:
    """What one event that was just folded into an account says about its contact points, for all accounts.

    Args:
        facts: the account's, the event included.
    """
    tenant, at = event.tenant_id, instant(event.occurred_at)
    match event:
        case CallCompleted(outcome="wrong_party", address=str(address)):
            return [Suppression(tenant, address, WRONG_PARTY, at)]
        case ContactPointChecked(result="reassigned"):
            return [Suppression(tenant, event.address, REASSIGNED, at)]
        case OptOutReceived():
            return _opted_out(tenant, event.channel, event.address, at, facts)
        case ConsentChanged(state="revoked", scope="contact"):
            return _opted_out(tenant, event.channel, event.address, at, facts)
        case ReplyReceived() | ReplyRead():
            return _read(event, at, facts)
    return []


def _read(event: ReplyReceived | ReplyRead, at: Instant, facts: Facts) -> list[Suppression]:
    """Whatever was made of a reply: what the account has known since this very instant."""
    found: list[Suppression] = []
    for key, since in facts.interactions.opt_outs.items():
        if since == at:
            channel, address = key.split("|")[:2]
            found += _opted_out(event.tenant_id, channel, address or event.address, at, facts)
    if event.address and facts.interactions.blocked.get(event.address) == at:
        found.append(Suppression(event.tenant_id, event.address, WRONG_PARTY, at))
    return found


def _opted_out(tenant: str, channel: str, address: str | None, at: Instant, facts: Facts) -> list[Suppression]:
    """An opt-out that names no address hangs on every contact point of the account that it is about."""
    addresses = [address] if address else _points(facts.crm, channel)
    return [Suppression(tenant, one, OPT_OUT + channel, at) for one in addresses]


def _points(crm: CrmFacts, channel: str) -> list[str]:
    wanted = _kind(channel)
    return sorted({point.address for point in crm.points.values() if wanted in ("all", point.channel)})


def kinds_for(channel: str) -> tuple[str, ...]:
    """Everything that may keep a contact on this channel from a contact point."""
    named = {OPT_OUT + channel, OPT_OUT + _kind(channel), OPT_OUT + "all"}
    return (*sorted(named), *SOMEBODY_ELSES)


def _kind(channel: str) -> str:
    """A voicemail is left at a number that is called."""
    return "call" if channel == "voicemail" else channel


def standing(
    found: Mapping[str, Instant], *, channel: str, purpose: str, point: ContactPoint, crm: CrmFacts
) -> tuple[str, ...]:
    """The kinds that bar this contact, sorted; empty = none does.

    Args:
        found: what is known of the contact point, by kind.
        crm: of the account that is to be contacted.
    """
    if not found:
        return ()
    named = instant_of(point.stamp)
    barred: list[str] = []
    for kind, at in found.items():
        if kind in SOMEBODY_ELSES:
            cleared = kind == REASSIGNED and _found_to_be_theirs(crm, point.address)
            lifted = max(named, cleared or 0)
        elif purpose == "opt_out_confirmation":
            continue  # the one contact that an opt-out itself calls for
        else:
            lifted = _consented(crm, channel, point.address)
        if at >= lifted:
            barred.append(kind)
    return tuple(sorted(barred))


def _found_to_be_theirs(crm: CrmFacts, address: str) -> Instant:
    check = crm.checks.get(address)
    return instant_of(check.theirs) if check is not None else 0


def _consented(crm: CrmFacts, channel: str, address: str) -> Instant:
    """When this account last gave its consent to be contacted there, in writing and for all its debts; 0 = never."""
    given = 0
    for name in {channel, _kind(channel), "all"}:
        for where in ("", address):
            consent = crm.consents.get(f"{name}|{where}|contact")
            if consent is not None and consent.granted and not consent.oral:
                given = max(given, instant_of(consent.stamp))
    return given
