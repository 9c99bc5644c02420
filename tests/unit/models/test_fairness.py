"""Fairness: unlike rates are flagged, small groups never, and the interval is that of the textbook."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.propensity.fairness import HIGH, LOW, SMALL, Group, Tally, groups, ratio_interval


def by_value(*tallies: tuple[str, int, int]) -> dict[str, Group]:
    return {group.value: group for group in groups(Tally("language", *tally) for tally in tallies)}


def test_a_group_below_four_fifths_of_the_largest_is_flagged_and_one_within_is_not() -> None:
    found = by_value(("en", 1_000, 200), ("es", 400, 60), ("fr", 300, 55))
    assert found["en"].largest
    assert found["en"].ratio == 1.0
    assert found["es"].ratio == pytest.approx(0.75)
    assert [value for value, group in found.items() if group.flagged] == ["es"]


def test_a_group_that_is_preferred_is_flagged_as_well() -> None:
    assert by_value(("en", 1_000, 200), ("es", 400, 104))["es"].flagged


@pytest.mark.parametrize("ratio", [LOW, HIGH])
def test_the_limits_themselves_are_allowed(ratio: float) -> None:
    assert not by_value(("en", 1_000, 200), ("es", 1_000, round(200 * ratio)))["es"].flagged


def test_small_groups_are_marked_and_never_flagged() -> None:
    found = by_value(("en", 1_000, 200), ("es", SMALL - 1, 0), ("fr", SMALL, 0))
    assert (found["es"].small, found["es"].flagged) == (True, False)
    assert (found["fr"].small, found["fr"].flagged) == (False, True)


def test_where_the_largest_is_small_nothing_is_flagged() -> None:
    assert not any(group.flagged for group in by_value(("en", 20, 10), ("es", 15, 0)).values())


def test_what_is_not_known_is_no_group_to_compare_with_and_is_not_flagged() -> None:
    found = by_value(("", 5_000, 4_000), ("en", 1_000, 200))
    assert found["en"].largest
    assert not found[""].largest
    assert not found[""].flagged


def test_where_none_of_the_largest_is_selected_there_is_no_ratio_and_others_are_flagged() -> None:
    found = by_value(("en", 1_000, 0), ("es", 400, 80), ("fr", 300, 0))
    assert found["es"].ratio is None
    assert found["es"].flagged
    assert not found["fr"].flagged


def test_attributes_are_compared_each_for_itself() -> None:
    found = groups([Tally("language", "en", 100, 50), Tally("country", "US", 90, 45), Tally("language", "es", 99, 50)])
    assert [(group.attribute, group.largest) for group in found] == [
        ("language", True),
        ("language", False),
        ("country", True),
    ]


def test_the_interval_is_that_of_katz() -> None:
    # The logarithm of 2 gives or takes 1.96 roots of 1/20 + 1/10 - 2/100.
    low, high = ratio_interval(20, 100, 10, 100)
    assert low == pytest.approx(0.9866, abs=1e-3)
    assert high == pytest.approx(4.0544, abs=1e-3)


@given(st.integers(1, 500), st.integers(0, 500), st.integers(1, 500), st.integers(0, 500))
def test_the_interval_is_always_around_something(n: int, selected: int, m: int, others: int) -> None:
    low, high = ratio_interval(min(selected, n), n, min(others, m), m)
    assert 0.0 < low <= high < float("inf")
