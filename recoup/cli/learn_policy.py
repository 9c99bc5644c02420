"""`recoup policies learn`: what a strategy's actions do, learned of logged decisions."""

from pathlib import Path

import click

from schemas.errors import BadInput


@click.command(short_help="Learn from logged decisions what a strategy's actions do.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--log",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of `recoup simulate --policy ... --log`, or as `recoup evaluate` takes it; the policy must have explored.",
)
@click.option("--from-warehouse", is_flag=True, help="Of what has landed in ClickHouse of --tenant.")
@click.option("--tenant", help="With --from-warehouse.")
@click.option(
    "--accounts", default=4_000, show_default=True, type=click.IntRange(100, 1_000_000), help="Without --log."
)
@click.option("--days", default=90, show_default=True, type=click.IntRange(31, 730), help="Without --log.")
@click.option("--seeds", default="101,102", show_default=True, help="Without --log: how many from 101 on, or a list.")
@click.option("--explore", default=0.3, show_default=True, type=click.FloatRange(0.01, 1), help="Without --log.")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="Write here; by default to FILE itself.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write predicted against realised as a page."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def learn(
    file: Path,
    log: Path | None,
    from_warehouse: bool,
    tenant: str | None,
    accounts: int,
    days: int,
    seeds: str,
    explore: float,
    to: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Learn what a strategy's actions do, and write it into the `learned` section of the strategy's file.

    Without --log and --from-warehouse the strategy's actions are drawn at random on simulated customers: mostly nothing is
    done, so that an effect is measured against waiting. Two thirds of the accounts teach what is then judged on the others.

    \b
    Example:  recoup policies learn config/strategies/household.yaml --accounts 4000 --to learned.yaml
              recoup policies learn config/strategies/household.yaml --from-warehouse --tenant acme
    """
    import msgspec
    from rich.console import Console

    from models.calendar import utc
    from models.clock import WallClock
    from recoup.addresses import require
    from recoup.cli.compare_policies import seeds_from
    from recoup.cli.progress import phases
    from recoup.learning.exploring import explored
    from recoup.learning.lesson import teach, write
    from recoup.learning.story import read_log
    from recoup.learning.telling import page, view
    from recoup.learning.warehouse import landed
    from recoup.policy_releases import read_strategy
    from recoup.settings import Settings

    strategy = read_strategy(file)
    if not strategy.actions:
        raise BadInput(f"{file}: a strategy of policy `{strategy.policy}` has no actions to learn about.")
    if from_warehouse != (tenant is not None) or (from_warehouse and log is not None):
        raise click.UsageError("Give --log FILE, or --from-warehouse --tenant TENANT, or neither to simulate.")
    if log is None and not from_warehouse and days <= strategy.horizon_days:
        raise BadInput(f"--days {days}: the strategy looks {strategy.horizon_days} days ahead; a run must be longer.")
    if log is not None:
        logs, source = read_log(log, strategy), log.name
    elif tenant is not None:
        settings = Settings()
        require(settings, "clickhouse")
        logs, source = [landed(settings, strategy, tenant)], f"the warehouse: {tenant}"
    else:
        chosen = seeds_from(seeds, 101)
        with phases() as (_, show):
            logs = explored(strategy, accounts=accounts, days=days, seeds=chosen, share=explore, progress=show)
        source = f"simulated: {accounts} accounts, {days} days, seeds {','.join(map(str, chosen))}"
    lesson = teach(strategy, logs, utc(WallClock().now()), source)
    write(file, to or file, lesson.learned)
    if report is not None:
        report.write_text(page(lesson, strategy.name), encoding="utf-8")
    if as_json:
        click.echo(msgspec.json.encode(lesson).decode())
        return
    console = Console(highlight=False)
    for part in view(lesson):
        console.print(part)
        console.print()
    console.print(f"Written to {to or file}; `recoup policies release` lets it decide.")
