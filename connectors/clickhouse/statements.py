"""The SQL of `queries/*.sql`, with values put in as literals."""

from functools import cache
from pathlib import Path
from string import Template

import msgspec

QUERIES = Path(__file__).parent / "queries"


class Name(msgspec.Struct, frozen=True):
    """The name of a database, table or column."""

    name: str

    def __str__(self) -> str:
        escaped = self.name.replace("\\", "\\\\").replace("`", "\\`")
        return f"`{escaped}`"


class Sql(str):
    """A piece of SQL that is put in as it is."""

    __slots__ = ()


Value = Name | Sql | str | int | tuple["Value", ...]


def statement(query: str, **values: Value) -> str:
    """The statement of `queries/<query>.sql`, each `$name` in it replaced by its value."""
    return _template(query).substitute({name: literal(value) for name, value in values.items()})


def literal(value: Value) -> str:
    """A value as SQL: text quoted, a tuple in brackets, names in back-ticks."""
    if isinstance(value, Sql | Name | int):
        return str(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))})"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@cache
def _template(query: str) -> Template:
    lines = (QUERIES / f"{query}.sql").read_text("utf-8").splitlines()
    # The server shows a running statement as it was sent; told by its beginning, it must begin with its first word.
    return Template("\n".join(line for line in lines if not line.lstrip().startswith("--")))
