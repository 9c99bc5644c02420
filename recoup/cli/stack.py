"""`recoup up | down | status | logs | doctor`: the local stack."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from recoup.stack.runner import PartStatus

COLOURS = {"running": "green", "external": "green", "stopped": "white", "ok": "green", "warning": "yellow"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The addresses as one JSON object; progress goes to stderr.")
@click.option("--servers-only", is_flag=True, help="Start the servers; leave topics, tables and tenants alone.")
def up(as_json: bool, servers_only: bool) -> None:
    """Start the local stack: Kafka, ClickHouse, Redis, with topics, tables and tenants.

    What runs already is found; what crashed is started again with its data. Servers that the settings place elsewhere
    (RECOUP_KAFKA__BOOTSTRAP_SERVERS, RECOUP_REDIS__URL, RECOUP_CLICKHOUSE__URL) are not started but checked.

    \b
    Example:  recoup up
              RECOUP_STACK__KAFKA_PORT=9092 recoup up --json
    """
    import msgspec

    from recoup.settings import Settings
    from recoup.stack.provision import provision
    from recoup.stack.stack import Stack

    endpoints = Stack.of(Settings()).up(_say)
    if not servers_only:
        provision(Settings(), lambda what: _say("provision", what))
    if as_json:
        click.echo(msgspec.json.encode(endpoints))
        return
    for name, address in msgspec.structs.asdict(endpoints).items():
        click.echo(f"{name:<11} {_without_password(address)}")


@click.command()
@click.option("--wipe", is_flag=True, help="Delete the data and the logs as well. There is no way back.")
def down(wipe: bool) -> None:
    """Stop the local stack, and workers that `recoup demo --keep` left. Its data stay, unless --wipe is given.

    \b
    Example:  recoup down
    """
    from recoup.settings import Settings
    from recoup.stack.kept import stop_kept_workers
    from recoup.stack.stack import Stack

    settings = Settings()
    for worker in stop_kept_workers(settings.home):
        _say(worker, "stopped")
    Stack.of(settings).down(_say, wipe=wipe)
    if wipe:
        click.echo(f"the data under {settings.home} are deleted", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object with `parts` and `workers`.")
def status(as_json: bool) -> None:
    """Say what runs, where, and how it does. The exit code is 0 when every part answers, else 1.

    \b
    Example:  recoup status --json
    """
    import json

    import msgspec

    from recoup.settings import Settings
    from recoup.stack.stack import Stack
    from recoup.stack.workers import running_workers

    settings = Settings()
    parts = Stack.of(settings).status()
    workers = running_workers(settings.home)
    if as_json:
        click.echo(json.dumps({"parts": msgspec.to_builtins(parts), "workers": workers}))
    else:
        for part in parts:
            _show(part)
        for worker in workers:
            ready = bool(worker.get("ready"))
            state = click.style("ready    " if ready else "not ready", fg="green" if ready else "red")
            click.echo(f"{worker['name']:<11} {state} {worker['web']}")
    if any(part.state not in ("running", "external") for part in parts):
        click.get_current_context().exit(1)


@click.command()
@click.argument("part")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("-n", "--lines", default=50, show_default=True, type=click.IntRange(0), help="How many lines of the end.")
def logs(part: str, following: bool, lines: int) -> None:
    """Show the log of PART: kafka, redis, clickhouse, or a worker such as worker-decide-0.

    \b
    Example:  recoup logs kafka -n 20 -f
    """
    from recoup.settings import Settings
    from recoup.stack.log import follow, last_lines
    from schemas.errors import BadInput

    folder = Settings().home / "logs"
    log = folder / f"{part}.log"
    if not log.is_file() or log.parent != folder:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none yet: run `recoup up`"
        raise BadInput(f"There is no log of {part!r}. There are logs of: {known}")
    for line in last_lines(log, lines) if lines else ():
        click.echo(line)
    if following:
        try:
            for line in follow(log):
                click.echo(line)
        except KeyboardInterrupt:
            pass


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as one JSON array.")
def doctor(as_json: bool) -> None:
    """Say what is wrong and what to do. The exit code is 1 when something keeps the stack from working.

    \b
    Example:  recoup doctor
    """
    import msgspec

    from recoup.stack.doctor import examine

    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            level = click.style(f"{finding.level:<8}", fg=COLOURS.get(finding.level, "red"))
            click.echo(f"{level} {finding.name:<11} {finding.says}")
            if finding.do:
                click.echo(f"{'':<20} -> {finding.do}")
    if as_json:
        click.echo(msgspec.json.encode(findings))
    if any(finding.level == "problem" for finding in findings):
        click.get_current_context().exit(1)


def _say(part: str, what: str) -> None:
    click.echo(f"{part:<11} {what}", err=True)


def _show(part: "PartStatus") -> None:
    state = click.style(f"{part.state:<9}", fg=COLOURS.get(part.state, "red"))
    facts = [_without_password(part.address)] if part.address else []
    if part.pid:
        facts += [
            f"pid {part.pid}",
            f"{part.memory_bytes or 0:,} bytes".replace(",", " "),
            f"up {part.uptime_seconds:.0f} s",
        ]
    click.echo(f"{part.name:<11} {state} {'  '.join(facts)}")
    if part.detail:
        click.echo(f"{'':<21} {part.detail}")
    for line in part.last_lines:
        click.echo(f"{'':<21} | {line}")
    if part.last_lines:
        click.echo(f"{'':<21} more: recoup logs {part.name}")


def _without_password(address: str) -> str:
    return address.rpartition("@")[2] if "@" in address else address
