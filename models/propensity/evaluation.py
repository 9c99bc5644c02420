"""How good probabilities are, in numbers that can be compared and that go into a file as they are.

Calibration is judged beside its noise: `ece_noise` is what a perfectly calibrated model with the same probabilities
would show on as many rows. Rows with the same probability are taken as one: their order in the data changes nothing
but the bins of the calibration, which are cut in a stable order.
"""

from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

BINS = 15
RESAMPLES = 500
DRAWS = 30_000_000
"""Rows drawn for a bootstrap, at most: above 60,000 rows there are fewer resamples, at least 50."""
LEAST_RESAMPLES = 50
GAIN_STEP = 0.05
TOP = 0.1
HISTOGRAM_BINS = 20
Z95 = 1.959963984540054
SMALLEST_P = 1e-15
"""Probabilities are kept this far from 0 and 1 for the log loss, so that one sure mistake is not infinite."""

_Real = TypeVar("_Real", bound=np.generic)


class ReliabilityBin(msgspec.Struct, frozen=True):
    """Rows of like probability: what was foretold, and what came."""

    n: int
    mean_p: float
    observed: float
    low: float
    """Of Wilson's 95 % interval of `observed`."""
    high: float


class GainPoint(msgspec.Struct, frozen=True):
    """Taking the rows of the highest probabilities first: the share of all positives among the first `rows`."""

    rows: float
    positives: float


class Histogram(msgspec.Struct, frozen=True):
    """Rows in HISTOGRAM_BINS bins of probability, of equal width from 0 to 1."""

    positives: list[int]
    negatives: list[int]


class Evaluation(msgspec.Struct, frozen=True):
    """Probabilities against what came. A number that one class alone cannot give is None."""

    n: int
    positives: int
    base_rate: float
    """Share of positives among these rows."""
    train_base_rate: float
    """What `brier_base` foretells for every row."""
    mean_p: float
    auc: float | None
    average_precision: float | None
    brier: float
    brier_base: float
    log_loss: float
    ece: float
    """Expected calibration error, over BINS bins of equal mass."""
    ece_low: float
    """Of the bootstrap's 95 % interval. Resampling adds noise of its own, so the interval leans upwards."""
    ece_high: float
    ece_noise: float
    """Median ECE of outcomes that are drawn from these very probabilities."""
    ece_noise_high: float
    """Their 95 % quantile: an ECE above it is miscalibration, one below may be chance."""
    lift_top_decile: float | None
    """Share of positives in the tenth with the highest probabilities, over the base rate."""
    reliability: list[ReliabilityBin]
    gain: list[GainPoint]
    histogram: Histogram

    @property
    def calibrated(self) -> bool:
        """Whether the calibration error may be chance alone."""
        return self.ece <= self.ece_noise_high


class DaysGroup(msgspec.Struct, frozen=True):
    """Rows of like predicted median: the mean of the predicted quantiles, and the quantiles of what came, in days."""

    n: int
    low: float
    median: float
    high: float
    actual_low: float
    actual_median: float
    actual_high: float


class DaysEvaluation(msgspec.Struct, frozen=True):
    """Predicted days to pay against the actual ones, of rows that were paid."""

    n: int
    mae: float
    """Mean distance of the predicted median, in days."""
    mae_base: float
    """The same of always saying the median of these rows."""
    coverage: float
    """Share within the predicted 10 % to 90 % quantile: 0.8 is right."""
    groups: list[DaysGroup]


def evaluate(y: NDArray[np.int64], p: Numbers, *, base_rate: float, seed: int = 0) -> Evaluation:
    """Judge probabilities `p` of outcomes `y` (0 or 1).

    Args:
        base_rate: share of positives where the model was trained.
        seed: of the bootstrap.

    Raises:
        ValueError: no rows, not as many probabilities as outcomes, or a probability that is none.
    """
    _check(y, p)
    order = np.argsort(p, kind="stable")
    outcome, chance = y[order].astype(np.float64), p[order].astype(np.float64)
    rng = np.random.default_rng(seed)
    found = ece(y, p)
    low, high = _ece_interval(outcome, chance, rng)
    noise, noise_high = _ece_noise(chance, rng)
    rate = float(outcome.mean())
    captured = _captured(y, p, np.array([TOP]))
    return Evaluation(
        n=len(y),
        positives=int(outcome.sum()),
        base_rate=rate,
        train_base_rate=float(base_rate),
        mean_p=float(chance.mean()),
        auc=auc(y, p),
        average_precision=average_precision(y, p),
        brier=brier(y, p),
        brier_base=brier(y, np.full(len(y), base_rate, dtype=np.float64)),
        log_loss=log_loss(y, p),
        ece=found,
        ece_low=min(low, found),
        ece_high=max(high, found),
        ece_noise=noise,
        ece_noise_high=noise_high,
        lift_top_decile=float(captured[0]) / TOP if rate else None,
        reliability=_reliability(outcome, chance),
        gain=_gain(y, p),
        histogram=_histogram(y, p),
    )


def auc(y: NDArray[np.int64], score: Numbers) -> float | None:
    """P(a positive's score is above a negative's), ties count half. None where there is one class only."""
    positives = int(y.sum())
    negatives = len(y) - positives
    if not positives or not negatives:
        return None
    ranks = ranks_of(score)
    return float((ranks[y == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def ranks_of(values: Numbers) -> Numbers:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], dtype=np.float64)


def average_precision(y: NDArray[np.int64], p: Numbers) -> float | None:
    """Precision at each threshold, weighted by the recall that it adds. None without positives."""
    if not y.sum():
        return None
    rows, hits = _steps(y, p)
    return float(np.sum(np.diff(hits, prepend=0.0) * hits / rows) / hits[-1])


def brier(y: NDArray[np.int64], p: Numbers) -> float:
    """Mean squared distance of probability and outcome."""
    return float(np.mean((p - y) ** 2))


def log_loss(y: NDArray[np.int64], p: Numbers) -> float:
    """Mean negative log-likelihood, in nats."""
    kept = np.clip(p, SMALLEST_P, 1.0 - SMALLEST_P)
    return float(-np.mean(np.where(y == 1, np.log(kept), np.log1p(-kept))))


def ece(y: NDArray[np.int64], p: Numbers) -> float:
    """Expected calibration error: mean distance of share and mean probability, over BINS bins of equal mass."""
    order = np.argsort(p, kind="stable")
    gaps = (y - p)[order]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, BINS)) / len(y))


def evaluate_days(actual: Numbers, predicted: Numbers, groups: int = 10) -> DaysEvaluation:
    """Judge predicted days to pay.

    Args:
        actual: days to pay of rows that were paid.
        predicted: the 10 %, 50 % and 90 % quantiles, of shape (rows, 3).
        groups: how many groups of equal mass the plot has.
    """
    if not len(actual) or predicted.shape != (len(actual), 3):
        raise ValueError("days to pay are judged on at least one row, with three quantiles each")
    order = np.argsort(predicted[:, 1], kind="stable")
    found = []
    for part in _parts(order, groups):
        means, came = predicted[part].mean(axis=0), np.quantile(actual[part], (0.1, 0.5, 0.9))
        found.append(DaysGroup(len(part), *means.tolist(), *came.tolist()))
    return DaysEvaluation(
        n=len(actual),
        mae=float(np.mean(np.abs(actual - predicted[:, 1]))),
        mae_base=float(np.mean(np.abs(actual - np.median(actual)))),
        coverage=float(np.mean((actual >= predicted[:, 0]) & (actual <= predicted[:, 2]))),
        groups=found,
    )


def wilson(hits: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, z2 = hits / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = Z95 * float(np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, min(middle - reach, share)), min(1.0, max(middle + reach, share))


def _check(y: NDArray[np.int64], p: Numbers) -> None:
    if not len(y) or len(y) != len(p):
        raise ValueError(f"{len(y)} outcomes and {len(p)} probabilities cannot be judged")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("an outcome is neither 0 nor 1")
    if not np.all((p >= 0.0) & (p <= 1.0)):
        raise ValueError("a probability is not between 0 and 1")


def _parts(rows: NDArray[_Real], bins: int) -> list[NDArray[_Real]]:
    """Bins of equal mass; fewer where there are fewer rows."""
    return np.array_split(rows, min(bins, len(rows)))


def _reliability(outcome: Numbers, chance: Numbers) -> list[ReliabilityBin]:
    found = []
    for came, said in zip(_parts(outcome, BINS), _parts(chance, BINS), strict=True):
        low, high = wilson(float(came.sum()), len(came))
        found.append(ReliabilityBin(len(came), float(said.mean()), float(came.mean()), low, high))
    return found


def _resamples(n: int) -> int:
    return max(LEAST_RESAMPLES, min(RESAMPLES, DRAWS // n))


def _ece_interval(outcome: Numbers, chance: Numbers, rng: np.random.Generator) -> tuple[float, float]:
    """Of rows sorted by probability.

    A resample is how often each row was drawn, which is sorted already: the bins end where the running count does, and
    the running sum of the gaps is linear in between because the copies of a row are alike.
    """
    n = len(outcome)
    gaps = outcome - chance
    ends = np.cumsum([0, *(len(part) for part in np.array_split(gaps, BINS))])
    found = np.empty(_resamples(n))
    running, total = np.zeros(n + 1), np.zeros(n + 1)
    for place in range(len(found)):
        drawn = np.bincount(rng.integers(0, n, n), minlength=n)
        np.cumsum(drawn, out=running[1:])
        np.cumsum(drawn * gaps, out=total[1:])
        found[place] = np.abs(np.diff(_between(ends, running, total))).sum() / n
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def _between(ends: NDArray[np.int64], running: Numbers, total: Numbers) -> Numbers:
    """`total` where `running` reaches each of `ends`, as `np.interp` would say, without walking all of it."""
    right = np.clip(np.searchsorted(running, ends, side="left"), 1, len(running) - 1)
    left = right - 1
    width = running[right] - running[left]
    part = np.divide(ends - running[left], width, out=np.zeros(len(ends)), where=width > 0)
    return np.asarray(total[left] + part * (total[right] - total[left]), dtype=np.float64)


def _ece_noise(chance: Numbers, rng: np.random.Generator) -> tuple[float, float]:
    """Median and 95 % quantile of the ECE of outcomes drawn from sorted probabilities."""
    n = len(chance)
    starts = np.cumsum([0, *(len(part) for part in _parts(chance, BINS))])[:-1]
    found = np.empty(_resamples(n))
    for place in range(len(found)):
        gaps = (rng.random(n) < chance) - chance
        found[place] = np.abs(np.add.reduceat(gaps, starts)).sum() / n
    median, high = np.quantile(found, (0.5, 0.95))
    return float(median), float(high)


def _steps(y: NDArray[np.int64], p: Numbers) -> tuple[Numbers, Numbers]:
    """Running counts of rows and of positives by falling probability, one item for each different one."""
    values, place = np.unique(-p, return_inverse=True)
    rows = np.bincount(place, minlength=len(values)).astype(np.float64)
    hits = np.bincount(place, weights=y, minlength=len(values))
    return np.cumsum(rows), np.cumsum(hits)


def _captured(y: NDArray[np.int64], p: Numbers, shares: Numbers) -> Numbers:
    """Share of the positives among the first `shares` of the rows by falling probability; of equal ones, their mean."""
    rows, hits = _steps(y, p)
    if not hits[-1]:
        return np.zeros(len(shares))
    found: Numbers = np.interp(shares * len(y), np.append(0.0, rows), np.append(0.0, hits)) / float(hits[-1])
    return found


def _gain(y: NDArray[np.int64], p: Numbers) -> list[GainPoint]:
    shares = np.round(np.arange(0.0, 1.0 + GAIN_STEP / 2, GAIN_STEP), 2)
    points = zip(shares.tolist(), _captured(y, p, shares).tolist(), strict=True)
    return [GainPoint(rows, positives) for rows, positives in points]


def _histogram(y: NDArray[np.int64], p: Numbers) -> Histogram:
    edges = np.linspace(0.0, 1.0, HISTOGRAM_BINS + 1)
    return Histogram(np.histogram(p[y == 1], edges)[0].tolist(), np.histogram(p[y == 0], edges)[0].tolist())
