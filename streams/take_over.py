"""A new owner starts exactly where the last batch ended, publishing first what a crash cut short."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from confluent_kafka import TopicPartition

from connectors.kafka.publisher import Publisher
from connectors.redis.ledger import Ledger, Record
from models.audit import START, Head
from schemas.errors import LedgerBehindLog
from streams.lease import Lease
from streams.source import BatchSource

METADATA = re.compile(r"recoup/1 epoch=(\d+) batch=(\d+)")
NOTHING_COMMITTED = (0, 0)


def offsets_to_commit(partition: int, offsets: dict[str, int], epoch: int, batch: int) -> list[TopicPartition]:
    """The offsets of one partition of every source topic, each carrying the batch that they belong to."""
    metadata = f"recoup/1 epoch={epoch} batch={batch}"
    return [TopicPartition(topic, partition, offset, metadata) for topic, offset in offsets.items()]


class TakeOver:
    """Makes this worker the owner of newly assigned partitions.

    The committed offsets are read when they are stable, that is when no earlier owner's transaction is open on them; the
    claim then refuses that owner's writes to Redis, and the broker its commits, since its generation is over. What Redis
    and Kafka then say cannot change any more: the same batch, or Redis one ahead, whose outbox is published first.

    Args:
        topics: those whose partitions are worked on together.
        stable_within: seconds that another owner's open transaction is waited for.
        heads: where the audit chains end in the log; asked when Redis does not know. It may block for long.
        mends: the command that makes Redis and Kafka belong together again.
    """

    def __init__(
        self,
        ledger: Ledger,
        publisher: Publisher,
        *,
        topics: Sequence[str],
        stable_within: float,
        heads: Callable[[], Mapping[str, Head]],
        mends: str = "recoup rebuild",
    ) -> None:
        self.ledger = ledger
        self.publisher = publisher
        self.topics = topics
        self.stable_within = stable_within
        self.heads = heads
        self.mends = mends
        self.source: BatchSource

    async def __call__(self, leases: Iterable[Lease]) -> None:
        """Set each lease's claim (its `Progress`) and positions.

        Raises:
            LedgerBehindLog: Redis and Kafka do not belong together.
        """
        owned: dict[int, Lease] = {lease.unit: lease for lease in leases}
        committed = await self._committed(owned)
        cut_short: list[int] = []
        for partition, lease in owned.items():
            epoch_seen, batch_committed = committed[partition]
            lease.claim = progress = await self.ledger.claim(partition, epoch_seen)
            match progress.batch - batch_committed:
                case 0:
                    pass
                case 1:
                    cut_short.append(partition)
                case _:
                    raise LedgerBehindLog(
                        f"Partition {partition}: Redis holds batch {progress.batch} and Kafka's committed offsets say"
                        f" {batch_committed}. One of them was lost or restored. Stop the workers and run `{self.mends}`."
                    )
        await self._follow_chains(owned)
        if cut_short:
            await self._publish_again({partition: owned[partition] for partition in cut_short})
        await self._set_positions(owned)

    async def _committed(self, owned: dict[int, Lease]) -> dict[int, tuple[int, int]]:
        """Partition -> (epoch, batch) that its committed offsets carry; every source topic must say the same."""
        partitions = [TopicPartition(topic, partition) for partition in owned for topic in self.topics]
        said: dict[int, set[tuple[int, int]]] = {}
        for answer in await self.source.consumer.committed(partitions, self.stable_within):
            found = METADATA.fullmatch(answer.metadata or "")
            if answer.offset >= 0 and found is None:
                raise LedgerBehindLog(
                    f"{answer.topic}[{answer.partition}]: the committed offset {answer.offset} was not written by Recoup"
                    f" (it carries no batch number). Was it reset by hand? Stop the workers and run `{self.mends}`."
                )
            numbers = (int(found[1]), int(found[2])) if found else NOTHING_COMMITTED
            said.setdefault(answer.partition, set()).add(numbers)
        for partition, different in said.items():
            if len(different) > 1:
                raise LedgerBehindLog(
                    f"Partition {partition}: the source topics' committed offsets belong to different batches"
                    f" ({sorted(different)}). Stop the workers and run `{self.mends}`."
                )
        return {partition: numbers.pop() for partition, numbers in said.items()}

    async def _follow_chains(self, owned: dict[int, Lease]) -> None:
        """Who starts over with an emptied Redis goes on with the chains that the log holds."""
        unknown = [partition for partition, lease in owned.items() if not lease.claim.audit_known]
        if not unknown:
            return
        heads = await asyncio.to_thread(self.heads)
        for partition in unknown:
            head = heads.get(f"{self.ledger.job}-{partition}", START)
            await self.ledger.follow(partition, owned[partition].claim, head)

    async def _publish_again(self, owned: dict[int, Lease]) -> None:
        records: list[Record] = []
        offsets: list[TopicPartition] = []
        for partition, lease in owned.items():
            progress = lease.claim
            records += await self.ledger.outbox(partition)
            offsets += offsets_to_commit(partition, progress.offsets, progress.epoch, progress.batch)
        await self.publisher.publish(records, offsets, next(iter(owned.values())).group)

    async def _set_positions(self, owned: dict[int, Lease]) -> None:
        fresh = [
            TopicPartition(topic, partition)
            for partition, lease in owned.items()
            for topic in self.topics
            if topic not in lease.claim.offsets
        ]
        first = await self.source.consumer.low_watermarks(fresh)
        for partition, lease in owned.items():
            lease.positions = {
                topic: lease.claim.offsets.get(topic, first.get((topic, partition), 0)) for topic in self.topics
            }
            lease.claim.handled = lease.positions
