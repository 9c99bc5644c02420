"""The bytes of ClickHouse's HTTP interface: bodies in, results out, compressed either way, multipart forms."""

import importlib
import importlib.util
import re
import zlib
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any, Protocol

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from recoup.stack.clickhouse_errors import ClickHouseError

Read = Callable[[int], bytes]
READ_BYTES = 1 << 18
ENCODINGS = ("lz4", "zstd", "gzip", "deflate", "br")
"""Best first: what a client accepts and we have."""
BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
DISPOSITION = re.compile(
    rb'content-disposition:[^\r\n]*?\bname="([^"]*)"(?:[^\r\n]*?\bfilename="([^"]*)")?', re.IGNORECASE
)


class Encoder(Protocol):
    """Compresses a body piece by piece."""

    def feed(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class CutShort(ClickHouseError):
    """The body ended before its announced end: nothing of it may be committed."""

    def __init__(self, what: str) -> None:
        super().__init__(33, "CANNOT_READ_ALL_DATA", f"{what}; nothing was written")


def body(read: Read, read_line: Read, headers: "Message[str, str]") -> Iterator[bytes]:
    """The request's body as it arrives, without the chunked transfer's framing."""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        yield from _chunked(read, read_line)
        return
    try:
        length = int(headers.get("Content-Length") or 0)
    except ValueError:
        raise ClickHouseError(36, "BAD_ARGUMENTS", "Content-Length is not a number") from None
    yield from _exactly(read, length)


def _chunked(read: Read, read_line: Read) -> Iterator[bytes]:
    while True:
        try:
            length = int(read_line(1024).split(b";")[0], 16)
        except ValueError:
            raise CutShort("The connection ended in the middle of a chunked body") from None
        if length == 0:
            while read_line(65_536).strip():
                pass  # trailers
            return
        yield from _exactly(read, length)
        read_line(8)


def _exactly(read: Read, length: int) -> Iterator[bytes]:
    while length:
        data = read(min(length, READ_BYTES))
        if not data:
            raise CutShort(f"The connection ended with {length} bytes still to come")
        length -= len(data)
        yield data


def decoded(chunks: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """Decompress a body; several frames may follow one another."""
    if not encoding or encoding == "identity":
        yield from chunks
        return
    make = _decompressors().get(encoding.lower())
    if make is None:
        raise ClickHouseError(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method: {encoding}")
    frame, fresh = make(), True
    try:
        for chunk in chunks:
            left = chunk
            while left:
                plain, fresh = frame.decompress(left), False
                if plain:
                    yield plain
                left = b""
                if getattr(frame, "eof", False):
                    left, frame, fresh = frame.unused_data or b"", make(), True
    except (RuntimeError, OSError, zlib.error, zstandard.ZstdError) as error:
        raise ClickHouseError(
            271, "CANNOT_DECOMPRESS", f"The {encoding} body cannot be decompressed: {error}"
        ) from error
    if not fresh and hasattr(frame, "eof"):
        raise CutShort(f"The {encoding} body ends in the middle of a frame")


def _decompressors() -> dict[str, Callable[[], Any]]:
    made: dict[str, Callable[[], Any]] = {
        "lz4": lz4.frame.LZ4FrameDecompressor,
        "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
        "gzip": lambda: zlib.decompressobj(wbits=31),
        "deflate": lambda: zlib.decompressobj(wbits=15),
    }
    if brotli := _brotli():
        made["br"] = lambda: _BrotliFrame(brotli.Decompressor())
    return made


class _BrotliFrame:
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def decompress(self, data: bytes) -> bytes:
        return bytes(self.inner.process(data))


class _Lz4:
    def __init__(self) -> None:
        self.context = lz4.frame.LZ4FrameCompressor()
        self.head = bytes(self.context.begin())

    def feed(self, data: bytes) -> bytes:
        head, self.head = self.head, b""
        return head + bytes(self.context.compress(data))

    def finish(self) -> bytes:
        return self.head + bytes(self.context.flush())


class _Object:
    """zlib, zstandard and brotli objects differ in one name."""

    def __init__(self, inner: Any) -> None:
        self.compress: Callable[[bytes], bytes] = getattr(inner, "compress", None) or inner.process
        self.flush: Callable[[], bytes] = getattr(inner, "flush", None) or inner.finish
        if not hasattr(inner, "compress"):
            self.flush = inner.finish

    def feed(self, data: bytes) -> bytes:
        return bytes(self.compress(data))

    def finish(self) -> bytes:
        return bytes(self.flush())


def encoder(encoding: str | None) -> Encoder | None:
    """A compressor for one answer; None = as it is."""
    match encoding:
        case "lz4":
            return _Lz4()
        case "zstd":
            return _Object(zstandard.ZstdCompressor(level=1).compressobj())
        case "gzip":
            return _Object(zlib.compressobj(level=1, wbits=31))
        case "deflate":
            return _Object(zlib.compressobj(level=1, wbits=15))
        case "br":
            brotli = _brotli()
            return _Object(brotli.Compressor(quality=1)) if brotli else None
    return None


def accepted(header: str | None) -> str | None:
    """The encoding to answer with, of those that the client accepts."""
    parts = [part.replace(" ", "").lower() for part in (header or "").split(",")]
    offered = {part.split(";")[0] for part in parts if not part.endswith(";q=0")}
    return next((name for name in ENCODINGS if name in offered and (name != "br" or _brotli())), None)


def multipart(data: bytes, content_type: str) -> Iterator[tuple[str, str | None, bytes]]:
    """The parts of a form: (name, file name or None, bytes)."""
    found = BOUNDARY.search(content_type)
    if found is None:
        raise ClickHouseError(36, "BAD_ARGUMENTS", "A multipart body needs the boundary in its Content-Type")
    mark = b"--" + found.group(1).encode("latin-1")
    for part in (b"\r\n" + data).split(b"\r\n" + mark)[1:]:
        if part.startswith(b"--"):
            return
        head, _, content = part.partition(b"\r\n\r\n")
        name = DISPOSITION.search(head)
        if name is None:
            raise ClickHouseError(36, "BAD_ARGUMENTS", "A part of the multipart body has no name")
        yield name.group(1).decode(), name.group(2).decode() if name.group(2) is not None else None, content
    raise CutShort("The multipart body has no closing boundary")


def _brotli() -> Any:
    """Brotli when it is installed; nothing here needs it."""
    return importlib.import_module("brotli") if importlib.util.find_spec("brotli") else None
