"""Whom a contact moves: uplift learners for randomised or explored data, with a lower bound to act on.

Two learners. The **T-learner** fits the treated and the others apart and subtracts; the **class transformation** fits one
model to "did what the treatment wants". Both are (weighted) regressions with coefficients of known variance, so that
every prediction has a bound; rows are weighted by the inverse of the probability of what was done to them.

The treatment must have been drawn with the given probability. Fitted to history, where the accounts that looked worst were
chased hardest, an uplift model learns who was chased.

Sources: Künzel et al. (2019) for the T-learner; Jaśkowski and Jaroszewicz (2012) for the class transformation; bounds by
the sandwich variance of White (1980) and the delta method.
"""

from statistics import NormalDist
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.evaluation.log import Numbers

Learner = Literal["t", "class_transformation"]
Flags = NDArray[np.bool_]

CONFIDENCE = 0.95
"""Of the one-sided bounds."""
RIDGE = 1.0
"""As if by so many rows; the intercept is free."""
LEAST_ROWS = 50
"""Treated, and not treated."""
LEAST_PROPENSITY = 0.001
MOST_STEPS = 50
CLOSE = 1e-8


class Predictions(msgspec.Struct, frozen=True):
    """Uplift of each row, in units of the outcome: E[y | treated, x] - E[y | not, x]."""

    uplift: Numbers
    lower: Numbers
    """One-sided, at CONFIDENCE."""
    upper: Numbers


class Regression(msgspec.Struct, frozen=True):
    """A fitted model of an outcome: logistic where it is 0 or 1, else linear."""

    coefficients: Numbers
    covariance: Numbers
    logistic: bool

    def predict(self, design: Numbers) -> tuple[Numbers, Numbers]:
        """Expected outcome of each row, and its variance."""
        linear = design @ self.coefficients
        variance = ((design @ self.covariance) * design).sum(axis=1)
        if not self.logistic:
            return linear, variance
        mean = _sigmoid(linear)
        return mean, variance * (mean * (1.0 - mean)) ** 2


class Uplift(msgspec.Struct, frozen=True):
    """A fitted learner."""

    learner: Learner
    mean: Numbers
    spread: Numbers
    treated: Regression
    """Of the class transformation: its only model."""
    control: Regression | None

    def predict(self, x: Numbers) -> Predictions:
        """Uplift of rows (n, d), with one-sided bounds."""
        design = _design(x, self.mean, self.spread)
        value, variance = self.treated.predict(design)
        if self.control is None:
            uplift, variance = 2.0 * value - 1.0, 4.0 * variance
        else:
            without, other = self.control.predict(design)
            uplift, variance = value - without, variance + other
        reach = NormalDist().inv_cdf(CONFIDENCE) * np.sqrt(variance)
        return Predictions(uplift, uplift - reach, uplift + reach)


def fit_uplift(x: Numbers, treated: Flags, y: Numbers, propensity: Numbers | float, learner: Learner = "t") -> Uplift:
    """Learn the uplift of a treatment.

    Args:
        x: (n, d) known before the treatment.
        treated: (n,)
        y: (n,) outcome: 0 or 1, or an amount (T-learner only).
        propensity: probability of being treated, of every row or of all.

    Raises:
        ValueError: too few rows on either side, shapes that disagree, numbers that are not finite, a propensity that is
            not above 0 and below 1, or the class transformation of an outcome other than 0 and 1.
    """
    given = np.broadcast_to(np.asarray(propensity, dtype=np.float64), y.shape)
    binary = _check(x, treated, y, given)
    weight = np.where(treated, 1.0 / given, 1.0 / (1.0 - given))
    weight /= weight.mean()
    mean, spread = x.mean(axis=0), x.std(axis=0)
    design = _design(x, mean, spread)
    if learner == "class_transformation":
        if not binary:
            raise ValueError("the class transformation is for an outcome of 0 and 1; use the T-learner for amounts")
        wanted = np.where(treated, y, 1.0 - y)
        return Uplift(learner, mean, spread, _regression(design, wanted, weight, logistic=True), None)
    of_treated = _regression(design[treated], y[treated], weight[treated], logistic=binary)
    of_control = _regression(design[~treated], y[~treated], weight[~treated], logistic=binary)
    return Uplift(learner, mean, spread, of_treated, of_control)


class Response(msgspec.Struct, frozen=True):
    """A fitted model of the outcome, whatever was done."""

    mean: Numbers
    spread: Numbers
    model: Regression

    def predict(self, x: Numbers) -> Numbers:
        """Expected outcome of rows (n, d)."""
        return self.model.predict(_design(x, self.mean, self.spread))[0]


def fit_response(x: Numbers, y: Numbers) -> Response:
    """Who has the outcome at all: the yardstick that an uplift model must beat. Rows (n, d), outcomes (n,)."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    logistic = bool(np.isin(y, (0.0, 1.0)).all())
    return Response(mean, spread, _regression(_design(x, mean, spread), y, np.ones(len(y)), logistic=logistic))


def _check(x: Numbers, treated: Flags, y: Numbers, propensity: Numbers) -> bool:
    """Whether the outcome is 0 or 1."""
    if not len(x) == len(treated) == len(y):
        raise ValueError(f"{len(x)} rows, {len(treated)} treatments and {len(y)} outcomes")
    for count, who in ((int(treated.sum()), "treated"), (int((~treated).sum()), "untreated")):
        if count < LEAST_ROWS:
            raise ValueError(f"{count} {who} rows are too few to learn an uplift from; {LEAST_ROWS} are needed")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("a feature or an outcome is not finite")
    if not np.all((propensity >= LEAST_PROPENSITY) & (propensity <= 1.0 - LEAST_PROPENSITY)):
        raise ValueError("a propensity is 0 or 1, or so close to it that the other choice was hardly ever made")
    return bool(np.isin(y, (0.0, 1.0)).all())


def _design(x: Numbers, mean: Numbers, spread: Numbers) -> Numbers:
    scaled = np.divide(x - mean, spread, out=np.zeros_like(x, dtype=np.float64), where=spread > 0)
    return np.hstack([np.ones((len(x), 1)), scaled])


def _regression(design: Numbers, y: Numbers, weight: Numbers, *, logistic: bool) -> Regression:
    """By Newton's steps, of which a linear model needs one; the variance is the sandwich."""
    pull = RIDGE * np.eye(design.shape[1])
    pull[0, 0] = 1e-9
    found = np.zeros(design.shape[1])
    if logistic:
        found[0] = _logit(float(np.average(y, weights=weight)))
    for _ in range(MOST_STEPS):
        fitted = _sigmoid(design @ found) if logistic else design @ found
        curve = weight * np.maximum(fitted * (1.0 - fitted), 1e-9) if logistic else weight
        hessian = (design * curve[:, None]).T @ design + pull
        step = np.linalg.solve(hessian, design.T @ (weight * (y - fitted)) - pull @ found)
        found = found + step
        if np.abs(step).max() < CLOSE:
            break
    scores = design * (weight * (y - (_sigmoid(design @ found) if logistic else design @ found)))[:, None]
    bread = np.linalg.inv(hessian)
    return Regression(found, bread @ (scores.T @ scores) @ bread, logistic)


def _sigmoid(values: Numbers) -> Numbers:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -35.0, 35.0))), dtype=np.float64)


def _logit(share: float) -> float:
    kept = min(max(share, 1e-6), 1.0 - 1e-6)
    return float(np.log(kept / (1.0 - kept)))
