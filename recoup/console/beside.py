"""Starts the console as a process of its own, which stays when the caller ends, and stops with the home's workers."""

import json
import os
import socket
import sys
import time

from recoup.console.serve import where
from recoup.settings import Settings
from recoup.stack.log import last_lines
from recoup.stack.process import Process
from schemas.errors import NotReady

START_SECONDS = 20.0
LOOK_SECONDS = 0.05


def start_beside(settings: Settings) -> str:
    """Start the console of a home; its address. One that runs already is found.

    It listens on the machine itself, at the port of the settings or, where that is taken, at any free one.

    Raises:
        NotReady: it did not start.
    """
    home = settings.home.absolute()
    pid_file, log = home / "run" / "kept-console.pid", home / "logs" / "console.log"
    running = Process.recorded("console", pid_file)
    if running is None or not running.alive():
        where(home).unlink(missing_ok=True)
        port = settings.console.port if _is_free(settings.console.port) else 0
        running = Process.start(
            "console",
            [sys.executable, "-m", "recoup.cli.main", "console", "--host", "127.0.0.1", "--port", str(port)],
            log,
            env=os.environ | {"RECOUP_HOME": str(home)},
            pid_file=pid_file,
        )
    deadline = time.monotonic() + START_SECONDS
    while running.alive() and time.monotonic() < deadline:
        try:
            return str(json.loads(where(home).read_text())["web"])
        except (OSError, ValueError, KeyError):
            time.sleep(LOOK_SECONDS)
    said = "\n".join(last_lines(log, 5)) if log.exists() else ""
    running.stop(2.0)
    pid_file.unlink(missing_ok=True)
    raise NotReady(f"The console did not start; {log} ends with:\n{said}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
