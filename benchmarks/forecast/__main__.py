"""`python -m benchmarks.forecast`: the error of the cash forecast on the IBM ledger, beside naive forecasts.

An origin every Monday of the ledger's second half, four weeks from each, nothing known but what had happened before the
origin. All settings were chosen on the first half, whose error is kept beside it.
"""

import json
import time
from typing import Any

import click

from benchmarks import ground
from benchmarks.forecast import ibm
from models.calendar import date_of
from models.forecast.backtest import Backtest, backtest, naive_mean, weekly_origins
from models.forecast.cash import COVERAGE, forecast

WEEKS = 4
FIRST_ORIGIN = 90
"""Days of the ledger before the first origin of the first half."""
MEANS = (4, 8, 13, 26)


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
    """Both halves, the naive means of other lengths, and what one forecast costs."""
    ledger = ibm.ledger()
    first, middle, end = ibm.halves(ledger)
    second = backtest(ledger, weekly_origins(middle, end, WEEKS), WEEKS)
    chosen_on = backtest(ledger, weekly_origins(first + FIRST_ORIGIN, middle, WEEKS), WEEKS)
    means = {}
    for weeks in MEANS:
        flat = second.cash * 0.0 + [[naive_mean(ledger, origin, weeks)] for origin in second.origins]
        means[str(weeks)] = round(float(second.wape(flat)[-1]), 4)
    began = time.process_time()
    forecast(ledger, end)
    return {
        "invoices": ledger.invoices,
        "second_half": told(second),
        "first_half": told(chosen_on),
        "wape_of_means_by_weeks": means,
        "cpu_seconds_of_a_forecast": round(time.process_time() - began, 3),
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The results as JSON.")
def main(*, as_json: bool) -> None:
    """Measure, print, and keep the results in benchmarks/results/forecast.json."""
    try:
        results = {"ibm_late_payment": measure()}
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


if __name__ == "__main__":
    main()
