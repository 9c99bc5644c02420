"""Real worker processes that a test starts, kills, freezes and wakes; one that ends by itself is started again."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from recoup.settings import Settings
from tests.chaos.nursery import nursery

STARTED_WITHIN = 40.0


class Worker:
    """One slot of one job. Each of `lives` is the module of one life and its arguments; then it is the ordinary worker."""

    def __init__(self, fleet: "Fleet", job: str, slot: int, lives: Sequence[list[str]] = ()) -> None:
        self.fleet = fleet
        self.job = job
        self.slot = slot
        self.lives = list(lives)
        self.exits: list[int] = []
        self.wanted = True
        self.start()

    def start(self) -> None:
        ordinary = ["recoup.cli.main", "worker", self.job, "--slot", str(self.slot)]
        self.process = nursery().birth(self.lives.pop(0) if self.lives else ordinary, self.fleet.env, self.log)

    @property
    def log(self) -> Path:
        return self.fleet.logs / f"{self.job}-{self.slot}.log"

    @property
    def is_ready(self) -> bool:
        """Whether its own `/ready` says so."""
        return bool(self.health.get("ready"))

    @property
    def units(self) -> int:
        """How many partitions it holds, as its own `/ready` says."""
        return int(self.health.get("units", 0))

    @property
    def health(self) -> dict[str, Any]:
        """What `/ready` answers; nothing while it does not answer."""
        try:
            running = json.loads((self.fleet.settings.home / "run" / f"worker-{self.job}-{self.slot}.json").read_text())
            if running["pid"] != self.process.pid:
                return {}
            with urllib.request.urlopen(running["web"] + "/ready", timeout=2) as answer:
                health: dict[str, Any] = json.load(answer)
                return health
        except (OSError, ValueError):
            return {}

    @property
    def is_frozen(self) -> bool:
        """Whether the process is stopped by a signal."""
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def send(self, what: signal.Signals) -> None:
        """Send a signal to this very process, if it still lives."""
        self.process.send_signal(what)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.process.wait(10)

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def wake(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM, and do not start it again; its exit code."""
        self.wanted = False
        self.send(signal.SIGTERM)
        return self.process.wait(60)  # one that was frozen has its control group to join again before it can leave

    def look_after(self) -> None:
        """What a supervisor does: start again what has ended and is still wanted."""
        if self.wanted and (code := self.process.poll()) is not None:
            self.exits.append(code)
            self.start()


class Fleet:
    """The workers of one test."""

    def __init__(self, settings: Settings, logs: Path, env: dict[str, str] | None = None) -> None:
        self.settings = settings
        self.logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self.env = {
            **os.environ,
            "RECOUP_HOME": str(settings.home),
            "RECOUP_STREAMS__SESSION_TIMEOUT_SECONDS": "6",
            # Tests count every message of every topic.
            "RECOUP_STREAMS__METRICS_SECONDS": "0",
            # And wait until all of them have landed.
            "RECOUP_STREAMS__LAND__OWN_BLOCK_SECONDS": "0.7",
            **(env or {}),
        }
        self.workers: list[Worker] = []

    def worker(self, job: str, slot: int = 0, lives: Sequence[list[str]] = ()) -> Worker:
        """Start one more worker."""
        worker = Worker(self, job, slot, lives)
        self.workers.append(worker)
        return worker

    def until(self, done: Callable[[], bool], what: str, deadline: float = 60.0) -> None:
        """Look after the workers until a condition holds.

        Raises:
            AssertionError: it did not hold before the deadline (seconds); names the workers' last words.
        """
        end = time.monotonic() + deadline
        pause = 0.05
        while not done():
            for worker in self.workers:
                worker.look_after()
            assert time.monotonic() < end, f"{what}: not within {deadline:g} s\n{self.last_words()}"
            time.sleep(pause)

    def last_words(self) -> str:
        """The end of every worker's log."""
        return "\n".join(
            f"--- {worker.job} {worker.slot}, exits {worker.exits}\n"
            + "\n".join(worker.log.read_text(errors="replace").splitlines()[-25:])
            for worker in self.workers
        )

    def stop(self) -> None:
        """End every worker that this fleet started, by its pid."""
        for worker in self.workers:
            worker.wanted = False
            worker.wake()
            worker.send(signal.SIGTERM)
        for worker in self.workers:
            try:
                worker.process.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()
