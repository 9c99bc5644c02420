"""Which aggregates there are, what fills them, and how they stand: read from the database, which is the only list of them.

A target `<name>_states` is filled by materialized views as rows land. A table `<name>_table` is worked out anew by a
refreshable view `<name>_refreshed`. People read neither, but the plain view `<name>` on them.
"""

import re
from collections.abc import Iterable

import msgspec

from connectors.clickhouse.server import Server
from connectors.clickhouse.statements import Name
from models.clock import Instant
from schemas.errors import BadInput

STATES = "_states"
_NAME = r"(?:`(?:[^`\\]|\\.)+`|\w+)"
_TO = re.compile(
    rf"^CREATE MATERIALIZED VIEW {_NAME}\.{_NAME} (?P<refresh>REFRESH .+? )?TO {_NAME}\.(?P<target>{_NAME}) "
)

_LOSES = re.compile(r" TTL .*toIntervalDay\(\d+\)(?! TO )")
"""Rows that are only moved to another volume stay."""


class View(msgspec.Struct, frozen=True):
    """A materialized view that fills a target as rows land in its source."""

    name: str
    source: str
    columns: tuple[str, ...]
    select: str
    """What it writes of the rows of its source; names the database."""


class Aggregate(msgspec.Struct, frozen=True):
    """A target and everything that fills it."""

    target: str
    views: tuple[View, ...]

    @property
    def name(self) -> str:
        return self.target.removesuffix(STATES)

    @property
    def sources(self) -> tuple[str, ...]:
        """The tables whose rows it is made of."""
        return tuple(sorted({view.source for view in self.views}))


class Refreshed(msgspec.Struct, frozen=True):
    """A table that is worked out anew from time to time."""

    view: str
    target: str
    select: str

    @property
    def name(self) -> str:
        return self.view.removesuffix("_refreshed")


class Size(msgspec.Struct, frozen=True):
    """How much a table holds."""

    rows: int = 0
    size: int = 0
    """In bytes on disk."""
    ordered_by: str = ""
    loses_rows: bool = False
    """Whether rows leave it after a time."""
    uuid: str = ""
    """Which table has the name at the moment."""


def aggregates(server: Server) -> dict[str, Aggregate]:
    """Name -> what is filled as rows land. Views on targets of other people's are left out."""
    selects = {view: (target, select) for view, target, select, refresh in _views(server) if not refresh}
    database = server.settings.database
    sources = {view: table for table, on in server.query("views_on", name_of_database=database) for view in on}
    columns = columns_of(server, selects)
    found: dict[str, list[View]] = {}
    for view, (target, select) in selects.items():
        if target.endswith(STATES) and view in sources:
            found.setdefault(target, []).append(View(view, sources[view], tuple(columns[view]), select))
    made = [Aggregate(target, tuple(views)) for target, views in found.items()]
    return {aggregate.name: aggregate for aggregate in sorted(made, key=lambda a: a.name)}


def refreshed(server: Server) -> dict[str, Refreshed]:
    """Name -> what is worked out anew, each after those that it reads."""
    waiting = [Refreshed(view, target, select) for view, target, select, refresh in _views(server) if refresh]
    done: dict[str, Refreshed] = {}
    while waiting:
        tables = {other.target for other in waiting}
        ready = [one for one in waiting if not _mentions(one.select, tables - {one.target})]
        for one in ready or waiting:
            done[one.name] = one
        waiting = [one for one in waiting if one.name not in done]
    return done


def named(server: Server, name: str) -> Aggregate:
    """The aggregate of that name; BadInput when there is none."""
    found = aggregates(server)
    if name not in found:
        raise BadInput(
            f"There is no aggregate {name!r} that is filled as rows land. There are: {', '.join(found) or 'none'}."
        )
    return found[name]


def fed_by(server: Server, table: str) -> list[Aggregate]:
    """The aggregates that rows of a table go into."""
    return [aggregate for aggregate in aggregates(server).values() if table in aggregate.sources]


def sizes(server: Server, tables: Iterable[str]) -> dict[str, Size]:
    """How much each table holds; one that does not exist is left out."""
    names = tuple(sorted(set(tables)))
    if not names:
        return {}
    rows = server.query("tables_of", name_of_database=server.settings.database, names=names)
    return {
        name: Size(int(count), int(size), key, bool(_LOSES.search(engine)), str(uuid))
        for name, count, size, key, engine, uuid in rows
    }


class Standing(msgspec.Struct, frozen=True):
    """How one aggregate stands."""

    name: str
    kind: str
    """`landing`: filled as rows land. `refreshed`: worked out anew from time to time."""
    rows: int
    size: int
    """In bytes on disk."""
    fresh_at: Instant | None
    """Epoch milliseconds: when the last block landed in one of its tables, or the last refresh that succeeded began."""
    failure: str = ""
    """Why the last refresh failed."""


def standings(server: Server) -> list[Standing]:
    """How every aggregate stands, by name."""
    landing, anew = aggregates(server), refreshed(server)
    held = sizes(server, [a.target for a in landing.values()] + [r.target for r in anew.values()])
    newest = {table: _newest(server, table) for table in {t for a in landing.values() for t in a.sources}}
    found: list[Standing] = []
    for name, aggregate in landing.items():
        size = held.get(aggregate.target, Size())
        at = max(newest[table] for table in aggregate.sources)
        found.append(Standing(name, "landing", size.rows, size.size, at or None))
    last = {
        view: (at, why)
        for view, _, at, _, why, _ in server.query("refreshes", name_of_database=server.settings.database)
    }
    for name, one in anew.items():
        size = held.get(one.target, Size())
        at, why = last.get(one.view, (None, ""))
        found.append(Standing(name, "refreshed", size.rows, size.size, at * 1000 if at else None, why[:500]))
    return sorted(found, key=lambda standing: standing.name)


def _newest(server: Server, table: str) -> Instant:
    ((at,),) = server.query("newest_block", table=Name(table))
    return int(at)


def _views(server: Server) -> list[tuple[str, str, str, bool]]:
    """View, target, what it selects, whether it is worked out anew."""
    rows = server.query("target_views", name_of_database=server.settings.database)
    found: list[tuple[str, str, str, bool]] = []
    for view, created, select in rows:
        if (to := _TO.match(created)) is not None:
            found.append((view, to["target"].strip("`"), select, bool(to["refresh"])))
    return found


def columns_of(server: Server, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """Table or view -> its columns in order, with their types."""
    names = tuple(tables)
    rows = server.query("columns_of", name_of_database=server.settings.database, names=names) if names else ()
    return {table: dict(zip(columns, types, strict=True)) for table, columns, types in rows}


def _mentions(select: str, tables: set[str]) -> bool:
    return any(re.search(rf"\b{re.escape(table)}\b", select) for table in tables)
