"""What an action is worth to a candidate from here to the end of the episode, by ridge regressions fitted on other accounts.

One linear model is shared by all actions and each action may differ from it, the less the fewer rows it has. For episodes
of several decisions this is fitted Q evaluation: the target of a step is its reward plus what the candidate would earn from
the next step on, iterated as often as the longest episode has steps. Values are kept within the returns that were seen, so
that the iteration cannot run away.

Source: Le, Voloshin and Yue, Batch Policy Learning under Constraints (2019), algorithm 3; cross-fitting: Chernozhukov et
al., Double/Debiased Machine Learning (2018).
"""

import msgspec
import numpy as np

from models.evaluation.log import Log, Numbers, Places, Steps

FOLDS = 5
SHRINKAGE = 10.0
"""An action's own coefficients are pulled towards the shared ones as if by this many rows."""
FAINT = 1e-3
"""The pull on the shared coefficients: enough to solve where columns say the same."""
SETTLED = 1e-6
"""Of the range of returns: an iteration that moves no value further is the last."""


class Values(msgspec.Struct, frozen=True):
    """Foretold by models that did not see the account."""

    q: Numbers
    """(n,) Of the action that was chosen, from this decision to the end of the episode."""
    v: Numbers
    """(n,) Of the candidate's choice instead."""


def values_of(log: Log, candidate: Numbers, steps: Steps, seed: int) -> Values:
    """Cross-fitted by account: FOLDS models, each foretelling the accounts that it was not fitted on.

    Args:
        candidate: probabilities (n, k).
        seed: of the folds.
    """
    fold = np.random.default_rng(seed).permutation(log.accounts)[log.account] % FOLDS
    x, bounds = _design(log.x), _returns(log, steps)
    follows = steps.step + 1 < np.repeat(steps.length, steps.length)
    q, v = np.zeros(log.decisions), np.zeros(log.decisions)
    for place in range(FOLDS):
        held, rows = fold == place, np.flatnonzero(fold != place)
        if not len(rows):
            continue
        ridge = Ridge(x[rows], log.action[rows], log.logged.shape[1])
        model = _iterated(
            ridge, candidate[rows], log.reward[rows], np.flatnonzero(follows[rows]), bounds, steps.longest
        )
        foretold = np.clip(x[held] @ model, *bounds)
        q[held] = foretold[np.arange(len(foretold)), log.action[held]]
        v[held] = (foretold * candidate[held]).sum(axis=1)
    return Values(q, v)


class Ridge:
    """A linear model of each action, pulled towards one of all; solved anew for other targets without much work.

    Args:
        x: (n, d), the first column 1.
        action: (n,)
        actions: k.
    """

    def __init__(self, x: Numbers, action: Places, actions: int) -> None:
        self.x, self.action, self.actions = x, action, actions
        d = x.shape[1]
        blocks = np.zeros((actions, d, d))
        for own in range(actions):
            of = x[action == own]
            blocks[own] = of.T @ of
        # The unknowns: the shared coefficients, then each action's deviations.
        gram = np.zeros(((actions + 1) * d,) * 2)
        gram[:d, :d] = blocks.sum(axis=0) + FAINT * np.eye(d)
        for own in range(actions):
            at = slice((own + 1) * d, (own + 2) * d)
            gram[:d, at] = gram[at, :d] = blocks[own]
            gram[at, at] = blocks[own] + SHRINKAGE * np.eye(d)
        self.inverse = np.linalg.inv(gram)

    def solve(self, y: Numbers) -> Numbers:
        """Coefficients (d, k)."""
        d = self.x.shape[1]
        sums = np.empty((self.actions + 1, d))
        for column in range(d):
            sums[1:, column] = np.bincount(self.action, self.x[:, column] * y, self.actions)
        sums[0] = sums[1:].sum(axis=0)
        found = (self.inverse @ sums.ravel()).reshape(self.actions + 1, d)
        return np.asarray((found[0] + found[1:]).T, dtype=np.float64)


def _iterated(
    ridge: Ridge, candidate: Numbers, reward: Numbers, before: Places, bounds: tuple[float, float], times: int
) -> Numbers:
    """The coefficients after so many steps; `before` are the rows whose next row is of the same episode."""
    model = ridge.solve(reward)
    worth = np.zeros(len(before))
    for _ in range(times - 1 if len(before) else 0):
        said, worth = worth, (np.clip(ridge.x[before + 1] @ model, *bounds) * candidate[before + 1]).sum(axis=1)
        if np.abs(worth - said).max() <= SETTLED * (bounds[1] - bounds[0]):
            break
        target = reward.copy()
        target[before] += worth
        model = ridge.solve(target)
    return model


def _design(x: Numbers) -> Numbers:
    """1, then the columns with mean 0 and deviation 1; a constant one is 0."""
    spread = x.std(axis=0)
    scaled = np.divide(x - x.mean(axis=0), spread, out=np.zeros_like(x), where=spread > 0)
    return np.hstack([np.ones((len(x), 1)), scaled])


def _returns(log: Log, steps: Steps) -> tuple[float, float]:
    """The least and the most that came from any decision to the end of its episode."""
    running = np.cumsum(log.reward)
    last = np.repeat(steps.first + steps.length - 1, steps.length)
    ahead = running[last] - running + log.reward
    return float(ahead.min()), float(ahead.max())
