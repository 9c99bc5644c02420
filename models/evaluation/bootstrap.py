"""Intervals by drawing accounts with replacement: decisions on one account are no independent observations.

Every estimate here is a function of sums over accounts, so a resample is how often each account was drawn, and the sums of
all resamples are one product of matrices.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from models.evaluation.log import Numbers

RESAMPLES = 2_000
DRAWS = 30_000_000
"""Accounts drawn at most: above 15,000 accounts there are fewer resamples, at least LEAST."""
LEAST = 200
AT_ONCE = 4_000_000
"""Numbers of resamples held at a time: 32 MB."""
LOW, HIGH = 0.025, 0.975


class Statistic(msgspec.Struct, frozen=True):
    """A number that is a function of sums over accounts."""

    sums: Numbers
    """(accounts, p)"""
    of: Callable[[Numbers], Numbers]
    """From totals (..., p) to values (...)."""

    @property
    def value(self) -> float:
        """Of the accounts as they are."""
        return float(self.of(self.sums.sum(axis=0)))


def ratio(totals: Numbers) -> Numbers:
    """The first total over the second."""
    return np.asarray(totals[..., 0] / totals[..., 1], dtype=np.float64)


def resampled(statistics: list[Statistic], seed: int, resamples: int = RESAMPLES) -> Numbers:
    """Values of shape (resamples, statistics); one resample draws the same accounts for all, so that they may be subtracted."""
    accounts = len(statistics[0].sums)
    times = max(min(LEAST, resamples), min(resamples, DRAWS // accounts))
    together = np.hstack([statistic.sums for statistic in statistics])
    ends = np.cumsum([statistic.sums.shape[1] for statistic in statistics])[:-1]
    rng = np.random.default_rng(seed)
    found = []
    for start in range(0, times, size := max(1, AT_ONCE // accounts)):
        drawn = [
            np.bincount(rng.integers(0, accounts, accounts), minlength=accounts)
            for _ in range(min(size, times - start))
        ]
        totals = np.split(np.asarray(drawn, dtype=np.float64) @ together, ends, axis=1)
        found.append(np.column_stack([s.of(part) for s, part in zip(statistics, totals, strict=True)]))
    return np.vstack(found)


def interval(values: Numbers) -> tuple[float, float]:
    """The 95 % percentile interval of resampled values."""
    low, high = np.quantile(values, (LOW, HIGH))
    return float(low), float(high)
