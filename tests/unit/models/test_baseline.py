"""The baseline score: the smoothed share of invoices paid on time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account.ledger import Habits
from models.propensity.baseline import FEATURES, Row, features, features_id, matrix, reasons, score

ROWS = st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 5_000), st.integers(0, 50)).map(
    lambda row: (row[0], min(row[0], row[1]), row[2], row[3])
)


@pytest.mark.parametrize(
    ("row", "probability", "days"),
    [
        ((0, 0, 0, 0), 2 / 3, 5.0),
        ((10, 0, 0, 0), 12 / 13, 15 / 13),
        ((10, 10, 200, 0), 2 / 13, 215 / 13),
        ((10, 4, 40, 2), 8 / 15, 55 / 13),
        ((0, 0, 0, 3), 2 / 6, 5.0),
    ],
)
def test_the_formula(row, probability, days):
    scores = score(matrix([row]))
    assert scores.probabilities == [round(probability, 9)]
    assert scores.expected_days == [round(days, 9)]


@given(st.lists(ROWS, min_size=1, max_size=200))
def test_a_batch_scores_each_account_as_it_would_alone(rows: list[Row]):
    together = score(matrix(rows))
    alone = [score(matrix([row])) for row in rows]
    assert together.probabilities == [one.probabilities[0] for one in alone]
    assert together.expected_days == [one.expected_days[0] for one in alone]


@given(ROWS)
def test_a_score_is_a_probability_and_another_late_invoice_lowers_it(row: Row):
    closed, late, days, overdue = row
    better, worse = score(matrix([row, (closed + 1, late + 1, days + 9, overdue)])).probabilities
    assert 0 < worse < better < 1


def test_the_matrix_is_of_floats_with_a_column_per_feature():
    found = matrix([features(Habits(closed=3, late=1, late_days=7), overdue=2)])
    assert found.dtype == np.float64
    assert found.tolist() == [[3.0, 1.0, 7.0, 2.0]]
    assert found.shape == (1, len(FEATURES))


@given(ROWS, ROWS)
def test_different_features_have_different_ids(one: Row, other: Row):
    assert (features_id(one) == features_id(other)) is (one == other)


def test_reasons_say_what_the_score_rests_on():
    assert reasons((0, 0, 0, 0)) == ("no_history",)
    assert reasons((10, 4, 40, 0)) == ("4 of 10 paid late",)
    assert reasons((10, 4, 40, 2)) == ("4 of 10 paid late", "2 overdue")
