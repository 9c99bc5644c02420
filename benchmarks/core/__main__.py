"""Microseconds of CPU per event of the pure core: state blob in, fold, score, decide, everything encoded out."""

import gc
import json
import time
from collections import Counter
from pathlib import Path

import click
import msgspec

from benchmarks.portfolio import TENANT, Portfolio
from benchmarks.trained import card
from models.actions.in_force import ALL_TENANTS
from models.calendar import instant
from models.compliance.rule_gate import RuleGate
from models.core import Outcome, Work, step
from models.features.catalogue import NAMES
from models.propensity.scorecard import Scorer
from models.propensity.serving import CHAMPION, Model, Released
from recoup.policy_releases import read_strategy
from schemas.envelope import Event


def as_work(events: list[Event], states: dict[str, bytes], now: int) -> list[Work]:
    """Events grouped by account, in the order of the log."""
    accounts: dict[str, list[tuple[Event, int]]] = {}
    for place, event in enumerate(events):
        accounts.setdefault(f"{event.tenant_id}|{event.account_id}", []).append((event, place))
    return [
        Work(key=key, tenant_id="bench", account_id=key.partition("|")[2], blob=states.get(key), events=found, now=now)
        for key, found in accounts.items()
    ]


@click.command(
    epilog="Example: python -m benchmarks.core --batches 20 --strategy config/strategies/household.yaml --trained --json"
)
@click.option("--accounts", default=20_000, show_default=True, help="Accounts of the portfolio.")
@click.option("--batch", default=5_000, show_default=True, help="Events in a batch, over half as many accounts.")
@click.option(
    "--warm", default=12, show_default=True, help="Events that each account has seen before the clock starts."
)
@click.option(
    "--strategy",
    type=click.Path(path_type=Path, exists=True),
    help="File of a strategy that decides; else the schedule does.",
)
@click.option("--trained", is_flag=True, help="A trained model scores; else the baseline does.")
@click.option("--batches", default=10, show_default=True, help="Batches measured; the median counts.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def main(
    accounts: int, batch: int, warm: int, batches: int, strategy: Path | None, *, trained: bool, as_json: bool
) -> None:
    """Measure models.core.step on accounts with a past."""
    gate = RuleGate()
    strategies = {} if strategy is None else {ALL_TENANTS: read_strategy(strategy)}
    model = Model("scorecard:benchmark", "paid_within:30", "every:7d", 30, Scorer(card(), NAMES))
    released: Released = {(ALL_TENANTS, CHAMPION): model} if trained else {}
    portfolio = Portfolio(accounts)
    tenants = {"bench": msgspec.structs.replace(TENANT, live_since=portfolio.now)}
    states: dict[str, bytes] = {}

    def run(events: list[Event]) -> tuple[Outcome, float]:
        work = as_work(events, states, instant(portfolio.now))
        gc.collect()
        began = time.thread_time()
        outcome = step(work, tenants, "live", gate, released, strategies)
        spent = time.thread_time() - began
        states.update(outcome.states)
        return outcome, spent

    run(list(portfolio.first()))
    for done in range(0, accounts * warm, batch):
        run(portfolio.events(min(batch, accounts * warm - done), min(batch, accounts) // 2, 12 * 3_600))
    spent, counts, sizes = [], Counter[str](), []
    for _ in range(batches):
        outcome, seconds = run(portfolio.events(batch, batch // 2, 60))
        spent.append(seconds / batch * 1e6)
        counts.update(outcome.decided)
        counts["messages"] += sum(map(len, outcome.messages))
        counts["denied"] += sum(outcome.denied.values())
        counts["dropped"] += sum(map(len, outcome.dropped))
        sizes += [len(blob) for _, blob in outcome.states]
    report = {
        "us_per_event": {"median": round(sorted(spent)[len(spent) // 2], 2), "best": round(min(spent), 2)},
        "events_per_batch": batch,
        "accounts_per_event": 0.5,
        "state_bytes_mean": round(sum(sizes) / len(sizes)),
        "state_bytes_largest": max(sizes),
        "per_batch": {name: round(times / batches) for name, times in sorted(counts.items())},
    }
    if as_json:
        click.echo(json.dumps(report))
        return
    for name, value in report.items():
        click.echo(f"{name:20} {value}")


if __name__ == "__main__":
    main()
