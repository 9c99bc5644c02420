"""What an action is worth to a candidate from here to the end of the episode, by ridge regressions fitted on other accounts.

One linear model is shared by all actions and each action may differ from it, the less the fewer rows it has. For episodes
of several decisions this is fitted Q evaluation at its fixed point: the value of a step is its reward plus what the
candidate would earn from the next step on, which for a linear model is one system of equations (least-squares temporal
differences). What is foretold is kept within the returns that were seen.

Sums over accounts are all that a fit needs, so they are taken once for each of GROUPS groups of accounts; the models of
cross-fitting and of the jackknife are made of sums of those.

Sources: Le, Voloshin and Yue, Batch Policy Learning under Constraints (2019), algorithm 3; Lagoudakis and Parr,
Least-Squares Policy Iteration (2003), for the linear case; cross-fitting: Chernozhukov et al. (2018).
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.evaluation.log import Log, Numbers, Places, Steps

GROUPS = 20
FOLDS = 5
"""Of GROUPS / FOLDS groups each."""
SHRINKAGE = 10.0
"""An action's own coefficients are pulled towards the shared ones as if by this many rows."""
FAINT = 1e-3
"""The pull on the shared coefficients: enough to solve where columns say the same."""


class Values(msgspec.Struct, frozen=True):
    """Foretold by models that did not see the account."""

    q: Numbers
    """(n,) Of the action that was chosen, from this decision to the end of the episode."""
    v: Numbers
    """(n,) Of the candidate's choice instead."""
    error: float
    """Standard error of the mean of `v` at the first decisions of episodes: a jackknife over groups of accounts, of which
    each model is fitted anew."""
    more_error: float
    """The same of its difference to what was logged."""


class Moments(msgspec.Struct, frozen=True):
    """Sums over rows; unknowns are the shared coefficients, then each action's deviations, p = (k + 1) d in all."""

    gram: Numbers
    """(p, p) Of the rows with themselves."""
    ahead: Numbers
    """(p, p) Of the rows with what the candidate is expected to meet at the next decision of the episode."""
    reward: Numbers
    """(p,)"""

    def less(self, others: "Moments") -> "Moments":
        """Without some of the rows."""
        return Moments(self.gram - others.gram, self.ahead - others.ahead, self.reward - others.reward)


class Next(msgspec.Struct, frozen=True):
    """What a row is followed by in its episode."""

    x: Numbers
    """(n, d) 0 where nothing follows."""
    candidate: Numbers
    """(n, k)"""


def values_of(log: Log, candidate: Numbers, steps: Steps, seed: int) -> Values:
    """Cross-fitted by account: each model foretells the accounts that it was not fitted on.

    Args:
        candidate: probabilities (n, k).
        seed: of the groups.
    """
    group = np.random.default_rng(seed).permutation(log.accounts)[log.account] % GROUPS
    x, actions = _design(log.x), log.logged.shape[1]
    following = _following(x, candidate, steps)
    parts = [
        moments(x[rows], log.action[rows], log.reward[rows], Next(following.x[rows], following.candidate[rows]))
        for rows in (np.flatnonzero(group == place) for place in range(GROUPS))
    ]
    bounds = _returns(log, steps)
    total = _total(parts)
    q, v = np.zeros(log.decisions), np.zeros(log.decisions)
    for fold in range(FOLDS):
        held = group % FOLDS == fold
        foretold = np.clip(x[held] @ solved(total.less(_total(parts[fold::FOLDS])), actions), *bounds)
        q[held] = foretold[np.arange(len(foretold)), log.action[held]]
        v[held] = (foretold * candidate[held]).sum(axis=1)
    models = [solved(total.less(part), actions) for part in parts]
    return Values(
        q, v, *_errors(log, candidate, steps, group, [np.clip(x[steps.first] @ its, *bounds) for its in models])
    )


def moments(x: Numbers, action: Places, reward: Numbers, following: Next) -> Moments:
    """The sums of some rows."""
    actions, d = following.candidate.shape[1], x.shape[1]
    p = (actions + 1) * d
    gram, ahead, sums = np.zeros((p, p)), np.zeros((p, p)), np.zeros(p)
    met = np.hstack(
        [following.x, (following.candidate[:, :, None] * following.x[:, None, :]).reshape(len(x), actions * d)]
    )
    for own in range(actions):
        rows = action == own
        mine, at = x[rows], slice((own + 1) * d, (own + 2) * d)
        block = mine.T @ mine
        gram[:d, :d] += block
        gram[:d, at] = gram[at, :d] = gram[at, at] = block
        ahead[at] = mine.T @ met[rows]
        sums[at] = mine.T @ reward[rows]
    ahead[:d] = x.T @ met
    sums[:d] = x.T @ reward
    return Moments(gram, ahead, sums)


def solved(of: Moments, actions: int) -> Numbers:
    """Coefficients (d, k)."""
    d = len(of.reward) // (actions + 1)
    pull = np.concatenate([np.full(d, FAINT), np.full(actions * d, SHRINKAGE)])
    found = np.linalg.solve(of.gram + np.diag(pull) - of.ahead, of.reward).reshape(actions + 1, d)
    return np.asarray((found[0] + found[1:]).T, dtype=np.float64)


def _errors(
    log: Log, candidate: Numbers, steps: Steps, group: NDArray[np.int64], foretold: list[Numbers]
) -> tuple[float, float]:
    """Of a group's model, the accounts are those that are left as well."""
    returns = np.add.reduceat(log.reward, steps.first)
    found = []
    for place, values in enumerate(foretold):
        kept = group[steps.first] != place
        if kept.any() and not kept.all():
            value = float((values * candidate[steps.first])[kept].sum() / kept.sum())
            found.append((value, value - float(returns[kept].mean())))
    if not found:
        return 0.0, 0.0
    spread = np.sqrt(np.var(found, axis=0) * (len(found) - 1))
    return float(spread[0]), float(spread[1])


def _following(x: Numbers, candidate: Numbers, steps: Steps) -> Next:
    has = (steps.step + 1 < np.repeat(steps.length, steps.length))[:, None]
    return Next(np.where(has, np.roll(x, -1, axis=0), 0.0), np.where(has, np.roll(candidate, -1, axis=0), 0.0))


def _total(parts: list[Moments]) -> Moments:
    return Moments(
        np.sum([part.gram for part in parts], axis=0),
        np.sum([part.ahead for part in parts], axis=0),
        np.sum([part.reward for part in parts], axis=0),
    )


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
