"""`recoup forecast`: the cash of the next days, and how far such forecasts were off."""

from typing import TYPE_CHECKING

import click

from recoup.cli.questions import Since

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from recoup.cli.progress import Show
    from recoup.forecasting import CashBacktest, CashForecast, Error, Span

FEW_ORIGINS = 12
"""Fewer do not tell how sure a difference is: forecasts of neighbouring weeks err alike."""


@click.command(short_help="Say what cash to expect, and how far forecasts were off.")
@click.option("--tenant", help="Only this tenant.")
@click.option("--currency", metavar="CODE", help="Only this currency, such as EUR.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 365), help="How many days.")
@click.option("--as-of", type=Since(), help="First day (2026-01-31), by what was booked before it; today in UTC.")
@click.option("--backtest", is_flag=True, help="How far forecasts at past days were off, beside two naive ones.")
@click.option("--json", "as_json", is_flag=True, help="Everything, day by day, as one JSON array.")
def forecast(
    tenant: str | None, currency: str | None, days: int, as_of: int | None, backtest: bool, as_json: bool
) -> None:
    """Say what cash to expect of each portfolio in the next days, out of the warehouse.

    Open invoices are paid as their customers have paid so far, and new ones come as in the last quarter. Expected cash is
    net: what comes back is taken off. Of 10 intervals 8 hold what comes.

    \b
    Exit code:  0  done
                1  the warehouse does not answer
                2  there is no such portfolio, or of none is anything booked lately or the past long enough
    Example:    recoup forecast --tenant nordlicht --currency EUR
                recoup forecast --backtest --json | jq '.[] | [.tenant_id, .currency, .forecast.all_weeks]'
    """
    import msgspec

    from connectors.clickhouse.client import connect
    from models.calendar import DAY, date_of
    from recoup import forecasting
    from recoup.addresses import require
    from recoup.cli.progress import phases
    from recoup.settings import Settings
    from schemas.errors import BadInput

    settings = Settings()
    require(settings, "clickhouse")
    client = connect(settings.clickhouse)
    day: dt.date | None = None if as_of is None else date_of(as_of // DAY)
    found: list[CashForecast | CashBacktest] = []
    left_out: list[BadInput] = []
    with phases() as (_, show):
        for its in forecasting.known_portfolios(client, tenant, currency):
            try:
                if backtest:
                    shown = _shown(show, its.tenant_id, its.currency)
                    found.append(forecasting.cash_backtest(client, its.tenant_id, its.currency, as_of=day, show=shown))
                else:
                    found.append(forecasting.cash_forecast(client, its.tenant_id, its.currency, days, as_of=day))
            except BadInput as error:
                left_out.append(error)
    if not found:
        raise left_out[0]
    for why in left_out:
        click.echo(f"Left out: {why}", err=True)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        click.echo("\n".join(_told(one) if isinstance(one, forecasting.CashForecast) else _judged(one)))


def _shown(show: "Show", tenant_id: str, currency: str) -> "Callable[[float], None]":
    return lambda done: show(f"{tenant_id} {currency}", done, "")


def _told(found: "CashForecast") -> list[str]:
    money = Money(found.currency)
    total = found.total
    lines = [
        (
            f"{found.tenant_id}, {found.currency}: {money(total.expected_minor)} from {total.first} to {total.last},"
            f" between {money(total.low_minor)} and {money(total.high_minor)} in 8 of 10 cases."
        ),
        (
            f"  {money(found.from_open_minor)} of it pays what is open ({money(found.open_minor)}),"
            f" {money(found.from_new_minor)} pays invoices that are yet to come."
        ),
    ]
    spans = found.weekly or found.daily
    wide = max(len(money(span.high_minor)) for span in spans)
    lines += [_span(span, money, wide) for span in spans]
    return [*lines, ""]


def _span(span: "Span", money: "Money", wide: int) -> str:
    expected, low, high = (
        f"{money(value):>{wide}}" for value in (span.expected_minor, span.low_minor, span.high_minor)
    )
    return f"  {span.first} to {span.last}  {expected}  ({low} to {high})"


def _judged(found: "CashBacktest") -> list[str]:
    def row(name: str, error: "Error") -> str:
        weeks = "  ".join(f"{_percent(value):>6}" for value in error.by_week)
        return f"  {name:26}{weeks}  {_percent(error.all_weeks):>6}  {_percent(error.bias, '+'):>6}"

    weeks = "  ".join(f"{f'{week} wk':>6}" for week in range(1, len(found.forecast.by_week) + 1))
    lines = [
        (
            f"{found.tenant_id}, {found.currency}: {found.origins} Mondays, {found.first_origin} to {found.last_origin}."
            " Error = sum of |forecast - cash| / sum of cash (WAPE)."
        ),
        f"  {'weeks ahead':26}{weeks}  {'all':>6}  {'bias':>6}",
        row("forecast", found.forecast),
        row("mean of the last weeks", found.mean),
        row("open invoices when due", found.due),
    ]
    for name, (lower, low, high) in (("mean", found.lower_than_mean), ("due dates", found.lower_than_due)):
        told = found.origins >= FEW_ORIGINS and low is not None and high is not None
        sure = f", between {_percent(low)} and {_percent(high)} with 95 % confidence" if told else ""
        lines.append(f"  Lower than {name} by {_percent(lower)} of the cash{sure}.")
    lines.append(f"  The interval held {found.coverage:.0%} of the weeks; it should hold {found.nominal_coverage:.0%}.")
    return [*lines, ""]


def _percent(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.1%}"


class Money:
    """Writes minor units in whole major units."""

    def __init__(self, currency: str) -> None:
        from schemas.currencies import decimals

        self.unit = 10 ** decimals(currency)

    def __call__(self, minor: int) -> str:
        return f"{minor / self.unit:,.0f}"
