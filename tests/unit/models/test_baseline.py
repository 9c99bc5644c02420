"""The baseline score: the smoothed share of invoices paid on time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account.course import Course
from models.account.ledger import Habits
from models.account.standing import Standing
from models.account.state import Facts
from models.calendar import Zone
from models.features.catalogue import NAMES
from models.features.rows import matrix, observe
from models.propensity.baseline import Baseline
from tests.unit.models.events import issued

Counts = tuple[int, int, int, int]
"""Closed, of them late, days late in total, overdue now."""

COUNTS = st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 5_000), st.integers(0, 50)).map(
    lambda row: (row[0], min(row[0], row[1]), row[2], row[3])
)
BASELINE = Baseline()
ZONE = Zone("UTC")


def features(*rows: Counts):
    return matrix([row_of(*counts) for counts in rows])


def row_of(closed: int, late: int, late_days: int, overdue: int) -> bytes:
    facts = Facts()
    facts.payments.habits = Habits(closed=closed, late=late, late_days=late_days)
    named = []
    for number in range(overdue):
        facts.apply(issued(f"i{number}", due=1))
        named.append((0, f"i{number}", facts.payments.invoices[f"i{number}"]))
    return observe(facts, Course(), Standing(named, named, named), None, 0, ZONE)


@pytest.mark.parametrize(
    ("counts", "probability", "days"),
    [
        ((0, 0, 0, 0), 2 / 3, 5.0),
        ((10, 0, 0, 0), 12 / 13, 15 / 13),
        ((10, 10, 200, 0), 2 / 13, 215 / 13),
        ((10, 4, 40, 2), 8 / 15, 55 / 13),
        ((0, 0, 0, 3), 2 / 6, 5.0),
    ],
)
def test_the_formula(counts, probability, days):
    scores = BASELINE.score(features(counts))
    assert scores.probabilities == [round(probability, 6)]
    assert scores.days == [[round(days, 6)]]


@given(st.lists(COUNTS, min_size=1, max_size=50))
def test_a_batch_scores_each_account_as_it_would_alone(rows: list[Counts]):
    together = BASELINE.score(features(*rows))
    alone = [BASELINE.score(features(row)) for row in rows]
    assert together.probabilities == [one.probabilities[0] for one in alone]
    assert together.days == [one.days[0] for one in alone]
    assert together.reasons == [one.reasons[0] for one in alone]


@given(COUNTS)
def test_a_score_is_a_probability_and_another_late_invoice_lowers_it(counts: Counts):
    closed, late, days, overdue = counts
    better, worse = BASELINE.score(features(counts, (closed + 1, late + 1, days + 9, overdue))).probabilities
    assert 0 < worse < better < 1


@given(COUNTS)
def test_the_more_is_known_the_surer_it_is(counts: Counts):
    closed, late, days, overdue = counts
    x = features(counts, (10 * closed, 10 * late, 10 * days, overdue))
    x[1, NAMES.index("on_time_rate")] = x[0, NAMES.index("on_time_rate")]
    less, more = BASELINE.score(x).uncertainties
    assert more < less or not closed


def test_reasons_say_what_the_score_rests_on():
    scores = BASELINE.score(features((0, 0, 0, 0), (10, 4, 40, 0), (10, 4, 40, 2)))
    assert scores.reasons == [("no_history",), ("4 of 10 paid late",), ("4 of 10 paid late", "2 overdue")]


def test_the_matrix_is_of_floats_with_a_column_per_feature():
    x = features((3, 1, 7, 2))
    assert x.dtype == np.float64
    assert x.shape == (1, len(NAMES))
