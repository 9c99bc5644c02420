"""A process that is known by pid *and* start time, so that a reused pid is never taken for it, nor killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

SAME_START_SECONDS = 5.0
"""The kernel's start time is derived from the boot time, which shifts when the clock is set."""


@dataclass(frozen=True)
class Process:
    """One running (or finished) process of ours. Values are equal when they mean the same process."""

    name: str
    pid: int
    started: float
    """When it started, seconds since the epoch, as the kernel says."""

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        detached: bool = True,
        pid_file: Path | None = None,
        directory: Path | None = None,
    ) -> Self:
        """Start `command` with its output appended to `log`.

        A detached process has its own session and outlives us. Any other is told by the kernel to die with
        the thread that started it, so start it from a thread that stays.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        arguments = (
            list(command) if detached else [sys.executable, "-m", "recoup.stack.tied", str(os.getpid()), *command]
        )
        with log.open("ab") as output:
            child = subprocess.Popen(  # noqa: S603 - our own command
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                start_new_session=detached,
                cwd=directory,
            )
        _children[child.pid] = child
        try:
            started = psutil.Process(child.pid).create_time()
        except psutil.NoSuchProcess:
            started = time.time()  # It failed at once; alive() says so.
        process = cls(name, child.pid, started)
        if pid_file is not None:
            process.record(pid_file)
        return process

    @classmethod
    def recorded(cls, name: str, pid_file: Path) -> Self | None:
        """The process that a pid file names, alive or not; None when there is no readable file."""
        try:
            values = json.loads(pid_file.read_text())
            return cls(name, int(values["pid"]), float(values["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def record(self, pid_file: Path) -> None:
        """Write the pid file in one step, so that nobody reads half of it."""
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        draft = pid_file.with_suffix(f".{os.getpid()}.new")
        draft.write_text(json.dumps({"pid": self.pid, "started": self.started}))
        draft.replace(pid_file)

    def alive(self) -> bool:
        """Whether this very process runs. A finished child is reaped on the way."""
        return self._handle() is not None

    def exit_code(self) -> int | None:
        """What a child of ours ended with (negative: the signal); None while it runs or when it is not our child."""
        child = _children.get(self.pid)
        return None if child is None else child.poll()

    def terminate(self) -> None:
        """Ask it to stop."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it at once, as a crash would."""
        self._signal(signal.SIGKILL)

    def stop(self, seconds: float) -> bool:
        """SIGTERM, and SIGKILL after the deadline. True when it stopped by itself."""
        self.terminate()
        if self.wait(seconds):
            return True
        self.kill()
        self.wait(5.0)
        return False

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; False when it still runs after the deadline."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def memory(self) -> int:
        """Resident bytes; 0 when it does not run."""
        handle = self._handle()
        return int(handle.memory_info().rss) if handle else 0

    def uptime(self, now: float) -> float:
        """Seconds since its start."""
        return max(0.0, now - self.started)

    def _handle(self) -> psutil.Process | None:
        child = _children.get(self.pid)
        if child is not None and child.poll() is not None:
            return None
        try:
            handle = psutil.Process(self.pid)
            if abs(handle.create_time() - self.started) > SAME_START_SECONDS:
                return None
            # A child of ours counts until it is reaped: while other threads of it end, it still holds its ports.
            return handle if child is not None or handle.status() != psutil.STATUS_ZOMBIE else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None

    def _signal(self, number: int) -> None:
        handle = self._handle()
        if handle is not None:
            with suppress(psutil.NoSuchProcess):
                handle.send_signal(number)


_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""Processes that we started, so that they are reaped and their exit codes are known."""
