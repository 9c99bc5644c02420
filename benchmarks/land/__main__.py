"""`python -m benchmarks.land`: topic to table through the land worker, beside inserting the same blocks ready-made.

The tables are the real ones (35 to 45 columns) under the real guarantee: contract checked, fenced, one part a block.
CPU is that of the worker; what ClickHouse and Kafka spend at the same time is told beside it.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from connectors.clickhouse.blocks import Block, Place, spans
from connectors.clickhouse.client import connect
from connectors.clickhouse.ownership import Ownership
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.server import Server
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.statements import Name
from connectors.clickhouse.tables import table_of
from connectors.kafka import clients
from connectors.kafka.reading import partitions_of, read_to_end
from models.clock import WallClock
from recoup.settings import Settings
from recoup.simulator.stream import Shares, events
from recoup.stack.provision import provision
from recoup.stack.stack import Stack
from schemas.registry import SOURCE_TOPICS

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
READY = int(os.environ.get("BENCH_EVENTS_READY", "300000"))
RESULTS = Path(__file__).parents[1] / "results" / "land.json"
GOOD = Shares(bad=0.0, duplicate=0.0, late=0.0)
LOOK_SECONDS = 0.1


def fill(settings: Settings, number: int) -> None:
    """So many events on the source topics."""
    producer = clients.producer(settings.kafka)
    for topic, key, value in events(7, 20_000, number, shares=GOOD):
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()


def through_the_worker(settings: Settings, stack: Stack, number: int, log: Path) -> dict[str, float]:
    """From the first rows that the worker has landed to the last."""
    command = [sys.executable, "-m", "recoup.cli.main", "worker", "land", "--log-level", "warning"]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, env={**os.environ, "RECOUP_HOME": str(settings.home)}, stdout=output, stderr=subprocess.STDOUT
        )
    watched = {"worker": psutil.Process(child.pid), **servers(stack)}
    first: tuple[int, float, dict[str, float]] | None = None
    try:
        while True:
            landed, now, spent = rows_landed(settings), time.perf_counter(), cpu_of(watched)
            if first is None and landed:
                first = landed, now, spent
            if first is not None and landed >= number:
                break
            if child.poll() is not None:
                raise RuntimeError(log.read_text()[-2000:])
            time.sleep(LOOK_SECONDS)
        memory = watched["worker"].memory_info().rss
    finally:
        child.terminate()
        child.wait(60)
    rows = landed - first[0]
    result = {"rows": rows, "rows_per_second": rows / (now - first[1]), "memory_bytes": memory}
    return result | {f"{name}_us_per_row": (spent[name] - first[2][name]) / rows * 1e6 for name in watched}


def ready_made(settings: Settings, number: int) -> dict[str, float]:
    """The same messages as blocks that are ready, sent one after the other."""
    blocks = ready_blocks(settings, number)
    client, server = connect(settings.clickhouse), Server(settings.clickhouse, deadline=60)
    for topic in SOURCE_TOPICS:
        client.command(f"TRUNCATE TABLE {Name(table_of(topic).name)}")
    places = [Place(p.topic, p.partition) for p in partitions_of(settings.kafka, SOURCE_TOPICS)]
    owner, sink = Ownership(server).claim(places, "bench")[places[0]].owner, Sink(server)
    began, cpu = time.perf_counter(), time.process_time()
    for block in blocks:
        sink.insert(owner, block)
    wall, spent = time.perf_counter() - began, time.process_time() - cpu
    rows = sum(block.count for block in blocks)
    return {"rows": rows, "rows_per_second": rows / wall, "client_us_per_row": spent / rows * 1e6}


def ready_blocks(settings: Settings, number: int) -> list[Block]:
    """Messages as the worker would block them."""
    blocks: list[Block] = []
    readers = {topic: RowReader(topic) for topic in SOURCE_TOPICS}
    rows_per_block, clock = settings.streams.land.block_rows, WallClock()
    for topic in SOURCE_TOPICS:
        messages = read_to_end(settings.kafka, partitions_of(settings.kafka, [topic]))
        wanted = itertools.islice(messages, number // len(SOURCE_TOPICS))
        while batch := list(itertools.islice(wanted, rows_per_block)):
            rows = readers[topic](batch)
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
    return {
        part.name: psutil.Process(part.pid)
        for part in stack.status()
        if part.name in ("clickhouse", "kafka") and part.pid
    }


def cpu_of(processes: dict[str, psutil.Process]) -> dict[str, float]:
    """Seconds that each has used so far."""
    return {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}


def main() -> None:
    """Run both and print them side by side."""
    results: dict[str, Any] = {"cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="bench-land-") as folder:
        home = Path(folder)
        stack = Stack(home, Settings(home=home))
        stack.up()
        try:
            settings = Settings(home=home)
            provision(settings)
            print(f"writing {EVENTS:,} events")
            fill(settings, EVENTS)
            results["worker"] = through_the_worker(settings, stack, EVENTS, home / "land.log")
            results["ready"] = ready_made(settings, min(READY, EVENTS))
        finally:
            stack.down(wipe=True)
    worker, ready = results["worker"], results["ready"]
    results["columns"] = {topic: len(table_of(topic).filled) + 3 for topic in SOURCE_TOPICS}
    results["ratio_to_ready"] = worker["rows_per_second"] / ready["rows_per_second"]
    print(f"{'':16} {'rows/s':>10}   us CPU a row: ours  ClickHouse  Kafka")
    costs = [worker[f"{name}_us_per_row"] for name in ("worker", "clickhouse", "kafka")]
    print(f"{'topic to table':16} {worker['rows_per_second']:10,.0f} {costs[0]:20.2f} {costs[1]:11.2f} {costs[2]:6.2f}")
    print(f"{'ready blocks':16} {ready['rows_per_second']:10,.0f} {ready['client_us_per_row']:20.2f}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
