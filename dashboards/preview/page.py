"""Every panel of a dashboard in its place, drawn from what the servers answer now."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

import jinja2
import msgspec
from markupsafe import Markup, escape

from dashboards.answers import (
    Client,
    Dashboard,
    Frame,
    Series,
    Variables,
    as_series,
    frame,
    is_of_clickhouse,
    promql,
    window_of,
)
from dashboards.macros import ALL, Window, expand
from dashboards.preview import charts
from dashboards.preview.values import colour, ink_on, overrides, written

WIDTH: Final = 1440
EDGE: Final = 16
GAP: Final = 8
ROW: Final = 30
"""Height of a row of Grafana's grid, in pixels; columns share the width."""
LEGEND: Final = 18
LONG_LEGEND: Final = 90
"""Letters that fit into one line of a legend, of a panel half as wide as the page."""
TABLE_ROWS: Final = 40

REDUCED: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "lastNotNull": lambda values: values[-1],
    "sum": sum,
    "mean": lambda values: sum(values) / len(values),
    "max": max,
}


class Placed(msgspec.Struct, frozen=True):
    """One panel of the page."""

    kind: str
    title: str
    place: str
    says: str = ""
    body: Markup = Markup()
    legend: Sequence[tuple[str, str]] = ()


class Answers:
    """Asks the servers for a panel's data."""

    def __init__(self, client: Client, prometheus: str, shown: Window, variables: Variables) -> None:
        self.client = client
        self.prometheus = prometheus
        self.shown = shown
        self.variables = variables

    def frame(self, panel: Mapping[str, Any]) -> Frame | None:
        """The answer to the panel's only query; None when nobody can be asked."""
        (target,) = panel["targets"]
        if not is_of_clickhouse(target):
            return None
        return frame(self.client, expand(target["rawSql"], window_of(panel, self.shown), self.variables))

    def series(self, panel: Mapping[str, Any]) -> list[Series] | None:
        """What the panel's queries answer as lines; None when nobody can be asked."""
        if is_of_clickhouse(panel["targets"][0]):
            answers = [
                frame(self.client, expand(target["rawSql"], window_of(panel, self.shown), self.variables))
                for target in panel["targets"]
            ]
            return [one for answer in answers for one in as_series(answer)]
        if not self.prometheus:
            return None
        shown = window_of(panel, self.shown)
        return [one for target in panel["targets"] for one in promql(self.prometheus, target, shown)]


def page(dashboard: Dashboard, answers: Answers) -> str:
    """The dashboard as one HTML page of `WIDTH` pixels, without anything from elsewhere."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files("dashboards.preview") / "page.html").read_text(encoding="utf-8"))
    shown = answers.shown
    return template.render(
        title=dashboard["title"],
        says=dashboard["description"],
        choices=[(variable["label"], _chosen(answers.variables[variable["name"]])) for variable in _open(dashboard)],
        time=f"{shown.start:%d %b %Y} to {shown.end:%d %b %Y}"
        if (shown.end - shown.start).days > 1
        else f"{shown.start:%d %b %H:%M} to {shown.end:%H:%M}",
        panels=[_placed(panel, answers) for panel in dashboard["panels"]],
        width=WIDTH,
    )


def _open(dashboard: Dashboard) -> list[Mapping[str, Any]]:
    return [variable for variable in dashboard["templating"]["list"] if variable["hide"] == 0]


def _chosen(value: str | tuple[str, ...]) -> str:
    values = (value,) if isinstance(value, str) else value
    return "All" if values == (ALL,) else ", ".join(values)


def _placed(panel: Mapping[str, Any], answers: Answers) -> Placed:
    grid = panel["gridPos"]
    place = f"grid-area:{grid['y'] + 1}/{grid['x'] + 1}/span {grid['h']}/span {grid['w']}"
    title = panel["title"]
    for name, value in answers.variables.items():
        title = title.replace(f"${name}", _chosen(value))
    if panel["type"] == "row":
        return Placed("row", title, place)
    column = (WIDTH - 2 * EDGE - 23 * GAP) / 24
    width = int(grid["w"] * column + (grid["w"] - 1) * GAP) - 18
    height = grid["h"] * ROW + (grid["h"] - 1) * GAP - 34
    body, legend = _body(panel, answers, width, height)
    return Placed(panel["type"], title, place, panel["description"], body, legend)


def _body(
    panel: Mapping[str, Any], answers: Answers, width: int, height: int
) -> tuple[Markup, Sequence[tuple[str, str]]]:
    kind = panel["type"]
    if kind in ("timeseries", "stat") and not (kind == "stat" and panel["targets"][0].get("format") == 1):
        series = answers.series(panel)
        if not series:
            return _nothing(asked=series is not None), ()
        if kind == "stat":
            return _figure(panel, [value for _, value in series[0].points], width), ()
        drawn = charts.over_time(panel, series, answers.shown, width, height - _legend_height(series, width))
        return Markup(drawn.svg), drawn.legend  # noqa: S704 - drawn here, of numbers and names that matplotlib escapes
    answer = answers.frame(panel)
    if answer is None or not answer.rows:
        return _nothing(asked=answer is not None), ()
    if kind == "stat":
        return _figure(panel, [float(answer.rows[0][0])], width), ()
    if kind == "barchart":
        drawn = charts.side_by_side(panel, answer, width, height - LEGEND)
        return Markup(drawn.svg), drawn.legend  # noqa: S704 - likewise
    return (_ranking if kind == "bargauge" else _table)(panel, answer), ()


def _legend_height(series: Sequence[Series], width: int) -> int:
    letters = sum(len(one.name) + len("".join(one.labels.values())) + 6 for one in series)
    return LEGEND * (2 if letters > LONG_LEGEND * width / (WIDTH / 2) else 1)


def _nothing(*, asked: bool) -> Markup:
    return Markup('<div class="nothing">{}</div>').format("No data" if asked else "Asked of Prometheus; none was named")


def _figure(panel: Mapping[str, Any], values: Sequence[float | None], width: int) -> Markup:
    defaults = panel["fieldConfig"]["defaults"]
    known = [value for value in values if value is not None]
    if not known:
        return _nothing(asked=True)
    value = REDUCED[panel["options"]["reduceOptions"]["calcs"][0]](known)
    paint = colour(value, defaults["thresholds"])
    figure = Markup('<div class="figure" style="color:{}">{}</div>').format(
        paint, written(value, defaults["unit"], defaults.get("decimals"))
    )
    return figure + Markup(charts.sparkline(values, paint, width, 46))  # noqa: S704 - numbers only


def _ranking(panel: Mapping[str, Any], answer: Frame) -> Markup:
    defaults = panel["fieldConfig"]["defaults"]
    if panel["options"]["reduceOptions"]["values"]:
        pairs = [(str(row[0]), float(row[1] or 0)) for row in answer.rows]
    else:
        pairs = [(name, float(value or 0)) for name, value in zip(answer.names, answer.rows[0], strict=True)]
    most = max(value for _, value in pairs) or 1
    bars = Markup()
    for name, value in pairs:
        paint = overrides(panel, name).get("color", {}).get("fixedColor") or colour(value, defaults["thresholds"])
        bars += Markup('<span>{}</span><div style="background:{};width:{}%"></div><b style="color:{}">{}</b>').format(
            name,
            paint,
            round(100 * max(0, value) / most, 2),
            paint,
            written(value, defaults["unit"], defaults.get("decimals")),
        )
    return Markup('<div class="bars">{}</div>').format(bars)


def _table(panel: Mapping[str, Any], answer: Frame) -> Markup:
    defaults = panel["fieldConfig"]["defaults"]
    numbers = [any(isinstance(row[at], int | float) for row in answer.rows) for at in range(len(answer.names))]
    own = [overrides(panel, name) for name in answer.names]
    head = Markup().join(
        Markup("<th{}>{}</th>").format(Markup(' class="n"') if number else "", name)
        for name, number in zip(answer.names, numbers, strict=True)
    )
    rows = Markup()
    for row in answer.rows[:TABLE_ROWS]:
        rows += Markup("<tr>{}</tr>").format(
            Markup().join(
                _cell(value, its, defaults, number) for value, its, number in zip(row, own, numbers, strict=True)
            )
        )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, rows)


def _cell(value: Any, own: Mapping[str, Any], defaults: Mapping[str, Any], number: bool) -> Markup:  # noqa: FBT001
    for mapping in own.get("mappings", []):
        value = mapping["options"].get(value, {}).get("text", value)
    shown = written(value, own.get("unit", defaults["unit"]), own.get("decimals"))
    paint = colour(value, own["thresholds"]) if "thresholds" in own and value is not None else ""
    style = Markup("")
    if paint and paint != "transparent":
        style = Markup(' style="background:{};color:{}"').format(paint, ink_on(paint))
    kind = Markup(' class="n"') if number else ""
    return Markup('<td{}{} title="{}">{}</td>').format(kind, style, escape(shown), "" if value is None else shown)
