"""A process is stopped, found again and never mistaken for another."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recoup.stack.log import follow, last_lines
from recoup.stack.process import Process

SLEEPS = [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def started(command: list[str], folder: Path) -> Process:
    log = folder / "p.log"
    process = Process.start("p", command, log, pid_file=folder / "p.json")
    until(lambda: last_lines(log) == ("up",))
    return process


def test_a_process_is_found_by_its_pid_file_until_it_is_stopped(tmp_path: Path) -> None:
    process = started(SLEEPS, tmp_path)
    found = Process.recorded("p", tmp_path / "p.json")
    assert found == process
    assert found.alive()
    assert found.memory() > 0
    assert os.getsid(process.pid) == process.pid  # a session of its own
    assert found.stop(10)
    assert not process.alive()
    assert process.exit_code() == -signal.SIGTERM


def test_a_deaf_process_is_killed_at_the_deadline(tmp_path: Path) -> None:
    process = started(DEAF, tmp_path)
    assert not process.stop(0.2)
    assert not process.alive()
    assert process.exit_code() == -signal.SIGKILL


def test_a_reused_pid_is_neither_alive_nor_stopped(tmp_path: Path) -> None:
    process = started(SLEEPS, tmp_path)
    earlier = Process("p", process.pid, process.started - 3600)
    assert not earlier.alive()
    assert earlier.stop(0.1)
    earlier.kill()
    assert process.alive()
    process.stop(10)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "started": 1}', '{"pid": 1}', "12345"])
def test_a_damaged_pid_file_names_nobody(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    assert Process.recorded("p", path) is None
    path.write_text(text)
    assert Process.recorded("p", path) is None


def test_a_tied_process_ends_when_its_parent_was_another() -> None:
    """The order to die with the parent comes too late for a parent that is gone: then there must be no process at all."""
    command = [sys.executable, "-m", "recoup.stack.tied", "1", *SLEEPS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    assert done.returncode == 1
    assert "the parent died" in done.stderr


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert last_lines(log) == ()
    log.write_text("".join(f"line {n}\n" for n in range(100_000)))
    assert last_lines(log, 2) == ("line 99998", "line 99999")
    assert len(last_lines(log, 20_000)) == 20_000
    assert last_lines(log, 5, log.stat().st_size) == ()


def test_a_log_is_followed_when_it_is_begun_anew(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("before\n" * 10)
    written = iter(["one\ntw", "o\n", "", "three\n"])

    def write() -> bool:
        text = next(written)
        if not text:
            log.replace(tmp_path / "a.log.1")
            text = "begun anew\n" * 20
        with log.open("a") as file:
            file.write(text)
        return True

    lines = follow(log, write)
    assert [next(lines), next(lines)] == ["one", "two"]
    assert {next(lines) for _ in range(20)} == {"begun anew"}
    assert next(lines) == "three"
