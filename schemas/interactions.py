"""interaction-events: what was sent and said, in both directions."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.envelope import Address, Amount, Channel, ContactMode, Currency, Day, Event, Id, Name, Purpose, Text

CallOutcome = Literal["conversation", "third_party", "voicemail", "no_answer", "not_connected", "wrong_party"]
"""`conversation` = with the right party. A busy line is `not_connected`."""


class Contact(Event, frozen=True, kw_only=True):
    """What the reports about one contact share. `decision_id` absent = somebody else made the contact."""

    contact_id: Id
    channel: Channel
    decision_id: Id | None = None
    address: Address | None = None
    debt_id: Id | None = None


class ContactSent(Contact, frozen=True, kw_only=True, tag="contact.sent"):
    """A contact has left. `unknown` = the provider did not answer: it counts as sent and is never repeated blindly."""

    handover: Literal["accepted", "unknown"] = "accepted"
    purpose: Purpose = "collection"
    mode: ContactMode = "live"
    template: Id | None = None
    invoice_ids: tuple[Id, ...] = ()
    provider: Name | None = None
    provider_message_id: Name | None = None


class ContactDelivered(Contact, frozen=True, kw_only=True, tag="contact.delivered"):
    """The provider says that it arrived."""


class ContactBounced(Contact, frozen=True, kw_only=True, tag="contact.bounced"):
    """It left and could not be delivered; `permanent` = the contact point is dead."""

    permanent: bool = False
    code: Name | None = None


class ContactFailed(Contact, frozen=True, kw_only=True, tag="contact.failed"):
    """It never left, so it does not count as a contact."""

    code: Name | None = None


class ContactOpened(Contact, frozen=True, kw_only=True, tag="contact.opened"):
    """The customer has opened it."""


class ContactClicked(Contact, frozen=True, kw_only=True, tag="contact.clicked"):
    """The customer has followed a link in it."""

    link: Name | None = None
    """Which link, by its name in the template; never the address that it leads to."""


class CallCompleted(Event, frozen=True, kw_only=True, tag="call.completed"):
    """A telephone call has ended, in either direction."""

    outcome: CallOutcome
    direction: Literal["outbound", "inbound"] = "outbound"
    mode: ContactMode = "live"
    purpose: Purpose = "collection"
    contact_id: Id | None = None
    decision_id: Id | None = None
    address: Address | None = None
    debt_id: Id | None = None
    agent: Name | None = None
    handle_seconds: Annotated[float, Meta(ge=0)] | None = None


class ReplyReceived(Event, frozen=True, kw_only=True, tag="reply.received"):
    """The customer has written or spoken, in their own words."""

    channel: Channel
    text: Text
    address: Address | None = None
    contact_id: Id | None = None
    debt_id: Id | None = None


Intent = Literal["opt_out", "dispute", "promise", "paid_already", "wrong_person", "hardship", "question", "other"]
"""What a reply wants. `opt_out`: no more contacts on the channel; `wrong_person`: they are not the customer."""


class ReplyRead(Event, frozen=True, kw_only=True, tag="reply.read"):
    """A person has read the customer's replies on a channel, up to now, and says what they want.

    No reply on that channel from before `occurred_at` waits for a person any more. An opt-out or a wrong person takes
    effect with it; a promise, a dispute or hardship is told by its own event as well.
    """

    reply_id: Id
    """The event id of the reply; of the last one, when several were read together."""
    channel: Channel
    intent: Intent
    reader: Name
    """Who has read it: a person's name or number in the tenant's own system."""
    address: Address | None = None
    """Where the reply came from; without it an opt-out is for the whole channel, and no address is blocked."""


class PromiseMade(Event, frozen=True, kw_only=True, tag="promise.made"):
    """The customer has promised to pay by the end of a day."""

    promise_id: Id
    amount_minor: Amount
    currency: Currency
    due_on: Day
    invoice_ids: tuple[Id, ...] = ()
    debt_id: Id | None = None
    channel: Channel | None = None


class PromiseCancelled(Event, frozen=True, kw_only=True, tag="promise.cancelled"):
    """The promise no longer holds."""

    promise_id: Id
    reason: Text | None = None


class OptOutReceived(Event, frozen=True, kw_only=True, tag="opt_out.received"):
    """The customer wants no more contacts on a channel. No address = every address of the channel."""

    channel: Literal["sms", "email", "call", "voicemail", "letter", "all"]
    address: Address | None = None
    received_by: Channel | None = None
    """The channel that the wish arrived on, when it is another."""
    text: Text | None = None


class ComplaintReceived(Event, frozen=True, kw_only=True, tag="complaint.received"):
    """The customer has complained about how they were treated."""

    complaint_id: Id | None = None
    channel: Channel | None = None
    category: Name | None = None
    text: Text | None = None
