"""`recoup rebuild`: the account states again from the topics."""

import click


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="Rebuild and compare with what Redis holds, byte for byte; change nothing."
)
@click.option(
    "--from-warehouse", is_flag=True, help="Take what retention has removed from the topics out of ClickHouse."
)
@click.option("--yes", is_flag=True, help="Do not ask before the states are replaced.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def rebuild(dry_run: bool, from_warehouse: bool, yes: bool, as_json: bool) -> None:
    """Rebuild the account states from the topics, up to the offsets that decide has committed.

    Needed when Redis has lost what it had acknowledged, was restored from a backup, or when a worker says so. No decide
    worker may run meanwhile. Exit code 3: a dry run found differences.

    \b
    Example:  recoup rebuild --dry-run
    """
    import asyncio
    import json
    import sys

    from recoup.rebuild import rebuild_all
    from recoup.settings import Settings

    if not dry_run and not yes:
        click.confirm("Replace the account states in Redis by what the topics say?", abort=True)
    report = asyncio.run(
        rebuild_all(
            Settings(), dry_run=dry_run, from_warehouse=from_warehouse, tell=lambda text: click.echo(text, err=True)
        )
    )
    if as_json:
        click.echo(json.dumps(report))
    if dry_run and report["different"]:
        sys.exit(3)
