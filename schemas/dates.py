"""Which dates a message holds besides `occurred_at`, and whether they lie in the years that people write of."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

FIRST_YEAR, LAST_YEAR = 1990, 2199

Dates = tuple[tuple[str, "Dates"], ...]
"""Fields with a date, each with the dates inside it when it is a list of Structs."""


def dates_in(struct: type[msgspec.Struct]) -> Dates:
    """The fields of a Struct, other than `occurred_at`, that hold a date or Structs with dates."""
    info = inspect.type_info(struct)
    return tuple(
        (field.name, nested)
        for field in (info.fields if isinstance(info, inspect.StructType) else ())
        if field.name != "occurred_at" and (nested := _dates_of(field.type)) is not None
    )


def misdated(struct: msgspec.Struct, dates: Dates) -> str | None:
    """The path of the first date that lies outside the years, or None."""
    for name, nested in dates:
        value = getattr(struct, name)
        if value is None:
            continue
        if nested:
            for place, item in enumerate(value):
                if (path := misdated(item, nested)) is not None:
                    return f"{name}[{place}].{path}"
        elif not FIRST_YEAR <= value.year <= LAST_YEAR:
            return name
    return None


def _dates_of(kind: inspect.Type) -> Dates | None:
    """() for a date, the dates of its items for a list of Structs, None for what holds no date."""
    for part in _parts(kind):
        if isinstance(part, inspect.DateTimeType | inspect.DateType):
            return ()
        if isinstance(part, inspect.VarTupleType) and isinstance(part.item_type, inspect.StructType):
            return dates_in(part.item_type.cls) or None
    return None


def _parts(kind: Any) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        yield from _parts(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for part in kind.types:
            yield from _parts(part)
    else:
        yield kind
