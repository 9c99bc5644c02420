"""Bodies are read, packed and unpacked whole, in whatever pieces they come."""

import gzip
import io
from email.message import Message

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from recoup.stack.clickhouse_errors import ClickHouseError, failure
from recoup.stack.clickhouse_wire import CutShort, accepted, body, decoded, encoder, multipart

PACK = {"gzip": gzip.compress, "zstd": zstandard.compress, "lz4": lz4.frame.compress}


def headers(**values: str) -> Message:
    message = Message()
    for name, value in values.items():
        message[name.replace("_", "-")] = value
    return message


def read(raw: bytes, **values: str) -> bytes:
    stream = io.BytesIO(raw)
    return b"".join(body(stream.read, stream.readline, headers(**values)))


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_a_body_has_its_announced_length() -> None:
    assert read(b"abcdef", Content_Length="3") == b"abc"
    assert read(b"abc") == b""
    assert read(b"3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n", Transfer_Encoding="chunked") == b"abcde"
    for raw, values in ((b"ab", {"Content_Length": "3"}), (b"3\r\nab", {"Transfer_Encoding": "chunked"})):
        with pytest.raises(CutShort):
            read(raw, **values)
    with pytest.raises(ClickHouseError, match="Content-Length"):
        read(b"", Content_Length="many")


@given(
    st.lists(st.binary(min_size=1, max_size=2000), min_size=1, max_size=4),
    st.integers(1, 500),
    st.sampled_from(sorted(PACK)),
)
def test_frames_one_behind_the_other_are_one_body(parts: list[bytes], size: int, encoding: str) -> None:
    packed = b"".join(PACK[encoding](part) for part in parts)
    assert b"".join(decoded(iter(pieces(packed, size)), encoding)) == b"".join(parts)


@pytest.mark.parametrize("encoding", sorted(PACK))
def test_a_frame_that_is_cut_short_or_garbled_is_told(encoding: str) -> None:
    packed = PACK[encoding](b"some text" * 1000)
    with pytest.raises(CutShort):
        list(decoded(iter([packed[:-5]]), encoding))
    with pytest.raises(ClickHouseError, match="decompress"):
        list(decoded(iter([b"this is no frame at all, whatever it claims to be"]), encoding))


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4", "deflate"])
def test_what_is_packed_here_is_unpacked_there(encoding: str) -> None:
    data = [b"a" * 1000, b"", b"b" * 100_000]
    compressor = encoder(encoding)
    assert compressor is not None
    packed = b"".join([*map(compressor.feed, data), compressor.finish()])
    assert len(packed) < 2000
    assert b"".join(decoded(iter([packed]), encoding)) == b"".join(data)


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("zstd;q=0.5, lz4", "lz4"),
        ("lz4;q=0", None),
    ],
)
def test_the_best_encoding_that_the_client_accepts(header: str | None, chosen: str | None) -> None:
    assert accepted(header) == chosen


def test_a_form_with_tables_and_parameters() -> None:
    form = (
        b'--B\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="t"; filename="t.csv"\r\nContent-Type: x\r\n\r\n1,\r\n2\r\n--B--\r\n'
    )
    assert list(multipart(form, 'multipart/form-data; boundary="B"')) == [
        ("query", None, b"SELECT 1"),
        ("t", "t.csv", b"1,\r\n2"),
    ]
    with pytest.raises(CutShort):
        list(multipart(form[:-6], "multipart/form-data; boundary=B"))
    with pytest.raises(ClickHouseError, match="boundary"):
        list(multipart(form, "multipart/form-data"))


def test_the_engines_failures_keep_their_code_name_and_status() -> None:
    error = failure(RuntimeError("Code: 60. DB::Exception: Unknown table expression identifier 'x'. (UNKNOWN_TABLE)"))
    assert (error.code, error.name, error.status) == (60, "UNKNOWN_TABLE", 404)
    assert (
        error.text("26.9")
        == "Code: 60. DB::Exception: Unknown table expression identifier 'x'. (UNKNOWN_TABLE) (version 26.9 (chDB))\n"
    )
    assert failure(RuntimeError("something else")).code == 1001
    assert failure(ValueError("")).message == "ValueError"
