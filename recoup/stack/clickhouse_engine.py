"""chDB for many clients at once: every request has its own connection, so nothing leaks from one to the next."""

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from fcntl import fcntl
from pathlib import Path
from typing import Any

import chdb

from recoup.stack.clickhouse_errors import ClickHouseError, failure

PIPE_BYTES = 1 << 20
READ_BYTES = 1 << 18
F_SETPIPE_SZ = 1031
WAIT_FOR_TURN_SECONDS = 60.0


def quoted(value: str) -> str:
    """A string literal of ClickHouse."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A quoted name."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


class Connection:
    """One chDB session. Used by one request at a time."""

    def __init__(self, location: str) -> None:
        self.outer = chdb.connect(location)  # closes itself when it is let go
        self.inner = self.outer._conn  # noqa: SLF001 - takes statements as bytes and results without copies

    def run(self, sql: bytes, fmt: str = "TabSeparated", params: dict[str, str] | None = None) -> Any:
        """Run a statement to its end; the whole result is held in memory."""
        try:
            return self.inner.query(sql, fmt, params=params or {})
        except RuntimeError as error:
            raise failure(error) from None

    def insert(self, sql: bytes, fmt: str, chunks: Iterator[bytes]) -> Any:
        """Feed an INSERT as its data arrive. Nothing is committed unless all of it came."""
        try:
            inserter = self.inner.send_insert(sql, fmt)
        except RuntimeError as error:
            raise failure(error) from None
        try:
            for chunk in chunks:
                self.inner.insert_append(inserter, chunk)
            finishing, inserter = inserter, None
            return self.inner.insert_done(finishing)
        except RuntimeError as error:
            raise failure(error) from None
        finally:
            if inserter is not None:
                with suppress(RuntimeError):
                    self.inner.insert_cancel(inserter)

    def close(self) -> None:
        """Give the session back."""
        self.outer.close()


class Session(Connection):
    """A connection that a client keeps between requests, by name."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.lock = threading.Lock()
        self.expires = float("inf")
        self.kept: dict[str, str] = {}
        """Settings made by SET in the session; those of a single request are undone after it."""
        self.database = "default"

    def remember(self, names: list[str]) -> None:
        """Keep what SET has just set."""
        for name in names:
            query = f"SELECT value FROM system.settings WHERE name = {quoted(name)}"  # noqa: S608 - quoted
            value = self.run(query.encode()).data()
            if value:
                self.kept[name] = "'" + str(value).rstrip("\n") + "'"  # TabSeparated escapes as literals do


class Result:
    """A statement's result as it is written: through a pipe, so that it is never held in memory.

    The engine formats into the pipe from a thread of its own and waits while nobody reads.
    """

    def __init__(self, engine: "Engine", connection: Connection, sql: bytes, params: dict[str, str], tag: str) -> None:
        self.engine = engine
        self.tag = tag
        self.reader, writer = os.pipe()
        with suppress(OSError):
            fcntl(writer, F_SETPIPE_SZ, PIPE_BYTES)
        self.done: Future[Any] = engine.threads.submit(_write_result, connection, sql, params, writer)

    def chunks(self, client: socket.socket) -> Iterator[bytes]:
        """The bytes, and then the failure if there was one. Cancels the query when the client goes away."""
        poll = select.poll()
        poll.register(self.reader, select.POLLIN)
        poll.register(client, select.POLLIN | select.POLLRDHUP)
        while True:
            ready = dict(poll.poll())
            if self.reader in ready:
                data = os.read(self.reader, READ_BYTES)
                if not data:
                    break
                yield data
            elif _has_left(client):
                raise ConnectionResetError("the client went away")
            else:
                poll.unregister(client)  # its next request is waiting already
        self.done.result()

    def close(self) -> None:
        """Stop the query if it still runs, and free the pipe."""
        if not self.done.done():
            self.engine.cancel(self.tag)
            with suppress(OSError):
                while os.read(self.reader, READ_BYTES):
                    pass
        with suppress(Exception):
            self.done.result()
        os.close(self.reader)


def _write_result(connection: Connection, sql: bytes, params: dict[str, str], writer: int) -> Any:
    try:
        return connection.run(sql.replace(PLACE.encode(), f"{DESCRIPTORS}/{writer}".encode()), params=params)
    finally:
        os.close(writer)


DESCRIPTORS = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
PLACE = "/dev/fd/result-of-this-request"
"""Stands in the SQL for the pipe that the result goes to."""


class Engine:
    """The one embedded database of this process."""

    def __init__(self, path: Path, requests: int, memory_bytes: int) -> None:
        options = f"?max_memory_usage={memory_bytes}" if memory_bytes else ""
        self.location = f"{path}{options}"
        self.keeper = Connection(self.location)
        """Keeps the engine alive between requests."""
        row = self.keeper.run(b"SELECT version(), timezone()").data().split()
        self.version, self.timezone = str(row[0]), str(row[1])
        self.turns = threading.BoundedSemaphore(requests)
        self.threads = ThreadPoolExecutor(requests, thread_name_prefix="query")
        self.sessions: dict[str, Session] = {}
        self.sessions_lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One of the statements that may run at once."""
        if not self.turns.acquire(timeout=WAIT_FOR_TURN_SECONDS):
            raise ClickHouseError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many statements run at once; try again")
        try:
            yield
        finally:
            self.turns.release()

    @contextmanager
    def connection(
        self, session: str | None, seconds: float, *, must_exist: bool, database: str | None, settings: dict[str, str]
    ) -> Iterator[Connection]:
        """A connection with this request's database and settings; they are gone afterwards."""
        if session is None:
            connection = Connection(self.location)
            try:
                _apply(connection, database, settings)
                yield connection
            finally:
                connection.close()
            return
        kept = self._session(session, must_exist=must_exist)
        try:
            try:
                _apply(kept, database, settings)
                yield kept
            finally:
                _undo(kept, database, settings)
        finally:
            kept.expires = time.monotonic() + seconds
            kept.lock.release()

    def cancel(self, tag: str) -> None:
        """Stop the query that carries this tag."""
        connection = Connection(self.location)
        try:
            connection.run(f"KILL QUERY WHERE Settings['log_comment'] = {quoted(tag)} ASYNC".encode())
        except ClickHouseError:
            pass  # it has just ended
        finally:
            connection.close()

    def reads(self, sql: bytes) -> bool:
        """Whether a statement only reads, so that its result can be sent through a pipe."""
        return bool(self.keeper.inner.classify_query(sql)["query_class"].name == "READ_ONLY")

    def end_sessions(self, now: float) -> None:
        """Forget the sessions that nobody has used for their time-out, so that they do not gather."""
        with self.sessions_lock:
            for name, session in list(self.sessions.items()):
                if session.expires < now and session.lock.acquire(blocking=False):
                    del self.sessions[name]
                    session.close()

    def close(self) -> None:
        """Close what is open; the engine writes what it still holds."""
        self.end_sessions(float("inf"))
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.keeper.close()

    def _session(self, name: str, *, must_exist: bool) -> Session:
        with self.sessions_lock:
            session = self.sessions.get(name)
            if session is not None and session.expires < time.monotonic() and session.lock.acquire(blocking=False):
                self.sessions.pop(name).close()
                session = None
            if session is None:
                if must_exist:
                    raise ClickHouseError(372, "SESSION_NOT_FOUND", "Session not found")
                session = self.sessions[name] = Session(self.location)
            if not session.lock.acquire(blocking=False):
                raise ClickHouseError(373, "SESSION_IS_LOCKED", "Session is locked by a concurrent client")
            return session


def _apply(connection: Connection, database: str | None, settings: dict[str, str]) -> None:
    if database and database != getattr(connection, "database", "default"):
        connection.run(f"USE {identifier(database)}".encode())
    if settings:
        values = ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items())
        connection.run(f"SET {values}".encode(errors="surrogateescape"))


def _undo(session: Session, database: str | None, settings: dict[str, str]) -> None:
    """Give a session back what it had before the request."""
    if database and database != session.database:
        with suppress(ClickHouseError):
            session.run(f"USE {identifier(session.database)}".encode())
    values = ", ".join(f"{name} = {session.kept.get(name, 'DEFAULT')}" for name in settings)
    if values:
        with suppress(ClickHouseError):  # an unknown setting was refused in the first place
            session.run(f"SET {values}".encode())


def _has_left(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
