"""The last look before a contact leaves: in time, the address still the customer's, and allowed by what is known now."""

from collections.abc import Mapping

import msgspec

from models.account import state as account_state
from models.account.profile import ContactPoint
from models.account.state import AccountState
from models.actions.schedule import EXPIRES
from models.calendar import instant
from models.clock import Instant
from models.compliance.gate import Gate, Situation
from schemas.contacts import ContactRequested
from schemas.control import Tenant

EXPIRED = "expired"
TOO_EARLY = "too_early"
UNKNOWN_TENANT = "unknown_tenant"
UNREADABLE_STATE = "unreadable_state"
DENIED = "denied:"
"""Followed by the ids of the rules that deny."""

CODE_LENGTH = 200
CLOCK_SKEW = 60_000
"""The clocks of two machines may differ by so many milliseconds; the rules are asked about our own."""


def objection(
    request: ContactRequested, blob: bytes | None, tenants: Mapping[str, Tenant], gate: Gate, now: Instant
) -> str | None:
    """Why this contact must not leave now, as the code of `contact.failed`; None = it may.

    Args:
        blob: the account's state as decide has stored it last.
    """
    if now >= instant(request.expires_at):
        return EXPIRED
    if now + CLOCK_SKEW < instant(request.not_before):
        return TOO_EARLY
    tenant = tenants.get(request.tenant_id)
    if tenant is None:
        return UNKNOWN_TENANT
    try:
        state = account_state.decode(blob)
    except msgspec.MsgspecError:
        return UNREADABLE_STATE
    verdict = gate.judge(
        Situation(
            at=now,
            channel=request.channel,
            tenant=tenant,
            facts=state.facts,
            point=point_of(state, request),
            debt_id=request.debt_id,
            purpose=request.purpose,
            mode=request.mode,
            planned=planned_before(state, request, now),
        )
    )
    return None if verdict.allowed else (DENIED + ",".join(verdict.denied_by))[:CODE_LENGTH]


def point_of(state: AccountState, request: ContactRequested) -> ContactPoint | None:
    """The contact point that the request names, if it is still in use."""
    kind = "call" if request.channel == "voicemail" else request.channel
    for point in state.facts.crm.points.values():
        if point.channel == kind and point.address == request.address and not point.removed:
            return point
    return None


def planned_before(state: AccountState, request: ContactRequested, now: Instant) -> list[Instant]:
    """Contacts that were decided on before this one and may still be on their way."""
    touches = state.facts.interactions.touches
    planned: list[Instant] = []
    for contact in state.course.planned:
        if contact.contact_id == request.contact_id:
            break
        if contact.contact_id not in touches and now < contact.at + EXPIRES:
            planned.append(contact.at)
    return planned
