"""`python -m benchmarks.decide`: three contestants on local stacks of their own, over the same events of accounts with a past.

(a) our decide worker: with a strategy that values actions on a trained model (one worker, and two side by side), with the
model alone, and with the baseline score; (b) a hand-written confluent-kafka loop around
the same core with the baseline and the same guarantee; (c) the same logic as a plain Faust agent, one event at a time,
without the guarantee. (a) and (b) take turns, and their medians are compared. CPU is that of the contestant's process
alone.
"""

import contextlib
import json
import statistics
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
import redis

from benchmarks import ground, strategy, trained
from benchmarks.portfolio import TENANT, Ready, messages
from models.clock import WallClock
from recoup import tenants
from recoup.settings import Settings

Commands = tuple[tuple[str, ...], ...]

PARTITIONS = 8
WARM = 12
"""Events that each account has seen before the clock starts."""


def measure(name: str, commands: Commands, past: list[Ready], measured: list[Ready]) -> dict[str, Any]:
    """Let one contestant work off the past and then what is measured; each command is a process of it."""
    with ground.stack() as (settings, _):
        publish_tenant(settings)
        if name not in ("decide", "loop", "faust"):
            trained.release(settings)
        if name.startswith("nba"):
            strategy.release(settings)
        ground.send(settings.kafka, past)
        ground.send(settings.kafka, measured)
        total = len(past) + len(measured)
        with contextlib.ExitStack() as running:
            children = [running.enter_context(ground.process(settings, *command)) for command in commands]
            ground.reach(lambda: done(settings, name), len(past), children[0])
            began, spent, first = time.perf_counter(), sum(map(ground.cpu_seconds, children)), done(settings, name)
            ground.reach(lambda: done(settings, name), total, children[0])
            wall, cpu = time.perf_counter() - began, sum(map(ground.cpu_seconds, children)) - spent
            memory = sum(child.memory_info().rss for child in children)
        return {
            "events": total - first,
            "events_per_second": round((total - first) / wall),
            "cpu_us_per_event": round(cpu / (total - first) * 1e6, 2),
            "memory_mb": round(memory / 1e6),
        } | state_sizes(settings, name)


def publish_tenant(settings: Settings) -> None:
    """The portfolio's tenant, live since before its first event."""
    tenant = msgspec.structs.replace(TENANT, live_since=datetime(2020, 1, 1, tzinfo=UTC))
    wanted = {tenant.tenant_id: tenant}
    tenants.publish(settings.kafka, wanted, tenants.plan(wanted, {}), WallClock())


def done(settings: Settings, name: str) -> int:
    """How many events a contestant has finished, by its own count in Redis."""
    with redis.Redis.from_url(settings.redis.url) as client:
        if name == "faust":
            return int(client.get("bench:faust") or 0)
        pipeline = client.pipeline(transaction=False)
        for partition in range(PARTITIONS):
            pipeline.hgetall(f"{settings.redis.prefix}:{{decide:{partition}}}:progress")
        return sum(int(v) for fields in pipeline.execute() for field, v in fields.items() if field.startswith(b"n:"))


def state_sizes(settings: Settings, name: str) -> dict[str, float]:
    """What Redis holds of each account: the state's blob, and all of its memory divided by the accounts."""
    if name == "faust":
        return {}
    with redis.Redis.from_url(settings.redis.url) as client:
        names = [f"{settings.redis.prefix}:{{decide:{partition}}}:states" for partition in range(PARTITIONS)]
        accounts = sum(int(client.hlen(key)) for key in names)
        blobs = sum(len(blob) for key in names for blob in client.hvals(key))
        used = sum(int(client.memory_usage(key.replace("states", what), samples=0) or 0)
                   for key in names for what in ("states", "reviews"))  # fmt: skip
        return {"state_bytes": round(blobs / accounts), "redis_bytes_per_account": round(used / accounts)}


def median(results: Iterable[dict[str, Any]], figure: str) -> float:
    """The middle one of several rounds."""
    return float(statistics.median(result[figure] for result in results))


@click.command(epilog="Example: python -m benchmarks.decide --rounds 3")
@click.option("--events", default=200_000, show_default=True, help="Events measured, for (a) and (b).")
@click.option("--accounts", default=20_000, show_default=True, help="Accounts of the portfolio.")
@click.option("--rounds", default=3, show_default=True, help="Turns that (a) and (b) take; medians count.")
@click.option("--faust-events", default=5_000, show_default=True, help="Events measured of the plain Faust agent.")
@click.option("--faust-accounts", default=500, show_default=True, help="Accounts of its portfolio, just as warm.")
@click.option("--only", multiple=True, help="These contestants, such as nba; prints, and keeps no result.")
def main(
    events: int, accounts: int, rounds: int, faust_events: int, faust_accounts: int, only: tuple[str, ...]
) -> None:
    """Run all contestants and print them side by side."""
    now = datetime.now(UTC)
    worker = ("recoup.cli.main", "worker", "--log-level", "warning", "decide")
    second = (*worker[:-1], "--slot", "1", worker[-1])
    contestants: dict[str, Commands] = {
        "nba x 2": (worker, second),
        "nba": (worker,),
        "trained": (worker,),
        "decide": (worker,),
        "loop": (("benchmarks.decide.loop",),),
    }
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in (*contestants, "faust")}
    past, measured = messages(accounts, WARM, events, now)
    for _ in range(rounds):
        for name, commands in contestants.items():
            if only and name not in only:
                continue
            results[name].append(measure(name, commands, past, measured))
            tell(name, results[name][-1])
    del past, measured
    past, measured = messages(faust_accounts, WARM, faust_events, now)
    if not only:
        results["faust"].append(measure("faust", (("benchmarks.decide.faust_agent",),), past, measured))
        tell("faust", results["faust"][-1])
    if only:
        return
    speed = {name: median(of, "events_per_second") for name, of in results.items()}
    summary = {
        "events_per_second": speed,
        "cpu_us_per_event": {name: median(of, "cpu_us_per_event") for name, of in results.items()},
        "two_workers_to_one": round(speed["nba x 2"] / speed["nba"], 2),
        "nba_to_trained": round(speed["nba"] / speed["trained"], 2),
        "trained_to_decide": round(speed["trained"] / speed["decide"], 2),
        "decide_to_loop": round(speed["decide"] / speed["loop"], 2),
        "decide_to_faust": round(speed["decide"] / speed["faust"], 1),
    }
    print(json.dumps(summary))
    ground.keep("decide", {"summary": summary, "rounds": results})


def tell(name: str, result: dict[str, Any]) -> None:
    """One line a run."""
    print(
        f"{name:8} {result['events_per_second']:10,} events/s {result['cpu_us_per_event']:8.1f} us CPU per event",
        flush=True,
    )


main()
