"""What benchmarks stand on: a local stack of their own, events in its topics, worker processes whose CPU is known."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from recoup.settings import Settings
from recoup.stack.provision import provision
from recoup.stack.stack import Stack

RESULTS = Path(__file__).parent / "results"
LOOK_SECONDS = 0.05
SILENT_SECONDS = 120.0
"""A contestant that moves nothing for so long has failed."""


@contextlib.contextmanager
def stack() -> Iterator[tuple[Settings, Stack]]:
    """Kafka, ClickHouse and Redis with topics, tables and tenants and nothing else; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="recoup-bench-") as folder:
        home = Path(folder)
        servers = Stack(home, Settings(home=home))
        servers.up()
        try:
            settings = Settings(home=home)
            provision(settings)
            yield settings, servers
        finally:
            servers.down(wipe=True)


@contextlib.contextmanager
def process(settings: Settings, *arguments: str) -> Iterator[psutil.Process]:
    """`python -m <arguments>` on this stack, stopped at the end; its log goes with the stack."""
    log = settings.home / f"{arguments[-1]}.log"
    environment = {**os.environ, "RECOUP_HOME": str(settings.home), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            # As a service manager or `recoup demo --keep` starts it: Linux shares the processors between sessions first.
            start_new_session=True,
        )
    try:
        yield psutil.Process(child.pid)
    except TimeoutError as error:
        raise TimeoutError(f"{error}: {log.read_text()[-2_000:]}") from error
    finally:
        child.terminate()
        child.wait(60)


def worker(settings: Settings, job: str) -> "contextlib.AbstractContextManager[psutil.Process]":
    """The worker of a job, with the command that a user starts it with."""
    return process(settings, "recoup.cli.main", "worker", "--log-level", "warning", job)


def send(kafka: KafkaSettings, messages: Iterable[tuple[str, bytes | None, bytes]]) -> None:
    """Messages as fast as the broker takes them; returns when it has them all."""
    producer = clients.producer(kafka)
    for topic, key, value in messages:
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
    if left := producer.flush(60):
        raise TimeoutError(f"Kafka did not take {left} messages")


def reach(count: Callable[[], int], wanted: int, child: psutil.Process) -> None:
    """Wait until a process has done so much by its own count.

    Raises:
        TimeoutError: it has ended, or it moves no more.
    """
    before, changed = -1, time.monotonic()
    while (now := count()) < wanted:
        if now != before:
            before, changed = now, time.monotonic()
        if not child.is_running() or child.status() == psutil.STATUS_ZOMBIE:
            raise TimeoutError(f"ended at {now:,} of {wanted:,}")
        if time.monotonic() - changed > SILENT_SECONDS:
            raise TimeoutError(f"stands still at {now:,} of {wanted:,}")
        time.sleep(LOOK_SECONDS)


def cpu_seconds(child: psutil.Process) -> float:
    """What a process has used so far, in the user's and the system's name."""
    times = child.cpu_times()
    return float(times.user + times.system)


def keep(name: str, results: dict[str, Any]) -> None:
    """Write results down beside those of the other benchmarks."""
    RESULTS.mkdir(exist_ok=True)
    here = {"cores": os.cpu_count(), "python": ".".join(map(str, sys.version_info[:3]))}
    (RESULTS / f"{name}.json").write_text(json.dumps(here | results, indent=2) + "\n")
