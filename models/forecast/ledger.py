"""One currency of a portfolio as arrays, cut at any day to what had happened before it, and as exposures to payment."""

import msgspec
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Days = NDArray[np.int64]
"""Days since 1970-01-01 on the tenant's calendar."""
Places = NDArray[np.int64]

SPAN = 1 << 20
"""More days than there are."""


class Ledger(msgspec.Struct, frozen=True):
    """Shapes: n invoices, m movements on them, c movements of money. Amounts in minor units of one currency."""

    account: Places
    """(n,) Who owes, from 0."""
    opened: Days
    """(n,) From this day on it could be paid."""
    due: Days
    """(n,)"""
    amount: Numbers
    """(n,) When it opened."""
    invoice: Places
    """(m,) Which one moved."""
    day: Days
    """(m,)"""
    paid: Numbers
    """(m,) By money; below 0 = it came back."""
    credited: Numbers
    """(m,) Otherwise: credit notes, voids, write-offs; below 0 = more is owed."""
    cash_day: Days
    """(c,)"""
    cash: Numbers
    """(c,) Money in less money back, whatever it paid."""
    since: int = 0
    """From this day on it holds everything; what was paid and closed before may be missing."""

    @property
    def invoices(self) -> int:
        """How many there are."""
        return len(self.account)

    def known_at(self, origin: int) -> "Ledger":
        """What had happened before a day; of later invoices and movements nothing is left."""
        kept = np.flatnonzero(self.opened < origin)
        place = np.full(self.invoices, -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        moved = (self.day < origin) & (place[self.invoice] >= 0)
        came = self.cash_day < origin
        return Ledger(
            account=self.account[kept],
            opened=self.opened[kept],
            due=self.due[kept],
            amount=self.amount[kept],
            invoice=place[self.invoice[moved]],
            day=self.day[moved],
            paid=self.paid[moved],
            credited=self.credited[moved],
            cash_day=self.cash_day[came],
            cash=self.cash[came],
            since=self.since,
        )

    def open_minor(self) -> Numbers:
        """(n,) What is still open of each invoice."""
        moved = np.bincount(self.invoice, self.paid + self.credited, minlength=self.invoices)
        return np.maximum(self.amount - moved, 0.0)

    def cash_between(self, since: int, until: int) -> float:
        """Net cash of the days from `since`, before `until`."""
        return float(self.cash[(self.cash_day >= since) & (self.cash_day < until)].sum())


class Exposures(msgspec.Struct, frozen=True):
    """Spells of days on which a part of an invoice was open and could be paid, one a row."""

    account: Places
    due: Days
    start: Days
    """First day."""
    stop: Days
    """Day after the last one."""
    share: Numbers
    """Of the most that was ever open of the invoice."""
    paid: Numbers
    """Share that was paid on the last day."""
    amount: Numbers
    """That most, in minor units."""


def exposures(known: Ledger, origin: int) -> Exposures:
    """What was open on each day from `since` and before `origin`, and what was paid of it.

    An invoice that was issued before `since` is watched from then: those that had been paid may be missing. One that is
    credited, voided or written off is watched until then, one that is open until `origin`. Money that came back opens
    its part again; the payment stays one.
    """
    base = int(known.opened.min(initial=origin))
    day = np.maximum(known.day, known.opened[known.invoice])
    keys, place = np.unique(known.invoice * SPAN + (day - base), return_inverse=True)
    paid = np.bincount(place, known.paid, minlength=len(keys))
    moved = paid + np.bincount(place, known.credited, minlength=len(keys))
    invoice, at = keys // SPAN, keys % SPAN + base
    # Before each movement: what the invoice opened with, less its movements so far.
    first = np.concatenate(([True], invoice[1:] != invoice[:-1])) if len(keys) else np.zeros(0, dtype=bool)
    total = np.cumsum(moved) - moved
    offset = np.zeros(known.invoices)
    offset[invoice[first]] = total[first]
    before = known.amount[invoice] - (total - offset[invoice])
    start = np.where(first, known.opened[invoice], np.roll(at, 1) + 1)
    # And what is left after the last one.
    last = known.opened.copy()
    np.maximum.at(last, invoice, at + 1)
    row = np.concatenate((invoice, np.arange(known.invoices)))
    start, stop = np.concatenate((start, last)), np.concatenate((at + 1, np.full(known.invoices, origin)))
    open_minor = np.maximum(np.concatenate((before, known.open_minor())), 0.0)
    paid = np.concatenate((np.clip(paid, 0.0, np.maximum(before, 0.0)), np.zeros(known.invoices)))
    most = known.amount.copy()
    np.maximum.at(most, row, open_minor)
    start = np.maximum(start, known.since)
    kept = (stop > start) & (open_minor > 0)
    row, most = row[kept], most[row][kept]
    return Exposures(
        account=known.account[row],
        due=known.due[row],
        start=start[kept],
        stop=stop[kept],
        share=open_minor[kept] / most,
        paid=paid[kept] / most,
        amount=most,
    )
