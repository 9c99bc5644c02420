"""Whether a distribution has moved, and whether by more than chance: PSI on bins of equal mass, and a chi-squared test.

PSI says how far, and is noise where there are few rows: of two samples of one distribution it is about
`(bins - 1) * (1 / n + 1 / m)`, 0.2 for fifty rows. The test says whether chance explains it, and finds trifles where there
are many rows. So a feature has drifted when both say so; p-values are Holm's over all that were asked at once.

A row must be one account's: many scores of one account are no sample of anything.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.propensity.manifest import Bins

MOST_BINS = 10
PSI_WATCH = 0.1
PSI_DRIFTED = 0.2
"""The usual marks of credit scoring: below 0.1 stable, above 0.2 another population."""
SIGNIFICANT = 0.01
LEAST_ROWS = 30
"""Of either side; below it nothing is said."""
LEAST_EXPECTED = 5.0
"""Bins in which the test expects fewer rows, on either side, are taken together."""
SMOOTHING = 0.5
"""Added to every bin's count, so that an empty bin has a logarithm; bins that are empty on both sides are left out."""

Statistic = Literal["psi", "calibration"]
Level = Literal["steady", "watch", "drifted", "too_few"]


class Bin(msgspec.Struct, frozen=True):
    """Rows with `low <= value < high`; None = without an end. Both None and `missing` = the value is not known."""

    low: float | None
    high: float | None
    reference: int
    current: int
    missing: bool = False


class Drift(msgspec.Struct, frozen=True):
    """What was found of one feature, or of the score."""

    feature: str
    statistic: Statistic
    value: float
    threshold: float
    n_reference: int
    n_current: int
    p_value: float
    """After Holm's correction over everything that was asked at once."""
    level: Level
    drifted: bool
    bins: tuple[Bin, ...] = ()


def bins_of(values: ArrayLike) -> tuple[float, ...]:
    """The edges, ascending, of at most MOST_BINS bins of about equal mass. Value x is in bin `count(edges <= x)`.

    A value that more than a bin's share of the rows have makes fewer bins. Where that value is the lowest, the first
    edge is the next value above it, so that "none" and "some" are told apart; of a constant, less and more are.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return ()
    lowest = known.min()
    above = known[known > lowest]
    if not len(above):
        return float(lowest), float(np.nextafter(lowest, np.inf))
    edges = np.quantile(known, np.linspace(0.0, 1.0, MOST_BINS + 1)[1:-1])
    return tuple(np.unique(np.where(edges <= lowest, above.min(), edges)).tolist())


def count(values: ArrayLike, edges: Sequence[float]) -> tuple[int, ...]:
    """How many rows are in each bin; the last one is of what is missing (NaN)."""
    rows = np.asarray(values, dtype=np.float64)
    known = rows[~np.isnan(rows)]
    places = np.searchsorted(np.asarray(edges, dtype=np.float64), known, side="right")
    return (*np.bincount(places, minlength=len(edges) + 1).tolist(), len(rows) - len(known))


def psi(reference_counts: Sequence[int], current_counts: Sequence[int]) -> float:
    """Population stability index, `sum((q - p) * ln(q / p))`; 0 where a side has no rows.

    Raises:
        ValueError: the sides do not have the same bins.
    """
    reference, current = _used(reference_counts, current_counts)
    if not reference.sum() or not current.sum():
        return 0.0
    p = (reference + SMOOTHING) / (reference.sum() + SMOOTHING * len(reference))
    q = (current + SMOOTHING) / (current.sum() + SMOOTHING * len(current))
    return float(((q - p) * np.log(q / p)).sum())


def chance(reference_counts: Sequence[int], current_counts: Sequence[int]) -> float:
    """P-value of the two-sample chi-squared test: how often chance alone would set two such samples so far apart."""
    reference, current = _used(reference_counts, current_counts)
    n, m = reference.sum(), current.sum()
    if not n or not m:
        return 1.0
    sparse = (reference + current) * min(n, m) / (n + m) < LEAST_EXPECTED
    table = np.array([reference, current])
    if sparse.any():
        table = np.column_stack([table[:, ~sparse], table[:, sparse].sum(axis=1)])
    if table.shape[1] < 2:
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return chi_squared_above(float(((table - expected) ** 2 / expected).sum()), table.shape[1] - 1)


def chi_squared_above(x: float, freedom: int) -> float:
    """P(a chi-squared variable of `freedom` degrees > x): a finite sum, as the degrees are a whole number."""
    half = x / 2.0
    if half <= 0.0:
        return 1.0
    if freedom % 2 == 0:
        start, total = 0.0, 0.0
    else:
        start, total = 0.5, math.erfc(math.sqrt(half))
    for step in range(freedom // 2):
        power = start + step
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1.0))
    return min(1.0, total)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values such that to call those below x significant is wrong about any of them with probability x at most."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return adjusted


def drifts(reference: Mapping[str, Bins], current: Mapping[str, Sequence[int]]) -> list[Drift]:
    """What moved of everything that both sides name, in the order of the reference.

    Args:
        reference: of each feature, the bins and their counts.
        current: of each feature, the counts in the same bins.
    """
    names = [name for name in reference if name in current]
    tests = holm([chance(reference[name].counts, current[name]) for name in names])
    return [_drift(name, reference[name], current[name], p) for name, p in zip(names, tests, strict=True)]


def counted(values: ArrayLike) -> Bins:
    """A reference from its values."""
    edges = bins_of(values)
    return Bins(edges, count(values, edges))


def worst(levels: Iterable[Level]) -> Level:
    """The verdict over several."""
    order: tuple[Level, ...] = ("too_few", "steady", "watch", "drifted")
    return max(levels, key=order.index, default="too_few")


def _drift(name: str, reference: Bins, current: Sequence[int], p_value: float) -> Drift:
    value, n, m = psi(reference.counts, current), sum(reference.counts), sum(current)
    level = _level(value, p_value, min(n, m))
    lows = (None, *reference.edges, None)
    highs = (*reference.edges, None, None)
    bins = tuple(
        Bin(low, high, before, now, missing=place == len(current) - 1)
        for place, (low, high, before, now) in enumerate(zip(lows, highs, reference.counts, current, strict=True))
    )
    return Drift(
        feature=name,
        statistic="psi",
        value=round(value, 6),
        threshold=PSI_DRIFTED,
        n_reference=n,
        n_current=m,
        p_value=p_value,
        level=level,
        drifted=level == "drifted",
        bins=bins,
    )


def _level(value: float, p_value: float, rows: int) -> Level:
    if rows < LEAST_ROWS:
        return "too_few"
    if p_value >= SIGNIFICANT or value <= PSI_WATCH:
        return "steady"
    return "drifted" if value > PSI_DRIFTED else "watch"


def _used(reference: Sequence[int], current: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both sides as arrays, without the bins that are empty on both."""
    if len(reference) != len(current):
        raise ValueError(f"{len(reference)} bins cannot be compared with {len(current)}")
    before, now = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    used = (before > 0) | (now > 0)
    return before[used], now[used]
