"""IBM Watson's accounts receivable sample as a ledger: issue, due and settlement dates and amounts, nothing else."""

import csv
import os
from datetime import datetime
from pathlib import Path

import numpy as np

from models.calendar import day_number
from models.forecast.ledger import Ledger

ROOT = Path(__file__).parents[2]
NAME = "ibm_late_payment/WA_Fn-UseC_-Accounts-Receivable.csv"


def path() -> Path:
    """Where the file is.

    Raises:
        FileNotFoundError: it is not there.
    """
    folder = Path(os.environ.get("RECOUP_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / NAME).exists():
        raise FileNotFoundError(f"{NAME} is not in {folder}; RECOUP_DATA names the folder that holds it")
    return folder / NAME


def ledger() -> Ledger:
    """The whole file, in cents; every invoice was paid, at once and in full.

    Its column `Disputed` is left out: it came to be known with the payment at the earliest.
    """
    with path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = {name: place for place, name in enumerate(sorted({row["customerID"] for row in rows}))}
    amount = np.array([round(100 * float(row["InvoiceAmount"])) for row in rows], dtype=np.float64)
    paid = _days(rows, "SettledDate")
    return Ledger(
        account=np.array([names[row["customerID"]] for row in rows]),
        opened=_days(rows, "InvoiceDate"),
        due=_days(rows, "DueDate"),
        amount=amount,
        invoice=np.arange(len(rows)),
        day=paid,
        paid=amount,
        credited=np.zeros(len(rows)),
        cash_day=paid,
        cash=amount,
    )


def halves(of: Ledger) -> tuple[int, int, int]:
    """The day of the first invoice, the day in the middle, and the day after the last invoice.

    Settings were chosen by the origins of the first half, the error is told of those of the second. After the last
    invoice the file goes on with payments alone, so that its weeks are no whole weeks of a portfolio.
    """
    first, last = int(of.opened.min()), int(of.opened.max())
    return first, (first + last) // 2, last + 1


def _days(rows: list[dict[str, str]], column: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(
        [day_number(datetime.strptime(row[column], "%m/%d/%Y").date()) for row in rows],  # noqa: DTZ007 - a day
        dtype=np.int64,
    )
