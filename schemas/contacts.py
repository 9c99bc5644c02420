"""contact-requests: contacts that dispatch shall make, each at most once."""

import msgspec

from schemas.envelope import Address, Channel, ContactMode, Event, Id, Name, Purpose, Timestamp


class ContactRequested(Event, frozen=True, kw_only=True, tag="contact.requested"):
    """Send this, not before and not after, unless the law or the account has changed since."""

    decision_id: Id
    contact_id: Id
    channel: Channel
    address: Address
    template: Id
    not_before: Timestamp
    expires_at: Timestamp
    idempotency_key: Id
    purpose: Purpose = "collection"
    mode: ContactMode = "live"
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    debt_id: Id | None = None
    invoice_ids: tuple[Id, ...] = ()
    language: Name | None = None
