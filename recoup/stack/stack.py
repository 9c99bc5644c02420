"""Starts, finds, checks and stops the local stack. Its servers outlive the command that started them."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import msgspec

from recoup.settings import Settings
from recoup.stack import layout, ready
from recoup.stack.clickhouse_endpoint import ClickHouseEndpoint
from recoup.stack.kafka_broker import KafkaBroker
from recoup.stack.part import Part
from recoup.stack.redis_server import RedisServer
from recoup.stack.runner import PartStatus, Runner
from schemas.errors import BadInput, NotReady, RecoupError

Say = Callable[[str, str], None]
"""Told (part, what happens), from several threads."""

LOCK_SECONDS = 120.0


class Endpoints(msgspec.Struct, frozen=True):
    """Where the three servers are, embedded or external."""

    kafka: str
    redis: str
    clickhouse: str


def silent(part: str, what: str) -> None:
    """For callers who do not want to hear about progress."""


class Stack:
    """Kafka, Redis and ClickHouse under one home. Those that the settings place elsewhere are only checked."""

    def __init__(self, home: Path, settings: Settings | None = None) -> None:
        self.home = home.absolute()
        self.settings = settings or Settings(home=self.home)
        self.endpoints_file = self.home / "endpoints.json"
        ours = layout.read_endpoints(self.endpoints_file)
        stack = self.settings.stack
        parts: list[Part] = [
            KafkaBroker(self.home, stack),
            ClickHouseEndpoint(self.home, stack, self.settings.clickhouse),
            RedisServer(self.home, stack, self.settings.redis),
        ]
        self.external = {
            name: address
            for name, address in {
                "kafka": self.settings.kafka.bootstrap_servers,
                "redis": self.settings.redis.url,
                "clickhouse": self.settings.clickhouse.url,
            }.items()
            if address and address != ours.get(name)
        }
        self.runners = {part.name: Runner(part, stack) for part in parts if part.name not in self.external}

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The stack that these settings speak of."""
        return cls(settings.home, settings)

    def up(self, say: Say = silent) -> Endpoints:
        """Start what does not run, wait until all of it answers, and write `endpoints.json`.

        Parts that run already are found; a part that crashed comes back on its port. Raises NotReady with the
        reason and the last lines of the part's log.
        """
        self._check_security()
        with self._lock(say):
            layout.check(self.home)
            with ThreadPoolExecutor(3) as pool:
                started = {name: pool.submit(runner.up, say) for name, runner in self.runners.items()}
                checked = {name: pool.submit(self.check_external, name, say) for name in self.external}
                failures = [error for work in (*started.values(), *checked.values()) if (error := work.exception())]
            if failures:
                known = [str(error) for error in failures if isinstance(error, RecoupError)]
                if len(known) < len(failures):
                    raise next(error for error in failures if not isinstance(error, RecoupError))
                raise NotReady("\n".join(known))
            ours = {name: runner.address() for name, runner in self.runners.items()}
            layout.write_endpoints(self.endpoints_file, ours)
        return Endpoints(**(ours | self.external))

    def down(self, say: Say = silent, *, wipe: bool = False) -> None:
        """Stop what we started; with `wipe`, forget its data as well."""
        with self._lock(say):
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(lambda runner: runner.down(say), self.runners.values()))
            self.endpoints_file.unlink(missing_ok=True)
            if wipe:
                for folder in ("data", "logs", "run"):
                    with suppress(FileNotFoundError):
                        shutil.rmtree(self.home / folder)

    def status(self) -> list[PartStatus]:
        """How each part does, asked now, at the same time."""
        with ThreadPoolExecutor(3) as pool:
            ours = [pool.submit(runner.status) for runner in self.runners.values()]
            others = [pool.submit(self._external_status, name) for name in self.external]
            found = {status.name: status for status in (work.result() for work in (*ours, *others))}
        return [found[name] for name in ("kafka", "redis", "clickhouse")]

    def check_external(self, name: str, say: Say = silent) -> None:
        """Ask a server that the settings place elsewhere the same questions as our own."""
        say(name, f"is external: checking {name}")
        seconds = 10.0
        if name == "kafka":
            ready.kafka(self.settings.kafka, seconds)
        elif name == "redis":
            ready.redis(self.settings.redis, seconds)
        else:
            ready.clickhouse(self.settings.clickhouse, seconds)
        say(name, "answers")

    def _check_security(self) -> None:
        """The local servers speak plain text: settings for anything else are for servers that are named."""
        protocol = self.settings.kafka.security_protocol
        if "kafka" in self.runners and protocol != "PLAINTEXT":
            message = f"RECOUP_KAFKA__SECURITY_PROTOCOL is {protocol}, and the local broker speaks PLAINTEXT"
            raise BadInput(f"{message}: set RECOUP_KAFKA__BOOTSTRAP_SERVERS to a cluster, or remove it")
        if "redis" in self.runners and self.settings.redis.username not in (None, "default"):
            message = "RECOUP_REDIS__USERNAME is set, and the local Redis has no users"
            raise BadInput(f"{message}: set RECOUP_REDIS__URL to a server, or remove it")

    def _external_status(self, name: str) -> PartStatus:
        address = ready.without_password(self.external[name])
        try:
            self.check_external(name)
        except NotReady as error:
            return PartStatus(name=name, state="unreachable", address=address, detail=str(error))
        return PartStatus(name=name, state="external", address=address)

    @contextmanager
    def _lock(self, say: Say) -> Iterator[None]:
        """One `up` or `down` of this home at a time. The kernel frees the lock of a process that was killed."""
        (self.home / "run").mkdir(parents=True, exist_ok=True)
        path = self.home / "run" / "lock"
        with path.open("a+") as lock:
            deadline = time.monotonic() + LOCK_SECONDS
            told = False
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not told:
                        lock.seek(0)
                        holder = lock.read().strip() or "unknown"
                        say("stack", f"waiting for another `recoup up` or `down` (pid {holder})")
                        told = True
                    if time.monotonic() > deadline:
                        message = f"another command has held {path} for {LOCK_SECONDS:.0f} s; its pid is in that file"
                        raise NotReady(message) from None
                    time.sleep(0.05)
            lock.seek(0)
            lock.truncate()
            lock.write(str(os.getpid()))
            lock.flush()
            yield
