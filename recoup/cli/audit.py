"""`recoup audit`: who did what, and whether the record of it is whole."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from recoup.audit.compare import Compared
    from recoup.audit.verify import Read

SHOWN = 20
"""Faults that are shown one by one; --json has all."""


@click.group()
def audit() -> None:
    """Verify the audit log, and show what people did.

    Every decision and send, and every act of a person that changes what is sent, is a link of a hash chain in the topic
    `audit-logs`.
    """


@audit.command()
@click.option("--from-warehouse", is_flag=True, help="What has landed in ClickHouse, instead of the topic.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every fault.")
def verify(from_warehouse: bool, as_json: bool) -> None:
    """Find changed, missing and reordered records.

    Each link must carry the hash of its own bytes and of the link before, and a chain must end in the very link that its
    writer says it ends in. Each decision and each outcome of a send must be recorded with its bytes, and all that is
    recorded must still be there. Exit code 3: something is wrong.

    \b
    Example:  recoup audit verify
    """
    import sys

    from recoup.addresses import require
    from recoup.audit.verify import verify_topic, verify_warehouse
    from recoup.settings import Settings

    settings = Settings()
    if from_warehouse:
        require(settings, "clickhouse")
    else:
        require(settings, "kafka", "redis")
    read = verify_warehouse if from_warehouse else verify_topic
    found = read(settings, lambda what, count: click.echo(f"{count:,} {what} read", err=True))
    if as_json:
        import json

        click.echo(json.dumps(_report(found)))
    else:
        _show(found)
    if not found.sound:
        sys.exit(3)


@audit.command("list")
@click.option("--action", help="Only this kind, such as pause, policy, rules or override.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (UTC).")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_acts(action: str | None, since: datetime | None, limit: int, as_json: bool) -> None:
    """Show what people did, newest first.

    \b
    Example:  recoup audit list --action pause
    """
    import msgspec

    from recoup.addresses import require
    from recoup.audit.acts import newest
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "kafka")
    found = newest(settings, action=action, since=since, limit=limit)
    if as_json:
        for entry in found:
            click.echo(msgspec.json.encode(entry).decode())
        return
    if not found:
        click.echo("Nobody has done anything that is recorded.")
    for entry in found:
        details = ", ".join(f"{name} {value}" for name, value in entry.details.items())
        click.echo(f"{entry.occurred_at:%Y-%m-%d %H:%M:%S}  {entry.actor:<12} {entry.action:<10} {entry.subject}")
        if details:
            click.echo(click.wrap_text(details, 116, " " * 21, " " * 21))


def _report(found: "Read") -> dict[str, Any]:
    import msgspec

    return {
        "sound": found.sound,
        "source": found.source,
        "chains": {
            name: {"first": chain.first, "last": chain.head.sequence, "links": chain.links, "records": chain.records}
            for name, chain in sorted(found.verifier.chains.items())
        },
        "removed_chains": found.removed,
        "faults": msgspec.to_builtins(found.verifier.faults),
        "decisions": found.decisions.messages,
        "unrecorded_decisions": found.decisions.unrecorded if found.decisions.known else None,
        "vanished_decisions": found.decisions.vanished if found.decisions.known else None,
        "sends": found.sends.messages,
        "unrecorded_sends": found.sends.unrecorded if found.sends.known else None,
        "vanished_sends": found.sends.vanished if found.sends.known else None,
        "not_landed": found.decisions.not_landed + found.sends.not_landed,
    }


def _show(found: "Read") -> None:
    for name, chain in sorted(found.verifier.chains.items()):
        begins = f", from {chain.first} on: what came before is no longer kept" if chain.first > 1 else ""
        click.echo(f"{name:<14} {chain.links:>9,} links, {chain.records:>11,} records{begins}")
    for fault in found.verifier.faults[:SHOWN]:
        click.secho(f"{fault.kind:<11} {fault.chain} {fault.sequence}, {fault.place}: {fault.says}", fg="red")
    more = len(found.verifier.faults) - SHOWN
    if more > 0:
        click.echo(f"... and {more:,} more; --json has all of them.")
    _show_compared("decisions", found.decisions)
    _show_compared("outcomes of sends", found.sends)
    for name in found.removed:
        click.echo(f"{name:<14} no link is kept any more: all are older than retention.")
    if not found.heads_known:
        click.echo("Whether links are missing at the end was not asked.")
    if not found.verifier.chains:
        click.echo("There is no link yet: nothing was decided, sent or done.")
    elif found.sound:
        click.secho("Sound: nothing was changed, left out or moved.", fg="green")


def _show_compared(what: str, compared: "Compared") -> None:
    if compared.unrecorded:
        says = "are recorded nowhere: they were changed, or somebody else has written them."
        click.secho(f"{compared.unrecorded:,} {what} {says}", fg="red")
    if compared.vanished:
        says = "that are recorded are not there as they were: they were changed or removed."
        click.secho(f"{compared.vanished:,} {what} {says}", fg="red")
    if compared.not_landed:
        says = "at the end have not landed, or their records have not. If it stays so, compare the topics themselves."
        click.echo(f"{compared.not_landed:,} {what} {says}")
    if not compared.known:
        click.echo(f"The {what} were not compared: retention has removed some. --from-warehouse has all that landed.")
