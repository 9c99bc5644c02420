"""CloudEvents 1.0 in Kafka's binary form: our envelope as `ce_` headers, and headers that must not contradict it.

The message's value stays as it is; who speaks CloudEvents reads the headers, everybody else the envelope.
Attributes: https://github.com/cloudevents/spec, Kafka protocol binding 1.0.2, section 3.2.
"""

import datetime as dt
from collections.abc import Iterable
from urllib.parse import quote, unquote

import msgspec

from schemas.envelope import Event, type_of

SPEC_VERSION = "1.0"
PREFIX = "ce_"
_REQUIRED = ("ce_id", "ce_source", "ce_specversion", "ce_type")
# What a URI reference may hold besides letters and digits.
_URI_SAFE = "-._~:/?#[]@!$&'()*+,;="

Headers = Iterable[tuple[str, bytes | str | None]]


def headers_of(event: Event) -> list[tuple[str, bytes]]:
    """The headers to send an event with."""
    said = {
        "ce_specversion": SPEC_VERSION,
        "ce_id": event.event_id,
        "ce_type": type_of(event),
        "ce_source": quote(event.source, safe=_URI_SAFE),
        "ce_time": event.occurred_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "ce_subject": event.account_id,
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in said.items() if value]


def contradicted(headers: Headers, event: Event) -> str | None:
    """The first `ce_` header that is missing, malformed or says something else than the event; None when all agree.

    A message without any `ce_` header is no CloudEvent, and fine.
    """
    said: dict[str, str] = {}
    for name, value in headers:
        if name.lower().startswith(PREFIX):
            try:
                said[name.lower()] = value.decode() if isinstance(value, bytes) else value or ""
            except UnicodeDecodeError:
                return name.lower()
    if not said:
        return None
    return next((name for name in (*_REQUIRED, "ce_time") if not _agrees(name, said.get(name), event)), None)


def _agrees(name: str, said: str | None, event: Event) -> bool:
    match name:
        case "ce_specversion":
            return said == SPEC_VERSION
        case "ce_id":
            return said == event.event_id
        case "ce_type":
            return said == type_of(event)
        case "ce_source":
            return said is not None and unquote(said) == unquote(event.source)
        case _:
            return said is None or _instant(said) == event.occurred_at


def _instant(text: str) -> dt.datetime | None:
    try:
        return msgspec.convert(text, dt.datetime)
    except msgspec.ValidationError:
        return None
