"""`python -m benchmarks.forecast`: the error of the cash forecast on the IBM ledger, beside naive forecasts.

An origin every Monday of the ledger's second half, four weeks from each, nothing known but what had happened before the
origin. All settings were chosen on the first half, whose error is kept beside it.
"""

import json
import time
from typing import Any

import click
import numpy as np

from benchmarks import ground
from benchmarks.forecast import ibm
from models.calendar import date_of
from models.forecast.backtest import Backtest, backtest, naive_mean, weekly_origins
from models.forecast.cash import COVERAGE, forecast
from models.forecast.ledger import Ledger

WEEKS = 4
FIRST_ORIGIN = 90
"""Days of the ledger before the first origin of the first half."""
MEANS = (4, 8, 13, 26)
SIZES = (10_000, 50_000, 200_000)


def told(of: Backtest) -> dict[str, Any]:
    """The numbers of a back-test; `by_week` are 1 to 4 weeks ahead."""
    found: dict[str, Any] = {
        "first_origin": date_of(of.origins[0]).isoformat(),
        "last_origin": date_of(of.origins[-1]).isoformat(),
        "origins": len(of.origins),
        "wape": {},
    }
    for name, values in (("forecast", of.expected), ("mean_of_4_weeks", of.mean), ("due_dates", of.due)):
        *weeks, every = (round(float(value), 4) for value in of.wape(values))
        found["wape"][name] = {
            "by_week": weeks,
            "all": every,
            "four_weeks_together": round(of.wape_of_total(values), 4),
            "bias": round(of.bias(values), 4),
        }
    found["lower_by"] = {
        name: [round(value, 4) for value in of.gain(values)]
        for name, values in (("mean_of_4_weeks", of.mean), ("due_dates", of.due))
    }
    *weeks, every = (round(float(value), 3) for value in of.coverage())
    found["coverage"] = {
        "nominal": COVERAGE,
        "by_week": weeks,
        "all": every,
        "four_weeks_together": round(of.coverage_of_total(), 3),
    }
    return found


def measure() -> dict[str, Any]:
    """Both halves, and the naive means of other lengths."""
    ledger = ibm.ledger()
    first, middle, end = ibm.halves(ledger)
    second = backtest(ledger, weekly_origins(middle, end, WEEKS), WEEKS)
    chosen_on = backtest(ledger, weekly_origins(first + FIRST_ORIGIN, middle, WEEKS), WEEKS)
    means = {}
    for weeks in MEANS:
        flat = second.cash * 0.0 + [[naive_mean(ledger, origin, weeks)] for origin in second.origins]
        means[str(weeks)] = round(float(second.wape(flat)[-1]), 4)
    return {
        "invoices": ledger.invoices,
        "second_half": told(second),
        "first_half": told(chosen_on),
        "wape_of_means_by_weeks": means,
    }


def speed() -> dict[str, Any]:
    """CPU seconds of one forecast, by invoices: ten to an account over 400 days."""
    found = {}
    for invoices in SIZES:
        rng = np.random.default_rng(0)
        account = rng.integers(0, invoices // 10, invoices)
        opened = rng.integers(0, 400, invoices)
        paid = np.maximum(
            opened, opened + 25 + account % 3 * 12 + np.round(rng.normal(0, 6, invoices)).astype(np.int64)
        )
        amount = rng.integers(50_00, 150_00, invoices).astype(np.float64)
        none = np.zeros(invoices)
        whole = Ledger(account, opened, opened + 30, amount, np.arange(invoices), paid, amount, none, paid, amount)
        began = time.process_time()
        forecast(whole, 390)
        found[str(invoices)] = round(time.process_time() - began, 2)
    return found


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The results as JSON.")
def main(*, as_json: bool) -> None:
    """Measure, print, and keep the results in benchmarks/results/forecast.json."""
    try:
        results = {"ibm_late_payment": measure(), "cpu_seconds_by_invoices": speed()}
    except FileNotFoundError as missing:
        raise click.ClickException(f"{missing}.") from missing
    ground.keep("forecast", results)
    if as_json:
        click.echo(json.dumps(results))
        return
    for half in ("second_half", "first_half"):
        found = results["ibm_late_payment"][half]
        click.echo(f"{half}: {found['origins']} origins, {found['first_origin']} to {found['last_origin']}")
        for name, wape in found["wape"].items():
            click.echo(f"  WAPE {name:16} {wape['by_week']}  all {wape['all']}  bias {wape['bias']}")
        click.echo(f"  lower by {found['lower_by']}  coverage {found['coverage']}")
    click.echo(f"CPU seconds of a forecast, by invoices: {results['cpu_seconds_by_invoices']}")


if __name__ == "__main__":
    main()
