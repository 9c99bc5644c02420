"""`recoup migrate`: the ClickHouse tables brought up to date."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from connectors.clickhouse.migrate import Change


@click.command()
@click.option("--dry-run", is_flag=True, help="Show the SQL of what is pending, and change nothing.")
@click.option("--status", "only_status", is_flag=True, help="Show how each migration stands, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def migrate(dry_run: bool, only_status: bool, as_json: bool) -> None:
    """Bring the ClickHouse tables up to date.

    Applies the numbered files of connectors/clickhouse/migrations that are not yet applied, and the retention of
    RECOUP_CLICKHOUSE__TTL_DAYS. A file that was changed after it had been applied is an error, and nothing is done.
    Aggregates that are new are filled from the rows that there are; land workers may run, and wait for it.

    \b
    Example:  recoup migrate --dry-run
    """
    from connectors.clickhouse.migrate import migrate as apply
    from recoup.settings import Settings

    settings = Settings().clickhouse
    if only_status:
        _show_status(as_json)
        return
    changes = apply(
        settings,
        dry_run=dry_run,
        on_change=(lambda _: None) if as_json else _shown(with_sql=dry_run),
        tell=lambda text: click.echo(text, err=True),
    )
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(changes))
    elif not changes:
        click.echo("The tables are up to date.")


def _shown(*, with_sql: bool) -> Callable[["Change"], None]:
    def show(change: "Change") -> None:
        click.echo(f"{'would apply' if with_sql else 'applied'} {change.name}")
        for sql in change.statements if with_sql else ():
            click.echo(sql + ";\n")

    return show


def _show_status(as_json: bool) -> None:
    import msgspec

    from connectors.clickhouse.migrate import status
    from recoup.settings import Settings

    states = status(Settings().clickhouse)
    if as_json:
        click.echo(msgspec.json.encode(states))
    else:
        for state in states:
            click.echo(f"{state.state:<8} {state.number:03d}_{state.name:<24} {state.applied_at or ''}".rstrip())
    if any(state.state == "changed" for state in states):
        raise SystemExit(1)
