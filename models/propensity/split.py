"""Cut rows in two by time: nothing that a model is judged by lies before anything that it learned from.

With repeated snapshots an invoice has many rows whose horizons overlap. It then stays on the side of its first row, and a
row to learn from whose label was not settled when the test begins is left out, so that no label is on both sides.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.propensity.examples import Examples
from schemas.errors import BadInput

Rows = NDArray[np.intp]
"""Places of rows in the examples, in the order of time."""

LEAST_ROWS = 50
"""Rows with a label, in all: with fewer, what a model seems to be worth is chance."""
LEAST_OF_EACH = 10
"""Rows of either outcome to learn from."""
PARTS = 6
"""Of the rows to learn from; the last FOLDS of them validate in turn, each after everything before it was learned."""
FOLDS = 4
LEAST_IN_FOLD = 5
"""Rows of either outcome to learn from in a fold that counts."""


class Split(msgspec.Struct, frozen=True):
    """Which rows to learn from, and which to judge by."""

    train: Rows
    test: Rows
    embargoed: Rows
    """Before the cut, but not settled by then; in neither."""
    other_side: Rows
    """After the cut, of invoices that began before it; in neither."""


def time_split(examples: Examples, test_fraction: float = 0.3) -> Split:
    """The last `test_fraction` of the labelled rows to judge by, the others to learn from.

    Raises:
        BadInput: there are too few rows, or too few of one outcome on one side.
    """
    if not 0.0 < test_fraction < 1.0:
        raise BadInput(f"The test fraction is {test_fraction:g}; give one between 0 and 1, such as 0.3.")
    rows = _in_time(examples)
    _enough(examples, rows)
    split = _cut(examples, rows, len(rows) - round(len(rows) * test_fraction))
    _both_outcomes(examples, split)
    return split


def folds(examples: Examples, train: Rows) -> list[Split]:
    """Parts of `train` that validate, each with everything before it to learn from; parts without both outcomes are not used.

    Raises:
        BadInput: no part is of use.
    """
    found = []
    for part in range(PARTS - FOLDS, PARTS):
        start, end = (len(train) * place // PARTS for place in (part, part + 1))
        fold = _cut(examples, train[:end], start)
        if len(fold.test) and _fewest(examples, fold.train) >= LEAST_IN_FOLD:
            found.append(fold)
    if not found:
        raise BadInput(
            f"Of {len(train)} rows to learn from, the first {len(train) * (PARTS - 1) // PARTS} do not hold "
            f"{LEAST_IN_FOLD} of either outcome, so no model can be validated on later ones. Give a longer ledger."
        )
    return found


def _in_time(examples: Examples) -> Rows:
    rows = np.flatnonzero(examples.labelled)
    return rows[np.lexsort((examples.invoice_id[rows], examples.at[rows]))]


def _cut(examples: Examples, rows: Rows, at: int) -> Split:
    """Cut rows that are in the order of time before the one at place `at`."""
    before, after = rows[:at], rows[at:]
    if not len(after) or examples.moment.name != "every":
        return Split(before, after, rows[:0], rows[:0])
    settled = examples.horizon_end[before] <= examples.at[after].min()
    invoices = _invoices(examples, rows)
    known = np.isin(invoices[at:], invoices[:at])
    return Split(before[settled], after[~known], before[~settled], after[known])


def _invoices(examples: Examples, rows: Rows) -> NDArray[np.intp]:
    """A number for each row's invoice; its id is unique within an account of a tenant."""
    number = np.zeros(len(rows), dtype=np.intp)
    for names in (examples.tenant_id, examples.account_id, examples.invoice_id):
        found, place = np.unique(names[rows], return_inverse=True)
        number = np.unique(number * len(found) + place, return_inverse=True)[1]
    return number


def _fewest(examples: Examples, rows: Rows) -> int:
    """How many rows the rarer outcome has."""
    paid = int(examples.y[rows].sum())
    return min(paid, len(rows) - paid)


def _enough(examples: Examples, rows: Rows) -> None:
    """Refuse what no model can be learned from."""
    if not len(rows):
        raise BadInput(
            f"None of {len(examples.outcome)} rows has a label: {_left_out(examples)}. "
            "Give a ledger that goes on for longer after its invoices fell due, or a shorter target."
        )
    if len(rows) < LEAST_ROWS:
        raise BadInput(
            f"{len(rows)} of {len(examples.outcome)} rows have a label, and {LEAST_ROWS} is the least that a model can be "
            f"learned from and judged by. Left out: {_left_out(examples)}. Give a longer ledger."
        )
    if not _fewest(examples, rows):
        only = "paid" if examples.y[rows[0]] else "not paid"
        raise BadInput(
            f"All {len(rows)} labelled rows have one outcome, {only} within {examples.target}: there is nothing to tell "
            "apart. Give a ledger with both, or another target, such as paid_within:30."
        )


def _left_out(examples: Examples) -> str:
    """What became of the rows without a label, in words."""
    unmatured, competing = (int((examples.outcome == name).sum()) for name in ("unmatured", "competing"))
    return f"{unmatured} had not matured by the end of the data, {competing} ended otherwise (voided, credited, disputed ...)"


def _both_outcomes(examples: Examples, split: Split) -> None:
    for name, rows, least in (("learn from", split.train, LEAST_OF_EACH), ("test on", split.test, 1)):
        paid = int(examples.y[rows].sum())
        if min(paid, len(rows) - paid) < least:
            left_out = len(split.embargoed) + len(split.other_side)
            embargo = f" ({left_out} were left out so that no label is on both sides)" if left_out else ""
            raise BadInput(
                f"Of {len(rows)} rows to {name}, {paid} were paid within {examples.target} and {len(rows) - paid} were not; "
                f"{least} of each are needed{embargo}. Give a longer ledger, another target or another test fraction."
            )
