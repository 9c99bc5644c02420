"""Logged decisions as arrays: what was chosen, how likely each choice was, and what came of it.

An **episode** is what is judged as a whole: the decisions on one account within one attribution window, in the order of
time. Its rewards do not overlap, so their sum is what the account paid in the window. Where every episode has one decision,
this is the usual contextual bandit.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

TOLERANCE = 1e-6
"""Of a row of probabilities: they are rounded where they are logged."""


class Log(msgspec.Struct, frozen=True):
    """Decisions, one a row; the rows of an episode lie together, in the order of time.

    Shapes: n decisions, k actions, d numbers that were known at the decision.
    """

    account: Places
    """(n,) Whose decision it was, from 0: what is drawn in a bootstrap, and what is kept together when a model is fitted."""
    episode: Places
    """(n,) From 0, without a gap, not falling."""
    action: Places
    """(n,) The one that was chosen, from 0 to k - 1."""
    logged: Numbers
    """(n, k) Probability of every action under the policy that decided; 0 = it could not be chosen."""
    reward: Numbers
    """(n,) What came between this decision and the next of its episode, or the episode's end."""
    x: Numbers
    """(n, d) What an outcome model may learn from."""

    @property
    def decisions(self) -> int:
        """How many there are."""
        return len(self.action)

    @property
    def episodes(self) -> int:
        """How many there are."""
        return int(self.episode[-1]) + 1 if len(self.episode) else 0

    @property
    def accounts(self) -> int:
        """How many there are."""
        return int(self.account.max()) + 1 if len(self.account) else 0


class Steps(msgspec.Struct, frozen=True):
    """Where the rows of a log stand in their episodes."""

    first: Places
    """(episodes,) Row of each one's first decision."""
    length: Places
    """(episodes,) Its decisions."""
    owner: Places
    """(episodes,) Its account."""
    step: Places
    """(n,) Place of a row in its episode, from 0."""

    @property
    def longest(self) -> int:
        """Decisions of the longest episode."""
        return int(self.length.max())

    def at(self, step: int) -> tuple[Places, Places]:
        """The episodes that have this step, and its rows."""
        having = np.flatnonzero(self.length > step)
        return having, self.first[having] + step


def steps_of(log: Log) -> Steps:
    """Where the rows stand in their episodes."""
    first = np.flatnonzero(np.diff(log.episode, prepend=-1))
    length = np.diff(first, append=log.decisions)
    return Steps(first, length, log.account[first], np.arange(log.decisions) - np.repeat(first, length))


def check(log: Log, candidate: Numbers) -> None:
    """Refuse what cannot be judged.

    Raises:
        ValueError: there is no row, shapes disagree, episodes are torn or shared by accounts, a row is not made of
            probabilities, a chosen action had none, or a number is not finite.
    """
    n = log.decisions
    if not n:
        raise ValueError("a log without a decision cannot be judged")
    shapes = {name: len(getattr(log, name)) for name in ("account", "episode", "logged", "reward", "x")}
    if any(length != n for length in shapes.values()) or candidate.shape != log.logged.shape:
        raise ValueError(f"{n} decisions, but {shapes} and a candidate of shape {candidate.shape}")
    jumps = np.diff(log.episode, prepend=-1)
    if jumps[0] != 1 or not np.isin(jumps, (0, 1)).all():
        raise ValueError("episodes are not numbered from 0 without a gap, or are torn")
    if np.any((jumps == 0)[1:] & (np.diff(log.account) != 0)):
        raise ValueError("an episode has decisions of two accounts")
    for name, rows in (("logged", log.logged), ("candidate", candidate)):
        if not (np.all(rows >= 0.0) and np.all(np.abs(rows.sum(axis=1) - 1.0) <= TOLERANCE)):
            raise ValueError(f"{name} probabilities are negative, or those of a decision do not sum to 1")
    if np.any(log.logged[np.arange(n), log.action] <= 0.0):
        raise ValueError("an action was chosen whose logged probability is 0")
    if not (np.isfinite(log.reward).all() and np.isfinite(log.x).all()):
        raise ValueError("a reward or a number of the context is not finite")
