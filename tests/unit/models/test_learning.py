"""What actions do, learned of logged decisions: known effects are found again, and nothing is claimed without data."""

import datetime as dt

import msgspec
import numpy as np
import pytest

from models.actions.learning import (
    WAITED,
    Examples,
    deciles,
    fit_effects,
    fit_wait,
    learn,
    log_odds_of,
    posterior,
    predicted,
)
from models.actions.strategy import check
from schemas.strategies import ActionSpec, ActionStrategy, Condition, Effect, Segment

STRATEGY = ActionStrategy(
    name="test",
    segments=(
        Segment(name="fresh", when={"days_past_due": Condition(below=10)}),
        Segment(name="old", when={"days_past_due": Condition(at_least=10)}),
    ),
    actions=(
        ActionSpec(id="sms", action="contact", channel="sms", template="t", effect=Effect(log_odds=0.2, sd=0.5)),
        ActionSpec(id="letter", action="contact", channel="letter", template="t", effect=Effect(log_odds=0.2, sd=0.5)),
    ),
)
TRUTH = {("sms", "fresh"): 1.0, ("sms", "old"): 0.4, ("letter", "fresh"): 0.0, ("letter", "old"): 0.6}
OFFSET, SLOPE = -0.8, 0.6


def world(seed: int, n: int = 20_000, *, reached: float = 0.0, share: float = 0.6) -> Examples:
    """Decisions drawn uniformly among what is allowed in a share of the cases, and waits in the others.

    `reached`: log-odds by which those to whom a text may be sent pay more than others.
    """
    random = np.random.default_rng(seed)
    score, segment = random.uniform(0.05, 0.95, n), random.integers(1, 3, n)
    allowed = np.column_stack([random.random(n) < 0.6, np.ones(n, dtype=bool)])
    options = 1 + allowed.sum(axis=1)
    probability = np.column_stack([1 - share + share / options, *(share / options[:, None] * allowed).T])
    action = np.array([random.choice(3, p=row) for row in probability]) - 1
    effect = np.array([[TRUTH["sms", s], TRUTH["letter", s]] for s in ("fresh", "old")])
    moved = np.where(action == WAITED, 0.0, effect[segment - 1, np.maximum(action, 0)])
    odds = OFFSET + SLOPE * log_odds_of(score) + moved + reached * allowed[:, 0]
    paid = (random.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    return Examples(
        account=np.arange(n), log_odds=log_odds_of(score), segment=segment, action=action, allowed=allowed,
        probability=probability, factor=np.ones(n), held_out=np.zeros(n, dtype=bool), paid=paid,
    )  # fmt: skip


def test_waits_are_calibrated_on_waits_that_were_drawn():
    wait = fit_wait(world(1))
    assert wait.offset == pytest.approx(OFFSET, abs=0.08)
    assert wait.slope == pytest.approx(SLOPE, abs=0.06)
    assert wait.n > 5_000


def test_the_accounts_that_were_chased_hardest_do_not_look_as_if_they_paid_by_themselves():
    """Of history as it came, the wait of an account that a policy had no doubt about teaches nothing."""
    its = world(2)
    sure = Examples(**{name: getattr(its, name) for name in Examples.__struct_fields__} | {
        "probability": np.eye(3)[its.action + 1]
    })  # fmt: skip
    assert fit_wait(sure).n == 0
    assert fit_wait(sure).offset == 0.0


@pytest.mark.parametrize("reached", [0.0, 0.8])
def test_known_effects_are_found_again_also_where_a_channel_reaches_better_payers(reached):
    its = world(3, reached=reached)
    effects = {(e.action, e.segment): e for e in fit_effects(STRATEGY, its, fit_wait(its))}
    for (action, segment), truth in TRUTH.items():
        found = effects[action, segment]
        assert abs(found.log_odds - truth) < 3.5 * found.sd + 0.03, (action, segment, found)
        assert found.sd < 0.12
        assert found.n > 1_000


def test_intervals_hold_the_truth_as_often_as_they_say():
    inside = total = 0
    for seed in range(12):
        its = world(100 + seed, 4_000)
        for found in fit_effects(STRATEGY, its, fit_wait(its)):
            if found.segment:
                inside += abs(found.log_odds - TRUTH[found.action, found.segment]) < 1.96 * found.sd
                total += 1
    assert total == 48
    assert inside / total > 0.85


def test_without_data_nothing_is_learned_and_with_little_the_declared_is_kept():
    few = world(4, 60)
    learned = learn(STRATEGY, few, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "test")
    assert learned.effects == ()
    some = world(5, 500)
    for found in fit_effects(STRATEGY, some, fit_wait(some)):
        assert found.sd < 0.5 * 1.2  # of the declared prior and its pooling
        assert abs(found.log_odds) < 1.5


def test_what_was_learned_is_a_valid_part_of_its_strategy():
    learned = learn(STRATEGY, world(6, 6_000), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "test")
    check(msgspec.structs.replace(STRATEGY, learned=learned), "test.yaml")
    assert {its.segment for its in learned.effects} == {"", "fresh", "old"}


def test_predicted_and_realised_uplift_agree_where_the_model_is_right():
    learned = learn(STRATEGY, world(7), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "test")
    others = world(8)
    tenths = deciles(predicted(STRATEGY, learned, others), others)
    assert len(tenths) == 10
    assert sum(abs(its.predicted - its.realised) < 2 * its.sd for its in tenths) >= 8
    assert [its.predicted for its in tenths] == sorted(its.predicted for its in tenths)


def test_the_mode_of_the_posterior_lies_between_prior_and_data():
    x, y = np.ones((40, 1)), np.array([1.0] * 30 + [0.0] * 10)
    near, _ = posterior(x, y, np.ones(40), np.zeros(40), np.array([0.0]), np.array([0.1]))
    far, spread = posterior(x, y, np.ones(40), np.zeros(40), np.array([0.0]), np.array([10.0]))
    assert 0 < near[0] < far[0]
    assert far[0] == pytest.approx(np.log(3), abs=0.01)
    assert spread[0, 0] == pytest.approx(1 / (40 * 0.75 * 0.25), rel=0.02)
