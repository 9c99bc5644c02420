"""The control topics: tenants, and which model and policy is in force for them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.envelope import CollectorRole, Control, Currency, DebtClass, Hours, Name, Timestamp
from schemas.rules import Compliance
from schemas.strategies import ActionStrategy, Step

TenantId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$(?!\n)")]
"""Lower case and without `|`, because keys, tables and file names are made of it."""

CONTACT_HOURS = (Hours(start="08:00", end="21:00"),)


class Strategy(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """What is done to an unpaid invoice, and when."""

    name: Name
    steps: tuple[Step, ...] = ()


class Limits(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """How often and when an account may be contacted; the law may be stricter."""

    contact_hours: tuple[Hours, ...] = CONTACT_HOURS
    """On the customer's clock; a contact must lie within one of them."""
    min_hours_between_contacts: Annotated[float, Meta(ge=0, le=8760)] = 24
    max_contacts_per_7_days: Annotated[int, Meta(ge=0, le=1000)] = 3


class Sender(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """How a tenant presents itself in its contacts. A channel that needs what is empty here sends nothing."""

    name: Name = ""
    """Empty = the tenant's name."""
    postal_address: Annotated[tuple[Name, ...], Meta(max_length=6)] = ()
    """Its lines, without the name."""
    email: Name = ""
    """E-mail comes from here, and answers go here."""
    number: Name = ""
    """E.164, or a short code: SMS and calls come from here."""
    phone: Name = ""
    """Where customers can call, as it is written to them."""
    website: Name = ""
    """Where customers can pay or ask."""
    unsubscribe: Name = ""
    """https address or e-mail address (mailto:) that takes opt-outs from e-mail; `{contact_id}` in it says whose."""
    agent: Name = ""
    """Who answers for the tenant, by name: a limited-content voicemail (12 CFR 1006.2(j)) names a natural person."""


class Tenant(Control, frozen=True, kw_only=True, tag="tenant.changed"):
    """A business that collects through Recoup. Without `live_since` its events are folded and never decided on."""

    tenant_id: TenantId
    name: Name
    currencies: Annotated[tuple[Currency, ...], Meta(min_length=1)]
    time_zone: Name
    """IANA; for accounts that name none."""
    country: Name | None = None
    state: Name | None = None
    collector_role: CollectorRole = "creditor"
    debt_class: DebtClass = "consumer"
    live_since: Timestamp | None = None
    strategy: Strategy = Strategy(name="none")
    limits: Limits = Limits()
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$(?!\n)")] = "en"
    """BCP 47; for customers of whom no language is known, or none that a template speaks."""
    sender: Sender = Sender()
    compliance: Compliance = Compliance()


class ModelReleased(Control, frozen=True, kw_only=True, tag="model.released"):
    """A model shall score a tenant's accounts; tenant `*` = every tenant without its own."""

    role: Literal["champion", "challenger"]
    model: Name
    """Content hash of the model's folder; empty = none of its own from now on: what all tenants have, or the baseline."""
    location: Name = ""
    features_hash: Name = ""
    target: Name = ""
    released_by: Name = ""
    override: str | None = None
    """Why a release that a check had refused was let through."""
    moment: Name = ""
    """When the model was trained to score, such as `issue`."""
    previous: Annotated[tuple[Name, ...], Meta(max_length=10)] = ()
    """Models that were in force before, newest first; a rollback takes the first."""
    signature: Name = ""
    """HMAC-SHA256 of the fields above and the tenant, by who may release."""


class PolicyReleased(Control, frozen=True, kw_only=True, tag="policy.released"):
    """A policy shall choose a tenant's actions; tenant `*` = every tenant without its own."""

    role: Literal["policy", "shadow"]
    policy: Name
    """Kind, name and version of the strategy, such as `nba:household@3f2a91c0`; empty = none of its own from now on: what
    all tenants have, or the tenant's own schedule."""
    location: Name = ""
    explore_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    hold_out_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    experiment: Name = ""
    """Salt of the assignment to arms."""
    ends_at: Timestamp | None = None
    released_by: Name = ""
    strategy: ActionStrategy | None = None
    """The whole of it; workers need no file."""
    previous: Annotated[tuple[ActionStrategy, ...], Meta(max_length=5)] = ()
    """Strategies that were in force before, newest first and whole; a rollback takes the first."""
    signature: Name = ""
    """HMAC-SHA256 of all the other fields, by who may release."""


_TENANT = msgspec.json.Decoder(Tenant)


def decode_tenant(value: bytes) -> Tenant:
    """Read a message of the tenants topic; raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    return _TENANT.decode(value)
