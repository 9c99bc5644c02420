"""Hours on the consumer's clock: half-open, so that 08:00:00 is inside 08:00-21:00 and 21:00:00 is not."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from tests.compliance_oracle.log import Case
from tests.compliance_oracle.wishes import preferences

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def inside(at: dt.datetime, zone: ZoneInfo, start: str, end: str, days: Any = ()) -> bool:
    """Whether the local time lies in the span; one that ends before it starts runs over midnight."""
    local = at.astimezone(zone)
    clock = local.strftime("%H:%M")
    if start < end:
        return start <= clock < end and (not days or WEEKDAYS[local.weekday()] in days)
    before = WEEKDAYS[(local.weekday() - 1) % 7]
    tonight = clock >= start and (not days or WEEKDAYS[local.weekday()] in days)
    return tonight or (clock < end and (not days or before in days))


def in_any(at: dt.datetime, zone: ZoneInfo, spans: Any) -> bool:
    return any(inside(at, zone, span["start"], span["end"], span.get("days") or ()) for span in spans)


def said_convenient(case: Case, zone: ZoneInfo) -> bool:
    """Whether the customer has said that this hour suits them on this channel."""
    said = preferences(case)
    return bool(said) and in_any(case.at, zone, said[-1].get("convenient") or ())
