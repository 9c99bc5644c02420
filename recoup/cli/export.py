"""`recoup export`: a table, a view or an answer as a file."""

import datetime as dt
from pathlib import Path
from typing import Any

import click

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.argument("name", required=False)
@click.option("--sql", help="Export what this statement finds, instead of a table or view.")
@click.option(
    "--to", "to", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Ends with .parquet or .csv."
)
@click.option("--tenant", help="Only this tenant's rows.")
@click.option("--from", "first", type=DAY, metavar="DAY", help="Only from this day on, as YYYY-MM-DD.")
@click.option("--to-day", "last", type=DAY, metavar="DAY", help="Only up to this day, with it.")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="A value for a place {NAME:Type} in --sql."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--formulas", is_flag=True, help="CSV: leave text as it is that a spreadsheet would run as a formula.")
@click.option(
    "--timeout", default=300.0, show_default=True, type=click.FloatRange(1, 36_000), help="Seconds it may take."
)
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def export(
    name: str | None,
    sql: str | None,
    to: Path,
    tenant: str | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    params: tuple[str, ...],
    force: bool,
    formulas: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Write the table or view NAME, or what --sql finds, to a Parquet or CSV file.

    The file is there when all of it is, or not at all. Days are those of the column `day`, else of `occurred_at` and the
    like in UTC. In CSV, text that a spreadsheet would run as a formula begins with an apostrophe.

    \b
    Example:  recoup export collections_daily --to collections.csv --tenant acme --from 2026-01-01
              recoup export --sql "SELECT * FROM contacts WHERE promise_kept" --to kept.parquet
    """
    import msgspec

    from connectors.clickhouse.reading import Reading
    from recoup.cli.query import values_of
    from recoup.cli.waiting import waiting
    from recoup.export import write as files
    from recoup.settings import Settings

    statement, values = _asked(name, sql, values_of(params), tenant=tenant, first=first, last=last)
    files.check(to, force=force)
    written = 0

    def count(size: int) -> None:
        nonlocal written
        written = size

    def beside() -> str:
        return f"{written / 1e6:,.1f} MB written" if written else ""

    with Reading(Settings().clickhouse, seconds=timeout) as reading, waiting("exporting", beside):
        report = files.write(reading, statement, values, to, guard=not formulas, on_bytes=count)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        click.echo(f"{report.file}: {report.rows:,} {'row' if report.rows == 1 else 'rows'}, {_size(report.bytes)}")


def _asked(
    name: str | None,
    sql: str | None,
    values: dict[str, str],
    *,
    tenant: str | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
) -> tuple[str, dict[str, str]]:
    """The statement and its values; raises BadInput."""
    from connectors.clickhouse.catalogue import catalogue
    from connectors.clickhouse.client import connect
    from recoup.export.select import select
    from recoup.settings import Settings
    from schemas.errors import BadInput

    narrowed: list[Any] = [one for one in (tenant, first, last) if one is not None]
    if (name is None) == (sql is None):
        raise BadInput("Name one table or view, or give a statement with --sql.")
    if sql is not None:
        if narrowed:
            raise BadInput("--tenant, --from and --to-day are for a table or view; write the condition into --sql.")
        return sql, values
    if values:
        raise BadInput("--param is for the places of --sql.")
    settings = Settings().clickhouse
    with connect(settings) as client:
        relations = catalogue(client, settings.database)
    return select(
        relations,
        settings.database,
        str(name),
        tenant=tenant,
        first=first.date() if first else None,
        last=last.date() if last else None,
    )


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1_000_000 else f"{count:,} bytes"
