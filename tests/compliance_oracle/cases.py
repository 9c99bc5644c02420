"""Cases written by hand from the words of the rules: both sides of each boundary, over DST changes and month ends."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

Line = dict[str, Any]
NEVER = "never"


@dataclass(frozen=True)
class Written:
    """One line, the rules that must deny it, and when it is allowed next where the case says so (`never` = null)."""

    line: Line
    denied_by: frozenset[str]
    next_allowed: str | None = None


EASTERN = "America/New_York"
THIRD = {"collector_role": "third_party", "debt_class": "consumer", "country": "US"}
OHIO = {**THIRD, "state": "OH", "time_zones": [EASTERN]}
OHIO_CREDITOR = {**OHIO, "collector_role": "creditor"}
BOSTON = {**THIRD, "state": "MA", "time_zones": [EASTERN]}
BOSTON_CREDITOR = {**BOSTON, "collector_role": "creditor"}
SEATTLE = {**THIRD, "state": "WA", "time_zones": ["America/Los_Angeles"]}
WASHINGTON = {**THIRD, "collector_role": "creditor", "state": "DC", "time_zones": [EASTERN]}
NEW_YORK = {**THIRD, "state": "NY", "city": "Brooklyn", "time_zones": [EASTERN]}
ALBANY = {**NEW_YORK, "city": "Albany"}
LONDON = {
    "collector_role": "creditor",
    "debt_class": "consumer",
    "country": "GB",
    "state": "ENG",
    "time_zones": ["Europe/London"],
}
PARIS = {"collector_role": "creditor", "debt_class": "consumer", "country": "FR", "time_zones": ["Europe/Paris"]}
FIRM = {**OHIO, "debt_class": "business"}


def at(local: str, zone: str = EASTERN) -> str:
    """RFC 3339 of a time on a zone's clock."""
    return dt.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).isoformat()


def fact(what: str, local: str, zone: str = EASTERN, /, **payload: Any) -> Line:
    return {"type": what, "occurred_at": at(local, zone), **payload}


def consent(local: str, channel: str = "sms", zone: str = EASTERN, **payload: Any) -> Line:
    return fact("consent.changed", local, zone, **{"channel": channel, "state": "granted", **payload})


def was(local: str, channel: str = "call", outcome: str | None = "no_answer", zone: str = EASTERN, **more: Any) -> Line:
    return {
        "at": at(local, zone),
        "channel": channel,
        "debt_id": "d1",
        "direction": "outbound",
        "outcome": outcome,
        "purpose": "collection",
        **more,
    }


def noticed(local: str = "2026-01-05T12:00", zone: str = EASTERN, **more: Any) -> Line:
    """A validation notice by letter, long before most cases."""
    return {**was(local, "letter", "sent", zone), "purpose": "validation_notice", **more}


def line(
    name: str,
    when: str,
    account: Line,
    *,
    channel: str = "call",
    facts: tuple[Line, ...] = (),
    history: tuple[Line, ...] = (),
    point: Line | None = None,
    **contact: Any,
) -> Line:
    """One line of input; `when` is on the clock of the account's first zone, unless it has an offset."""
    zone = (account.get("time_zones") or [EASTERN])[0]
    moment = when if when[-6] in "+-" or when.endswith("Z") else at(when, zone)
    place = {"address": "debtor@example.org" if channel == "email" else "+16175550100", "verified": True}
    return {
        "case": name,
        "at": moment,
        "contact": {"channel": channel, "debt_id": "d1", "contact_point": {**place, **(point or {})}, **contact},
        "account": account,
        "facts": list(facts),
        "history": list(history),
    }


def written(line: Line, *denied_by: str, then: str | None = None) -> Written:
    return Written(line, frozenset(denied_by), then)
