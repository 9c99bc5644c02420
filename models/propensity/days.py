"""When the money will come: quantiles of the days until an invoice is paid in full, added up from its features' bins.

Invoices that were still open when the data ended are censored: how long they take is not known. Those that were paid
count for them, each by one over the chance of being watched for as long (inverse probability of censoring weights; the
chance is a Kaplan-Meier estimate). What nobody was watched long enough for is cut off at a limit.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from models.propensity.candidates import Data, read_off, shortened
from models.propensity.scorecard import QUANTILES

Matrix = NDArray[np.float64]

MOST_DAYS = 365.0
"""Nobody plans cash further ahead."""
LEAST_WATCHED = 0.1
"""Share that must be watched for as long as the limit: a paid invoice never counts for more than ten."""
LEAST_ROWS = 200
"""With fewer that count, every invoice gets the same quantiles."""
TREES = 100
RATE = 0.1


class Days(msgspec.Struct, frozen=True):
    """Tables as a scorecard holds them."""

    bias: list[float]
    tables: list[list[list[float]]]
    """Of each feature, of each bin: one item a quantile."""
    limit: float


def learn(data: Data, days: Matrix, paid: NDArray[np.bool_]) -> Days:
    """Quantiles of the days to pay.

    Args:
        data: the rows to learn from.
        days: until it was paid in full, or, where it was not, for which it was watched.
        paid: whether it was.
    """
    watched = np.maximum(days, 0.0)
    limit = _limit(watched, paid)
    known = paid | (watched >= limit)
    days = np.minimum(watched, limit)
    weights = np.where(known, 1.0 / _watched_share(watched, paid, days), 0.0)
    if int(known.sum()) < LEAST_ROWS:
        return _same_for_all(data, _quantiles(days[known], weights[known]), limit)
    learned = [_additive(data.rows(np.flatnonzero(known)), days[known], weights[known], q) for q in QUANTILES]
    tables = [[list(of_bin) for of_bin in zip(*(points[feature] for _, points in learned), strict=True)]
              for feature in range(len(data.bins))]  # fmt: skip
    return Days([bias for bias, _ in learned], tables, limit)


def _additive(data: Data, days: Matrix, weights: Matrix, quantile: float) -> tuple[float, list[list[float]]]:
    model = HistGradientBoostingRegressor(
        loss="quantile",
        quantile=quantile,
        learning_rate=RATE,
        max_iter=TREES,
        max_leaf_nodes=4,
        min_samples_leaf=20,
        interaction_cst="no_interactions",
        early_stopping=False,
        random_state=data.seed,
    )
    model.fit(data.codes, days, sample_weight=weights)
    return read_off(model.predict, data)


def _same_for_all(data: Data, quantiles: list[float], limit: float) -> Days:
    nothing = [0.0] * len(QUANTILES)
    return Days(quantiles, [[nothing for _ in bins.texts] for bins in data.bins], limit)


def _quantiles(days: Matrix, weights: Matrix) -> list[float]:
    """The QUANTILES of weighted days; the limit of nothing is 0."""
    if not len(days):
        return [0.0] * len(QUANTILES)
    order = np.argsort(days, kind="stable")
    through = np.cumsum(weights[order])
    places = np.searchsorted(through, np.array(QUANTILES) * through[-1])
    return shortened(days[order][np.minimum(places, len(days) - 1)])


def _limit(watched: Matrix, paid: NDArray[np.bool_]) -> float:
    """The days up to which enough invoices were watched, no more than the longest."""
    times = np.unique(np.append(watched, MOST_DAYS))
    enough = times[(_watched_share(watched, paid, times) >= LEAST_WATCHED) & (times <= MOST_DAYS)]
    longest = min(float(watched.max()), MOST_DAYS)
    return shortened(np.array([min(float(enough[-1]), longest)]))[0]


def _watched_share(watched: Matrix, paid: NDArray[np.bool_], days: Matrix) -> Matrix:
    """The chance of still being watched just before each of `days` (Kaplan-Meier, with censoring as the event)."""
    order = np.argsort(watched, kind="stable")
    times, first = np.unique(watched[order], return_index=True)
    at_risk = len(watched) - first
    ended = np.add.reduceat((~paid[order]).astype(np.float64), first)
    paid_then = np.add.reduceat(paid[order].astype(np.float64), first)
    # What is paid on a day is no longer at risk of being lost sight of on it.
    lost = ended / np.maximum(at_risk - paid_then, 1.0)
    share = np.concatenate([[1.0], np.cumprod(1.0 - lost)])
    found: Matrix = share[np.searchsorted(times, days, side="left")]
    return found
