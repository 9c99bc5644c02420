"""Lands each block once: one block is one insert is one part, known by its token, fenced by its owner.

Three things hold the promise together. A repeated insert of the same block is dropped by its token. An insert of a
former owner is refused by the server, because each insert asks the `owners` table who owns the partitions. And a new
owner goes on after the greatest offset in the table itself, once no insert of a former owner is running any more.
"""

import re
from collections.abc import Callable, Sequence

from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.aggregates import fed_by
from connectors.clickhouse.blocks import REBUILT, Block, Place
from connectors.clickhouse.client import STALE_OWNER
from connectors.clickhouse.ownership import Mark, Owner
from connectors.clickhouse.server import Server
from connectors.clickhouse.statements import Name, Sql, Value, literal
from connectors.clickhouse.tables import BLOCK, table_of
from schemas.errors import LostLease

_WINDOW = re.compile(r"non_replicated_deduplication_window = (\d+)")


class Sink:
    """Where blocks go. May be used by several threads."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def insert(
        self,
        owner: Owner,
        block: Block,
        wanted: Callable[[], bool] = lambda: True,
        fenced: Sequence[Place] = (),
    ) -> None:
        """Land a block; when it returns, its rows are visible. The same block may be sent any number of times.

        `wanted` is asked before each attempt; a block that nobody wants any more is given up. `fenced` are places of one
        topic that must be the owner's; by default, all of the block's.

        Raises:
            LostLease: another worker owns the partition now, or the block is not wanted any more.
            SinkUnavailable: ClickHouse refused it until the deadline.
        """
        values = self._values(owner, block, fenced or block.places)

        def attempt() -> None:
            if not wanted():
                raise LostLease(f"{block.topic}: lost before block {block.token} was landed.")
            try:
                self.server.command("insert_block", values, block.body)
            except ClickHouseError as error:
                if STALE_OWNER in str(error):
                    raise LostLease(
                        f"{block.topic}: another worker owns it now; block {block.token} was refused."
                    ) from None
                raise

        self.server.until_deadline(attempt)

    def may_send_again(self, topic: str, mark: Mark) -> bool:
        """Whether sending a last block again would complete views on the table, and is certain to be recognised.

        The server remembers the tokens of the last blocks of each table and of each target only, whichever table these
        came from; one that it has forgotten would land, or count, twice. A block that was landed again into a rebuilt
        table is no news to views.
        """
        return self.server.until_deadline(lambda: self._may_send_again(self.server.table(topic), mark))

    def rows_of(self, topic: str, mark: Mark) -> int:
        """How many rows a block has."""
        table = self.server.table(topic)
        ((count,),) = self.server.until_deadline(
            lambda: self.server.query("rows_of_block", table=table, topic=topic, block=mark.block)
        )
        return int(count)

    def _may_send_again(self, table: Name, mark: Mark) -> bool:
        if mark.block.startswith(REBUILT):
            return False
        ((views, _, _),) = self.server.query("table", name_of_database=self.server.settings.database, name=table.name)
        if not views:
            return False
        filled = {table.name: (table.name,)} | {a.target: a.sources for a in fed_by(self.server, table.name)}
        return all(self._is_remembered(into, tables, mark) for into, tables in filled.items())

    def _is_remembered(self, into: str, tables: Sequence[str], mark: Mark) -> bool:
        """Whether a table or target has had fewer blocks since, of all the tables that fill it, than half its window."""
        ((_, _, engine),) = self.server.query("table", name_of_database=self.server.settings.database, name=into)
        window = _WINDOW.search(engine)
        room = int(window[1]) // 2 if window is not None else 0
        for table in tables:
            if room > 0:
                ((blocks,),) = self.server.query("blocks_since", table=Name(table), since=mark.block_at, most=room)
                room -= blocks
        return room > 0

    def _values(self, owner: Owner, block: Block, fenced: Sequence[Place]) -> dict[str, Value]:
        table = table_of(block.topic)
        constants: tuple[Value, ...] = (block.topic, block.name, Sql(f"fromUnixTimestamp64Milli({block.at}, 'UTC')"))
        filled = [*table.filled, *zip(BLOCK, map(literal, constants), strict=True)]
        return {
            "table": self.server.table(block.topic),
            "columns": tuple(Name(name) for name, _ in filled),
            "expressions": Sql(", ".join(expression for _, expression in filled)),
            "structure": table.structure,
            "topic": fenced[0].topic,
            "partitions": tuple(place.partition for place in fenced),
            "epoch": owner.epoch,
            "owner": owner.name,
            "stale": STALE_OWNER,
            "token": block.token,
        }
