"""One request to the endpoint, taken apart and run: what is asked, with which settings, and what comes back."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from recoup.stack.clickhouse_engine import PLACE, Connection, Engine, Result, Session, identifier, quoted
from recoup.stack.clickhouse_errors import ClickHouseError, not_supported
from recoup.stack.clickhouse_statement import Statement, parse

HEAD_BYTES = 1 << 18
"""A statement with data behind it must fit into this, as ClickHouse's max_query_size demands."""
STATEMENT_BYTES = 64 << 20
"""The longest statement of any other kind."""
SESSION_SECONDS = 60.0
LONGEST_SESSION_SECONDS = 3600.0

NOT_SETTINGS = frozenset(
    {
        # of the HTTP interface itself
        *("database", "query", "default_format", "format", "query_id", "user", "password", "quota_key", "role"),
        *("session_id", "session_timeout", "session_check", "close_session", "compress", "decompress", "stacktrace"),
        *("client_protocol_version", "buffer_size", "wait_end_of_query", "enable_http_compression"),
        # about headers and connections that this endpoint sees to by itself
        *("send_progress_in_http_headers", "http_headers_progress_interval_ms", "http_zlib_compression_level"),
        *("cancel_http_readonly_queries_on_client_close", "add_http_cors_header"),
        # seen to before the statement is run: once set, it could not be taken back in a session
        "readonly",
    }
)
"""Parameters of the URL that are no settings of the query."""

ACCESS_ENTITIES = ("USER", "ROLE", "QUOTA", "POLICY", "PROFILE", "MASKING")
FOREIGN_ENGINES = ("REPLICATED", "SHARED", "KAFKA", "RABBITMQ", "NATS", "S3QUEUE", "AZUREQUEUE", "KEEPERMAP")
OWN_QUERY_ID = b"if(Settings['log_comment'] != '', Settings['log_comment'], query_id)"
"""chDB gives every query an id of its own; the client's rides in its log_comment."""


@dataclass
class Request:
    """What a client asked."""

    params: dict[str, str]
    body: Iterator[bytes]
    read_only: bool = False
    tables: list[tuple[str, bytes]] = field(default_factory=list)
    """External tables of a multipart request: name and data."""

    def __post_init__(self) -> None:
        if not self.params.get("query_id"):
            self.params["query_id"] = str(uuid.uuid4())

    @property
    def query_id(self) -> str:
        """The client's id for it, or a new one."""
        return self.params["query_id"]

    def settings(self) -> dict[str, str]:
        """Settings for this statement alone."""
        of_tables = {f"{name}_{what}" for name, _ in self.tables for what in ("structure", "types", "format")}
        named = {"log_comment": self.query_id}
        for name, value in self.params.items():
            if name in NOT_SETTINGS or name in of_tables or name.startswith("param_"):
                continue
            if not name.replace(".", "_").isidentifier():
                raise ClickHouseError(115, "UNKNOWN_SETTING", f"Unknown setting {quoted(name)}")
            named[name] = value
        return named

    def parameters(self) -> dict[str, str]:
        """Server-side query parameters."""
        given = {name.removeprefix("param_"): value for name, value in self.params.items() if name.startswith("param_")}
        for name, value in given.items():
            if not value.isascii() and value.encode(errors="replace") != value.encode(errors="surrogateescape"):
                raise ClickHouseError(36, "BAD_ARGUMENTS", f"The query parameter {quoted(name)} is not UTF-8")
        return given

    def session_seconds(self) -> float:
        """How long an unused session is kept."""
        try:
            seconds = float(self.params.get("session_timeout") or SESSION_SECONDS)
        except ValueError:
            raise ClickHouseError(374, "INVALID_SESSION_TIMEOUT", "Invalid session timeout") from None
        if seconds > LONGEST_SESSION_SECONDS:
            message = f"Session timeout {seconds:.0f} is larger than max_session_timeout: {LONGEST_SESSION_SECONDS:.0f}"
            raise ClickHouseError(374, "INVALID_SESSION_TIMEOUT", message)
        return seconds


@dataclass
class Answer:
    """What came back: all of it, or a result that is still being written."""

    format: str | None = None
    data: bytes = b""
    result: Result | None = None
    summary: dict[str, int] = field(default_factory=dict)


@contextmanager
def answer(engine: Engine, request: Request) -> Iterator[Answer]:
    """Run the request's statement; the answer is valid inside the `with`. Raises ClickHouseError."""
    statement, data = _statement(request)
    reads = data is None and engine.reads(statement.text)
    _refuse(request, statement, reads=reads)
    params = request.params
    with ExitStack() as stack:
        stack.enter_context(engine.turn())
        kept = engine.connection(
            params.get("session_id") or None,
            request.session_seconds(),
            must_exist=params.get("session_check") == "1",
            database=params.get("database"),
            settings=request.settings(),
        )
        connection = stack.enter_context(kept)
        for name, content in request.tables:
            stack.enter_context(_external_table(connection, name, content, params))
        if data is not None:
            yield _write(connection, request, statement, data)
        elif reads:
            fmt = statement.format or params.get("default_format") or "TabSeparated"
            sql = statement.writing_to(PLACE, fmt)
            result = Result(engine, connection, sql, request.parameters(), request.query_id)
            stack.callback(result.close)
            yield Answer(fmt, result=result)
        else:
            yield _do(connection, request, statement)


def _write(connection: Connection, request: Request, statement: Statement, data: Iterator[bytes]) -> Answer:
    """An INSERT whose data come with the request."""
    if statement.input is not None:
        with _readable(data) as path:
            done = connection.run(statement.reading_from(path, statement.input), params=request.parameters())
        return Answer(summary=summary(done))
    for name, value in request.parameters().items():
        connection.run(f"SET param_{name} = {quoted(value)}".encode())
    return Answer(summary=summary(connection.insert(statement.text, str(statement.format), data)))


def _do(connection: Connection, request: Request, statement: Statement) -> Answer:
    """Anything that changes something, or whose result is short."""
    fmt = statement.format or request.params.get("default_format") or "TabSeparated"
    text = statement.text
    kills = statement.words[:2] == ("KILL", "QUERY")
    if kills:
        text = statement.renamed(b"query_id", OWN_QUERY_ID)
    done = connection.run(text, fmt, request.parameters())
    if isinstance(connection, Session) and statement.kind == "USE":
        connection.database = statement.last_name()
    elif isinstance(connection, Session) and statement.kind == "SET":
        connection.remember(statement.names_set())
    written = bytes(done.bytes() or b"")
    return Answer(fmt if written or kills else None, written, summary=summary(done))


def _statement(request: Request) -> tuple[Statement, Iterator[bytes] | None]:
    """The statement of the URL and the body together, and the data that belong to it."""
    text = request.params.get("query", "").encode(errors="surrogateescape")
    if text:
        statement = parse(text)
        if statement.data_start is not None:
            return statement, _with_start(text[statement.data_start :], request.body)
    head, ended = b"", False
    while not ended and len(head) < HEAD_BYTES:
        ended, head = _more(request.body, head)
    text = text + b"\n" + head if text and head else text or head
    if not text.strip():
        raise ClickHouseError(62, "SYNTAX_ERROR", "Empty query")
    statement = parse(text)
    if statement.data_start is not None:
        if statement.format == "Values" and request.parameters() and ended:
            return Statement(text, statement.words), None  # expressions with parameters: the engine reads them all
        return statement, _with_start(text[statement.data_start :], request.body)
    if ended:
        return statement, None
    while not ended:
        ended, text = _more(request.body, text)
        if len(text) > STATEMENT_BYTES:
            raise ClickHouseError(229, "QUERY_IS_TOO_LARGE", f"The statement is longer than {STATEMENT_BYTES} bytes")
    return parse(text), None


def _more(body: Iterator[bytes], text: bytes) -> tuple[bool, bytes]:
    """Whether the body has ended, and the text with its next piece."""
    piece = next(body, None)
    return piece is None, text + (piece or b"")


def _with_start(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """The data that stood behind the statement, and those that follow."""
    return chain([start], rest) if start.strip() else rest


def _refuse(request: Request, statement: Statement, *, reads: bool) -> None:
    """Say clearly what cannot be done, where the engine's own words would mislead, or worse."""
    words = statement.words
    if "1" in (request.params.get("compress"), request.params.get("decompress")):
        raise not_supported("ClickHouse's own block compression (compress=1, decompress=1; use Content-Encoding)")
    if statement.kind in ("GRANT", "REVOKE"):
        raise not_supported(statement.kind)
    if statement.kind in ("CREATE", "ALTER", "DROP") and any(word in ACCESS_ENTITIES for word in words[1:3]):
        raise not_supported(" ".join(words[: 3 if words[2:3] == ("POLICY",) or words[2:3] == ("PROFILE",) else 2]))
    if words[:2] in (("SYSTEM", "SHUTDOWN"), ("SYSTEM", "KILL")):
        raise not_supported(f"{' '.join(words[:2])} (use `recoup down`)")
    if statement.kind in ("CREATE", "ATTACH") and statement.engine().startswith(FOREIGN_ENGINES):
        raise not_supported(f"The engine {statement.engine()}")
    if not reads and (request.read_only or request.params.get("readonly") in ("1", "2")):
        message = (
            "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. "
            "You should use method POST for modifying queries."
        )
        raise ClickHouseError(164, "READONLY", message)


@contextmanager
def _external_table(connection: Connection, name: str, content: bytes, params: dict[str, str]) -> Iterator[None]:
    """A temporary table that holds a file of the request, for this request."""
    structure, types = params.get(f"{name}_structure"), params.get(f"{name}_types")
    if not structure and not types:
        message = f"Neither structure nor types have been provided for the external table {name}"
        raise ClickHouseError(36, "BAD_ARGUMENTS", f"{message}. Use fields {name}_structure or {name}_types")
    if not structure:
        structure = ", ".join(f"_{number} {kind}" for number, kind in enumerate(_split_types(str(types)), 1))
    table = identifier(name)
    connection.run(f"CREATE TEMPORARY TABLE {table} ({structure}) ENGINE = Memory".encode())
    try:
        fmt = params.get(f"{name}_format") or "TabSeparated"
        connection.insert(f"INSERT INTO {table}".encode(), fmt, iter([content]))
        yield
    finally:
        connection.run(f"DROP TEMPORARY TABLE IF EXISTS {table}".encode())


def _split_types(types: str) -> list[str]:
    """Split at commas that stand in no parentheses."""
    found, depth, start = [], 0, 0
    for place, mark in enumerate(types):
        depth += (mark == "(") - (mark == ")")
        if mark == "," and depth == 0:
            found.append(types[start:place])
            start = place + 1
    return [kind.strip() for kind in (*found, types[start:]) if kind.strip()]


@contextmanager
def _readable(data: Iterator[bytes]) -> Iterator[str]:
    """A path under which the engine can read a request's body: in memory where the system can."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("body")
        path = Path(f"/proc/self/fd/{descriptor}")
    else:
        descriptor, name = tempfile.mkstemp(prefix="recoup-body-")
        path = Path(name)
    try:
        for chunk in data:
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
        yield str(path)
    finally:
        os.close(descriptor)
        if path.parent != Path("/proc/self/fd"):
            path.unlink()


def summary(done: Any) -> dict[str, int]:
    """What ClickHouse tells in X-ClickHouse-Summary, of a statement that has ended."""
    if not hasattr(done, "storage_rows_read"):  # an insert knows only what it wrote
        rows, size = done.rows_written(), done.bytes_written()
        return {"written_rows": rows, "written_bytes": size, "result_rows": rows, "result_bytes": size}
    return {
        "read_rows": done.storage_rows_read(),
        "read_bytes": done.storage_bytes_read(),
        "written_rows": done.rows_written(),
        "written_bytes": done.bytes_written(),
        "result_rows": done.rows_written() or done.rows_read(),
        "result_bytes": done.bytes_written() or done.bytes_read(),
        "elapsed_ns": int(done.elapsed() * 1e9),
    }
