"""Which rows of a table have landed for good at a moment, told as a condition that stays true of the same rows."""

from collections.abc import Iterable, Iterator

from connectors.clickhouse.blocks import Place
from connectors.clickhouse.ownership import Mark
from connectors.clickhouse.server import Server
from connectors.clickhouse.statements import Name, Sql, literal

KEY = "tenant_id, account_id"
"""What most tables are ordered by first."""


def landed(marks: dict[Place, Mark]) -> Sql:
    """The rows up to each partition's mark, but for the blocks of the marks, whose views may have been cut short.

    The blocks of a partition land one after the other: no row up to the mark is still to come.
    """
    if not marks:
        return Sql("0")
    upto = [
        f"_topic = {literal(place.topic)} AND _partition = {place.partition} AND _offset <= {mark.offset}"
        for place, mark in sorted(marks.items(), key=lambda pair: (pair[0].topic, pair[0].partition))
    ]
    return Sql(f"(({') OR ('.join(upto)})) AND {besides(mark.block for mark in marks.values())}")


def besides(blocks: Iterable[str]) -> Sql:
    """The rows of other blocks."""
    names = tuple(sorted(set(blocks)))
    return Sql(f"_block NOT IN {literal(names)}" if names else "1")


def slices(server: Server, table: str, ordered_by: str, most: int) -> Iterator[Sql]:
    """Conditions that divide a table by account into parts of about `most` rows, each read from one stretch of it.

    One account is never divided; a table of another order is one part.
    """
    if not ordered_by.startswith(KEY):
        yield Sql("1")
        return
    bounds: list[tuple[str, str]] = []
    rows = 0
    for tenant, account, count in server.query("granules", name_of_database=server.settings.database, name=table):
        if rows >= most:
            bounds.append((tenant, account))
            rows = 0
        rows += count
    for lower, upper in zip([None, *bounds], [*bounds, None], strict=True):
        yield Sql(" AND ".join(filter(None, (lower and _from(*lower), upper and f"NOT {_from(*upper)}"))) or "1")


def _from(tenant: str, account: str) -> str:
    """As two comparisons: of a pair the server's index knows nothing."""
    t, a = literal(tenant), literal(account)
    return f"(tenant_id > {t} OR (tenant_id = {t} AND account_id >= {a}))"


def count(server: Server, table: str, condition: Sql) -> int:
    """How many rows a condition is true of."""
    ((rows,),) = server.query("count_where", table=Name(table), condition=condition)
    return int(rows)
