"""`recoup dictionary`: what every table, view and column means, as one page."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--to",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="docs/data-dictionary.md",
    show_default=True,
    help="The file to write; - shows it.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file is not up to date.")
def dictionary(to: str, check: bool) -> None:
    """Write the data dictionary from the comments in the SQL of the migrations.

    It is made from an empty database of its own, so no stack has to run. A table, view or column without a comment is
    an error.

    \b
    Example:  recoup dictionary --to -
              recoup dictionary --check
    """
    from connectors.clickhouse.catalogue import catalogue
    from connectors.clickhouse.client import connect
    from recoup.cli.waiting import waiting
    from recoup.dictionary import dictionary as made
    from recoup.dictionary import silent
    from recoup.stack.scratch import scratch_warehouse
    from schemas.errors import BadInput

    with waiting("reading the migrations"), scratch_warehouse() as settings, connect(settings) as client:
        without = silent(catalogue(client, settings.database))
        page = made(client, settings.database)
    if without:
        raise BadInput(
            f"{len(without)} have no comment, so nothing was written: {', '.join(without[:10])}"
            f"{' ...' if len(without) > 10 else ''}. Write what they mean into a migration (COMMENT)."
        )
    path = Path(to)
    if check:
        if not path.is_file() or path.read_text("utf-8") != page:
            click.echo(f"not up to date: {to}\nRun `recoup dictionary`.", err=True)
            raise SystemExit(1)
        click.echo("Everything is up to date.")
    elif to == "-":
        click.echo(page, nl=False)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")
        click.echo(f"written: {to}")
