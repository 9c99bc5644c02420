"""Finds columns that know the answer: a model that learns from one looks brilliant in training and is blind when it serves.

Three signs are looked for, the surest first, and a column is named once:

- `known_after`: the caller says that it is known only later; or, on paid rows, it tells *when* they were paid far better
  than anything could that was known before. What may be known is taken out first: the instant of the row, the due date
  and the terms, and the customer's own mean. So a habit, which differs between customers, is no leak, and a settlement
  date is found whether it comes as a date, as days late, in buckets, as a logarithm or with noise.
- `target_in_disguise`: its values, or whether it has one, tell the label almost without exception.
- `separates`: by itself it ranks the rows with an AUC beyond SEPARATES, either way up, straight or in bins.

A fourth, `order`, is of the split: a test row older than a training row.

The catalogue's own features are not tested for payment times: they are replayed from what had arrived by then. What
cannot be found in data at all is a column that is merely *written* later and says little, such as a dispute flag:
for that the mapping has to say when a column is known.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import catalogue
from models.propensity.evaluation import Numbers, auc
from models.propensity.examples import Examples
from models.propensity.payment_times import PaymentTimes

Rows = NDArray[np.intp]

SEPARATES = 0.95
DECIDES = 0.995
"""AUC from which a column does not foretell the label but is the label."""
LEAST_OF_A_CLASS = 10
"""With fewer rows of a class an AUC beyond 0.95 may be chance."""
BIN_ROWS = 20
MOST_BINS = 256


class Leak(msgspec.Struct, frozen=True):
    """A column, or with `order` the split, that must not be learned from."""

    column: str
    """Empty with `order`."""
    kind: Literal["known_after", "target_in_disguise", "separates", "order"]
    says: str
    """What was found, in a sentence."""


def find_leaks(examples: Examples, train_idx: Rows, test_idx: Rows, known_after: set[str]) -> list[Leak]:
    """Every leak, in the order of the columns.

    Args:
        examples: all of them; rows without a label are used where the payment is known.
        train_idx: numbers of the training rows, with those of the validation.
        test_idx: numbers of the test rows.
        known_after: columns whose value is known only after the instant of the row.
    """
    labels = Labels(examples, train_idx, test_idx)
    times = PaymentTimes(examples)
    found = list(_order(examples, train_idx, test_idx))
    for place, column in enumerate(examples.columns):
        values = np.where(np.isfinite(examples.x[:, place]), examples.x[:, place], np.nan)
        own = column not in catalogue.BY_NAME or column in examples.ledger_columns
        if column in known_after:
            found.append(Leak(column, "known_after", f"{column} is known only after the decision."))
        elif len(np.unique(values)) < 2:
            continue
        elif own and (says := times.told_by(column, values)):
            found.append(Leak(column, "known_after", says))
        elif leak := labels.told_by(column, values):
            found.append(leak)
    return found


def _order(examples: Examples, train_idx: Rows, test_idx: Rows) -> Iterator[Leak]:
    if not len(train_idx) or not len(test_idx):
        return
    last = examples.at[train_idx].max()
    older = int(np.count_nonzero(examples.at[test_idx] < last))
    if older:
        share = f"{older} of {len(test_idx)} test rows"
        yield Leak("", "order", f"{share} are older than the last training row: the model would be judged on its past.")


class Labels:
    """The labels, and how well one column tells them."""

    def __init__(self, examples: Examples, train_idx: Rows, test_idx: Rows) -> None:
        labelled = examples.labelled
        self.rows = np.flatnonzero(labelled)
        self.y = examples.y
        self.train = train_idx[labelled[train_idx]]
        self.test = test_idx[labelled[test_idx]]

    def told_by(self, column: str, values: Numbers) -> Leak | None:
        """The leak, if the column alone tells the labels."""
        missing = np.isnan(values)
        if missing.any() and (found := self._apart(missing.astype(np.float64), self.rows)) > SEPARATES:
            says = f"Whether {column} has a value tells the label: AUC {found:.3f}."
            return Leak(column, "target_in_disguise", says)
        straight, binned = self._straight(values), self._binned(values)
        best = max(straight, binned)
        if best <= SEPARATES:
            return None
        way = (
            "" if straight > SEPARATES else " when its values are put into bins, learned in training and tried in test"
        )
        if best >= DECIDES:
            return Leak(
                column, "target_in_disguise", f"{column} is the label in another form: AUC {best:.3f} alone{way}."
            )
        return Leak(column, "separates", f"{column} alone tells paid from unpaid with an AUC of {best:.3f}{way}.")

    def _straight(self, values: Numbers) -> float:
        """With rows that have no value before all others, or after them, whichever tells more."""
        ends = (-np.inf, np.inf) if np.isnan(values).any() else (np.inf,)
        return max(self._apart(np.where(np.isnan(values), end, values), self.rows) for end in ends)

    def _binned(self, values: Numbers) -> float:
        """With each bin's share of positives in training as the score in test: finds what goes up and down again."""
        if not self._enough(self.train):
            return 0.5
        codes, bins = bins_of(values, self.train)
        train, y = codes[self.train], self.y[self.train]
        share = (np.bincount(train, weights=y, minlength=bins) + y.mean()) / (np.bincount(train, minlength=bins) + 1.0)
        return self._apart(share[codes], self.test)

    def _apart(self, score: Numbers, rows: Rows) -> float:
        """AUC of a score, turned so that it is at least 0.5; 0.5 where there are too few rows to say."""
        if not self._enough(rows):
            return 0.5
        found = auc(self.y[rows], score[rows])
        return 0.5 if found is None else max(found, 1.0 - found)

    def _enough(self, rows: Rows) -> bool:
        positives = int(self.y[rows].sum())
        return min(positives, len(rows) - positives) >= LEAST_OF_A_CLASS


def bins_of(values: Numbers, rows: Rows) -> tuple[Rows, int]:
    """The bin of every value, and how many there are: cut at quantiles of `rows`, with about BIN_ROWS each; NaN last."""
    known = values[rows][~np.isnan(values[rows])]
    most = int(np.clip(len(known) // BIN_ROWS, 2, MOST_BINS))
    different = np.unique(known)
    if len(different) > most:
        different = np.unique(np.quantile(known, np.linspace(0.0, 1.0, most + 1), method="lower"))
    codes = np.clip(np.searchsorted(different, values, side="right") - 1, 0, None)
    codes[np.isnan(values)] = len(different)
    return codes, len(different) + 1
