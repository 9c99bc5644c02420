"""What is read off a model is the model, exactly; who is chosen, and how sums become probabilities and days."""

import msgspec
import numpy as np
import pytest

from models.propensity import days, inputs
from models.propensity.calibration import applied, calibrated, cold_start
from models.propensity.candidates import BASELINE, CANDIDATES, Boosting, Logistic, chosen, read_off
from models.propensity.scorecard import QUANTILES, Scorer
from models.propensity.train import _bare
from tests.unit.models.learned import COLUMNS, customers

RNG = np.random.default_rng(5)


def data_of(examples, seed=0):
    return inputs.learnable(examples, examples.x, np.arange(len(examples.outcome)), list(examples.columns), seed)


def test_points_add_up_to_the_model_that_they_were_read_off():
    data = data_of(customers(800))
    model = Boosting(rate=0.1, trees=40).model(data)
    bias, points = read_off(model.decision_function, data)
    places = np.nan_to_num(data.codes, nan=-1).astype(int)  # the last bin is that of NaN
    sums = bias + sum(np.array(of_one)[places[:, feature]] for feature, of_one in enumerate(points))
    assert np.allclose(sums, model.decision_function(data.codes), atol=1e-8)
    assert len(np.unique(np.round(sums, 6))) > 50


def test_points_are_about_the_average_and_nothing_where_no_row_was():
    data = data_of(customers(800))
    terms = Boosting(rate=0.1, trees=40).fit(data)
    assert terms.points is not None
    amount = COLUMNS.index("amount")
    assert terms.points[amount][-1] == 0.0  # no amount was unknown
    places = np.nan_to_num(data.codes, nan=-1).astype(int)
    for feature, points in enumerate(terms.points):
        assert np.array(points)[places[:, feature]].mean() == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("candidate", [Logistic("l1", 0.1), Logistic("l2", 1.0), Boosting(rate=0.1, trees=40)])
def test_a_scorecard_finds_what_the_outcome_follows_from(candidate):
    examples = customers(3000)
    data = data_of(examples)
    scorer = Scorer(_bare(candidate.fit(data), data), COLUMNS)
    better, worse = examples.x[:1].copy(), examples.x[:1].copy()
    better[0, [COLUMNS.index("on_time_rate"), COLUMNS.index("overdue_invoices")]] = 0.9, 0.0
    worse[0, [COLUMNS.index("on_time_rate"), COLUMNS.index("overdue_invoices")]] = 0.2, 2.0
    assert scorer.log_odds(better)[0] > scorer.log_odds(worse)[0] + 2.0


def test_no_line_is_drawn_through_weekdays():
    data = data_of(customers())
    linear = Logistic("l2", 1.0).fit(data).linear
    assert linear is not None
    assert linear.weight[COLUMNS.index("due_weekday")] == 0.0
    assert linear.weight[COLUMNS.index("overdue_invoices")] < 0.0


def test_the_baseline_has_one_feature():
    linear = BASELINE.fit(data_of(customers())).linear
    assert linear is not None
    assert np.flatnonzero(linear.weight).tolist() == [COLUMNS.index("on_time_rate")]


def losses(**better):
    """Losses that only differ by noise, but for candidates that are better by so much."""
    noise = np.random.default_rng(0).normal(0, 0.1, (len(CANDIDATES), 400))
    return 0.5 + noise - noise.mean(axis=1)[:, None] - np.array([better.get(c.name, 0.0) for c in CANDIDATES])[:, None]


LOGISTIC, SIMPLER, STEPS = "logistic l1 C=1", "logistic l1 C=0.1", CANDIDATES[-2].name


@pytest.mark.parametrize(
    ("better", "name"),
    [
        ({}, BASELINE.name),
        ({LOGISTIC: 0.001}, BASELINE.name),
        ({LOGISTIC: 0.05}, LOGISTIC),
        ({LOGISTIC: 0.05, SIMPLER: 0.0499}, SIMPLER),
        ({LOGISTIC: 0.05, STEPS: 0.055}, LOGISTIC),
        ({LOGISTIC: 0.05, STEPS: 0.2}, STEPS),
    ],
)
def test_a_more_complex_kind_must_be_better_by_more_than_chance(better, name):
    assert CANDIDATES[chosen(losses(**better))].name == name


def outcomes(sums, slope=1.0, offset=0.0):
    return (RNG.random(len(sums)) < 1.0 / (1.0 + np.exp(-(slope * sums + offset)))).astype(np.int64)


def test_few_rows_are_calibrated_by_a_sigmoid():
    sums = RNG.normal(0, 2, 1500)
    found = calibrated(sums, outcomes(sums, 0.5, 0.3))
    assert found.kind == "sigmoid"
    assert found.slope == pytest.approx(0.5, abs=0.1)
    assert found.offset == pytest.approx(0.3, abs=0.2)


def test_many_rows_of_either_outcome_are_calibrated_by_a_curve_that_keeps_the_order():
    sums = RNG.normal(0, 2, 8000)
    y = (RNG.random(8000) < np.where(sums > 0, 0.8, 0.3)).astype(np.int64)
    found = calibrated(sums, y)
    assert found.kind == "isotonic"
    assert all(np.diff(found.knots) > 0)
    assert all(np.diff(found.values) > 0)
    assert found.values[0] >= 1e-4
    assert found.values[-1] <= 1 - 1e-4
    assert applied(found, np.array([1.5]))[0] == pytest.approx(0.8, abs=0.05)


def test_many_rows_of_one_outcome_only_are_calibrated_by_a_sigmoid():
    sums = RNG.normal(0, 1, 8000)
    y = np.zeros(8000, dtype=np.int64)
    y[sums.argsort()[-999:]] = 1
    assert calibrated(sums, y).kind == "sigmoid"


def test_scores_that_foretell_the_opposite_are_not_turned_around():
    sums = RNG.normal(0, 1, 400)
    found = calibrated(sums, outcomes(-3 * sums, offset=1.0))
    assert found.slope == 0.0
    assert np.isfinite(found.offset)


def test_what_is_separated_perfectly_does_not_become_certain():
    sums = np.linspace(-1, 1, 100)
    p = applied(calibrated(sums, (sums > 0).astype(np.int64)), sums)
    assert 0.0 < p.min() < 0.05
    assert 0.95 < p.max() < 0.9999


def test_accounts_without_history_have_the_share_of_such_accounts():
    found = cold_start(np.array([1, 0, 0, 0] * 25 + [1] * 100), np.array([0] * 100 + [3] * 100))
    assert found.prior == pytest.approx(0.25, abs=0.01)
    assert found.weight == pytest.approx(0.5)
    assert cold_start(np.array([1, 0]), np.array([1, 1])).weight == 0.0


def test_days_to_pay_follow_the_features():
    examples = customers(3000)
    data = data_of(examples)
    found = days.learn(data, examples.days_to_pay, examples.paid)
    card = msgspec.structs.replace(
        _bare(BASELINE.fit(data), data), days_bias=found.bias, days=found.tables, days_limit=found.limit
    )
    foretold = Scorer(card, COLUMNS).days_to_pay(examples.x)
    covered = (examples.days_to_pay[:, None] <= foretold).mean(axis=0)
    assert covered == pytest.approx(QUANTILES, abs=0.06)
    error = np.abs(foretold[:, 1] - examples.days_to_pay).mean()
    assert error < 0.6 * np.abs(np.median(examples.days_to_pay) - examples.days_to_pay).mean()


def test_invoices_that_were_lost_sight_of_count_for_as_long_as_they_were_watched():
    examples = customers(4000)
    watched = RNG.uniform(0, 60, 4000)
    paid = examples.days_to_pay <= watched
    seen = np.where(paid, examples.days_to_pay, watched)
    truth = np.median(examples.days_to_pay)
    without = np.median(seen[paid])
    found = days.learn(data_of(customers(4000, effect=0.0, days=seen)).features([0]), seen, paid)
    assert abs(found.bias[1] - truth) < 0.5 * abs(without - truth)


def test_what_is_never_paid_lies_at_the_limit():
    data = data_of(customers(1000))
    found = days.learn(data, np.full(1000, 900.0), np.full(1000, False))  # noqa: FBT003
    assert found.limit == 365.0
    assert found.bias == pytest.approx([365.0] * 3)


def test_few_rows_have_the_same_days_for_everyone():
    data = data_of(customers(100))
    found = days.learn(data, np.arange(100.0), np.full(100, True))  # noqa: FBT003
    assert found.bias == pytest.approx([9.0, 49.0, 89.0], abs=1.5)
    assert not np.concatenate([np.ravel(table) for table in found.tables]).any()
