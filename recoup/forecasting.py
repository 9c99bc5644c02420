"""The cash of the next days of a tenant's portfolio, out of the warehouse, and how far such forecasts were off."""

import datetime as dt
import math

import msgspec
import numpy as np
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.portfolio import Portfolio, ledger, portfolios
from models.calendar import DAY, date_of, day_number
from models.clock import Clock, WallClock
from models.forecast import backtest as backtests
from models.forecast import cash
from models.forecast.backtest import Backtest, Show
from models.forecast.ledger import Days, Ledger, Numbers
from schemas.errors import BadInput

DAYS = 30
WEEKS = 4
LEAST_PAST = 56
"""Days that are watched before the first origin of a back-test."""
STALE_DAYS = 30
"""Where nothing was booked for so long, today is not the day to forecast from."""


class Span(msgspec.Struct, frozen=True):
    """Net cash of some days, in minor units."""

    first: dt.date
    last: dt.date
    expected_minor: int
    low_minor: int
    """With `high_minor`: holds the cash in `coverage` of all cases."""
    high_minor: int


class CashForecast(msgspec.Struct, frozen=True):
    """Cash of a portfolio from a day on, by what had been booked before it."""

    tenant_id: str
    currency: str
    as_of: dt.date
    """First day of the forecast."""
    coverage: float
    open_minor: int
    """What is open."""
    from_open_minor: int
    """Part of the total that pays open invoices."""
    from_new_minor: int
    """Part that pays invoices which are yet to be issued."""
    total: Span
    weekly: tuple[Span, ...]
    """Whole weeks from the first day."""
    daily: tuple[Span, ...]


class Error(msgspec.Struct, frozen=True):
    """How far one way to forecast was off: sum of |forecast - cash| / sum of cash (WAPE); None where no cash came."""

    by_week: tuple[float | None, ...]
    """One, two, ... weeks ahead."""
    all_weeks: float | None
    bias: float | None
    """Forecast over cash, less 1."""


class Week(msgspec.Struct, frozen=True):
    """One week that was forecast, and what came of it."""

    origin: dt.date
    ahead: int
    """From 1."""
    first: dt.date
    cash_minor: int
    expected_minor: int
    low_minor: int
    high_minor: int
    mean_minor: int
    due_minor: int


class CashBacktest(msgspec.Struct, frozen=True):
    """Forecasts made at past days by what was known then, beside two naive ones."""

    tenant_id: str
    currency: str
    first_origin: dt.date
    last_origin: dt.date
    origins: int
    forecast: Error
    mean: Error
    """Naive: the mean of the last weeks."""
    due: Error
    """Naive: every open invoice pays on its due date."""
    lower_than_mean: tuple[float | None, float | None, float | None]
    """WAPE of the mean less ours, and a 95 % interval; None where too little cash came to say."""
    lower_than_due: tuple[float | None, float | None, float | None]
    coverage: float
    """Share of weeks within the interval."""
    nominal_coverage: float
    weeks: tuple[Week, ...]


def cash_forecast(
    client: Client,
    tenant_id: str,
    currency: str,
    days: int = DAYS,
    *,
    as_of: dt.date | None = None,
    clock: Clock | None = None,
) -> CashForecast:
    """Expected cash of each of the next days, with an interval; some seconds for 50,000 invoices.

    Args:
        client: of `connectors.clickhouse.client.connect`; its database is read.
        tenant_id: whose.
        currency: of the cash.
        days: from `as_of` on.
        as_of: first day; None = today in UTC. What was booked on it and later is not used.
        clock: says which day it is today.

    Raises:
        BadInput: there is no such portfolio, or nothing was booked in it lately.
    """
    origin = _origin(client, tenant_id, currency, as_of, clock or WallClock())
    whole = ledger(client, _database(client), tenant_id, currency, origin)
    found = cash.forecast(whole, origin, days)
    first = np.arange(days) + origin
    weeks = np.arange(days // cash.WEEK) * cash.WEEK + origin
    return CashForecast(
        tenant_id=tenant_id,
        currency=currency,
        as_of=date_of(origin),
        coverage=cash.COVERAGE,
        open_minor=round(whole.known_at(origin).open_minor().sum()),
        from_open_minor=round(found.open_daily.sum()),
        from_new_minor=round(found.new_daily.sum()),
        total=_spans(found.total, np.array([origin]), days)[0],
        weekly=_spans(found.weekly, weeks, cash.WEEK),
        daily=_spans(found.daily, first, 1),
    )


def cash_backtest(
    client: Client,
    tenant_id: str,
    currency: str,
    *,
    as_of: dt.date | None = None,
    clock: Clock | None = None,
    show: Show = lambda _: None,
) -> CashBacktest:
    """Forecasts of WEEKS weeks from every Monday that has LEAST_PAST days before it and its weeks behind it.

    What was booked late stands on its own day here, so that an origin knows it a little early.

    Args:
        client: of `connectors.clickhouse.client.connect`; its database is read.
        tenant_id: whose.
        currency: of the cash.
        as_of: the day after the last one that may be looked at; None = today in UTC.
        clock: says which day it is today.
        show: told the share done.

    Raises:
        BadInput: there is no such portfolio, or its past is too short.
    """
    end = _origin(client, tenant_id, currency, as_of, clock or WallClock())
    whole = ledger(client, _database(client), tenant_id, currency, end)
    first = max(whole.since, int(whole.opened.min(initial=end))) + LEAST_PAST
    origins = backtests.weekly_origins(first, end, WEEKS)
    if not origins or not _has_cash(whole, origins[0], end):
        raise BadInput(
            f"{tenant_id}, {currency}: a back-test needs {LEAST_PAST + WEEKS * cash.WEEK} days of live payments, and there"
            f" are {max(end - first + LEAST_PAST, 0)}."
        )
    found = backtests.backtest(whole, origins, WEEKS, show=show)
    return CashBacktest(
        tenant_id=tenant_id,
        currency=currency,
        first_origin=date_of(origins[0]),
        last_origin=date_of(origins[-1]),
        origins=len(origins),
        forecast=_error(found, found.expected),
        mean=_error(found, found.mean),
        due=_error(found, found.due),
        lower_than_mean=_gain(found, found.mean),
        lower_than_due=_gain(found, found.due),
        coverage=float(found.coverage()[-1]),
        nominal_coverage=cash.COVERAGE,
        weeks=tuple(_weeks(found)),
    )


def known_portfolios(client: Client, tenant_id: str | None = None, currency: str | None = None) -> list[Portfolio]:
    """The portfolios of these names; None = all.

    Raises:
        BadInput: there is none.
    """
    every = portfolios(client, _database(client))
    found = [its for its in every if tenant_id in (None, its.tenant_id) and currency in (None, its.currency)]
    if not found:
        there = ", ".join(f"{its.tenant_id} {its.currency}" for its in every) or "none: nothing has landed"
        asked = " ".join(name for name in (tenant_id, currency) if name)
        raise BadInput(f"There is no portfolio {asked or 'at all'}. There are: {there}.")
    return found


def _database(client: Client) -> str:
    return str(client.database)


def _origin(client: Client, tenant_id: str, currency: str, as_of: dt.date | None, clock: Clock) -> int:
    (portfolio,) = known_portfolios(client, tenant_id, currency)
    if as_of is not None:
        return day_number(as_of)
    today = clock.now() // DAY
    if portfolio.last_day < today - STALE_DAYS:
        raise BadInput(
            f"{tenant_id}, {currency}: nothing was booked after {date_of(portfolio.last_day)}. Say from which day to"
            f" forecast, such as --as-of {date_of(portfolio.last_day + 1)}."
        )
    return today


def _has_cash(whole: Ledger, since: int, until: int) -> bool:
    return bool(np.any((whole.cash_day >= since) & (whole.cash_day < until)))


def _spans(band: cash.Band, first: Days, days: int) -> tuple[Span, ...]:
    return tuple(
        Span(date_of(int(day)), date_of(int(day) + days - 1), round(expected), round(low), round(high))
        for day, expected, low, high in zip(first, band.expected, band.low, band.high, strict=True)
    )


def _error(found: Backtest, values: Numbers) -> Error:
    *by_week, every = (_known(float(value)) for value in found.wape(values))
    return Error(tuple(by_week), every, _known(found.bias(values)))


def _gain(found: Backtest, naive: Numbers) -> tuple[float | None, float | None, float | None]:
    lower, low, high = found.gain(naive)
    return _known(lower), _known(low), _known(high)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _weeks(found: Backtest) -> list[Week]:
    return [
        Week(
            date_of(origin),
            ahead + 1,
            date_of(origin + ahead * cash.WEEK),
            *(round(values[place, ahead]) for values in (found.cash, found.expected, found.low, found.high)),
            *(round(values[place, ahead]) for values in (found.mean, found.due)),
        )
        for place, origin in enumerate(found.origins)
        for ahead in range(found.weeks)
    ]
