"""The command tells what can be told of some portfolios, and fails only where nothing can."""

import datetime as dt
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connectors.clickhouse import client
from connectors.clickhouse.portfolio import Portfolio
from recoup import forecasting
from recoup.cli.forecast import forecast as command
from recoup.forecasting import CashForecast, Span
from schemas.errors import BadInput

TODAY = dt.date(2026, 3, 2)
BOOKED_LATELY = {"USD"}


def foretold(_client: Any, tenant_id: str, currency: str, days: int, **_: Any) -> CashForecast:
    if currency not in BOOKED_LATELY:
        raise BadInput(f"{tenant_id}, {currency}: nothing was booked after 2025-01-01.")
    span = Span(TODAY, TODAY + dt.timedelta(days=days - 1), 123_400, 100_000, 150_000)
    return CashForecast(tenant_id, currency, TODAY, 0.8, 200_000, 100_000, 23_400, span, (), (span,))


@pytest.fixture(autouse=True)
def _warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_CLICKHOUSE__URL", "http://127.0.0.1:1")
    monkeypatch.setattr(client, "connect", lambda _: None)
    monkeypatch.setattr(forecasting, "cash_forecast", foretold)


def told(monkeypatch: pytest.MonkeyPatch, *currencies: str) -> Result:
    known = [Portfolio("acme", currency, 0) for currency in currencies]
    monkeypatch.setattr(forecasting, "known_portfolios", lambda *_: known)
    return CliRunner().invoke(command, ["--days", "14"])


def test_a_portfolio_without_a_forecast_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(monkeypatch, "EUR", "USD")
    assert found.exit_code == 0, found.output
    assert "acme, USD: 1,234 from 2026-03-02" in found.stdout
    assert "Left out: acme, EUR: nothing was booked" in found.stderr


def test_without_any_forecast_the_command_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(monkeypatch, "EUR")
    assert isinstance(found.exception, BadInput)
    assert found.stdout == ""
