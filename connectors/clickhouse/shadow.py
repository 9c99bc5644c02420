"""A table made anew beside the one in use, which stays untouched until the two change places."""

from collections.abc import Callable
from typing import TypeVar

from connectors.clickhouse.blocks import REBUILT, Place
from connectors.clickhouse.server import Server
from connectors.clickhouse.statements import Name, Sql, Value, literal

Answer = TypeVar("Answer")


class Shadow:
    """The table of the same columns that takes a table's place."""

    def __init__(self, server: Server, table: str, ending: str = "__rebuilt") -> None:
        self.server = server
        self.table = Name(table)
        self.name = Name(table + ending)

    def create(self) -> None:
        """Make it, empty; one that an earlier run has left is thrown away."""
        self.drop()
        self._do("create_like", new=self.name, table=self.table)

    def drop(self) -> None:
        """Throw away what has this name now: an unfinished table, or after the exchange the former one."""
        self._do("drop_table", table=self.name)

    def exchange(self) -> None:
        """Let the two change places, for all queries at once."""
        self._do("exchange_tables", table=self.table, new=self.name)

    def copy_before(self, place: Place, offset: int) -> None:
        """Copy a partition's rows before an offset as they are."""
        self._copy("copy_rows_before", place, before=offset)

    def copy_missing(self, place: Place, last: int) -> None:
        """Copy a partition's rows up to an offset that are not here yet, as they are."""
        self._copy("copy_rows_missing", place, last=last)

    def rows(self, topic: str) -> tuple[dict[int, int], dict[int, int]]:
        """How many messages of each partition the table in use holds, and how many this one."""
        return self._rows(self.table, topic), self._rows(self.name, topic)

    def stored_columns(self) -> tuple[Name, ...]:
        """The columns of the table in use that an insert may name."""
        about = {"name_of_database": self.server.settings.database, "name": self.table.name}
        return tuple(Name(name) for (name,) in self._until(lambda: self.server.query("stored_columns", **about)))

    def views(self) -> int:
        """How many views depend on the table."""
        about = {"name_of_database": self.server.settings.database, "name": self.table.name}
        ((views, _, _),) = self._until(lambda: self.server.query("table", **about))
        return int(views)

    def _rows(self, table: Name, topic: str) -> dict[int, int]:
        found = self._until(lambda: self.server.query("rows_of_partitions", table=table, topic=topic))
        return {int(partition): int(count) for partition, count in found}

    def _copy(self, query: str, place: Place, **until: Value) -> None:
        names = self.stored_columns()
        # Its views had these rows long ago, and the new table knows no tokens of theirs.
        kept = {Name("_block"): f"if(startsWith(_block, '{REBUILT}'), _block, concat('{REBUILT}', _block))"}
        listed = Sql(", ".join(kept.get(name, literal(name)) for name in names))
        self._do(
            query,
            table=self.table,
            new=self.name,
            columns=names,
            listed=listed,
            topic=place.topic,
            partition=place.partition,
            **until,
        )

    def _do(self, query: str, **values: Value) -> None:
        self.server.command(query, values)

    def _until(self, call: Callable[[], Answer]) -> Answer:
        return self.server.until_deadline(call)
