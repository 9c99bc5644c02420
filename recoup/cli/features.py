"""`recoup features`: what was known when, as a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from models.propensity.examples import Moment, Target
from recoup.cli.questions import MomentType, TargetType

if TYPE_CHECKING:
    from recoup.training.dataset import Dataset

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--ledger", type=FILE, help="A CSV file: one row an invoice or a payment.")
@click.option("--mapping", type=FILE, help="Which column means what; see config/mappings/.")
@click.option("--at", "moment", type=MomentType(), help="When rows are taken.")
@click.option("--target", type=TargetType(), help="Add what came of each row.")
@click.option(
    "--feature", "columns", multiple=True, metavar="COLUMN", help="A column of the ledger known at issue; repeatable."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows: FILE.csv or .parquet.")
@click.option("--skip-bad", is_flag=True, help="Leave out rows that cannot be read, and count them.")
@click.option("--list", "catalogue", is_flag=True, help="Name every feature: its unit, its events, why.")
@click.option("--json", "as_json", is_flag=True, help="The summary as the last line; everything else goes to stderr.")
def features(
    ledger: Path | None,
    mapping: Path | None,
    moment: Moment | None,
    target: Target | None,
    columns: tuple[str, ...],
    output: Path | None,
    skip_bad: bool,
    catalogue: bool,
    as_json: bool,
) -> None:
    """Rebuild what was known of each account at past instants, by the code that live decisions are made with.

    What had not arrived by an instant is not in its row, whatever its date. `--at issue` takes a row when an invoice is
    issued, `overdue` when it becomes overdue, `every:7d` each seven days while anything is open.

    \b
    Example:  recoup features --ledger invoices.csv --mapping mapping.yaml --at issue --output rows.parquet
              recoup features --list
    """
    import msgspec

    if catalogue:
        _print_catalogue(as_json=as_json)
        return
    if ledger is None or mapping is None or moment is None:
        raise click.UsageError("Give --ledger, --mapping and --at; or --list.")
    from models.clock import WallClock
    from recoup.cli.progress import phases
    from recoup.settings import Settings
    from recoup.training import table
    from recoup.training.ledger import Request, dataset_of
    from recoup.training.question import Question

    if output is not None:
        table.check_format(output)
    question = Question(target or Target("paid_within", 30), moment)
    request = Request(csv=ledger, mapping=mapping, question=question, columns=columns, skip_bad=skip_bad)
    with phases() as (_, show):
        dataset = dataset_of(request, Settings().tenants_dir, WallClock().now(), show)
        if output is not None:
            show("writing", 0.0, output.name)
            table.write(dataset.examples, output, labels=target is not None)
    found = summary(dataset, labels=target is not None)
    click.echo(as_text(found, output), err=as_json)
    if as_json:
        click.echo(msgspec.json.encode(found))


def _print_catalogue(*, as_json: bool) -> None:
    import msgspec

    from models.features.catalogue import FEATURES

    if as_json:
        click.echo(msgspec.json.encode([msgspec.to_builtins(feature) for feature in FEATURES]))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    grid = Table("feature", "unit", "events", "why", box=box.SIMPLE_HEAD)
    for feature in FEATURES:
        grid.add_row(feature.name, feature.unit, feature.events, feature.why)
    Console(highlight=False).print(grid)


def summary(dataset: "Dataset", *, labels: bool) -> dict[str, Any]:
    """What came of it, for programs."""
    import numpy as np

    from models.calendar import utc
    from models.features.catalogue import FEATURES_HASH
    from recoup.training.dataset import outcomes

    examples = dataset.examples
    columns = {}
    for name, values in zip(examples.columns, examples.x.T, strict=True):
        known = values[~np.isnan(values)]
        spread = [float(value) for value in np.quantile(known, (0.0, 0.5, 1.0))] if len(known) else [None] * 3
        columns[name] = {"known": len(known), "least": spread[0], "median": spread[1], "most": spread[2]}
    found: dict[str, Any] = {
        "at": str(examples.moment),
        "rows": len(examples.at),
        "accounts": len({*zip(examples.tenant_id.tolist(), examples.account_id.tolist(), strict=True)}),
        "from": utc(int(examples.at[0])).isoformat(),
        "until": utc(int(examples.at[-1])).isoformat(),
        "features_hash": FEATURES_HASH,
        "columns": columns,
        "left_out": dataset.left_out,
        "warnings": dataset.warnings,
        "notes": dataset.notes,
    }
    if labels:
        found |= {"target": str(examples.target), "outcomes": outcomes(examples)}
    return found


def as_text(found: dict[str, Any], output: Path | None) -> str:
    """What came of it, for people."""
    span = f"{found['from'][:10]} to {found['until'][:10]}"
    lines = [
        f"{found['rows']:,} rows of {found['accounts']:,} accounts at {found['at']}, {span}.",
        "",
        f"  {'':<28} {'known':>9} {'least':>12} {'median':>12} {'most':>12}",
    ]
    for name, column in found["columns"].items():
        spread = " ".join(
            f"{'' if column[part] is None else f'{column[part]:,.6g}':>12}" for part in ("least", "median", "most")
        )
        lines.append(f"  {name:<28} {column['known']:>9,} {spread}")
    lines.append("")
    if "outcomes" in found:
        lines += [f"{found['target']}: " + ", ".join(f"{count:,} {name}" for name, count in found["outcomes"].items())]
    lines += [f"left out: {count:,} {reason}" for reason, count in found["left_out"].items()]
    lines += [f"note: {note}" for note in found["notes"]]
    lines += [f"warning: {warning}" for warning in found["warnings"]]
    if output is not None:
        lines.append(f"Written to {output}.")
    return "\n".join(lines)
