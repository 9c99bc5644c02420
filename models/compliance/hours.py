"""Spans of the customer's week in which a contact is permitted, and the next instant in them: exact at DST changes."""

from collections.abc import Iterable
from functools import lru_cache

from models.calendar import DAY, HOUR, MINUTE, Zone, weekday
from models.clock import Instant
from schemas.envelope import Hours

Spans = tuple[tuple[str, str, tuple[str, ...]], ...]
"""(start, end, days) with HH:MM on the customer's clock; no days = every day; the end is not part of the span."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HORIZON = 400 * DAY
"""Nothing that passes with time takes longer than this; what does is answered with never."""


class WeekHours:
    """The permitted part of each weekday, as half-open spans of local milliseconds."""

    def __init__(self, days: Iterable[Iterable[tuple[int, int]]]) -> None:
        """`days`: for Monday to Sunday the spans, which may touch and overlap."""
        self.days = tuple(_merged(spans) for spans in days)
        self._known: dict[tuple[str, Instant], Instant | None] = {}

    def next_open(self, zone: Zone, at: Instant) -> Instant | None:
        """The first instant from `at` on that lies within a span on the zone's clock; None when there is none."""
        key = (zone.name, at)
        if key not in self._known:
            if len(self._known) > 4_096:
                self._known.clear()
            self._known[key] = self._search(zone, at)
        return self._known[key]

    def _search(self, zone: Zone, at: Instant) -> Instant | None:
        # Between two changes of the offset local time runs evenly, so the answer there is arithmetic.
        limit = at + HORIZON
        while at < limit:
            until, offset = zone.next_change(at), zone.offset(at)
            opened = self._next_wall(at + offset)
            if opened is None:
                return None
            if opened - offset < until:
                return opened - offset
            at = until
        return None

    def _next_wall(self, wall: int) -> int | None:
        day, clock = divmod(wall, DAY)
        for start, end in self.days[weekday(day)]:
            if clock < end:
                return day * DAY + max(clock, start)
        for later in range(day + 1, day + 8):
            for start, _ in self.days[weekday(later)]:
                return later * DAY + start
        return None

    def first_start(self) -> int:
        """The earliest start of any day, in local milliseconds; 0 when nothing is permitted."""
        return min((spans[0][0] for spans in self.days if spans), default=0)


def _merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def clock_time(text: str) -> int:
    """HH:MM as local milliseconds; 24:00 is the end of the day."""
    hours, _, minutes = text.partition(":")
    return int(hours) * HOUR + int(minutes) * MINUTE


def spans_of(hours: Iterable[Hours]) -> Spans:
    """Hours of a message as plain values."""
    return tuple((span.start, span.end, tuple(span.days)) for span in hours)


def _by_day(spans: Spans) -> list[list[tuple[int, int]]]:
    week: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    for start, end, days in spans:
        for day in days or WEEKDAYS:
            week[WEEKDAYS.index(day)].append((clock_time(start), clock_time(end)))
    return week


@lru_cache(maxsize=4_096)
def within(spans: Spans) -> WeekHours:
    """Only in one of the spans. One whose end is not after its start is empty: it permits nothing."""
    return WeekHours(_by_day(spans))


@lru_cache(maxsize=4_096)
def outside(spans: Spans) -> WeekHours:
    """Never in any of the spans. One whose end is not after its start reaches over midnight."""
    barred: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    for number, day in enumerate(_by_day(spans)):
        for start, end in day:
            if start < end:
                barred[number].append((start, end))
            else:
                barred[number].append((start, DAY))
                barred[(number + 1) % 7].append((0, end))
    return WeekHours(_complement(_merged(day)) for day in barred)


def _complement(spans: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    edges = [0, *(edge for span in spans for edge in span), DAY]
    return list(zip(edges[::2], edges[1::2], strict=True))
