"""How far forecasts were off, had they been made at past days with what was known then, beside two naive ones.

The naive ones: the mean of the last weeks, and every open invoice paid on its due date (on the first day, where that is
past). The error is the WAPE: the sum of |forecast - cash| over the sum of cash, of weeks so many weeks ahead. It is not a
number (nan) where no cash came.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from models.forecast.cash import WEEK, Forecast, Foreseen, forecast
from models.forecast.ledger import Ledger, Numbers

MEAN_WEEKS = 4
RESAMPLES = 2_000
BLOCK = 4
"""Origins that are drawn together: forecasts of neighbouring weeks err alike."""

Show = Callable[[float], None]
"""Told the share done."""


class Backtest(msgspec.Struct, frozen=True):
    """o origins, w weeks from each; cash in minor units."""

    origins: tuple[int, ...]
    cash: Numbers
    """(o, w) What came."""
    expected: Numbers
    low: Numbers
    high: Numbers
    mean: Numbers
    """(o, w) Naive: the mean of the last MEAN_WEEKS weeks."""
    due: Numbers
    """(o, w) Naive: all open invoices on their due dates."""
    totals: Numbers
    """(o, 3) Low, expected and high of all weeks together."""

    @property
    def weeks(self) -> int:
        """How far ahead."""
        return int(self.cash.shape[1])

    def wape(self, forecast: Numbers) -> Numbers:
        """(w + 1,) The error of each week ahead, and of all of them."""
        off = np.abs(forecast - self.cash)
        return np.append(_share(off.sum(axis=0), self.cash.sum(axis=0)), _share(off.sum(), self.cash.sum()))

    def bias(self, forecast: Numbers) -> float:
        """Forecast over cash, less 1."""
        return float(_share(forecast.sum(), self.cash.sum()) - 1.0)

    def wape_of_total(self, forecast: Numbers) -> float:
        """The error of all weeks of an origin together."""
        return float(_share(np.abs((forecast - self.cash).sum(axis=1)).sum(), self.cash.sum()))

    def coverage(self) -> Numbers:
        """(w + 1,) Share of weeks whose cash was within the interval, by week ahead, and of all weeks."""
        within = (self.low <= self.cash) & (self.cash <= self.high)
        return np.append(within.mean(axis=0), within.mean())

    def coverage_of_total(self) -> float:
        """Share of origins whose weeks together were within the interval of the total."""
        total = self.cash.sum(axis=1)
        return float(((self.totals[:, 0] <= total) & (total <= self.totals[:, 2])).mean())

    def gain(self, naive: Numbers, seed: int = 0) -> tuple[float, float, float]:
        """How much lower our WAPE of all weeks is than a naive one's, and a 95 % interval of it.

        The interval is of blocks of BLOCK neighbouring origins, drawn with replacement; nan where a draw holds no cash.
        """
        off = np.abs(naive - self.cash).sum(axis=1) - np.abs(self.expected - self.cash).sum(axis=1)
        cash = self.cash.sum(axis=1)
        count = len(off)
        block = min(BLOCK, count)
        first = np.random.default_rng(seed).integers(0, count - block + 1, (RESAMPLES, -(-count // block)))
        drawn = (first[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, :count]
        low, high = np.quantile(_share(off[drawn].sum(axis=1), cash[drawn].sum(axis=1)), (0.025, 0.975))
        return float(_share(off.sum(), cash.sum())), float(low), float(high)


def backtest(
    ledger: Ledger, origins: Sequence[int], weeks: int = 4, *, mean_weeks: int = MEAN_WEEKS, show: Show = lambda _: None
) -> Backtest:
    """Forecast at each origin by what was known, and compare with what came.

    Args:
        ledger: holds the weeks behind the last origin too.
        origins: day numbers of first days.
        weeks: how far ahead.
        mean_weeks: of the naive mean.
        show: told how far it is.
    """
    found: list[Forecast] = []
    past: dict[int, Foreseen] = {}
    for origin in origins:
        found.append(forecast(ledger, origin, weeks * WEEK, past))
        show(len(found) / len(origins))
    mean = np.array([naive_mean(ledger, origin, mean_weeks) for origin in origins])
    return Backtest(
        origins=tuple(origins),
        cash=np.array([[_cash(ledger, origin, week) for week in range(weeks)] for origin in origins]),
        expected=np.array([its.weekly.expected for its in found]),
        low=np.array([its.weekly.low for its in found]),
        high=np.array([its.weekly.high for its in found]),
        mean=np.repeat(mean[:, None], weeks, axis=1),
        due=np.array([naive_due(ledger, origin, weeks) for origin in origins]),
        totals=np.array([[its.total.low[0], its.total.expected[0], its.total.high[0]] for its in found]),
    )


def weekly_origins(first: int, until: int, weeks: int) -> list[int]:
    """Every Monday from `first` whose `weeks` weeks end by the day before `until`."""
    monday = first + (4 - first) % WEEK  # day 4 was the first Monday
    return list(range(monday, until - weeks * WEEK + 1, WEEK))


def naive_mean(ledger: Ledger, origin: int, mean_weeks: int) -> float:
    """Cash of a week, as in the last weeks."""
    return ledger.cash_between(origin - mean_weeks * WEEK, origin) / mean_weeks


def naive_due(ledger: Ledger, origin: int, weeks: int) -> Numbers:
    """(weeks,) What is open, each on its due date, the overdue at once."""
    known = ledger.known_at(origin)
    week = (np.maximum(known.due, origin) - origin) // WEEK
    return np.bincount(week, known.open_minor(), minlength=weeks)[:weeks].astype(np.float64)


def _share(of: Numbers, cash: Numbers) -> Numbers:
    """Of the cash; nan where none came, or more went back."""
    return np.divide(of, cash, out=np.full_like(cash, np.nan, dtype=np.float64), where=np.asarray(cash) > 0)


def _cash(ledger: Ledger, origin: int, week: int) -> float:
    return ledger.cash_between(origin + week * WEEK, origin + (week + 1) * WEEK)
