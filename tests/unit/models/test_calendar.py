from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import DAY, HOUR, Zone, instant, utc, zone

NAMES = (
    "America/New_York", "Europe/Berlin", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu",
    "Africa/Casablanca", "America/Sao_Paulo", "UTC",
)  # fmt: skip

ZONES = {name: Zone(name) for name in NAMES}

moments = st.datetimes(datetime(1995, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.sampled_from(NAMES), moments)
def test_a_zone_shows_the_same_time_as_the_library(name, moment):
    at = instant(moment)
    local = utc(at).astimezone(ZoneInfo(name))
    assert ZONES[name].wall(at) == instant(local.replace(tzinfo=UTC))


@given(st.sampled_from(NAMES), moments, st.integers(0, 23))
def test_a_local_time_starts_at_the_first_instant_that_shows_it(name, moment, hour):
    place = ZONES[name]
    day = place.day(instant(moment))
    start = place.start(day, hour * HOUR)
    assert place.wall(start) >= day * DAY + hour * HOUR
    assert place.wall(start - 1) < day * DAY + hour * HOUR


@pytest.mark.parametrize(
    ("name", "around"),
    [("America/New_York", "2026-03-08T07:00:00"), ("Europe/Berlin", "2026-10-25T01:00:00")],
)
def test_an_offset_changes_at_its_very_millisecond(name, around):
    place = Zone(name)
    at = instant(datetime.fromisoformat(around).replace(tzinfo=UTC))
    assert place.offset(at - 1) != place.offset(at)
    assert place.next_change(at - 1) == at


def test_instants_and_times_are_each_others_inverse():
    moment = datetime(2026, 3, 8, 6, 59, 59, 999_000, tzinfo=UTC)
    assert utc(instant(moment)) == moment
    assert instant(moment + timedelta(microseconds=999)) == instant(moment)


def test_an_unknown_zone_is_none():
    assert zone("Mars/Olympus_Mons") is None
    assert zone("../etc/passwd") is None
    assert zone("") is None
