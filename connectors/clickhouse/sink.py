"""Lands each block of a partition once: one block is one insert is one part, known by its token, fenced by its owner.

Three things hold the promise together. A repeated insert of the same block is dropped by its token. An insert of a
former owner is refused by the server, because each insert asks the `owners` table who owns the partition. And a new
owner goes on after the greatest offset in the table itself, once no insert of a former owner is running any more.
"""

import random
import re
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.blocks import Block, Place, parse
from connectors.clickhouse.client import STALE_OWNER, code_of, connect, explain
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.statements import Name, Sql, Value, literal, statement
from connectors.clickhouse.tables import BLOCK, Table, table_of
from models.clock import Instant
from schemas.errors import LostLease, NotReady, SinkUnavailable

Answer = TypeVar("Answer")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
CONNECTIONS = 8
NO_SUCH_TABLE_OR_COLUMN = {16, 47, 60, 81}
_TOKEN = re.compile(r"insert_deduplication_token = '([^']+)'")
_WINDOW = re.compile(r"non_replicated_deduplication_window = (\d+)")


class Owner(msgspec.Struct, frozen=True):
    """Who may land: of all that were ever written down for a partition, the greatest."""

    epoch: int
    name: str


class Mark(msgspec.Struct, frozen=True):
    """How far a partition has landed: the greatest offset in its table, and the block that it came in."""

    offset: int
    block: str
    block_at: Instant


class Claim(msgspec.Struct, frozen=True):
    """The right to land a partition, until somebody else claims it."""

    place: Place
    owner: Owner
    first: bool
    """Nobody has ever claimed it here: whatever Kafka says was committed, it was landed elsewhere or never."""
    mark: Mark | None


class Sink:
    """ClickHouse as seen by the job that lands. May be used by several threads.

    Args:
        settings: where the server is.
        deadline: seconds that a server which fails is tried again for.
        table_names: where a table's rows go; `recoup land rebuild` lands into one that is not yet in use.
    """

    def __init__(
        self,
        settings: ClickHouseSettings,
        *,
        deadline: float,
        table_names: Callable[[Table], str] = lambda table: table.name,
    ) -> None:
        self.settings = settings
        self.deadline = deadline
        self.table_names = table_names
        self._client: Client | None = None

    # -- owning --------------------------------------------------------------------------------------------------------

    def claim(self, places: Sequence[Place], worker: str) -> dict[Place, Claim]:
        """Become the owner of partitions.

        When this returns, inserts of whoever owned them before are refused, and none of them is running any more.

        Raises:
            SinkUnavailable: ClickHouse does not answer, or an insert of a former owner does not end.
        """
        if not places:
            return {}
        known = self._until_deadline(lambda: self._owners(places))
        owner = self._until_deadline(lambda: self._win(places, f"{worker}/{uuid.uuid4().hex[:12]}"))
        self._until_deadline(lambda: self._wait_for_former_owners(places))
        marks = self._until_deadline(lambda: self.marks(places))
        return {place: Claim(place, owner, first=place not in known, mark=marks.get(place)) for place in places}

    def marks(self, places: Iterable[Place]) -> dict[Place, Mark]:
        """How far each partition has landed; one that has no rows is left out."""
        wanted = set(places)
        topics: dict[str, set[str]] = {}
        for place in wanted:
            topics.setdefault(self._table(place.topic), set()).add(place.topic)
        found: dict[Place, Mark] = {}
        for table, of_table in topics.items():
            for topic, partition, offset, block, block_at in self._query(
                "marks", table=Name(table), topics=tuple(sorted(of_table))
            ):
                if (place := Place(topic, partition)) in wanted:
                    found[place] = Mark(offset=offset, block=block, block_at=block_at)
        return found

    def _owners(self, places: Sequence[Place]) -> dict[Place, Owner]:
        wanted = set(places)
        rows = self._query("owners", topics=tuple(sorted({place.topic for place in places})))
        return {place: Owner(*top) for topic, p, top in rows if (place := Place(topic, p)) in wanted}

    def _win(self, places: Sequence[Place], name: str) -> Owner:
        """Write ourselves down with a greater epoch than everybody else's, and see that nobody was faster."""
        while True:
            owner = Owner(1 + max((known.epoch for known in self._owners(places).values()), default=0), name)
            rows = ", ".join(literal((place.topic, place.partition, owner.epoch, name)) for place in places)
            self._open().command(statement("claim", database=self._database, rows=Sql(rows)))
            winners = self._owners(places)
            if all(winners[place] == owner for place in places):
                return owner

    def _wait_for_former_owners(self, places: Sequence[Place]) -> None:
        """Wait for inserts that passed the fence before we wrote ourselves down: each is running now or has ended."""
        wanted = set(places)
        beginnings = {f"INSERT INTO {self._database}.{Name(self._table(place.topic))} " for place in places}
        end = time.monotonic() + self.deadline
        while any(
            Place(topic, span.partition) in wanted
            for beginning in beginnings
            for (text,) in self._query("running_inserts", beginning=beginning)
            for token in _TOKEN.findall(text)
            for topic, spans in [parse(token)]
            for span in spans
        ):
            if time.monotonic() > end:
                raise SinkUnavailable(
                    f"An insert of a former owner has been running in ClickHouse for {self.deadline:g} s."
                    " Look for it in system.processes, and end it with KILL QUERY."
                )
            time.sleep(FIRST_PAUSE_SECONDS)

    # -- landing -------------------------------------------------------------------------------------------------------

    def insert(
        self,
        owner: Owner,
        block: Block,
        wanted: Callable[[], bool] = lambda: True,
        fenced: Sequence[Place] = (),
    ) -> None:
        """Land a block; when it returns, its rows are visible. The same block may be sent any number of times.

        `wanted` is asked before each attempt; a block that nobody wants any more is given up. `fenced` are the places
        that must be the owner's; by default, all of the block's.

        Raises:
            LostLease: another worker owns the partition now, or the block is not wanted any more.
            SinkUnavailable: ClickHouse refused it until the deadline.
        """
        sql = self._statement(owner, block, fenced or block.places)

        def attempt() -> None:
            if not wanted():
                raise LostLease(f"{block.topic}: lost before block {block.token} was landed.")
            try:
                self._open().command(sql, data=block.body)
            except ClickHouseError as error:
                if STALE_OWNER in str(error):
                    raise LostLease(
                        f"{block.topic}: another worker owns it now; block {block.token} was refused."
                    ) from None
                raise

        self._until_deadline(attempt)

    def _statement(self, owner: Owner, block: Block, fenced: Sequence[Place]) -> str:
        table = table_of(block.topic)
        constants: tuple[Value, ...] = (block.topic, block.token, Sql(f"fromUnixTimestamp64Milli({block.at}, 'UTC')"))
        filled = [*table.filled, *zip(BLOCK, map(literal, constants), strict=True)]
        return statement(
            "insert_block",
            database=self._database,
            table=Name(self.table_names(table)),
            columns=tuple(Name(name) for name, _ in filled),
            expressions=Sql(", ".join(expression for _, expression in filled)),
            structure=table.structure,
            topic=block.topic,
            partitions=tuple(place.partition for place in fenced),
            epoch=owner.epoch,
            owner=owner.name,
            stale=STALE_OWNER,
            token=block.token,
        )

    # -- a block that may have been cut short --------------------------------------------------------------------------

    def may_send_again(self, topic: str, mark: Mark) -> bool:
        """Whether sending a last block again would complete views on the table, and is certain to be recognised.

        The server remembers the tokens of a table's last blocks only; one that it has forgotten would land twice.
        """
        return self._until_deadline(lambda: self._may_send_again(self._table(topic), mark))

    def rows_of(self, topic: str, mark: Mark) -> int:
        """How many rows a block has."""
        table = Name(self._table(topic))
        ((count,),) = self._until_deadline(
            lambda: self._query("rows_of_block", table=table, topic=topic, block=mark.block)
        )
        return int(count)

    def _may_send_again(self, name: str, mark: Mark) -> bool:
        ((views, _, engine),) = self._query("table", name_of_database=self.settings.database, name=name)
        window = _WINDOW.search(engine)
        if not views or window is None:
            return False
        ((blocks_since,),) = self._query("blocks_since", table=Name(name), since=mark.block_at)
        return bool(blocks_since < int(window[1]) // 2)

    # -- the server ----------------------------------------------------------------------------------------------------

    @property
    def _database(self) -> Name:
        return Name(self.settings.database)

    def _table(self, topic: str) -> str:
        return self.table_names(table_of(topic))

    def _open(self) -> Client:
        if self._client is None:
            self._client = connect(self.settings, answer_seconds=self.deadline, connections=CONNECTIONS)
        return self._client

    def _query(self, query: str, **values: Value) -> Sequence[Sequence[Any]]:
        return self._open().query(statement(query, database=self._database, **values)).result_rows

    def _until_deadline(self, call: Callable[[], Answer]) -> Answer:
        """Try again, ever more slowly, until the server does it or the deadline has passed."""
        end = time.monotonic() + self.deadline
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return call()
            except (ClickHouseError, OSError, NotReady) as error:
                if time.monotonic() + pause > end:
                    raise SinkUnavailable(
                        f"ClickHouse at {self.settings.url} failed for {self.deadline:g} s: {explain(error)}."
                        + _advice(error)
                    ) from error
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - workers should not come back all at once
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _advice(error: BaseException) -> str:
    if code_of(error) in NO_SUCH_TABLE_OR_COLUMN:
        return " Its tables are not those of this version: run `recoup migrate`."
    return " `recoup status` says whether it runs."
