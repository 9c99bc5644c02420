"""`recoup aggregates`: what the views are read from, listed, checked, filled again and worked out anew."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from connectors.clickhouse.aggregates import Standing
    from connectors.clickhouse.check import Verdict
    from connectors.clickhouse.server import Server

STATEMENT_SECONDS = 600.0
"""How long one statement may take, and how long workers are waited for."""


@click.group()
def aggregates() -> None:
    """List, check, refill and refresh the aggregates that analysts' views are read from.

    \b
    Example:  recoup aggregates list
              recoup aggregates list --check
              recoup aggregates rebuild collections_daily
              recoup aggregates refresh
    """


@aggregates.command("list")
@click.argument("names", nargs=-1)
@click.option("--check", "compare", is_flag=True, help="Work each out once more and compare; as long as a rebuild.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
def list_aggregates(names: tuple[str, ...], compare: bool, as_json: bool) -> None:
    """Say what NAMES, or all, hold and how fresh they are.

    With --check, exit code 1 when one differs from its tables, or when rows land too fast to say. Those that are worked out
    from time to time are not compared: `refresh` is what makes them right.

    \b
    Example:  recoup aggregates list --check collections_daily
    """
    import msgspec

    from connectors.clickhouse import aggregates as known
    from connectors.clickhouse.check import check
    from models.clock import WallClock
    from schemas.errors import BadInput, NotReady

    server = _server()
    found = [standing for standing in known.standings(server) if not names or standing.name in names]
    _refuse_unknown(names, [standing.name for standing in found])
    if not compare:
        click.echo(msgspec.json.encode(found) if as_json else _table(found, WallClock().now()))
        return
    if names and (anew := [standing.name for standing in found if standing.kind != "landing"]):
        raise BadInput(
            f"{', '.join(anew)} is worked out from time to time, so there is no check of it:"
            f" `recoup aggregates refresh {' '.join(anew)}` makes it right."
        )
    landing = known.aggregates(server)
    verdicts = [check(server, landing[s.name], _tell) for s in found if s.kind == "landing"]
    click.echo(msgspec.json.encode(verdicts) if as_json else "\n".join(map(_verdict, verdicts)))
    if any(verdict.differing and verdict.still for verdict in verdicts):
        raise SystemExit(1)
    if unsaid := [verdict.aggregate for verdict in verdicts if verdict.differing]:
        raise NotReady(
            f"Of {', '.join(unsaid)} it cannot be said: rows landed during every comparison. Check again when less lands."
        )


@aggregates.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every aggregate that is filled as rows land.")
@click.option("--lose-older", is_flag=True, help="Also where retention has removed rows, which are then not counted.")
@click.option("--yes", is_flag=True, help="Do not ask before it begins.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def rebuild(names: tuple[str, ...], every: bool, lose_older: bool, yes: bool, as_json: bool) -> None:
    """Fill NAMES again from the tables that they count.

    People read the old numbers until the new ones are whole. Land workers may run; when the two change places they stop,
    and go on when they are started again. Cut short, it changes nothing, or tells the workers what to run again.

    \b
    Example:  recoup aggregates rebuild collections_daily ageing_daily
    """
    import msgspec

    from connectors.clickhouse import aggregates as known
    from connectors.clickhouse.refill import Refill

    if bool(names) == every:
        raise click.UsageError("Name aggregates, or say --all.")
    server = _server()
    chosen = list(known.aggregates(server).values()) if every else [known.named(server, name) for name in names]
    if not yes:
        click.confirm(f"Fill {', '.join(a.name for a in chosen) or 'nothing'} again?", abort=True, err=True)
    reports = [Refill(server, aggregate, _tell, lose_older=lose_older).run() for aggregate in chosen]
    if as_json:
        click.echo(msgspec.json.encode(reports))
        return
    for report in reports:
        click.echo(f"{report.aggregate}: {report.rows:,} rows out of {report.read:,} ({report.rows_before:,} before).")


@aggregates.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def refresh(names: tuple[str, ...], as_json: bool) -> None:
    """Work NAMES, or all that are worked out from time to time, out now, and wait until they are.

    \b
    Example:  recoup aggregates refresh
    """
    import msgspec

    from connectors.clickhouse import aggregates as known
    from connectors.clickhouse.refreshes import refresh as work_out

    server = _server()
    found = known.refreshed(server)
    _refuse_unknown(names, list(found))
    done = []
    for one in found.values():
        if not names or one.name in names:
            done.append(work_out(server, one))
            _tell(f"{one.name}: {done[-1].rows:,} rows in {done[-1].seconds:.1f} s")
    if as_json:
        click.echo(msgspec.json.encode(done))


def _server() -> "Server":
    from connectors.clickhouse.server import Server
    from recoup.addresses import require
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "clickhouse")
    return Server(settings.clickhouse, deadline=STATEMENT_SECONDS)


def _refuse_unknown(names: tuple[str, ...], known: list[str]) -> None:
    from schemas.errors import BadInput

    if unknown := [name for name in names if name not in known]:
        raise BadInput(f"There is no such aggregate: {', '.join(unknown)}. `recoup aggregates list` names them.")


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _verdict(verdict: "Verdict") -> str:
    if not verdict.differing:
        return f"{verdict.aggregate}: as its tables say."
    keys = "; ".join(verdict.differing)
    if not verdict.still:
        return f"{verdict.aggregate}: rows landed meanwhile, so it cannot be said. ({keys})"
    return f"{verdict.aggregate}: differs from its tables at {keys}. `recoup aggregates rebuild {verdict.aggregate}` mends it."


def _table(found: "list[Standing]", now: int) -> str:
    if not found:
        return "There are no aggregates: run `recoup migrate`."
    rows = [("aggregate", "filled", "rows", "bytes", "age", "")]
    for one in found:
        filled = "as rows land" if one.kind == "landing" else "from time to time"
        age = "-" if one.fresh_at is None else _age(max(0, now - one.fresh_at) // 1000)
        rows.append(
            (one.name, filled, f"{one.rows:,}", f"{one.size:,}", age, f"failed: {one.failure}" if one.failure else "")
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _age(seconds: int) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
