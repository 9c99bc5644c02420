"""The records of who the customer is and what bars a contact: each field as the latest event that names it says."""

from collections.abc import Callable
from typing import Any

import msgspec

from models.account.seen import instant_of
from models.clock import Instant

POINTS = 16
CONSENTS = 32
EXTRA_CALLS = 16
DISPUTES = 32
HOLDS = 32
FLAGS = 64
PARTIES = 16
DEBTS = 16

WHOLE = ""
"""The debt id of what concerns the whole account."""


class Profile(msgspec.Struct, array_like=True, gc=False):
    """What the customer is like. None = never said; empty = said to be unknown."""

    time_zones: tuple[str, ...] | None = None
    country: str | None = None
    state: str | None = None
    city: str | None = None
    zip: str | None = None
    collector_role: str | None = None
    debt_class: str | None = None
    language: str | None = None
    name: str | None = None
    segment: str | None = None
    parent_account_id: str | None = None
    vip: bool | None = None


PROFILE_FIELDS = Profile.__struct_fields__


class ContactPoint(msgspec.Struct, array_like=True, gc=False):
    """A number or address. `blocked` = known to belong to somebody else."""

    channel: str
    address: str
    stamp: int = 0
    verified: bool = False
    workplace: bool = False
    removed: bool = False
    role: str | None = None
    party_id: str | None = None
    line_type: str | None = None
    contact_point_id: str | None = None


class Check(msgspec.Struct, array_like=True, gc=False):
    """What a look-up or a try said about an address."""

    stamp: int
    result: str | None
    line_type: str | None = None
    theirs: int = 0
    """The latest that found the address to be still the customer's; 0 = none did."""
    anothers: int = 0
    """The latest that found it to be somebody else's."""

    @property
    def theirs_at(self) -> int:
        """`theirs`, also in a state that an older release wrote."""
        return max(self.theirs, self.stamp if self.result == "not_reassigned" else 0)

    @property
    def anothers_at(self) -> int:
        """`anothers`, likewise."""
        return max(self.anothers, self.stamp if self.result == "reassigned" else 0)


class Consent(msgspec.Struct, array_like=True, gc=False):
    """The latest word about one channel, address and scope."""

    stamp: int
    granted: bool
    direct: bool = False
    oral: bool = False


class ExtraCalls(msgspec.Struct, array_like=True, gc=False):
    """A word about calls above the frequency limit. All of the latest are kept: past calls are judged by them."""

    stamp: int
    granted: bool
    direct: bool
    debt_id: str | None = None
    address: str | None = None


class Preference(msgspec.Struct, array_like=True, gc=False):
    """When the customer wants to be reached on a channel; spans are (start, end, days) as they were said."""

    stamp: int
    refused: bool = False
    convenient: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    inconvenient: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


class Dispute(msgspec.Struct, array_like=True, gc=False):
    """A dispute of an invoice, or of a debt when no invoice is named. 0 = that half has not been seen."""

    invoice_id: str | None
    debt_id: str | None
    opened: int = 0
    resolved: int = 0
    outcome: str | None = None
    oral: bool = False
    """The latest word of it was spoken; what is not known to be counts as written."""
    upheld: bool = False
    """It was found once that nothing is owed."""


class Hold(msgspec.Struct, array_like=True, gc=False):
    """A hold on a debt or on the whole account."""

    debt_id: str
    placed: int = 0
    released: int = 0
    until: Instant | None = None


class Party(msgspec.Struct, array_like=True, gc=False):
    """Somebody who stands in a relation to the account."""

    stamp: int
    role: str
    linked: bool


class Debt(msgspec.Struct, array_like=True, gc=False):
    """What is known of a placed debt; days are day numbers."""

    stamp: int
    collector_role: str | None = None
    debt_class: str | None = None
    secured_by: str | None = None
    defaulted_on: int | None = None
    last_payment_on: int | None = None
    limitation_on: int | None = None


class BreathingSpace(msgspec.Struct, array_like=True, gc=False):
    """The latest debt respite moratorium."""

    started: int = 0
    ended: int = 0
    ends_at: Instant | None = None
    kind: str = "standard"


class Bars(msgspec.Struct, array_like=True, gc=False):
    """What keeps a debt from being chased. It stands first, so that it can be read without the rest."""

    disputes: dict[str, Dispute] = {}
    holds: dict[str, Hold] = {}
    flags: dict[str, int] = {}
    """What stands against a contact, by name and debt: the latest word's stamp, negative when it no longer stands."""


class CrmFacts(Bars, array_like=True, gc=False):
    """The fold of crm-events."""

    profile: Profile = msgspec.field(default_factory=Profile)
    written: list[int] = []
    """The stamp of each field of the profile, in its order; empty = none was ever written."""
    points: dict[str, ContactPoint] = {}
    """By channel and address."""
    checks: dict[str, Check] = {}
    """By address."""
    consents: dict[str, Consent] = {}
    """By channel, address and scope, and by debt where one is named."""
    preferences: dict[str, Preference] = {}
    """By channel; `""` = all of them."""
    parties: dict[str, Party] = {}
    debts: dict[str, Debt] = {}
    breathing: BreathingSpace | None = None
    workplace_refused: bool = False
    workplace_stamp: int = 0
    events: bytes = b""
    extra_calls: list[ExtraCalls] = []
    """The latest, oldest first."""
    work: dict[str, int] = {}
    """Whether the customer may be reached at work, by channel (`""` = all): the latest word's stamp, negative = not."""


def flag_key(name: str, debt_id: str | None) -> str:
    """The key of a flag; no debt = the whole account."""
    return f"{name}|{debt_id}" if debt_id else name


def flagged_at(facts: CrmFacts, name: str) -> Instant | None:
    """Since when a flag stands on the whole account."""
    written = facts.flags.get(name, 0)
    return instant_of(written) if written > 0 else None


def drop_lightest(records: dict[str, Any], weight: Callable[[Any], Any]) -> None:
    """Make room: the record of the least weight goes, of equal ones the first by name."""
    del records[min(records, key=lambda name: (weight(records[name]), name))]
