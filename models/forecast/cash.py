"""The cash of the next days: what is open and when its customers pay, what is still to be invoiced, and how sure that is.

Expected cash of a day = open invoices x the chance of being paid on it + invoices that are issued as in the last weeks x
the chance of being paid by then, brought to net cash (money on account, money that comes back). The interval holds the
chance of each payment, of how many invoices come, what is not known of the level, and how much more the last
forecasts were off than that; its form is a gamma distribution's, because cash is not below 0.
"""

from statistics import NormalDist

import msgspec
import numpy as np

from models.forecast.ledger import Days, Ledger, Numbers
from models.forecast.payers import LEVEL_SHRINK, Payers, learn

ISSUED_DAYS = 91
"""Invoices are expected as in so many last days: a quarter."""
MONTH = 31
MONTH_DAYS_DAYS = 182
MONTH_DAYS_SMOOTH = 1.5
"""Days of the month are told apart by half a year, smoothed by a kernel with this standard deviation."""
NET_DAYS = 91
NET_SHRINK = 1.0
"""Weeks' worth of payments that are taken to be net cash."""
WEEKDAY_DAYS = 182
WEEKDAY_SHRINK = 50.0
"""The days of the week are told apart by so many last days, as if each had so many payments more."""
VARIED_ORIGINS = 8
VARIED_WEEKS = 4
VARIED_AFTER = 28
VARIED_SHRINK = 10.0
"""Forecasts of so many weeks are made as at so many last weeks, where the ledger had so many days before, and their errors
are compared with the variance that was foreseen, as if so many more had been as foreseen."""
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
    varied: float
    """How many times the variance of chance the interval takes, because the last forecasts were off by more."""


class Foreseen(msgspec.Struct, frozen=True):
    """Mean and variance of the net cash of spans of days, before the variance is compared with what came."""

    payers: Payers
    open_daily: Numbers
    new_daily: Numbers
    mean: tuple[Numbers, Numbers, Numbers]
    """Of days, of whole weeks, of all."""
    variance: tuple[Numbers, Numbers, Numbers]


class _Moments(msgspec.Struct):
    """Expected payments and their variance, over several cuts of the same days."""

    cuts: tuple[Numbers, ...]
    """Each (spans, days): which days a span holds, and what part of a day's payments."""
    mean: list[Numbers]
    variance: list[Numbers]


def forecast(ledger: Ledger, origin: int, days: int = 30, past: dict[int, Foreseen] | None = None) -> Forecast:
    """Foresee the cash of the days from `origin` by what had happened before it.

    Args:
        ledger: may hold more; it is cut to what was known.
        origin: day number of the first day.
        days: how many.
        past: forecasts of VARIED_WEEKS weeks that were made at earlier days, by day; those that are missing are made and
            put in.
    """
    found = _foresee(ledger, origin, days)
    varied = _varied(ledger, origin, {} if past is None else past)
    daily, weekly, total = (
        _band(mean, varied * variance) for mean, variance in zip(found.mean, found.variance, strict=True)
    )
    return Forecast(origin, daily, weekly, total, found.open_daily, found.new_daily, found.payers, varied)


def _foresee(ledger: Ledger, origin: int, days: int) -> Foreseen:
    known = ledger.known_at(origin)
    payers = learn(known, origin, int(ledger.account.max(initial=-1)) + 1)
    weekdays = _weekdays(known, origin, days)
    cuts = tuple(cut * weekdays for cut in (np.eye(days), _weeks(days), np.ones((1, days))))
    open_now, to_come = _open(known, payers, origin, cuts), _new(known, payers, origin, cuts)
    net = _net(known, origin)
    unsure_level = 1.0 / (payers.payments + LEVEL_SHRINK)
    unsure_count = _relative_variance(known.amount[_recent(known, origin)])
    means, variances = [], []
    for place in range(len(cuts)):
        variance = open_now.variance[place] + to_come.variance[place]
        variance += unsure_level * open_now.mean[place] ** 2 + unsure_count * to_come.mean[place] ** 2
        means.append(net * (open_now.mean[place] + to_come.mean[place]))
        variances.append(net**2 * variance)
    return Foreseen(
        payers=payers,
        open_daily=net * open_now.mean[0],
        new_daily=net * to_come.mean[0],
        mean=(means[0], means[1], means[2]),
        variance=(variances[0], variances[1], variances[2]),
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
    """Of what comes: each invoice of the last weeks comes again, at the rate at which such come on a day of the month."""
    rows, days = _recent(known, origin), cuts[0].shape[1]
    found = _nothing(cuts)
    period = _period(known, origin)
    rate = _month_days(known, origin, days) / period
    gap = np.arange(days)[None, :] - np.arange(days)[:, None]  # from paid so many days after the issue to the day of it
    issued = np.where(gap >= 0, rate[np.maximum(gap, 0)], 0.0)
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        paid = _mixed(payers, known.account[some], payers.paid_by(known.opened[some] - known.due[some], days))
        expected = paid @ issued
        for place, cut in enumerate(cuts):
            spans = expected @ cut.T
            found.mean[place] += known.amount[some] @ spans
            found.variance[place] += payers.whole * (known.amount[some] ** 2 @ spans)
    return found


def _recent(known: Ledger, origin: int) -> Days:
    return np.flatnonzero(known.opened >= origin - _period(known, origin))


def _period(known: Ledger, origin: int) -> int:
    """How many last days tell of new invoices."""
    return max(1, min(ISSUED_DAYS, origin - _first(known, origin)))


def _first(known: Ledger, origin: int) -> int:
    """The first day of which everything is known."""
    return max(known.since, int(known.opened.min(initial=origin)))


def _month_days(known: Ledger, origin: int, days: int) -> Numbers:
    """(days,) How many more invoices are issued on such a day of the month than on others, as far as it is no chance.

    Of the pattern of the last months as much is kept as its variance exceeds that of counts left to chance.
    """
    since = max(origin - MONTH_DAYS_DAYS, _first(known, origin))
    if origin - since < MONTH:
        return np.ones(days)
    count = np.bincount(_day_of_month(known.opened[known.opened >= since]), minlength=MONTH)
    there = np.bincount(_day_of_month(np.arange(since, origin)), minlength=MONTH)
    kernel = np.exp(-0.5 * ((np.arange(MONTH) - MONTH // 2) / MONTH_DAYS_SMOOTH) ** 2)
    circle = np.array([np.roll(kernel, place - MONTH // 2) for place in range(MONTH)])
    usual = max(count.sum() / there.sum(), 1.0 / (origin - since))
    ratio = (circle @ count) / (circle @ there) / usual
    chance = float(np.mean((circle**2 @ there) * usual / (circle @ there * usual) ** 2))
    kept = max(0.0, 1.0 - chance / max(float(ratio.var()), chance))
    return np.asarray((1.0 + kept * (ratio - 1.0))[_day_of_month(origin + np.arange(days))], dtype=np.float64)


def _day_of_month(day: Days) -> Days:
    """From 0."""
    dates = day.astype("datetime64[D]")
    return np.asarray((dates - dates.astype("datetime64[M]")).astype(np.int64), dtype=np.int64)


def _weekdays(known: Ledger, origin: int, days: int) -> Numbers:
    """(days,) How much more is paid on such a day of the week than on others, drawn towards 1."""
    recent = (known.paid > 0) & (known.day >= max(origin - WEEKDAY_DAYS, _first(known, origin)))
    count = np.bincount(known.day[recent] % WEEK, minlength=WEEK) + WEEKDAY_SHRINK
    return np.asarray((count / count.mean())[(origin + np.arange(days)) % WEEK], dtype=np.float64)


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


def _varied(ledger: Ledger, origin: int, past: dict[int, Foreseen]) -> float:
    """How many times the variance that was foreseen the errors of the last weeks' forecasts had, at least 1."""
    ratios = []
    first = _first(ledger, origin) + VARIED_AFTER
    for back in range(1, VARIED_ORIGINS + 1):
        at = origin - back * WEEK
        if at < first:
            break
        if at not in past:
            past[at] = _foresee(ledger, at, VARIED_WEEKS * WEEK)
        mean, variance = past[at].mean[1], past[at].variance[1]
        for week in range(min(back, VARIED_WEEKS)):
            if variance[week] > 0:
                came = ledger.cash_between(at + week * WEEK, at + (week + 1) * WEEK)
                ratios.append((came - mean[week]) ** 2 / variance[week])
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
