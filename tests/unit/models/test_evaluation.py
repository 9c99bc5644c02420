"""Figures of merit: against scikit-learn where it has them, against their definition where it has not."""

import time

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from models.propensity.evaluation import Evaluation, auc, evaluate, evaluate_days, wilson
from models.propensity.groups import BUCKETS, bucket_of, evaluate_groups, groups_of
from models.propensity.importance import permutation_importance
from tests.unit.models.paid_ledgers import made_up, paid_ledger


def drawn(n, seed=0):
    """Outcomes of well calibrated probabilities."""
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 3, n)
    return (rng.random(n) < p).astype(np.int64), p


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=1, max_size=60))
def test_ranking_and_loss_are_those_of_scikit_learn_ties_and_all(rows):
    y, p = np.array([row[0] for row in rows]), np.array([row[1] for row in rows]) / 6
    found = evaluate(y, p, base_rate=0.5)
    if 0 < y.sum() < len(y):
        assert found.auc == pytest.approx(metrics.roc_auc_score(y, p))
    else:
        assert found.auc is None
    if y.any():
        assert found.average_precision == pytest.approx(metrics.average_precision_score(y, p))
    assert found.brier == pytest.approx(metrics.brier_score_loss(y, p, labels=[0, 1]) if len(rows) else 0.0)
    assert found.brier_base == pytest.approx(0.25)
    assert found.log_loss == pytest.approx(metrics.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15), labels=[0, 1]))
    assert 0.0 <= found.ece_low <= found.ece <= found.ece_high <= 1.0
    assert found.gain[0].positives == 0.0
    assert found.gain[-1].positives == pytest.approx(float(y.any()))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Evaluation) == found


def test_the_calibration_error_is_that_of_fifteen_bins_of_equal_mass():
    y, p = drawn(1003)
    order = np.argsort(p, kind="stable")
    bins = zip(np.array_split(y[order], 15), np.array_split(p[order], 15), strict=True)
    parts = [(len(said), abs(said.mean() - came.mean())) for came, said in bins]
    found = evaluate(y, p, base_rate=0.4)
    assert found.ece == pytest.approx(sum(n * gap for n, gap in parts) / 1003)
    assert [part.n for part in found.reliability] == [n for n, _ in parts]
    assert sum(found.histogram.positives) == y.sum()
    assert sum(found.histogram.negatives) == (1 - y).sum()


def test_the_bootstrap_is_the_plain_one():
    y, p = drawn(300, seed=4)
    rng = np.random.default_rng(9)
    plain = []
    for _ in range(400):
        rows = rng.integers(0, 300, 300)
        again, said = y[rows], p[rows]
        order = np.argsort(said, kind="stable")
        plain.append(sum(abs(part.sum()) for part in np.array_split((again - said)[order], 15)) / 300)
    found = evaluate(y, p, base_rate=0.4)
    assert found.ece_high == pytest.approx(np.quantile(plain, 0.975), abs=0.012)
    assert found.ece_low == pytest.approx(np.quantile(plain, 0.025), abs=0.012)


def test_noise_is_not_taken_for_miscalibration_and_miscalibration_not_for_noise():
    good = [evaluate(*drawn(800, seed), base_rate=0.4) for seed in range(20)]
    assert sum(found.calibrated for found in good) >= 17
    assert np.mean([found.ece for found in good]) == pytest.approx(np.mean([f.ece_noise for f in good]), rel=0.1)
    y, p = drawn(800)
    assert not evaluate(y, p**2, base_rate=0.4).calibrated


def test_the_same_rows_give_the_same_numbers_and_equal_probabilities_give_no_order():
    y, p = drawn(500)
    assert evaluate(y, p, base_rate=0.4) == evaluate(y, p, base_rate=0.4)
    flat = evaluate(np.sort(y)[::-1], np.full(500, 0.4), base_rate=0.4)
    assert flat.auc == 0.5
    assert flat.lift_top_decile == pytest.approx(1.0)
    assert [point.positives for point in flat.gain] == pytest.approx([point.rows for point in flat.gain])


def test_lift_and_gain_of_a_perfect_order():
    y = np.repeat([1, 0], [20, 80])
    found = evaluate(y, np.linspace(1, 0, 100), base_rate=0.2)
    assert (found.auc, found.average_precision, found.lift_top_decile) == pytest.approx((1.0, 1.0, 5.0))
    assert [point.positives for point in found.gain][:6] == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])


def test_a_hundred_thousand_rows_take_seconds():
    y, p = drawn(100_000)
    began = time.process_time()
    evaluate(y, p, base_rate=0.4)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("y", "p", "says"),
    [([], [], "0 outcomes"), ([1], [0.5, 0.5], "2 prob"), ([2], [0.5], "neither"), ([1], [1.5], "between"),
     ([1], [np.nan], "between"), ([1], [np.inf], "between")],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(y, p, says):
    with pytest.raises(ValueError, match=says):
        evaluate(np.array(y, dtype=np.int64), np.array(p), base_rate=0.5)


def test_wilsons_interval():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0


def test_days_to_pay_are_judged_by_their_middle_and_their_reach():
    rng = np.random.default_rng(0)
    centre = rng.uniform(10, 40, 5000)
    actual = centre + rng.normal(0, 5, 5000)
    reach = 1.2816 * 5
    found = evaluate_days(actual, np.column_stack([centre - reach, centre, centre + reach]))
    assert found.mae == pytest.approx(5 * np.sqrt(2 / np.pi), rel=0.05)
    assert found.mae_base > 7
    assert found.coverage == pytest.approx(0.8, abs=0.02)
    assert len(found.groups) == 10
    assert all(group.low < group.actual_median < group.high for group in found.groups)
    with pytest.raises(ValueError, match="at least one"):
        evaluate_days(np.zeros(0), np.zeros((0, 3)))


def test_groups_are_judged_each_and_small_ones_marked():
    y, p = drawn(600)
    tenant = np.array(["a"] * 560 + ["b"] * 40)
    promised = np.where(tenant == "b", np.minimum(1.0, p + 0.2), p)
    first, second = evaluate_groups(y, promised, {"tenant": tenant}, base_rate=0.4)
    assert (first.value, first.n, first.small, second.value, second.n, second.small) == ("a", 560, False, "b", 40, True)
    assert first.gap == pytest.approx(p[:560].mean() - y[:560].mean())
    assert first.auc == auc(y[:560], p[:560])
    assert second.gap > first.gap


def test_many_groups_are_summed_up_and_buckets_keep_their_order():
    y, p = drawn(600)
    found = evaluate_groups(y, p, {"tenant": np.array([f"t{place % 50}" for place in range(600)])}, 0.4)
    assert len(found) == 21
    assert found[-1].value == "(all others)"
    assert sum(group.n for group in found) == 600
    buckets = bucket_of(np.array([5, 0, -0.5, -1, -30, -31, -60.5, -91, np.nan] * 2))
    assert buckets.tolist()[:9] == ["not due", "not due", "1-30", "1-30", "1-30", "31-60", "61-90", "90+", "(none)"]
    judged = evaluate_groups(y[:18], p[:18], {"bucket": buckets}, 0.4)
    assert [group.value for group in judged] == [*BUCKETS, "(none)"]


def test_groupings_come_from_the_examples():
    examples = paid_ledger(made_up(), {"days_since_contact": np.resize([3.0, 31.0, np.nan], 1500)})
    groups = groups_of(examples, np.arange(1500))
    assert set(groups) == {"tenant", "segment", "currency", "days past due", "contact", "history"}
    assert (groups["contact"] != "not contacted").sum() == 500
    assert set(groups["segment"]) == {"(none)"}
    assert 0 < (groups["history"] == "no history").sum() < 1500


def test_importance_is_how_far_the_auc_falls():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50_000, 41))
    x[:, 5] = np.nan
    y = (rng.random(50_000) < 1 / (1 + np.exp(-2 * x[:, 0] - x[:, 1]))).astype(np.int64)
    before = x.copy()
    found = permutation_importance(lambda x: 2 * x[:, 0] + x[:, 1], x, y, [f"f{place}" for place in range(41)], seed=1)
    assert (found.rows, found.sampled) == (20_000, True)
    assert [item.column for item in found.items][:2] == ["f0", "f1"]
    assert found.items[0].fall > 0.15 > found.items[1].fall > 0.02
    assert {item.fall for item in found.items[2:]} == {0.0}
    np.testing.assert_array_equal(x, before)


def test_importance_of_one_class_is_none():
    found = permutation_importance(lambda x: x[:, 0], np.ones((5, 1)), np.ones(5, dtype=np.int64), ["a"])
    assert (found.auc, found.items) == (None, [])
