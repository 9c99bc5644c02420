"""What tests of the analysts' part share: one demo with its past, run once for all processes of a test run."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recoup.demo.show import Demo, Plan
from recoup.demo.summary import as_json
from recoup.settings import Settings

DEMO_SECONDS = 600
"""The demo runs within the first test that asks for it, and in the other process the tests wait for it."""
STOP_SECONDS = 120
LIVE_SECONDS, ACCOUNTS, RATE = 5.0, 250, 400.0
PAST_DAYS, PAST_ACCOUNTS = 150, 600
METRICS_SECONDS = 1
"""Workers tell of themselves more often than so few live seconds take, however busy the machine is."""

GUARD = """
import fcntl, sys
from pathlib import Path
from recoup.stack.kept import stop_kept_workers
from recoup.stack.stack import Stack
shared, user = Path(sys.argv[1]), sys.argv[2]
sys.stdin.read()
with (shared / "lock").open("a") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    (shared / "users" / user).unlink(missing_ok=True)
    if not any((shared / "users").iterdir()):
        (shared / "summary.json").unlink(missing_ok=True)
        stop_kept_workers(shared / "demo")
        Stack(shared / "demo").down()
"""
"""Waits until its test process has ended, however it did; the last one to leave stops the stack and the console beside it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give whoever asks for the demo the time that it takes."""
    for item in items:
        if "demo_home" in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(DEMO_SECONDS))


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a finished demo whose servers run: 150 days of two tenants, then some live seconds; no worker runs.

    All test processes share it, so only read from it, or write what nobody else looks at.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-demo"
    (shared / "users").mkdir(parents=True, exist_ok=True)
    user = str(os.getpid())
    guard = subprocess.Popen([sys.executable, "-c", GUARD, str(shared), user], stdin=subprocess.PIPE)  # noqa: S603 - our own
    try:
        with _locked(shared):
            (shared / "users" / user).touch()
            if not (shared / "summary.json").exists():
                _run_demo(shared)
        yield Settings(home=shared / "demo")
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(STOP_SECONDS)


@pytest.fixture(scope="session")
def demo_summary(demo_home: Settings) -> Any:
    """What the demo says of itself, as `recoup demo --json` prints it."""
    return json.loads((demo_home.home.parent / "summary.json").read_text())


def _run_demo(shared: Path) -> None:
    plan = Plan(
        home=shared / "demo",
        seconds=LIVE_SECONDS,
        accounts=ACCOUNTS,
        rate=RATE,
        past_days=PAST_DAYS,
        past_accounts=PAST_ACCOUNTS,
    )
    said: list[str] = []
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("RECOUP_STREAMS__METRICS_SECONDS", str(METRICS_SECONDS))
            result = Demo(plan, said.append, lambda _: None).run(keep=True)
    except BaseException as error:
        error.add_note("\n".join(said))
        raise
    (shared / "summary.json").write_text(json.dumps(as_json(result)))


@contextmanager
def _locked(shared: Path) -> Iterator[None]:
    """One process at a time; the kernel frees the lock of one that was killed."""
    with (shared / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
