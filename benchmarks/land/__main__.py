"""`python -m benchmarks.land`: topic to table through the land worker, beside inserting the same blocks ready-made.

Once with the real tables (37 to 42 columns) and once with ten columns a row, both under the real guarantee. CPU is that
of the worker; what ClickHouse and Kafka spend at the same time is told beside it.
"""

import itertools
import json
import time
import urllib.request
from typing import Any

import click
import psutil

from benchmarks import ground
from connectors.clickhouse.blocks import Block, Place, spans
from connectors.clickhouse.client import connect
from connectors.clickhouse.ownership import Ownership
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.server import Server
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.statements import Name
from connectors.clickhouse.tables import OWN, table_of
from connectors.kafka.reading import partitions_of, read_to_end
from models.clock import WallClock
from recoup.settings import Settings
from recoup.simulator.stream import Ready, Shares, events
from recoup.stack.stack import Stack
from schemas.registry import SOURCE_TOPICS

GOOD = Shares(bad=0.0, duplicate=0.0, late=0.0)
WORKERS = {
    "all_columns": ("recoup.cli.main", "worker", "--log-level", "warning", "land"),
    "ten_columns": ("benchmarks.land.ten_columns",),
}


def through_the_worker(name: str, messages: list[Ready], ready: int) -> dict[str, Any]:
    """From the first rows that a worker has landed to the last; then, into the real tables, ready blocks as well."""
    with ground.stack() as (settings, stack):
        ground.send(settings.kafka, messages)
        with ground.process(settings, *WORKERS[name]) as child:
            watched = {"worker": child, **servers(stack)}
            ground.reach(lambda: rows_landed(settings), 1, child)
            first, began, spent = rows_landed(settings), time.perf_counter(), cpu_of(watched)
            ground.reach(lambda: rows_landed(settings), len(messages), child)
            wall, after = time.perf_counter() - began, cpu_of(watched)
            memory = child.memory_info().rss
        rows = len(messages) - first
        result: dict[str, Any] = {
            "rows": rows,
            "rows_per_second": round(rows / wall),
            "memory_mb": round(memory / 1e6),
            "cpu_us_per_row": {who: round((after[who] - spent[who]) / rows * 1e6, 2) for who in watched},
        }
        if ready:
            result["ready_blocks"] = ready_made(settings, ready)
        return result


def ready_made(settings: Settings, number: int) -> dict[str, float]:
    """The same messages as blocks that are ready, sent one after the other."""
    blocks = ready_blocks(settings, number)
    client, server = connect(settings.clickhouse), Server(settings.clickhouse, deadline=60)
    for topic in SOURCE_TOPICS:
        client.command(f"TRUNCATE TABLE {Name(table_of(topic).name)}")
    places = [Place(p.topic, p.partition) for p in partitions_of(settings.kafka, SOURCE_TOPICS)]
    owner, sink = Ownership(server).claim(places, "bench")[places[0]].owner, Sink(server)
    began, spent = time.perf_counter(), time.process_time()
    for block in blocks:
        sink.insert(owner, block)
    wall, cpu = time.perf_counter() - began, time.process_time() - spent
    rows = sum(block.count for block in blocks)
    return {"rows": rows, "rows_per_second": round(rows / wall), "cpu_us_per_row": round(cpu / rows * 1e6, 2)}


def ready_blocks(settings: Settings, number: int) -> list[Block]:
    """Messages as the worker would block them."""
    blocks: list[Block] = []
    rows_per_block, clock = settings.streams.land.block_rows, WallClock()
    for topic in SOURCE_TOPICS:
        read = RowReader(topic)
        messages = read_to_end(settings.kafka, partitions_of(settings.kafka, [topic]))
        wanted = itertools.islice(messages, number // len(SOURCE_TOPICS))
        while batch := list(itertools.islice(wanted, rows_per_block)):
            rows = read(batch)
            of = spans((message.partition(), message.offset()) for message in batch)
            blocks.append(Block(topic=topic, spans=of, at=clock.now(), body=rows.body, count=rows.count))
    return blocks


def rows_landed(settings: Settings) -> int:
    """By the worker's own count; 0 while it starts."""
    try:
        web = json.loads((settings.home / "run" / "worker-land-0.json").read_text())["web"]
        with urllib.request.urlopen(f"{web}/metrics", timeout=5) as answer:  # noqa: S310 - our own worker
            lines = answer.read().decode().splitlines()
    except (OSError, ValueError):
        return 0
    names = tuple(f'recoup_rows_landed_total{{topic="{topic}"}}' for topic in SOURCE_TOPICS)
    return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(names)))


def servers(stack: Stack) -> dict[str, psutil.Process]:
    """ClickHouse's and Kafka's processes."""
    found = {part.name: part.pid for part in stack.status() if part.pid}
    return {name: psutil.Process(found[name]) for name in ("clickhouse", "kafka")}


def cpu_of(processes: dict[str, psutil.Process]) -> dict[str, float]:
    """Seconds that each has used so far."""
    return {name: ground.cpu_seconds(process) for name, process in processes.items()}


def tell(name: str, rows_per_second: float, cpu: dict[str, float]) -> None:
    """One line a run."""
    costs = ", ".join(f"{who} {spent:.2f}" for who, spent in cpu.items())
    print(f"{name:14} {rows_per_second:10,} rows/s   us CPU a row: {costs}", flush=True)


@click.command(epilog="Example: python -m benchmarks.land --rounds 3")
@click.option("--events", "events_", default=600_000, show_default=True, help="Messages on the source topics.")
@click.option("--rounds", default=3, show_default=True, help="Runs of each worker; the median counts.")
@click.option("--ready", default=200_000, show_default=True, help="Of these messages, so many as ready blocks.")
def main(events_: int, rounds: int, ready: int) -> None:
    """Run both workers in turns, and the ready blocks, and print them side by side."""
    messages = list(events(7, 20_000, events_, shares=GOOD))
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in WORKERS}
    for number in range(rounds):
        for name in WORKERS:
            result = through_the_worker(name, messages, ready if name == "all_columns" and number == 0 else 0)
            tell(name, result["rows_per_second"], result["cpu_us_per_row"])
            if blocks := result.get("ready_blocks"):
                tell("ready blocks", blocks["rows_per_second"], {"client": blocks["cpu_us_per_row"]})
            runs[name].append(result)
    middle = {name: sorted(of, key=lambda run: run["rows_per_second"])[len(of) // 2] for name, of in runs.items()}
    columns = {topic: len(table_of(topic).columns) + len(OWN) for topic in SOURCE_TOPICS}
    ground.keep("land", {"columns_sent": columns, "median": middle, "rounds": runs})


if __name__ == "__main__":
    main()
