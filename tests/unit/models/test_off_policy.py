"""What another policy would have earned: worked examples, public logs, refusals, and intervals that hold the truth."""

import msgspec
import numpy as np
import pytest

from benchmarks.evaluation.public import open_bandit
from benchmarks.evaluation.worlds import World, log_of, truth
from models.evaluation.estimators import Estimator
from models.evaluation.judge import Judgement, Limits, judge
from models.evaluation.log import Log, steps_of
from models.evaluation.outcome import Next, moments, solved, values_of
from models.evaluation.weights import effective, weights_of
from tests.unit.models.shared_data import or_skip

ANY = Limits(accounts=0, outcomes=0, effective=0.0, unsupported=1.0, mean_off=np.inf)


def log(episode, action, logged, reward, account=None):
    episode = np.asarray(episode)
    return Log(
        account=episode if account is None else np.asarray(account),
        episode=episode,
        action=np.asarray(action, dtype=np.int64),
        logged=np.asarray(logged, dtype=np.float64),
        reward=np.asarray(reward, dtype=np.float64),
        x=np.zeros((len(action), 0)),
    )


def bandit(n=1_000, seed=0):
    """Two actions, 0.5 each; the second one pays 1 in 2, the first 1 in 10."""
    rng = np.random.default_rng(seed)
    action = rng.integers(0, 2, n)
    return log(np.arange(n), action, np.full((n, 2), 0.5), rng.random(n) < np.array([0.1, 0.5])[action])


def test_ips_and_snips_of_a_worked_example():
    logged = log([0, 1, 2, 3], [0, 0, 1, 1], [[0.8, 0.2]] * 2 + [[0.5, 0.5]] * 2, [10, 0, 6, 2])
    candidate = np.array([[0.4, 0.6]] * 2 + [[0.25, 0.75]] * 2)
    judged = judge(logged, candidate, limits=ANY)
    weights = [0.5, 0.5, 1.5, 1.5]
    assert judged.of("ips").value == pytest.approx(np.mean(np.multiply(weights, [10, 0, 6, 2])))
    assert judged.of("snips").value == pytest.approx(np.average([10, 0, 6, 2], weights=weights))
    assert judged.diagnostics.effective == pytest.approx(16 / 5)
    assert judged.diagnostics.mean_weight == 1.0
    assert judged.logged.value == 4.5


def test_a_reward_is_weighted_by_the_choices_up_to_it_and_not_by_those_after():
    logged = log([0, 0, 1, 1], [0, 1, 1, 0], np.full((4, 2), 0.5), [1, 2, 4, 8])
    candidate = np.array([[0.75, 0.25], [0.5, 0.5], [0.75, 0.25], [0.9, 0.1]])
    after = weights_of(logged, candidate, steps_of(logged)).after
    assert after.tolist() == [[1.5, 1.5], [0.5, pytest.approx(0.9)]]
    judged = judge(logged, candidate, limits=ANY)
    clip = 2**0.5
    assert judged.of("ips").value == pytest.approx((clip * 1 + clip * 2 + 0.5 * 4 + 0.9 * 8) / 2)
    assert judged.of("snips").value == pytest.approx((1.5 * 1 + 0.5 * 4) / 2.0 + (1.5 * 2 + 0.9 * 8) / 2.4)


def test_an_ended_episode_keeps_its_weight_and_earns_nothing_more():
    logged = log([0, 1, 1], [0, 0, 0], np.full((3, 2), 0.5), [3, 1, 5])
    candidate = np.array([[0.8, 0.2], [0.6, 0.4], [0.5, 0.5]])
    judged = judge(logged, candidate, limits=ANY)
    assert judged.of("snips").value == pytest.approx((1.6 * 3 + 1.2 * 1) / 2.8 + 1.2 * 5 / 2.8)


def test_the_logged_policy_is_worth_what_it_earned_by_every_weighting():
    logged = bandit()
    judged = judge(logged, logged.logged)
    assert judged.verdict == "same"
    assert judged.of("ips").value == judged.of("snips").value == pytest.approx(logged.reward.mean())
    assert judged.of("snips").more == judged.of("snips").more_high == pytest.approx(0.0)
    assert judged.diagnostics.effective == pytest.approx(1_000)


def test_a_better_and_a_worse_policy_are_told_apart():
    logged = bandit()
    assert judge(logged, np.tile([0.1, 0.9], (1_000, 1))).verdict == "better"
    assert judge(logged, np.tile([0.9, 0.1], (1_000, 1))).verdict == "worse"
    alike = msgspec.structs.replace(logged, reward=np.random.default_rng(1).random(1_000) < 0.3)
    assert judge(alike, np.tile([0.1, 0.9], (1_000, 1))).verdict == "undecided"


def test_the_same_input_gives_the_same_judgement():
    logged, candidate = log_of(World(steps=3), 300, np.random.default_rng(1))
    assert judge(logged, candidate, seed=4, resamples=100) == judge(logged, candidate, seed=4, resamples=100)


def test_decisions_on_one_account_are_not_independent_observations():
    """The same decisions again, on the same accounts, make nothing surer; on new accounts they would."""
    once = bandit()
    fields = {name: np.repeat(getattr(once, name), 4, axis=0) for name in ("action", "logged", "reward", "x")}
    again = Log(account=np.repeat(once.account, 4), episode=np.arange(4_000), **fields)
    apart = Log(account=np.arange(4_000), episode=np.arange(4_000), **fields)

    def width(of):
        snips = judge(of, np.tile([0.3, 0.7], (of.decisions, 1))).of("snips")
        return snips.high - snips.low

    assert width(again) == pytest.approx(width(once), rel=0.02)
    assert width(apart) == pytest.approx(width(once) / 2, rel=0.1)


def reasons(judged: Judgement):
    assert (judged.verdict == "refused") == bool(judged.refused)
    assert bool(judged.estimates) != bool(judged.refused)
    return [refusal.reason for refusal in judged.refused]


def test_a_log_without_exploration_is_refused():
    n = 1_000
    logged = log(np.arange(n), np.zeros(n, dtype=int), np.tile([1.0, 0.0], (n, 1)), np.ones(n))
    assert reasons(judge(logged, np.tile([0.9, 0.1], (n, 1)))) == ["no_exploration"]
    assert reasons(judge(logged, logged.logged)) == []


def test_choices_that_the_log_hardly_ever_made_are_refused():
    n = 20_000
    rng = np.random.default_rng(2)
    action = (rng.random(n) < 0.009).astype(int)
    logged = log(np.arange(n), action, np.tile([0.991, 0.009], (n, 1)), rng.random(n) < 0.2)
    few, many = np.tile([0.96, 0.04], (n, 1)), np.tile([0.9, 0.1], (n, 1))
    assert reasons(judge(logged, few, resamples=10)) == []
    assert reasons(judge(logged, many, resamples=10)) == ["no_support"]
    assert judge(logged, many, resamples=10).diagnostics.unsupported == pytest.approx(0.1)


def test_too_few_accounts_outcomes_and_effective_accounts_are_refused():
    assert reasons(judge(bandit(199), np.full((199, 2), 0.5))) == ["few_accounts"]
    assert reasons(judge(bandit(200), np.full((200, 2), 0.5))) == []
    quiet = msgspec.structs.replace(bandit(), reward=np.arange(1_000) < 19)
    assert reasons(judge(quiet, np.full((1_000, 2), 0.5))) == ["few_outcomes"]
    n = 1_000
    rare = log(np.arange(n), np.arange(n) % 20 == 0, np.tile([0.95, 0.05], (n, 1)), np.ones(n))
    assert reasons(judge(rare, np.tile([0.0, 1.0], (n, 1)))) == ["few_effective"]


def test_probabilities_that_were_not_drawn_with_are_noticed():
    """The log says one half, but the first action was drawn nine times in ten."""
    rng = np.random.default_rng(3)
    action = (rng.random(2_000) > 0.9).astype(int)
    logged = log(np.arange(2_000), action, np.full((2_000, 2), 0.5), rng.random(2_000) < 0.3)
    assert reasons(judge(logged, np.tile([0.2, 0.8], (2_000, 1)))) == ["mean_weight"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("episode", np.array([0, 2, 2]), "without a gap"),
        ("episode", np.array([0, 1, 0]), "without a gap"),
        ("episode", np.array([0, 1, 1]), "two accounts"),
        ("logged", np.array([[0.5, 0.4]] * 3), "do not sum to 1"),
        ("logged", np.array([[1.5, -0.5]] * 3), "negative"),
        ("logged", np.array([[0.0, 1.0]] * 3), "logged probability is 0"),
        ("reward", np.array([1.0, np.nan, 0.0]), "not finite"),
        ("reward", np.array([1.0, 0.0]), "3 decisions"),
    ],
)
def test_a_log_that_cannot_be_judged_is_refused_with_the_reason(field, value, says):
    good = log([0, 1, 2], [0, 0, 0], np.full((3, 2), 0.5), [1, 0, 1])
    with pytest.raises(ValueError, match=says):
        judge(msgspec.structs.replace(good, **{field: value}), np.full((3, 2), 0.5))


def test_the_effective_sample_is_that_of_kish():
    assert effective(np.ones(7)) == pytest.approx(7.0)
    assert effective(np.array([1.0, 0.0, 0.0])) == pytest.approx(1.0)
    assert effective(np.zeros(3)) == 0.0


def test_an_action_of_few_rows_is_pulled_towards_the_others():
    x = np.ones((1_001, 1))
    action = np.array([0] * 1_000 + [1])
    ends = Next(np.zeros((1_001, 1)), np.zeros((1_001, 3)))
    model = solved(moments(x, action, np.array([1.0] * 1_000 + [100.0]), ends), 3)
    assert model[0, 0] == pytest.approx(1.0, abs=0.1)
    assert model[0, 0] < model[0, 2] < model[0, 1] < 30.0  # one row says 100; an action without rows is between the two


def test_values_look_ahead_to_what_the_candidate_would_do_next():
    """Only the second step pays, and only for the second action."""
    n = 2_000
    rng = np.random.default_rng(5)
    action = rng.integers(0, 2, 2 * n)
    reward = np.where(np.arange(2 * n) % 2 == 1, 10.0 * action, 0.0)
    logged = Log(
        account=np.repeat(np.arange(n), 2),
        episode=np.repeat(np.arange(n), 2),
        action=action,
        logged=np.full((2 * n, 2), 0.5),
        reward=reward,
        x=np.tile([[0.0], [1.0]], (n, 1)),
    )
    values = values_of(logged, np.tile([0.2, 0.8], (2 * n, 1)), steps_of(logged), seed=0)
    assert values.v[::2] == pytest.approx(8.0, abs=0.3)
    assert values.q[1::2][action[1::2] == 1] == pytest.approx(10.0, abs=0.3)


@pytest.mark.parametrize(
    ("campaign", "value", "low", "high", "truth"),
    [("men", 0.0057, 0.0032, 0.0087, 0.0069), ("women", 0.0058, 0.0036, 0.0082, 0.0046)],
)
def test_what_the_bts_policy_earned_is_found_in_the_random_log(campaign, value, low, high, truth):
    bandit = or_skip(open_bandit, campaign)
    judged = judge(bandit.log, bandit.bts)
    snips, dr = judged.of("snips"), judged.of("dr")
    assert bandit.truth == pytest.approx(truth)
    assert (snips.value, snips.low, snips.high) == pytest.approx((value, low, high), abs=0.0003)
    assert snips.low <= truth <= snips.high
    assert dr.low <= truth <= dr.high
    assert dr.value == pytest.approx(value, abs=0.0003)
    assert abs(judged.diagnostics.mean_weight - 1.0) < 2 * judged.diagnostics.mean_weight_error


def covered(world, accounts, runs, resamples):
    """How often the interval of each estimator held the truth, and how often nothing was refused."""
    names: tuple[Estimator, ...] = ("ips", "snips", "dr")
    right, judged_runs, expected = dict.fromkeys(names, 0), 0, truth(world)
    for run in range(runs):
        logged, candidate = log_of(world, accounts, np.random.default_rng([run, world.steps]))
        judged = judge(logged, candidate, seed=run, resamples=resamples)
        judged_runs += not judged.refused
        for name in names if judged.estimates else ():
            estimate = judged.of(name)
            right[name] += estimate.low <= expected <= estimate.high
    return {name: count / judged_runs for name, count in right.items()}, judged_runs / runs


@pytest.mark.parametrize("steps", [1, 4])
def test_intervals_hold_the_truth_as_often_as_they_say(steps):
    """A fast look at what benchmarks/evaluation measures over 200 runs of more accounts."""
    shares, judged = covered(World(steps), accounts=600, runs=80, resamples=200)
    assert judged > 0.95
    assert all(0.87 <= share <= 0.995 for share in shares.values()), shares


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 3, 6])
def test_intervals_hold_the_truth_in_200_runs(steps):
    shares, judged = covered(World(steps), accounts=2_000, runs=200, resamples=1_000)
    assert judged > 0.95
    assert all(0.90 <= share <= 0.99 for share in shares.values()), shares


def test_single_decisions_would_miss_what_a_policy_does_to_the_steps_after():
    """The reward a step, weighted by that step alone, is not what the candidate earns: a call tires the next step."""
    world = World(steps=4)
    logged, candidate = log_of(world, 10_000, np.random.default_rng(9))
    judged = judge(logged, candidate, resamples=50)
    alone = msgspec.structs.replace(logged, episode=np.arange(logged.decisions))
    plain = judge(alone, candidate, resamples=50)
    expected = truth(world)
    assert judged.of("snips").value == pytest.approx(expected, rel=0.03)
    assert plain.of("snips").value * 4 > expected * 1.05
