"""`recoup query`: ask the warehouse without a client."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from connectors.clickhouse.reading import Reading

CELL = 60
"""Characters of a cell in a table that no terminal bounds."""
WIDE = 10_000

_NUMBER = re.compile(r"(?:LowCardinality\(|Nullable\()*(?:U?Int|Float|Decimal)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@click.command()
@click.argument("sql", required=False)
@click.option("--file", type=click.File(encoding="utf-8"), help="Read the statement from a file; - = standard input.")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="json = one object a line.",
)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(0), help="Most rows; 0 = all.")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="A value for a place {NAME:Type}; repeatable."
)
@click.option("--timeout", default=60.0, show_default=True, type=click.FloatRange(1, 3600), help="Seconds it may take.")
def query(sql: str | None, file: Any, fmt: str, limit: int, params: tuple[str, ...], timeout: float) -> None:
    """Ask the warehouse. Nothing can be written.

    What there is to ask: docs/warehouse.md and docs/data-dictionary.md, or "SHOW TABLES". In CSV, text that a
    spreadsheet would run as a formula begins with an apostrophe.

    \b
    Example:  recoup query "SELECT day, collected_minor, currency FROM collections_daily ORDER BY day DESC"
              recoup query --param tenant=acme "SELECT * FROM ageing_daily WHERE tenant_id = {tenant:String}"
    """
    from connectors.clickhouse.reading import Reading
    from recoup.export.csv_text import csv_text
    from recoup.settings import Settings

    statement = text_of(sql, file)
    values = values_of(params)
    with Reading(Settings().clickhouse, seconds=timeout) as reading:
        with running(reading):
            answer = reading.rows(statement, values)
            # The rows that are shown are read here, so that what fails late is told before anything is shown as whole.
            shown = list(itertools.islice(answer.rows, limit)) if limit else None
            more = limit and next(answer.rows, None) is not None
        rows: Iterable[list[Any]] = answer.rows if shown is None else shown
        if fmt == "csv":
            for text in csv_text(answer.names, answer.types, rows, guard=True):
                click.echo(text, nl=False)
        elif fmt == "json":
            for line in _objects(answer.names, rows):
                click.echo(line)
        else:
            _table(answer.names, answer.types, list(rows))
    if more:
        click.echo(f"Cut after {limit:,} rows: --limit 0 shows all, `recoup export` writes them to a file.", err=True)


def text_of(sql: str | None, file: Any) -> str:
    """The statement, from the one place that has it; raises BadInput."""
    from schemas.errors import BadInput

    if (sql is None) == (file is None):
        raise BadInput("Give one statement: as an argument, or with --file.")
    if sql is not None:
        return sql
    try:
        return str(file.read())
    except UnicodeDecodeError:
        raise BadInput(f"{Path(file.name).name} is not UTF-8 text.") from None


def values_of(params: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` as a mapping; raises BadInput."""
    from schemas.errors import BadInput

    found: dict[str, str] = {}
    for param in params:
        name, sign, value = param.partition("=")
        if not sign or not name.isidentifier() or name in found:
            raise BadInput(f"--param {name}: write NAME=VALUE, each name once.")
        found[name] = value
    return found


def running(reading: "Reading") -> Any:
    """Tell how far a statement is, while it is waited for."""
    from recoup.cli.waiting import waiting

    def beside() -> str:
        found = reading.progress()
        if not found or not found[0]:
            return ""
        read, total = found
        return f"{read:,} rows read" + (f" of about {total:,}" if total > read else "")

    return waiting("running", beside)


def _objects(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    import msgspec

    for row in rows:
        yield msgspec.json.encode(dict(zip(names, row, strict=True))).decode()


def _table(names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in zip(names, types, strict=True):
        right = bool(_NUMBER.match(kind))
        table.add_column(
            Text(printable(name)),
            justify="right" if right else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=CELL,
        )
    for row in rows:
        table.add_row(*(Text(_shown(value)) for value in row))
    console.print(table)
    click.echo(f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'}", err=True)


def _shown(value: Any) -> str:
    import msgspec

    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return printable(msgspec.json.encode(value).decode())
    return printable(str(value))


def printable(text: str) -> str:
    """Text that a terminal only shows: what would steer it is written out."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
