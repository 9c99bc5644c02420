"""Rows of a CSV file with the line that each ends on, whatever its line ends, blank lines and byte order mark."""

import csv
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from recoup.replay.mapping import Mapping
from schemas.errors import BadInput

BOM = "\ufeff"


class Row(msgspec.Struct, frozen=True):
    """One row; `cells` holds the mapped columns by name, without the blanks around them."""

    line: int
    cells: dict[str, str]
    whole: bool = True
    """It has as many cells as the header; in a row that has not, nothing can be trusted."""
    raw: tuple[str, ...] = ()
    """All cells of a row that is not whole."""

    def get(self, column: str | None) -> str:
        """The cell of a column; empty when no column is meant."""
        return self.cells.get(column, "") if column else ""


def read_rows(path: Path, mapping: Mapping, mapping_name: str) -> Iterator[Row]:
    """The rows of a ledger that are not blank.

    Raises:
        BadInput: the file cannot be read, or lacks a column.
    """
    try:
        with path.open(encoding=mapping.encoding, newline="") as file:
            yield from _rows(csv.reader(_readable(file), delimiter=mapping.delimiter), path, mapping, mapping_name)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.") from error
    except UnicodeError as error:
        raise BadInput(
            f"{path}: is not {mapping.encoding} text. Name its encoding in {mapping_name}, such as `encoding: cp1252`."
        ) from error


def _readable(file: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(file):
        yield (line.removeprefix(BOM) if number == 0 else line).replace("\0", "")


def _rows(reader: Any, path: Path, mapping: Mapping, mapping_name: str) -> Iterator[Row]:
    places: dict[str, int] | None = None
    width = 0
    lines = iter(reader)
    while True:
        try:
            cells = next(lines)
        except StopIteration:
            break
        except csv.Error as error:
            raise BadInput(f"{path} line {reader.line_num}: not CSV: {error}.") from error
        if not any(cell.strip() for cell in cells):
            continue
        if places is None:
            places, width = _places(cells, path, reader.line_num, mapping, mapping_name), len(cells)
        elif len(cells) != width:
            yield Row(reader.line_num, {}, whole=False, raw=tuple(cells))
        else:
            yield Row(reader.line_num, {name: cells[place].strip() for name, place in places.items()})
    if places is None:
        raise BadInput(f"{path}: is empty; expected a header with {', '.join(mapping.columns())}.")


def _places(header: list[str], path: Path, line: int, mapping: Mapping, mapping_name: str) -> dict[str, int]:
    names = [name.strip() for name in header]
    faults = []
    for column, field in mapping.columns().items():
        if column not in names:
            near = difflib.get_close_matches(column, names, 1, 0.6)
            hint = f" Is it `{near[0]}`?" if near else ""
            faults.append(
                f'{path} line {line}: there is no column "{column}", which {mapping_name} names as {field}.{hint}'
            )
        elif names.count(column) > 1:
            faults.append(f'{path} line {line}: the column "{column}" ({field} in {mapping_name}) stands there twice.')
    if faults:
        if len(names) == 1:
            faults.append(f"The header is one cell: is `delimiter` in {mapping_name} right?")
        raise BadInput("\n  ".join([*faults, f"The file has: {', '.join(names)}."]))
    return {column: names.index(column) for column in mapping.columns()}
