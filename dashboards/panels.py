"""The kinds of panels, each with a question for a title, a unit, what it shows and what to do, and thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from grafana_foundation_sdk.builders import barchart, bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model

from dashboards.colours import GOOD, PLAIN
from dashboards.queries import CLICKHOUSE, PROMETHEUS, Sql

Query = Builder[Dataquery]
Steps = Sequence[tuple[float | None, str]]
"""From each value on, its colour; the first has no value."""

ANY: Final[Steps] = ((None, PLAIN),)
"""No amount of it is good or bad in itself."""

OVER_BARS: Final = {"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "stacking": {"mode": "none", "group": "B"}}

Panel = TypeVar("Panel", stat.Panel, timeseries.Panel, table.Panel, bargauge.Panel, barchart.Panel)


class About(msgspec.Struct, frozen=True):
    """What stands behind a panel's "i"."""

    what: str
    how: str
    """The formula, and what is left out."""
    act: str
    """What to do when it looks bad."""

    def __str__(self) -> str:
        return f"{self.what}\n\n**How it is worked out.** {self.how}\n\n**When it looks bad.** {self.act}"


class Column(msgspec.Struct, frozen=True):
    """How a table shows one of its columns."""

    unit: str
    decimals: int | None = None
    steps: Steps = ()
    """Colours of the cells; none: plain cells."""
    width: int | None = None
    texts: Mapping[str, str] = {}
    """Value -> what is shown in its place."""


def figure(  # noqa: PLR0913 - what a panel is made of
    title: str,
    query: Query,
    about: About,
    unit: str,
    *,
    steps: Steps = ANY,
    calc: str = "lastNotNull",
    decimals: int | None = None,
    width: int = 4,
    interval: str = "",
) -> stat.Panel:
    """One number with its history behind it. `calc` = how the history becomes the number: lastNotNull, sum, mean, max."""
    panel = (
        _begun(stat.Panel(), title, [query], about, unit, steps, width, 4, decimals, interval)
        .color_scheme(FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .reduce_options(common.ReduceDataOptions().calcs([calc]).values(False))
        .graph_mode(options.BigValueGraphMode.AREA)
        .color_mode(options.BigValueColorMode.VALUE)
        .text_mode(options.BigValueTextMode.VALUE)
        .justify_mode(options.BigValueJustifyMode.AUTO)
    )
    return panel.no_value("-")


def lines(  # noqa: PLR0913
    title: str,
    queries: Query | Sequence[Query],
    about: About,
    unit: str,
    *,
    steps: Steps = ANY,
    colours: Mapping[str, str] | None = None,
    label: str = "",
    stacked: bool = False,
    bars: bool = False,
    line: str = "",
    highest: float | None = None,
    decimals: int | None = None,
    width: int = 12,
    height: int = 8,
    interval: str = "",
) -> timeseries.Panel:
    """Something over time. Thresholds are drawn as dashed lines.

    Args:
        colours: series -> its colour.
        label: the column of text whose values name the series; empty: the names of the columns.
        stacked: one on top of the other.
        bars: drawn as bars, for what is counted a day; what is below 0 goes down.
        line: the one series that is a line over the bars.
        highest: where the axis ends.
    """
    listed = [queries] if isinstance(queries, Builder) else list(queries)
    panel = (
        _begun(timeseries.Panel(), title, listed, about, unit, steps, width, height, decimals, interval)
        .color_scheme(FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .draw_style(options.GraphDrawStyle.BARS if bars else options.GraphDrawStyle.LINE)
        .line_width(1 if bars else 2)
        .fill_opacity(80 if bars else 70 if stacked else 0)
        .show_points(options.VisibilityMode.AUTO)
        .span_nulls(bool(not bars))
        .axis_soft_min(0)
        .legend(
            common.VizLegendOptions()
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI))
    )
    if stacked or bars:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL).group("A"))
    if len(steps) > 1:
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(options.GraphTresholdsStyleMode.DASHED))
    if highest is not None:
        panel.min(0).max(highest)
    if label:
        panel.display_name("${__field.labels." + label + "}")
    for name, colour in (colours or {}).items():
        properties = [_value("color", {"mode": "fixed", "fixedColor": colour})]
        if name == line:
            properties += [_value("custom." + its, value) for its, value in OVER_BARS.items()]
        panel.override_by_name(name, properties)
    return panel


def columns(  # noqa: PLR0913
    title: str,
    query: Query,
    about: About,
    unit: str,
    *,
    by: str,
    colours: Mapping[str, str] | None = None,
    steps: Steps = ANY,
    highest: float | None = None,
    decimals: int | None = None,
    stacked: bool = False,
    width: int = 12,
    height: int = 8,
) -> barchart.Panel:
    """Columns side by side for each value of the column `by`; one for each other column."""
    panel = (
        _begun(barchart.Panel(), title, [query], about, unit, steps, width, height, decimals, "")
        .color_scheme(FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .x_field(by)
        .orientation(options.VizOrientation.VERTICAL)
        .stacking(options.StackingMode.NORMAL if stacked else options.StackingMode.NONE)
        .show_value(options.VisibilityMode.AUTO)
        .bar_width(0.9)
        .group_width(0.8)
        .fill_opacity(85)
        .legend(
            common.VizLegendOptions()
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if highest is not None:
        panel.min(0).max(highest)
    for name, colour in (colours or {}).items():
        panel.override_by_name(name, [_value("color", {"mode": "fixed", "fixedColor": colour})])
    return panel


def ranking(  # noqa: PLR0913
    title: str,
    query: Query,
    about: About,
    unit: str,
    *,
    steps: Steps = ANY,
    colours: Mapping[str, str] | None = None,
    decimals: int | None = None,
    width: int = 8,
    height: int = 8,
) -> bargauge.Panel:
    """A bar for each row, named by its column of text. `colours`: row -> its colour, of rows told as columns."""
    panel = (
        _begun(bargauge.Panel(), title, [query], about, unit, steps, width, height, decimals, "")
        .color_scheme(FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(not colours))
        .orientation(options.VizOrientation.HORIZONTAL)
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .value_mode(options.BarGaugeValueMode.TEXT)
        .show_unfilled(False)
        .min(0)
    )
    for name, colour in (colours or {}).items():
        panel.override_by_name(name, [_value("color", {"mode": "fixed", "fixedColor": colour})])
    return panel


def listing(  # noqa: PLR0913
    title: str,
    query: Query,
    about: About,
    shown: Mapping[str, Column],
    *,
    steps: Steps = ANY,
    unit: str = "locale",
    width: int = 12,
    height: int = 8,
) -> table.Panel:
    """A table; `shown` says how columns look. What is good has no colour, so that the eye finds what is not."""
    panel = _begun(table.Panel(), title, [query], about, unit, steps, width, height, None, "")
    panel.show_header(True).color_scheme(FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    for name, column in shown.items():
        properties = [_value("unit", column.unit)]
        if column.decimals is not None:
            properties.append(_value("decimals", column.decimals))
        if column.width is not None:
            properties.append(_value("custom.width", column.width))
        if column.steps:
            marked = [(value, "transparent" if paint == GOOD else paint) for value, paint in column.steps]
            properties.append(_value("thresholds", _thresholds(marked).build()))
            properties.append(_value("custom.cellOptions", {"type": "color-background", "mode": "basic"}))
        if column.texts:
            texts = {value: {"text": text, "index": at} for at, (value, text) in enumerate(column.texts.items())}
            properties.append(_value("mappings", [{"type": "value", "options": texts}]))
        panel.override_by_name(name, properties)
    return panel


def _begun(  # noqa: PLR0913, PLR0917
    panel: Panel,
    title: str,
    queries: Sequence[Query],
    about: About,
    unit: str,
    steps: Steps,
    width: int,
    height: int,
    decimals: int | None,
    interval: str,
) -> Panel:
    panel.title(title).description(str(about)).unit(unit).thresholds(_thresholds(steps)).span(width).height(height)
    panel.datasource(CLICKHOUSE if isinstance(queries[0], Sql) else PROMETHEUS)
    for query in queries:
        panel.with_target(query)
    if decimals is not None:
        panel.decimals(decimals)
    if interval:
        panel.interval(interval)
    return panel


def _thresholds(steps: Steps) -> ThresholdsConfig:
    return (
        ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=colour) for value, colour in steps])
    )


def _value(name: str, value: Any) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=name, value=value)
