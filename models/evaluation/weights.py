"""How the candidate's choices compare with the log's: importance weights, and whether they can be trusted.

The weight of an episode up to a step is the product of the ratios candidate / logged of the actions that were chosen. Its
mean is 1 at every step whatever the candidate is, if the logged probabilities are those that were drawn with; a mean that
is surely elsewhere says that they are not, or that the log is incomplete.
"""

import msgspec
import numpy as np

from models.evaluation.log import Log, Numbers, Steps

RARE = 0.01
"""A choice that the log made with a smaller probability counts as hardly ever made."""


class Weights(msgspec.Struct, frozen=True):
    """Of every episode, after each of its steps; past its end the last one stays."""

    after: Numbers
    """(episodes, steps)"""
    before: Numbers
    """(episodes, steps) Those without the step's own ratio."""

    @property
    def last(self) -> Numbers:
        """(episodes,) The whole episode's."""
        return self.after[:, -1]


def weights_of(log: Log, candidate: Numbers, steps: Steps) -> Weights:
    """The weights of a candidate's probabilities (n, k)."""
    rows = np.arange(log.decisions)
    ratio = candidate[rows, log.action] / log.logged[rows, log.action]
    ratios = np.ones((log.episodes, steps.longest))
    ratios[log.episode, steps.step] = ratio
    after = np.asarray(np.cumprod(ratios, axis=1), dtype=np.float64)
    return Weights(after, np.hstack([np.ones((log.episodes, 1)), after[:, :-1]]))


def effective(weights: Numbers) -> float:
    """Kish's effective sample size: as many equally weighted rows say as much. 0 where every weight is 0."""
    total = float(weights.sum())
    return total * total / float((weights * weights).sum()) if total > 0.0 else 0.0


def unsupported(log: Log, candidate: Numbers) -> float:
    """Share of the candidate's choices that the log made with a probability below RARE."""
    return float(np.where(log.logged < RARE, candidate, 0.0).sum() / log.decisions)


def deterministic(log: Log) -> bool:
    """Whether the log always knew what it would choose, so that it says nothing of anything else."""
    return bool(np.all((log.logged < TINY) | (log.logged > 1.0 - TINY)))


TINY = 1e-9
