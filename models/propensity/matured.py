"""Whether scores said what then came: calibration on outcomes whose horizon has passed.

The gap's interval counts an account once, however many of its invoices were scored: what one customer does is not
independent. A model has drifted when the interval excludes 0 and the gap is more than GAP: with many scores the smallest
gap is beyond chance.
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.propensity.drift import LEAST_ROWS
from models.propensity.evaluation import ece
from models.propensity.scorecard import BANDS

GAP = 0.05
Z = 1.96
"""Of a 95 % interval."""
DRAWS = 200
"""Of outcomes that a perfectly calibrated model would have had."""

Floats = NDArray[np.float64]


class Band(msgspec.Struct, frozen=True):
    """Matured scores of one band."""

    band: str
    n: int
    observed: float
    expected: float


class LeftOut(msgspec.Struct, frozen=True):
    """Scores that cannot be judged."""

    not_yet: int = 0
    """Their horizon has not passed."""
    competing: int = 0
    """The invoice was voided, credited, written off, disputed or withdrawn: neither paid nor unpaid."""
    unknown: int = 0
    """The invoice has not landed."""


class Calibration(msgspec.Struct, frozen=True):
    """What came of the scores."""

    n: int
    """Matured, with an outcome."""
    left_out: LeftOut
    observed: float | None = None
    """Share that was paid."""
    expected: float | None = None
    """Mean score."""
    gap: float | None = None
    """observed - expected: above 0 the model is too pessimistic."""
    low: float | None = None
    high: float | None = None
    """The gap's 95 % interval."""
    ece: float | None = None
    """Expected calibration error, over bins of equal mass."""
    ece_noise: float | None = None
    """What the ECE of a perfectly calibrated model would be on these scores, on average."""
    threshold: float = GAP
    drifted: bool = False
    bands: tuple[Band, ...] = ()


def calibration(scores: Floats, paid: NDArray[np.int64], accounts: NDArray[np.str_], left_out: LeftOut) -> Calibration:
    """Compare matured scores with what came of them.

    Args:
        scores: probabilities.
        paid: 1 or 0.
        accounts: whose each one is.
        left_out: passed on.
    """
    if not len(scores):
        return Calibration(n=0, left_out=left_out)
    gap = float(paid.mean() - scores.mean())
    error = Z * _standard_error(scores, paid, accounts)
    low, high = gap - error, gap + error
    return Calibration(
        n=len(scores),
        left_out=left_out,
        observed=float(paid.mean()),
        expected=float(scores.mean()),
        gap=gap,
        low=low,
        high=high,
        ece=ece(paid, scores),
        ece_noise=_noise(scores),
        drifted=len(scores) >= LEAST_ROWS and abs(gap) > GAP and not low <= 0.0 <= high,
        bands=tuple(_bands(scores, paid)),
    )


def _noise(scores: Floats) -> float:
    """The same numbers give the same noise: the draws are seeded."""
    random = np.random.default_rng(0)
    draws = ((random.random(len(scores)) < scores).astype(np.int64) for _ in range(DRAWS))
    return float(np.mean([ece(draw, scores) for draw in draws]))


def _standard_error(scores: Floats, paid: NDArray[np.int64], accounts: NDArray[np.str_]) -> float:
    """Of the gap: the spread between accounts, and never less than the scores themselves would have."""
    misses = paid - scores
    _, whose = np.unique(accounts, return_inverse=True)
    sums = np.bincount(whose, weights=misses - misses.mean())
    customers = len(sums)
    between = float((sums**2).sum()) * customers / (customers - 1) if customers > 1 else 0.0
    within = float((scores * (1.0 - scores)).sum())
    return math.sqrt(max(between, within)) / len(scores)


def _bands(scores: Floats, paid: NDArray[np.int64]) -> list[Band]:
    found, ceiling = [], np.inf
    for floor, name in BANDS:
        here = (scores >= floor) & (scores < ceiling)
        ceiling = floor
        if here.any():
            found.append(Band(name, int(here.sum()), float(paid[here].mean()), float(scores[here].mean())))
    return found
