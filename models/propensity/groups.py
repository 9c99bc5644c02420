"""The same judgement for parts of the rows: a model that is right on average may be wrong for a tenant or a bucket."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.propensity.evaluation import Numbers, auc, brier, ece
from models.propensity.examples import Examples

SMALL = 50
"""Rows below which a group's numbers are mostly chance."""
MOST_VALUES = 20
"""Of one grouping, by size; the rest are judged together."""
RECENT_DAYS = 30
"""A contact within so many days counts as contacted."""
OTHERS = "(all others)"
NONE = "(none)"

BUCKETS = ("not due", "1-30", "31-60", "61-90", "90+")
"""Days past due, in the order in which debts age."""
BUCKET_ENDS = (0.0, 30.0, 60.0, 90.0)


class Group(msgspec.Struct, frozen=True):
    """The rows of one value of one grouping."""

    grouping: str
    value: str
    n: int
    positives: int
    base_rate: float
    """Share of positives among these rows."""
    mean_p: float
    gap: float
    """`mean_p - base_rate`: above 0 the model promises these rows too much."""
    auc: float | None
    brier: float
    brier_base: float
    """Of always saying the base rate of training."""
    ece: float
    small: bool
    """Fewer than SMALL rows."""


Groups = Mapping[str, NDArray[np.str_]]
"""Name of a grouping -> the value of each row."""


def evaluate_groups(y: NDArray[np.int64], p: Numbers, groups: Groups, base_rate: float) -> list[Group]:
    """Judge each value of each grouping, the values in the order of BUCKETS, else by size."""
    found: list[Group] = []
    for grouping, values in groups.items():
        kept, place, counts = np.unique(values, return_inverse=True, return_counts=True)
        order = sorted(range(len(kept)), key=lambda at: _order(str(kept[at]), int(counts[at])))
        found += [_judge(grouping, str(kept[at]), place == at, (y, p), base_rate) for at in order[:MOST_VALUES]]
        if order[MOST_VALUES:]:
            rest = np.isin(place, order[MOST_VALUES:])
            found.append(_judge(grouping, OTHERS, rest, (y, p), base_rate))
    return found


def groups_of(examples: Examples, rows: NDArray[np.intp]) -> dict[str, NDArray[np.str_]]:
    """The groupings that every report shows, for the rows with these numbers."""
    found = {
        "tenant": _named(examples.tenant_id[rows]),
        "segment": _named(examples.segment[rows]),
        "currency": _named(examples.currency[rows]),
    }
    to_due, contact = _column(examples, rows, "days_to_due"), _column(examples, rows, "days_since_contact")
    if to_due is not None:
        found["days past due"] = bucket_of(to_due)
    if contact is not None:
        within = f"contacted within {RECENT_DAYS} days"
        found["contact"] = np.where(np.nan_to_num(contact, nan=np.inf) <= RECENT_DAYS, within, "not contacted")
    past = [_column(examples, rows, name) for name in ("closed_invoices", "overdue_invoices")]
    known = [np.nan_to_num(column) for column in past if column is not None]
    if known:
        found["history"] = np.where(np.sum(known, axis=0) > 0, "some history", "no history")
    return found


def bucket_of(days_to_due: Numbers) -> NDArray[np.str_]:
    """The ageing bucket of each row, one of BUCKETS, or NONE where the due date is not known."""
    late = -days_to_due
    buckets = np.array(BUCKETS)[np.searchsorted(BUCKET_ENDS, late, side="left")]
    return np.asarray(np.where(np.isnan(late), NONE, buckets))


def _judge(
    grouping: str, value: str, chosen: NDArray[np.bool_], judged: tuple[NDArray[np.int64], Numbers], base_rate: float
) -> Group:
    y, p = judged[0][chosen], judged[1][chosen]
    rate, mean = float(y.mean()), float(p.mean())
    return Group(
        grouping=grouping,
        value=value,
        n=len(y),
        positives=int(y.sum()),
        base_rate=rate,
        mean_p=mean,
        gap=mean - rate,
        auc=auc(y, p),
        brier=brier(y, p),
        brier_base=brier(y, np.full(len(y), base_rate, dtype=np.float64)),
        ece=ece(y, p),
        small=len(y) < SMALL,
    )


def _order(value: str, count: int) -> tuple[int, int, str]:
    return (BUCKETS.index(value) if value in BUCKETS else len(BUCKETS), -count, value)


def _named(values: NDArray[np.str_]) -> NDArray[np.str_]:
    return np.asarray(np.where(values == "", NONE, values))


def _column(examples: Examples, rows: NDArray[np.intp], name: str) -> Numbers | None:
    if name not in examples.columns:
        return None
    return np.asarray(examples.x[rows, examples.columns.index(name)], dtype=np.float64)
