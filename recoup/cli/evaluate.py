"""`recoup evaluate`: what another policy would have earned, from the log; and whom a treatment moves."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recoup.cli.questions import Since

if TYPE_CHECKING:
    from models.evaluation.decisions import Material
    from recoup.evaluation.run import Asked

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
REFUSED = 3
"""Exit code of a refusal to judge."""


@click.group(invoke_without_command=True, short_help="Tell what another policy would have earned, from the log.")
@click.option("--policy", metavar="CANDIDATE", help="none, random, logged, or the file of a strategy.")
@click.option("--from-warehouse", is_flag=True, help="Judge by what has landed in ClickHouse.")
@click.option(
    "--log", type=FILE, help="Or by a file: JSON lines, decisions with their outcomes; see docs/evaluation.md."
)
@click.option("--tenant", help="Only this tenant.")
@click.option("--since", type=Since(), help="Decisions from this date on (2026-01-31).")
@click.option("--until", type=Since(), help="Decisions before this date, whose window had ended by then.")
@click.option(
    "--window",
    type=click.IntRange(1, 365),
    metavar="DAYS",
    help="Money within so many days of a decision counts; the strategy's own, else 14.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of folds and resamples.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with pictures (.html).")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
@click.pass_context
def evaluate(
    ctx: click.Context,
    policy: str | None,
    from_warehouse: bool,
    log: Path | None,
    tenant: str | None,
    since: int | None,
    until: int | None,
    window: int | None,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Tell what another policy would have earned, from decisions that were logged with their probabilities.

    A candidate that the log cannot judge is refused, with the reasons: too few accounts, choices that the log hardly
    ever made, a log that never explored.

    \b
    Exit code:  0  judged
                2  an option or the log is wrong
                3  refused: the log cannot tell
    Example:    recoup evaluate --policy config/strategies/household.yaml --from-warehouse --tenant nordlicht
                recoup evaluate --policy none --log decisions.jsonl --json | jq '.results[].judgement.estimates'
                recoup evaluate uplift --data trial.csv --treatment segment=mail --control none --outcome visit
    """
    if ctx.invoked_subcommand is not None:
        return
    if policy is None:
        raise click.UsageError("Give --policy: none, random, logged, or the file of a strategy.")
    if from_warehouse == (log is not None):
        raise click.UsageError("Give --from-warehouse or --log FILE.")
    import msgspec

    from recoup.evaluation.run import candidate_of
    from recoup.evaluation.run import evaluate as judge_all

    asked = candidate_of(policy, window)
    found, source = _of_file(log, asked, tenant, since, until) if log else _of_warehouse(asked, tenant, since, until)
    result = judge_all(asked, found, source, seed=seed)
    if report is not None:
        from recoup.evaluation.page import page

        report.write_text(page(result), encoding="utf-8")
    if as_json:
        click.echo(msgspec.json.encode(result))
    else:
        from rich.console import Console

        from recoup.evaluation.view import render

        Console(highlight=False).print(render(result))
    if result.refused:
        raise SystemExit(REFUSED)


def _of_file(
    log: Path, asked: "Asked", tenant: str | None, since: int | None, until: int | None
) -> "tuple[list[Material], str]":
    from models.calendar import instant
    from models.evaluation.decisions import materials
    from recoup.evaluation.log_file import read
    from recoup.evaluation.run import milliseconds
    from schemas.errors import BadInput

    decided = [
        its
        for its in read(log)
        if (tenant is None or its.decision.tenant_id == tenant)
        and (since is None or instant(its.decision.occurred_at) >= since)
        and (until is None or instant(its.decision.occurred_at) < until)
    ]
    try:
        return list(materials(decided, asked.policy, milliseconds(asked.window_days), until)), log.name
    except ValueError as error:
        raise BadInput(f"{log}: {error}.") from error


def _of_warehouse(
    asked: "Asked", tenant: str | None, since: int | None, until: int | None
) -> "tuple[list[Material], str]":
    from recoup.addresses import require
    from recoup.cli.progress import phases
    from recoup.evaluation.run import milliseconds
    from recoup.evaluation.warehouse import material_of
    from recoup.settings import Settings
    from schemas.errors import BadInput

    settings = Settings()
    require(settings, "clickhouse")
    window = milliseconds(asked.window_days)
    try:
        with phases() as (_, show):
            found = material_of(settings, asked.policy, window, tenant=tenant, since=since or 0, until=until, show=show)
    except ValueError as error:
        raise BadInput(f"The warehouse: {error}.") from error
    return found, f"the warehouse {settings.clickhouse.database}"


@evaluate.command(short_help="Tell whom a treatment moves, from an experiment.")
@click.option("--data", required=True, type=FILE, help="A CSV file: one row a customer.")
@click.option("--treatment", required=True, metavar="COLUMN=VALUE", help="Which rows were treated.")
@click.option("--control", required=True, metavar="VALUE", help="What the same column says of those who were not.")
@click.option("--outcome", required=True, metavar="COLUMN", help="What came of it: 0 and 1, or an amount.")
@click.option(
    "--ignore", multiple=True, metavar="COLUMN", help="Not known before the treatment, or no use; repeatable."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of folds and resamples.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the Qini curves: a page (.html) or .png."
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
def uplift(
    data: Path,
    treatment: str,
    control: str,
    outcome: str,
    ignore: tuple[str, ...],
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Tell whom a treatment moves, from a randomised experiment: uplift learners against a response model, by their Qini.

    All other columns are learned from. One that was measured after the treatment must be left out; it is noticed if the
    treated and the others differ in it.

    \b
    Example:  recoup evaluate uplift --data hillstrom.csv --treatment "segment=Womens E-Mail" --control "No E-Mail"
                --outcome visit --ignore conversion --ignore spend --report qini.png
    """
    import msgspec

    from recoup.evaluation.trial import Question, evaluate_uplift

    column, equals, value = treatment.partition("=")
    if not equals:
        raise click.UsageError("--treatment is COLUMN=VALUE, such as segment=mail.")
    found = evaluate_uplift(Question(data, column, value, control, outcome, ignore), seed=seed)
    if report is not None:
        from recoup.evaluation.page import uplift_page
        from recoup.evaluation.plots import gains

        if report.suffix == ".png":
            report.write_bytes(gains(found.targeting).light)
        else:
            report.write_text(uplift_page(found), encoding="utf-8")
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        from rich.console import Console

        from recoup.evaluation.uplift_view import render

        Console(highlight=False).print(render(found))
