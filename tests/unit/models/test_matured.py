"""Calibration on outcomes: a gap that chance explains is none, and one customer's many invoices count as one."""

import numpy as np
import pytest

from models.propensity.matured import GAP, LeftOut, calibration


def outcomes(
    n: int, said: float, came: float, accounts: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of `said`, of which exactly the share `came` was paid, spread over accounts."""
    paid = np.zeros(n, dtype=np.int64)
    paid[: round(n * came)] = 1
    whose = np.arange(n) * (accounts or n) // n
    return np.full(n, said), paid, whose.astype(np.str_)


def test_scores_that_say_what_came_have_no_gap_and_no_drift() -> None:
    random = np.random.default_rng(2)
    scores = random.random(4_000)
    paid = (random.random(4_000) < scores).astype(np.int64)
    found = calibration(scores, paid, np.arange(4_000).astype(np.str_), LeftOut(not_yet=7))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert not found.drifted
    assert found.ece == pytest.approx(found.ece_noise, abs=0.02)
    assert sum(band.n for band in found.bands) == found.n == 4_000
    assert all(band.observed == pytest.approx(band.expected, abs=0.05) for band in found.bands)
    assert found.left_out.not_yet == 7


def test_a_large_gap_over_many_customers_is_drift_either_way() -> None:
    for came in (0.5, 0.9):
        found = calibration(*outcomes(500, 0.7, came), LeftOut())
        assert found.gap == pytest.approx(came - 0.7)
        assert found.drifted


def test_a_gap_of_few_scores_is_chance() -> None:
    assert not calibration(*outcomes(30, 0.6, 0.7), LeftOut()).drifted


def test_a_small_gap_is_no_drift_however_many_scores_show_it() -> None:
    found = calibration(*outcomes(100_000, 0.7, 0.7 + GAP * 0.9), LeftOut())
    assert found.low is not None
    assert found.low > 0
    assert not found.drifted


def test_many_invoices_of_a_few_customers_are_a_few_customers() -> None:
    many = calibration(*outcomes(900, 0.5, 0.6), LeftOut())
    few = calibration(*outcomes(900, 0.5, 0.6, accounts=9), LeftOut())
    assert many.gap == few.gap
    assert many.drifted
    assert not few.drifted


def test_nothing_that_matured_is_said_as_such() -> None:
    found = calibration(np.array([]), np.array([], dtype=np.int64), np.array([], dtype=np.str_), LeftOut(not_yet=3))
    assert (found.n, found.gap, found.drifted, found.left_out.not_yet) == (0, None, False, 3)
