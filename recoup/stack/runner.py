"""Runs one part: finds the one that runs, restarts the one that crashed, and says why a start failed."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from models.clock import WallClock
from recoup.stack.layout import write_json
from recoup.stack.log import last_lines, log_size
from recoup.stack.part import Part
from recoup.stack.process import Process
from recoup.stack.settings import StackSettings
from schemas.errors import NotReady

Say = Callable[[str, str], None]

POLL_SECONDS = 0.05
LOG_BYTES = 20_000_000
"""A log that has grown past this is set aside at the next start."""
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST_PORT = 15_000
PORTS_TRIED = 1_000
FIRST_PATIENCE_SECONDS = 0.5
PATIENCE_SECONDS = 5.0
"""How long one answer is waited for: little at first, because a server that is just ending takes all of it."""
PORT_SECONDS = 5.0
PORT_ATTEMPTS = 3
"""Between choosing a free port and binding it, somebody else may take it."""


State = Literal["running", "starting", "crashed", "stopped", "external", "unreachable"]


class PartStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one part does."""

    name: str
    state: State
    """`unreachable`: its process lives, or it is external, and it does not answer."""
    address: str | None = None
    pid: int | None = None
    uptime_seconds: float | None = None
    memory_bytes: int | None = None
    log: str | None = None
    detail: str | None = None
    """What is wrong and what to do."""
    last_lines: tuple[str, ...] = ()
    """The end of the log of a part that is not well."""


class Runner:
    """One embedded part and its process."""

    def __init__(self, part: Part, settings: StackSettings) -> None:
        self.part = part
        self.settings = settings
        self.pid_file = part.home / "run" / f"{part.name}.json"
        self.ports_file = part.home / "run" / f"{part.name}.ports.json"

    def address(self) -> str:
        """What clients are told; the part must have been started."""
        return self.part.address(self._ports()["port"])

    def up(self, say: Say) -> None:
        """Have it running and answering. Raises NotReady with the reason and the log's last lines."""
        process = Process.recorded(self.part.name, self.pid_file)
        if process is not None and self._ports():
            if process.alive() and self._found(process, say):
                return
            say(self.part.name, f"had crashed (pid {process.pid} is gone): starting it again")
        self._stop_strays(say)
        for attempt in range(1, PORT_ATTEMPTS + 1):
            try:
                self._start(say)
                return
            except PortTaken:
                if attempt == PORT_ATTEMPTS:
                    raise

    def down(self, say: Say) -> None:
        """Stop it, whatever state it is in."""
        process = Process.recorded(self.part.name, self.pid_file)
        if process is not None and process.alive():
            say(self.part.name, "stopping")
            if not process.stop(self.settings.stop_seconds):
                say(self.part.name, f"did not stop within {self.settings.stop_seconds:.0f} s and was killed")
        self._stop_strays(say)
        self.pid_file.unlink(missing_ok=True)
        say(self.part.name, "stopped")

    def status(self) -> PartStatus:
        """Ask it now."""
        name, log = self.part.name, str(self.part.log)
        process, ports = Process.recorded(name, self.pid_file), self._ports()
        if process is None or not ports:
            return PartStatus(name=name, state="stopped", detail="start it with `recoup up`")
        address = self.part.address(ports["port"])
        reason = ""
        if process.alive():
            try:
                self.part.ask(ports["port"], PATIENCE_SECONDS)
            except NotReady as error:
                reason = str(error)
        if not process.alive():  # perhaps just now
            detail = f"the process {process.pid} is gone; `recoup up` starts it again on the same port with its data"
            lines = self._last_lines()
            return PartStatus(name=name, state="crashed", address=address, log=log, detail=detail, last_lines=lines)
        uptime = process.uptime(WallClock().now() / 1000)
        silent: State = "starting" if uptime < self.settings.start_seconds else "unreachable"
        return PartStatus(
            name=name,
            state=silent if reason else "running",
            address=address,
            pid=process.pid,
            uptime_seconds=round(uptime, 1),
            memory_bytes=process.memory(),
            log=log,
            detail=reason or None,
            last_lines=self._last_lines() if reason else (),
        )

    def process(self) -> Process | None:
        """The process of the last start, alive or not."""
        return Process.recorded(self.part.name, self.pid_file)

    def _found(self, process: Process, say: Say) -> bool:
        """Whether a process of an earlier start answers; False when it ends meanwhile."""
        say(self.part.name, f"runs already (pid {process.pid})")
        try:
            self._wait(process, self._ports().get("log_start", 0))
        except NotReady:
            if process.alive():
                raise
            return False
        say(self.part.name, f"ready at {self.address()}")
        return True

    def _start(self, say: Say) -> None:
        name = self.part.name
        ports: dict[str, int] = {}
        for which in self.part.ports:
            ports[which] = self._choose_port(which, ports.values())
        command = self.part.prepare(ports, lambda what: say(name, what))
        if log_size(self.part.log) > LOG_BYTES:
            self.part.log.replace(self.part.log.with_suffix(".log.1"))
        start = log_size(self.part.log)
        say(name, "starting")
        began = time.monotonic()
        self.ports_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.ports_file, ports | {"log_start": start})
        process = Process.start(
            name,
            command,
            self.part.log,
            env=os.environ | self.part.environment(),
            pid_file=self.pid_file,
            directory=self.part.home,
        )
        try:
            self._wait(process, start)
        except NotReady:
            process.stop(self.settings.stop_seconds)
            self.pid_file.unlink(missing_ok=True)
            raise
        say(name, f"ready at {self.address()} after {time.monotonic() - began:.1f} s")

    def _wait(self, process: Process, log_start: int) -> None:
        """Ask until it answers. Raises when it ends, or at the deadline."""
        deadline = time.monotonic() + self.settings.start_seconds
        port, reason, patience = self._ports()["port"], "it was not asked yet", FIRST_PATIENCE_SECONDS
        while time.monotonic() < deadline:
            alive = process.alive()
            try:
                self.part.ask(port, patience)
                if alive:
                    return
            except NotReady as error:
                reason = str(error)
                patience = min(patience * 1.5, PATIENCE_SECONDS)
            if not alive:
                raise self._failure(f"{self.part.title} ended while it was starting", log_start)
            time.sleep(POLL_SECONDS)
        raise self._failure(
            f"{self.part.title} was not ready after {self.settings.start_seconds:.0f} s: {reason}", log_start
        )

    def _failure(self, what: str, log_start: int) -> NotReady:
        lines = last_lines(self.part.log, start=log_start)
        text = "\n".join([f"{what}. The end of {self.part.log}:", *(f"    {line}" for line in lines or ["(nothing)"])])
        taken = any("already in use" in line.lower() for line in lines)
        return PortTaken(text) if taken else NotReady(text + "\n  `recoup doctor` looks for the cause.")

    def _last_lines(self) -> tuple[str, ...]:
        """The end of what the last start has logged."""
        return last_lines(self.part.log, start=self._ports().get("log_start", 0))

    def _choose_port(self, which: str, others: Collection[int]) -> int:
        wanted = self.part.wanted_port(which)
        if wanted:
            if not port_is_free(wanted):
                taken = f"port {wanted} for {self.part.title} is taken{holder(wanted)}"
                raise NotReady(f"{taken}: stop that, or set another port")
            return wanted
        before = self._ports().get(which, 0)
        return before if before and comes_free(before, PORT_SECONDS) else free_port(others)

    def _ports(self) -> dict[str, int]:
        try:
            ports = msgspec.json.decode(self.ports_file.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.DecodeError):
            return {}
        return ports if set(self.part.ports) <= set(ports) else {}

    def _stop_strays(self, say: Say) -> None:
        """Stop a server on our data whose starter was killed before it could write the pid file."""
        for stray in strays(self.part):
            say(self.part.name, f"stopping a leftover server on the same data (pid {stray.pid})")
            stray.stop(self.settings.stop_seconds)


class PortTaken(NotReady):
    """A port was free when it was chosen and taken when it was to be bound."""


def strays(part: Part) -> list[Process]:
    """Processes of this user whose command line names the part's data or its configuration."""
    marks = (str(part.data), str(part.config) + "/")
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "create_time", "status"]):
        line = process.info["cmdline"] or []
        named = any(argument == marks[0] or argument.startswith(marks[1]) for argument in line)
        if named and process.info["status"] != psutil.STATUS_ZOMBIE and process.info["pid"] != os.getpid():
            found.append(Process(part.name, process.info["pid"], process.info["create_time"]))
    return found


def port_is_free(port: int) -> bool:
    """Whether a server could bind it on the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no obstacle
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def comes_free(port: int, seconds: float) -> bool:
    """Whether a port is free, at the latest when a process that was just killed has let go of it."""
    deadline = time.monotonic() + seconds
    while not port_is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def free_port(taken: Collection[int] = ()) -> int:
    """A port that nobody listens on now, outside the range that the system gives to outgoing connections.

    Inside it, a client that tries to reconnect to a crashed server can be given the server's own port, which then
    cannot come back to it.
    """
    try:
        highest = int(EPHEMERAL.read_text().split()[0]) - 1
    except (OSError, ValueError, IndexError):
        highest = 32_767
    for _ in range(PORTS_TRIED):
        port = secrets.randbelow(max(1, highest - LOWEST_PORT)) + LOWEST_PORT
        if port not in taken and port_is_free(port):
            return port
    raise NotReady(
        f"no free port was found between {LOWEST_PORT} and {highest}; name some (RECOUP_STACK__KAFKA_PORT ...)"
    )


def holder(port: int) -> str:
    """Who listens on a port, as far as we may know: ` by NAME (pid N)`, or nothing."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
