"""Workers are kept running, stop when they are told to, and die with whoever started them."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from recoup.settings import Settings
from recoup.stack import workers as supervision
from recoup.stack.process import Process
from recoup.stack.provision import provision
from recoup.stack.workers import Workers, running_workers
from schemas.errors import NotReady


class Heard:
    """What the supervisor said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, worker: str, what: str) -> None:
        self.lines.append((worker, what))

    def times(self, text: str) -> int:
        return sum(text in what for _, what in list(self.lines))


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def provisioned(settings: Settings) -> Settings:
    provision(settings)
    return settings


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def workers(provisioned: Settings, heard: Heard) -> Iterator[Workers]:
    with Workers(provisioned.home, heard) as workers:
        yield workers


def test_a_killed_worker_is_started_again_and_all_are_stopped(workers: Workers, heard: Heard) -> None:
    name = workers.start("decide")
    workers.wait_ready()
    first = workers.status()[0]
    assert (first.name, first.state, first.restarts) == ("decide-0", "running", 0)
    assert [worker["name"] for worker in running_workers(workers.home)] == ["decide-0"]
    with pytest.raises(NotReady, match="another slot"):
        workers.start("decide")
    workers.kill(name)
    until(lambda: workers.status()[0].restarts == 1)
    assert heard.times("ended with code -9") == 1
    assert heard.times("starting it again in 0.5 s") == 1
    workers.wait_ready()
    second = workers.status()[0]
    assert second.pid != first.pid
    workers.stop()
    assert workers.status()[0].state == "stopped"
    assert workers.status()[0].exit_code == 0
    assert heard.times("was killed") == 0
    assert not psutil.pid_exists(second.pid or 0)
    assert running_workers(workers.home) == []


def test_a_worker_that_fails_again_and_again_stays_down_and_says_why(
    workers: Workers, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "GIVE_UP_AFTER", 3)
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 0.1)
    workers.start("decide", 7, ("--log-level", "nonsense"))
    until(lambda: workers.status()[0].state == "failed")
    assert workers.status()[0].exit_code == 2
    assert heard.times("starting it again in 0.1 s") == 1
    assert heard.times("starting it again in 0.2 s") == 1
    assert heard.times("3 times in a row, it stays down") == 1
    with pytest.raises(NotReady, match="nonsense"):
        workers.wait_ready()


PARENT = """
import sys, time
from pathlib import Path
from recoup.stack.workers import Workers
workers = Workers(Path(sys.argv[1]))
workers.start("decide", 5)
print(workers.status()[0].pid, flush=True)
time.sleep(600)
"""


def test_workers_die_with_a_parent_that_is_killed(provisioned: Settings) -> None:
    command = [sys.executable, "-c", PARENT, str(provisioned.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        started = psutil.Process(pid).create_time()
        worker = Process("decide-5", pid, started)
        assert worker.alive()
        parent.kill()
    until(lambda: not worker.alive(), 20)


def test_a_worker_that_ignores_sigterm_is_killed_at_the_deadline(
    workers: Workers, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    monkeypatch.setattr(supervision.Worker, "command", [sys.executable, "-c", deaf])
    workers.start("decide", 8)
    log = workers.home / "logs" / "worker-decide-8.log"
    until(lambda: log.exists() and "deaf" in log.read_text())
    stopper = threading.Thread(target=workers.stop, kwargs={"seconds": 0.3})
    stopper.start()
    stopper.join(20)
    assert not stopper.is_alive()
    assert heard.times("did not stop within 0.3 s and was killed") == 1
    assert workers.status()[0].exit_code == -9
