"""An answer written to a file under its name only when all of it is there."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
import pyarrow.parquet as pq
from pyarrow.lib import ArrowException

from connectors.clickhouse.reading import Reading
from recoup.export.csv_text import csv_text
from schemas.errors import BadInput

Kind = Literal["parquet", "csv"]

PARQUET = {
    "output_format_parquet_row_group_size": 100_000,
    "output_format_parquet_string_as_string": 1,
    "output_format_parquet_datetime_as_uint32": 0,
}
TAIL_BYTES = 1 << 14


class Report(msgspec.Struct, frozen=True):
    """What was written."""

    file: str
    rows: int
    bytes: int


def kind_of(path: Path) -> Kind:
    """By the ending of the name; raises BadInput for another one."""
    match path.suffix.lower():
        case ".parquet":
            return "parquet"
        case ".csv":
            return "csv"
        case other:
            raise BadInput(f"{path.name}: the name must end with .parquet or .csv, not {other or 'nothing'}.")


def check(path: Path, *, force: bool) -> None:
    """Refuse before anything runs what could not be written in the end; raises BadInput."""
    kind_of(path)
    if path.is_dir() or not path.parent.is_dir():
        raise BadInput(f"{path}: {'that is a folder' if path.is_dir() else f'there is no folder {path.parent}'}.")
    if path.exists() and not force:
        raise BadInput(f"{path} is there already: --force writes over it.")


def write(
    reading: Reading,
    sql: str,
    parameters: Mapping[str, str],
    path: Path,
    *,
    guard: bool = True,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Report:
    """Write what a statement finds to a file, in bounded memory. Nothing is left behind when it fails.

    Args:
        reading: where to ask.
        sql: the statement.
        parameters: a value for each of its places.
        path: ends with .parquet or .csv; what is there is replaced.
        guard: see `csv_text`.
        on_bytes: told how much is written so far.

    Raises:
        BadInput: the statement is wrong, or the file cannot be written.
        NotReady: the server does not answer, or broke off.
    """
    try:
        with _draft(path) as (draft, file):
            if kind_of(path) == "csv":
                rows = _csv(reading, sql, parameters, file, guard=guard, on_bytes=on_bytes)
            else:
                rows = _parquet(reading, sql, parameters, file, draft, on_bytes)
            file.flush()
            os.fsync(file.fileno())
            size = draft.stat().st_size
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or type(error).__name__}.") from error
    return Report(str(path), rows, size)


@contextmanager
def _draft(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A file beside the one that is wanted; takes its place at the end."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            yield draft, file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _csv(
    reading: Reading,
    sql: str,
    parameters: Mapping[str, str],
    file: BinaryIO,
    *,
    guard: bool,
    on_bytes: Callable[[int], None],
) -> int:
    answer = reading.rows(sql, parameters)
    count = 0

    def counted() -> Iterator[list[object]]:
        nonlocal count
        for row in answer.rows:
            count += 1
            yield row

    for text in csv_text(answer.names, answer.types, counted(), guard=guard):
        file.write(text.encode(errors="replace"))
        on_bytes(file.tell())
    return count


def _parquet(
    reading: Reading,
    sql: str,
    parameters: Mapping[str, str],
    file: BinaryIO,
    draft: Path,
    on_bytes: Callable[[int], None],
) -> int:
    """The server writes the format; that its footer can be read says that all of it came."""
    tail = b""
    for piece in reading.stream(sql, parameters, "Parquet", PARQUET):
        file.write(piece)
        tail = (tail + piece)[-TAIL_BYTES:]
        on_bytes(file.tell())
    file.flush()
    try:
        return int(pq.read_metadata(draft).num_rows)
    except ArrowException:
        raise reading.failure(tail, sql) from None
