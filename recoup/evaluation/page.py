"""An evaluation as one HTML page: no script, nothing from another host, every text escaped."""

import base64
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from string import Template

from recoup.evaluation.plots import MODELS, forest, gains
from recoup.evaluation.run import Report, Result
from recoup.evaluation.trial import UpliftReport
from recoup.evaluation.words import HEAD, LEFT_OUT, rows, trust
from recoup.training.plots import Plot

TEMPLATE = Path(__file__).with_name("report.html")


def page(report: Report) -> str:
    """A candidate policy, tenant by tenant."""
    return _page(
        f"The policy {report.policy}",
        f"From {report.source}; money within {report.window_days} days of a decision.",
        "".join(part for result in report.results for part in _result(result)),
    )


def uplift_page(report: UpliftReport) -> str:
    """An experiment."""
    found = report.targeting
    cells = [
        (
            MODELS[name],
            f"{of.coefficient:.3f}",
            f"{of.low:.3f} to {of.high:.3f}",
            f"{of.auuc:.4f}",
            *(f"{at.uplift:.3f}" for at in of.at),
        )
        for name, of in found.models.items()
    ]
    first = next(iter(found.models.values()))
    head = ("model", "Qini", "95 % interval", "AUUC", *(f"uplift, best {at.share:.0%}" for at in first.at))
    body = (
        f"<p class='verdict {found.verdict}'>{escape(report.says)}</p><div class='parts'>{_figure(gains(found))}</div>"
        f"<h2>Models</h2><div class='panel'>{_table(head, cells)}</div>"
    )
    return _page(f"Uplift of {report.treatment} on {report.outcome}", f"From {report.source}, {found.n:,} rows.", body)


def _page(title: str, lead: str, results: str) -> str:
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(title=escape(title), lead=escape(lead), results=results)


def _result(result: Result) -> Iterator[str]:
    judgement = result.judgement
    yield f"<h2>{escape(result.tenant_id)}, {escape(result.currency)}</h2>"
    yield f"<p class='verdict {judgement.verdict}'>{escape(result.says)}</p>"
    yield f"<div class='parts'>{_figure(forest(result))}<div class='panel'><h3>What it rests on</h3>"
    yield f"{_table(('', '', ''), trust(judgement.diagnostics), text=2)}{_left_out(result)}</div></div>"
    yield f"<h3 style='margin-top:20px'>Estimates</h3><div class='panel'>{_table(HEAD, rows(result), text=1)}</div>"


def _left_out(result: Result) -> str:
    said = "; ".join(f"{count:,} {LEFT_OUT[why]}" for why, count in result.left_out.items() if count)
    return f"<p class='faint'>Left out: {escape(said)}.</p>" if said else ""


def _figure(plot: Plot) -> str:
    light, dark = (f"data:image/png;base64,{base64.b64encode(png).decode()}" for png in (plot.light, plot.dark))
    return (
        f"<figure><h3>{escape(plot.title)}</h3><picture><source media='(prefers-color-scheme: dark)' srcset='{dark}'>"
        f"<img src='{light}' alt='{escape(f'{plot.title} {plot.says}')}'></picture>"
        f"<figcaption>{escape(plot.says)}</figcaption></figure>"
    )


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]], text: int = -1) -> str:
    """`text` is the column of sentences."""
    names = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>"
        + "".join(
            f"<td{' class=text' if place == text else ''}>{escape(cell)}</td>"
            for place, cell in enumerate(rest, start=1)
        )
        + "</tr>"
        for first, *rest in rows
    )
    return f"<div class='scroll'><table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>"
