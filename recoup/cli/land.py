"""`recoup land`: what has landed, landed again."""

import click


@click.group()
def land() -> None:
    """Land a table again from its topic."""


@land.command("rebuild")
@click.argument("table")
@click.option("--yes", is_flag=True, help="Do not ask before it begins.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def rebuild(table: str, yes: bool, as_json: bool) -> None:
    """Land TABLE again from its topics, such as after a migration that gave it a column.

    The table stays readable and is exchanged for the new one at the end. Rows whose messages retention has removed from
    the topics are copied as they are. Land workers may run; when the tables change places they stop, and have to be
    started again unless something does that for them. Aggregates of the table's rows are filled again afterwards; workers
    wait for it and, if that was cut short, say what to run.

    \b
    Example:  recoup land rebuild payment_events
    """
    import msgspec

    from models.clock import WallClock
    from recoup.settings import Settings
    from streams.land.rebuild import Rebuild

    rebuild = Rebuild(Settings(), table, WallClock(), tell=lambda text: click.echo(text, err=True))
    gone = {str(place): offset for place, offset in rebuild.oldest_kept().items() if offset}
    for place, offset in gone.items():
        click.echo(
            f"{place}: retention has removed the messages before offset {offset}; their rows stay as they are.",
            err=True,
        )
    if not yes:
        click.confirm(f"Land {table} again from its topics?", abort=True, err=True)
    report = rebuild.run()
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    click.echo(
        f"{table}: {report.landed:,} rows landed again, {report.kept:,} kept as they were ({report.rows_before:,} before)."
    )
    if report.filled:
        click.echo(f"Filled again from it: {', '.join(report.filled)}.")
    if report.left:
        click.echo(
            f"Left as they are, because retention takes rows from their tables: {', '.join(report.left)};"
            " `recoup aggregates rebuild --lose-older` fills them with what there is."
        )
    if report.views:
        click.echo(
            f"{report.views} other materialized views on it were left as they are; fill them again if they lack something."
        )
