"""What is told about a contact afterwards. The same request has one outcome with one id, however often it is read."""

from hashlib import blake2b

import msgspec

from connectors.channels.channel import OPTED_OUT
from connectors.redis.attempts import Ending
from connectors.redis.ledger import Record
from models.calendar import utc
from schemas.contacts import ContactRequested
from schemas.envelope import account_key
from schemas.facts import AccountEscalated
from schemas.interactions import ContactFailed, ContactSent, OptOutReceived

INTERACTIONS = "interaction-events"
CUSTOMER_EVENTS = "customer-events"
SOURCE = "dispatch"
DOUBT = "contact_unknown"
"""Why a person must look: nobody knows whether the customer has the contact."""

encode = msgspec.json.Encoder().encode


def outcome_id(idempotency_key: str) -> str:
    """The id of the event that tells how a request ended."""
    return "contact-" + blake2b(idempotency_key.encode(), digest_size=16).hexdigest()


def outcome(request: ContactRequested, ending: Ending) -> ContactSent | ContactFailed:
    """The event that tells how a request ended."""
    if ending.status == "failed":
        return ContactFailed(
            event_id=outcome_id(request.idempotency_key),
            tenant_id=request.tenant_id,
            account_id=request.account_id,
            occurred_at=utc(ending.at),
            source=SOURCE,
            contact_id=request.contact_id,
            channel=request.channel,
            decision_id=request.decision_id,
            address=request.address,
            debt_id=request.debt_id,
            code=ending.code,
        )
    return ContactSent(
        event_id=outcome_id(request.idempotency_key),
        tenant_id=request.tenant_id,
        account_id=request.account_id,
        occurred_at=utc(ending.at),
        source=SOURCE,
        contact_id=request.contact_id,
        channel=request.channel,
        decision_id=request.decision_id,
        address=request.address,
        debt_id=request.debt_id,
        handover="accepted" if ending.status == "sent" else "unknown",
        purpose=request.purpose,
        mode=request.mode,
        template=request.template,
        invoice_ids=request.invoice_ids,
        provider=ending.provider,
        provider_message_id=ending.provider_id,
    )


def records(request: ContactRequested, ending: Ending) -> list[Record]:
    """The outcome as it is published, and what follows from it: a doubt for a person, an opt-out that the provider knew."""
    key = account_key(request.tenant_id, request.account_id)
    told: list[Record] = [(INTERACTIONS, key, encode(outcome(request, ending)), None)]
    if ending.status == "unknown":
        told.append((CUSTOMER_EVENTS, key, encode(_doubt(request, ending)), None))
    if ending.status == "failed" and (ending.code or "").partition(":")[0] == OPTED_OUT:
        told.append((INTERACTIONS, key, encode(_opt_out(request, ending)), None))
    return told


def _doubt(request: ContactRequested, ending: Ending) -> AccountEscalated:
    return AccountEscalated(
        event_id=outcome_id(request.idempotency_key) + ":doubt",
        tenant_id=request.tenant_id,
        account_id=request.account_id,
        occurred_at=utc(ending.at),
        source=SOURCE,
        reason=f"{DOUBT}:{ending.code}"[:200],
        decision_id=request.decision_id,
    )


def _opt_out(request: ContactRequested, ending: Ending) -> OptOutReceived:
    """The customer told the provider, which therefore refuses: from now on everybody knows."""
    return OptOutReceived(
        event_id=outcome_id(request.idempotency_key) + ":opt-out",
        tenant_id=request.tenant_id,
        account_id=request.account_id,
        occurred_at=utc(ending.at),
        source=SOURCE,
        channel=request.channel,
        address=request.address,
        received_by=request.channel,
    )
