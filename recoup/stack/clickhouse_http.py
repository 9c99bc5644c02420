"""Speaks ClickHouse's HTTP protocol: headers, compression, streams, and failures with the status that fits them."""

import json
import secrets
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

from recoup.stack.clickhouse_access import Access
from recoup.stack.clickhouse_engine import Engine
from recoup.stack.clickhouse_errors import ClickHouseError, failure
from recoup.stack.clickhouse_request import Answer, Request, answer, summary
from recoup.stack.clickhouse_wire import Encoder, accepted, body, decoded, encoder, multipart

FIRST_BYTES = 1 << 18
"""A result that is shorter is sent at once, with its length, its summary and, if it fails, with the right status."""
SPOOL_BYTES = 16 << 20
"""Results that are to be complete before they are sent go to disk past this."""
WORTH_COMPRESSING = 1024
IDLE_SECONDS = 600.0


class Server(ThreadingHTTPServer):
    """One thread for each connection; how many statements run at once is the engine's affair."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], engine: Engine, access: Access) -> None:
        super().__init__(address, Handler)
        self.engine = engine
        self.access = access
        self.busy = 0
        self.idle = threading.Condition()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; anything else belongs into the log."""
        error = sys.exception()
        if error is not None and not isinstance(error, (ConnectionError, TimeoutError)):
            print_failure(error)

    def drain(self, seconds: float) -> None:
        """Wait for the requests that are being answered."""
        deadline = time.monotonic() + seconds
        with self.idle:
            while self.busy and (left := deadline - time.monotonic()) > 0:
                self.idle.wait(left)


class Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    server_version = "recoup-clickhouse"
    wbufsize = -1
    disable_nagle_algorithm = True  # With Nagle's algorithm SELECT 1 took 45 ms instead of 2.
    timeout = IDLE_SECONDS
    server: Server

    def log_message(self, *_: Any) -> None:
        """Statements may hold personal data: none is logged."""

    def do_GET(self) -> None:
        """Answer a check, or run a statement."""
        path = urlsplit(self.path).path
        if path in ("/ping", "/replicas_status"):
            self._plain(200, "Ok.\n")
        elif path != "/":
            self._plain(404, f"There is no handle {path}\n\nUse / or /ping for health checks.\n")
        else:
            self._query()

    do_POST = do_GET  # noqa: N815 - named by the base class
    do_HEAD = do_GET  # noqa: N815

    def _query(self) -> None:
        with self.server.idle:
            self.server.busy += 1
        self.sent = False
        self.close_connection = self.close_connection or self.headers.get("Connection", "").lower() == "close"
        self.raw = body(self.rfile.read, self.rfile.readline, self.headers)
        self.query_id = ""
        try:
            params = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True, errors="surrogateescape"))
            self.server.access.check(self.headers, params)
            request = self._request(params)
            self.query_id = request.query_id
            with answer(self.server.engine, request) as found:
                self._answer(request, found)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told in ClickHouse's form
            if not isinstance(error, ClickHouseError):
                print_failure(error)
            self._fail(failure(error))
        finally:
            with self.server.idle:
                self.server.busy -= 1
                self.server.idle.notify_all()

    def _request(self, params: dict[str, str]) -> Request:
        for header, name in (("X-ClickHouse-Database", "database"), ("X-ClickHouse-Format", "default_format")):
            if value := self.headers.get(header):
                params.setdefault(name, value)
        kind = self.headers.get("Content-Type", "")
        plain = decoded(self.raw, self.headers.get("Content-Encoding"))
        read_only = self.command != "POST"
        if not kind.lower().startswith("multipart/form-data"):
            return Request(params, plain, read_only)
        tables = []
        for name, file_name, content in multipart(b"".join(plain), kind):
            if file_name is None and (
                name == "query" or name.startswith("param_") or f"{name}_structure" not in params
            ):
                text = content.decode(errors="surrogateescape")
                params[name] = f"{params['query']}\n{text}" if name == "query" and params.get("query") else text
            else:
                tables.append((name, content))
        return Request(params, iter(()), read_only, tables)

    def _answer(self, request: Request, found: Answer) -> None:
        """Send what came back; what fails before the first byte was sent is answered with the right status."""
        if found.result is None:
            self._start(200, found.format, found.summary, len(found.data))
            self._write(found.data)
            return
        whole = request.params.get("wait_end_of_query") == "1"
        chunks = found.result.chunks(self.connection)
        with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            ended = True
            for chunk in chunks:
                spool.write(chunk)
                if not whole and spool.tell() >= FIRST_BYTES:
                    ended = False
                    break
            size = spool.tell()
            spool.seek(0)
            encoding = accepted(self.headers.get("Accept-Encoding")) if self._compresses(request, size) else None
            if ended:
                self._send_whole(found.format, summary(found.result.done.result()), spool, size, encoding)
            else:
                self._send_stream(found.format, _pieces(spool, chunks), encoding)

    def _compresses(self, request: Request, size: int) -> bool:
        return request.params.get("enable_http_compression") == "1" and size > WORTH_COMPRESSING

    def _send_whole(
        self, fmt: str | None, told: dict[str, int], spool: IO[bytes], size: int, encoding: str | None
    ) -> None:
        if encoding is None:
            self._start(200, fmt, told, size)
            for piece in _pieces(spool, iter(())):
                self._write(piece)
        else:
            self._start(200, fmt, told, None, encoding)
            self._chunks(_pieces(spool, iter(())), encoder(encoding))
            self._last_chunk()

    def _send_stream(self, fmt: str | None, pieces: Iterator[bytes], encoding: str | None) -> None:
        tag = secrets.token_hex(8)
        self._start(200, fmt, {}, None, encoding, tag)
        compress = encoder(encoding)
        try:
            self._chunks(pieces, compress)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001 - as above
            # The status is sent already: the failure goes behind the data, in the form that clients look for.
            text = failure(error).text(self.server.engine.version).rstrip("\n")
            mark = f"\r\n__exception__\r\n{tag}\r\n{text}\n{len(text) + 1} {tag}\r\n__exception__\r\n".encode()
            self._chunk(compress.feed(mark) + compress.finish() if compress else mark)
        self._last_chunk()

    def _chunks(self, pieces: Iterator[bytes], compress: Encoder | None) -> None:
        for piece in pieces:
            self._chunk(compress.feed(piece) if compress else piece)
        if compress:
            self._chunk(compress.finish())

    def _chunk(self, data: bytes) -> None:
        if not data or self.command == "HEAD":
            return
        if self.chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self.wfile.write(data)

    def _last_chunk(self) -> None:
        if self.chunked and self.command != "HEAD":
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _write(self, data: bytes) -> None:
        if data and self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()

    def _start(
        self,
        status: int,
        fmt: str | None,
        summary: dict[str, int],
        length: int | None,
        encoding: str | None = None,
        tag: str | None = None,
        error: int | None = None,
    ) -> None:
        """Status and headers. Without a length the body comes in chunks, or up to the end of the connection."""
        self._read_the_rest()
        self.chunked = length is None and self.request_version != "HTTP/1.0"
        self.close_connection = self.close_connection or (length is None and not self.chunked)
        headers = {
            "Content-Type": _content_type(fmt) if error is None else "text/plain; charset=UTF-8",
            "X-ClickHouse-Server-Display-Name": "recoup",
            "X-ClickHouse-Query-Id": self.query_id,
            "X-ClickHouse-Timezone": self.server.engine.timezone,
            "X-ClickHouse-Format": fmt,
            "X-ClickHouse-Summary": json.dumps({name: str(value) for name, value in summary.items()})
            if summary
            else None,
            "X-ClickHouse-Exception-Code": None if error is None else str(error),
            "X-ClickHouse-Exception-Tag": tag,
            "Content-Encoding": encoding,
            "Content-Length": None if length is None else str(length),
            "Transfer-Encoding": "chunked" if self.chunked else None,
            "Connection": "close" if self.close_connection else "Keep-Alive",
        }
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.sent = True

    def _read_the_rest(self) -> None:
        """A body that was not read would be taken for the next request."""
        try:
            read = 0
            for chunk in self.raw:
                read += len(chunk)
                if read > SPOOL_BYTES:
                    self.close_connection = True
                    return
        except ClickHouseError:
            self.close_connection = True

    def _fail(self, error: ClickHouseError) -> None:
        if self.sent:  # nothing can be said any more but that it is not complete
            self.close_connection = True
            return
        try:
            text = error.text(self.server.engine.version).encode(errors="surrogateescape")
            self._start(error.status, None, {}, len(text), error=error.code)
            self._write(text)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _plain(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8" if status == 200 else "text/plain; charset=UTF-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())
        self.wfile.flush()


def print_failure(error: BaseException) -> None:
    """Log where something of ours failed, without its message: that may hold a statement's data."""
    traceback.print_tb(error.__traceback__)
    sys.stderr.write(f"{type(error).__name__}\n")
    sys.stderr.flush()


def _pieces(spool: IO[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    while piece := spool.read(FIRST_BYTES):
        yield piece
    yield from rest


def _content_type(fmt: str | None) -> str:
    name = (fmt or "").lower()
    if name.startswith("json"):
        return "application/x-ndjson; charset=UTF-8" if "eachrow" in name else "application/json; charset=UTF-8"
    if name.startswith("csv"):
        return "text/csv; charset=UTF-8"
    if name.startswith(("tabseparated", "tsv")):
        return "text/tab-separated-values; charset=UTF-8"
    if name in ("native", "rowbinary", "arrow", "arrowstream", "parquet", "orc", "avro"):
        return "application/octet-stream"
    return "text/plain; charset=UTF-8"
