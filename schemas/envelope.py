"""What every message carries besides its payload, and the kinds of value that payloads are made of.

The envelope is flat: its fields stand beside the payload's, `type` says which Struct it is. Fields that hold their
default may be absent. Unknown fields are ignored, so that a producer may be newer than its consumers.
"""

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from schemas.currencies import Currency

__all__ = [
    "EARLIEST",
    "Address",
    "Amount",
    "Channel",
    "CollectorRole",
    "ContactMode",
    "Control",
    "Currency",
    "Day",
    "DebtClass",
    "Event",
    "Hours",
    "Id",
    "LocalTime",
    "Money",
    "Name",
    "Probability",
    "Purpose",
    "Sum",
    "Text",
    "Timestamp",
    "account_key",
    "type_of",
]

EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
"""Nothing that the pipeline is told of may have happened before; a setting without a date has this one."""

MAX_MONEY = 10**15
"""Ten trillion in major units: more is a fault, and sums of thousands of such still fit in 64 bits."""

MAX_SUM = 2**63 - 1
"""What 64 bits hold."""

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(max_length=200)]
Address = Annotated[
    str, Meta(min_length=1, max_length=500, description="Phone number (E.164), e-mail or postal address.")
]
Text = Annotated[str, Meta(max_length=10_000)]
Timestamp = Annotated[
    dt.datetime,
    Meta(
        tz=True,
        description="RFC 3339 with an offset; UTC is preferred.",
        extra_json_schema={"pattern": r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}([.]\d+)?([Zz]|[+-]\d{2}:?\d{2})$"},
    ),
]
Day = Annotated[dt.date, Meta(extra_json_schema={"pattern": r"^\d{4}-\d{2}-\d{2}$"})]
LocalTime = Annotated[
    str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$(?!\n)", description="HH:MM on the customer's clock.")
]

Money = Annotated[int, Meta(ge=-MAX_MONEY, le=MAX_MONEY, description="Minor units of the currency; may be negative.")]
Amount = Annotated[int, Meta(ge=1, le=MAX_MONEY, description="Minor units of the currency; positive.")]
Sum = Annotated[int, Meta(ge=-MAX_SUM, le=MAX_SUM, description="Minor units of several postings; may be negative.")]
Probability = Annotated[float, Meta(ge=0.0, le=1.0)]

Channel = Literal["call", "voicemail", "sms", "email", "letter"]
CollectorRole = Literal["creditor", "third_party"]
DebtClass = Literal["consumer", "business"]
ContactMode = Literal["live", "autodialled", "artificial"]
Purpose = Literal["collection", "transactional", "opt_out_confirmation", "consent_request", "validation_notice"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Hours(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A span of the customer's day, from `start` up to but without `end`."""

    start: LocalTime
    end: LocalTime
    days: tuple[Weekday, ...] = ()
    """Empty = every day."""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag_field="type"):
    """The base of everything that travels on a topic: something that happened, mostly to an account."""

    event_id: Id
    tenant_id: Id
    account_id: Id
    occurred_at: Timestamp
    source: Id
    schema_version: Annotated[int, Meta(ge=1)] = 1
    history: bool = False
    """Folded into the state, but never a reason to decide."""


class Control(Event, frozen=True, kw_only=True):
    """A setting that every worker holds; the newest message of a key is in force. Who and when may be left out."""

    event_id: str = ""
    account_id: Literal[""] = ""
    occurred_at: Timestamp = EARLIEST
    source: str = ""


def account_key(tenant_id: str, account_id: str) -> bytes:
    """The key of an account's messages; tenant ids hold no `|`, so the first one ends the tenant."""
    return f"{tenant_id}|{account_id}".encode()


def type_of(event: Event | type[Event]) -> str:
    """The `type` of an event or of its Struct, such as `payment.received`."""
    tag: Any = event.__struct_config__.tag
    return str(tag)
