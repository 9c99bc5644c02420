"""P(pay on time) from the customer's own past: what scores until a model is released, and the bar that one must beat.

    P(on time) = (PRIOR_ON_TIME + on time) / (PRIOR_ON_TIME + PRIOR_LATE + on time + late)

the mean of a Beta(PRIOR_ON_TIME, PRIOR_LATE) prior updated by the account's invoices: those closed by payment, on time
or late, and those that are overdue now, which are late whatever happens. A new account has the prior's mean, 2/3.
Expected days late are smoothed in the same way, PRIOR_INVOICES of them at PRIOR_DAYS. Both are features of their own,
`on_time_rate` and `mean_days_late`, so that a trained model starts from here.
"""

import numpy as np
from numpy.typing import NDArray

from models.features.catalogue import NAMES
from models.features.priors import PRIOR_LATE, PRIOR_ON_TIME
from models.propensity.scorecard import PRECISION, PRIOR_INVOICES, Scores, bands, uncertainties

MODEL = "baseline@1"
TARGET = "paid_by_due"
HORIZON_DAYS = 30
"""Nominal: the habit is per invoice and says nothing about a time span; terms of payment are mostly within this."""

_ON_TIME, _DAYS, _CLOSED, _OVERDUE = map(
    NAMES.index, ("on_time_rate", "mean_days_late", "closed_invoices", "overdue_invoices")
)


class Baseline:
    """Scores a matrix of all features as a `Scorer` does."""

    def score(self, x: NDArray[np.float64]) -> Scores:
        """P(on time), expected days late and reasons of every row."""
        p = x[:, _ON_TIME]
        closed, overdue = x[:, _CLOSED], x[:, _OVERDUE]
        invoices = closed + overdue
        late = np.round(PRIOR_ON_TIME + closed - p * (PRIOR_ON_TIME + PRIOR_LATE + invoices))
        counts = zip(
            closed.astype(np.int64).tolist(),
            late.astype(np.int64).tolist(),
            overdue.astype(np.int64).tolist(),
            strict=True,
        )
        return Scores(
            probabilities=np.round(p, PRECISION).tolist(),
            days=[[days] for days in np.round(x[:, _DAYS], PRECISION).tolist()],
            bands=bands(p),
            uncertainties=uncertainties(p, invoices + PRIOR_INVOICES),
            reasons=[_reasons(*row) for row in counts],
        )


def _reasons(closed: int, late: int, overdue: int) -> tuple[str, ...]:
    """Why the score is what it is."""
    if not closed and not overdue:
        return ("no_history",)
    past = f"{late} of {closed} paid late"
    return (past, f"{overdue} overdue") if overdue else (past,)
