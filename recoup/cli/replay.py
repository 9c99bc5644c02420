"""`recoup replay`: a real ledger through the pipeline, on its own clock."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recoup.calling import command

if TYPE_CHECKING:
    from recoup.replay.replay import Result

SHOWN_FAULTS = 5


class Speed(click.ParamType):
    """`max`, or a number of days a second."""

    name = "max|DAYS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value in (None, "max"):
            return None
        try:
            days = float(value)
        except ValueError:
            days = 0.0
        if not 0.0 < days < float("inf"):
            self.fail(f"{value!r} is neither `max` nor a number of days of the ledger a second, such as 7.", param, ctx)
        return days


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--csv", "csv_file", required=True, type=FILE, help="The ledger: one row an invoice.")
@click.option("--mapping", required=True, type=FILE, help="Which column means what; see config/mappings/.")
@click.option("--speed", default="max", show_default=True, type=Speed(), help="Days of the ledger a second.")
@click.option("--until", metavar="DATE", help="Go on to this date (2014-01-31) after the ledger's last row.")
@click.option("--skip-bad", is_flag=True, help="Send rows that cannot be read to the dead letters instead of stopping.")
@click.option("--clean", is_flag=True, help="Empty the local stack first. There is no way back.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 8), help="Decide workers.")
@click.option(
    "--bucket-hours",
    default=24,
    show_default=True,
    type=click.IntRange(1, 24 * 28),
    help="What lies in one bucket of this length is decided together.",
)
@click.option("--json", "as_json", is_flag=True, help="The summary as the last line; everything else goes to stderr.")
def replay(
    csv_file: Path,
    mapping: Path,
    speed: float | None,
    until: str | None,
    skip_bad: bool,
    clean: bool,
    workers: int,
    bucket_hours: int,
    as_json: bool,
) -> None:
    """Send a ledger's invoices, payments and disputes through the pipeline in the order of their time.

    Reviews and reminders fire when they would have. Nothing is sent to anybody. The local stack is started when none
    runs and must be empty; it stays up afterwards, so that one can look around. Exit code 1: the sums do not add up,
    2: the file, the mapping or the stack is not fit for it.

    \b
    Example:  recoup replay --csv invoices.csv --mapping config/mappings/ibm_late_payment.yaml --clean
    """
    import msgspec

    from models.clock import WallClock
    from recoup.cli.progress import phases
    from recoup.replay.replay import Plan, Replay
    from recoup.settings import Settings

    plan = Plan(
        csv=csv_file,
        mapping=mapping,
        days_per_second=speed,
        clean=clean,
        skip_bad=skip_bad,
        workers=workers,
        bucket_hours=bucket_hours,
        until=until,
    )
    with phases() as (say, show):
        result = Replay(plan, Settings(), WallClock(), say, show).run()
    click.echo(as_text(result), err=as_json)
    if as_json:
        click.echo(msgspec.json.encode(summary(result)))
    if not result.verdict.reconciled:
        raise SystemExit(1)


def summary(result: "Result") -> dict[str, Any]:
    """What came of it, for programs."""
    books, landed, ledger = result.verdict.books, result.verdict.landed, result.ledger
    return {
        "tenant": result.tenant.tenant_id,
        "rows": ledger.rows,
        "invoices": landed.invoices,
        "accounts": ledger.accounts,
        "events": result.fed.events,
        "applied": books.applied,
        "dropped": sum(books.dropped.values()),
        "dead_lettered": sum(books.dead_lettered.values()),
        "dropped_by_reason": books.dropped,
        "dead_lettered_by_reason": books.dead_lettered,
        "paid_minor": sum(landed.paid_minor.values()),
        "paid_minor_by_currency": landed.paid_minor,
        "decisions": landed.decisions,
        "decisions_digest": landed.decisions_digest,
        "landed": books.rows,
        "reconciled": result.verdict.reconciled,
        "differences": result.verdict.differences,
        "manifest_digest": result.manifest.digest,
        "buckets": result.fed.buckets,
        "seconds": round(result.seconds, 1),
    }


def as_text(result: "Result") -> str:
    """What came of it, for people."""
    from models.calendar import utc
    from schemas.currencies import decimals

    ledger, books, landed = result.ledger, result.verdict.books, result.verdict.landed
    first, last = utc(ledger.messages[0].at), utc(ledger.messages[-1].at)
    paid = ", ".join(
        f"{minor / 10 ** decimals(currency):,.{decimals(currency)}f} {currency}"
        for currency, minor in landed.paid_minor.items()
    )
    refused = ", ".join(f"{reason} {times:,}" for reason, times in books.dead_lettered.items())
    lines = [
        "",
        f"{result.tenant.name}: {first:%Y-%m-%d} to {last:%Y-%m-%d} in {result.seconds:.1f} s.",
        "",
        f"  {landed.invoices:>10,}  invoices of {ledger.accounts:,} accounts, {paid or 'nothing'} paid",
        f"  {result.fed.events:>10,}  events sent, in {result.fed.buckets:,} buckets of simulated time",
        f"  {books.applied:>10,}  applied",
        f"  {sum(books.dropped.values()):>10,}  dropped (said twice)",
        f"  {sum(books.dead_lettered.values()):>10,}  dead-lettered{': ' if refused else ''}{refused}",
        f"  {landed.decisions:>10,}  decisions, digest {landed.decisions_digest[:16]}",
        f"  {books.rows.get('contact-requests', 0):>10,}  contacts planned; a replay sends none",
        "",
    ]
    if result.assumed_reachable:
        lines.append(
            "The ledger names no addresses, so every account was taken to have an e-mail address, a telephone and a\n"
            "postal address (`assume_reachable: false` in the mapping leaves them out)."
        )
    faults = sorted(ledger.faults, key=lambda fault: fault.line)
    if faults:
        lines += [f"{len(faults):,} cells could not be read:"]
        lines += [f"  line {fault.line}, column {fault.column}: {fault.says}" for fault in faults[:SHOWN_FAULTS]]
    if result.verdict.differences:
        lines += ["It does NOT add up:", *(f"  - {what}" for what in result.verdict.differences)]
    else:
        lines.append("It adds up: each row of the file is accounted for, and each message is exactly one row.")
    tenant = result.tenant.tenant_id
    account = ledger.messages[0].key.decode().partition("|")[2]
    program = command()
    lines += [
        "",
        "The servers still run, with this replay in them:",
        f"  {program} explain {tenant} {account}   why an account was treated as it was",
        *([f"  {program} dlq list   what was refused, and why"] if books.dead_lettered else []),
        f"  {program} down   stop them; with --wipe, forget the replay",
    ]
    return "\n".join(lines)
