"""A lesson for people: what each action does, and predicted against realised uplift, as text and as a picture."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from models.actions.learning import Decile
from recoup.learning.lesson import Lesson

TEMPLATE = Path(__file__).with_name("lesson.html")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560, 340, 60, 16, 14, 46
CERTAIN = 1.96


def view(lesson: Lesson) -> Iterator[RenderableType]:
    """The tables."""
    wait = lesson.learned.wait
    yield Text(f"{lesson.decisions:,} decisions on {lesson.accounts:,} accounts, {lesson.waits:,} of them waits.")
    if wait.n:
        yield Text(f"P(pay | wait) = sigmoid({wait.offset:+.2f} + {wait.slope:.2f} logit(score)), of {wait.n:,} waits.")
    else:
        yield Text("Too few waits were drawn or held out: P(pay | wait) stays the score itself.")
    effects = Table(box=None, pad_edge=False, padding=(0, 2))
    for name, side in (("action", "left"), ("segment", "left"), ("log-odds", "right"), ("±", "right"), ("n", "right")):
        effects.add_column(name, justify=side)  # type: ignore[arg-type]
    for its in lesson.learned.effects:
        effects.add_row(its.action, its.segment or "all", f"{its.log_odds:+.3f}", f"{its.sd:.3f}", f"{its.n:,}")
    yield effects
    yield Text(verdict(lesson), style="bold")
    deciles = Table(box=None, pad_edge=False, padding=(0, 2), title="Uplift of the best action over waiting, by tenths")
    for name in ("predicted", "realised", "±", "acted", "waited"):
        deciles.add_column(name, justify="right")
    for tenth in lesson.deciles:
        deciles.add_row(
            f"{tenth.predicted:+.3f}", f"{tenth.realised:+.3f}", f"{CERTAIN * tenth.sd:.3f}", f"{tenth.acted:,}",
            f"{tenth.waited:,}",
        )  # fmt: skip
    yield deciles


def verdict(lesson: Lesson) -> str:
    """In how many tenths the realised uplift agrees with the predicted."""
    tenths = lesson.deciles
    if not tenths:
        return "No decisions were left to judge the predictions by."
    inside = sum(abs(its.predicted - its.realised) <= CERTAIN * its.sd for its in tenths)
    predicted = sum(its.predicted * its.n for its in tenths) / sum(its.n for its in tenths)
    realised = sum(its.realised * its.n for its in tenths) / sum(its.n for its in tenths)
    return (
        f"On accounts that it was not learned of: predicted uplift {predicted:+.3f}, realised {realised:+.3f};"
        f" {inside} of {len(tenths)} tenths agree within their 95 % interval."
    )


def page(lesson: Lesson, name: str) -> str:
    """The picture as an HTML page: no script, nothing from another host, every text escaped."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=escape(name), verdict=escape(verdict(lesson)), plot=_plot(lesson.deciles)
    )


def _plot(tenths: list[Decile]) -> str:
    if not tenths:
        return ""
    low = min(min(its.predicted, its.realised - CERTAIN * its.sd) for its in tenths)
    high = max(max(its.predicted, its.realised + CERTAIN * its.sd) for its in tenths)
    low, high = min(low, 0.0), max(high, low + 0.01)
    left, right = min(its.predicted for its in tenths), max(its.predicted for its in tenths)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - left) / max(right - left, 1e-9)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - low) / (high - low)

    parts = [f"<line class='axis' x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y(0):.1f}' y2='{y(0):.1f}'/>"]
    parts += [
        f"<text x='{LEFT - 6}' y='{y(mark) + 4:.1f}' text-anchor='end'>{mark:+.2f}</text>" for mark in (low, 0.0, high)
    ]
    parts.append(f"<line class='right' x1='{x(left):.1f}' y1='{y(left):.1f}' x2='{x(right):.1f}' y2='{y(right):.1f}'/>")
    for its in tenths:
        at, spread = x(its.predicted), CERTAIN * its.sd
        top, bottom = y(its.realised + spread), y(its.realised - spread)
        parts += [
            f"<line class='spread' x1='{at:.1f}' x2='{at:.1f}' y1='{top:.1f}' y2='{bottom:.1f}'/>",
            f"<circle cx='{at:.1f}' cy='{y(its.realised):.1f}' r='4'/>",
        ]
    for value in (left, right):
        parts.append(f"<text x='{x(value):.1f}' y='{HEIGHT - 26}' text-anchor='middle'>{value:+.3f}</text>")
    parts.append(f"<text x='{(LEFT + WIDTH) / 2:.0f}' y='{HEIGHT - 6}' text-anchor='middle'>predicted uplift</text>")
    return f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img'>{''.join(parts)}</svg>"
