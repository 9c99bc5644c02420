"""A report on a terminal: the verdict, the estimates, and what they rest on."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from models.evaluation.judge import Verdict
from recoup.evaluation.run import Report, Result
from recoup.evaluation.words import HEAD, LEFT_OUT, rows, trust

STYLES: dict[Verdict, str] = {
    "refused": "bold yellow",
    "better": "bold green",
    "worse": "bold red",
    "undecided": "bold",
    "same": "bold",
}


def render(report: Report) -> RenderableType:
    """The whole report."""
    parts: list[RenderableType] = []
    for result in report.results:
        parts += _result(report, result)
    return Group(*parts)


def _result(report: Report, result: Result) -> Iterator[RenderableType]:
    judgement = result.judgement
    head = f"{report.policy}  {result.tenant_id}  {result.currency}"
    yield Text.assemble((judgement.verdict.upper(), STYLES[judgement.verdict]), "  ", (head, "bold"))
    if judgement.refused:
        for refusal in judgement.refused:
            yield _line(f"{refusal.reason}: {refusal.says}")
    else:
        yield _line(result.says)
    yield Text()
    yield Padding(_estimates(result), (0, 0, 0, 2), expand=False)
    yield Text()
    yield Padding(_trust(result), (0, 0, 0, 2), expand=False)
    left_out = "; ".join(f"{count:,} {LEFT_OUT[why]}" for why, count in result.left_out.items() if count)
    if left_out:
        yield _line(f"Left out: {left_out}.", style="dim")
    yield Text()


def _estimates(result: Result) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False)
    for title in filter(None, HEAD):
        table.add_column(title, justify="left" if title == HEAD.name else "right", no_wrap=True)
    for its in rows(result):
        table.add_row(its.name, its.value, its.interval, its.more)
    return table


def _trust(result: Result) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for named in trust(result.judgement.diagnostics):
        table.add_row(*named)
    return table


def _line(text: str, style: str = "") -> Padding:
    """Indented, also where it is wrapped."""
    return Padding(Text(text, style=style), (0, 0, 0, 2), expand=False)
