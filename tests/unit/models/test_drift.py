"""Drift: what moved is found, what chance explains is not called drift, and the figures are those of the textbooks."""

import csv
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.propensity.drift import (
    LEAST_ROWS,
    MOST_BINS,
    bins_of,
    chance,
    chi_squared_above,
    count,
    counted,
    drifts,
    holm,
    psi,
    worst,
)
from models.propensity.manifest import Bins

ROOT = Path(__file__).parents[3]

FLOATS = st.floats(-1e6, 1e6, width=32) | st.just(math.nan)
COLUMNS = arrays.arrays(np.float64, st.integers(0, 200), elements=FLOATS)
COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=11)


def bank() -> list[dict[str, str]]:
    """Phone calls of a bank from 2008 to 2010, in the order in which they were made."""
    folder = Path(os.environ.get("RECOUP_DATA", ROOT.parent / "shared" / "data")) / "bank_marketing"
    path = folder / "bank-additional-full.csv"
    if not path.exists():
        pytest.skip("the data set bank_marketing is not here (RECOUP_DATA says where)")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";"))


def test_the_last_third_of_a_banks_calls_has_drifted_from_the_first_two_as_is_known() -> None:
    rows = bank()
    split = int(len(rows) * 0.7)
    columns = {name: np.array([float(row[name]) for row in rows]) for name in ("age", "campaign", "euribor3m")}
    reference = {name: counted(values[:split]) for name, values in columns.items()}
    current = {name: count(values[split:], reference[name].edges) for name, values in columns.items()}
    age, campaign, euribor = drifts(reference, current)
    assert age.value == pytest.approx(0.12, abs=0.01)
    assert campaign.value == pytest.approx(0.05, abs=0.005)
    assert euribor.value > 8
    assert [one.level for one in (age, campaign, euribor)] == ["watch", "steady", "drifted"]
    assert (age.n_reference, age.n_current) == (split, len(rows) - split)


@given(COLUMNS)
def test_every_row_is_in_one_bin_and_there_are_few_bins(values: np.ndarray) -> None:
    edges = bins_of(values)
    assert list(edges) == sorted(set(edges))
    assert len(edges) < MOST_BINS
    counts = count(values, edges)
    assert len(counts) == len(edges) + 2
    assert sum(counts) == len(values)
    assert counts[-1] == np.isnan(values).sum()


def test_distinct_values_make_bins_of_equal_mass() -> None:
    counts = counted(np.arange(1_000.0)).counts
    assert counts == (100,) * 10 + (0,)


def test_none_and_some_are_told_apart_though_nearly_all_have_none() -> None:
    edges = bins_of([0.0] * 97 + [1.0, 2.0, 3.0])
    assert count([0.0, 0.0, 1.0, 3.0], edges)[0] == 2


def test_a_constant_that_changes_is_noticed_both_ways() -> None:
    edges = bins_of([5.0] * 100)
    assert count([4.0, 5.0, 5.0, 6.0, math.nan], edges) == (1, 2, 1, 1)


def test_values_that_go_missing_are_drift() -> None:
    known = counted(np.arange(1_000.0))
    now = count(np.r_[np.arange(0.0, 1_000.0, 2), np.full(500, math.nan)], known.edges)
    (found,) = drifts({"f": known}, {"f": now})
    assert found.drifted
    assert found.bins[-1].missing
    assert (found.bins[-1].reference, found.bins[-1].current) == (0, 500)


@given(COUNTS)
def test_psi_is_symmetric_never_negative_and_nothing_between_equals(pairs: list[tuple[int, int]]) -> None:
    before, now = map(list, zip(*pairs, strict=True))
    assert psi(before, before) == 0.0
    assert psi(before, now) >= 0.0
    assert psi(before, now) == pytest.approx(psi(now, before))
    assert 0.0 <= chance(before, now) <= 1.0


def test_bins_that_nobody_is_in_change_nothing() -> None:
    assert psi([50, 50, 0, 0], [5, 10, 0, 0]) == psi([50, 50], [5, 10])


def test_sides_with_other_bins_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="2 bins cannot be compared with 3"):
        psi([1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("x", "freedom", "above"),
    [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (16.918978, 9, 0.05), (23.209251, 10, 0.01), (0.0, 4, 1.0)],
)
def test_the_chi_squared_tail_is_that_of_the_tables(x: float, freedom: int, above: float) -> None:
    assert chi_squared_above(x, freedom) == pytest.approx(above, rel=1e-5)


def test_an_endless_difference_leaves_no_chance_and_does_not_overflow() -> None:
    assert chi_squared_above(1e6, 9) == 0.0


def test_the_test_is_that_of_a_textbook() -> None:
    # Of a table of two by two it is n (ad - bc)² over the product of the four sums, with one degree of freedom.
    assert chance([60, 40], [30, 70]) == pytest.approx(chi_squared_above(18.181818, 1), rel=1e-6)


def test_holm_corrects_for_everything_that_was_asked() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_small_samples_of_one_distribution_are_not_called_drift_though_their_psi_is_high() -> None:
    random = np.random.default_rng(3)
    known = counted(random.normal(size=5_000))
    reference = {f"f{number}": known for number in range(200)}
    current = {name: count(random.normal(size=40), known.edges) for name in reference}
    found = drifts(reference, current)
    assert sum(one.value > one.threshold for one in found) > 80
    assert not any(one.drifted for one in found)


def test_trifles_in_large_samples_are_not_called_drift_though_chance_does_not_explain_them() -> None:
    random = np.random.default_rng(4)
    known = counted(random.normal(size=200_000))
    (found,) = drifts({"f": known}, {"f": count(random.normal(0.05, size=200_000), known.edges)})
    assert found.p_value < 1e-6
    assert found.level == "steady"


def test_a_shift_is_found_in_a_few_hundred_rows() -> None:
    random = np.random.default_rng(5)
    known = counted(random.normal(size=2_000))
    (found,) = drifts({"f": known}, {"f": count(random.normal(0.8, size=200), known.edges)})
    assert found.drifted
    assert sum(one.current for one in found.bins) == found.n_current == 200


def test_of_a_few_rows_nothing_is_said() -> None:
    known = counted(np.zeros(1_000))
    (found,) = drifts({"f": known}, {"f": count(np.ones(LEAST_ROWS - 1), known.edges)})
    assert found.level == "too_few"
    assert not found.drifted


def test_only_what_both_sides_name_is_compared() -> None:
    assert drifts({"old": Bins((), (1, 0))}, {"new": (1, 0)}) == []


def test_the_worst_level_is_the_verdict() -> None:
    assert worst(["steady", "drifted", "watch"]) == "drifted"
    assert worst(["too_few", "steady"]) == "steady"
    assert worst([]) == "too_few"
