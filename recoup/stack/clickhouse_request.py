"""One request to the endpoint, taken apart and run: what is asked, with which settings, and what comes back."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from recoup.stack.clickhouse_engine import PLACE, Connection, Engine, Result, Session, identifier, quoted
from recoup.stack.clickhouse_errors import ClickHouseError, from_engine, not_supported
from recoup.stack.clickhouse_statement import Statement, SyntaxProblem, parse

HEAD_BYTES = 1 << 18
"""A statement with data behind it must fit into this, as ClickHouse's max_query_size demands."""
STATEMENT_BYTES = 64 << 20
"""The longest statement of any other kind."""

NOT_SETTINGS = frozenset(
    """database query default_format format query_id session_id session_timeout session_check compress decompress user
    password quota_key role client_protocol_version stacktrace close_session buffer_size wait_end_of_query
    send_progress_in_http_headers http_headers_progress_interval_ms enable_http_compression add_http_cors_header
    cancel_http_readonly_queries_on_client_close http_zlib_compression_level readonly""".split()
)
"""Parameters of the URL that are no settings of a query, or that this endpoint sees to itself."""

ONE_USER = ("USER", "ROLE", "QUOTA", "POLICY", "PROFILE", "MASKING")


@dataclass
class Request:
    """What a client asked."""

    params: dict[str, str]
    body: Iterator[bytes]
    read_only: bool = False
    forms: list[tuple[str, bytes]] = field(default_factory=list)
    """External tables: name and data."""

    @property
    def query_id(self) -> str:
        """The client's id for it, or a new one."""
        return self.params.setdefault("query_id", "") or self.params.update(query_id=str(uuid.uuid4())) or self.params["query_id"]

    def settings(self) -> dict[str, str]:
        """Settings for this statement alone."""
        tables = {f"{name}_{what}" for name, _ in self.forms for what in ("structure", "types", "format")}
        named = {
            name: value
            for name, value in self.params.items()
            if name not in NOT_SETTINGS and name not in tables and not name.startswith("param_")
        }
        for name in named:
            if not name.replace(".", "_").isidentifier():
                raise ClickHouseError(115, "UNKNOWN_SETTING", f"Unknown setting {quoted(name)}")
        return {"log_comment": self.query_id} | named

    def parameters(self) -> dict[str, str]:
        """Server-side query parameters."""
        return {name[len("param_") :]: value for name, value in self.params.items() if name.startswith("param_")}


@dataclass
class Answer:
    """What came back: either all of it, or a result that is still being written."""

    format: str | None = None
    data: bytes = b""
    result: Result | None = None
    summary: dict[str, int] = field(default_factory=dict)


@contextmanager
def answer(engine: Engine, request: Request) -> Iterator[Answer]:
    """Run the request's statement; the answer is valid inside the `with`. Raises ClickHouseError."""
    statement, data = _statement(request)
    _refuse(engine, request, statement)
    params = request.params
    with ExitStack() as stack:
        stack.enter_context(engine.turn())
        connection = stack.enter_context(
            engine.connection(
                params.get("session_id") or None,
                _session_timeout(params),
                must_exist=params.get("session_check") == "1",
                database=params.get("database"),
                settings=request.settings(),
            )
        )
        for name, content in request.forms:
            stack.enter_context(_external_table(connection, name, content, params))
        yield stack.enter_context(_run(engine, connection, request, statement, data))


@contextmanager
def _run(
    engine: Engine, connection: Connection, request: Request, statement: Statement, data: Iterator[bytes] | None
) -> Iterator[Answer]:
    fmt = statement.format or request.params.get("default_format") or "TabSeparated"
    if data is not None and statement.source is not None:
        with _kept_in_memory(data) as path:
            sql = statement.reading_from(path).decode(errors="surrogateescape")
            yield Answer(summary=_summary(connection.run(sql, params=request.parameters())))
    elif data is not None:
        for name, value in request.parameters().items():
            connection.run(f"SET param_{name} = {quoted(value)}")
        yield Answer(summary=_summary(connection.insert(_text(statement.text), str(statement.format), data)))
    elif _reads(engine, statement):
        sql = statement.writing_to(PLACE, fmt).decode(errors="surrogateescape")
        result = Result(engine, connection, sql, request.parameters(), request.query_id)
        try:
            yield Answer(fmt, result=result)
        finally:
            result.close()
    else:
        sql = _text(statement.text)
        done = connection.run(_kill(statement, sql), fmt, request.parameters())
        if isinstance(connection, Session):
            _remember(connection, statement, sql)
        written = bytes(done.bytes() or b"")
        yield Answer(fmt if written else None, written, summary=_summary(done))


def _statement(request: Request) -> tuple[Statement, Iterator[bytes] | None]:
    """The statement of the URL and the body together, and the data that belong to it."""
    query = request.params.get("query", "").encode(errors="surrogateescape")
    head, ended = b"", False
    if query:
        try:
            statement = parse(query)
        except SyntaxProblem as problem:
            raise ClickHouseError(problem.code, problem.name, str(problem)) from None
        if statement.data_start is not None:
            return statement, _with_start(query[statement.data_start :], request.body)
    while not ended and len(head) < HEAD_BYTES:
        piece = next(request.body, None)
        ended = piece is None
        head += piece or b""
    text = query + b"\n" + head if query and head else query or head
    if not text.strip():
        raise ClickHouseError(62, "SYNTAX_ERROR", "Empty query")
    try:
        statement = parse(text)
        if statement.data_start is not None:
            if statement.format == "Values" and request.parameters() and ended:
                return Statement(text, statement.words), None  # expressions with parameters: the engine reads them all
            return statement, _with_start(text[statement.data_start :], request.body)
        while not ended:
            piece = next(request.body, None)
            ended = piece is None
            text += piece or b""
            if len(text) > STATEMENT_BYTES:
                raise ClickHouseError(229, "QUERY_IS_TOO_LARGE", f"The statement is longer than {STATEMENT_BYTES} bytes")
            if ended:
                statement = parse(text)
    except SyntaxProblem as problem:
        raise ClickHouseError(problem.code, problem.name, str(problem)) from None
    return statement, None


def _with_start(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """The data that stood behind the statement, and those that follow."""
    return chain([start], rest) if start.strip() else rest


def _refuse(engine: Engine, request: Request, statement: Statement) -> None:
    """Say clearly what cannot be done, where the engine's own words would mislead or worse."""
    words = statement.words
    text = statement.text.upper()
    if request.params.get("compress") == "1" or request.params.get("decompress") == "1":
        raise not_supported("ClickHouse's own block compression (compress=1, decompress=1; use Content-Encoding)")
    if words[:1] in (("GRANT",), ("REVOKE",)):
        raise not_supported(words[0])
    if words[:1] in (("CREATE",), ("ALTER",), ("DROP",)) and any(word in ONE_USER for word in words[1:3]):
        raise not_supported(" ".join(word for word in words[:3] if word))
    if words[:2] in (("SYSTEM", "SHUTDOWN"), ("SYSTEM", "KILL")):
        raise not_supported("SYSTEM SHUTDOWN (use `recoup down`)")
    if words[:1] == ("CREATE",):
        for engine_name in (b"REPLICATED", b"KAFKA", b"RABBITMQ", b"NATS", b"S3QUEUE", b"SHARED"):
            if engine_name in text and _has_engine(text, engine_name):
                raise not_supported(f"The engine {engine_name.decode().capitalize()}...")
    if (request.read_only or request.params.get("readonly") in ("1", "2")) and not _reads(engine, statement):
        raise ClickHouseError(
            164,
            "READONLY",
            "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. "
            "You should use method POST for modifying queries.",
        )


def _has_engine(text: bytes, name: bytes) -> bool:
    place = text.find(name)
    return place > 0 and text[:place].rstrip(b" \t\r\n=").endswith(b"ENGINE")


def _reads(engine: Engine, statement: Statement) -> bool:
    """Whether it only reads and so has a result that can be streamed."""
    if statement.kind == "INSERT" or statement.data_start is not None:
        return False
    kind = engine.keeper.inner.classify_query(_text(statement.text))["query_class"].name
    return kind == "READ_ONLY" or (kind == "UNKNOWN" and statement.kind in ("SELECT", "WITH", ""))


def _kill(statement: Statement, sql: str) -> str:
    """KILL QUERY by the client's own query id: chDB gives every query another id, ours is in its log_comment."""
    if statement.words[:2] != ("KILL", "QUERY"):
        return sql
    return sql.replace("query_id", "if(Settings['log_comment'] != '', Settings['log_comment'], query_id)")


def _remember(session: Session, statement: Statement, sql: str) -> None:
    """What SET and USE changed in a session, so that it can be given back after a request with settings of its own."""
    if statement.kind == "USE":
        session.database = sql.split(None, 1)[1].strip().strip("`\"")
    elif statement.kind == "SET":
        for name in _names_set(sql):
            value = session.run(f"SELECT value FROM system.settings WHERE name = {quoted(name)}").data()
            session.kept[name] = "'" + str(value).rstrip("\n") + "'"  # TabSeparated escapes as literals do


def _names_set(sql: str) -> list[str]:
    parts = sql.split(None, 1)[1].split("=")
    return [part.replace(",", " ").split()[-1].strip("`") for part in parts[:-1] if part.split()]


def _session_timeout(params: dict[str, str]) -> float:
    try:
        timeout = float(params.get("session_timeout") or 60)
    except ValueError:
        raise ClickHouseError(374, "INVALID_SESSION_TIMEOUT", "Invalid session timeout") from None
    if timeout > 3600:
        raise ClickHouseError(374, "INVALID_SESSION_TIMEOUT", f"Session timeout {timeout:.0f} is larger than max_session_timeout: 3600")
    return timeout


@contextmanager
def _external_table(connection: Connection, name: str, content: bytes, params: dict[str, str]) -> Iterator[None]:
    """A temporary table that holds a file of the request, for this request."""
    structure, types = params.get(f"{name}_structure"), params.get(f"{name}_types")
    if not structure and not types:
        message = f"Neither structure nor types have been provided for external table {name}. Use fields {name}_structure or {name}_types"
        raise ClickHouseError(36, "BAD_ARGUMENTS", message)
    if not structure:
        structure = ", ".join(f"_{number} {kind}" for number, kind in enumerate(_split_types(str(types)), 1))
    connection.run(f"CREATE TEMPORARY TABLE {identifier(name)} ({structure}) ENGINE = Memory")
    try:
        connection.insert(f"INSERT INTO {identifier(name)}", params.get(f"{name}_format") or "TabSeparated", iter([content]))
        yield
    finally:
        connection.run(f"DROP TEMPORARY TABLE IF EXISTS {identifier(name)}")


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
def _kept_in_memory(data: Iterator[bytes]) -> Iterator[str]:
    """A path under which the engine can read a request's body."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("body")
        path = f"/proc/self/fd/{descriptor}"
    else:
        descriptor, path = tempfile.mkstemp(prefix="recoup-body-")
    try:
        for chunk in data:
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
        yield path
    finally:
        os.close(descriptor)
        if not path.startswith("/proc/"):
            os.unlink(path)


def _summary(done: Any) -> dict[str, int]:
    """What ClickHouse tells in X-ClickHouse-Summary."""
    if hasattr(done, "storage_rows_read"):
        return {
            "read_rows": done.storage_rows_read(),
            "read_bytes": done.storage_bytes_read(),
            "written_rows": done.rows_written(),
            "written_bytes": done.bytes_written(),
            "result_rows": done.rows_written() or done.rows_read(),
            "result_bytes": done.bytes_written() or done.bytes_read(),
            "elapsed_ns": int(done.elapsed() * 1e9),
        }
    return {
        "written_rows": done.rows_written(),
        "written_bytes": done.bytes_written(),
        "result_rows": done.rows_written(),
        "result_bytes": done.bytes_written(),
        "elapsed_ns": int(done.elapsed() * 1e9),
    }


def summary_of(result: Result) -> dict[str, int]:
    """The summary of a result that has been read to its end."""
    return _summary(result.done.result())


def _text(sql: bytes) -> str:
    return sql.decode(errors="surrogateescape")


def failure(error: Exception) -> ClickHouseError:
    """Any exception as ClickHouse would tell it."""
    return error if isinstance(error, ClickHouseError) else from_engine(error)
