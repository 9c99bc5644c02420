"""At what hours a contact is permitted: every rule about hours that binds it, on the clocks that each rule looks at."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from models.calendar import Zone, zone
from models.clock import Instant
from models.compliance.case import Case
from models.compliance.hours import HORIZON, WeekHours, either, outside, over_midnight, spans_of, within
from schemas.rules import Daytime

Clocked = tuple[tuple[Zone, ...], WeekHours]
"""Hours, and the zones in all of which they are asked for."""
EXEMPT_PURPOSE = "opt_out_confirmation"


def clocked(required: Daytime, case: Case) -> Clocked | None:
    """What a rule's hours come to for this contact; None when it does not ask for any."""
    zones = case.who.zones
    if not zones or (required.only_several_zones and len(zones) < 2):
        return None
    if required.zone is not None:
        fixed = zone(required.zone)
        zones = zones if fixed is None else (fixed,)
    week = within(spans_of(required.spans))
    if required.unless_convenient and (said := case.preference()) is not None and said.convenient:
        week = either(spans_of(required.spans), over_midnight(said.convenient))
    return zones, week


def wished(case: Case) -> Iterator[Clocked]:
    """The hours that the customer has asked for."""
    said = case.hours_wished() if case.crm.preferences else None
    if said is None or not case.who.zones or case.purpose == EXEMPT_PURPOSE:
        return
    if said.convenient:
        yield case.who.zones, within(over_midnight(said.convenient))
    if said.inconvenient:
        yield case.who.zones, outside(said.inconvenient)


def permits(hours: Clocked, at: Instant) -> bool:
    """Whether the clocks of all zones show a permitted time."""
    zones, week = hours
    for place in zones:  # noqa: SIM110 - a generator would cost as much again, on the hot path
        if not week.permits(at + place.offset(at)):
            return False
    return True


def in_common(asked: Sequence[Clocked]) -> tuple[Clocked, ...]:
    """The same hours, those of the same zones as one week."""
    weeks: dict[tuple[Zone, ...], WeekHours] = {}
    for zones, week in asked:
        weeks[zones] = week if zones not in weeks else weeks[zones].common(week)
    return tuple(weeks.items())


def next_open(asked: Sequence[Clocked], at: Instant) -> Instant | None:
    """The first instant from `at` on that all of them permit; None when there is none."""
    return _next_open(tuple(asked), at)


@lru_cache(maxsize=16_384)
def _next_open(asked: tuple[Clocked, ...], at: Instant) -> Instant | None:
    # One week for the same zones, so that hours that exclude each other are found at once.
    weeks = in_common(asked)
    limit, agreed = at + HORIZON, False
    while not agreed:
        agreed = True
        for zones, week in weeks:
            for place in zones:
                later = week.next_open(place, at)
                if later is None or later > limit:
                    return None
                if later > at:
                    at, agreed = later, False
    return at
