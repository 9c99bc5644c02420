"""Examples with known payments: the IBM ledger, and a made-up one with several terms and open invoices."""

import csv
import datetime as dt
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from models.propensity.examples import Examples, Moment, Target

ROOT = Path(__file__).parents[3]
DAY = 86_400_000
EPOCH = dt.date(1970, 1, 1).toordinal()


def paid_ledger(rows, extra=None, *, within=None):
    """Examples at issue.

    Args:
        rows: (account, issued, due, settled or None, amount) in the order of issue, days since 1970.
        extra: further columns, by name.
        within: the horizon in days, else paid by due.
    """
    issued, due = (np.array([row[place] for row in rows], dtype=np.float64) for place in (1, 2))
    settled = np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=np.float64)
    ends = due if within is None else issued + within
    end = float(np.nanmax(settled))
    paid = ~np.isnan(settled)
    outcome = np.where(paid & (settled <= ends), "paid", np.where(ends > end, "unmatured", "unpaid"))
    names, x = habits(rows)
    for name, values in (extra or {}).items():
        names.append(name)
        x.append(np.asarray(values, dtype=np.float64))
    empty = np.full(len(rows), "")
    return Examples(
        columns=tuple(names),
        x=np.column_stack(x),
        at=(issued * DAY).astype(np.int64),
        horizon_end=(ends * DAY).astype(np.int64),
        outcome=outcome,
        account_id=np.array([row[0] for row in rows]),
        invoice_id=np.array([f"i{place}" for place in range(len(rows))]),
        currency=np.full(len(rows), "USD"),
        segment=empty,
        tenant_id=np.full(len(rows), "t"),
        days_to_pay=np.where(paid, settled - issued, end - issued),
        paid=paid,
        data_end=int(end * DAY),
        target=Target("paid_by_due") if within is None else Target("paid_within", within),
        moment=Moment("issue"),
        ledger_columns=tuple(extra or ()),
    )


def habits(rows):
    """The catalogue's columns that matter here, each from what was known on the day of issue."""
    past: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    found = []
    for account, issued, due, settled, amount in rows:
        closed = [row for row in past[account] if row[2] < issued]
        overdue = [row for row in past[account] if row[2] >= issued and row[1] < issued]
        slack = [row[2] - row[1] for row in closed]
        on_time = sum(days <= 0 for days in slack)
        found.append((
            amount,
            due - issued,
            due - issued,
            (due + 3) % 7,
            dt.date.fromordinal(int(due) + EPOCH).day,
            len(past[account]) - len(closed),
            len(overdue),
            len(closed),
            (2 + on_time) / (3 + len(closed) + len(overdue)),
            (15 + sum(max(0, days) for days in slack)) / (3 + len(closed)),
            np.mean(slack) if slack else np.nan,
            np.mean([row[2] - row[0] for row in closed]) if closed else np.nan,
            np.mean(slack[-8:]) if slack else np.nan,
            slack[-1] if slack else np.nan,
            issued - max(row[2] for row in closed) if closed else np.nan,
        ))  # fmt: skip
        past[account].append((issued, due, np.inf if settled is None else settled))
    names = (
        "amount terms_days days_to_due due_weekday due_month_day open_invoices overdue_invoices closed_invoices"
        " on_time_rate mean_days_late mean_slack mean_days_to_pay recent_slack last_slack days_since_payment"
    )
    return names.split(), list(np.array(found, dtype=np.float64).T)


def made_up(seed=3, accounts=60, each=25):
    """Customers with habits, several terms, some invoices never paid."""
    rng = np.random.default_rng(seed)
    rows = []
    for account in range(accounts):
        habit = rng.normal(-3, 9)
        for issued in np.sort(rng.integers(15_000, 16_000, each)):
            due = int(issued) + int(rng.choice([14, 30, 60]))
            took = max(0, round(due - issued + habit + rng.normal(0, 6)))
            settled = None if rng.random() < 0.1 else int(issued) + took
            rows.append((f"a{account}", int(issued), due, settled, float(np.round(rng.lognormal(5, 1), 2))))
    return sorted(rows, key=lambda row: row[1])


def ibm():
    """The rows of the IBM ledger, and its further columns that are known at issue or are not."""
    folder = Path(os.environ.get("RECOUP_DATA", ROOT.parent / "shared" / "data")) / "ibm_late_payment"
    files = sorted(folder.glob("*.csv"))
    if not files:
        pytest.skip(f"the IBM late-payment ledger is not in {folder}; RECOUP_DATA names the folder above it")
    with files[0].open(encoding="utf-8") as file:
        lines = sorted(csv.DictReader(file), key=lambda line: _day(line["InvoiceDate"]))
    rows = [
        (line["customerID"], *(_day(line[name]) for name in ("InvoiceDate", "DueDate", "SettledDate")),
         float(line["InvoiceAmount"]))
        for line in lines
    ]  # fmt: skip
    further = {
        "Disputed": [line["Disputed"] == "Yes" for line in lines],
        "PaperlessBill": [line["PaperlessBill"] == "Electronic" for line in lines],
        "PaperlessDate": [_day(line["PaperlessDate"]) for line in lines],
        "countryCode": [float(line["countryCode"]) for line in lines],
        "invoiceNumber": [float(line["invoiceNumber"]) for line in lines],
    }
    return rows, {name: np.array(values, dtype=np.float64) for name, values in further.items()}


def _day(text):
    return dt.datetime.strptime(text, "%m/%d/%Y").replace(tzinfo=dt.UTC).toordinal() - EPOCH
