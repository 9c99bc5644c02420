"""Examples whose outcome follows from known features, for tests of training."""

import numpy as np

from models.clock import Instant
from models.propensity.examples import Examples, Moment, Target

DAY = 86_400_000


def examples(x, outcome, *, days=None, paid=None, columns=None, **fields):
    """Examples in the order of time, one a day, each of its own invoice, unless `fields` say otherwise."""
    rows = len(outcome)
    at = np.arange(rows, dtype=np.int64) * DAY
    end: Instant = int(at[-1]) + DAY if rows else 0
    every = {
        "columns": columns or tuple(f"f{place}" for place in range(x.shape[1])),
        "x": x,
        "at": at,
        "horizon_end": at + DAY,
        "outcome": np.asarray(outcome, dtype="U9"),
        "account_id": np.array([f"a{place % 20}" for place in range(rows)], dtype=np.str_),
        "invoice_id": np.array([f"i{place:05d}" for place in range(rows)], dtype=np.str_),
        "currency": np.full(rows, "EUR"),
        "segment": np.full(rows, ""),
        "tenant_id": np.full(rows, "t"),
        "days_to_pay": np.full(rows, 20.0) if days is None else days,
        "paid": np.full(rows, True) if paid is None else paid,  # noqa: FBT003
        "data_end": end,
        "target": Target("paid_by_due"),
        "moment": Moment("issue"),
    }
    return Examples(**(every | fields))


COLUMNS = ("amount", "closed_invoices", "overdue_invoices", "on_time_rate", "due_weekday", "days_since_payment")


def customers(rows=600, seed=1, effect=1.0, **fields):
    """Accounts of which the share paid on time and what is overdue say something, and weekdays do not."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([
        np.round(rng.lognormal(5, 1, rows), 2),
        rng.poisson(4, rows),
        rng.poisson(0.5, rows),
        rng.beta(3, 2, rows),
        rng.integers(0, 7, rows),
        np.where(rng.random(rows) < 0.2, np.nan, rng.integers(1, 60, rows)),
    ]).astype(np.float64)  # fmt: skip
    sums = effect * (4.0 * (x[:, 3] - 0.6) - 1.2 * x[:, 2] + 0.6)
    paid_in_time = rng.random(rows) < 1.0 / (1.0 + np.exp(-sums))
    days = np.maximum(0.0, np.round(25.0 - 8.0 * sums + rng.normal(0, 5, rows)))
    outcome = np.where(paid_in_time, "paid", "unpaid")
    return examples(x, outcome, **({"days": days, "columns": COLUMNS} | fields))
