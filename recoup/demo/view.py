"""What the demo shows while it runs: a table on a terminal, a line elsewhere."""

from collections.abc import Mapping

import msgspec
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from models.compliance.sentences import reason_of
from schemas.registry import DEAD_LETTER_SUFFIX

Quantiles = tuple[float, float] | None
"""p50 and p99 in milliseconds; None before the first."""

TOP_REASONS = 4


class View(msgspec.Struct):
    """One moment of the demo."""

    phase: str = "starting"
    elapsed: float = 0.0
    seconds: float = 0.0
    accounts: int = 0
    business_days: float = 0.0
    produced: int = 0
    handled: int = 0
    per_second: float = 0.0
    lag_seconds: float = 0.0
    scored: int = 0
    decisions: dict[str, int] = {}
    contacts_allowed: int = 0
    denied: dict[str, int] = {}
    sent: dict[str, int] = {}
    """Outcomes of dispatch: sent, failed, unknown."""
    answers: dict[str, int] = {}
    rows: dict[str, int] = {}
    to_decision: Quantiles = None
    to_row: Quantiles = None
    workers: int = 0

    @property
    def lag(self) -> int:
        return max(0, self.produced - self.handled)


def line(view: View) -> str:
    """The moment in one line."""
    parts = [
        f"{view.elapsed:4.0f} s {view.phase:<10}",
        f"{view.per_second:7,.0f} events/s",
        f"lag {view.lag:,} ({view.lag_seconds:.1f} s)",
        f"{view.scored:,} scores",
        f"decided {_counts(view.decisions) or 'nothing yet'}",
        f"contacts allowed {view.contacts_allowed:,}, denied {sum(view.denied.values()):,}",
        f"{sum(view.rows.values()):,} rows",
        f"to decision {milliseconds(view.to_decision)}, to row {milliseconds(view.to_row)}",
    ]
    return " | ".join(parts)


def table(view: View) -> RenderableType:
    """The moment as a table that fits a terminal of 80 columns and 24 lines."""
    head = Text.assemble(
        ("Recoup ", "bold"),
        (view.phase, "bold cyan"),
        f"  {view.elapsed:.0f} of {view.seconds:.0f} s, {view.accounts:,} accounts,",
        f" business day {view.business_days:.0f}, {view.workers} workers",
    )
    top = Table.grid(padding=(0, 2))
    top.add_row(_flow(view), _rows(view))
    return Panel(Group(head, "", top, _contacts(view)), expand=False, width=78)


def _flow(view: View) -> Table:
    grid = _grid("Events")
    grid.add_row("events/s", f"{view.per_second:,.0f}")
    grid.add_row("produced", f"{view.produced:,}")
    grid.add_row("lag", f"{view.lag:,} = {view.lag_seconds:.1f} s")
    grid.add_row("accounts scored", f"{view.scored:,}")
    for action, times in view.decisions.items():
        grid.add_row(f"decided: {action.replace('_', ' ')}", f"{times:,}")
    grid.add_row("to decision, p50 / p99", milliseconds(view.to_decision))
    grid.add_row("to row, p50 / p99", milliseconds(view.to_row))
    return grid


def _rows(view: View) -> Table:
    grid = _grid("Rows in ClickHouse")
    dead = sum(rows for topic, rows in view.rows.items() if topic.endswith(DEAD_LETTER_SUFFIX))
    for topic, rows in sorted(view.rows.items()):
        if not topic.endswith(DEAD_LETTER_SUFFIX):
            grid.add_row(topic, f"{rows:,}")
    grid.add_row("dead letters", f"{dead:,}")
    return grid


def _contacts(view: View) -> Table:
    told = _counts(view.sent) or "none told yet"
    grid = _grid("Contacts")
    grid.add_row(f"allowed and chosen ({told})", f"{view.contacts_allowed:,}")
    grid.add_row("due, and denied by a rule", f"{sum(view.denied.values()):,}")
    for rule, times in list(view.denied.items())[:TOP_REASONS]:
        grid.add_row(f"  {briefly(rule)}", f"{times:,}")
    if any(view.answers.values()):
        grid.add_row(f"answered ({_counts(view.answers)})", f"{sum(view.answers.values()):,}")
    return grid


def _grid(title: str) -> Table:
    grid = Table(title=title, show_header=False, title_justify="left", title_style="bold", box=None, padding=(0, 1))
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=58)
    grid.add_column(justify="right", no_wrap=True, min_width=8)
    return grid


def said(rule: str) -> str:
    """A rule's id with what it says."""
    return f"{rule}: {reason_of(rule)}"


def briefly(rule: str) -> str:
    """What a rule says, and its id where that is not a description by itself."""
    return reason_of(rule) if "_" in rule else said(rule)


def milliseconds(quantiles: Quantiles) -> str:
    """p50 and p99 as people read them."""
    return "-" if quantiles is None else f"{quantiles[0]:,.0f} / {quantiles[1]:,.0f} ms"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {times:,}" for name, times in counts.items())
