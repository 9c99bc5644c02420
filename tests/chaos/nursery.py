"""Forks workers out of a process that has imported everything: a life begins in tenths of a second instead of in two.

`python -m tests.chaos.nursery` is that process. It is told of births and tells of deaths, one JSON value a line; when
whoever started it is gone, it ends, and the kernel ends its children.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

IMPORTED = (
    "recoup.worker",  # first: it says how many threads numpy may have
    "recoup.cli.worker",
    "streams.decide.agent",
    "streams.land.agent",
    "streams.dispatch.agent",
    "pandas",  # pyarrow looks for it
)
PR_SET_PDEATHSIG = 1
ANSWER_SECONDS = 60.0


class Life:
    """One process, from its birth to its death. Has of `subprocess.Popen` what tests need."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.nursery = nursery
        self.pid = pid

    def poll(self) -> int | None:
        """What it ended with (negative: the signal); None while it lives."""
        self.nursery.listen(0)
        return self.nursery.deaths.get(self.pid)

    def send_signal(self, what: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, what)

    def wait(self, seconds: float) -> int:
        """What it ends with. Raises subprocess.TimeoutExpired when it does not."""
        end = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"worker {self.pid}", seconds)
            self.nursery.listen(0.1)
        return code


class Nursery:
    """The process that workers are forked from, as the tests see it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.deaths: dict[int, int] = {}
        self._born: list[int] = []
        self._heard = b""

    def birth(self, command: Sequence[str], env: Mapping[str, str], log: Path) -> Life:
        """Run `python -m command...` with its output at the end of `log`."""
        assert self.process.stdin is not None
        order = {"command": list(command), "env": dict(env), "log": str(log)}
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        end = time.monotonic() + ANSWER_SECONDS
        while not self._born:
            assert time.monotonic() < end, "no worker was born"
            self.listen(1.0)
        return Life(self, self._born.pop())

    def listen(self, seconds: float) -> None:
        """Take what it has told, or tells within so many seconds."""
        assert self.process.stdout is not None
        while select.select([self.process.stdout], [], [], seconds)[0]:
            told = os.read(self.process.stdout.fileno(), 1 << 16)
            assert told, "the nursery has ended"
            *lines, self._heard = (self._heard + told).split(b"\n")
            for line in lines:
                word, pid, code = json.loads(line)
                if word == "born":
                    self._born.append(pid)
                    self.deaths.pop(pid, None)  # of an earlier life with the same number
                else:
                    self.deaths[pid] = code
            seconds = 0

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@cache
def nursery() -> Nursery:
    """The one of this process; it ends with it."""
    started = Nursery()
    atexit.register(started.close)
    return started


def main() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # the children share what was imported
    told, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    heard = b""
    while True:
        ready = select.select([0, told], [], [])[0]
        if told in ready:
            os.read(told, 1 << 10)
            bury()
        if 0 in ready:
            orders = os.read(0, 1 << 20)
            if not orders:
                return
            *lines, heard = (heard + orders).split(b"\n")
            for line in lines:
                order = json.loads(line)
                if (pid := os.fork()) == 0:
                    live(**order)
                tell("born", pid, None)


def bury() -> None:
    """Tell of every child that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        tell("died", pid, os.waitstatus_to_exitcode(status))


def tell(word: str, pid: int, code: Any) -> None:
    os.write(1, json.dumps([word, pid, code]).encode() + b"\n")


def live(command: list[str], env: dict[str, str], log: str) -> NoReturn:
    """Be the worker."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.clear()
        os.environ.update(env)
        sys.argv[1:] = command[1:]
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - it ends here, and its log says why
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
