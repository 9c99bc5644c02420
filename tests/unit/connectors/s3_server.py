"""As much of S3 as the store asks for, in memory on loopback: objects put, got, asked about and listed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Bucket(ThreadingHTTPServer):
    """The server and what is in it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.objects: dict[str, bytes] = {}
        """By `bucket/key`."""
        self.refuse = False
        """Answers 403 to everything."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving() -> Iterator[Bucket]:
    """A bucket while the block runs."""
    with Bucket() as bucket:
        thread = threading.Thread(target=bucket.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield bucket
        finally:
            bucket.shutdown()
            thread.join()


class _Answer(BaseHTTPRequestHandler):
    server: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass

    def do_PUT(self) -> None:
        body = self._body()
        if self._allowed():
            self.server.objects[self._key()] = body
            self._send(200, b"", ETag='"0"')

    def do_HEAD(self) -> None:
        self._get()

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._list(query.get("prefix", [""])[0])
        else:
            self._get()

    def _get(self) -> None:
        if not self._allowed():
            return
        found = self.server.objects.get(self._key())
        if found is None:
            self._send(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        elif span := self.headers.get("Range"):
            first, _, last = span.removeprefix("bytes=").partition("-")
            part = found[int(first) : int(last) + 1]
            self._send(206, part, **{"Content-Range": f"bytes {first}-{last}/{len(found)}"})
        else:
            self._send(200, found, ETag='"0"')

    def _list(self, prefix: str) -> None:
        if not self._allowed():
            return
        bucket = self._key().rstrip("/")
        keys = [key.removeprefix(f"{bucket}/") for key in self.server.objects if key.startswith(f"{bucket}/{prefix}")]
        folders = {prefix + rest.split("/")[0] + "/" for key in keys if "/" in (rest := key.removeprefix(prefix))}
        common = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
        self._send(200, f"<ListBucketResult><KeyCount>{len(folders)}</KeyCount>{common}</ListBucketResult>".encode())

    def _allowed(self) -> bool:
        if self.server.refuse or "Credential=reader/" not in self.headers.get("Authorization", ""):
            self._send(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
            return False
        return True

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            raw = b"".join(self._chunks())
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _unsigned(raw) if "aws-chunked" in self.headers.get("Content-Encoding", "") else raw

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _unsigned(raw: bytes) -> bytes:
    """The content of chunks that carry a signature or a checksum each."""
    content = b""
    while raw:
        head, _, raw = raw.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        content, raw = content + raw[:size], raw[size + 2 :]
    return content
