"""The demo as a user runs it: it ends with books that add up, also when it is interrupted, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from schemas.decode import REASONS

DEMO = [sys.executable, "-m", "recoup.cli.main", "demo", "--json"]
ROOT = Path(__file__).parents[2]


@contextmanager
def demo(home: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A running demo; it is killed when the test fails while it runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECOUP_")}
    running = subprocess.Popen(  # noqa: S603 - our own command
        [*DEMO, *options],
        cwd=ROOT,
        env=environment | {"RECOUP_HOME": str(home), "RECOUP_TENANTS_DIR": str(ROOT / "config" / "tenants")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
        down = [sys.executable, "-m", "recoup.cli.main", "down"]
        subprocess.run(down, env=environment | {"RECOUP_HOME": str(home / "demo")}, check=True)  # noqa: S603 - likewise


def processes_of(home: Path) -> list[str]:
    """Everything that still runs for this home."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        belongs = (process.info["environ"] or {}).get("RECOUP_HOME", "").startswith(str(home))
        if belongs or any(str(home) in part for part in process.info["cmdline"] or ()):
            found.append(" ".join(process.info["cmdline"] or ()))
    return found


def check(summary: dict) -> None:  # type: ignore[type-arg]
    assert summary["differences"] == []
    assert summary["reconciled"] is True
    assert summary["produced"] == summary["applied"] + summary["dropped"] + summary["dead_lettered"]
    assert summary["dropped"] == sum(summary["dropped_by_reason"].values())
    assert summary["dead_lettered"] == sum(summary["dead_lettered_by_reason"].values())
    assert summary["dead_lettered_by_reason"].keys() <= set(REASONS)
    by_dispatch = sum(summary["contacts_by_outcome"].values())
    assert summary["produced"] == summary["simulator"]["delivered"] + by_dispatch + summary["past"]["events"]
    assert summary["landed"] == summary["messages"]
    assert summary["landed"]["next-best-actions"] == summary["decisions"] > 0
    for latency in ("event_to_decision_ms", "event_to_row_ms"):
        assert 0 < summary[latency]["p50"] <= summary[latency]["p99"]


@pytest.mark.timeout(300)
def test_the_demo_ends_with_books_that_add_up_and_leaves_nothing_running(tmp_path: Path):
    with demo(tmp_path, "--seconds", "8", "--accounts", "300", "--rate", "400", "--past-days", "0") as running:
        out, err = running.communicate(timeout=270)
        assert running.returncode == 0, err
        summary = json.loads(out.splitlines()[-1])
        check(summary)
        assert summary["contacts"] > 0
        assert summary["dropped_by_reason"]["duplicate"] > 0
        assert summary["dead_lettered"] > 0
        assert "It adds up" in err
        assert processes_of(tmp_path) == []


@pytest.mark.timeout(300)
def test_an_interrupted_demo_still_adds_up(tmp_path: Path):
    with demo(tmp_path, "--seconds", "600", "--accounts", "300", "--rate", "400", "--past-days", "7") as running:
        assert running.stderr is not None
        wait_for(running.stderr, "contact ")
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=240)
        assert running.returncode == 0, err
        check(json.loads(out.splitlines()[-1]))
        assert processes_of(tmp_path) == []


def wait_for(lines: IO[str], wanted: str) -> None:
    """Read until a line holds it."""
    said = []
    for line in lines:
        said.append(line)
        if wanted in line:
            return
    raise AssertionError("".join(said))
