"""Fills a target of aggregates again from its tables, so that each row counts once, while workers land and people read.

The new target is filled beside the one in use. First with what has landed, in slices that fit into memory, as often as
much has landed meanwhile. Then nobody else may claim the tables' partitions, the rest is filled, and the two targets
change places. Whatever fails before that leaves the target as it was.

The last block of each partition is special: a worker that takes it over sends it again, for views that were cut short. The
new target has never seen its token. So it is left out of the filling and sent again here, out of the table itself.
"""

from collections.abc import Callable, Sequence

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.aggregates import Aggregate, Size, View, sizes
from connectors.clickhouse.blocks import Place
from connectors.clickhouse.client import STALE_OWNER, explain
from connectors.clickhouse.landed import besides, count, landed, slices
from connectors.clickhouse.ownership import Claim, Mark, Owner, Ownership, rebuild_of
from connectors.clickhouse.server import Server
from connectors.clickhouse.shadow import Shadow
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.statements import Name, Sql, literal
from connectors.clickhouse.tables import tables
from schemas.errors import BadInput, LostLease, NotReady

Tell = Callable[[str], None]

WORKER = "aggregates rebuild"
SLICE_ROWS = 2_000_000
"""A slice of postings takes two seconds and some hundred megabytes."""
FEW_ROWS = 1_000_000
"""What may have landed meanwhile and is filled while the workers wait."""
PASSES = 5
"""After so many they have to wait however much there is: rows land faster than they are filled."""


class Report(msgspec.Struct):
    """What filling again did."""

    aggregate: str
    rows_before: int = 0
    """Of the target; rows of the same key are counted apart until they are merged."""
    rows: int = 0
    read: int = 0
    """Rows of the tables, each as often as a view reads it."""


class Refill:
    """One run for one target. Workers that land its tables stop when it changes places, and go on once it has.

    Args:
        lose_older: also where rows leave a table after a time, which the new target will then not count.
    """

    def __init__(
        self, server: Server, aggregate: Aggregate, tell: Tell = lambda _: None, *, lose_older: bool = False
    ) -> None:
        self.server = server
        self.aggregate = aggregate
        self.tell = tell
        self.lose_older = lose_older
        self.ownership = Ownership(server)
        self.sink = Sink(server)
        self.report = Report(aggregate.name)
        self._done: dict[str, Sql] = dict.fromkeys(aggregate.sources, Sql("0"))
        self._tables: tuple[str, ...] = ()
        self._owner: Owner
        self.shadow: Shadow

    def run(self) -> Report:
        """Do it.

        Raises:
            BadInput: rows leave one of its tables after a time.
            LostLease: another run for the same target was started, or a worker of another version landed meanwhile.
            NotReady: ClickHouse refuses a statement.
            SinkUnavailable: ClickHouse does not answer, or an insert does not end.
        """
        held = self._sizes()
        self._refuse_to_lose(held)
        self._tables = self._identities(held)
        try:
            self._run()
        except ClickHouseError as error:
            if STALE_OWNER in str(error):
                raise LostLease(
                    f"{self.aggregate.name}: another rebuild of it was started; this one has ended."
                ) from None
            raise NotReady(
                f"{self.aggregate.name} was not filled again: {explain(error)}. Run `{self.command}` again."
            ) from error
        self.report.rows_before = held[self.aggregate.target].rows
        self.report.rows = self._sizes()[self.aggregate.target].rows
        return self.report

    @property
    def command(self) -> str:
        """What starts this run."""
        return f"recoup aggregates rebuild {self.aggregate.name}"

    def _run(self) -> None:
        target = self.aggregate.target
        self._owner = self.ownership.own([rebuild_of(target)], WORKER)
        # A name of this run's own: of two at once, neither fills what the other puts into use.
        self.shadow = Shadow(self.server, target, f"__rebuilt_{self._owner.epoch}")
        self._drop_leftovers()
        self.shadow.create()
        for _ in range(PASSES):
            if self._fill_landed() < FEW_ROWS:
                break
        self._switch()
        self.shadow.drop()

    def _switch(self) -> None:
        switches: list[tuple[Place, Owner]] = []
        changed = False
        try:
            switches.extend(
                self.ownership.begin_switch(table, self.command, part=self.aggregate.target)
                for table in self.aggregate.sources
            )
            mine = self._claim()
            last = self._last_blocks()
            for table in self.aggregate.sources:
                self._fill(table, besides(mark.block for _, mark in last[table]))
            self._refuse_if_lost(mine)
            changed = True
            self.shadow.exchange()
            for table in self.aggregate.sources:
                for topic, mark in last[table]:
                    self._send_again(table, topic, mark)
            changed = False
        finally:
            # Cut short between the exchange and the last block, the new target lacks something: nobody lands until this
            # was run again.
            if not changed:
                for switch in switches:
                    self.ownership.end_switch(switch)

    def _drop_leftovers(self) -> None:
        beginning = f"{self.aggregate.target}__rebuilt_"
        about = {"name_of_database": self.server.settings.database, "beginning": beginning}
        for (name,) in self.server.query("tables_beginning", **about):
            self.server.command("drop_table", {"table": Name(name)})

    # -- filling -------------------------------------------------------------------------------------------------------

    def _fill_landed(self) -> int:
        """Fill with what has landed by now and is not in yet; how many rows that were."""
        before = self.report.read
        for table in self.aggregate.sources:
            self._fill(table, landed(self._marks(table)))
        return self.report.read - before

    def _fill(self, table: str, wanted: Sql) -> None:
        new = Sql(f"({wanted}) AND NOT ({self._done[table]})")
        fill(self.server, self.aggregate, table, new, self.shadow.name, self._told)
        self._done[table] = wanted

    def _told(self, what: str, rows: int) -> None:
        self.report.read += rows
        self.tell(f"{self.aggregate.name}: {what}, {self.report.read:,} rows read")

    # -- the last blocks -----------------------------------------------------------------------------------------------

    def _claim(self) -> dict[Place, Claim]:
        topics = tuple(topic for table in self.aggregate.sources for topic in tables()[table].topics)
        rows = self.server.query("owned_places", topics=topics)
        return self.ownership.claim([Place(t, p) for t, p in rows], WORKER, switching=True)

    def _marks(self, table: str) -> dict[Place, Mark]:
        return self.ownership.marks_of(tables()[table].topics)

    def _last_blocks(self) -> dict[str, list[tuple[str, Mark]]]:
        """Of each table those that somebody may send again."""
        found: dict[str, list[tuple[str, Mark]]] = {}
        for table in self.aggregate.sources:
            blocks = {
                (place.topic, msgspec.structs.replace(mark, offset=0)) for place, mark in self._marks(table).items()
            }
            found[table] = [(topic, mark) for topic, mark in blocks if self.sink.may_send_again(topic, mark)]
        return found

    def _send_again(self, table: str, topic: str, mark: Mark) -> None:
        columns = Shadow(self.server, table).stored_columns()
        rows = self.sink.rows_of(topic, mark)
        if not rows:
            raise NotReady(f"{table}: block {mark.block} is gone: it was landed again. Run `{self.command}` again.")
        self.server.command(
            "insert_again",
            {
                "table": Name(table),
                "columns": columns,
                "listed": Sql(", ".join(map(literal, columns))),
                "topic": topic,
                "token": mark.block,
                "fence": rebuild_of(self.aggregate.target).topic,
                "number": rebuild_of(self.aggregate.target).partition,
                "epoch": self._owner.epoch,
                "owner": self._owner.name,
                "stale": STALE_OWNER,
            },
        )
        if (now := self.sink.rows_of(topic, mark)) != rows:
            raise NotReady(
                f"{table}: block {mark.block} had {rows} rows and has {now} now: the server did not know its token any"
                f" more. Land the table again (`recoup land rebuild {table}`)."
            )

    # -- refusing ------------------------------------------------------------------------------------------------------

    def _sizes(self) -> dict[str, Size]:
        return sizes(self.server, [self.aggregate.target, *self.aggregate.sources])

    def _refuse_to_lose(self, held: dict[str, Size]) -> None:
        losing = [table for table in self.aggregate.sources if held[table].loses_rows]
        if losing and not self.lose_older:
            raise BadInput(
                f"{self.aggregate.name} may count rows that {', '.join(losing)} no longer has: retention takes them from"
                " there and not from aggregates. Filled again it would lose them; say --lose-older if it may."
            )

    def _refuse_if_lost(self, mine: dict[Place, Claim]) -> None:
        own = rebuild_of(self.aggregate.target)
        if self.ownership.owners_of([own])[own] != self._owner:
            raise LostLease(f"{self.aggregate.name}: another rebuild of it was started; this one has ended.")
        again = f"Nothing was changed; run `{self.command}` again."
        owners = self.ownership.owners_of(list(mine))
        if taken := [place for place, owner in owners.items() if owner != mine[place].owner]:
            # A worker that was just writing itself down when the switch began stands above us, and waits for its end. One
            # that does not wait has landed something, or is refused from here on.
            now = self._claim()
            for place in taken:
                if now[place].mark != mine[place].mark:
                    raise LostLease(f"{place}: {owners[place].name} took it over. {again}")
        if self._identities(self._sizes()) != self._tables:
            raise LostLease(f"{self.aggregate.name}: one of its tables was landed again meanwhile. {again}")

    def _identities(self, held: dict[str, Size]) -> tuple[str, ...]:
        return tuple(held[table].uuid for table in self.aggregate.sources)


def fill(
    server: Server,
    aggregate: Aggregate,
    table: str,
    wanted: Sql,
    into: Name,
    told: Callable[[str, int], None] = lambda _what, _rows: None,
) -> None:
    """Put into a target what the aggregate's views make of some rows of a table, in slices."""
    rows = count(server, table, wanted)
    if not rows:
        return
    views = [view for view in aggregate.views if view.source == table]
    parts: Sequence[Sql] = [Sql("1")]
    if rows > SLICE_ROWS:
        held = sizes(server, [table])[table]
        parts = list(slices(server, table, held.ordered_by, SLICE_ROWS))
    for number, part in enumerate(parts, 1):
        for view in views:
            _fill_part(server, view, Sql(f"({wanted}) AND ({part})"), into)
        told(f"{table} {number}/{len(parts)}", rows * len(views) // len(parts))


def _fill_part(server: Server, view: View, wanted: Sql, into: Name) -> None:
    source = f"{server.settings.database}.{view.source}"
    server.command(
        "fill_target",
        {
            "target": into,
            "columns": tuple(Name(column) for column in view.columns),
            "filters": Sql(f"{{{literal(source)}: {literal(str(wanted))}}}"),
            "select": Sql(view.select),
        },
    )
