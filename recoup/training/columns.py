"""A ledger's own columns as numbers; a cell that cannot be read is NaN and counted, and nothing looks at the outcome."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.calendar import DAY
from models.clock import Instant
from recoup.replay.cells import Cells, Unreadable
from recoup.replay.mapping import FeatureColumn

PREFIX = "ledger."
MOST_VALUES = 10
"""Of a category so many values, the most frequent ones, have a column of their own."""
LEAST_ACCOUNTS = 2
"""That have a value for it to have a column: what one customer alone has, such as an address, goes into no report."""
SHOWN = 40

YES = frozenset({"yes", "y", "true", "t", "1"})
NO = frozenset({"no", "n", "false", "f", "0"})
NOTHING = frozenset({"nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf", "infinity", "-infinity", "-"})
"""Words for a number that is not there, or that none can compute with."""

Kind = Literal["number", "category", "date", "flag"]


class Encoded(msgspec.Struct):
    """One column of the ledger as columns of the matrix."""

    names: tuple[str, ...]
    values: NDArray[np.float64]
    """(rows, names)"""
    warnings: list[str]
    notes: list[str]


def encode(
    name: str,
    feature: FeatureColumn,
    texts: Sequence[str],
    at: NDArray[np.int64],
    accounts: Sequence[str],
    reader: Cells,
) -> Encoded:
    """A column's cells, one a row, as numbers.

    A number is itself, a flag 1 or 0, and a category a 1 in the column of its value. A date is the days from the row's
    instant until it: a date itself grows beyond whatever a model has seen, and one after the row is told by its sign.

    Args:
        name: of the feature.
        texts: empty = no value.
        at: the rows' instants.
        accounts: whose they are.
        reader: reads dates, with the mapping's form and zone.
    """
    kind = feature.kind or guess(texts, reader)
    notes = [] if feature.kind else [f"column {feature.column} was taken for a {kind}"]
    warnings: list[str] = []
    if not any(texts):
        warnings.append(f"column {feature.column} is empty")
    if kind == "category":
        values, names = _categories(texts, accounts)
        if not names:
            warnings.append(
                f"column {feature.column} holds no value that {LEAST_ACCOUNTS} accounts have; it is left out"
            )
            return Encoded((), values, warnings, notes)
        shown = ", ".join(value[:SHOWN] for value in names)
        notes.append(f"column {feature.column} has a 1 for each of its most frequent values: {shown}")
        return Encoded(tuple(f"{PREFIX}{name}={value[:SHOWN]}" for value in names), values, warnings, notes)
    numbers = np.full(len(texts), np.nan)
    unread = 0
    for place, text in enumerate(texts):
        if text:
            numbers[place] = _number(text, kind, int(at[place]), reader)
            unread += bool(np.isnan(numbers[place]))
    if unread:
        warnings.append(
            f"column {feature.column}: {unread:,} of {len(texts):,} cells are no {kind}; they count as empty"
        )
    if kind == "date" and (later := int((numbers > 0).sum())):
        warnings.append(
            f"column {feature.column}: in {later:,} of {len(texts):,} rows its date lies after the decision; was it known then?"
        )
    return Encoded((PREFIX + name,), numbers[:, None], warnings, notes)


def guess(texts: Sequence[str], reader: Cells) -> Kind:
    """What a column seems to hold, from its different cells."""
    different = {text for text in texts if text and text.lower() not in NOTHING}
    words = {text.lower() for text in different}
    if words and words <= YES | NO and not words <= {"0", "1"}:
        return "flag"
    for kind in ("number", "date"):
        if all(not np.isnan(_number(text, kind, 0, reader)) for text in different):
            return kind
    return "category"


def _number(text: str, kind: str, at: Instant, reader: Cells) -> float:
    """A cell as a number; NaN when it is none."""
    try:
        if kind == "date":
            return (reader.instant(text, "start", past=False) - at) / DAY
    except Unreadable:
        return np.nan
    if kind == "flag":
        word = text.lower()
        return 1.0 if word in YES else 0.0 if word in NO else np.nan
    plain = text.replace(reader.mapping.thousands, "") if reader.mapping.thousands else text
    if reader.mapping.decimal == ",":
        plain = plain.replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        return np.nan
    return number if np.isfinite(number) and "_" not in plain else np.nan


def _categories(texts: Sequence[str], accounts: Sequence[str]) -> tuple[NDArray[np.float64], list[str]]:
    """A 1 for each row's value, for the most frequent values of several accounts; an empty cell is NaN in all of them."""
    counts = Counter(text for text in texts if text)
    having = Counter(text for text, _ in {*zip(texts, accounts, strict=True)})
    shared = [text for text in counts if having[text] >= LEAST_ACCOUNTS]
    names = sorted(shared, key=lambda value: (-counts[value], value))[:MOST_VALUES]
    places = {value: place for place, value in enumerate(names)}
    values = np.zeros((len(texts), len(names)))
    for row, text in enumerate(texts):
        if not text:
            values[row] = np.nan
        elif text in places:
            values[row, places[text]] = 1.0
    return values, names
