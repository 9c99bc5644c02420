"""Lands one table again from its topics, while the one in use goes on being read and written until they change places."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from confluent_kafka import TopicPartition

from connectors.clickhouse.aggregates import Aggregate, fed_by, sizes
from connectors.clickhouse.blocks import Block, Place, spans
from connectors.clickhouse.ownership import Claim, Owner, Ownership, rebuild_of
from connectors.clickhouse.refill import Refill
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.server import Server
from connectors.clickhouse.shadow import Shadow
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.tables import Table, tables
from connectors.kafka.reading import partitions_of, read_from, watermarks
from models.clock import Clock
from schemas.errors import BadInput, NotReady, SinkUnavailable
from schemas.registry import topics
from streams.settings import Installation

Tell = Callable[[str], None]

WORKER = "rebuild"


class Report(msgspec.Struct):
    """What a rebuild did."""

    table: str
    rows_before: int = 0
    rows: int = 0
    """After it."""
    landed: int = 0
    """Of those, landed again from the topics."""
    kept: int = 0
    """Of those, copied as they were, because the topics do not hold their messages any more."""
    filled: tuple[str, ...] = ()
    """Aggregates of its rows that were filled again from the new table."""
    left: tuple[str, ...] = ()
    """Aggregates that were left as they are: they may count rows that retention has taken from one of their tables."""
    views: int = 0
    """Materialized views on the table that are no aggregates of ours; they are left as they are."""


class Rebuild:
    """One run. Workers that land the table's topics stop when it changes places, and go on once they are restarted.

    First everything that the topics hold is landed into a new table beside the one in use. Then nobody else may claim
    the partitions, what arrived meanwhile is landed too, rows whose messages are gone are copied, and the two tables
    change places. Whatever fails before that leaves the table as it was. Its views see nothing of this: aggregates of its
    rows are filled again afterwards, and workers wait until they are.
    """

    def __init__(self, installation: Installation, table: str, clock: Clock, tell: Tell = lambda _: None) -> None:
        if table not in tables():
            raise BadInput(f"There is no table {table!r} that a topic lands in. There are: {', '.join(tables())}.")
        self.kafka = installation.kafka
        self.rows_per_block = installation.streams.land.block_rows
        self.table: Table = tables()[table]
        self.clock = clock
        self.tell = tell
        deadline = installation.streams.sink_deadline_seconds
        self.server = Server(installation.clickhouse, deadline=deadline)
        self.shadow = Shadow(self.server, table)
        self.live = Ownership(self.server)
        self.sink = Sink(
            Server(installation.clickhouse, deadline=deadline, table_names=lambda _: self.shadow.name.name)
        )
        self.readers = {topic: RowReader(topic) for topic in self.table.topics}
        self.places = [Place(p.topic, p.partition) for p in partitions_of(self.kafka, self.table.topics)]
        self.report = Report(table=table)
        self._next: dict[Place, int] = dict.fromkeys(self.places, 0)
        self._owner: Owner

    def run(self) -> Report:
        """Do it.

        Raises:
            BadInput: there is no such table.
            LostLease: another rebuild of the table was started.
            NotReady: the table is ahead of its topics.
            SinkUnavailable: ClickHouse does not answer, or the new table lacks rows that the one in use has.
        """
        name = self.table.name
        fed = fed_by(self.server, name)
        self.report.views = self.shadow.views() - sum(view.source == name for a in fed for view in a.views)
        self._owner = self.live.own([rebuild_of(name)], WORKER)
        self.shadow.create()
        self._land("landing what the topics hold")
        switch = self.live.begin_switch(name, f"recoup land rebuild {name}")
        try:
            claims = self.live.claim(self.places, WORKER, switching=True)
            self._refuse_rows_without_topic(claims)
            self._land("landing what arrived meanwhile")
            self._keep_older_rows()
            self._compare()
            refills = self._refills(fed)
            for refill in refills:
                # Each lets the workers on once it is filled; cut short, they tell what to run.
                self.live.begin_switch(name, refill.command, part=refill.aggregate.target)
            self.shadow.exchange()
        finally:
            self.live.end_switch(switch)
        self.shadow.drop()
        for refill in refills:
            refill.run()
            self.report.filled += (refill.aggregate.name,)
        return self.report

    def _refills(self, fed: list[Aggregate]) -> list[Refill]:
        losing = {table for table, size in sizes(self.server, tables()).items() if size.loses_rows}
        self.report.left = tuple(aggregate.name for aggregate in fed if losing.intersection(aggregate.sources))
        return [
            Refill(self.server, aggregate, self.tell) for aggregate in fed if aggregate.name not in self.report.left
        ]

    def oldest_kept(self) -> dict[Place, int]:
        """The first offset that each partition's topic still holds."""
        return {place: first for place, (first, _) in self._watermarks().items()}

    def _watermarks(self) -> dict[Place, tuple[int, int]]:
        found = watermarks(self.kafka, [TopicPartition(place.topic, place.partition) for place in self.places])
        return {Place(topic, partition): marks for (topic, partition), marks in found.items()}

    def _land(self, what: str) -> None:
        """Land from where the last pass ended to the topics' end."""
        starts = [TopicPartition(place.topic, place.partition, offset) for place, offset in self._next.items()]
        for messages in batches(read_from(self.kafka, starts), self.rows_per_block):
            for topic, of_topic in itertools.groupby(sorted(messages, key=_topic), key=_topic):
                self._insert(topic, list(of_topic))
            self.tell(f"{what}: {self.report.landed:,} rows")

    def _insert(self, topic: str, messages: list[Any]) -> None:
        rows = self.readers[topic](messages)
        block = Block(
            topic=topic,
            spans=spans((message.partition(), message.offset()) for message in messages),
            at=self.clock.now(),
            body=rows.body,
            count=rows.count,
            rebuilt=True,
        )
        self.sink.insert(self._owner, block, fenced=[rebuild_of(self.table.name)])
        self.report.landed += block.count
        for span in block.spans:
            self._next[Place(topic, span.partition)] = span.last + 1

    def _keep_older_rows(self) -> None:
        for place, (first, end) in self._watermarks().items():
            topic = topics().get(place.topic)
            if topic is not None and topic.cleanup == "compact":
                self.shadow.copy_missing(place, end - 1)
            else:
                self.shadow.copy_before(place, first)

    def _refuse_rows_without_topic(self, claims: dict[Place, Claim]) -> None:
        for place, (_, end) in self._watermarks().items():
            mark = claims[place].mark
            if mark is not None and mark.offset >= end:
                raise NotReady(
                    f"{place}: rows have landed up to offset {mark.offset}, and the topic ends at {end}. It was made again,"
                    " or this is another Kafka. Nothing was changed."
                )

    def _compare(self) -> None:
        """Count both tables; refuse to lose rows."""
        for topic in self.table.topics:
            before, after = self.shadow.rows(topic)
            self.report.rows_before += sum(before.values())
            self.report.rows += sum(after.values())
            for partition, count in before.items():
                if after.get(partition, 0) < count:
                    raise SinkUnavailable(
                        f"{Place(topic, partition)}: the new table has {after.get(partition, 0)} rows and the one in use has"
                        f" {count}. Nothing was changed. Run it again; if it stays so, look at what the topic lacks."
                    )
        self.report.kept = self.report.rows - self.report.landed


def batches(messages: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Messages in lists of at most `size`."""
    while batch := list(itertools.islice(messages, size)):
        yield batch


def _topic(message: Any) -> str:
    topic: str = message.topic()
    return topic
