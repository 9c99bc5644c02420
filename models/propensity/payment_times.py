"""How much one column tells of when invoices were paid, beyond what may be known before.

On paid rows the days to pay, the days late, and the days late with early ones as 0, are compared with the column. From
both sides the instant of the row, the days until due, the terms and each account's own mean are taken out; what is left
of an honest column has little to do with what is left of the payment.
"""

import re

import numpy as np
from numpy.typing import NDArray

from models.propensity.evaluation import Numbers, ranks_of
from models.propensity.examples import Examples

DAY = 86_400_000

TELLS = 0.55
"""Share of what is left of the payment's time that gives a column away. On the IBM ledger the days late with noise of
2 days have 0.85, the dispute flag has 0.43, and honest columns have below 0.1."""
TELLS_FEW = 0.85
"""Of columns with few different values: how an invoice is to be paid may honestly say much about when."""
MIXED = 0.03
"""A column with few values that are bands of the time of payment changes this often, at most, from one payment to the
next later one; as a share of how often it would by chance."""
LEAST_CHANGES = 0.05
"""By chance; a column that hardly ever changes, or only with the due date, is no band of anything."""
TELLS_NAMED = 0.25
"""Of columns whose name speaks of a payment."""
FEW_VALUES = 12
NAME = re.compile(
    r"settle|paid|pay(ment)?_?date|days_?late|days_?to_?pay|clear(ed|ing|ance)|closed_?(on|at|date)", re.IGNORECASE
)

LEAST_ROWS = 30
ROWS_OF_AN_ACCOUNT = 3
"""An account's mean is taken out where it has as many rows; with fewer, that would leave nothing."""
MOST_ROWS = 20_000
BINS = 24
DUE_BINS = 20
DUE_VALUES = 40
"""Different days until due up to which each has its own mean; above, the relation is taken as straight."""


class PaymentTimes:
    """When the paid rows were paid, less what may be known of it before."""

    def __init__(self, examples: Examples) -> None:
        rows = np.flatnonzero(examples.paid & np.isfinite(examples.days_to_pay))
        account = _codes(examples.tenant_id[rows], examples.account_id[rows])
        often = np.bincount(account, minlength=1)[account] >= ROWS_OF_AN_ACCOUNT if len(rows) else np.zeros(0, bool)
        self.by_account = bool(often.mean() > 0.3 and often.sum() >= LEAST_ROWS) if len(rows) else False
        if self.by_account:
            rows, account = rows[often], account[often]
        if len(rows) > MOST_ROWS:
            kept = np.sort(np.random.default_rng(0).choice(len(rows), MOST_ROWS, replace=False))
            rows, account = rows[kept], account[kept]
        self.rows, self.account = rows, account
        self.at = examples.at[rows] / DAY
        self.truths: list[tuple[str, Numbers]] = []
        """Empty with too few paid rows, or when they hold nothing that is not known."""
        if len(rows) >= LEAST_ROWS:
            self.straight, self.known = self._knowns(examples)
            self.truths = self._truths(examples)
            due = _column(examples, "days_to_due", rows)
            self.due = np.searchsorted(np.unique(np.quantile(due, np.linspace(0.0, 1.0, DUE_BINS + 1))), due)
            self.deal = np.random.default_rng(0).permutation(len(rows))
            self.by_payment = self.deal[np.argsort(examples.days_to_pay[rows][self.deal], kind="stable")]

    def told_by(self, name: str, values: Numbers) -> str | None:
        """What gives the column away, in a sentence; None where nothing does."""
        if not self.truths:
            return None
        column = as_days(values[self.rows])
        has = ~np.isnan(column)
        if has.sum() < LEAST_ROWS or (has.all() and len(np.unique(column)) < 2):
            return None
        low, high = column[has].min(), column[has].max()
        few = len(np.unique(column)) <= FEW_VALUES
        if few and self._banded(np.where(has, column, low - 1.0)):
            return f"{name} follows the payment itself: its values are bands of the time at which an invoice was paid."
        limit = TELLS_FEW if few else TELLS
        if NAME.search(name):
            limit = min(limit, TELLS_NAMED)
        step = (high - low) / len(column) + 1e-6
        forms = [column] if has.all() else [np.where(has, column, fill) for fill in (low - step, high + step)]
        told, what = max((self._told(form, truth), what) for form in forms for what, truth in self.truths)
        if told <= limit:
            return None
        habit = " and the account's habit" if self.by_account else ""
        return (
            f"{name} follows the payment itself: with the due date{habit} known, it tells {told:.0%} of what is left to know"
            f" of the {what}."
        )

    def _told(self, column: Numbers, truth: Numbers) -> float:
        """Share of a truth's remaining variance that the column explains, as it is or less its trend, straight or in bins."""
        best = 0.0
        for form in (column, column - _fitted(self.straight, column)):
            if form.std() <= 1e-9 * (1.0 + np.abs(column).max()):
                continue
            ranks = ranks_of(form)
            plain = np.clip(form, *np.quantile(form, (0.01, 0.99)))
            straight = max(_correlated(self._left(ranks), truth), _correlated(self._left(plain), truth))
            best = max(best, straight, self._grouped(ranks, truth))
        return best

    def _banded(self, column: Numbers) -> bool:
        """Whether few values follow each other in the order of payment, among invoices with as long to go until due."""
        if self.by_account and _changes(column, self.account, self.deal) < LEAST_CHANGES:
            return False  # of the customer, not of the invoice
        by_chance = _changes(column, self.due, self.deal)
        return by_chance >= LEAST_CHANGES and _changes(column, self.due, self.by_payment) <= MIXED * by_chance

    def _grouped(self, ranks: Numbers, truth: Numbers) -> float:
        """Explained by the means of bins of equal mass, less what as many bins explain by chance."""
        codes = np.minimum((ranks - 1) * BINS / len(ranks), BINS - 1).astype(np.intp)
        counts = np.bincount(codes, minlength=BINS)
        sums = np.bincount(codes, weights=truth, minlength=BINS)
        explained = float(np.sum(np.divide(sums**2, counts, out=np.zeros(BINS), where=counts > 0)) / np.sum(truth**2))
        used = int(np.count_nonzero(counts))
        spare = len(ranks) - used
        return float(1.0 - (1.0 - explained) * (len(ranks) - 1) / spare) if spare > 0 else 0.0

    def _left(self, values: Numbers) -> Numbers:
        """What the known does not say."""
        centred = self._centred(values)
        return np.asarray(centred - _fitted(self.known, centred), dtype=np.float64)

    def _centred(self, values: Numbers) -> Numbers:
        if not self.by_account:
            return np.asarray(values - values.mean(), dtype=np.float64)
        counts = np.bincount(self.account)
        sums = np.bincount(self.account, weights=values)
        means = np.divide(sums, counts, out=np.zeros(len(counts)), where=counts > 0)
        return np.asarray(values - means[self.account], dtype=np.float64)

    def _knowns(self, examples: Examples) -> tuple[Numbers, Numbers]:
        """What may be known, as columns: straight as it is, and centred with a mean for each day until due."""
        due = _column(examples, "days_to_due", self.rows)
        terms = _column(examples, "terms_days", self.rows)
        straight = np.column_stack([np.ones(len(self.at)), self.at - self.at.mean(), due, terms])
        parts = [straight[:, 1:]]
        different = np.unique(due)
        if 1 < len(different) <= min(DUE_VALUES, len(self.at) // 20):
            parts.append((due[:, None] == different[None, 1:]).astype(np.float64))
        known = np.column_stack(parts)
        centred: Numbers = np.column_stack([self._centred(column) for column in known.T])
        return straight, centred

    def _truths(self, examples: Examples) -> list[tuple[str, Numbers]]:
        """What is to be told: days as they are and as ranks, less the known."""
        to_pay = examples.days_to_pay[self.rows]
        late = np.maximum(to_pay - _column(examples, "days_to_due", self.rows), 0.0)
        found = []
        for what, days in (("days to pay", to_pay), ("days late", late)):
            for form in (days, ranks_of(days)):
                left = self._left(form)
                if left.std() > 1e-6 * (form.std() + 1e-12):
                    found.append((what, left))
        return found


def as_days(values: Numbers) -> Numbers:
    """Dates written as the number 20130131 as days; everything else as it is."""
    known = values[~np.isnan(values)]
    whole = np.all((known >= 19_000_101) & (known <= 29_991_231) & (known == np.floor(known)))
    if not len(known) or not whole:
        return values
    filled = np.nan_to_num(values, nan=19_700_101.0).astype(np.int64)
    year, month, day = filled // 10_000, filled // 100 % 100, filled % 100
    if month.min() < 1 or month.max() > 12 or day.min() < 1 or day.max() > 31:
        return values
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = (months.astype("datetime64[D]") + (day - 1)).astype(np.int64).astype(np.float64)
    return np.asarray(np.where(np.isnan(values), np.nan, days), dtype=np.float64)


def _codes(tenant: NDArray[np.str_], account: NDArray[np.str_]) -> NDArray[np.intp]:
    _, first = np.unique(tenant, return_inverse=True)
    _, second = np.unique(account, return_inverse=True)
    _, codes = np.unique(first * (int(second.max(initial=0)) + 1) + second, return_inverse=True)
    return np.asarray(codes, dtype=np.intp)


def _column(examples: Examples, name: str, rows: NDArray[np.intp]) -> Numbers:
    if name not in examples.columns:
        return np.zeros(len(rows))
    return np.asarray(np.nan_to_num(examples.x[rows, examples.columns.index(name)]), dtype=np.float64)


def _changes(column: Numbers, group: NDArray[np.intp], order: NDArray[np.intp]) -> float:
    """Share of neighbours in an order, both of the same group, whose values differ."""
    order = order[np.argsort(group[order], kind="stable")]
    alike = group[order][1:] == group[order][:-1]
    return float(np.mean((column[order][1:] != column[order][:-1])[alike])) if alike.any() else 0.0


def _fitted(known: Numbers, values: Numbers) -> Numbers:
    weights, *_ = np.linalg.lstsq(known, values, rcond=None)
    return np.asarray(known @ weights, dtype=np.float64)


def _correlated(left: Numbers, right: Numbers) -> float:
    """Squared correlation of two centred columns; 0 where one of them says nothing."""
    size = float(np.sum(left**2) * np.sum(right**2))
    return float(np.sum(left * right)) ** 2 / size if size > 1e-12 * len(left) else 0.0
