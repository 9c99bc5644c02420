"""`python -m benchmarks.scoring`: microseconds of CPU for each account scored, step by step, in batches and one by one.

observe: from decoded states to raw numbers; features: those as the matrix; score: probabilities, days, bands,
uncertainties and reasons; log: names of the values, and the values as they are written into the message.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import click
import msgspec

from benchmarks import ground, trained
from benchmarks.core.__main__ import as_work
from benchmarks.portfolio import TENANT, Portfolio
from models.account.standing import standing_of
from models.account.state import Facts, open_stored
from models.actions.schedule import Plan
from models.calendar import instant
from models.core import step
from models.features.catalogue import NAMES
from models.features.rows import fingerprints, focus_of, matrix, observe
from models.propensity.baseline import Baseline
from models.propensity.scorecard import Linear, Scorecard, Scorer

WARM = 12
"""Events that each account has seen."""
ROUNDS = 15


def accounts(count: int) -> list[tuple[Any, ...]]:
    """The arguments of `observe` for accounts with a past, their states decoded."""
    portfolio = Portfolio(count)
    states: dict[str, bytes] = {}
    tenants = {TENANT.tenant_id: msgspec.structs.replace(TENANT, live_since=portfolio.now)}

    def run(events: list[Any]) -> None:
        states.update(step(as_work(events, states, instant(portfolio.now)), tenants, "live").states)

    run(list(portfolio.first()))
    for _ in range(WARM):
        run(portfolio.events(count, count, 12 * 3_600))
    plan, now = Plan(TENANT), instant(portfolio.now)
    found = []
    for blob in states.values():
        stored = open_stored(blob)
        facts = Facts(stored)
        standing = standing_of(facts, now, plan.today(now).overdue_before)
        _ = facts.bars, facts.contacts
        found.append((facts, stored.course, standing, focus_of(standing, "every:7d"), now, plan.zone))
    return found


def linear(card: Scorecard) -> Scorecard:
    """The same features as a logistic regression."""
    count = len(card.features)
    terms = Linear(log=[True] * count, mean=[1.0] * count, scale=[2.0] * count, weight=[0.1] * count)
    return msgspec.structs.replace(card, points=None, linear=terms)


def cost(call: Callable[[], Any], accounts: int) -> float:
    """CPU of one call for each account, in microseconds: the median of several."""
    spent = []
    for _ in range(ROUNDS):
        gc.collect()
        began = time.thread_time_ns()
        call()
        spent.append(time.thread_time_ns() - began)
    return statistics.median(spent) / accounts / 1_000


def measure(found: list[tuple[Any, ...]], size: int) -> dict[str, float]:
    """One batch of so many accounts."""
    some = found[:size]
    rows = [observe(*of) for of in some]
    x = matrix(rows)
    card = trained.card()
    steps, logistic, baseline = Scorer(card, NAMES), Scorer(linear(card), NAMES), Baseline()
    encode = msgspec.json.Encoder().encode
    spent = {
        "observe": cost(lambda: [observe(*of) for of in some], size),
        "features": cost(lambda: matrix(rows), size),
        "score, steps": cost(lambda: steps.score(x), size),
        "score, logistic": cost(lambda: logistic.score(x), size),
        "score, baseline": cost(lambda: baseline.score(x), size),
        "log": cost(lambda: (fingerprints(x), encode(x.tolist())), size),
    }
    spent["in all, steps"] = sum(spent[name] for name in ("observe", "features", "score, steps", "log"))
    return {name: round(value, 2) for name, value in spent.items()}


@click.command(epilog="Example: python -m benchmarks.scoring --json")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def main(*, as_json: bool) -> None:
    """Measure what an account costs that is scored, with a model of twenty features."""
    found = accounts(2_500)
    results = {str(size): measure(found, size) for size in (1, 10, 100, 1_000, 2_500)}
    ground.keep("scoring", {"us_per_account": results})
    if as_json:
        click.echo(json.dumps(results))
        return
    click.echo(f"{'us of CPU an account':22}" + "".join(f"{'in ' + size:>10}" for size in results))
    for name in next(iter(results.values())):
        click.echo(f"{name:22}" + "".join(f"{of[name]:>10.2f}" for of in results.values()))


if __name__ == "__main__":
    main()
