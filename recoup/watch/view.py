"""A report on a terminal: the verdict, what to do, then the figures behind it."""

from collections.abc import Iterator, Sequence

from rich.console import Group as Parts
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from models.propensity.drift import Bin, Drift, Level
from models.propensity.fairness import HIGH, LOW, SMALL, Group
from models.propensity.matured import Calibration
from recoup.watch.report import Fairness, Report, Side, Watched
from recoup.watch.words import missed

LEAST_SHOWN = 8
"""Features shown even when nothing moved, those that moved most."""
BARS = "▁▂▃▄▅▆▇█"
STYLES: dict[Level, str] = {"drifted": "bold red", "watch": "bold yellow", "steady": "bold green", "too_few": "bold"}


def render(report: Report) -> RenderableType:
    """The whole report."""
    parts: list[RenderableType] = []
    for watched in report.models:
        parts += _model(watched)
    told = report.told
    if told.off:
        parts.append(Text("No events were published.", style="dim"))
    elif told.sent or told.already:
        parts.append(Text(f"{told.sent} model.drifted events were published, {told.already} had been told today."))
    return Parts(*parts)


def _model(watched: Watched) -> Iterator[RenderableType]:
    name = f"{watched.tenant_id}  {watched.model}  {watched.role}".rstrip()
    yield Text.assemble((watched.level.replace("_", " ").upper(), STYLES[watched.level]), "  ", (name, "bold"))
    yield _line(watched.says)
    yield _line(watched.advice)
    yield _line(f"before: {_side(watched.reference)}; now: {_side(watched.current)}", style="dim")
    if watched.other_features:
        yield _line(
            f"{watched.other_features:,} scores have no feature values, or those of another list of features, and are"
            " compared by their score only.",
            style="dim",
        )
    if watched.drifts:
        yield from _drifts(watched.drifts)
    yield from _calibration(watched.calibration)
    yield from _fairness(watched.fairness)
    yield Text()


def _line(text: str, style: str = "") -> Padding:
    """Indented, also where it is wrapped."""
    return Padding(Text(text, style=style), (0, 0, 0, 2))


def _side(side: Side) -> str:
    if side.first is None or side.end is None:
        return f"the training data, {side.accounts:,} rows"
    span = f"{side.first:%Y-%m-%d %H:%M} to {side.end:%Y-%m-%d %H:%M}"
    return f"{span} UTC, {side.scores:,} scores, one of each of {side.accounts:,} accounts"


def _drifts(drifts: Sequence[Drift]) -> Iterator[RenderableType]:
    rank: dict[Level, int] = {"drifted": 0, "watch": 1, "steady": 2, "too_few": 3}
    ordered = sorted(drifts, key=lambda drift: (rank[drift.level], -drift.value))
    shown = max(sum(drift.level in ("drifted", "watch") for drift in ordered), LEAST_SHOWN)
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=True)
    for title in ("feature", "verdict", "PSI", "p", "before", "now"):
        table.add_column(title, justify="right" if title in ("PSI", "p") else "left", no_wrap=True)
    for drift in ordered[:shown]:
        table.add_row(
            drift.feature,
            Text(drift.level.replace("_", " "), style=STYLES[drift.level].removeprefix("bold")),
            f"{drift.value:.3f}",
            f"{drift.p_value:.2g}" if drift.p_value >= 1e-6 else "<1e-6",
            _bars(drift.bins, "reference"),
            _bars(drift.bins, "current"),
        )
    yield table
    if len(ordered) > shown:
        yield _line(f"and {len(ordered) - shown} more that have not moved (--json has all)", style="dim")


def _bars(bins: Sequence[Bin], side: str) -> str:
    """Share of each bin, both sides on one scale; after the `|`, that of what is missing."""
    counts = [getattr(one, side) for one in bins]
    most = max(
        max((one.reference for one in bins), default=0) / max(1, sum(one.reference for one in bins)),
        max((one.current for one in bins), default=0) / max(1, sum(one.current for one in bins)),
    )
    total = max(1, sum(counts))
    drawn = [BARS[min(len(BARS) - 1, int(c / total / most * len(BARS)))] if c else " " for c in counts]
    return "".join(drawn[:-1]) + "|" + drawn[-1]


def _calibration(calibration: Calibration) -> Iterator[RenderableType]:
    c = calibration
    left = f"{c.left_out.not_yet:,} have not matured, {c.left_out.competing:,} were disputed, voided, credited or written off"
    if not c.n:
        yield _line(f"calibration: no score has matured; {left}.")
        return
    noise = f"ECE {c.ece:.3f}, of which chance alone makes {c.ece_noise:.3f}"
    yield _line(f"calibration: {missed(c)}; {noise}; {c.n:,} matured, {left}.")
    for band in c.bands:
        yield _line(f"  {band.band:<14} said {band.expected:>4.0%}  came {band.observed:>4.0%}  n {band.n:,}")


def _fairness(fairness: Fairness) -> Iterator[RenderableType]:
    for what, found in (
        (f"scores of {fairness.threshold:.2f} or more", fairness.best),
        ("contacts", fairness.contacted),
    ):
        known = dict.fromkeys(group.attribute for group in found if group.value)
        if not known:
            continue
        flagged = [group for group in found if group.flagged]
        verdict = {0: "no group is", 1: "1 group is"}.get(len(flagged), f"{len(flagged)} groups are")
        yield _line(
            f"fairness of {what}: {verdict} outside {LOW:g} to {HIGH:g} of the largest (by {', '.join(known)})."
        )
        for group in flagged:
            yield _line(f"  {_group(group)}")
    if any(group.small and group.value for group in fairness.best):
        yield _line(f"  Groups of fewer than {SMALL} accounts are in --json, marked, and are not judged.", style="dim")


def _group(group: Group) -> str:
    if group.ratio is None or group.low is None or group.high is None:
        return f"{group.attribute} {group.value}: {group.rate:.0%} of {group.n:,}, and none of the largest group"
    by_chance = ", which chance explains" if group.low <= 1.0 <= group.high else ""
    return (
        f"{group.attribute} {group.value}: {group.rate:.0%} of {group.n:,}, ratio {group.ratio:.2f}"
        f" (95 % interval {group.low:.2f} to {group.high:.2f}{by_chance})"
    )
