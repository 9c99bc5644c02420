"""`recoup dlq`: dead letters listed, shown, mended and sent again."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from recoup.dead_letters.letters import Heap, Letter
    from recoup.dead_letters.proof import Prover
    from recoup.dead_letters.replay import Mend, Report
    from recoup.settings import Settings

SHOWN_HELD_BACK = 10


@click.group()
def dlq() -> None:
    """List, show, fix and replay dead letters: messages that were refused, with the reason.

    \b
    Example:  recoup dlq list
              recoup dlq show payment-events.dlq:0:12
              recoup dlq replay payment-events --reason unknown_tenant
    """


@dlq.command("list")
@click.argument("topics", nargs=-1)
@click.option("--positions", is_flag=True, help="Every letter's position instead of the sums.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
def list_letters(topics: tuple[str, ...], positions: bool, as_json: bool) -> None:
    """Say how many there are, by topic and reason; of TOPICS or of all.

    \b
    Example:  recoup dlq list payment-events
    """
    import msgspec

    from recoup.dead_letters.letters import heaps, letters
    from recoup.dead_letters.replay import Replayed

    settings = _settings()
    with Replayed(settings) as replayed:
        done = replayed.all()
    if positions:
        for letter in letters(settings, topics):
            line = {"at": str(letter.at), "reason": letter.reason, "field": letter.field, "attempt": letter.attempt}
            line["replayed"] = str(letter.at) in done
            click.echo(msgspec.json.encode(line) if as_json else "  ".join(str(value) for value in line.values()))
        return
    found = heaps(letters(settings, topics), done)
    click.echo(msgspec.json.encode(found) if as_json else _table(found))


@dlq.command()
@click.argument("position")
@click.option("--payload", is_flag=True, help="Show what it holds as well, which may be personal data.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def show(position: str, payload: bool, as_json: bool) -> None:
    """Show the letter at POSITION (topic:partition:offset): where it came from, why it was refused, how often.

    Whoever looks with --payload is recorded in the audit log: `recoup audit list --action access`.

    \b
    Example:  recoup dlq show payment-events.dlq:0:12 --payload
    """
    import msgspec

    from recoup.dead_letters.letters import letter_at, position_from
    from recoup.dead_letters.replay import Replayed
    from recoup.dead_letters.showing import opened

    settings, at = _settings(), position_from(position)
    letter = opened(settings, at, "command") if payload else letter_at(settings, at)
    with Replayed(settings) as replayed:
        told = _as_dict(letter, payload=payload) | {"replayed": str(letter.at) in replayed.all()}
    if as_json:
        click.echo(msgspec.json.encode(told))
        return
    for name, value in told.items():
        click.echo(f"{name:<11} {value}")
    if not payload:
        click.echo("(--payload shows what it holds, which may be personal data)")


@dlq.command()
@click.argument("topics", nargs=-1)
@click.option("--at", "positions", multiple=True, metavar="POSITION", help="Only this letter; may be given again.")
@click.option("--reason", "reasons", multiple=True, help="Only those refused for this; may be given again.")
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", help="Change a field first; may be given again.")
@click.option("--edit", is_flag=True, help="Change each letter in $EDITOR first.")
@click.option("--rekey", is_flag=True, help="Take the key from the message's tenant and account.")
@click.option("--force", is_flag=True, help="Also send what would be refused again.")
@click.option("--dry-run", is_flag=True, help="Prove everything and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def replay(
    topics: tuple[str, ...],
    positions: tuple[str, ...],
    reasons: tuple[str, ...],
    fields: tuple[str, ...],
    edit: bool,
    rekey: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send dead letters of TOPICS to where they came from, mended if asked, each proved first.

    A letter that would be refused again is held back; one that was sent again before is left alone. What is sent is
    recorded in the audit log under your name: `recoup audit list --action dead_letter`. Exit code 1: some were held back.

    \b
    Example:  recoup tenants apply && recoup dlq replay payment-events --reason unknown_tenant
              recoup dlq replay --at payment-events.dlq:0:12 --set amount_minor=1250
    """
    import msgspec

    from models.clock import WallClock
    from recoup.dead_letters import letters as box
    from recoup.dead_letters.proof import Prover
    from recoup.dead_letters.replay import replay as send_again
    from recoup.simulator.stack import require_live
    from recoup.tenants import published

    if not topics and not positions:
        raise click.UsageError("Name topics, or letters with --at.")
    if topics and positions:
        raise click.UsageError("Name topics or letters, not both.")
    if edit and fields:
        raise click.UsageError("Give --edit or --set, not both.")
    settings = _settings()
    require_live(settings)
    found: Iterable[Letter]
    if positions:
        found = [box.letter_at(settings, box.position_from(position)) for position in positions]
    else:
        found = box.letters(settings, topics)
    chosen = (letter for letter in found if not reasons or letter.reason in reasons)
    with Prover(settings, published(settings.kafka), WallClock()) as prover:
        report = send_again(
            settings,
            chosen,
            through="command",
            prove=prover,
            mend=_mend(prover, fields, edit=edit, rekey=rekey),
            force=force,
            dry_run=dry_run,
        )
    _tell(report, dry_run=dry_run, to_stderr=as_json)
    if as_json:
        click.echo(msgspec.json.encode(report))
    if report.held_back:
        raise SystemExit(1)


def _mend(prover: "Prover", fields: tuple[str, ...], *, edit: bool, rekey: bool) -> "Mend":
    from recoup.dead_letters import mending
    from recoup.dead_letters.replay import unchanged
    from schemas.decode import Refusal

    def set_fields(letter: "Letter") -> tuple[bytes | None, bytes | None]:
        def accepts(key: bytes | None, value: bytes | None) -> bool:
            return not isinstance(prover(letter.topic, key, value, letter.headers), Refusal)

        return mending.with_fields(letter, fields, accepts, rekey=rekey)

    if fields:
        return set_fields
    if edit:
        return lambda letter: mending.by_hand(letter, lambda text: click.edit(text, extension=".json"), rekey=rekey)
    return mending.rekeyed if rekey else unchanged


def _tell(report: "Report", *, dry_run: bool, to_stderr: bool) -> None:
    for position, why in list(report.held_back.items())[:SHOWN_HELD_BACK]:
        click.echo(f"held back: {position}: {why}", err=True)
    if len(report.held_back) > SHOWN_HELD_BACK:
        click.echo(f"... and {len(report.held_back) - SHOWN_HELD_BACK:,} more.", err=True)
    parts = [f"{report.sent:,} {'would be' if dry_run else 'were'} sent again"]
    if report.forced:
        parts.append(f"{report.forced:,} of them by force")
    if report.duplicates:
        parts.append(f"{report.duplicates:,} of them are known to the state and will be dropped")
    if report.already:
        parts.append(f"{report.already:,} had been sent again before")
    if report.held_back:
        parts.append(f"{len(report.held_back):,} held back, because they would be refused again")
    if not report.recorded:
        parts.append("the audit log does not have it yet and takes it down with the next act")
    click.echo("; ".join(parts) + ".", err=to_stderr)


def _table(found: "list[Heap]") -> str:
    from models.calendar import utc

    if not found:
        return "There are no dead letters."

    def day(instant: int | None) -> str:
        return "-" if instant is None else f"{utc(instant):%Y-%m-%d %H:%M}"

    rows = [("letters", "replayed", "topic", "reason", "first seen (UTC)", "last seen", "newest")]
    rows += [
        (f"{h.letters:,}", f"{h.replayed:,}", h.topic, h.reason, day(h.first_seen), day(h.last_seen), h.newest)
        for h in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _as_dict(letter: "Letter", *, payload: bool) -> dict[str, Any]:
    from models.calendar import utc

    told: dict[str, Any] = {
        "at": str(letter.at),
        "reason": letter.reason,
        "field": letter.field,
        "detail": letter.detail,
        "came_from": letter.came_from,
        "attempt": letter.attempt,
        "first_seen": utc(letter.first_seen).isoformat() if letter.first_seen is not None else None,
        "bytes": len(letter.value or b""),
    }
    if payload:
        told["key"] = (letter.key or b"").decode(errors="backslashreplace")
        told["headers"] = {name: value.decode(errors="backslashreplace") for name, value in letter.headers}
        told["value"] = (letter.value or b"").decode(errors="backslashreplace")
    return told


def _settings() -> "Settings":
    from recoup.addresses import require
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "kafka", "redis")
    return settings
