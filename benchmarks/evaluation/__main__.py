"""`python -m benchmarks.evaluation`: how often intervals hold a truth that is known, and the public logs with known answers.

Coverage: the share of runs in which the 95 % interval held what the candidate really earns, in worlds of one decision an
account and of several, and of the simulator, where the real core decides. Public logs are read from the folder that
RECOUP_DATA names, and left out where they are missing.
"""

import json
import time
from typing import Any

import click
import numpy as np

from benchmarks import ground
from benchmarks.evaluation import simulated
from benchmarks.evaluation.public import hillstrom, open_bandit
from benchmarks.evaluation.worlds import World, log_of, truth
from models.evaluation.estimators import Estimator
from models.evaluation.judge import judge
from models.evaluation.targeting import target

RUNS = 200
ACCOUNTS = 2_000
RESAMPLES = 1_000
STEPS = (1, 3, 6)
ESTIMATORS: tuple[Estimator, ...] = ("dr", "snips", "ips", "dm")


def coverage(steps: int, runs: int) -> dict[str, Any]:
    """One world, many logs of it."""
    world = World(steps)
    expected = truth(world)
    right: dict[str, int] = dict.fromkeys(ESTIMATORS, 0)
    off: dict[str, float] = dict.fromkeys(ESTIMATORS, 0.0)
    judged, effective = 0, 0.0
    for run in range(runs):
        log, candidate = log_of(world, ACCOUNTS, np.random.default_rng([run, steps]))
        found = judge(log, candidate, seed=run, resamples=RESAMPLES)
        effective += found.diagnostics.effective / runs
        judged += not found.refused
        for estimate in found.estimates:
            right[estimate.estimator] += estimate.low <= expected <= estimate.high
            off[estimate.estimator] += estimate.value - expected
    return {
        "runs": runs,
        "refused": runs - judged,
        "accounts": ACCOUNTS,
        "effective": round(effective),
        "truth": round(expected, 1),
        "coverage": {name: round(count / judged, 3) for name, count in right.items()},
        "bias": {name: round(total / judged / expected, 4) for name, total in off.items()},
    }


def bandits() -> dict[str, Any]:
    """SNIPS and DR of the BTS policy from the random log, and what it earned itself."""
    found = {}
    for campaign in ("men", "women"):
        bandit = open_bandit(campaign)
        judged = judge(bandit.log, bandit.bts)
        found[campaign] = {"truth": round(bandit.truth, 5)} | {
            name: [round(value, 5) for value in (of.value, of.low, of.high)]
            for name, of in ((name, judged.of(name)) for name in ESTIMATORS)
        }
    return found


def experiments() -> dict[str, Any]:
    """Qini of each model on Hillstrom's customers."""
    found = {}
    for segment in ("Womens E-Mail", "Mens E-Mail"):
        targeting = target(*hillstrom(segment))
        found[segment] = {"verdict": targeting.verdict} | {
            name: [round(value, 4) for value in (of.coefficient, of.low, of.high)]
            for name, of in targeting.models.items()
        }
    return found


def speed() -> dict[str, Any]:
    """Seconds for a log of 100,000 decisions."""
    log, candidate = log_of(World(5), 13_400, np.random.default_rng(1))
    began = time.process_time()
    judge(log, candidate)
    return {"decisions": log.decisions, "cpu_seconds": round(time.process_time() - began, 2)}


@click.command()
@click.option("--runs", default=RUNS, show_default=True, type=click.IntRange(min=1), help="Fewer are not kept.")
@click.option("--json", "as_json", is_flag=True, help="The results as JSON.")
def main(*, runs: int, as_json: bool) -> None:
    """Measure, print, and keep the results in benchmarks/results/evaluation.json."""
    results: dict[str, Any] = {
        "coverage": {str(steps): coverage(steps, runs) for steps in STEPS},
        "simulated": simulated.coverage(runs),
        "speed": speed(),
    }
    for name, measure in (("open_bandit", bandits), ("hillstrom", experiments)):
        try:
            results[name] = measure()
        except FileNotFoundError as missing:
            click.echo(f"Left out: {missing}", err=True)
    if runs >= RUNS:
        ground.keep("evaluation", results)
    if as_json:
        click.echo(json.dumps(results))
        return
    for steps, of in results["coverage"].items():
        click.echo(f"{steps} decisions a window, {of['runs']} runs: coverage {of['coverage']}, bias {of['bias']}")
    for name in ("simulated", "speed", "open_bandit", "hillstrom"):
        click.echo(f"{name}: {json.dumps(results.get(name, 'left out'))}")


if __name__ == "__main__":
    main()
