"""Models that may become the scorecard: each learns additive log-odds, one term a feature, and gives them as plain numbers.

Logistic regression gives linear terms. Gradient boosting without interactions gives one step function a feature; it learns
from bins, and is read off them exactly. A candidate is chosen by later rows than it learned from, and a more complex kind
must be better by more than chance.
"""

from collections.abc import Callable
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from models.propensity.binning import Bins
from models.propensity.scorecard import CLIP, Linear

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]
Scale = Literal["plain", "log", "cycle"]
"""A value as it is, its signed logarithm, or a place in a cycle, such as a weekday, that no line can be drawn through."""
Predict = Callable[[Matrix], Matrix]
"""From the codes of rows, of shape (rows, features), to one number a row."""

DIGITS = 10
"""Significant ones kept of what is learned, so that the last bits of a sum do not change a model's id."""
MOST_STEPS = 2000
"""Of a solver; a few dozen are the rule."""


class Terms(msgspec.Struct, frozen=True):
    """Additive log-odds, one item a feature: `points` of its bins, or `linear`."""

    bias: float
    points: list[list[float]] | None = None
    linear: Linear | None = None


class Data(msgspec.Struct, frozen=True):
    """Rows to learn from, of shape (rows, features)."""

    x: Matrix
    codes: Matrix
    """The bin of each value, NaN where it is not known."""
    y: Labels
    bins: list[Bins]
    scales: list[Scale]
    """How a linear model reads each feature."""
    seed: int = 0

    def rows(self, rows: NDArray[np.intp]) -> "Data":
        """Some of the rows."""
        return Data(self.x[rows], self.codes[rows], self.y[rows], self.bins, self.scales, self.seed)

    def features(self, places: list[int]) -> "Data":
        """Some of the features."""
        bins, scales = [self.bins[place] for place in places], [self.scales[place] for place in places]
        return Data(self.x[:, places], self.codes[:, places], self.y, bins, scales, self.seed)


class Logistic(msgspec.Struct, frozen=True):
    """Logistic regression on standardised features; `only` = on one of them, the others have no weight."""

    penalty: str
    """l1 or l2."""
    strength: float
    """C: the lower, the simpler."""
    only: str = ""

    @property
    def name(self) -> str:
        return f"logistic on {self.only}" if self.only else f"logistic {self.penalty} C={self.strength:g}"

    def fit(self, data: Data) -> Terms:
        """Learn the terms."""
        log = [scale == "log" for scale in data.scales]
        t = _transformed(data.x, log)
        mean, scale = _moments(t)
        z = np.nan_to_num(np.clip((t - mean) / scale, -CLIP, CLIP), nan=0.0)
        used = np.array([
            bins.name == self.only if self.only else scale != "cycle"
            for bins, scale in zip(data.bins, data.scales, strict=True)
        ])  # fmt: skip
        weight, bias = np.zeros(len(used)), _log_odds(data.y)
        if used.any():
            weight[used], bias = self._solved(z[:, used], data)
        linear = Linear(log, shortened(mean), shortened(scale), shortened(weight))
        return Terms(shortened(np.array([bias]))[0], linear=linear)

    def _solved(self, z: Matrix, data: Data) -> tuple[Matrix, float]:
        """Weights and bias."""
        model = LogisticRegression(
            C=self.strength,
            l1_ratio=1.0 if self.penalty == "l1" else 0.0,
            solver="liblinear" if self.penalty == "l1" else "newton-cholesky",
            tol=1e-4 if self.penalty == "l1" else 1e-8,  # its own default: ten times as fast where features overlap
            max_iter=MOST_STEPS,
            random_state=data.seed,
        ).fit(z, data.y)
        return model.coef_[0], float(model.intercept_[0])


class Boosting(msgspec.Struct, frozen=True):
    """Gradient boosting over bins; `interactions` only to see what they would add, never to be served."""

    rate: float
    trees: int
    leaves: int = 4
    least_in_leaf: int = 20
    interactions: bool = False

    @property
    def name(self) -> str:
        return f"boosting {self.trees} trees of {self.leaves} leaves at rate {self.rate:g}"

    def model(self, data: Data) -> HistGradientBoostingClassifier:
        """Learn the trees."""
        codes = np.where(np.isnan(data.codes).all(axis=0), 0.0, data.codes)  # nothing known at all is no value to it
        return HistGradientBoostingClassifier(
            learning_rate=self.rate,
            max_iter=self.trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.least_in_leaf,
            l2_regularization=1.0,
            interaction_cst=None if self.interactions else "no_interactions",
            early_stopping=False,
            random_state=data.seed,
        ).fit(codes, data.y)

    def fit(self, data: Data) -> Terms:
        """Learn the trees and read them off as points."""
        bias, points = read_off(self.model(data).decision_function, data)
        return Terms(bias, points=points)


Candidate = Logistic | Boosting

BASELINE = Logistic("l2", 1e4, only="on_time_rate")
"""The customer's own past and nothing else: what every other candidate must beat."""
YARDSTICK = Boosting(rate=0.05, trees=100, leaves=8, interactions=True)
CANDIDATES: tuple[Candidate, ...] = (
    BASELINE,
    *(Logistic(penalty, strength) for penalty in ("l1", "l2") for strength in (0.03, 0.1, 1.0)),
    Boosting(rate=0.05, trees=60),
    Boosting(rate=0.05, trees=150),
    Boosting(rate=0.1, trees=200),
)
"""Of each kind the simplest first: L1 leaves features out, so that a card is shorter, and cheaper to score."""
MARGINS: tuple[tuple[type[Candidate], float], ...] = ((Logistic, 1.0), (Boosting, 2.0))
"""The kinds after the baseline, the simpler one first. Steps have ten times as many numbers to learn as lines, and they
know nothing beyond the values that they saw, which is where a growing ledger goes: they must be better beyond doubt."""


def chosen(losses: Matrix) -> int:
    """Which candidate is released.

    Of each kind the first that is not worse than the kind's best by more than one standard error of their difference; of a
    more complex kind only if it is better than what was chosen so far by as many standard errors as MARGINS says.

    Args:
        losses: log loss of every validation row, of shape (CANDIDATES, rows).
    """
    best = CANDIDATES.index(BASELINE)
    for kind, margin in MARGINS:
        places = [n for n, candidate in enumerate(CANDIDATES) if isinstance(candidate, kind) and candidate != BASELINE]
        lowest = min(places, key=lambda place: float(losses[place].mean()))
        rival = next(place for place in places if _behind(losses[place] - losses[lowest]) <= 1.0)
        if _behind(losses[best] - losses[rival]) > margin:
            best = rival
    return best


def _behind(difference: Matrix) -> float:
    """How many standard errors the mean difference is above 0."""
    error = float(difference.std()) / np.sqrt(len(difference))
    return float(difference.mean()) / error if error > 0.0 else 0.0


def read_off(predict: Predict, data: Data) -> tuple[float, list[list[float]]]:
    """Bias and the points of every bin of an additive model over bins, by asking it about one feature at a time.

    A feature's points are 0 on the average of the rows, and 0 in a bin that no row is in.
    """
    sizes = [len(bins.texts) for bins in data.bins]
    asked = np.zeros((sum(sizes), len(sizes)))
    start = 0
    for feature, size in enumerate(sizes):
        asked[start : start + size, feature] = [*range(size - 1), np.nan]
        start += size
    base = float(predict(np.zeros((1, len(sizes))))[0])
    found = predict(asked) - base
    bias, points, start = base, [], 0
    for feature, size in enumerate(sizes):
        part = found[start : start + size]
        codes = np.nan_to_num(data.codes[:, feature], nan=size - 1).astype(np.intp)
        counts = np.bincount(codes, minlength=size)
        middle = float(part @ counts / counts.sum())
        points.append(shortened(np.where(counts > 0, part - middle, 0.0)))
        bias += middle
        start += size
    return shortened(np.array([bias]))[0], points


def shortened(values: Matrix) -> list[float]:
    """Plain numbers with DIGITS significant ones."""
    return [float(f"{value:.{DIGITS}g}") + 0.0 for value in np.asarray(values).tolist()]


def _log_odds(y: Labels) -> float:
    """Of the share of those paid, with one more of either outcome."""
    paid = float(y.sum())
    return float(np.log((paid + 1.0) / (len(y) - paid + 1.0)))


def _transformed(x: Matrix, log: list[bool]) -> Matrix:
    """As `Scorer.terms` reads them."""
    return np.where(np.array(log), np.copysign(np.log1p(np.abs(x)), x), x)


def _moments(t: Matrix) -> tuple[Matrix, Matrix]:
    """Mean and standard deviation of what is known; 0 and 1 where nothing is, or nothing varies."""
    known = ~np.isnan(t)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, t, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (t - mean) ** 2, 0.0).sum(axis=0) / count)
    return mean, np.where(spread > 1e-9 * np.maximum(np.abs(mean), 1.0), spread, 1.0)
