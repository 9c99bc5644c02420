"""Whether it pays to choose whom to treat: uplift learners against a response model, on rows that they did not learn from.

Scores are cross-fitted and averaged over several ways to cut the folds, so that the figures do not hang on one cut.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.evaluation.log import Numbers
from models.evaluation.qini import RESAMPLES, Qini, qini
from models.evaluation.uplift import Flags, fit_response, fit_uplift

FOLDS = 5
CUTS = 3
Model = Literal["t", "class_transformation", "response"]
Verdict = Literal["choose", "everybody", "nobody", "unclear"]
Predict = Callable[[Numbers], Numbers]


class Targeting(msgspec.Struct, frozen=True):
    """Each model's Qini, and what to do about it."""

    n: int
    propensity: float
    """Share of the rows that were treated."""
    models: dict[Model, Qini]
    """The class transformation is missing where the outcome is no 0 or 1."""
    verdict: Verdict
    """By the T-learner: `choose` = it ranks better than chance. Else by the uplift of all."""


def target(x: Numbers, treated: Flags, y: Numbers, *, seed: int = 0, resamples: int = RESAMPLES) -> Targeting:
    """Judge the learners on rows (n, d) of a randomised treatment.

    Raises:
        ValueError: too few rows, or numbers that cannot be learned from; see `fit_uplift`.
    """
    share = float(treated.mean())
    fits: dict[Model, Callable[[NDArray[np.int64]], Predict]] = {"t": partial(_uplift, x, treated, y, share, "t")}
    if np.isin(y, (0.0, 1.0)).all():
        fits["class_transformation"] = partial(_uplift, x, treated, y, share, "class_transformation")
    fits["response"] = partial(_response, x, y)
    with threadpool_limits(limits=1):  # the matrices are small, and threads on a busy machine wait for each other
        models = {
            name: qini(_crossed(fit, x, seed), treated, y, seed=seed, resamples=resamples) for name, fit in fits.items()
        }
    return Targeting(len(y), share, models, _verdict(models["t"]))


def _crossed(fit: Callable[[NDArray[np.int64]], Predict], x: Numbers, seed: int) -> Numbers:
    rng = np.random.default_rng(seed)
    found = np.zeros(len(x))
    for _ in range(CUTS):
        fold = rng.permutation(len(x)) % FOLDS
        for place in range(FOLDS):
            held = fold == place
            found[held] += fit(np.flatnonzero(~held))(x[held]) / CUTS
    return found


def _uplift(
    x: Numbers,
    treated: Flags,
    y: Numbers,
    share: float,
    learner: Literal["t", "class_transformation"],
    rows: NDArray[np.int64],
) -> Predict:
    fitted = fit_uplift(x[rows], treated[rows], y[rows], share, learner)
    return lambda unseen: fitted.predict(unseen).uplift


def _response(x: Numbers, y: Numbers, rows: NDArray[np.int64]) -> Predict:
    return fit_response(x[rows], y[rows]).predict


def _verdict(of: Qini) -> Verdict:
    if of.ranks:
        return "choose"
    if of.uplift_low > 0.0:
        return "everybody"
    return "nobody" if of.uplift_high < 0.0 else "unclear"
