"""P(pay on time) from the customer's own past: the bar that a trained model must beat.

    P(on time) = (PRIOR_ON_TIME + on time) / (PRIOR_ON_TIME + PRIOR_LATE + on time + late)

the mean of a Beta(PRIOR_ON_TIME, PRIOR_LATE) prior updated by the account's invoices: those closed by payment, on time
or late, and those that are overdue now, which are late whatever happens. A new account has the prior's mean, 2/3.
Expected days late are smoothed in the same way, PRIOR_INVOICES of them at PRIOR_DAYS.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.account.ledger import Habits

MODEL = "baseline@1"
HORIZON_DAYS = 30
"""Nominal: the habit is per invoice and says nothing about a time span; terms of payment are mostly within this."""

PRIOR_ON_TIME = 2.0
PRIOR_LATE = 1.0
PRIOR_INVOICES = 3.0
PRIOR_DAYS = 5.0

PRECISION = 9
"""Decimals kept, so that the last bits of a sum can never change a decision or a replay's digest."""

FEATURES = ("closed", "late", "late_days", "overdue")
"""Invoices closed by payment, those of them paid late, their days late in total, and invoices overdue now."""

Row = tuple[int, int, int, int]


class Scores(msgspec.Struct, gc=False):
    """One probability and one number of days per row."""

    probabilities: list[float]
    expected_days: list[float]


def features(habits: Habits, overdue: int) -> Row:
    """One row of the matrix, in the order of FEATURES."""
    return habits.closed, habits.late, habits.late_days, overdue


def matrix(rows: list[Row]) -> NDArray[np.float64]:
    """Rows as one float64 matrix of shape (rows, features)."""
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


def score(features: NDArray[np.float64]) -> Scores:
    """P(on time) and expected days late of every row, rounded to PRECISION decimals."""
    closed, late, late_days, overdue = features.T
    invoices = closed + overdue
    on_time = closed - late
    probabilities = (PRIOR_ON_TIME + on_time) / (PRIOR_ON_TIME + PRIOR_LATE + invoices)
    days = (PRIOR_INVOICES * PRIOR_DAYS + late_days) / (PRIOR_INVOICES + closed)
    return Scores(np.round(probabilities, PRECISION).tolist(), np.round(days, PRECISION).tolist())


def features_id(row: Row) -> str:
    """Names the feature values themselves: four whole numbers need no hash."""
    closed, late, late_days, overdue = row
    return f"{closed}.{late}.{late_days}.{overdue}"


def reasons(row: Row) -> tuple[str, ...]:
    """Why the score is what it is."""
    closed, late, _, overdue = row
    if not closed and not overdue:
        return ("no_history",)
    past = f"{late} of {closed} paid late"
    return (past, f"{overdue} overdue") if overdue else (past,)
