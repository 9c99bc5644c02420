"""The last word of a demo: what was produced, what became of it, whether it adds up, and where to look next."""

from pathlib import Path
from typing import Any

from recoup.calling import command
from recoup.demo.books import differences
from recoup.demo.show import Result, outcomes_of, to_decision, to_row
from recoup.demo.view import milliseconds, said

TOP_REASONS = 8
LEARN = "--target paid_within:30 --at every:7d"
"""What a demo's few months of history can answer."""


def as_json(result: Result) -> dict[str, Any]:
    """The summary for programs."""
    books, figures = result.books, result.figures
    dropped, dead = sum(books.dropped.values()), sum(books.dead_lettered.values())
    wrong = differences(books)
    return {
        "produced": books.produced,
        "applied": books.applied,
        "dropped": dropped,
        "dead_lettered": dead,
        "decisions": books.messages.get("next-best-actions", 0),
        "contacts": outcomes_of(figures).get("sent", 0),
        "landed": books.rows,
        "event_to_decision_ms": _named(to_decision(figures)),
        "event_to_row_ms": _named(to_row(figures)),
        "reconciled": not wrong,
        "differences": wrong,
        "dropped_by_reason": books.dropped,
        "dead_lettered_by_reason": books.dead_lettered,
        "decisions_by_action": figures.by("recoup_decisions_total", "action"),
        "contacts_by_outcome": outcomes_of(figures),
        "contacts_denied_by_rule": figures.by("recoup_contacts_denied_total", "rule"),
        "messages": books.messages,
        "past": {
            "days": result.past.days,
            "accounts": result.past.accounts,
            "events": result.past.events,
            "seconds": result.past.seconds,
        },
        "first_decision_seconds": result.first_decision_seconds,
        "simulator": {
            "delivered": result.tally.total,
            "seconds": result.tally.seconds,
            "duplicates": result.tally.duplicates,
            "late": result.tally.late,
            "bad": sum(result.tally.bad.values()),
        },
    }


def as_text(result: Result) -> str:
    """The summary for people."""
    books, figures, tally = result.books, result.figures, result.tally
    wrong = differences(books)
    dead = sum(books.dead_lettered.values())
    past = result.past
    by_dispatch = books.produced - tally.total - past.events
    decided = _listed(figures.by("recoup_decisions_total", "action"))
    told = _listed(outcomes_of(figures)) or "none told yet"
    waiting = f", {result.unsent:,} wait for dispatch" if result.unsent else ""
    after = "no decision came" if result.first_decision_seconds is None else f"{result.first_decision_seconds:.1f} s"
    lines = [
        "",
        f"{tally.accounts:,} accounts, {tally.seconds:.0f} s of events; from the start to the first decision: {after}.",
        "",
        _row(
            books.produced,
            f"events produced: {tally.total:,} by the simulator, {by_dispatch:,} outcomes by dispatch"
            + (f", {past.events:,} in the {past.days} days before" if past.days else ""),
        ),
        _row(books.applied, "applied"),
        _row(sum(books.dropped.values()), "dropped", books.dropped),
        _row(dead, "dead-lettered", books.dead_lettered),
        f"{'':>14}(the simulator made {sum(tally.bad.values()):,} bad messages)",
        "",
        _row(books.messages.get("next-best-actions", 0), f"decisions: {decided}"),
        _row(books.messages.get("contact-requests", 0), f"contacts requested: {told}{waiting}"),
        *_denials(figures.by("recoup_contacts_denied_total", "rule")),
        "",
        *(_row(rows, f"rows of {topic}") for topic, rows in sorted(books.rows.items()) if rows),
        "",
        f"event to decision, p50 / p99: {milliseconds(to_decision(figures))}",
        f"event to row, p50 / p99:      {milliseconds(to_row(figures))}",
        "",
    ]
    if wrong:
        lines += ["It does NOT add up:", *(f"  - {what}" for what in wrong)]
    else:
        lines.append("It adds up: produced = applied + dropped + dead-lettered, and each message is exactly one row.")
    return "\n".join(lines)


def where_next(result: Result, home: Path, addresses: dict[str, str], *, kept: bool, console: str = "") -> str:
    """What to try now."""
    prefix = command(home)
    lines = ["", "Where to look next:"]
    if console:
        lines.append(f"  {console}   the live console: what flows, what is owed, what is decided and why")
    if not kept:
        lines.append(f"  {prefix} up          start this stack again, with what is in it; or: {command()} demo --keep")
    if result.example is not None:
        tenant, account = result.example
        lines.append(f"  {prefix} explain {tenant} {account}   why somebody was contacted")
    lines.append(f"  {prefix} dlq list     what was refused, and why")
    if kept:
        lines.append(f"  {prefix} status       what runs")
        lines.append(f"  {prefix} simulate     more events; the workers are still at it")
        lines.append(f"  {prefix} train --from-warehouse {LEARN}   a model of these customers, and how to release it")
        lines.append(
            f"  {prefix} models list  the models, also those trained without RECOUP_HOME, and which is in force"
        )
        lines.append(f"  {prefix} down         stop it")
        lines += [f"  {name:<11} {address}" for name, address in addresses.items()]
    return "\n".join(lines)


def _row(count: int, what: str, reasons: dict[str, int] | None = None) -> str:
    return f"  {count:>10,}  {what}{': ' if reasons else ''}{_listed(reasons or {})}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {times:,}" for name, times in counts.items())


def _denials(denied: dict[str, int]) -> list[str]:
    if not denied:
        return []
    top = list(denied.items())[:TOP_REASONS]
    return [
        _row(sum(denied.values()), "times a rule denied a contact that was due:"),
        *(_row(times, f"  {said(rule)}") for rule, times in top),
    ]


def _named(found: tuple[float, float] | None) -> dict[str, float | None]:
    return {"p50": None, "p99": None} if found is None else {"p50": found[0], "p99": found[1]}
