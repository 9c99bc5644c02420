"""A comparison as one HTML page with pictures: no script, nothing from another host, every text escaped."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from recoup.simulator.comparison.compare import Comparison, PolicyResult
from recoup.simulator.comparison.view import ROWS, against_words, estimate_words

TEMPLATE = Path(__file__).with_name("report.html")
COLOURS = 6
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 520, 300, 52, 24, 10, 34
"""Of a picture, in its own units."""


def page(comparison: Comparison) -> str:
    """The whole page."""
    policies = comparison.policies
    seeds = comparison.seeds
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(", ".join(result.policy for result in policies)),
        verdict=escape(_verdict(policies)),
        lead=escape(
            f"{comparison.accounts:,} customers under each policy for {comparison.days} days from {comparison.starts_on}:"
            f" the same customers with the same luck, {len(seeds)} time{'s' if len(seeds) > 1 else ''}"
            f" (seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))})."
        ),
        legend="".join(
            f"<span><i style='background:var(--p{place % COLOURS})'></i>{escape(result.policy)}</span>"
            for place, result in enumerate(policies)
        ),
        plots="".join(_plots(policies)),
        measures=_measures(policies),
        segments=_segments(policies),
        notes=escape(
            "± half of the 95 % interval over seeds, where there is more than one. Money in US dollars; other currencies"
            f" at fixed rates: {', '.join(f'1 {name} = {rate:.2f} USD' for name, rate in comparison.rates.items())}."
            " The customers are simulated; how they behave is declared in recoup/simulator/world/habits.py."
        ),
    )


def _verdict(policies: Sequence[PolicyResult]) -> str:
    first, *others = policies
    said = [
        f"{result.policy} recovers {result.against.recovered.mean:+.1%} against {first.policy}"
        + ("" if result.against.contacts is None else f" with {result.against.contacts.mean:+.1%} contacts")
        for result in others
        if result.against is not None
    ]
    share = first.measures["recovered_share"].mean
    return "; ".join(said) + "." if said else f"{first.policy} recovers {share:.1%} of what came due."


def _plots(policies: Sequence[PolicyResult]) -> Iterable[str]:
    yield _figure(
        "Recovered", "Of what came due in the whole run, the share that had been received by each day.",
        _curves([result.recovered_by_day for result in policies], lambda value: f"{value:.0%}"),
    )  # fmt: skip
    yield _figure(
        "Overdue", "US dollars overdue at the end of each day.",
        _curves([result.overdue_by_day for result in policies], _dollars),
    )  # fmt: skip
    yield _figure(
        "Contacts", "All contacts up to each day.",
        _curves([_cumulated(result.contacts_by_day) for result in policies], _counted),
    )  # fmt: skip
    yield _figure(
        "Contacts by channel", "Over the whole run.",
        _bars(policies),
    )  # fmt: skip


def _figure(title: str, caption: str, drawing: str) -> str:
    return f"<figure><h3>{escape(title)}</h3>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def _curves(series: Sequence[Sequence[float]], words: Callable[[float], str]) -> str:
    top = max((max(values, default=0.0) for values in series), default=0.0) or 1.0
    days = max(len(values) for values in series)
    parts = list(_axes(top, words))
    parts += [
        f"<text x='{_x(day, days):.1f}' y='{HEIGHT - 14}' text-anchor='middle'>day {day}</text>" for day in _marks(days)
    ]
    for place, values in enumerate(series):
        points = " ".join(f"{_x(day, days):.1f},{_y(value, top):.1f}" for day, value in enumerate(values, start=1))
        parts.append(f"<polyline class='curve' style='stroke:var(--p{place % COLOURS})' points='{points}'/>")
    return _svg(parts)


def _bars(policies: Sequence[PolicyResult]) -> str:
    channels = [name for name in policies[0].contacts_by_channel if any(_mean(p, name) for p in policies)]
    top = max((_mean(result, name) for result in policies for name in channels), default=0.0) or 1.0
    parts = list(_axes(top, _counted))
    room = (WIDTH - LEFT - RIGHT) / max(len(channels), 1)
    width = room * 0.8 / len(policies)
    for number, name in enumerate(channels):
        start = LEFT + room * number + room * 0.1
        for place, result in enumerate(policies):
            y = _y(_mean(result, name), top)
            parts.append(
                f"<rect x='{start + width * place:.1f}' y='{y:.1f}' width='{width * 0.92:.1f}'"
                f" height='{HEIGHT - BOTTOM - y:.1f}' style='fill:var(--p{place % COLOURS})'/>"
            )
        parts.append(f"<text x='{start + room * 0.4:.1f}' y='{HEIGHT - 14}' text-anchor='middle'>{escape(name)}</text>")
    return _svg(parts)


def _mean(result: PolicyResult, channel: str) -> float:
    return result.contacts_by_channel[channel].mean


def _axes(top: float, words: Callable[[float], str]) -> Iterable[str]:
    for quarter in range(5):
        y = _y(top * quarter / 4, top)
        yield f"<line class='axis' x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y:.1f}' y2='{y:.1f}'/>"
        yield f"<text x='{LEFT - 6}' y='{y + 4:.1f}' text-anchor='end'>{escape(words(top * quarter / 4))}</text>"


def _svg(parts: Iterable[str]) -> str:
    return f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img'>{''.join(parts)}</svg>"


def _x(day: int, days: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * day / max(days, 1)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _marks(days: int) -> range:
    return range(0, days + 1, max(1, round(days / 3)))


def _cumulated(values: Sequence[float]) -> list[float]:
    total, found = 0.0, []
    for value in values:
        total += value
        found.append(total)
    return found


def _dollars(value: float) -> str:
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"


def _counted(value: float) -> str:
    return f"{value / 1e3:.1f} k" if value >= 1e4 else f"{value:,.0f}"


def _measures(policies: Sequence[PolicyResult]) -> str:
    rows = [(label, [estimate_words(p.measures[name], kind) for p in policies]) for name, label, kind in ROWS]
    first = policies[0].policy
    rows.append((f"Recovered against {first}", [against_words(p, "recovered") for p in policies]))
    rows.append((f"Contacts against {first}", [against_words(p, "contacts") for p in policies]))
    return _table([result.policy for result in policies], rows)


def _segments(policies: Sequence[PolicyResult]) -> str:
    rows = []
    for name in policies[0].segments:
        cells = []
        for result in policies:
            its = result.segments[name]
            each = its["contacts"].mean / max(its["accounts"].mean, 1)
            cells.append(f"{its['recovered_share'].mean:.1%}, {each:.2f} contacts")
        rows.append((name, cells))
    return _table([result.policy for result in policies], rows)


def _table(heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr><th>{escape(label)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for label, cells in rows
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
