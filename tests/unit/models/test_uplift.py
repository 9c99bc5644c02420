"""Whom a contact moves: learners that find a planted uplift, bounds that keep their word, and the Qini of known answers."""

import numpy as np
import pytest

from benchmarks.evaluation.public import hillstrom
from models.evaluation.qini import qini
from models.evaluation.targeting import target
from models.evaluation.uplift import fit_response, fit_uplift
from tests.unit.models.shared_data import or_skip


def trial(n=8_000, seed=0, share=0.5):
    """Treatment helps those with a high first feature and harms those with a low one; the second foretells the outcome."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    treated = rng.random(n) < share
    true = 0.15 * np.tanh(x[:, 0])
    y = (rng.random(n) < 0.35 + 0.2 * np.tanh(x[:, 1]) + true * treated).astype(np.float64)
    return x, treated, y, true


@pytest.mark.parametrize("learner", ["t", "class_transformation"])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_a_planted_uplift_is_found(learner, share):
    x, treated, y, true = trial(20_000, share=share)
    found = fit_uplift(x, treated, y, share, learner).predict(x)
    assert np.corrcoef(found.uplift, true)[0, 1] > 0.95
    assert found.uplift.mean() == pytest.approx(true.mean(), abs=0.02)
    assert np.all((found.lower < found.uplift) & (found.uplift < found.upper))


@pytest.mark.parametrize("learner", ["t", "class_transformation"])
def test_the_lower_bound_is_below_the_truth_as_often_as_it_says(learner):
    """Where the model is right: one feature of two values."""
    rng = np.random.default_rng(1)
    below = []
    for _ in range(300):
        x = rng.integers(0, 2, (1_000, 1)).astype(np.float64)
        treated = rng.random(1_000) < 0.4
        y = (rng.random(1_000) < 0.3 + 0.2 * x[:, 0] * treated).astype(np.float64)
        found = fit_uplift(x, treated, y, 0.4, learner).predict(np.array([[0.0], [1.0]]))
        below.append(found.lower <= [0.0, 0.2])
    assert np.mean(below, axis=0) == pytest.approx(0.95, abs=0.035)


def test_amounts_are_learned_too():
    x, treated, _, true = trial(20_000)
    y = 1_000.0 + 4_000.0 * true * treated + np.random.default_rng(2).normal(0, 300, len(x))
    found = fit_uplift(x, treated, y, 0.5).predict(x)
    assert np.corrcoef(found.uplift, true)[0, 1] > 0.9
    with pytest.raises(ValueError, match="use the T-learner"):
        fit_uplift(x, treated, y, 0.5, "class_transformation")


def test_a_propensity_that_depends_on_the_account_is_weighed_away():
    """Those whom it harms were treated more often; one share for all would blame the treatment for who was treated."""
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 2, 40_000)
    chance = np.where(kind == 0, 0.8, 0.2)
    treated = rng.random(40_000) < chance
    y = (rng.random(40_000) < np.where(kind == 0, 0.2, 0.6) + 0.1 * treated).astype(np.float64)
    nothing = np.zeros((40_000, 1))
    assert fit_uplift(nothing, treated, y, chance).predict(nothing[:1]).uplift[0] == pytest.approx(0.1, abs=0.02)
    assert fit_uplift(nothing, treated, y, 0.5).predict(nothing[:1]).uplift[0] < 0.0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"treated": np.zeros(200, dtype=bool)}, "0 treated rows"),
        ({"treated": np.ones(200, dtype=bool)}, "0 untreated rows"),
        ({"propensity": 1.0}, "hardly ever"),
        ({"y": np.full(200, np.nan)}, "not finite"),
        ({"y": np.zeros(10)}, "10 outcomes"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(change, says):
    good = {"x": np.zeros((200, 1)), "treated": np.arange(200) % 2 == 0, "y": np.zeros(200), "propensity": 0.5}
    with pytest.raises(ValueError, match=says):
        fit_uplift(**(good | change))


def test_a_constant_column_says_nothing():
    x, treated, y, _ = trial()
    with_it = fit_uplift(np.column_stack([x, np.full(len(x), 7.0)]), treated, y, 0.5)
    without = fit_uplift(x, treated, y, 0.5).predict(x).uplift
    assert with_it.predict(np.column_stack([x, np.full(len(x), 9.0)])).uplift == pytest.approx(without)


def test_the_qini_of_a_perfect_a_random_and_a_reversed_order():
    _, treated, y, _ = trial(seed=4)
    perfect = np.where(treated, y, -y)
    assert qini(perfect, treated, y, resamples=20).coefficient == pytest.approx(1.0)
    assert qini(np.zeros(len(y)), treated, y, resamples=20).coefficient == pytest.approx(0.0, abs=1e-12)
    shuffled = qini(np.random.default_rng(5).random(len(y)), treated, y, resamples=200)
    assert shuffled.low < 0.0 < shuffled.high
    assert not shuffled.ranks


def test_a_worked_qini():
    """Four accounts in two groups of equal scores: of the first, the treated one answers and the other does not."""
    score = np.array([2.0, 2.0, 1.0, 1.0])
    treated = np.array([True, False, True, False])
    found = qini(score, treated, np.array([1.0, 0.0, 0.0, 0.0]), resamples=10)
    assert found.uplift == pytest.approx(0.5)
    assert found.auuc == pytest.approx(0.375)  # 0, a half at the half, a half at the end
    assert [point.gain for point in found.curve][::20] == pytest.approx([0.0, 0.5, 0.5])


def test_equal_scores_are_taken_in_the_order_of_chance():
    _, treated, y, _ = trial(2_000, seed=6)
    score = np.repeat([1.0, 0.0], 1_000)
    order = np.random.default_rng(7).permutation(2_000)
    there = qini(score, treated, y, resamples=10).coefficient
    assert qini(score[order], treated[order], y[order], resamples=10).coefficient == pytest.approx(there)


def test_the_uplift_at_the_top_is_that_of_the_best():
    x, treated, y, true = trial(40_000, seed=8)
    found = qini(x[:, 0], treated, y, resamples=50)
    best = np.argsort(-x[:, 0])[:4_000]
    assert found.at[0].share == 0.1
    assert found.at[0].low <= true[best].mean() <= found.at[0].high
    assert found.at[0].uplift > found.at[-1].uplift > found.uplift


def test_a_response_model_finds_who_answers_and_not_who_is_moved():
    x, treated, y, true = trial(40_000, seed=9)
    score = fit_response(x, y).predict(x)
    assert np.corrcoef(score, x[:, 1])[0, 1] > 0.9
    assert abs(np.corrcoef(score, true)[0, 1]) < 0.4
    uplift = fit_uplift(x, treated, y, 0.5).predict(x).uplift
    assert qini(uplift, treated, y, resamples=20).coefficient > 3 * qini(score, treated, y, resamples=20).coefficient


@pytest.mark.parametrize(("effect", "verdict"), [(0.2, "everybody"), (-0.2, "nobody"), (0.0, "unclear")])
def test_where_nobody_is_moved_more_than_another_it_is_all_or_none(effect, verdict):
    rng = np.random.default_rng(10)
    x, treated = rng.normal(size=(3_000, 2)), rng.random(3_000) < 0.5
    y = (rng.random(3_000) < 0.4 + effect * treated).astype(np.float64)
    assert target(x, treated, y, resamples=100).verdict == verdict


def test_the_womens_mail_moves_some_and_the_response_model_does_not_find_them():
    found = target(*or_skip(hillstrom, "Womens E-Mail"), resamples=60)
    t, transformed, response = (found.models[name] for name in ("t", "class_transformation", "response"))
    assert t.coefficient == pytest.approx(0.064, abs=0.008)
    assert transformed.coefficient == pytest.approx(0.064, abs=0.008)
    assert response.coefficient == pytest.approx(0.016, abs=0.004)
    assert t.low > response.coefficient
    assert found.verdict == "choose"


def test_the_mens_mail_moves_all_alike():
    found = target(*or_skip(hillstrom, "Mens E-Mail"), resamples=60)
    assert abs(found.models["t"].coefficient) < 0.02
    assert not found.models["t"].ranks
    assert found.verdict == "everybody"
