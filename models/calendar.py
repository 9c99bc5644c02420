"""Instants, and what the clocks on the wall say at them: exact at every change of a zone's offset.

A zone's offsets are read from the IANA data once a year of use and kept as a sorted table, because the hot path asks
for them thousands of times a batch.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from models.clock import Instant

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

YEAR = 366 * DAY
PROBE = DAY
"""No zone has ever changed its offset twice within this time."""


def instant(moment: datetime) -> Instant:
    """A date and time with an offset, in milliseconds since the epoch; what is finer is cut off."""
    since = moment - EPOCH  # dividing it by a millisecond would cost twice as much
    return since.days * DAY + since.seconds * SECOND + since.microseconds // 1_000


@lru_cache(maxsize=4_096)
def utc(moment: Instant) -> datetime:
    """An instant as a date and time in UTC."""
    return EPOCH + timedelta(milliseconds=moment)


def day_number(day: date) -> int:
    """A date as the number of days since 1970-01-01."""
    return day.toordinal() - EPOCH_ORDINAL


@lru_cache(maxsize=4_096)
def date_of(day: int) -> date:
    """A day number as a date."""
    return date.fromordinal(day + EPOCH_ORDINAL)


def weekday(day: int) -> int:
    """Monday = 0 of a day number; 1970-01-01 was a Thursday."""
    return (day + 3) % 7


class Zone:
    """One IANA time zone. `wall` values are local time in milliseconds, counted as if it were UTC."""

    def __init__(self, name: str) -> None:
        """Raises `KeyError`, `ValueError` or `OSError` when there is no such zone."""
        self.name = name
        self._info = ZoneInfo(name)
        self._first, self._last = 0, 0
        self._changes: list[Instant] = []
        self._offsets: list[int] = [0]
        """One more than the changes: the offset before the first, then the one after each."""
        self._starts: dict[tuple[int, int], Instant] = {}

    def offset(self, at: Instant) -> int:
        """Milliseconds that local time is ahead of UTC."""
        if not self._first <= at < self._last:
            self._read(at)
        return self._offsets[bisect_right(self._changes, at)]

    def wall(self, at: Instant) -> int:
        """What the local clock shows."""
        return at + self.offset(at)

    def day(self, at: Instant) -> int:
        """The local date, as days since 1970-01-01."""
        if not self._first <= at < self._last:
            self._read(at)
        return (at + self._offsets[bisect_right(self._changes, at)]) // DAY

    def next_change(self, at: Instant) -> Instant:
        """The first instant after `at` at which the offset may differ: a change, or the end of what has been read."""
        self.offset(at)
        place = bisect_right(self._changes, at)
        return self._changes[place] if place < len(self._changes) else self._last

    def start(self, day: int, wall: int) -> Instant:
        """The first instant of a local date at which the local clock shows `wall` (milliseconds) or later."""
        known = self._starts.get((day, wall))
        if known is None:
            if len(self._starts) > 20_000:
                self._starts.clear()
            known = self._starts[day, wall] = self._find_start(day * DAY + wall)
        return known

    def _find_start(self, wall: int) -> Instant:
        at = wall - DAY  # no clock is a day away from UTC
        while True:
            until = self.next_change(at)
            reached = wall - self.offset(at)
            if reached < until:
                return max(reached, at)  # at `at`, when the clock was put forward over it
            at = until

    def _read(self, at: Instant) -> None:
        """Extend the table to a year around `at`."""
        if self._first == self._last:
            self._first = self._last = at
            self._offsets = [self._ask(at)]
        if at - YEAR < self._first:
            changes, offsets = self._scan(at - YEAR, self._first)
            self._first = at - YEAR
            self._changes = changes + self._changes
            self._offsets = offsets[:-1] + self._offsets
        if at + YEAR > self._last:
            changes, offsets = self._scan(self._last, at + YEAR)
            self._last = at + YEAR
            self._changes += changes
            self._offsets += offsets[1:]

    def _scan(self, first: Instant, last: Instant) -> tuple[list[Instant], list[int]]:
        """The changes between two instants, and one more offset than changes."""
        changes, offsets = [], [self._ask(first)]
        for probe in range(first, last, PROBE):
            end = min(probe + PROBE, last)
            after = self._ask(end)
            if after != offsets[-1]:
                changes.append(self._change_between(probe, end, offsets[-1]))
                offsets.append(after)
        return changes, offsets

    def _change_between(self, low: Instant, high: Instant, before: int) -> Instant:
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._ask(middle) == before else (low, middle)
        return high

    def _ask(self, at: Instant) -> int:
        moment = EPOCH + timedelta(milliseconds=at)
        return (moment.astimezone(self._info).replace(tzinfo=UTC) - moment) // timedelta(milliseconds=1)


@lru_cache(maxsize=1_024)
def zone(name: str) -> Zone | None:
    """The zone of that name, or None when IANA knows none."""
    try:
        return Zone(name)
    except (KeyError, ValueError, OSError):
        return None
