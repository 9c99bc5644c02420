"""Panels with axes as SVG: what happened over time, and columns side by side."""

import io
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
import matplotlib.dates as mdates
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dashboards.answers import Frame, Series
from dashboards.macros import Window
from dashboards.preview.values import colours, overrides, written

PIXELS: Final = 96
INK: Final = "#3b4148"
FAINT: Final = "#e3e6ea"
STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "recoup",
    "font.family": "sans-serif",
    "font.size": 8.2,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}
SHOWN_VALUES: Final = 40
"""So many columns at most have their value written on them."""
TICK_PIXELS: Final = 46
"""Between two names under columns."""


class Drawn(msgspec.Struct, frozen=True):
    """A chart, and the legend below it."""

    svg: str
    legend: Sequence[tuple[str, str]]
    """Name and colour of each series."""


def over_time(panel: Mapping[str, Any], found: Sequence[Series], shown: Window, width: int, height: int) -> Drawn:
    """Lines, stacked areas or bars over the whole window, with the thresholds that are shown."""
    series = {_shown_name(panel, one): one for one in found}
    painted = colours(panel, list(series))
    custom = panel["fieldConfig"]["defaults"].get("custom", {})
    wide = [float(mdates.date2num(at)) for at in (shown.start, shown.end)]  # type: ignore[no-untyped-call]

    def draw(axes: Axes) -> None:
        instants = sorted({at for one in series.values() for at, _ in one.points})
        times: list[float] = [float(mdates.date2num(at)) for at in instants]  # type: ignore[no-untyped-call]
        above, below = [0.0] * len(times), [0.0] * len(times)
        for name, one in series.items():
            values = dict(one.points)
            row = [values.get(at) for at in instants]
            own = overrides(panel, name)
            if own.get("custom.drawStyle", custom.get("drawStyle")) == "bars":
                _bars(axes, times, row, painted[name], above, below)
            elif own.get("custom.stacking", custom.get("stacking", {})).get("mode") == "normal":
                _area(axes, times, row, painted[name], above)
            else:
                known = [(at, value) for at, value in zip(times, row, strict=True) if value is not None]
                style = "o" if len(known) == 1 else "-"
                axes.plot([at for at, _ in known], [value for _, value in known], style, color=painted[name], lw=1.6)
        locator = mdates.AutoDateLocator(minticks=3, maxticks=max(3, width // 90))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
        axes.set_xlim(*wide)
        axes.grid(visible=False, axis="x")
        _thresholds(axes, panel, custom)

    return Drawn(_svg(draw, panel, width, height), list(painted.items()))


def side_by_side(panel: Mapping[str, Any], answer: Frame, width: int, height: int) -> Drawn:
    """Columns for each row of the answer."""
    by = panel["options"]["xField"]
    names = [name for name in answer.names if name != by]
    painted = colours(panel, names)
    stacked = panel["options"].get("stacking") == "normal"
    labels = [str(value) for value in answer.column(by)]
    unit, decimals = _unit(panel)

    def draw(axes: Axes) -> None:
        wide = 0.8 if stacked else 0.8 / len(names)
        base = [0.0] * len(labels)
        for number, name in enumerate(names):
            values = [float(value or 0) for value in answer.column(name)]
            shift = 0.0 if stacked else (number - (len(names) - 1) / 2) * wide
            places = [place + shift for place in range(len(labels))]
            bars = axes.bar(places, values, wide * 0.94, bottom=base if stacked else None, color=painted[name])
            if (
                not stacked
                and len(labels) * len(names) <= SHOWN_VALUES
                and width / len(labels) / len(names) > TICK_PIXELS - 8
            ):
                axes.bar_label(bars, [written(value, unit, decimals) for value in values], fontsize=6.8, padding=1.5)
            if stacked:
                base = [low + value for low, value in zip(base, values, strict=True)]
        every = max(1, math.ceil(len(labels) * TICK_PIXELS / max(1, width - 60)))
        axes.set_xticks(range(0, len(labels), every), labels[::every])
        axes.grid(visible=False, axis="x")

    return Drawn(_svg(draw, panel, width, height), list(painted.items()))


def sparkline(values: Sequence[float | None], paint: str, width: int, height: int) -> str:
    """The history behind a figure: no axes, only its shape."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(*known, 0.0), max(known)
    across, up = width / (len(known) - 1), (height - 2) / ((high - low) or 1)
    points = [f"{at * across:.1f},{height - (value - low) * up:.1f}" for at, value in enumerate(known)]
    line = " ".join(points)
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon points="0,{height} {line} {width},{height}" fill="{paint}" fill-opacity="0.16"/>'
        f'<polyline points="{line}" fill="none" stroke="{paint}" stroke-width="1.4"/></svg>'
    )


def _shown_name(panel: Mapping[str, Any], one: Series) -> str:
    shown = str(panel["fieldConfig"]["defaults"].get("displayName", "")) or one.name
    for label, value in one.labels.items():
        shown = shown.replace("${__field.labels." + label + "}", value)
    return shown or "-"


def _bars(
    axes: Axes, times: list[float], row: list[float | None], paint: str, above: list[float], below: list[float]
) -> None:
    steps = [later - earlier for earlier, later in itertools.pairwise(times)] or [1.0]
    wide = min(steps) * 0.8
    values = [value or 0.0 for value in row]
    base = [(above if value >= 0 else below)[at] for at, value in enumerate(values)]
    axes.bar(times, values, wide, bottom=base, color=paint)
    for at, value in enumerate(values):
        (above if value >= 0 else below)[at] += value


def _area(axes: Axes, times: list[float], row: list[float | None], paint: str, above: list[float]) -> None:
    low = list(above)
    for at, value in enumerate(row):
        above[at] += value or 0.0
    axes.fill_between(times, low, above, color=paint, alpha=0.85, linewidth=0.4)


def _thresholds(axes: Axes, panel: Mapping[str, Any], custom: Mapping[str, Any]) -> None:
    if custom.get("thresholdsStyle", {}).get("mode") != "dashed":
        return
    reached = axes.get_ylim()[1]
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is not None and step["value"] <= reached * 1.6:
            axes.axhline(step["value"], color=step["color"], linewidth=1.0, linestyle=(0, (5, 4)))


def _unit(panel: Mapping[str, Any]) -> tuple[str, int | None]:
    defaults = panel["fieldConfig"]["defaults"]
    return defaults.get("unit", "none"), defaults.get("decimals")


def _svg(draw: Callable[[Axes], None], panel: Mapping[str, Any], width: int, height: int) -> str:
    unit, decimals = _unit(panel)
    defaults = panel["fieldConfig"]["defaults"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width / PIXELS, height / PIXELS), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=unit == "short" and decimals is None))
        axes.yaxis.set_major_formatter(lambda value, _: written(value, unit, None if unit != "percentunit" else 0))
        if axes.get_ylim()[0] > 0:
            axes.set_ylim(bottom=0)
        if "max" in defaults:
            axes.set_ylim(0, defaults["max"])
        out = io.StringIO()
        figure.savefig(
            out, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    return out.getvalue().partition("<svg")[1] + out.getvalue().partition("<svg")[2]
