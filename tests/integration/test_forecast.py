"""The cash forecast out of the warehouse of a demo: it starts from the books, adds up, and is told by the command."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from connectors.clickhouse.portfolio import ledger
from models.calendar import DAY, date_of
from models.clock import SetClock, WallClock
from recoup.cli.forecast import forecast as command
from recoup.forecasting import cash_forecast, known_portfolios
from recoup.settings import Settings
from recoup.warehouse import Warehouse
from schemas.errors import BadInput

TOMORROW = WallClock().now() // DAY + 1
"""Everything that has been booked is known then."""


@pytest.fixture(scope="module")
def warehouse(demo_home: Settings) -> Iterator[Warehouse]:
    with Warehouse(demo_home) as warehouse:
        yield warehouse


def recoup_forecast(home: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), env={"RECOUP_HOME": str(home.home)})


def test_what_it_takes_for_open_and_for_cash_is_what_the_books_say(warehouse: Warehouse) -> None:
    owed = warehouse.query("SELECT tenant_id, currency, sum(open_minor) AS minor FROM open_invoices GROUP BY ALL")
    cash = warehouse.query(
        "SELECT tenant_id, currency, sum(collected_minor - reversed_minor) AS minor FROM collections_daily GROUP BY ALL"
    )
    books = {
        name: frame.set_index(["tenant_id", "currency"])["minor"] for name, frame in (("owed", owed), ("cash", cash))
    }
    portfolios = known_portfolios(warehouse.client)
    assert len(portfolios) >= 3
    for its in portfolios:
        known = ledger(warehouse.client, warehouse.database, its.tenant_id, its.currency, TOMORROW)
        assert known.open_minor().sum() == books["owed"][its.tenant_id, its.currency]
        assert known.cash.sum() == books["cash"][its.tenant_id, its.currency]


def test_invoices_are_watched_from_the_first_live_payment(warehouse: Warehouse) -> None:
    known = ledger(warehouse.client, warehouse.database, "acme", "USD", TOMORROW)
    first = warehouse.query(
        """
        SELECT min(booked_on) AS day FROM ledger_postings
        WHERE tenant_id = 'acme' AND currency = 'USD' AND NOT history AND cause = 'payment.received'
        """
    )["day"][0]
    assert date_of(known.since) == first.date()


def test_days_weeks_and_parts_add_up(warehouse: Warehouse) -> None:
    found = cash_forecast(warehouse.client, "nordlicht", "EUR", 30)
    assert len(found.daily) == 30
    assert len(found.weekly) == 4
    assert found.total.expected_minor > 0
    assert sum(day.expected_minor for day in found.daily) == pytest.approx(found.total.expected_minor, abs=40)
    assert found.from_new_minor >= 0
    assert found.from_open_minor <= found.open_minor
    assert all(span.low_minor <= span.expected_minor <= span.high_minor for span in (*found.daily, *found.weekly))


def test_a_portfolio_in_which_nothing_is_booked_any_more_asks_from_when_to_forecast(warehouse: Warehouse) -> None:
    much_later = SetClock((TOMORROW + 60) * DAY)
    with pytest.raises(BadInput, match=r"nothing was booked after .* such as --as-of"):
        cash_forecast(warehouse.client, "acme", "USD", clock=much_later)


def test_the_client_tells_the_same_as_the_command(demo_home: Settings, warehouse: Warehouse) -> None:
    told = recoup_forecast(demo_home, "--tenant", "acme", "--currency", "USD", "--days", "14", "--json")
    assert told.exit_code == 0, told.output
    (found,) = json.loads(told.stdout)
    frame = warehouse.forecast("acme", "USD", 14)
    days = frame[frame["span"] == "day"]
    assert list(days["expected_minor"]) == [day["expected_minor"] for day in found["daily"]]
    assert np.isclose(found["from_open_minor"] + found["from_new_minor"], found["total"]["expected_minor"], atol=2)


def test_a_back_test_is_told_beside_the_naive_forecasts(demo_home: Settings) -> None:
    found = recoup_forecast(demo_home, "--tenant", "acme", "--backtest")
    assert found.exit_code == 0, found.output
    for words in ("mean of the last weeks", "open invoices when due", "The interval held"):
        assert words in found.stdout
    told: Any = recoup_forecast(demo_home, "--tenant", "acme", "--backtest", "--json")
    (judged,) = json.loads(told.stdout)
    weeks = judged["weeks"]
    off = sum(abs(week["expected_minor"] - week["cash_minor"]) for week in weeks)
    assert judged["forecast"]["all_weeks"] == pytest.approx(off / sum(week["cash_minor"] for week in weeks), abs=1e-5)


def test_a_tenant_that_is_not_there_is_bad_input(demo_home: Settings) -> None:
    found = recoup_forecast(demo_home, "--tenant", "nobody")
    assert isinstance(found.exception, BadInput)
    assert "There is no portfolio nobody. There are: acme USD" in str(found.exception)
