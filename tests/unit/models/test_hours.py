"""Contact hours: the search agrees with a walk through time, and what it remembers is never wrong."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from models.calendar import DAY, HOUR, MINUTE, Zone, instant
from models.compliance.hours import Daytime, WeekHours, clock_time, outside, within

NAMES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Auckland")
ZONES = {name: Zone(name) for name in NAMES}

days = st.sampled_from([(), ("monday",), ("saturday", "sunday"), ("tuesday", "wednesday", "thursday")])
times = st.integers(0, 24 * 4).map(lambda quarters: f"{quarters // 4:02}:{quarters % 4 * 15:02}")
spans = st.lists(st.tuples(times, times, days), min_size=1, max_size=3).map(tuple)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)).map(instant)  # noqa: DTZ001


def walked(week: WeekHours, zone: Zone, at: int) -> int | None:
    """The slow way: minute by minute for nine days, from the next full minute on."""
    if week.permits(zone.wall(at)):
        return at
    first = -(-at // MINUTE) * MINUTE
    return next((m for m in range(first, at + 9 * DAY, MINUTE) if week.permits(zone.wall(m))), None)


@settings(max_examples=60)
@given(spans, st.sampled_from(NAMES), moments, st.booleans())
def test_the_search_finds_what_a_walk_finds(said, name, at, inside):
    week = within(said) if inside else outside(said)
    assert week.next_open(ZONES[name], at) == walked(week, ZONES[name], at)


@settings(max_examples=30)
@given(spans, st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True), st.lists(moments, max_size=12))
def test_what_was_asked_before_does_not_change_an_answer(said, names, asked):
    zones = tuple(ZONES[name] for name in names)
    weeks = [("a", within(said)), ("b", within((("08:00", "21:00", ()),)))]
    remembering = Daytime(zones, weeks)
    for at in [*asked, *reversed(asked)]:
        fresh = Daytime(zones, weeks)
        assert remembering.denied(at) == fresh.denied(at)
        assert remembering.next_open(at) == fresh.next_open(at)


def test_a_time_of_day_is_read_to_the_end_of_the_day():
    assert clock_time("00:00") == 0
    assert clock_time("08:30") == 8 * HOUR + 30 * MINUTE
    assert clock_time("24:00") == DAY


def test_an_empty_span_permits_nothing_and_bars_the_whole_night():
    at = instant(datetime(2026, 3, 3, 12, tzinfo=UTC))
    assert within((("21:00", "08:00", ()),)).next_open(ZONES["Europe/Berlin"], at) is None
    evening = outside((("21:00", "08:00", ()),)).next_open(ZONES["Europe/Berlin"], at + 10 * HOUR)
    assert evening == instant(datetime(2026, 3, 4, 7, tzinfo=UTC))
