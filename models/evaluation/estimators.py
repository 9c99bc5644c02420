"""What a candidate would have earned an episode, by four estimators that fail in different ways.

| estimator | needs | fails when |
|---|---|---|
| `ips` | the logged probabilities | weights are large: it is clipped, and so leans towards too little |
| `snips` | the logged probabilities | few effective rows; slightly biased in small samples |
| `dm` | a right outcome model | the model is wrong, of which its interval knows nothing |
| `dr` | either of the two | both are wrong, or few effective rows |

Episodes of several decisions use the per-decision forms: a reward is weighted by the choices up to it, not by those after.
Where every episode has one decision they are the plain ones.

Sources: Precup, Sutton and Singh (2000), per-decision importance sampling; Swaminathan and Joachims (2015), SNIPS;
Thomas (2015), consistent weighted per-decision importance sampling; Jiang and Li (2016), doubly robust for sequences;
clipping at the root of the sample: Ionides (2008).
"""

from typing import Literal

import numpy as np

from models.evaluation.bootstrap import Statistic, ratio
from models.evaluation.log import Log, Numbers, Steps
from models.evaluation.outcome import Values
from models.evaluation.weights import Weights

Estimator = Literal["ips", "snips", "dm", "dr"]


def logged(log: Log, steps: Steps) -> Statistic:
    """What the policy that decided earned an episode."""
    return _mean(log, steps, _sum(steps, log.reward))


def mean_weight(log: Log, steps: Steps, weights: Weights) -> Statistic:
    """Of whole episodes."""
    return _mean(log, steps, weights.last)


def ips(log: Log, steps: Steps, weights: Weights) -> Statistic:
    """Rewards times weights, no weight above the root of the number of episodes."""
    clipped = np.minimum(weights.after, np.sqrt(log.episodes))[log.episode, steps.step]
    return _mean(log, steps, _sum(steps, clipped * log.reward))


def snips(log: Log, steps: Steps, weights: Weights) -> Statistic:
    """At each step the weighted mean of its rewards; an ended episode keeps its weight and earns nothing more."""
    earned = np.zeros_like(weights.after)
    earned[log.episode, steps.step] = log.reward
    sums = np.hstack([_by_account(log, steps, weights.after * earned), _by_account(log, steps, weights.after)])
    return Statistic(sums, _sum_of_ratios)


def dm(log: Log, steps: Steps, values: Values) -> Statistic:
    """What the outcome model foretells at the first decision of each episode."""
    return _mean(log, steps, values.v[steps.first])


def dr(log: Log, steps: Steps, weights: Weights, values: Values) -> Statistic:
    """The outcome model, corrected by the weighted errors that it made."""
    at = log.episode, steps.step
    rows = weights.before[at] * values.v + weights.after[at] * (log.reward - values.q)
    return _mean(log, steps, _sum(steps, rows))


def _sum_of_ratios(totals: Numbers) -> Numbers:
    """Of (..., 2 p): the sum of the first p over the last p; where a weight is 0 there is nothing to add."""
    above, below = np.split(totals, 2, axis=-1)
    return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=below > 0).sum(axis=-1), dtype=np.float64)


def _mean(log: Log, steps: Steps, of_episode: Numbers) -> Statistic:
    """The mean over episodes of a number of each."""
    return Statistic(_by_account(log, steps, np.column_stack([of_episode, np.ones(log.episodes)])), ratio)


def _sum(steps: Steps, rows: Numbers) -> Numbers:
    """(n,) summed within episodes."""
    return np.add.reduceat(rows, steps.first)


def _by_account(log: Log, steps: Steps, of_episode: Numbers) -> Numbers:
    """(episodes, p) summed within accounts: (accounts, p)."""
    if log.accounts == log.episodes and np.array_equal(steps.owner, np.arange(log.episodes)):
        return of_episode
    found = np.zeros((log.accounts, of_episode.shape[1]))
    np.add.at(found, steps.owner, of_episode)
    return found
