"""An experiment on a terminal: the verdict, then each model's figures."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from recoup.evaluation.plots import MODELS
from recoup.evaluation.trial import UpliftReport


def render(report: UpliftReport) -> RenderableType:
    """The whole report."""
    found = report.targeting
    first = next(iter(found.models.values()))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in ("model", "Qini", "95 % interval", *(f"at {at.share:.0%}" for at in first.at)):
        table.add_column(title, justify="left" if title == "model" else "right", no_wrap=True)
    for name, of in found.models.items():
        table.add_row(
            MODELS[name],
            f"{of.coefficient:.3f}",
            f"{of.low:.3f} to {of.high:.3f}",
            *(f"{at.uplift:+.3f}" for at in of.at),
        )
    rows = f"{found.n:,} rows, {found.propensity:.1%} treated, {len(report.columns)} columns"
    return Group(
        Text(report.says, style="bold"),
        Padding(Text(f"{report.treatment}, outcome {report.outcome}: {rows}", style="dim"), (0, 0, 1, 0)),
        table,
    )
