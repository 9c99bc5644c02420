"""Rows to learn from: what was known at an instant, and what came of it."""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.clock import Instant

Outcome = Literal["paid", "unpaid", "competing", "unmatured"]


class Target(msgspec.Struct, frozen=True):
    """What is to be foretold: `paid_by_due`, or paid in full within `days` of the score (`paid_within:30`)."""

    name: Literal["paid_by_due", "paid_within"]
    days: int = 0

    def __str__(self) -> str:
        return self.name if self.name == "paid_by_due" else f"{self.name}:{self.days}"


class Moment(msgspec.Struct, frozen=True):
    """When rows are taken: at each invoice's issue, when it becomes overdue, or every `days` days while any is open."""

    name: Literal["issue", "overdue", "every"]
    days: int = 0

    def __str__(self) -> str:
        return self.name if self.name != "every" else f"every:{self.days}d"


class Examples(msgspec.Struct):
    """Rows in the order of their time; every array has one item a row.

    Only rows with the outcome `paid` or `unpaid` have a label. The others are kept to be counted and to be judged by the
    leak detector.
    """

    columns: tuple[str, ...]
    """Names of the columns of `x`: the catalogue's, then the ledger's own."""
    x: NDArray[np.float64]
    at: NDArray[np.int64]
    """Instant of the row: nothing that arrived later is in it."""
    horizon_end: NDArray[np.int64]
    """Instant at which its label is settled."""
    outcome: NDArray[np.str_]
    account_id: NDArray[np.str_]
    invoice_id: NDArray[np.str_]
    currency: NDArray[np.str_]
    segment: NDArray[np.str_]
    """Empty = none."""
    tenant_id: NDArray[np.str_]
    days_to_pay: NDArray[np.float64]
    """From `at` until it was paid in full; for what was not, the days that it was watched."""
    paid: NDArray[np.bool_]
    """Whether it was paid in full by the end of the data: where not, `days_to_pay` is censored."""
    data_end: Instant
    target: Target
    moment: Moment
    ledger_columns: tuple[str, ...] = ()
    """The last ones of `columns`: from the ledger's own columns; no live event carries them."""

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether the row has a label."""
        return np.isin(self.outcome, ("paid", "unpaid"))

    @property
    def y(self) -> NDArray[np.int64]:
        """1 = paid within the horizon; meaningful where `labelled`."""
        return np.asarray(self.outcome == "paid", dtype=np.int64)
