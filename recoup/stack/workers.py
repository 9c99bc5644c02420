"""Runs worker processes beside the caller: restarts those that fail, and none of them outlives the caller."""

import http.client
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

import msgspec

from recoup.stack.log import last_lines, log_size
from recoup.stack.process import Process
from schemas.errors import NotReady

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
HEALTHY_SECONDS = 30.0
"""A worker that lived this long starts anew with the shortest pause."""
GIVE_UP_AFTER = 8
"""Failures in a row, without a healthy life between them, after which a worker stays down."""
CHECK_SECONDS = 0.05
READY_SECONDS = 60.0
STOP_SECONDS = 20.0

Say = Callable[[str, str], None]
"""Told (worker, what happens), from the supervisor's thread."""


class WorkerStatus(msgspec.Struct, frozen=True):
    """How one worker does."""

    name: str
    job: str
    slot: int
    state: Literal["running", "waiting", "stopped", "failed"]
    pid: int | None
    restarts: int
    exit_code: int | None
    """What it last ended with; negative: the signal."""


class Worker:
    """What the supervisor knows of one worker."""

    def __init__(self, home: Path, job: str, slot: int, options: tuple[str, ...]) -> None:
        self.name = f"{job}-{slot}"
        self.job = job
        self.slot = slot
        self.options = options
        self.log = home / "logs" / f"worker-{self.name}.log"
        self.where = home / "run" / f"worker-{self.name}.json"
        self.process: Process | None = None
        self.state: Literal["running", "waiting", "stopped", "failed"] = "waiting"
        self.started = 0.0
        self.start_at = 0.0
        self.restarts = 0
        self.failures = 0
        self.exit_code: int | None = None
        self.log_start = 0

    @property
    def command(self) -> list[str]:
        """What is run."""
        slot = ("--slot", str(self.slot))
        return [sys.executable, "-m", "recoup.cli.main", "worker", self.job, *slot, *self.options]

    def status(self) -> WorkerStatus:
        """A value to show."""
        pid = self.process.pid if self.process and self.state == "running" else None
        return WorkerStatus(self.name, self.job, self.slot, self.state, pid, self.restarts, self.exit_code)


class Workers:
    """Starts, watches, restarts and stops workers. Use as a context manager.

    All of it happens on one thread of its own, because the kernel ends a tied process together with the *thread*
    that started it.
    """

    def __init__(
        self, home: Path, say: Say = lambda worker, what: None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.home = home.absolute()
        self.say = say
        # scikit-learn's threads spin against the others: 48 us an event instead of 12.
        self.environment = (
            os.environ | {"RECOUP_HOME": str(self.home), "OMP_NUM_THREADS": "1"} | dict(environment or {})
        )
        self.workers: dict[str, Worker] = {}
        self.orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._supervise, name="workers", daemon=True)
        self.thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, job: str, slot: int = 0, options: tuple[str, ...] = ()) -> str:
        """Start one worker and keep it running; returns its name. Raises when the slot has one already."""
        worker = Worker(self.home, job, slot, options)

        def order() -> None:
            before = self.workers.get(worker.name)
            if before is not None and before.state in ("running", "waiting"):
                raise NotReady(f"worker {worker.name} runs already; give the next one another slot")
            self.workers[worker.name] = worker
            self._launch(worker)

        self._ordered(order)
        return worker.name

    def stop(self, name: str | None = None, seconds: float = STOP_SECONDS) -> None:
        """Stop one worker, or all of them and the supervisor: SIGTERM to all at once, SIGKILL at the deadline."""
        if not self.thread.is_alive():
            return
        self._ordered(lambda: self._stop([self.workers[name]] if name else list(self.workers.values()), seconds))
        if name is None:
            self.orders.put(None)
            self.thread.join()

    def kill(self, name: str) -> None:
        """Kill a worker as a crash would; it is started again like any that failed."""
        process = self.workers[name].process
        if process is not None:
            process.kill()

    def status(self) -> list[WorkerStatus]:
        """How each worker does."""
        return [worker.status() for worker in list(self.workers.values())]

    def health(self, name: str) -> dict[str, object] | None:
        """What a worker's `/ready` says; None while it does not answer. `{"ready": bool, ...}`."""
        worker = self.workers[name]
        try:
            where = json.loads(worker.where.read_text())
            return asked(str(where["web"])) if worker.process and where["pid"] == worker.process.pid else None
        except (OSError, ValueError, KeyError):
            return None

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until every worker says that it is ready. Raises NotReady with the log's end of one that is not."""
        deadline = time.monotonic() + seconds
        for name, worker in list(self.workers.items()):
            while not (self.health(name) or {}).get("ready"):
                if worker.state in ("failed", "stopped"):
                    raise self._failure(worker, f"worker {name} ended with code {worker.exit_code}")
                if time.monotonic() > deadline:
                    raise self._failure(
                        worker, f"worker {name} was not ready after {seconds:.0f} s: {self.health(name)}"
                    )
                time.sleep(CHECK_SECONDS)

    def _supervise(self) -> None:
        while True:
            try:
                order = self.orders.get(timeout=CHECK_SECONDS)
            except queue.Empty:
                self._look()
                continue
            if order is None:
                return
            order()

    def _ordered(self, order: Callable[[], None]) -> None:
        """Have the supervisor do it, and wait until it is done."""
        done = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                order()
            except BaseException as error:  # noqa: BLE001 - raised where it was ordered
                failures.append(error)
            finally:
                done.set()

        self.orders.put(run)
        while not done.wait(1.0):
            if not self.thread.is_alive():
                raise NotReady("the supervisor of the workers has ended; start them anew")
        if failures:
            raise failures[0]

    def _look(self) -> None:
        """Notice who ended, and start again who is to be."""
        now = time.monotonic()
        for worker in list(self.workers.values()):
            if worker.state == "waiting" and now >= worker.start_at:
                worker.restarts += 1
                self._launch(worker)
            elif worker.state == "running" and worker.process is not None and not worker.process.alive():
                self._ended(worker, now)

    def _launch(self, worker: Worker) -> None:
        worker.where.unlink(missing_ok=True)  # the last life's address
        worker.log_start = log_size(worker.log)
        worker.process = Process.start(worker.name, worker.command, worker.log, env=self.environment, detached=False)
        worker.started = time.monotonic()
        worker.state = "running"
        self.say(worker.name, f"started (pid {worker.process.pid})")

    def _ended(self, worker: Worker, now: float) -> None:
        assert worker.process is not None  # noqa: S101 - for the type checker
        worker.exit_code = worker.process.exit_code()
        if worker.exit_code == 0:
            worker.state = "stopped"
            self.say(worker.name, "ended by itself")
            return
        worker.failures = 1 if now - worker.started > HEALTHY_SECONDS else worker.failures + 1
        reason = next(iter(last_lines(worker.log, 1, worker.log_start)), "it wrote nothing")
        said = f"ended with code {worker.exit_code} ({reason.strip()[:200]}; see {worker.log})"
        if worker.failures >= GIVE_UP_AFTER:
            worker.state = "failed"
            self.say(worker.name, f"{said}: {worker.failures} times in a row, it stays down")
            return
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (worker.failures - 1))
        worker.state, worker.start_at = "waiting", now + pause
        self.say(worker.name, f"{said}: starting it again in {pause:.1f} s")

    def _stop(self, workers: list[Worker], seconds: float) -> None:
        running = [worker for worker in workers if worker.process is not None and worker.process.alive()]
        for worker in running:
            if worker.process is not None:
                worker.process.terminate()
        deadline = time.monotonic() + seconds
        for worker in running:
            process = worker.process
            if process is not None and not process.wait(max(0.0, deadline - time.monotonic())):
                self.say(worker.name, f"did not stop within {seconds:g} s and was killed")
                process.stop(0.0)
        for worker in workers:
            if worker.state != "failed":
                worker.state = "stopped"
                worker.exit_code = worker.process.exit_code() if worker.process else worker.exit_code
            worker.where.unlink(missing_ok=True)

    def _failure(self, worker: Worker, what: str) -> NotReady:
        lines = last_lines(worker.log, start=worker.log_start) or ("(nothing)",)
        return NotReady("\n".join([f"{what}. The end of {worker.log}:", *(f"    {line}" for line in lines)]))


def asked(web: str, seconds: float = 2.0) -> dict[str, object] | None:
    """What `/ready` of a worker says, ready or not; None when nobody answers."""
    address = urlsplit(web)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=seconds)
    try:
        connection.request("GET", "/ready")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else None


def running_workers(home: Path) -> list[dict[str, object]]:
    """Every worker under this home that answers, whoever started it, and what its `/ready` says."""
    found: list[dict[str, object]] = []
    for path in sorted((home / "run").glob("worker-*.json")):
        try:
            where = json.loads(path.read_text())
            health = asked(str(where["web"]))
        except (OSError, ValueError, KeyError):
            continue
        if health is not None:
            name = path.stem.removeprefix("worker-")
            found.append({"name": name, "pid": where.get("pid"), "web": where["web"], **health})
    return found
