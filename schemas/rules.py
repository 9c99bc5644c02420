"""What a rule about contacts is made of: whom it binds, and what it requires of a contact, as data.

The kinds of requirement are few and closed; `models/compliance` says what each of them means. A list that is empty
means: all of them.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.crm import LineType
from schemas.envelope import Channel, CollectorRole, ContactMode, Day, DebtClass, Hours, Name, Purpose
from schemas.interactions import CallOutcome

RuleId = Annotated[str, Meta(pattern=r"^(tenant:)?[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$(?!\n)")]
Pack = Literal["us-federal", "us-ma", "us-wa", "us-dc", "us-nyc", "status", "house", "uk", "gdpr", "carrier"]
Place = Literal["any", "personal", "work"]
Flag = Literal["bankrupt", "cease", "deceased", "fraud", "recalled", "represented", "sold"]
PartyRole = Literal["attorney", "spouse", "executor", "administrator", "personal_representative"]
Days = Annotated[int, Meta(ge=1, le=30)]
"""Dates, the contact's own included. Contacts are kept for as many."""


class _Data(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A part of a rule: an unknown field is an error."""


class Where(_Data, frozen=True, kw_only=True):
    """Where the customer is."""

    country: Annotated[str, Meta(pattern="^[A-Z]{2}$(?!\n)")] | None = None
    """ISO 3166-1; none = everywhere."""
    states: tuple[Name, ...] = ()
    """ISO 3166-2 without the country."""
    except_states: tuple[Name, ...] = ()
    city: Literal["new_york_city"] | None = None


class Who(_Data, frozen=True, kw_only=True):
    """Whose contacts about which debts."""

    roles: tuple[CollectorRole, ...] = ()
    debt_classes: tuple[DebtClass, ...] = ()
    more_days_past_due_than: Annotated[int, Meta(ge=0)] | None = None
    """Only debts past due for longer; one whose default is not known is bound."""
    not_secured_by: tuple[Literal["real_estate", "vehicle", "other"], ...] = ()


class Requirement(_Data, frozen=True, kw_only=True, tag_field="kind"):
    """What is required, and of which contacts."""

    channels: tuple[Channel, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    modes: tuple[ContactMode, ...] = ()
    place: Place = "any"
    """Where the contact goes: to the customer's workplace or not."""
    except_lines: tuple[LineType, ...] = ()
    """Not contacts to these kinds of line; an unknown line is bound."""
    debt_classes: tuple[DebtClass, ...] = ()


class Limit(Requirement, frozen=True, kw_only=True, tag="limit"):
    """At most so many contacts in so many consecutive dates, this one included."""

    most: Annotated[int, Meta(ge=0, le=1000)]
    days: Days
    per: tuple[Literal["person", "debt", "account"], ...]
    """With `debt` only contacts about the same debt count."""
    counted_channels: tuple[Channel, ...] = ()
    counted_purposes: tuple[Purpose, ...] = ()
    """Empty = all but transactional ones, which never count."""
    counted_modes: tuple[ContactMode, ...] = ()
    counted_place: Place = "any"
    except_outcomes: tuple[CallOutcome, ...] = ()
    unless_consent: bool = False
    """Only of contacts to which there is no consent."""
    except_extra_calls: bool = False
    """Neither counts nor forbids a call within 7 dates of a direct consent to extra calls."""


class Distance(Requirement, frozen=True, kw_only=True, tag="distance"):
    """At least so many hours after the last contact."""

    hours: Annotated[float, Meta(ge=0, le=720)]


class Daytime(Requirement, frozen=True, kw_only=True, tag="hours"):
    """Only within these hours on the clock of every zone that the customer may be in."""

    spans: Annotated[tuple[Hours, ...], Meta(min_length=1)]
    zone: Name | None = None
    """On this zone's clock instead."""
    unless_convenient: bool = False
    """Not where the customer has said that this time suits them."""
    only_several_zones: bool = False
    """Only when the customer may be in more than one zone."""


class Consent(Requirement, frozen=True, kw_only=True, tag="consent"):
    """Consent to the channel stands."""

    not_oral: bool = False
    to_address: bool = False
    """Consent to the channel as a whole is not enough."""


class CurrentConsent(Requirement, frozen=True, kw_only=True, tag="current_consent"):
    """The number was texted from or consented to, and that, or a check of it, is at most so many days old."""

    days: Annotated[int, Meta(ge=1, le=366)]


class NoOptOut(Requirement, frozen=True, kw_only=True, tag="no_opt_out"):
    """The customer has not opted out of the channel, nor perhaps done so in a reply that nobody has read yet.

    One confirmation of the opt-out may follow it.
    """

    also_by_sms: tuple[ContactMode, ...] = ()
    """Calls of these modes also end with an opt-out from SMS on the same matter."""
    or_refusal: bool = False
    """Nor has the customer named the channel as one that they refuse."""


class OwnAddress(Requirement, frozen=True, kw_only=True, tag="own_address"):
    """The address was verified, consented to or written from."""


class NoRevocation(Requirement, frozen=True, kw_only=True, tag="no_revocation"):
    """No opt-out from calls or texts stands, whatever matter it was about."""


class Confirmation(Requirement, frozen=True, kw_only=True, tag="confirmation"):
    """It confirms an opt-out that is at most so many minutes old and has not been confirmed yet."""

    minutes: Annotated[int, Meta(ge=1)]


class NoConversation(Requirement, frozen=True, kw_only=True, tag="no_conversation"):
    """No telephone conversation about the debt on one of so many consecutive dates, today included."""

    days: Days
    except_extra_calls: bool = False


class ExtraCalls(Requirement, frozen=True, kw_only=True, tag="extra_calls"):
    """Denies nothing: says what `except_extra_calls` means, in dates from the consent on, its own included."""

    days: Days


class Noticed(Requirement, frozen=True, kw_only=True, tag="validation_notice"):
    """A validation notice was sent, or the first communication is at most so many days old."""

    days: Annotated[int, Meta(ge=0, le=30)]


class NoDispute(Requirement, frozen=True, kw_only=True, tag="no_dispute"):
    """The debt is not disputed."""

    which: Literal["timely_written", "other"]
    """`timely_written` = raised in writing before the validation period was over; `other` = what no such rule holds."""


class NoFlag(Requirement, frozen=True, kw_only=True, tag="no_flag"):
    """None of these stands on the account or the debt."""

    flags: Annotated[tuple[Flag, ...], Meta(min_length=1)]
    except_parties: tuple[PartyRole, ...] = ()
    """Contact points of linked parties of these roles may be used."""
    unless_requested: bool = False
    """A transactional answer that the customer asked for is let through."""


class NoHold(Requirement, frozen=True, kw_only=True, tag="no_hold"):
    """No hold binds the debt."""


class NoBreathingSpace(Requirement, frozen=True, kw_only=True, tag="no_breathing_space"):
    """No debt respite moratorium binds the account."""

    most_days: Annotated[int, Meta(ge=1, le=366)]
    """How long a standard one lasts when no end was told."""


class RightParty(Requirement, frozen=True, kw_only=True, tag="right_party"):
    """The contact point is not known to be somebody else's."""


class Wishes(Requirement, frozen=True, kw_only=True, tag="wishes"):
    """The customer has not refused the channel or the time; an opt-out counts that no other rule in force honours."""


class WorkAllowed(Requirement, frozen=True, kw_only=True, tag="work_allowed"):
    """Not at work when the customer does not want it or the employer forbids it."""


class Content(Requirement, frozen=True, kw_only=True, tag="content"):
    """What a template must say and may not say, by the names of the variables that it prints."""

    needs: tuple[tuple[Name, ...], ...] = ()
    """Of each group at least one."""
    occasion: Literal["any", "initial", "later"] = "any"
    """Only the first contact about a debt, or only those after it."""
    never: tuple[Name, ...] = ()
    only: tuple[Name, ...] = ()
    """It prints nothing but these."""


Requirements = (
    Limit
    | Distance
    | Daytime
    | Consent
    | CurrentConsent
    | NoOptOut
    | OwnAddress
    | NoRevocation
    | Confirmation
    | NoConversation
    | ExtraCalls
    | Noticed
    | NoDispute
    | NoFlag
    | NoHold
    | NoBreathingSpace
    | RightParty
    | Wishes
    | WorkAllowed
    | Content
)


class Rule(_Data, frozen=True, kw_only=True):
    """One rule. It denies a contact when any of what it requires is not so."""

    id: RuleId
    says: Annotated[str, Meta(min_length=1, max_length=500)]
    denies: Annotated[str, Meta(max_length=200)] = ""
    """Why a contact is denied, in a sentence for people; empty = what the rule says."""
    where: Where = Where()
    binds: Who = Who()
    evaluated: Literal["send", "template", "process"] = "send"
    requires: tuple[Requirements, ...] = ()
    opt_in: bool = False
    """Only in force where a tenant turns it on."""
    effective_from: Day | None = None
    effective_to: Day | None = None
    """The last date on which it is in force."""
    source: Annotated[str, Meta(min_length=1, max_length=500)]
    reviewed: bool = False
    """Confirmed in a published source; it is not legal advice."""


class Compliance(_Data, frozen=True, kw_only=True):
    """Which rules bind a tenant besides its limits."""

    packs_off: tuple[Pack, ...] = ()
    rules_on: tuple[RuleId, ...] = ()
    """Rules of the packs that are off by default, such as `HR-1`."""
    rules: Annotated[tuple[Rule, ...], Meta(max_length=50)] = ()
    """The tenant's own, evaluated at send time; their ids begin with `tenant:`. They can only deny more."""
