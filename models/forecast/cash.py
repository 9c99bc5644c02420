"""The cash of the next days: what is open and when its customers pay, what is still to be invoiced, and how sure that is.

Expected cash of a day = open invoices x the chance of being paid on it + invoices that are issued as in the last weeks x
the chance of being paid by then, brought to net cash (money on account, money that comes back). The interval holds the
chance of each payment, of how many invoices come, what is not known of the level, and how much more the portfolio's weeks
have varied than that; its form is a gamma distribution's, because cash is not below 0.
"""

from statistics import NormalDist

import msgspec
import numpy as np

from models.forecast.ledger import Days, Ledger, Numbers
from models.forecast.payers import LEVEL_SHRINK, Payers, learn

ISSUED_DAYS = 91
"""Invoices are expected as in so many last days: a quarter."""
NET_DAYS = 91
NET_SHRINK = 1.0
"""Weeks' worth of payments that are taken to be net cash."""
VARIED_WEEKS = 13
VARIED_SHRINK = 6.0
"""Over so many last weeks the variation is compared with what is foreseen, as if so many more had been as foreseen."""
COVERAGE = 0.8
WEEK = 7
AT_ONCE = 20_000
"""Invoices whose days are held at a time."""


class Band(msgspec.Struct, frozen=True):
    """Cash in minor units, one for each span of days."""

    expected: Numbers
    low: Numbers
    """With `high`: holds the cash in COVERAGE of all cases."""
    high: Numbers


class Forecast(msgspec.Struct, frozen=True):
    """Cash of `days` days from `origin`."""

    origin: int
    """First day, since 1970-01-01."""
    daily: Band
    weekly: Band
    """Whole weeks from the origin."""
    total: Band
    """One number each."""
    open_daily: Numbers
    """Part of `daily.expected` from invoices that are open."""
    new_daily: Numbers
    """Part from invoices that are yet to come."""
    payers: Payers


class _Moments(msgspec.Struct):
    """Expected payments and their variance, over several cuts of the same days."""

    cuts: tuple[Numbers, ...]
    """Each (spans, days): which days a span holds."""
    mean: list[Numbers]
    variance: list[Numbers]


def forecast(ledger: Ledger, origin: int, days: int = 30) -> Forecast:
    """Foresee the cash of the days from `origin` by what had happened before it.

    Args:
        ledger: may hold more; it is cut to what was known.
        origin: day number of the first day.
        days: how many.
    """
    accounts = int(ledger.account.max(initial=-1)) + 1
    known = ledger.known_at(origin)
    payers = learn(known, origin, accounts)
    cuts = (np.eye(days), _weeks(days), np.ones((1, days)))
    open_now, to_come = _open(known, payers, origin, cuts), _new(known, payers, origin, cuts)
    net = _net(known, origin)
    varied = _varied(known, payers, origin) if known.invoices else 1.0
    issued = _recent(known, origin)
    unsure_level = 1.0 / (payers.payments + LEVEL_SHRINK)
    unsure_count = _relative_variance(known.amount[issued])
    bands = []
    for place in range(len(cuts)):
        mean = open_now.mean[place] + to_come.mean[place]
        variance = varied * (open_now.variance[place] + to_come.variance[place])
        variance += unsure_level * open_now.mean[place] ** 2 + unsure_count * to_come.mean[place] ** 2
        bands.append(_band(net * mean, net**2 * variance))
    return Forecast(
        origin=origin,
        daily=bands[0],
        weekly=bands[1],
        total=bands[2],
        open_daily=net * open_now.mean[0],
        new_daily=net * to_come.mean[0],
        payers=payers,
    )


def _open(known: Ledger, payers: Payers, origin: int, cuts: tuple[Numbers, ...]) -> _Moments:
    """Of what is open."""
    owed = known.open_minor()
    rows = np.flatnonzero(owed > 0)
    found = _nothing(cuts)
    days = cuts[0].shape[1]
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        chance = _mixed(payers, known.account[some], payers.paid_by(origin - known.due[some], days))
        _add(found, chance, owed[some], payers.whole)
    return found


def _new(known: Ledger, payers: Payers, origin: int, cuts: tuple[Numbers, ...]) -> _Moments:
    """Of what comes: each invoice of the last weeks comes again, on any day alike, at the rate at which such have come."""
    rows, days = _recent(known, origin), cuts[0].shape[1]
    found = _nothing(cuts)
    period = _period(known, origin)
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        paid = _mixed(payers, known.account[some], payers.paid_by(known.opened[some] - known.due[some], days))
        # Issued on a day, paid on it or later: by day d everything that was paid within d days of its issue.
        expected = np.cumsum(paid, axis=1) / period
        for place, cut in enumerate(cuts):
            spans = expected @ cut.T
            found.mean[place] += known.amount[some] @ spans
            found.variance[place] += payers.whole * (known.amount[some] ** 2 @ spans)
    return found


def _recent(known: Ledger, origin: int) -> Days:
    return np.flatnonzero(known.opened >= origin - ISSUED_DAYS)


def _period(known: Ledger, origin: int) -> int:
    """Days of the last weeks of which the ledger knows."""
    return max(1, min(ISSUED_DAYS, origin - int(known.opened.min(initial=origin))))


def _mixed(payers: Payers, account: Days, by_kind: Numbers) -> Numbers:
    """(rows, days) from (K, rows, days), by what kinds each account is of."""
    return np.asarray(np.einsum("nk,knd->nd", payers.member[account], by_kind), dtype=np.float64)


def _nothing(cuts: tuple[Numbers, ...]) -> _Moments:
    return _Moments(cuts, [np.zeros(len(cut)) for cut in cuts], [np.zeros(len(cut)) for cut in cuts])


def _add(found: _Moments, chance: Numbers, owed: Numbers, whole: float) -> None:
    for place, cut in enumerate(found.cuts):
        spans = chance @ cut.T
        found.mean[place] += owed @ spans
        found.variance[place] += owed**2 @ np.maximum(whole * spans - spans**2, 0.0)


def _net(known: Ledger, origin: int) -> float:
    """Net cash for each unit that was paid on invoices, of the last weeks."""
    since = origin - NET_DAYS
    recent = (known.day >= since) & (known.paid > 0)
    paid = float(known.paid[recent].sum())
    drawn = NET_SHRINK * paid * WEEK / NET_DAYS
    return max(0.0, (known.cash_between(since, origin) + drawn) / (paid + drawn)) if paid > 0 else 1.0


def _varied(known: Ledger, payers: Payers, origin: int) -> float:
    """How many times the variance that is foreseen the last weeks' payments had, at least 1."""
    weeks = min(VARIED_WEEKS, (origin - int(known.opened.min())) // WEEK - 4)
    ratios = []
    for back in range(1, weeks + 1):
        at = origin - back * WEEK
        then = known.known_at(at)
        foreseen = _open(then, payers, at, (np.ones((1, WEEK)),))
        came = known.paid[(known.day >= at) & (known.day < at + WEEK) & (known.opened[known.invoice] < at)]
        if foreseen.variance[0][0] > 0:
            ratios.append((float(came.sum()) - foreseen.mean[0][0]) ** 2 / foreseen.variance[0][0])
    return max(1.0, float(sum(ratios) + VARIED_SHRINK) / (len(ratios) + VARIED_SHRINK))


def _relative_variance(amounts: Numbers) -> float:
    """Of a sum of so many such amounts whose number is left to chance."""
    total = float(amounts.sum())
    return float((amounts**2).sum()) / total**2 if total > 0 else 0.0


def _weeks(days: int) -> Numbers:
    weeks = np.zeros((days // WEEK, days))
    for week in range(len(weeks)):
        weeks[week, week * WEEK : (week + 1) * WEEK] = 1.0
    return weeks


def _band(mean: Numbers, variance: Numbers) -> Band:
    """Quantiles of a gamma distribution with these moments, by the approximation of Wilson and Hilferty (1931)."""
    mean = np.maximum(mean, 0.0)
    scale = np.divide(variance, 9.0 * mean**2, out=np.zeros_like(mean), where=mean > 0)
    reach = NormalDist().inv_cdf((1.0 + COVERAGE) / 2.0)
    low, high = (np.maximum(1.0 - scale + side * reach * np.sqrt(scale), 0.0) ** 3 * mean for side in (-1.0, 1.0))
    return Band(mean, low, np.maximum(high, mean))
