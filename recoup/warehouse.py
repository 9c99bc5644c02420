"""Gives analysts the warehouse as pandas frames: read only, values bound by the server, every failure with its next step."""

import csv
import datetime as dt
import difflib
import re
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
import pandas as pd
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.client import ABOUT_THE_STATEMENT, code_of, connect, explain
from connectors.clickhouse.reading import places
from connectors.clickhouse.statements import statement
from recoup import forecasting
from recoup.settings import Settings
from schemas.currencies import CURRENCIES, decimals
from schemas.errors import BadInput, NotReady

MINOR = "_minor"
READ_ONLY = {"readonly": 2}
"""Nothing may be written; settings of a query may be given."""
WRITES = 164
"""Number of the error of a statement that writes, or that begins with a word that is none."""
NO_STACK = (
    "Start the demo with `recoup demo --keep` and set RECOUP_HOME to its folder, .recoup/demo; or name your own server in"
    " RECOUP_CLICKHOUSE__URL."
)


class Warehouse:
    """One connection to the warehouse that the settings name.

    Example:
        w = Warehouse()
        w.tables()                         # what there is, and what it says
        w.describe("collections_daily")    # its columns, with formula and unit
        days = w.query("SELECT * FROM collections_daily WHERE tenant_id = {tenant:String}", tenant="acme")
        w.amounts(days)                    # collected_minor -> collected, in euros, dollars or yen

    Args:
        settings: None = as for every command, from RECOUP_HOME and the other variables.

    Raises:
        NotReady: no server is known, or it does not answer.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        if not settings.clickhouse.url:
            raise NotReady(f"No ClickHouse is known: there is no stack under {settings.home}. {NO_STACK}")
        self.database = settings.clickhouse.database
        self.client = connect(settings.clickhouse)

    def query(self, sql: str, **parameters: Any) -> pd.DataFrame:
        """The answer of one SELECT.

        Instants are UTC without a zone, days are midnights, missing numbers are NaN, `*_minor` are whole minor units.

        Args:
            sql: may hold places such as `{tenant:String}` or `{since:Date}`.
            parameters: a value for each place; the server binds them, so that no value can become SQL.

        Raises:
            BadInput: the statement is wrong, or a place and a value do not belong together.
            NotReady: the server does not answer.
        """
        parameters = _bound(sql, parameters)
        try:
            found = self.client.query_df(sql, parameters=parameters, settings=READ_ONLY)
            if found.columns.empty:
                found = pd.DataFrame(columns=self._columns(sql, parameters))
        except ClickHouseError as error:
            raise _told(error) from None
        return _plain(found)

    def tables(self) -> pd.DataFrame:
        """What there is to read: name, kind (`view` = finished numbers, `table` = what landed), and what it says."""
        return self.query(statement("warehouse_tables"), database=self.database)

    def describe(self, name: str) -> pd.DataFrame:
        """The columns of a view or table: column, type, and what it says (formula, unit, what is left out).

        Raises:
            BadInput: there is no such view or table.
        """
        found = self.query(statement("warehouse_columns"), database=self.database, name=name)
        if found.empty:
            names = [str(other) for other in self.tables()["name"]]
            near = difflib.get_close_matches(name, names, n=3) or names
            raise BadInput(f"The warehouse has no view or table {name!r}. There are: {', '.join(near)}.")
        return found

    def amounts(self, frame: pd.DataFrame, currency: str | None = None) -> pd.DataFrame:
        """The same with each `*_minor` column as amounts of the currency: `open_minor` 1234 EUR -> `open` 12.34.

        Args:
            frame: with a column `currency`, unless one is named.
            currency: of all its rows.

        Raises:
            BadInput: the frame does not say which currency, or there is no such currency.
        """
        if currency is None and "currency" not in frame:
            raise BadInput("An amount needs its currency: select the column `currency` too, or pass currency='EUR'.")
        named = frame["currency"].astype(str) if currency is None else pd.Series(currency, index=frame.index, dtype=str)
        if unknown := sorted(set(named) - CURRENCIES):
            raise BadInput(f"{unknown[0]!r} is no currency of ISO 4217.")
        units = np.array([10.0 ** decimals(name) for name in named])
        return frame.assign(
            **{column: frame[column].astype("float64") / units for column in frame.columns if column.endswith(MINOR)}
        ).rename(columns=lambda column: column.removesuffix(MINOR))

    def forecast(self, tenant: str, currency: str, days: int = 30, as_of: dt.date | None = None) -> pd.DataFrame:
        """Expected net cash of a portfolio: span (`day`, `week`, `total`), first, last, expected, low and high, in minor units.

        Of 10 intervals 8 hold what comes. docs/forecast.md says how it is made.

        Args:
            tenant: whose.
            currency: of the portfolio.
            days: how many, from `as_of` on.
            as_of: first day, by what was booked before it; None = today in UTC.

        Raises:
            BadInput: there is no such portfolio, or nothing was booked in it lately.
        """
        found = forecasting.cash_forecast(self.client, tenant, currency, days, as_of=as_of)
        spans = (
            [("day", its) for its in found.daily] + [("week", its) for its in found.weekly] + [("total", found.total)]
        )
        return _days(pd.DataFrame([{"span": span, **msgspec.structs.asdict(its)} for span, its in spans]))

    def forecast_backtest(self, tenant: str, currency: str, as_of: dt.date | None = None) -> pd.DataFrame:
        """Forecasts as they would have been made on past Mondays: one row an origin and week ahead, in minor units.

        `cash` is what came; `expected`, `low`, `high` the forecast; `mean` (of the last weeks) and `due` (open invoices
        on their due dates) are naive forecasts.

        Args:
            tenant: whose.
            currency: of the portfolio.
            as_of: the day after the last one that may be looked at; None = today in UTC.

        Raises:
            BadInput: there is no such portfolio, or its past is too short.
        """
        found = forecasting.cash_backtest(self.client, tenant, currency, as_of=as_of)
        return _days(pd.DataFrame([msgspec.structs.asdict(its) for its in found.weeks]))

    def _columns(self, sql: str, parameters: dict[str, Any]) -> list[str]:
        """Of an answer without rows: in the format that frames are read from, it has no columns either."""
        header = self.client.raw_query(sql, parameters, READ_ONLY, fmt="CSVWithNames").decode()
        return next(csv.reader([header]), [])

    def close(self) -> None:
        """Let the connection go."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _bound(sql: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A value for each place; days that come out of a frame are instants at midnight, and a place of days takes days."""
    types = places(sql, parameters, "pass {}=...")
    return {
        name: value.date() if types[name] in ("Date", "Date32") and isinstance(value, dt.datetime) else value
        for name, value in parameters.items()
    }


def _told(error: ClickHouseError) -> BadInput | NotReady:
    code = code_of(error)
    if code is None:
        return NotReady(f"ClickHouse: {explain(error)}. Is it running? `recoup status` says. {NO_STACK}")
    if code == WRITES:
        return BadInput("The warehouse is only read from here: write a SELECT (or WITH ... SELECT, SHOW, DESCRIBE).")
    if code not in ABOUT_THE_STATEMENT:
        return BadInput(f"ClickHouse refuses the statement: {explain(error)}.")
    says = re.sub(r"\s+", " ", str(error).partition("DB::Exception: ")[2]).partition(" (version ")[0].strip()
    return BadInput(f"ClickHouse refuses the statement: {says or explain(error)}")


def _days(frame: pd.DataFrame) -> pd.DataFrame:
    """Dates as in the answers of queries."""
    names = [name for name in ("origin", "first", "last") if name in frame]
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in names})


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Floats as numpy has them: plots and sums know NaN, and not all of them know pandas' own missing value."""
    floats = {name: "float64" for name, kind in frame.dtypes.items() if str(kind) in ("Float64", "Float32")}
    return frame.astype(floats) if floats else frame
