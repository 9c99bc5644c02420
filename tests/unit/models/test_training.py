"""A scorecard out of examples: as good as the data allow, the same every time, and refused where it could only be bad."""

import msgspec
import numpy as np
import pytest

from models.propensity import candidates, days
from models.propensity import train as training
from models.propensity.evaluation import auc, brier
from models.propensity.scorecard import Scorer, encode
from models.propensity.train import train
from schemas.errors import BadInput
from tests.unit.models.learned import COLUMNS, customers, examples

RNG = np.random.default_rng(2)


@pytest.fixture(scope="module", autouse=True)
def _few_trees():
    """One candidate of each kind, and few trees: what is tested here does not hang on their number."""
    few = (candidates.BASELINE, candidates.Logistic("l1", 0.1), candidates.Boosting(rate=0.2, trees=30))
    with pytest.MonkeyPatch.context() as patch:
        for module in (candidates, training):
            patch.setattr(module, "CANDIDATES", few)
        patch.setattr(training, "YARDSTICK", candidates.Boosting(rate=0.2, trees=10, interactions=True))
        patch.setattr(days, "TREES", 20)
        yield


@pytest.fixture(scope="module")
def rows():
    return customers(1200)


@pytest.fixture(scope="module")
def trained(rows):
    return train(rows)


def test_a_model_is_better_than_the_baseline_on_later_rows(rows, trained):
    y = rows.y[trained.test]
    assert (trained.n_train, trained.n_test) == (840, 360)
    assert (auc(y, trained.probabilities) or 0.0) > (auc(y, trained.baseline) or 1.0) + 0.03
    assert brier(y, trained.probabilities) < brier(y, trained.baseline)
    assert trained.candidate.startswith("logistic l1")
    assert trained.warnings == []


def test_the_probabilities_are_those_of_the_card(rows, trained):
    scores = Scorer(trained.card, COLUMNS).score(rows.x[trained.test])
    assert scores.probabilities == pytest.approx(trained.probabilities.tolist(), abs=1e-9)
    assert trained.baseline.tolist() == rows.x[trained.test, COLUMNS.index("on_time_rate")].tolist()
    assert all(reasons for reasons in scores.reasons)


def test_every_candidate_is_shown_and_the_yardstick_is_not_released(trained):
    assert [c.released for c in trained.considered] == [True] * (len(trained.considered) - 1) + [False]
    assert trained.candidate in [c.name for c in trained.considered if c.released]
    assert trained.days_to_pay_mae is not None
    assert trained.days_to_pay_mae < 8.0


def test_the_same_examples_give_the_same_bytes_in_any_order(rows, trained):
    mixed = RNG.permutation(len(rows.outcome))
    fields = ("x", "at", "horizon_end", "outcome", "account_id", "invoice_id", "days_to_pay", "paid")
    again = train(msgspec.structs.replace(rows, **{name: getattr(rows, name)[mixed] for name in fields}))
    assert encode(again.card) == encode(trained.card)


def test_nothing_of_the_test_rows_is_in_the_card(rows, trained):
    x, outcome = rows.x.copy(), rows.outcome.copy()
    x[trained.test] = 0.0
    outcome[trained.test] = np.where(np.arange(360) % 2, "paid", "unpaid")
    assert encode(train(msgspec.structs.replace(rows, x=x, outcome=outcome)).card) == encode(trained.card)


def test_steps_are_learned_where_lines_cannot(rows):
    x = rows.x.copy()
    x = np.tile(x, (2, 1))
    middle = np.abs(x[:, 3] - 0.55) < 0.15
    outcome = np.where(RNG.random(len(x)) < np.where(middle, 0.9, 0.2), "paid", "unpaid")
    found = train(examples(x, outcome, columns=COLUMNS))
    assert found.candidate.startswith("boosting")
    assert found.card.points is not None
    assert (auc((outcome == "paid")[found.test].astype(np.int64), found.probabilities) or 0.0) > 0.8


def test_infinite_values_count_as_not_known_and_are_counted(rows):
    x, unknown = rows.x.copy(), rows.x.copy()
    x[:40:2, 0], x[1:40:2, 0], unknown[:40, 0] = np.inf, -np.inf, np.nan
    found = train(msgspec.structs.replace(rows, x=x))
    assert found.warnings == ["40 values of amount are infinite; they count as not known."]
    assert encode(found.card) == encode(train(msgspec.structs.replace(rows, x=unknown)).card)


def test_amounts_of_several_currencies_are_left_out(rows):
    found = train(msgspec.structs.replace(rows, currency=np.where(np.arange(1200) % 2, "EUR", "USD")))
    assert "amount" not in found.card.features
    assert found.warnings == [
        "2 currencies (EUR, USD): left out: amount, because amounts of different currencies cannot be compared."
    ]


def test_one_customer_is_learned_from_with_a_warning(rows):
    found = train(msgspec.structs.replace(rows, account_id=np.full(1200, "a")))
    assert found.warnings == ["All rows are of one customer: what is learned says nothing about any other."]


def test_features_that_do_not_vary_are_refused(rows):
    with pytest.raises(BadInput, match="None of 6 features varies among the 840 rows"):
        train(msgspec.structs.replace(rows, x=np.ones_like(rows.x)))


def test_pure_noise_leaves_the_baseline_and_says_so():
    rows = customers(400)
    outcome = np.where(np.random.default_rng(3).random(400) < 0.5, "paid", "unpaid")
    found = train(msgspec.structs.replace(rows, outcome=outcome))
    assert found.card.features == ["on_time_rate"]
    assert any("No model was better" in warning for warning in found.warnings)
    assert np.ptp(found.probabilities) < 0.3


def test_without_the_baselines_feature_a_model_is_learned_all_the_same(rows):
    x = rows.x.copy()
    x[:, COLUMNS.index("on_time_rate")] = 0.5
    found = train(msgspec.structs.replace(rows, x=x))
    assert found.card.features[0] != "on_time_rate"
    assert (auc(rows.y[found.test], found.probabilities) or 0.0) > 0.6


def test_another_targets_baseline_is_a_probability_of_that_target(rows):
    target = msgspec.structs.replace(rows.target, name="paid_within", days=3)
    outcome = np.where(rows.days_to_pay <= 15, "paid", "unpaid")
    found = train(msgspec.structs.replace(rows, target=target, outcome=outcome))
    share = (outcome[found.test] == "paid").mean()
    assert found.baseline.mean() == pytest.approx(share, abs=0.1)


def test_the_shares_left_out_are_told(rows):
    outcome = rows.outcome.copy()
    outcome[-120:] = "unmatured"
    outcome[:60] = "competing"
    found = train(msgspec.structs.replace(rows, outcome=outcome))
    assert (found.unmatured_share, found.competing_share) == (0.1, 0.05)
    assert found.n_train + found.n_test == 1020


def test_sixty_rows_are_enough_for_a_model():
    found = train(customers(60, seed=4))
    assert found.n_test == 18
    assert 0.0 < found.probabilities.min() <= found.probabilities.max() < 1.0
