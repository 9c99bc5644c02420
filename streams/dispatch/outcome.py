"""What is told about a contact afterwards. The same request has one outcome with one id, however often it is read."""

from hashlib import blake2b

import msgspec

from connectors.redis.attempts import Ending
from connectors.redis.ledger import Record
from models.calendar import utc
from schemas.contacts import ContactRequested
from schemas.envelope import account_key
from schemas.interactions import ContactFailed, ContactSent

INTERACTIONS = "interaction-events"
SOURCE = "dispatch"

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


def record(request: ContactRequested, ending: Ending) -> Record:
    """The outcome as it is published."""
    key = account_key(request.tenant_id, request.account_id)
    return INTERACTIONS, key, encode(outcome(request, ending)), None
