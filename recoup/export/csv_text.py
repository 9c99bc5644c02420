"""Rows as CSV whose text no spreadsheet runs as a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

STARTS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - spreadsheets take the wide ones as well
ROWS_AT_ONCE = 1_000

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_TEXT = re.compile(r"(?:LowCardinality\(|Nullable\()*(?:String|FixedString|Enum|JSON|Dynamic|Variant)")


def csv_text(
    names: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[Any]], *, guard: bool
) -> Iterator[str]:
    """A header and the rows, as RFC 4180 has them, a thousand rows at once.

    Args:
        names: of the columns.
        types: as ClickHouse calls them.
        rows: values as JSON has them.
        guard: begin text that a spreadsheet would take for a formula with an apostrophe (OWASP, CSV injection).
    """
    guarded = [guard and bool(_TEXT.match(kind)) for kind in types]
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([harmless(name) if guard else name for name in names])
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(value, guard=text) for value, text in zip(row, guarded, strict=True)])
        if number % ROWS_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def harmless(text: str) -> str:
    """Text that no spreadsheet runs; a plain number in it is left as it is."""
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) and not _NUMBER.fullmatch(text) else text


def _cell(value: Any, *, guard: bool) -> Any:
    """Nothing for null; lists and tuples as JSON, which begins with a bracket."""
    if isinstance(value, str):
        return harmless(value) if guard else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return value
