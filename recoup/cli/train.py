"""`recoup train`: a model of who will pay, out of history."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from models.propensity.examples import Moment, Target
from recoup.cli.progress import Show
from recoup.cli.questions import MomentType, Since, TargetType

if TYPE_CHECKING:
    from recoup.settings import Settings
    from recoup.training.dataset import Dataset
    from recoup.training.question import Question

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--ledger", type=FILE, help="A CSV file: one row an invoice or a payment. Needs --mapping.")
@click.option("--mapping", type=FILE, help="Which column means what; see config/mappings/.")
@click.option("--from-warehouse", is_flag=True, help="Or learn from what has landed in ClickHouse.")
@click.option("--tenant", help="From the warehouse, only this tenant.")
@click.option("--since", type=Since(), help="Take no row before this date (2026-01-31).")
@click.option("--target", required=True, type=TargetType(), help="What to foretell.")
@click.option("--at", "moment", required=True, type=MomentType(), help="When rows are taken.")
@click.option(
    "--test-fraction",
    default=0.3,
    show_default=True,
    type=click.FloatRange(0.05, 0.9),
    help="The last part by time, to judge by.",
)
@click.option(
    "--feature", "columns", multiple=True, metavar="COLUMN", help="A column of the ledger known at issue; repeatable."
)
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be read, and count them.")
@click.option("--json", "as_json", is_flag=True, help="The report as the last line; everything else goes to stderr.")
def train(
    ledger: Path | None,
    mapping: Path | None,
    from_warehouse: bool,
    tenant: str | None,
    since: int | None,
    target: Target,
    moment: Moment,
    test_fraction: float,
    columns: tuple[str, ...],
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Train a model of who will pay, judge it on the last part of the data by time, and keep it with its report.

    \b
    Example:  recoup train --ledger invoices.csv --mapping mapping.yaml --target paid_by_due --at issue
              recoup train --from-warehouse --target paid_within:30 --at every:7d --since 2025-01-01
    """
    import msgspec

    from models.clock import WallClock
    from recoup.cli.progress import phases
    from recoup.settings import Settings
    from recoup.training.question import Question
    from recoup.training.run import Origin, run

    if from_warehouse == (ledger is not None) or (ledger is None) != (mapping is None):
        raise click.UsageError("Give --ledger together with --mapping, or --from-warehouse.")
    if from_warehouse and (columns or skip_bad):
        raise click.UsageError("--feature and --skip-bad are for a ledger; the warehouse holds events, no columns.")
    if tenant is not None and not from_warehouse:
        raise click.UsageError("--tenant is for --from-warehouse; a ledger's mapping names its tenant.")
    settings = Settings()
    question = Question(target, moment, since)
    with phases() as (say, show):
        if ledger is not None and mapping is not None:
            dataset = _of_ledger(ledger, mapping, question, columns, skip_bad, settings, show)
        else:
            dataset = _of_warehouse(question, settings, tenant, show)
        for note in dataset.notes:
            say(note)
        origin = Origin(
            kind="warehouse" if ledger is None else "ledger",
            name=settings.clickhouse.database if ledger is None else ledger.name,
            notes=dataset.notes,
            left_out=dataset.left_out,
            warnings=dataset.warnings,
            known_after=frozenset(dataset.known_after),
        )
        report = run(
            dataset.examples,
            settings,
            origin,
            WallClock().now(),
            test_fraction=test_fraction,
            say=say,
            show=show,
        )
    click.echo(report.text, err=as_json)
    if as_json:
        click.echo(msgspec.json.encode(report.summary))


def _of_ledger(
    ledger: Path,
    mapping: Path,
    question: "Question",
    columns: tuple[str, ...],
    skip_bad: bool,
    settings: "Settings",
    show: Show,
) -> "Dataset":
    from models.clock import WallClock
    from recoup.training.ledger import Request, dataset_of

    request = Request(csv=ledger, mapping=mapping, question=question, columns=columns, skip_bad=skip_bad)
    return dataset_of(request, settings.tenants_dir, WallClock().now(), show)


def _of_warehouse(question: "Question", settings: "Settings", tenant: str | None, show: Show) -> "Dataset":
    from recoup.addresses import require
    from recoup.training.warehouse import dataset_of

    require(settings, "clickhouse")
    return dataset_of(question, settings, show, tenant)
