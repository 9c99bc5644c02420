"""From sums of points to probabilities that come true, learned from rows later than those that the points come from.

Isotonic where there are enough of either outcome to draw a curve, else a sigmoid of two numbers (Platt 1999). The isotonic
map is centred (Oron and Flournoy 2017): its knots are the middles of the pooled blocks, with straight lines between them,
so that it keeps the order of the scores.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.propensity.candidates import shortened
from models.propensity.scorecard import Calibration, ColdStart

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

LEAST_FOR_ISOTONIC = 1000
"""Rows of either outcome."""
BOUND = 1e-4
"""No isotonic probability is nearer to 0 or 1."""
COLD_ROWS = 100.0
"""Rows without history at which the model's own probability and the prior count the same."""


def calibrated(sums: Matrix, y: Labels) -> Calibration:
    """The map from sums to probabilities; `y` holds both outcomes."""
    if min(int(y.sum()), int((1 - y).sum())) >= LEAST_FOR_ISOTONIC:
        knots, values = _isotonic(sums, y)
        if len(knots) >= 2:
            return Calibration(kind="isotonic", knots=knots, values=values)
    return sigmoid(sums, y)


def sigmoid(sums: Matrix, y: Labels) -> Calibration:
    """Slope and offset on the log-odds scale; a slope below 0 would turn the model around, so it becomes 0.

    The targets are drawn a little towards each other, as in Platt's paper: a fold that a model separates perfectly must
    not give an endless slope.
    """
    paid = float(y.sum())
    unpaid = len(y) - paid
    target = np.where(y == 1, (paid + 1.0) / (paid + 2.0), 1.0 / (unpaid + 2.0))
    twice, both = np.concatenate([sums, sums])[:, None], np.repeat([1, 0], len(y))
    model = LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-8, max_iter=1000)
    model.fit(twice, both, sample_weight=np.concatenate([target, 1.0 - target]))
    slope, offset = shortened(np.array([model.coef_[0, 0], model.intercept_[0]]))
    if slope > 0.0:
        return Calibration(slope=slope, offset=offset)
    return Calibration(slope=0.0, offset=shortened(np.array([np.log((paid + 1.0) / (unpaid + 1.0))]))[0])


def applied(calibration: Calibration, sums: Matrix) -> Matrix:
    """The probabilities, as a scorecard gives them to accounts with history."""
    if calibration.kind == "isotonic":
        found: Matrix = np.interp(sums, calibration.knots, calibration.values)
    else:
        found = 1.0 / (1.0 + np.exp(-np.clip(calibration.slope * sums + calibration.offset, -35.0, 35.0)))
    return found


def cold_start(y: Labels, invoices: Matrix) -> ColdStart:
    """The prior of accounts without history, from the rows to learn from.

    Args:
        y: their outcomes.
        invoices: how many closed and overdue invoices the account had.
    """
    everyone = (float(y.sum()) + 1.0) / (len(y) + 2.0)
    cold = y[invoices == 0]
    # Smoothed towards the share of all rows, which counts as two of them.
    prior = (float(cold.sum()) + 2.0 * everyone) / (len(cold) + 2.0)
    prior, weight = shortened(np.array([prior, len(cold) / (len(cold) + COLD_ROWS)]))
    return ColdStart(prior=prior, weight=weight)


def _isotonic(sums: Matrix, y: Labels) -> tuple[list[float], list[float]]:
    """Middle and value of each block, both strictly ascending."""
    level = IsotonicRegression(y_min=BOUND, y_max=1.0 - BOUND).fit(sums, y).predict(sums)
    values, block = np.unique(level, return_inverse=True)
    knots = shortened(np.bincount(block, weights=sums) / np.bincount(block))
    return knots, shortened(values)
