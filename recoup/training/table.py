"""Rows to learn from as a file, CSV or Parquet: written whole or not at all."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.calendar import utc
from models.propensity.examples import Examples
from schemas.errors import BadInput

KEYS = ("tenant_id", "account_id", "invoice_id", "currency", "segment")
FORMATS = (".csv", ".parquet")


def check_format(path: Path) -> None:
    """Raises BadInput when the name does not end as a file that can be written."""
    if path.suffix.lower() not in FORMATS:
        raise BadInput(f"--output {path.name}: its name must end in {' or '.join(FORMATS)}.")
    if not path.parent.is_dir():
        raise BadInput(f"--output: there is no folder {path.parent}.")


def columns_of(examples: Examples, *, labels: bool) -> dict[str, list[Any]]:
    """The rows by column: instants in UTC, then who and what, then the features, then what came of it."""
    found: dict[str, list[Any]] = {"at": _instants(examples.at.tolist())}
    found |= {name: getattr(examples, name).tolist() for name in KEYS}
    found |= dict(zip(examples.columns, examples.x.T.tolist(), strict=True))
    if labels:
        found["horizon_end"] = _instants(examples.horizon_end.tolist())
        found["outcome"] = examples.outcome.tolist()
        found["days_to_pay"] = examples.days_to_pay.tolist()
        found["paid"] = examples.paid.tolist()
    return found


def _instants(moments: list[int]) -> list[datetime]:
    return [utc(moment) for moment in moments]


def write(examples: Examples, path: Path, *, labels: bool) -> None:
    """Write the rows; a value that is not known is empty.

    Raises:
        BadInput: the file cannot be written.
    """
    check_format(path)
    columns = columns_of(examples, labels=labels)
    unfinished = path.with_name(path.name + ".part")
    try:
        if path.suffix.lower() == ".parquet":
            arrays = {name: pa.array(values, _kind(values), from_pandas=True) for name, values in columns.items()}
            pq.write_table(pa.table(arrays), unfinished)
        else:
            _write_csv(columns, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise BadInput(f"--output {path}: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _kind(values: list[Any]) -> pa.DataType | None:
    """The type of a column, whose values may all be unknown; None = as its values are."""
    if values and isinstance(values[0], datetime):
        return pa.timestamp("ms", tz="UTC")
    return pa.float64() if values and isinstance(values[0], float) else None


def _write_csv(columns: dict[str, list[Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, float):
        return "" if value != value else int(value) if value.is_integer() else repr(value)  # noqa: PLR0124 - NaN
    return value
