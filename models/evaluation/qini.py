"""How well a score ranks accounts by what a treatment gains: Qini curve, its coefficient, AUUC, and uplift at the top.

The curve: treat the accounts of the highest scores first and count what is gained over not treating them. The **Qini
coefficient** is the area between the curve and that of a random order, over the same area of the perfect order: 0 is
chance, 1 cannot be surpassed and for outcomes of 0 and 1 is never near. **AUUC** is the mean height of the curve, in
outcomes for each account. Equal scores are taken together, in the order of chance.

Source: Radcliffe, Using Control Groups to Target on Predicted Lift (2007); the perfect order is that of scikit-uplift's
`qini_auc_score`, so that the figures compare.
"""

import msgspec
import numpy as np

from models.evaluation.log import Numbers, Places
from models.evaluation.uplift import Flags

RESAMPLES = 500
DRAWS = 30_000_000
LEAST_RESAMPLES = 50
SHARES = (0.1, 0.2, 0.3, 0.5)
POINTS = 41


class Point(msgspec.Struct, frozen=True):
    """Treating a share of all accounts, the best first: what is gained, an account of all."""

    share: float
    gain: float


class At(msgspec.Struct, frozen=True):
    """Uplift among the first `share` of the accounts, with the bootstrap's 95 % interval.

    NaN where there are only treated or only untreated ones.
    """

    share: float
    uplift: float
    low: float
    high: float


class Qini(msgspec.Struct, frozen=True):
    """A score against what came."""

    n: int
    treated: int
    uplift: float
    """Of all: what treating everybody gains, an account."""
    uplift_low: float
    uplift_high: float
    coefficient: float
    low: float
    """Of the bootstrap's 95 % interval."""
    high: float
    auuc: float
    auuc_low: float
    auuc_high: float
    at: tuple[At, ...]
    curve: tuple[Point, ...]

    @property
    def ranks(self) -> bool:
        """Whether it surely ranks better than chance."""
        return self.low > 0.0


class _Order(msgspec.Struct, frozen=True):
    """Rows by falling score; equal scores end together."""

    rows: Places
    ends: Places
    """Places of the last row of each group of equal scores."""
    sums: Numbers
    """(n, 4) Treated, untreated, and the outcomes of either."""


def qini(score: Numbers, treated: Flags, y: Numbers, *, seed: int = 0, resamples: int = RESAMPLES) -> Qini:
    """Judge scores (n,) by what came of a randomised treatment.

    Raises:
        ValueError: shapes disagree, or one side is empty.
    """
    if not len(score) == len(treated) == len(y) or not treated.any() or treated.all():
        raise ValueError("a Qini curve needs treated and untreated rows, each with a score and an outcome")
    ranked = _ordered(score, treated, y)
    perfect = _ordered(np.where(treated, y, -y), treated, y)
    n, times = len(y), max(min(LEAST_RESAMPLES, resamples), min(resamples, DRAWS // len(y)))
    found = _figures(ranked, perfect, np.ones(n))
    rng = np.random.default_rng(seed)
    drawn = np.empty((times, len(found)))
    for place in range(times):
        drawn[place] = _figures(ranked, perfect, np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64))
    low, high = np.array([_interval(values) for values in drawn.T]).T.tolist()
    shares, gains = _curve(_running(ranked, np.ones(n)))
    at = np.linspace(0.0, 1.0, POINTS)
    return Qini(
        n=n,
        treated=int(treated.sum()),
        uplift=found[0], uplift_low=low[0], uplift_high=high[0],
        coefficient=found[1], low=low[1], high=high[1],
        auuc=found[2], auuc_low=low[2], auuc_high=high[2],
        at=tuple(At(share, *of) for share, *of in zip(SHARES, found[3:], low[3:], high[3:], strict=True)),
        curve=tuple(Point(*of) for of in zip(at.tolist(), np.interp(at, shares, gains).tolist(), strict=True)),
    )  # fmt: skip


def _interval(values: Numbers) -> tuple[float, float]:
    """The 95 % interval of resampled values, of which some may be no number: a top without one of the two sides."""
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (np.nan, np.nan)
    return float(low), float(high)


def _ordered(score: Numbers, treated: Flags, y: Numbers) -> _Order:
    rows = np.argsort(-score, kind="stable")
    falling = score[rows]
    ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    sums = np.column_stack([treated, ~treated, y * treated, y * ~treated]).astype(np.float64)[rows]
    return _Order(rows, ends, sums)


def _running(order: _Order, count: Numbers) -> Numbers:
    """Sums of the first rows at the end of each group, from none to all; `count` is how often a row was drawn."""
    running = np.cumsum(order.sums * count[order.rows, None], axis=0)[order.ends]
    return np.vstack([np.zeros(4), running])


def _curve(running: Numbers) -> tuple[Numbers, Numbers]:
    """Share of the accounts that were taken, and what treating them gains, an account of all."""
    treated, control, with_it, without = running.T
    expected = np.divide(without * treated, control, out=np.zeros_like(without), where=control > 0)
    return (treated + control) / (treated[-1] + control[-1]), (with_it - expected) / treated[-1]


def _figures(ranked: _Order, perfect: _Order, count: Numbers) -> list[float]:
    """Uplift of all, Qini coefficient, AUUC, and the uplift at each of SHARES."""
    running = _running(ranked, count)
    shares, gains = _curve(running)
    best_shares, best = _curve(_running(perfect, count))
    auuc, whole = float(np.trapezoid(gains, shares)), float(gains[-1])
    possible = float(np.trapezoid(best, best_shares)) - whole / 2
    coefficient = (auuc - whole / 2) / possible if possible > 0 else float("nan")
    taken = np.column_stack([np.interp(SHARES, shares, column) for column in running.T])
    with np.errstate(invalid="ignore", divide="ignore"):
        top = taken[:, 2] / taken[:, 0] - taken[:, 3] / taken[:, 1]
    return [whole, coefficient, auuc, *top.tolist()]
