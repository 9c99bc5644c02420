"""Spans of the customer's week in which a contact is permitted, and the next instant in them: exact at DST changes."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from models.calendar import DAY, HOUR, MINUTE, Zone, weekday
from models.clock import Instant
from schemas.envelope import Hours

Spans = tuple[tuple[str, str, tuple[str, ...]], ...]
"""(start, end, days) with HH:MM on the customer's clock; no days = every day; the end is not part of the span."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HORIZON = 400 * DAY
"""Nothing that passes with time takes longer than this; what does is answered with never."""
SEEN_AHEAD = 370 * DAY
"""A search without an answer goes on holding as long as it has looked this far: every change of the clocks is in a year."""


class WeekHours:
    """The permitted part of each weekday, as half-open spans of local milliseconds."""

    def __init__(self, days: Iterable[Iterable[tuple[int, int]]]) -> None:
        """`days`: for Monday to Sunday the spans, which may touch and overlap."""
        self.days = tuple(_merged(spans) for spans in days)

    def permits(self, wall: int) -> bool:
        """Whether a local time (milliseconds, as if it were UTC) lies within a span."""
        day, clock = divmod(wall, DAY)
        for start, end in self.days[(day + 3) % 7]:  # noqa: SIM110 - the weekday; without a call or generator: the hot path
            if start <= clock < end:
                return True
        return False

    def next_open(self, zone: Zone, at: Instant) -> Instant | None:
        """The first instant from `at` on that lies within a span on the zone's clock; None when there is none."""
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

    def common(self, other: "WeekHours") -> "WeekHours":
        """What both permit."""
        days = zip(self.days, other.days, strict=True)
        return WeekHours(tuple((max(a, c), min(b, d)) for a, b in mine for c, d in its) for mine, its in days)

    def first_start(self) -> int:
        """The earliest start of any day, in local milliseconds; 0 when nothing is permitted."""
        return min((spans[0][0] for spans in self.days if spans), default=0)


class Daytime:
    """Several rules about hours, in every zone that the customer may be in: all must permit."""

    def __init__(self, zones: tuple[Zone, ...], weeks: Sequence[tuple[str, WeekHours]]) -> None:
        """`weeks`: each with the id of its rule."""
        self.zones = zones
        self.weeks = weeks
        self.common = _common([week for _, week in weeks])
        self._denied: tuple[Instant, tuple[str, ...]] = (-1, ())
        self._opens: tuple[Instant, Instant | None] = (-1, -1)

    def denied(self, at: Instant) -> tuple[str, ...]:
        """The rules that deny at an instant; a batch asks for the same one again and again."""
        if self._denied[0] != at:
            walls = [zone.wall(at) for zone in self.zones]
            rules = [rule for rule, week in self.weeks if not all(week.permits(wall) for wall in walls)]
            self._denied = at, tuple(rules)
        return self._denied[1]

    def next_open(self, at: Instant) -> Instant | None:
        """The first instant from `at` on that all permit; None when there is none."""
        asked, answer = self._opens
        if answer is None:
            if asked <= at <= asked + HORIZON - SEEN_AHEAD:
                return None
        elif asked <= at <= answer:
            return answer
        self._opens = at, self._search(at)
        return self._opens[1]

    def _search(self, at: Instant) -> Instant | None:
        limit = at + HORIZON
        agreed = False
        while not agreed:
            agreed = True
            for zone in self.zones:
                later = self.common.next_open(zone, at)
                if later is None or later > limit:
                    return None
                if later > at:
                    at, agreed = later, False
        return at


def _common(weeks: Sequence[WeekHours]) -> WeekHours:
    """What all weeks permit."""
    days = weeks[0].days
    for week in weeks[1:]:
        days = tuple(
            tuple((max(a, c), min(b, d)) for a, b in mine for c, d in others)
            for mine, others in zip(days, week.days, strict=True)
        )
    return WeekHours(days)


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


def over_midnight(spans: Spans) -> Spans:
    """The spans, each that ends on the next day cut in two at midnight."""
    cut: list[tuple[str, str, tuple[str, ...]]] = []
    for start, end, days in spans:
        if clock_time(end) >= clock_time(start):
            cut.append((start, end, days))
        else:
            following = tuple(WEEKDAYS[(WEEKDAYS.index(day) + 1) % 7] for day in days)
            cut += [(start, "24:00", days), ("00:00", end, following)]
    return tuple(cut)


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
def either(spans: Spans, others: Spans) -> WeekHours:
    """In one of the spans or one of the others."""
    return within(spans + others)


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
