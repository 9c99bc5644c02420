"""The plots of a training report as PNG files, each for light and for dark screens, the same bytes for the same numbers."""

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from models.propensity.evaluation import HISTOGRAM_BINS, DaysEvaluation, Evaluation
from models.propensity.importance import Importances

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 160
WIDTH = 5.4
"""Inches: on a telephone the letters are still as large as the text around them."""
HEIGHT = 4.2
MOST_BARS = 14


class Palette(msgspec.Struct, frozen=True):
    """Colours of one kind of screen; the page's style sheet has the same ones."""

    ground: str
    ink: str
    faint: str
    model: str
    baseline: str


LIGHT = Palette("#ffffff", "#22272e", "#d5d9de", "#2b6196", "#b9772a")
DARK = Palette("#1b2027", "#dfe3e8", "#3b434d", "#7fb2e5", "#dba763")


class Plot(msgspec.Struct, frozen=True):
    """One plot, drawn twice."""

    name: str
    """Of its file, without `.png`; the dark one has `-dark` behind it."""
    title: str
    says: str
    """How it is read."""
    light: bytes
    dark: bytes


Draw = Callable[["Figure", Palette], None]


def plots(
    model: Evaluation, baseline: Evaluation, importance: Importances, days: DaysEvaluation | None
) -> Iterator[Plot]:
    """Every plot that there are numbers for."""
    yield plot(
        "reliability", "Does it keep what it promises?",
        "Of the rows that were given a probability, the share that was paid, with 95 % intervals. On the line is right; below"
        " it, too much was promised. The bars show how many rows there are at each probability.",
        lambda figure, palette: _reliability(figure, palette, model, baseline),
    )  # fmt: skip
    yield plot(
        "gain", "How early does it find those who pay?",
        "Rows in the order of their probability, the highest first, and the share of all payers among them.",
        lambda figure, palette: _gain(figure, palette, model, baseline),
    )  # fmt: skip
    yield plot(
        "scores", "How far apart are payers and the others?",
        "How many rows of either outcome have each probability.",
        lambda figure, palette: _scores(figure, palette, model),
    )  # fmt: skip
    if days is not None and days.groups:
        yield plot(
            "days", "When will the money come?",
            f"Rows by their predicted days to pay. Eight of ten should be within the predicted band; {days.coverage:.0%} were."
            " The lines show where eight of ten really were, the dots their middle.",
            lambda figure, palette: _days(figure, palette, days),
        )  # fmt: skip
    if importance.items:
        yield plot(
            "importance", "What does it rest on?",
            "How far the AUC falls when a feature's values are dealt out at random. Features that say the same share it.",
            lambda figure, palette: _importance(figure, palette, importance),
        )  # fmt: skip


def plot(name: str, title: str, says: str, draw: Draw) -> Plot:
    """One plot, drawn for either kind of screen."""
    return Plot(name, title, says, _png(draw, LIGHT), _png(draw, DARK))


def _png(draw: Draw, palette: Palette) -> bytes:
    # Half a second, and only training needs it.
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_style(palette)):
        figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure, palette)
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _style(palette: Palette) -> dict[Any, Any]:
    return {
        "font.family": "DejaVu Sans",
        "font.size": 9.5,
        "text.color": palette.ink,
        "axes.labelcolor": palette.ink,
        "axes.edgecolor": palette.faint,
        "axes.facecolor": palette.ground,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "grid.color": palette.faint,
        "grid.linewidth": 0.6,
        "xtick.color": palette.ink,
        "ytick.color": palette.ink,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "legend.frameon": False,
        "figure.facecolor": palette.ground,
        "savefig.facecolor": palette.ground,
    }


def _reliability(figure: "Figure", palette: Palette, model: Evaluation, baseline: Evaluation) -> None:
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    above.plot((0, 1), (0, 1), color=palette.ink, linewidth=0.8, linestyle=(0, (4, 3)), label="calibrated")
    for judged, colour, words in ((baseline, palette.baseline, "baseline"), (model, palette.model, "model")):
        bins = judged.reliability
        said, came = [part.mean_p for part in bins], np.array([part.observed for part in bins])
        reach = np.abs(np.array([[part.low, part.high] for part in bins]).T - came)
        above.errorbar(said, came, yerr=reach, color=colour, label=words, fmt="o-", markersize=3.5, linewidth=1.2,
                       elinewidth=0.8, alpha=1.0 if judged is model else 0.75)  # fmt: skip
    above.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="share paid")
    above.legend(loc="upper left")
    edges = np.linspace(0.0, 1.0, HISTOGRAM_BINS + 1)
    for judged, colour in ((baseline, palette.baseline), (model, palette.model)):
        counts = np.add(judged.histogram.positives, judged.histogram.negatives)
        below.stairs(
            counts, edges, color=colour, fill=judged is model, alpha=0.6 if judged is model else 1.0, linewidth=1.1
        )
    below.set(xlabel="probability given", ylabel="rows")
    below.locator_params(axis="y", nbins=3)


def _gain(figure: "Figure", palette: Palette, model: Evaluation, baseline: Evaluation) -> None:
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color=palette.ink, linewidth=0.8, linestyle=(0, (4, 3)), label="random order")
    for judged, colour, words in ((baseline, palette.baseline, "baseline"), (model, palette.model, "model")):
        axes.plot([point.rows for point in judged.gain], [point.positives for point in judged.gain],
                  color=colour, linewidth=1.6, label=words)  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of rows", ylabel="share of payers")
    _percent(axes)
    axes.legend(loc="lower right")


def _importance(figure: "Figure", palette: Palette, importance: Importances) -> None:
    axes = figure.subplots()
    items = importance.items[:MOST_BARS][::-1]
    axes.barh([_short(item.column) for item in items], [item.fall for item in items],
              xerr=[item.spread for item in items], color=palette.model, ecolor=palette.ink,
              height=0.62, error_kw={"elinewidth": 0.8})  # fmt: skip
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("fall of the AUC")
    axes.set_ylim(-0.6, max(len(items), 6) - 0.4)
    axes.locator_params(axis="x", nbins=5)


def _scores(figure: "Figure", palette: Palette, model: Evaluation) -> None:
    axes = figure.subplots()
    edges = np.linspace(0.0, 1.0, HISTOGRAM_BINS + 1)
    for counts, colour, words in (
        (model.histogram.positives, palette.model, "paid"),
        (model.histogram.negatives, palette.baseline, "not paid"),
    ):
        axes.stairs(counts, edges, color=colour, alpha=0.35, fill=True)
        axes.stairs(counts, edges, color=colour, linewidth=1.3, label=words)
    axes.set(xlim=(0, 1), xlabel="probability given", ylabel="rows")
    axes.legend(loc="upper center")


def _days(figure: "Figure", palette: Palette, days: DaysEvaluation) -> None:
    axes = figure.subplots()
    places = np.arange(1, len(days.groups) + 1)
    low, middle, high = (
        np.array([getattr(group, name) for group in days.groups]) for name in ("low", "median", "high")
    )
    axes.fill_between(places, low, high, color=palette.model, alpha=0.25, linewidth=0, label="predicted, 8 of 10")
    axes.plot(places, middle, color=palette.model, linewidth=1.6, label="predicted middle")
    came = np.array([group.actual_median for group in days.groups])
    reach = [[group.actual_median - group.actual_low for group in days.groups],
             [group.actual_high - group.actual_median for group in days.groups]]  # fmt: skip
    axes.errorbar(
        places, came, yerr=reach, fmt="o", color=palette.baseline, markersize=4, elinewidth=1.2, label="actual"
    )
    axes.set(xlabel="rows by predicted days, earliest first, in groups of equal size", ylabel="days to pay")
    axes.set_xticks(places)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")


def _percent(axes: "Axes") -> None:
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _short(name: str) -> str:
    """As a label: a `$` would be read as a formula."""
    return (name if len(name) <= 24 else f"{name[:23]}…").replace("$", r"\$")
