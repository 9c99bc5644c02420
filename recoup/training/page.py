"""The report as one HTML page: no script, nothing from another host, every text escaped."""

import base64
import datetime as dt
import math
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from string import Template

from models.clock import Instant
from models.features.catalogue import BY_NAME
from models.propensity.groups import Group
from models.propensity.importance import Importances
from recoup.training.content import CandidateRow, DataSummary, ReportContent
from recoup.training.plots import Plot

TEMPLATE = Path(__file__).with_name("report.html")
NOTHING = "n/a"


def page(content: ReportContent, verdict: str, drawn: list[Plot]) -> str:
    """The whole page."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{content.target} at {content.moment}"),
        lead=escape(
            f"{content.candidate}, beside {content.baseline_name} as the baseline. Learned from"
            f" {content.data.train:,} rows, judged on {content.data.test:,} later ones."
        ),
        verdict=escape(verdict),
        state="bad" if content.leaks else "good",
        alarms="".join(_alarms(content)),
        figures="".join(_figures(content)),
        plots="".join(map(_figure, drawn)),
        groups=_groups(content.groups),
        candidates=_candidates(content.candidates),
        features=_features(content.importance),
        data=_data(content.data),
    )


def _alarms(content: ReportContent) -> Iterator[str]:
    if content.leaks:
        items = "".join(
            f"<li><b>{escape(leak.column or 'the split')}</b> <span class='tag'>{escape(leak.kind.replace('_', ' '))}</span>"
            f"<br>{escape(leak.says)}</li>"
            for leak in content.leaks
        )
        count = "One leak" if len(content.leaks) == 1 else f"{len(content.leaks)} leaks"
        yield f"<section class='alarm leak'><h2>{count}</h2><ul>{items}</ul></section>"
    if content.warnings:
        items = "".join(f"<li>{escape(text)}</li>" for text in content.warnings)
        count = "One warning" if len(content.warnings) == 1 else f"{len(content.warnings)} warnings"
        yield f"<section class='alarm'><h2>{count}</h2><ul>{items}</ul></section>"


def _figures(content: ReportContent) -> Iterator[str]:
    model, baseline = content.model, content.baseline
    rate, said = model.base_rate, model.train_base_rate
    kept = min(max(said, 1e-15), 1 - 1e-15)
    loss = -(rate * math.log(kept) + (1 - rate) * math.log(1 - kept))
    beside = (baseline.auc, baseline.average_precision, baseline.lift_top_decile)
    yield _tile("AUC", "how well payers are told from others, the higher the better", model.auc, beside[0], 0.5)
    yield _tile("Average precision", "the higher the better", model.average_precision, beside[1], rate)
    yield _tile("Brier", "squared error, the lower the better", model.brier, baseline.brier, model.brier_base)
    yield _tile("Log loss", "the lower the better", model.log_loss, baseline.log_loss, loss)
    noise = f"95 % interval {model.ece_low:.3f} to {model.ece_high:.3f}; chance alone gives {model.ece_noise:.3f}"
    yield _tile("ECE", noise, model.ece, baseline.ece, abs(said - rate))
    yield _tile("Lift, top tenth", "payers there, against all rows", model.lift_top_decile, beside[2], 1.0, digits=2)
    yield _tile("Mean probability", f"{rate:.1%} of the test rows were paid", model.mean_p, baseline.mean_p, said)
    if content.days is not None:
        words = f"of the middle one; {content.days.coverage:.0%} within 8-of-10 bands"
        yield _tile("Days to pay, error", words, content.days.mae, None, content.days.mae_base, digits=1)


def _tile(
    name: str, words: str, model: float | None, baseline: float | None, base: float | None, digits: int = 3
) -> str:
    others = f"<dt>baseline</dt><dd>{_number(baseline, digits)}</dd>" if baseline is not None else ""
    return (
        f"<div class='tile'><h3>{escape(name)}</h3><p class='big'>{_number(model, digits)}</p>"
        f"<dl>{others}<dt>base rate</dt><dd>{_number(base, digits)}</dd></dl><p class='words'>{escape(words)}</p></div>"
    )


def _figure(plot: Plot) -> str:
    light, dark = (f"data:image/png;base64,{base64.b64encode(png).decode()}" for png in (plot.light, plot.dark))
    return (
        f"<figure><h3>{escape(plot.title)}</h3><picture><source media='(prefers-color-scheme: dark)' srcset='{dark}'>"
        f"<img src='{light}' alt='{escape(f'{plot.title} {plot.says}')}'></picture>"
        f"<figcaption>{escape(plot.says)}</figcaption></figure>"
    )


def _groups(groups: list[Group]) -> str:
    rows, last = [], ""
    for group in groups:
        if group.grouping != last:
            rows.append(f"<tr class='head'><th colspan='9' scope='rowgroup'>{escape(group.grouping)}</th></tr>")
            last = group.grouping
        kind = "small" if group.small else ""
        small = " <span class='tag'>few rows</span>" if group.small else ""
        cells = (
            f"{group.n:,}", f"{group.base_rate:.1%}", f"{group.mean_p:.1%}", f"{round(100 * group.gap, 1) + 0.0:+.1f}",
            _number(group.auc), _number(group.brier), _number(group.brier_base), _number(group.ece),
        )  # fmt: skip
        rows.append(f"<tr class='{kind}'><th scope='row'>{escape(group.value)}{small}</th>{_cells(cells)}</tr>")
    head = ("", "rows", "paid", "foretold", "gap, points", "AUC", "Brier", "Brier of base rate", "ECE")
    return _table(head, rows)


def _candidates(candidates: list[CandidateRow]) -> str:
    rows = []
    for row in candidates:
        tag = " <span class='tag on'>chosen</span>" if row.chosen else ""
        if row.yardstick:
            tag = " <span class='tag'>yardstick, never served</span>"
        kind = "on" if row.chosen else ""
        cells = _cells((_number(row.log_loss, 4), _number(row.auc)))
        rows.append(f"<tr class='{kind}'><th scope='row'>{escape(row.name)}{tag}</th>{cells}</tr>")
    return _table(("", "log loss", "AUC"), rows)


def _features(importance: Importances) -> str:
    most = max([item.fall for item in importance.items] + [1e-9])
    rows = []
    for item in importance.items:
        feature = BY_NAME.get(item.column)
        if feature is None:
            words, origin = "", "the ledger's own column"
        else:
            words, origin = f"{feature.words} ({feature.unit}). {feature.why}", feature.events
        width = max(0.0, item.fall) / most * 100
        fall = f"{item.fall:.4f}"
        spread = f"± {item.spread:.4f}" if item.spread else ""
        rows.append(
            f"<tr><th scope='row'><code>{escape(item.column)}</code></th>"
            f"<td class='bar'><span style='width:{width:.1f}%'></span></td><td>{fall} <small>{spread}</small></td>"
            f"<td class='text'>{escape(words)}</td><td class='text faint'>{escape(origin)}</td></tr>"
        )
    sampled = "a sample of " if importance.sampled else ""
    note = f"<p>Fall of the AUC on {sampled}{importance.rows:,} test rows, mean of three shuffles.</p>"
    return note + _table(("feature", "", "fall of AUC", "what it is, and why it says something", "comes from"), rows)


def _data(data: DataSummary) -> str:
    facts = [
        ("source", data.source),
        ("rows", f"{data.rows:,}"),
        ("learned from", f"{data.train:,} until {_day(data.train_until)}"),
        ("judged on", f"{data.test:,} from {_day(data.test_from)}"),
        ("time range", f"{_day(data.first_at)} to {_day(data.last_at)}"),
        ("accounts", f"{data.accounts:,}" if data.accounts else NOTHING),
        ("currencies", ", ".join(data.currencies) or NOTHING),
    ]
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    out = [
        f"<tr><th scope='row'>{escape(why)}</th><td>{count:,}</td></tr>"
        for why, count in sorted(data.left_out.items(), key=lambda item: -item[1])
    ]
    notes = "".join(f"<li>{escape(note)}</li>" for note in data.notes)
    return (
        f"<dl class='facts'>{listed}</dl>"
        + (f"<h3>Left out</h3>{_table(('why', 'how many'), out)}" if out else "<p>Nothing was left out.</p>")
        + (f"<h3>Taken for granted</h3><ul>{notes}</ul>" if notes else "")
    )


def _table(head: Iterable[str], rows: list[str]) -> str:
    if not rows:
        return "<p class='faint'>Nothing to show.</p>"
    names = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    return f"<div class='scroll'><table><thead><tr>{names}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"<td>{text}</td>" for text in texts)


def _number(value: float | None, digits: int = 3) -> str:
    return NOTHING if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def _day(at: Instant) -> str:
    if not at:
        return "an unknown day"
    return dt.datetime.fromtimestamp(at / 1000, tz=dt.UTC).strftime("%Y-%m-%d")
