"""Whether an aggregate holds what its tables say: worked out from them once more, row by row, and compared."""

import re
import secrets
from collections.abc import Callable

import msgspec

from connectors.clickhouse.aggregates import Aggregate, columns_of, sizes
from connectors.clickhouse.landed import landed
from connectors.clickhouse.ownership import Ownership
from connectors.clickhouse.refill import fill
from connectors.clickhouse.server import Server
from connectors.clickhouse.shadow import Shadow
from connectors.clickhouse.statements import Name, Sql
from connectors.clickhouse.tables import tables

TRIES = 3
"""Comparisons of one that rows land in meanwhile."""
CHECKED = "__checked_"
ROUNDING = 1e-9
"""Sums of fractions depend a little on the order of their terms."""
_FRACTIONS = re.compile(r"SimpleAggregateFunction\(\w+, Float(?:32|64)\)")


class Verdict(msgspec.Struct, frozen=True):
    """What a comparison found."""

    aggregate: str
    rows: int
    """Different keys in what was worked out."""
    differing: tuple[str, ...]
    """Keys of rows that differ; ten at most."""
    still: bool
    """Whether nothing landed meanwhile: if not, rows that differ mean nothing."""


def check(server: Server, aggregate: Aggregate, tell: Callable[[str], None] = lambda _: None) -> Verdict:
    """Compare a target with what its views make of its tables now. Changes nothing; takes as long as filling it again.

    Where it differs and rows landed meanwhile, it is tried again, TRIES times in all.

    Raises:
        SinkUnavailable: ClickHouse does not answer.
    """
    _drop_leftovers(server, aggregate)
    for _ in range(TRIES):
        verdict = _compare(server, aggregate, tell)
        if verdict.still or not verdict.differing:
            break
    return verdict


def _drop_leftovers(server: Server, aggregate: Aggregate) -> None:
    """Of runs that were killed; those of a day ago run no more."""
    about = {"name_of_database": server.settings.database, "beginning": aggregate.target + CHECKED}
    for (name,) in server.query("tables_left", **about):
        server.command("drop_table", {"table": Name(name)})


def _compare(server: Server, aggregate: Aggregate, tell: Callable[[str], None]) -> Verdict:
    # A name of this run's own: two at once do not fill one table.
    again = Shadow(server, aggregate.target, CHECKED + secrets.token_hex(4))
    ownership = Ownership(server)

    def marks() -> dict[str, Sql]:
        return {table: landed(ownership.marks_of(tables()[table].topics)) for table in aggregate.sources}

    before = marks()
    again.create()
    try:
        for table in aggregate.sources:
            fill(server, aggregate, table, Sql("1"), again.name, lambda what, _: tell(f"{aggregate.name}: {what}"))
        rows = sizes(server, [again.name.name])[again.name.name].rows
        differing = _differing(server, aggregate, again.name)
        return Verdict(aggregate.name, rows, differing, still=marks() == before)
    finally:
        again.drop()


def _differing(server: Server, aggregate: Aggregate, other: Name) -> tuple[str, ...]:
    keys = sizes(server, [aggregate.target])[aggregate.target].ordered_by.split(", ")
    values = {
        name: kind
        for name, kind in columns_of(server, [aggregate.target])[aggregate.target].items()
        if name not in keys
    }
    read = ", ".join(f"{_read(name, kind)} AS value_{number}" for number, (name, kind) in enumerate(values.items()))
    differs = " OR ".join(_differ(f"value_{number}", kind) for number, kind in enumerate(values.values()))
    found = server.query(
        "different_rows",
        keys=Sql(", ".join(str(Name(key)) for key in keys)),
        values=Sql(read),
        target=Name(aggregate.target),
        other=other,
        differs=Sql(differs),
    )
    return tuple(", ".join(map(str, key)) for key in found)


def _read(name: str, kind: str) -> str:
    value = f"finalizeAggregation({Name(name)})" if kind.startswith("AggregateFunction(") else str(Name(name))
    return f"toFloat64({value})" if _FRACTIONS.fullmatch(kind) else value


def _differ(value: str, kind: str) -> str:
    mine, other = f"anyIf({value}, side = 1)", f"anyIf({value}, side = 2)"
    if _FRACTIONS.fullmatch(kind):
        return f"NOT (abs({mine} - {other}) <= {ROUNDING} * greatest(abs({mine}), abs({other})))"
    # As text, not-a-number is equal to itself; in a tuple, null is equal to null and to nothing else.
    return f"toString(tuple({mine})) != toString(tuple({other}))"
