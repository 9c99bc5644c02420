"""A new owner goes on after the last row that landed, completing first what may have been cut short."""

import asyncio
from collections.abc import Iterable

import msgspec
import structlog
from confluent_kafka import TopicPartition

from connectors.clickhouse.blocks import Block, Place, parse
from connectors.clickhouse.ownership import Claim, Mark, Ownership
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.sink import Sink
from connectors.kafka.reading import read_between
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady
from streams import metrics
from streams.lease import Lease
from streams.source import BatchSource

log = structlog.get_logger()

JOB = "land"
NOTHING = -1001
"""What Kafka answers when nothing was committed."""


class TakeOver:
    """Makes this worker the owner of newly assigned partitions.

    Once they are claimed, nobody else's rows can appear any more, and the greatest offset in the table is where the
    partition stands. What Kafka says was committed counts only when it is further: a retention time has then removed
    the rows. What was committed for another database does not count: a partition that has landed nothing in this one
    starts at its beginning.
    """

    def __init__(
        self, ownership: Ownership, sink: Sink, kafka: KafkaSettings, worker: str, *, stable_within: float
    ) -> None:
        self.ownership = ownership
        self.sink = sink
        self.kafka = kafka
        self.worker = worker
        self.stable_within = stable_within
        self.source: BatchSource

    async def __call__(self, leases: Iterable[Lease]) -> None:
        """Set each lease's claim and position.

        Raises:
            SinkUnavailable: ClickHouse stayed away past the deadline.
        """
        owned = {Place(*lease.unit): lease for lease in leases}
        if not owned:
            metrics.PARTITIONS.labels(JOB).set(0)
            return
        database = self.source.committed_for = await asyncio.to_thread(self.ownership.identity)
        claims = await asyncio.to_thread(self.ownership.claim, list(owned), self.worker)
        partitions = [TopicPartition(place.topic, place.partition) for place in owned]
        found = await self.source.consumer.committed(partitions, self.stable_within)
        committed = {
            place: of_database(p, claims[place], database) for p in found for place in [Place(p.topic, p.partition)]
        }
        held = await self.source.consumer.watermarks(partitions)
        await self._complete([claim for place, claim in claims.items() if _may_be_cut_short(claim, committed[place])])
        for place, lease in owned.items():
            lease.claim = claim = claims[place]
            lease.positions = {place.topic: start(claim, committed[place], *held[place.topic, place.partition])}
        metrics.PARTITIONS.labels(JOB).set(len(owned))

    async def _complete(self, claims: list[Claim]) -> None:
        """Send again the last blocks whose insert is not known to have ended: a view on the table may lack them.

        Each is the same block to the server: same spans, same token, same month. The table drops it, and so does each
        view that has it.
        """
        places: dict[Mark, list[Claim]] = {}
        for claim in claims:
            if claim.mark is not None:
                places.setdefault(msgspec.structs.replace(claim.mark, offset=0), []).append(claim)
        for mark, of_block in places.items():
            await asyncio.to_thread(self._send_again, mark, of_block)

    def _send_again(self, mark: Mark, claims: list[Claim]) -> None:
        if not self.sink.may_send_again(claims[0].place.topic, mark):
            return
        topic, spans = parse(mark.block)
        messages = [
            message
            for span in spans
            for message in read_between(self.kafka, topic, span.partition, span.first, span.last)
        ]
        if len(messages) != self.sink.rows_of(topic, mark):
            log.warning("last_block_is_gone", block=mark.block, says="Views on its table may lack it.")
            return
        rows = RowReader(topic)(messages)
        block = Block(topic=topic, spans=spans, at=mark.block_at, body=rows.body, count=rows.count)
        self.sink.insert(claims[0].owner, block, fenced=[claim.place for claim in claims])


def of_database(committed: TopicPartition, claim: Claim, database: str) -> int:
    """The group's offset if it was committed for this database, else NOTHING.

    Older versions did not say for which. Theirs counts unless nobody has ever claimed the partition here.
    """
    ours = committed.metadata == database if committed.metadata else not claim.first
    return committed.offset if ours else NOTHING


def _may_be_cut_short(claim: Claim, committed: int) -> bool:
    """Offsets are committed when the insert has ended, views included."""
    return claim.mark is not None and committed <= claim.mark.offset


def start(claim: Claim, committed: int, kept_from: int, end: int) -> int:
    """The offset that a new owner reads first.

    `committed` is the group's offset for this database, negative without one; `kept_from` the first that the topic holds,
    `end` the one that its next message gets.

    Raises:
        NotReady: the table is ahead of the topic, so they do not belong together.
    """
    wanted = max(committed, 0 if claim.mark is None else claim.mark.offset + 1)
    if wanted < kept_from and (claim.mark is not None or committed >= 0):  # else this database is newer than they are
        metrics.ROWS_LOST.labels(claim.place.topic).inc(kept_from - wanted)
        log.error(
            "lost_to_retention",
            topic=claim.place.topic,
            partition=claim.place.partition,
            offsets=f"{wanted}-{kept_from - 1}",
            says="Retention removed these offsets before they were landed: no worker landed for too long.",
        )
    if wanted > end:
        raise NotReady(
            f"{claim.place}: rows have landed up to offset {wanted - 1} and the topic ends at {end}. It was deleted and made"
            " again, or this ClickHouse belongs to another Kafka. Give this one a database of its own"
            " (RECOUP_CLICKHOUSE__DATABASE) and run `recoup migrate`."
        )
    return max(wanted, kept_from)
