"""A scorecard adds its terms up, says which of them moved the score, and refuses to be built out of nonsense."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.propensity.scorecard import (
    REASONS,
    Calibration,
    ColdStart,
    Linear,
    Scorecard,
    Scorer,
    decode,
    encode,
)

COLUMNS = ("amount", "other", "closed_invoices", "overdue_invoices")
STEPS = Scorecard(
    features=["amount", "closed_invoices"],
    edges=[[10.0, 20.0], [1.0]],
    texts=[["amount below 10", "amount 10 to 20", "amount 20 or more", "amount unknown"], ["none", "some", "unknown"]],
    bias=0.5,
    days_bias=[1.0, 10.0, 30.0],
    days=[[[0.0, 0.0, 0.0], [0.0, 5.0, 5.0], [40.0, 5.0, 5.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]] * 3],
    points=[[1.0, 0.25, -2.0, 0.0], [-0.5, 0.005, 0.0]],
)
TERMS = Linear(log=[True, False], mean=[1.0, 5.0], scale=[2.0, 5.0], weight=[-1.5, 0.75])
LINEAR = msgspec.structs.replace(STEPS, points=None, linear=TERMS)
ROWS = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 40), st.just(4)), elements=st.floats(0, 1e6) | st.just(math.nan)
)


def rows(*values: tuple[float, ...]) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def test_steps_are_looked_up_and_added_an_edge_belongs_to_the_bin_above():
    x = rows((9.99, 0, 2, 0), (10.0, 0, 2, 0), (20.0, 0, 0, 3), (math.nan, 0, 2, 0))
    found = Scorer(STEPS, COLUMNS).score(x)
    sums = [0.5 + 1.0 + 0.005, 0.5 + 0.25 + 0.005, 0.5 - 2.0 - 0.5, 0.5 + 0.0 + 0.005]
    assert found.probabilities == [round(sigmoid(z), 9) for z in sums]


def test_linear_terms_are_standardised_cut_off_and_nothing_where_unknown():
    x = rows((math.e - 1, 0, 10, 0), (math.nan, 0, 10, 0), (0.0, 0, 1e9, 0))
    found = Scorer(LINEAR, COLUMNS).log_odds(x)
    assert found.tolist() == pytest.approx([0.5 + 0 + 0.75, 0.5 + 0.75, 0.5 + 0.75 + 4 * 0.75])


def test_reasons_are_the_largest_terms_with_their_bin_and_direction():
    x = rows((25.0, 0, 0, 3), (15.0, 0, 5, 0), (15.0, 0, 0, 0))
    assert Scorer(STEPS, COLUMNS).score(x).reasons == [
        ("- amount 20 or more", "- none"),
        ("+ amount 10 to 20",),  # the other one moves next to nothing
        ("no_history", "- none", "+ amount 10 to 20"),
    ]


def test_where_every_score_is_the_same_nothing_is_a_reason():
    card = msgspec.structs.replace(STEPS, calibration=Calibration(slope=0.0, offset=1.0))
    found = Scorer(card, COLUMNS).score(rows((25.0, 0, 5, 0), (25.0, 0, 0, 0)))
    assert found.reasons == [(), ("no_history",)]


def test_the_band_is_that_of_the_probability_which_is_told():
    card = msgspec.structs.replace(STEPS, calibration=Calibration(slope=0.0, offset=math.log(9) - 1e-12))
    found = Scorer(card, COLUMNS).score(rows((25.0, 0, 5, 0)))
    assert (found.probabilities, found.bands) == ([0.9], ["very_likely"])


def test_quantiles_of_the_days_never_cross_and_stay_within_what_was_seen():
    x = rows((5.0, 0, 2, 0), (15.0, 0, 2, 0), (25.0, 0, 2, 0))
    assert Scorer(STEPS, COLUMNS).score(x).days == [[1.0, 10.0, 30.0], [1.0, 15.0, 35.0], [15.0, 35.0, 41.0]]
    short = Scorer(msgspec.structs.replace(STEPS, days_limit=20.0), COLUMNS)
    assert short.score(x).days[2] == [15.0, 20.0, 20.0]


def test_an_account_without_history_is_drawn_to_the_prior_and_is_less_sure():
    card = msgspec.structs.replace(STEPS, cold_start=ColdStart(prior=0.9, weight=0.25))
    x = rows((15.0, 0, 0, 0), (15.0, 0, 0, 1), (15.0, 0, 30, 1))
    found = Scorer(card, COLUMNS).score(x)
    own = sigmoid(0.5 + 0.25 - 0.5)
    assert found.probabilities[0] == round(0.25 * own + 0.75 * 0.9, 9)
    assert found.probabilities[1] == round(own, 9)
    assert found.uncertainties[2] < found.uncertainties[1]


def test_an_isotonic_map_is_a_straight_line_between_its_knots():
    card = msgspec.structs.replace(
        STEPS, calibration=Calibration(kind="isotonic", knots=[-1.0, 0.0, 2.0], values=[0.1, 0.2, 0.6])
    )
    x = rows((15.0, 0, 0, 1), (9.0, 0, 2, 0), (25.0, 0, 0, 1))
    found = Scorer(card, COLUMNS).score(x).probabilities
    assert found == [round(0.2 + 0.25 / 2 * 0.4, 9), round(0.2 + 1.505 / 2 * 0.4, 9), 0.1]


@pytest.mark.parametrize("card", [STEPS, LINEAR], ids=["steps", "linear"])
@given(x=ROWS)
def test_a_batch_scores_each_row_as_it_would_alone(card: Scorecard, x: np.ndarray):
    scorer = Scorer(card, COLUMNS)
    together = scorer.score(x)
    for place in range(len(x)):
        alone = scorer.score(x[place : place + 1])
        for field in alone.__struct_fields__:
            assert getattr(together, field)[place] == getattr(alone, field)[0]
    assert all(0 <= p <= 1 for p in together.probabilities)
    assert all(low <= middle <= high for low, middle, high in together.days)
    assert all(len(said) <= REASONS for said in together.reasons)


@pytest.mark.parametrize("card", [STEPS, LINEAR], ids=["steps", "linear"])
@given(x=ROWS)
def test_the_terms_are_the_whole_score(card: Scorecard, x: np.ndarray):
    scorer = Scorer(card, COLUMNS)
    assert scorer.log_odds(x) == pytest.approx(card.bias + scorer.terms(x, scorer.codes(x)).sum(axis=1))


def test_a_card_comes_back_from_json_as_it_was():
    assert decode(encode(LINEAR)) == LINEAR
    assert encode(decode(encode(STEPS))) == encode(STEPS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": ["amount", "nobody_knows"]}, "nobody_knows"),
        ({"features": ["amount", "amount"]}, "twice"),
        ({"points": None}, "either"),
        ({"linear": LINEAR.linear}, "either"),
        ({"edges": [[20.0, 10.0], [1.0]]}, "ascend"),
        ({"edges": [[10.0, 20.0]]}, "items for 2 features"),
        ({"texts": [["a"], ["b"]]}, "one item a bin"),
        ({"points": [[1.0], [1.0]]}, "one item a bin"),
        ({"days_bias": [1.0]}, "quantile"),
        ({"bias": math.nan}, "finite"),
        ({"points": [[1.0, math.inf, 0.0, 0.0], [0.0, 0.0, 0.0]]}, "finite"),
        ({"days_limit": math.inf}, "finite"),
        ({"calibration": Calibration(kind="isotonic", knots=[1.0], values=[0.5])}, "isotonic"),
        ({"calibration": Calibration(kind="isotonic", knots=[1.0, 0.0], values=[0.5, 0.6])}, "knots"),
        ({"calibration": Calibration(kind="isotonic", knots=[0.0, 1.0], values=[0.5, 1.1])}, "between 0 and 1"),
        ({"cold_start": ColdStart(prior=-0.1)}, "between 0 and 1"),
        ({"cold_start": ColdStart(weight=1.5)}, "between 0 and 1"),
        ({"points": None, "linear": msgspec.structs.replace(TERMS, scale=[1.0, 0.0])}, "scale"),
    ],
)
def test_a_card_that_would_score_nonsense_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        Scorer(msgspec.structs.replace(STEPS, **change), COLUMNS)
