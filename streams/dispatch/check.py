"""The last look before a contact leaves: still owed, still the customer's address, and allowed by what is known now.

What the request says of amounts was true when it was decided. What is sent says what is open now: a demand for money
that has been paid since would be false, and to send nothing at all would leave whoever pays in parts without a word.
"""

from collections.abc import Mapping

import msgspec

from connectors.redis.attempts import Stored
from models.account import state as account_state
from models.account.bars import disputed
from models.account.course import Planned
from models.account.profile import ContactPoint
from models.account.standing import Named, standing_of
from models.account.state import AccountState
from models.actions.contact import EXPIRES, variables
from models.calendar import MINUTE, instant
from models.clock import Instant
from models.compliance.gate import Gate, Situation
from models.suppression import standing as suppressed_by
from schemas.contacts import ContactRequested
from schemas.control import Tenant

EXPIRED = "expired"
"""Followed by `:` and what it waited for, if it had to."""
TOO_LATE = "too_late"
"""A confirmation of an opt-out that would come later than the law lets it: 47 CFR 64.1200(a)(12)."""
SETTLED = "settled"
"""Nothing is open of what the contact was to be about."""
DISPUTED = "disputed"
HELD = "held"
"""What is open is held, recalled or sold."""
PROMISED = "promised"
"""The customer has promised to pay since."""
UNKNOWN_TENANT = "unknown_tenant"
UNREADABLE_STATE = "unreadable_state"
DENIED = "denied:"
"""Followed by the ids of the rules that deny."""
SUPPRESSED = "suppressed:"
"""Followed by what stands against the contact point for every account of the tenant."""

CODE_LENGTH = 200
CLOCK_SKEW = 60_000
"""The clocks of two machines may differ by so many milliseconds; the rules are asked about our own."""
CONFIRMED_WITHIN = 5 * MINUTE


class Looked(msgspec.Struct, frozen=True):
    """What was found right before a contact is to leave."""

    blob: bytes | None
    """The account's state as decide has stored it last."""
    suppressions: Mapping[str, Instant] = {}
    """What stands against the contact point in the tenant's list, by kind."""
    begun: Mapping[str, Stored] = {}
    """The account's other contacts that were begun or have ended, by contact id."""


class Cleared(msgspec.Struct):
    """A contact that may leave now."""

    tenant: Tenant
    state: AccountState
    variables: dict[str, str]
    """What its template may say, as of now."""


def inspect(
    request: ContactRequested,
    tenants: Mapping[str, Tenant],
    gate: Gate,
    now: Instant,
    looked: Looked,
) -> Cleared | str:
    """The contact that may leave, or the code of `contact.failed` that says why it must not."""
    if now >= instant(request.expires_at):
        return EXPIRED
    if request.purpose == "opt_out_confirmation" and now > instant(request.occurred_at) + CONFIRMED_WITHIN:
        return TOO_LATE
    tenant = tenants.get(request.tenant_id)
    if tenant is None:
        return UNKNOWN_TENANT
    try:
        state = account_state.decode(looked.blob)
    except msgspec.MsgspecError:
        return UNREADABLE_STATE
    point = point_of(state, request)
    listed = _listed(request, state, point, looked.suppressions)
    verdict = gate.judge(
        Situation(
            at=now,
            channel=request.channel,
            tenant=tenant,
            facts=state.facts,
            point=point,
            debt_id=request.debt_id,
            purpose=request.purpose,
            mode=request.mode,
            planned=others_of(state, request, now, looked.begun),
            suppressed=listed,
        )
    )
    if not verdict.allowed:
        return (DENIED + ",".join(verdict.denied_by))[:CODE_LENGTH]
    if listed:  # whatever the gate makes of it
        return (SUPPRESSED + ",".join(listed))[:CODE_LENGTH]
    covers = still_owed(request, state, now)
    if isinstance(covers, str):
        return covers
    said = request.variables | variables(covers, state.facts.crm.profile) if covers else request.variables
    return Cleared(tenant, state, said)


def _listed(
    request: ContactRequested, state: AccountState, point: ContactPoint | None, suppressions: Mapping[str, Instant]
) -> tuple[str, ...]:
    """What stands against the contact point and this account has not lifted for itself."""
    if point is None or not suppressions:
        return ()
    return suppressed_by(
        suppressions, channel=request.channel, purpose=request.purpose, point=point, crm=state.facts.crm
    )


def still_owed(request: ContactRequested, state: AccountState, now: Instant) -> list[Named] | str:
    """The invoices that the contact is about and that may still be chased, the one that ruled it first; or why none is.

    A contact that asks for no money is about none.
    """
    about = request.invoice_ids
    if request.purpose != "collection" and not about:
        return []
    facts = state.facts
    standing = standing_of(facts, now, now)
    still_open = _named(standing.open, about)
    if not still_open:
        return SETTLED
    if request.purpose != "collection":
        return still_open
    chaseable = _named(standing.chaseable, about)
    if not chaseable:
        return DISPUTED if _all_disputed(state, still_open) else HELD
    since = instant(request.occurred_at)
    promises = facts.contacts.promises.values()
    if any(promise.known and promise.cancelled_at is None and promise.made_at > since for promise in promises):
        return PROMISED
    return chaseable


def _named(invoices: list[Named], about: tuple[str, ...]) -> list[Named]:
    if not about:
        return invoices
    places = {name: place for place, name in enumerate(about)}
    return sorted((named for named in invoices if named[1] in places), key=lambda named: places[named[1]])


def _all_disputed(state: AccountState, invoices: list[Named]) -> bool:
    return all(disputed(state.facts.bars, name, invoice.debt_id) for _, name, invoice in invoices)


def point_of(state: AccountState, request: ContactRequested) -> ContactPoint | None:
    """The contact point that the request names, if it is still in use.

    An opt-out is confirmed to where it came from, also when nobody has named that as the customer's.
    """
    kind = "call" if request.channel == "voicemail" else request.channel
    for point in state.facts.crm.points.values():
        if point.channel == kind and point.address == request.address:
            return None if point.removed else point
    return ContactPoint(kind, request.address) if request.purpose == "opt_out_confirmation" else None


def others_planned(blob: bytes | None, request: ContactRequested) -> list[str]:
    """The account's other contacts that were decided on lately; a damaged state has none."""
    try:
        planned = account_state.open_stored(blob).course.planned
    except msgspec.MsgspecError:
        return []
    return [contact.contact_id for contact in planned if contact.contact_id != request.contact_id]


def others_of(
    state: AccountState, request: ContactRequested, now: Instant, begun: Mapping[str, Stored]
) -> list[Planned]:
    """The account's other contacts that its state has not heard of yet.

    Of those that have left it counts when they did, which may be long after they were decided on; of those that wait,
    only the ones that were decided on before this one: the later ones will find this one.
    """
    touches = state.facts.interactions.touches
    others: list[Planned] = []
    earlier = True
    for contact in state.course.planned:
        if contact.contact_id == request.contact_id:
            earlier = False
        elif contact.contact_id not in touches:
            if (known := begun.get(contact.contact_id)) is not None:
                attempt = known.attempt
                if attempt.ending is None or attempt.ending.status != "failed":
                    others.append(Planned(contact.contact_id, attempt.began, contact.channel, contact.purpose))
            elif earlier and now < contact.at + EXPIRES:
                others.append(contact)
    return others
