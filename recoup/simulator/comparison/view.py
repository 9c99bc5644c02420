"""A comparison as tables for people: policies side by side, then who was moved by each."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from recoup.simulator.comparison.compare import Comparison, PolicyResult
from recoup.simulator.comparison.intervals import Estimate

ROWS = (
    ("recovered_minor", "Recovered", "money"),
    ("recovered_share", "  of what came due", "share"),
    ("days_to_cash", "Days late when it came", "days"),
    ("days_overdue", "Days a dollar was late", "days"),
    ("contacts", "Contacts", "count"),
    ("complaints", "Complaints", "count"),
    ("opt_outs", "Opt-outs", "count"),
    ("disputes", "Disputes", "count"),
    ("promises", "Promises", "count"),
    ("promises_kept", "  of them kept", "count"),
    ("plans", "Payment plans", "count"),
    ("to_person", "Handed to a person", "count"),
    ("cost_minor", "Cost", "money"),
    ("net_minor", "Recovered less cost", "money"),
)


def view(comparison: Comparison) -> Iterator[RenderableType]:
    """The tables, and what they rest on."""
    seeds = comparison.seeds
    yield Text(
        f"{comparison.accounts:,} customers, {comparison.days} days from {comparison.starts_on},"
        f" {len(seeds)} seed{'s' if len(seeds) > 1 else ''} ({', '.join(map(str, seeds))});"
        " the same customers and the same luck under each policy."
    )
    yield _measures(comparison)
    yield _segments(comparison)
    tenants = {name for result in comparison.policies for name in result.decides_for}
    for result in comparison.policies:
        if left := sorted(tenants - set(result.decides_for)):
            yield Text(
                f"{result.policy} has no prices in the currencies of {', '.join(left)}: they kept their own schedule."
            )
    if len(seeds) > 1:
        yield Text("± half of the 95 % interval over seeds. Money in US dollars at fixed rates.", style="dim")
    else:
        yield Text("One seed: no intervals; --seeds 5 gives them. Money in US dollars at fixed rates.", style="dim")


def _measures(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("", no_wrap=True)
    for result in comparison.policies:
        table.add_column(result.policy, justify="right")
    for name, label, kind in ROWS:
        table.add_row(label, *[estimate_words(result.measures[name], kind) for result in comparison.policies])
        if name == "contacts":
            for channel in comparison.policies[0].contacts_by_channel:
                told = [result.contacts_by_channel[channel] for result in comparison.policies]
                if any(its.mean for its in told):
                    table.add_row(f"  {channel}", *[estimate_words(its, "count") for its in told])
    first = comparison.policies[0].policy
    for what, label in (("recovered", "Recovered against"), ("contacts", "Contacts against")):
        table.add_row(
            f"{label} {first}", *[against_words(result, what) for result in comparison.policies], style="bold"
        )
    return table


def against_words(result: PolicyResult, what: str) -> str:
    """The difference from the first policy."""
    if result.against is None:
        return "-"
    found: Estimate | None = getattr(result.against, what)
    return "-" if found is None else estimate_words(found, "change")


def _segments(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), title="Recovered share and contacts per account")
    table.add_column("", no_wrap=True)
    for result in comparison.policies:
        table.add_column(result.policy, justify="right")
    for name in comparison.policies[0].segments:
        cells = []
        for result in comparison.policies:
            its = result.segments[name]
            each = its["contacts"].mean / max(its["accounts"].mean, 1)
            cells.append(f"{its['recovered_share'].mean:6.1%} {each:5.2f}")
        table.add_row(name, *cells)
    return table


def estimate_words(found: Estimate, kind: str) -> str:
    """A mean with half of its interval; `kind` is one of those in ROWS, or `change`."""
    half = None if found.low is None or found.high is None else (found.high - found.low) / 2
    match kind:
        case "money":
            mean, spread = f"${_short(found.mean / 100)}", None if half is None else _short(half / 100)
        case "share":
            mean, spread = f"{found.mean:.1%}", None if half is None else f"{100 * half:.1f}"
        case "change":
            mean, spread = f"{found.mean:+.1%}", None if half is None else f"{100 * half:.1f}"
        case "days":
            mean, spread = f"{found.mean:.1f}", None if half is None else f"{half:.1f}"
        case _:
            mean, spread = f"{found.mean:,.0f}", None if half is None else f"{half:,.0f}"
    return mean if spread is None else f"{mean} ±{spread}"


def _short(amount: float) -> str:
    """Ten thousand and more in thousands."""
    return f"{amount / 1_000:,.0f}k" if amount >= 10_000 else f"{amount:,.0f}"
