"""crm-events: who the customer is, how they may be reached, and what bars a contact.

In every type a `debt_id` that is absent means the whole account.
"""

from typing import Literal

from schemas.envelope import (
    Address,
    Amount,
    Channel,
    CollectorRole,
    Currency,
    Day,
    DebtClass,
    Event,
    Hours,
    Id,
    Name,
    Text,
    Timestamp,
)

LineType = Literal["mobile", "landline", "voip", "unknown"]
Form = Literal["written", "electronic", "oral"]
"""How something was said; absent = unknown."""


class AccountUpdated(Event, frozen=True, kw_only=True, tag="account.updated"):
    """Facts about the customer. An absent field is unchanged; an empty one is unknown from now on."""

    name: Name | None = None
    segment: Name | None = None
    language: Name | None = None
    """BCP 47, such as `en` or `es-US`."""
    time_zones: tuple[Name, ...] | None = None
    """Every IANA zone that the customer may be in."""
    country: Name | None = None
    """ISO 3166-1 alpha-2; anything else counts as unknown."""
    state: Name | None = None
    """ISO 3166-2 without the country, such as `MA`, or `ENG` for a nation of GB."""
    city: Name | None = None
    zip: Name | None = None
    collector_role: CollectorRole | None = None
    debt_class: DebtClass | None = None
    parent_account_id: Name | None = None
    vip: bool | None = None


class PartyLinked(Event, frozen=True, kw_only=True, tag="party.linked"):
    """A person or company stands in a relation to the account; `linked: false` ends it."""

    party_id: Id
    role: Literal[
        "debtor",
        "co_debtor",
        "guarantor",
        "payer",
        "accounts_payable",
        "representative",
        "attorney",
        "debt_adviser",
        "spouse",
        "executor",
        "administrator",
        "personal_representative",
    ]
    name: Name | None = None
    linked: bool = True


class DebtPlaced(Event, frozen=True, kw_only=True, tag="debt.placed"):
    """A debt was given to us to collect."""

    debt_id: Id
    amount_minor: Amount | None = None
    currency: Currency | None = None
    original_creditor: Name | None = None
    defaulted_on: Day | None = None
    last_payment_on: Day | None = None
    limitation_on: Day | None = None
    """From this day on a court action is barred by time."""
    secured_by: Literal["nothing", "real_estate", "vehicle", "other"] | None = None
    collector_role: CollectorRole | None = None
    debt_class: DebtClass | None = None


class DebtRecalled(Event, frozen=True, kw_only=True, tag="debt.recalled"):
    """The creditor has taken the debt back."""

    debt_id: Id | None = None
    reason: Text | None = None


class DebtSold(Event, frozen=True, kw_only=True, tag="debt.sold"):
    """The debt belongs to somebody else now."""

    debt_id: Id | None = None
    buyer: Name | None = None


class DebtChargedOff(Event, frozen=True, kw_only=True, tag="debt.charged_off"):
    """The creditor has booked the debt as a loss; it is still owed."""

    debt_id: Id | None = None
    amount_minor: Amount | None = None
    currency: Currency | None = None


class ContactPointUpdated(Event, frozen=True, kw_only=True, tag="contact_point.updated"):
    """A number or address of the customer or a linked party; `removed: true` = no longer used."""

    channel: Channel
    address: Address
    contact_point_id: Id | None = None
    role: Name | None = None
    party_id: Id | None = None
    verified: bool = False
    workplace: bool = False
    line_type: LineType | None = None
    removed: bool = False


class ContactPointChecked(Event, frozen=True, kw_only=True, tag="contact_point.checked"):
    """A contact point was looked up in a database or tried."""

    address: Address
    result: Literal["not_reassigned", "reassigned", "reachable", "bounced"] | None = None
    channel: Channel | None = None
    line_type: LineType | None = None
    database: Name | None = None


class ContactPreferenceChanged(Event, frozen=True, kw_only=True, tag="contact_preference.changed"):
    """When, where and how the customer wants to be reached. It replaces what was said about the same channels."""

    channels: tuple[Channel, ...] = ()
    """The channels that this is about; empty = all."""
    refused: bool = False
    """Do not use these channels at all."""
    convenient: tuple[Hours, ...] = ()
    """Only then; empty = no such wish."""
    inconvenient: tuple[Hours, ...] = ()
    """Never then."""
    workplace_refused: bool | None = None
    """Not at work, or the employer forbids it."""
    language: Name | None = None


class ConsentChanged(Event, frozen=True, kw_only=True, tag="consent.changed"):
    """Consent to be contacted was given or taken back. `extra_calls` = to calls above the frequency limit."""

    channel: Literal["call", "voicemail", "sms", "email", "letter", "all"]
    state: Literal["granted", "revoked"]
    scope: Literal["contact", "extra_calls"] = "contact"
    address: Address | None = None
    direct: bool = False
    """Given by the person to us, not handed over by the creditor."""
    form: Form | None = None
    wording: Text | None = None
    evidence: Text | None = None
    debt_id: Id | None = None


class DisputeOpened(Event, frozen=True, kw_only=True, tag="dispute.opened"):
    """The customer says that an invoice, or a debt, is not owed. No invoice = the debt."""

    dispute_id: Id | None = None
    invoice_id: Id | None = None
    debt_id: Id | None = None
    amount_minor: Amount | None = None
    currency: Currency | None = None
    form: Form | None = None
    reason: Text | None = None


class DisputeResolved(Event, frozen=True, kw_only=True, tag="dispute.resolved"):
    """`verified` = proof was sent, the chase may go on; `upheld` = not owed; `withdrawn` = the customer gave it up.

    No `dispute_id` = the dispute of the same invoice or debt.
    """

    outcome: Literal["verified", "upheld", "withdrawn"]
    dispute_id: Id | None = None
    invoice_id: Id | None = None
    debt_id: Id | None = None


class HoldPlaced(Event, frozen=True, kw_only=True, tag="hold.placed"):
    """No collection contact until the hold is released or its time is over."""

    hold_id: Id | None = None
    debt_id: Id | None = None
    until: Timestamp | None = None
    reason: Text | None = None


class HoldReleased(Event, frozen=True, kw_only=True, tag="hold.released"):
    """A hold is over. No `hold_id` = every hold of the debt."""

    hold_id: Id | None = None
    debt_id: Id | None = None


class HardshipDeclared(Event, frozen=True, kw_only=True, tag="hardship.declared"):
    """The customer cannot pay for now."""

    review_at: Timestamp | None = None
    reason: Text | None = None


class HardshipEnded(Event, frozen=True, kw_only=True, tag="hardship.ended"):
    """The customer can pay again."""


class VulnerabilityReported(Event, frozen=True, kw_only=True, tag="vulnerability.reported"):
    """The customer needs particular care; `kind` is a code of the tenant's own, never health data in words."""

    kind: Name | None = None
    ended: bool = False


class BreathingSpaceStarted(Event, frozen=True, kw_only=True, tag="breathing_space.started"):
    """A debt respite moratorium (Great Britain) binds the account."""

    kind: Literal["standard", "mental_health"] = "standard"
    ends_at: Timestamp | None = None


class BreathingSpaceEnded(Event, frozen=True, kw_only=True, tag="breathing_space.ended"):
    """The moratorium is over before its time."""


class RepresentationChanged(Event, frozen=True, kw_only=True, tag="representation.changed"):
    """Somebody speaks for the customer, or no longer does."""

    represented: bool
    kind: Literal["attorney", "debt_adviser", "other"] | None = None
    party_id: Id | None = None
    debt_id: Id | None = None


class CeaseRequested(Event, frozen=True, kw_only=True, tag="cease_requested"):
    """The customer wants no further communication; a form that is unknown counts as written."""

    form: Form | None = None
    debt_id: Id | None = None
    withdrawn: bool = False


class BankruptcyFiled(Event, frozen=True, kw_only=True, tag="bankruptcy.filed"):
    """The customer is under the protection of a court."""

    chapter: Name | None = None
    case_number: Name | None = None


class BankruptcyEnded(Event, frozen=True, kw_only=True, tag="bankruptcy.ended"):
    """The case is over. After a discharge the debts are not owed any more."""

    outcome: Literal["dismissed", "closed", "discharged"] | None = None


class DeceasedReported(Event, frozen=True, kw_only=True, tag="deceased.reported"):
    """The customer has died."""

    died_on: Day | None = None


class FraudReported(Event, frozen=True, kw_only=True, tag="fraud.reported"):
    """Identity theft or fraud is claimed; `withdrawn: true` = the claim no longer stands."""

    kind: Name | None = None
    debt_id: Id | None = None
    withdrawn: bool = False


class ErasureRequested(Event, frozen=True, kw_only=True, tag="erasure.requested"):
    """The customer wants their personal data erased."""

    request_id: Id | None = None
    answer_by: Timestamp | None = None
