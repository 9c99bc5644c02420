"""Learns from logged decisions what actions do: calibrated waits, and effects pooled from action to segment.

    P(pay | wait)   = sigmoid(offset + slope * logit(score))
    P(pay | action) = sigmoid(offset + slope * logit(score) + factor * (effect of action + effect in segment))

`offset` and `slope` are learned of waits that nobody chose for what they were worth: accounts that were held out, and
waits that were drawn, each weighed by one over its probability. Never of history as it came: the accounts chased hardest
would look as if they paid by themselves.

Effects are the posterior (Laplace) of a logistic regression whose prior is what the strategy declares; the effect of an
action in a segment is drawn towards the effect of the action. What was allowed, and the segment itself, have terms of
their own, so that a channel does not get the credit for those who can be reached on it. An outcome may be a share that
was paid (fractional logit, Papke and Wooldridge 1996). Several decisions about one account overlap in their outcomes:
of waiting they count as one together. Of actions each counts, because each was drawn anew: what makes one account pay
more than another falls on all its draws alike.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from schemas.strategies import ActionStrategy, Learned, LearnedEffect, WaitCalibration

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

WAITED = -1
WAIT_SD = (1.0, 0.5)
"""Prior of offset and slope around 0 and 1."""
SEGMENT_SD = 1.0
REACHED_SD = 0.5
"""Prior of what it means that an action was allowed at all."""
POOLED = 0.5
"""An effect in a segment differs from the action's own by so many of its declared standard deviations."""
MOST_WEIGHT = 20.0
"""One over a probability counts no more than this."""
FEWEST = 50
"""Waits or choices of an action below which nothing is learned of them."""
ROUNDS = 50
CONVERGED = 1e-8
DECIMALS = 4
GROUPS = 10


class Examples(msgspec.Struct, frozen=True):
    """Decisions that had a choice, one a row, with what came of them."""

    account: Places
    """(n,) Whose, from 0."""
    log_odds: Numbers
    """(n,) logit of the score."""
    segment: Places
    """(n,) 0 = none, then in the order of the strategy's segments."""
    action: Places
    """(n,) In the order of the strategy's actions; WAITED = nothing was done."""
    allowed: NDArray[np.bool_]
    """(n, actions) What could have been done."""
    probability: Numbers
    """(n, 1 + actions) Of each choice, waiting first."""
    factor: Numbers
    """(n,) How much more than usual the account is moved."""
    held_out: NDArray[np.bool_]
    """(n,) In the arm that is not contacted."""
    paid: Numbers
    """(n,) Share of what was at stake that came within the horizon, 0 to 1."""

    @property
    def chosen(self) -> Numbers:
        """(n,) The probability of what was chosen."""
        found: Numbers = self.probability[np.arange(len(self.action)), self.action + 1]
        return found


class Decile(msgspec.Struct, frozen=True):
    """Decisions of like predicted uplift, and what the best action did to them."""

    n: int
    acted: int
    """Of them, those in which the best action was taken."""
    waited: int
    predicted: float
    realised: float
    sd: float
    """Of `realised`."""


# -- waiting -----------------------------------------------------------------------------------------------------------


def fit_wait(examples: Examples) -> WaitCalibration:
    """P(pay | wait) from hold-out and drawn waits; what was declared (the score itself) when there are too few."""
    drawn = (examples.action == WAITED) & (examples.held_out | (examples.chosen < 1.0))
    count = int(drawn.sum())
    if count < FEWEST:
        return WaitCalibration()
    x = np.column_stack([np.ones(count), examples.log_odds[drawn]])
    weight = np.minimum(1.0 / examples.chosen[drawn], MOST_WEIGHT)
    weight = weight / weight.mean() * _once_an_account(examples.account[drawn])
    fitted, _ = posterior(x, examples.paid[drawn], weight, np.zeros(count), np.array([0.0, 1.0]), np.array(WAIT_SD))
    return WaitCalibration(
        offset=round(float(fitted[0]), DECIMALS), slope=round(max(float(fitted[1]), 0.0), DECIMALS), n=count
    )


# -- acting ------------------------------------------------------------------------------------------------------------


def fit_effects(strategy: ActionStrategy, examples: Examples, wait: WaitCalibration) -> tuple[LearnedEffect, ...]:
    """The posterior of every action that was taken often enough, and of it in each segment."""
    actions, groups = len(strategy.actions), len(strategy.segments) + 1
    x, mean, sd = _design(strategy, examples)
    offset = wait.offset + wait.slope * examples.log_odds
    weight = np.ones(len(examples.action))
    fitted, covariance = posterior(x, examples.paid, weight, offset, mean, sd)
    names = ["", *(segment.name for segment in strategy.segments)]
    first = groups + actions
    found: list[LearnedEffect] = []
    for place, spec in enumerate(strategy.actions):
        taken = examples.action == place
        if taken.sum() < FEWEST:
            continue
        own = first + place
        found.append(_effect(spec.id, "", fitted[own], covariance[own, own], int(taken.sum())))
        for group in range(1, groups):
            count = int((taken & (examples.segment == group)).sum())
            if count < FEWEST:
                continue
            with_it = [own, first + actions + place * groups + group]
            variance = covariance[np.ix_(with_it, with_it)].sum()
            found.append(_effect(spec.id, names[group], fitted[with_it].sum(), variance, count))
    return tuple(found)


def _effect(action: str, segment: str, mean: float, variance: float, count: int) -> LearnedEffect:
    return LearnedEffect(
        action=action,
        segment=segment,
        log_odds=round(float(np.clip(mean, -10, 10)), DECIMALS),
        sd=round(float(np.sqrt(max(variance, 0.0))), DECIMALS),
        n=count,
    )


def _design(strategy: ActionStrategy, examples: Examples) -> tuple[Numbers, Numbers, Numbers]:
    """The columns of the regression with the prior of each: segments, what was allowed, actions, actions in segments."""
    actions, groups, rows = len(strategy.actions), len(strategy.segments) + 1, len(examples.action)
    x = np.zeros((rows, groups + 2 * actions + actions * groups))
    every, acted = np.arange(rows), np.flatnonzero(examples.action != WAITED)
    x[every, examples.segment] = 1.0
    x[:, groups : groups + actions] = examples.allowed
    moved = examples.factor[acted]
    x[acted, groups + actions + examples.action[acted]] = moved
    x[acted, groups + 2 * actions + examples.action[acted] * groups + examples.segment[acted]] = moved
    means = [0.0] * (groups + actions)
    sds = [SEGMENT_SD] * groups + [REACHED_SD] * actions
    means += [spec.effect.log_odds for spec in strategy.actions]
    sds += [max(spec.effect.sd, 1e-3) for spec in strategy.actions]
    for spec in strategy.actions:
        for name in ["", *(segment.name for segment in strategy.segments)]:
            declared = spec.by_segment.get(name, spec.effect)
            means.append(declared.log_odds - spec.effect.log_odds)
            sds.append(max(POOLED * declared.sd, 1e-3))
    return x, np.array(means), np.array(sds)


def _once_an_account(account: Places) -> Numbers:
    """Weights with which the rows of an account sum to one."""
    _, place, counts = np.unique(account, return_inverse=True, return_counts=True)
    weights: Numbers = 1.0 / counts[place]
    return weights


def posterior(
    x: Numbers, y: Numbers, weight: Numbers, offset: Numbers, mean: Numbers, sd: Numbers
) -> tuple[Numbers, Numbers]:
    """Mode and covariance (Laplace) of a logistic regression with independent Gaussian priors, by Newton's method.

    Args:
        x: (n, k) columns; y: (n,) in [0, 1]; weight: (n,) of the rows; offset: (n,) added log-odds.
        mean, sd: (k,) of the prior.
    """
    with threadpool_limits(limits=1):  # the matrices are small, and threads on a busy machine wait for each other
        return _mode(x, y, weight, offset, mean, sd)


def _mode(
    x: Numbers, y: Numbers, weight: Numbers, offset: Numbers, mean: Numbers, sd: Numbers
) -> tuple[Numbers, Numbers]:
    precision = 1.0 / sd**2
    at = mean.astype(np.float64).copy()
    hessian = np.diag(precision)
    for _ in range(ROUNDS):
        p = _sigmoid(offset + x @ at)
        gradient = x.T @ (weight * (y - p)) - precision * (at - mean)
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        largest = float(np.abs(step).max())
        at += step if largest <= 2.0 else step * (2.0 / largest)
        if largest < CONVERGED:
            break
    return at, np.linalg.inv(hessian).astype(np.float64)


def _sigmoid(x: Numbers) -> Numbers:
    p: Numbers = 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))
    return p


# -- all of it ---------------------------------------------------------------------------------------------------------


def learn(strategy: ActionStrategy, examples: Examples, at: dt.datetime, source: str) -> Learned:
    """What the strategy's `learned` section may say after these decisions."""
    wait = fit_wait(examples)
    effects = fit_effects(strategy, examples, wait)
    return Learned(at=at, source=source[:200], horizon_days=strategy.horizon_days, wait=wait, effects=effects)


def predicted(strategy: ActionStrategy, learned: Learned | None, examples: Examples) -> Numbers:
    """(n, actions) The uplift that each action is predicted to have, by its mean effect; NaN = not allowed."""
    wait = WaitCalibration() if learned is None else learned.wait
    base = wait.offset + wait.slope * examples.log_odds
    names = ["", *(segment.name for segment in strategy.segments)]
    known = {} if learned is None else {(its.action, its.segment): its.log_odds for its in learned.effects}
    moved = np.array([
        [
            known.get((spec.id, name), known.get((spec.id, ""), spec.by_segment.get(name, spec.effect).log_odds))
            for spec in strategy.actions
        ]
        for name in names
    ])  # fmt: skip
    lift = _sigmoid(base[:, None] + moved[examples.segment] * examples.factor[:, None]) - _sigmoid(base)[:, None]
    allowed: Numbers = np.where(examples.allowed, lift, np.nan)
    return allowed


def deciles(lift: Numbers, examples: Examples) -> list[Decile]:
    """Predicted against realised uplift of the best action over waiting, by tenths of the predicted.

    Realised is the difference of the outcomes' means, each weighed by one over the probability of what was chosen
    (Hajek), among decisions in which both could have been chosen.
    """
    usable = np.isfinite(lift).any(axis=1) & (examples.probability[:, 0] > 0)
    best = np.zeros(len(usable), dtype=np.int64)
    best[usable] = np.nanargmax(lift[usable], axis=1)
    usable &= examples.probability[np.arange(len(best)), best + 1] > 0
    rows = np.flatnonzero(usable)
    if not len(rows):
        return []
    value = lift[rows, best[rows]]
    groups = np.array_split(rows[np.argsort(value, kind="stable")], GROUPS)
    return [its for group in groups if len(group) and (its := _decile(group, best, lift, examples)) is not None]


def _decile(rows: Places, best: Places, lift: Numbers, examples: Examples) -> Decile | None:
    action, chosen, paid = examples.action[rows], examples.chosen[rows], examples.paid[rows]
    acted, waited = action == best[rows], action == WAITED
    if not acted.any() or not waited.any():
        return None
    with_it, without = _mean(paid[acted], chosen[acted]), _mean(paid[waited], chosen[waited])
    return Decile(
        n=len(rows),
        acted=int(acted.sum()),
        waited=int(waited.sum()),
        predicted=round(float(lift[rows, best[rows]].mean()), 6),
        realised=round(with_it[0] - without[0], 6),
        sd=round(float(np.hypot(with_it[1], without[1])), 6),
    )


def _mean(values: Numbers, chosen: Numbers) -> tuple[float, float]:
    weight = np.minimum(1.0 / chosen, MOST_WEIGHT)
    mean = float(np.average(values, weights=weight))
    sd = float(np.sqrt((weight**2 * (values - mean) ** 2).sum()) / weight.sum())
    return mean, sd


def log_odds_of(scores: Sequence[float] | Numbers, clip: float = 1e-6) -> Numbers:
    """Logit of scores, which are no surer than `clip`."""
    p = np.clip(np.asarray(scores, dtype=np.float64), clip, 1 - clip)
    found: Numbers = np.log(p / (1 - p))
    return found
