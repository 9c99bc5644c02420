"""What each feature is worth to a model: how far its AUC falls when the feature's values are dealt out at random.

Features that say the same share their worth: each can be missed while the other is there, so both look small.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.propensity.evaluation import Numbers, auc

SHUFFLES = 3
MOST_ROWS = 20_000
"""More rows are sampled down to it, once: the fall of the AUC is known to a thousandth by then."""

ScoreFn = Callable[[Numbers], Numbers]
"""Rows of shape (rows, features) to anything that rises with the probability."""


class Importance(msgspec.Struct, frozen=True):
    """Of one feature."""

    column: str
    fall: float
    """Of the AUC, mean of the shuffles. About 0, or below it by chance, where the model does not need the feature."""
    spread: float
    """Standard deviation of it over the shuffles."""


class Importances(msgspec.Struct, frozen=True):
    """Of all features, the most important first."""

    rows: int
    """That it was measured on."""
    sampled: bool
    """Whether there were more."""
    auc: float | None
    """With nothing shuffled; None, and no items, where there is one class only."""
    items: list[Importance]


def permutation_importance(
    score_fn: ScoreFn, x: Numbers, y: NDArray[np.int64], columns: Sequence[str], seed: int = 0
) -> Importances:
    """Shuffle each column of `x` SHUFFLES times, all columns by the same deals."""
    rng = np.random.default_rng(seed)
    sampled = len(y) > MOST_ROWS
    if sampled:
        rows = np.sort(rng.choice(len(y), MOST_ROWS, replace=False))
        x, y = x[rows], y[rows]
    whole = auc(y, score_fn(x)) if len(y) else None
    if whole is None:
        return Importances(len(y), sampled, None, [])
    deals = [rng.permutation(len(y)) for _ in range(SHUFFLES)]
    work = np.array(x, dtype=np.float64)
    items = []
    for place, name in enumerate(columns):
        kept = x[:, place]
        falls = [0.0] if _constant(kept) else [whole - _shuffled(score_fn, work, y, place, deal) for deal in deals]
        work[:, place] = kept
        items.append(Importance(name, float(np.mean(falls)), float(np.std(falls))))
    items.sort(key=lambda item: (-item.fall, item.column))
    return Importances(len(y), sampled, whole, items)


def _shuffled(score_fn: ScoreFn, work: Numbers, y: NDArray[np.int64], place: int, deal: NDArray[np.int64]) -> float:
    """The AUC with one column of `work` dealt out; leaves it so."""
    work[:, place] = work[deal, place]
    return auc(y, score_fn(work)) or 0.0


def _constant(values: Numbers) -> bool:
    return bool(np.all((values == values[0]) | (np.isnan(values) & np.isnan(values[0]))))
