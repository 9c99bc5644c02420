"""Five minutes become sixty points."""

from hypothesis import given
from hypothesis import strategies as st

from recoup.console.series import POINTS, WINDOW_SECONDS, Series


def test_points_are_means_and_gaps_stay_gaps():
    series = Series()
    for at, value in ((1000.0, 10.0), (1001.0, 20.0), (1021.0, None), (1040.0, 7.0)):
        series.add(at, value)
    points = series.points(1042.0)
    assert points[-1] == 7.0
    assert points[-1 - 8] == 15.0
    assert points[-5] is None


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 1e6)), max_size=60), st.floats(0, 1e6))
def test_there_are_always_as_many_and_none_lies_outside_what_was_seen(steps, start):
    series, now, seen = Series(), start, []
    for step, value in steps:
        now += step
        series.add(now, value)
        seen.append((now, value))
    points = series.points(now)
    assert len(points) == POINTS
    known = [point for point in points if point is not None]
    recent = [value for at, value in seen if at > now - WINDOW_SECONDS]
    if known:
        assert min(recent) - 0.01 <= min(known)
        assert max(known) <= max(recent) + 0.01
