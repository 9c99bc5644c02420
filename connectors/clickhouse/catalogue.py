"""What a database holds, as the server itself tells it: tables, views and columns, and what their comments say."""

import re
from collections import defaultdict
from typing import Literal

import msgspec
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.statements import statement
from connectors.clickhouse.tables import tables

TENANT = "tenant_id"
_SHADOW = re.compile(r"__(?:rebuilt(?:_\d+)?|checked_\w+)$")
"""Ends the name of a table that is made anew beside the one in use; it is gone when it has taken the other's place."""

Kind = Literal["view", "landed", "feeder", "internal"]
"""`view` = finished numbers, for everybody; `landed` = one row a message; `feeder` = a materialized view, which fills a
table and is not read itself; `internal` = the states behind views, and the pipeline's own tables."""


class Column(msgspec.Struct, frozen=True):
    """One column."""

    name: str
    type: str
    comment: str
    default: str
    """`ALIAS` = worked out when it is read; `DEFAULT`, `MATERIALIZED` = when it is inserted; empty = sent."""


class Relation(msgspec.Struct, frozen=True):
    """One table or view."""

    name: str
    kind: Kind
    comment: str
    sorting_key: str
    partition_key: str
    reads: tuple[str, ...]
    """The tables and views that a view is made of."""
    columns: tuple[Column, ...]

    @property
    def of_tenants(self) -> bool:
        """Whether its rows say which tenant they belong to."""
        return any(column.name == TENANT for column in self.columns)


def catalogue(client: Client, database: str) -> list[Relation]:
    """Every table and view by name; empty when there is no such database."""
    columns: dict[str, list[Column]] = defaultdict(list)
    for table, *about in client.query(statement("catalogue_columns", name_of_database=database)).result_rows:
        columns[table].append(Column(*about))
    found = client.query(statement("catalogue_tables", name_of_database=database)).result_rows
    return [
        Relation(
            name=name,
            kind=_kind(name, engine),
            comment=comment,
            sorting_key=sorting_key,
            partition_key=partition_key,
            reads=_reads(select, database, {other for other, *_ in found} - {name}),
            columns=tuple(columns[name]),
        )
        for name, engine, comment, sorting_key, partition_key, select in found
        if not _SHADOW.search(name)
    ]


def _kind(name: str, engine: str) -> Kind:
    if engine == "View":
        return "view"
    if engine == "MaterializedView":
        return "feeder"
    return "landed" if name in tables() else "internal"


def _reads(select: str, database: str, names: set[str]) -> tuple[str, ...]:
    """The server writes every name of a stored SELECT out, with its database."""
    found = re.findall(rf"`?\b{re.escape(database)}`?\.`?(\w+)`?", select)
    return tuple(sorted(names & set(found)))
