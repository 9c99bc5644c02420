"""One line of `recoup compliance check` turned into a case, or into an error that names the field; no look-up is made.

What the line does not say is unknown. Facts and history are folded as an account's events are, without a tenant, and
only those up to the instant that is asked about.
"""

import datetime as dt
from functools import cache
from typing import Any, get_args

import msgspec

from models.account.interactions import Touch
from models.account.profile import PROFILE_FIELDS
from models.account.state import Facts
from models.calendar import instant
from models.clock import Instant
from models.compliance.case import Case, point_named
from models.compliance.live import said_by
from models.compliance.who import who_is
from schemas.envelope import Channel, ContactMode, Event, Purpose
from schemas.errors import BadInput
from schemas.registry import topic_named
from schemas.replay import ReplayMarker

FIRST_YEAR, LAST_YEAR = 1990, 2199
CHANNELS, MODES, PURPOSES = map(get_args, (Channel, ContactMode, Purpose))
DIRECTIONS = ("outbound", "inbound")
OUTCOMES = (
    *("no_answer", "conversation", "voicemail", "not_connected", "wrong_party", "third_party"),
    *("sent", "delivered", "opened", "clicked", "bounced", "failed", "unknown"),
)
TOPICS = ("crm-events", "interaction-events")
NUMBERED = ("call", "voicemail", "sms")

ENDS = ("until", "ends_at")
"""Fields of facts that may lie far ahead."""
_EARLIEST: Instant = 1
_LATEST: Instant = instant(dt.datetime(LAST_YEAR + 1, 12, 31, tzinfo=dt.UTC))


class BadCase(BadInput):
    """A line that cannot be judged."""


def case_from(line: dict[str, Any]) -> Case:
    """The case that a line describes; raises BadCase."""
    at = _time(line, "at", "at")
    if not FIRST_YEAR <= dt.datetime.fromtimestamp(at / 1000, dt.UTC).year <= LAST_YEAR:
        raise BadCase(f"`at`: expected a time in the years {FIRST_YEAR} to {LAST_YEAR}")
    contact = line.get("contact")
    if not isinstance(contact, dict):
        raise BadCase("`contact`: missing; expected an object with at least a channel")
    channel = _one_of(contact, "channel", CHANNELS, None, "contact")
    debt_id = _text(contact, "debt_id", "contact")
    point = _object(contact, "contact_point", "contact")
    address = normal(_text(point, "address", "contact.contact_point") or "")
    facts = _facts(line, at)
    workplace = _flag(point, "workplace", "contact.contact_point")
    verified = _flag(point, "verified", "contact.contact_point")
    known = point_named(facts.crm, channel, address)
    if known is not None:
        workplace = known.workplace if workplace is None else workplace
        verified = known.verified if verified is None else verified
    return Case(
        at=at,
        channel=channel,
        who=who_is(said_by(facts.crm, debt_id)),
        crm=facts.crm,
        interactions=facts.interactions,
        purpose=_one_of(contact, "purpose", PURPOSES, "collection", "contact"),
        mode=_one_of(contact, "mode", MODES, "live", "contact"),
        debt_id=debt_id,
        address=address,
        workplace=workplace or False,
        verified=verified or False,
        planned=_history(line, at),
        requested=_flag(contact, "requested", "contact") or False,
        line=_text(point, "line_type", "contact.contact_point"),
    )


# -- what is known -----------------------------------------------------------------------------------------------------


def _facts(line: dict[str, Any], at: Instant) -> Facts:
    facts = Facts()
    _describe(facts, line)
    events = [_event(raw, place) for place, raw in enumerate(_list(line, "facts"))]
    for event in sorted(events, key=lambda event: event.occurred_at):
        if instant(event.occurred_at) <= at:
            facts.apply(event)
    return facts


def _describe(facts: Facts, line: dict[str, Any]) -> None:
    """The account as the line says it is, before any fact changes it. Nothing here makes a line bad but its shape."""
    account = _object(line, "account", "")
    for name in PROFILE_FIELDS:
        if name == "time_zones":
            said = account.get(name)
            zones = said if isinstance(said, list) else [said]
            facts.crm.profile.time_zones = tuple(str(zone) for zone in zones if zone not in (None, ""))
        elif isinstance(value := account.get(name), str | int) and not isinstance(value, bool):
            setattr(facts.crm.profile, name, str(value))


def _event(raw: Any, place: int) -> Event:
    where = f"facts[{place}]"
    if not isinstance(raw, dict):
        raise BadCase(f"`{where}`: expected an object with a type and occurred_at")
    kind = raw.get("type")
    struct = _structs().get(kind) if isinstance(kind, str) else None
    if struct is None:
        raise BadCase(
            f"`{where}.type`: {'missing' if kind is None else 'unknown'}; expected a type of crm-events or"
            " interaction-events, such as consent.changed (`recoup schemas list` shows them)"
        )
    happened = _time(raw, "occurred_at", f"{where}.occurred_at")
    payload = {name: value for name, value in raw.items() if value is not None}
    if isinstance(payload.get("address"), str):
        payload["address"] = normal(payload["address"])
    payload |= {
        "event_id": str(raw.get("event_id") or f"fact-{place}"),
        "tenant_id": "check",
        "account_id": "check",
        "source": "check",
        "occurred_at": dt.datetime.fromtimestamp(happened / 1000, dt.UTC),
    }
    payload.pop("schema_version", None)
    for name in ENDS:
        if isinstance(said := payload.get(name), str) and _year(said) > LAST_YEAR:
            del payload[name]  # whoever writes 9999 means that there is no end
    try:
        return msgspec.convert(payload, struct)
    except msgspec.ValidationError as error:
        raise BadCase(f"`{where}` ({kind}): {_without_values(error)}") from error


@cache
def _structs() -> dict[str, type[Event]]:
    return {
        name: spec.struct
        for topic in TOPICS
        for name, spec in topic_named(topic).types.items()
        if spec.struct is not ReplayMarker
    }


def _without_values(error: msgspec.ValidationError) -> str:
    """Without what was sent: msgspec quotes what was sent in place of a wrong choice; that may be personal data."""
    message = str(error)
    if message.startswith("Invalid enum value"):
        _, _, path = message.partition(" - at ")
        return f"not one of the values allowed here{f' - at {path}' if path else ''}"
    return message


def _history(line: dict[str, Any], at: Instant) -> list[Touch]:
    touches = [_touch(raw, f"history[{place}]") for place, raw in enumerate(_list(line, "history"))]
    return [touch for touch in touches if touch.at <= at]


def _touch(raw: Any, where: str) -> Touch:
    if not isinstance(raw, dict):
        raise BadCase(f"`{where}`: expected an object with at and channel")
    moment = _time(raw, "at", f"{where}.at")
    channel = _one_of(raw, "channel", CHANNELS, None, where)
    outcome = _one_of(raw, "outcome", OUTCOMES, "unknown", where)
    if channel == "call" and outcome == "voicemail":
        channel = "voicemail"
    point = _object(raw, "contact_point", where)
    return Touch(
        at=moment,
        channel=channel,
        outcome=outcome,
        stamp=0,
        sent=True,
        purpose=_one_of(raw, "purpose", PURPOSES, "collection", where),
        inbound=_one_of(raw, "direction", DIRECTIONS, "outbound", where) == "inbound",
        mode=_one_of(raw, "mode", MODES, "live", where),
        address=normal(_text(raw, "address", where) or _text(point, "address", where) or "") or None,
        debt_id=_text(raw, "debt_id", where),
        workplace=_flag(point, "workplace", where),
    )


# -- fields ------------------------------------------------------------------------------------------------------------


def normal(address: str) -> str:
    """An address as it is compared: e-mail without regard to case, numbers without what separates their digits."""
    address = address.strip()
    if "@" in address:
        return address.casefold()
    bare = address.translate(_SEPARATORS)
    return bare if bare.lstrip("+").isdigit() else address


_SEPARATORS = str.maketrans("", "", " -().\u00a0")


def _time(raw: dict[str, Any], name: str, where: str) -> Instant:
    said = raw.get(name)
    if said is None:
        raise BadCase(f"`{where}`: missing; expected a time of RFC 3339 with an offset")
    try:
        moment = msgspec.convert(said, dt.datetime) if isinstance(said, str) else None
    except msgspec.ValidationError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadCase(f"`{where}`: expected a time of RFC 3339 with an offset, such as 2026-03-03T20:59:59-05:00")
    return min(max(instant(moment), _EARLIEST), _LATEST)


def _year(said: str) -> int:
    return int(said[:4]) if said[:4].isdecimal() else 0


def _one_of(raw: dict[str, Any], name: str, choices: tuple[str, ...], default: str | None, where: str) -> str:
    said = raw.get(name)
    if said in (None, "") and default is not None:
        return default
    if not isinstance(said, str) or said not in choices:
        raise BadCase(f"`{where}.{name}`: {'missing' if said is None else 'unknown'}; expected {', '.join(choices)}")
    return said


def _text(raw: dict[str, Any], name: str, where: str) -> str | None:
    said = raw.get(name)
    if said is None or said == "":
        return None
    if isinstance(said, bool) or not isinstance(said, str | int):
        raise BadCase(f"`{where}.{name}`: expected a string")
    return str(said)


def _flag(raw: dict[str, Any], name: str, where: str) -> bool | None:
    said = raw.get(name)
    if said is not None and not isinstance(said, bool):
        raise BadCase(f"`{where}.{name}`: expected true or false")
    return said


def _object(raw: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    said = raw.get(name)
    if said in (None, "", []):
        return {}
    if not isinstance(said, dict):
        raise BadCase(f"`{f'{where}.' if where else ''}{name}`: expected an object")
    return said


def _list(raw: dict[str, Any], name: str) -> list[Any]:
    said = raw.get(name)
    if said in (None, "", {}):
        return []
    if not isinstance(said, list):
        raise BadCase(f"`{name}`: expected a list")
    return said
