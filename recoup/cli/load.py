"""`recoup load`: what a business was owed before it came."""

from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN_FAULTS = 5


@click.command()
@click.option("--csv", "csv_file", type=FILE, help="Open invoices or balances; needs --mapping.")
@click.option("--mapping", type=FILE, help="Which column means what, as for `recoup replay`.")
@click.option("--events", "events_file", type=FILE, help="Or events, as JSON lines in the order of their time.")
@click.option(
    "--skip-bad", is_flag=True, help="Do not stop at rows that cannot be read. A CSV's go to the dead letters."
)
@click.option("--dry-run", is_flag=True, help="Read and check everything, and send nothing.")
@click.option(
    "--wait", "wait_seconds", type=click.FloatRange(min=0.1), help="Wait this long for decide to fold it all."
)
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON; everything else goes to stderr.")
def load(
    csv_file: Path | None,
    mapping: Path | None,
    events_file: Path | None,
    skip_bad: bool,
    dry_run: bool,
    wait_seconds: float | None,
    as_json: bool,
) -> None:
    """Fold opening balances and open invoices into the account states, without deciding on any.

    The tenant must be published; as long as its file has no `live_since`, nothing of it is decided on at all. Steps whose
    day lies before a tenant goes live are skipped, so nobody is flooded. What is loaded twice is dropped the second time.

    \b
    Example:  recoup load --csv open_invoices.csv --mapping mapping.yaml --wait 60
              recoup load --events history.jsonl --dry-run
    """
    import msgspec

    from models.clock import WallClock
    from recoup import load as loading
    from recoup.addresses import require
    from recoup.cli.progress import phases
    from recoup.settings import Settings
    from recoup.simulator.stack import require_live
    from recoup.tenants import published

    if (csv_file is None) == (events_file is None) or (csv_file is None) != (mapping is None):
        raise click.UsageError("Give --csv together with --mapping, or --events.")
    settings = Settings()
    require(settings, "kafka", "redis")
    require_live(settings)
    known, now = published(settings.kafka), WallClock().now()
    if csv_file is not None and mapping is not None:
        content = loading.from_csv(csv_file, mapping, known, now, skip_bad=skip_bad)
    elif events_file is not None:
        content = loading.from_events(events_file, known, now, skip_bad=skip_bad)
    with phases() as (_, show):
        if dry_run:
            click.echo(f"{len(content.messages):,} events could be sent; nothing was.", err=as_json)
            loaded = None
        else:
            loaded, sender = loading.send(content, settings.kafka, known, show)
            if wait_seconds:
                loading.wait_folded(settings.kafka, sender, wait_seconds, show)
                loaded.folded = True
    for fault in content.faults[:SHOWN_FAULTS]:
        click.echo(f"left out: {fault}", err=True)
    if loaded is None:
        if as_json:
            click.echo(msgspec.json.encode({"events": 0, "would_send": len(content.messages)}))
        return
    for tenant, state in loaded.tenants.items():
        what = (
            "its accounts are decided on" if state == "live" else "nothing is decided until its file has `live_since`"
        )
        click.echo(f"{tenant} is {state}: {what}.", err=as_json)
    kinds = ", ".join(f"{times:,} {kind}" for kind, times in loaded.by_type.items())
    click.echo(f"Sent {loaded.events:,} events of {loaded.accounts:,} accounts as history: {kinds}.", err=as_json)
    if as_json:
        click.echo(msgspec.json.encode(loaded))
