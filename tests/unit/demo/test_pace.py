"""Rate and lag from counts that are looked at now and then."""

import pytest

from recoup.demo.pace import Pace


def pace_of(*looks: tuple[float, int, int]) -> Pace:
    pace = Pace()
    for look in looks:
        pace.look(*look)
    return pace


def test_before_the_first_look_there_is_nothing():
    assert (Pace().per_second(), Pace().lag_seconds()) == (0.0, 0.0)


def test_the_rate_is_that_of_the_last_three_seconds():
    assert pace_of((0, 0, 0), (1, 9, 1_000), (2, 9, 1_100), (3, 9, 1_200), (4, 9, 1_300)).per_second() == pytest.approx(
        100
    )


def test_the_lag_is_the_time_since_what_is_handled_was_produced():
    assert pace_of((0, 0, 0), (10, 1_000, 0), (11, 1_100, 500)).lag_seconds() == pytest.approx(6.0)


def test_nothing_lags_when_everything_is_handled():
    assert pace_of((0, 0, 0), (10, 1_000, 1_000)).lag_seconds() == 0.0


def test_what_was_produced_before_the_first_look_lags_at_least_since_then():
    assert pace_of((5, 1_000, 0), (8, 1_000, 10)).lag_seconds() == pytest.approx(3.0)
