"""One Kafka transaction for a poll: all its messages and offsets become visible together, or none does."""

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady, RecoupError, SlotTaken, TransactionAborted

FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


Record = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]] | None]
"""A message ready to be sent: topic, key, value, headers."""


class Publisher:
    """A transactional producer whose calls all stay on one thread.

    Its transactional id is that of a slot: a restarted worker aborts what it had left open, and a second worker in the
    same slot takes the first one's place, which then stops with `SlotTaken`.
    """

    def __init__(
        self, settings: KafkaSettings, transactional_id: str, timeout_ms: int, deadline: float, **options: Any
    ) -> None:
        self.transactional_id = transactional_id
        self.deadline = deadline
        self._settings = settings
        self._timeout_ms = timeout_ms
        self._options = options
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"publish-{transactional_id}")

    async def start(self) -> None:
        """Fence an earlier producer of this slot and end what it left open."""
        await self._on_thread(self._start)

    async def publish(self, records: Iterable[Record], offsets: list[TopicPartition], group: Any) -> None:
        """Send records and consumed offsets as one transaction.

        Args:
            group: the consumer group's metadata as it was when what is committed here was assigned.

        Raises:
            TransactionAborted: nothing is visible; may be tried again if the partitions are still ours.
            SlotTaken: another producer has this transactional id now.
        """
        await self._on_thread(self._publish, records, offsets, group)

    async def close(self) -> None:
        """Give the thread back; an open transaction is left to the broker's time-out or the next owner."""
        self._thread.shutdown(wait=False)

    def _start(self) -> None:
        self._producer = clients.transactional_producer(
            self._settings, self.transactional_id, self._timeout_ms, **self._options
        )
        self._persist(self._producer.init_transactions, 15.0)

    def _publish(self, records: Iterable[Record], offsets: list[TopicPartition], group: Any) -> None:
        producer = self._producer
        try:
            producer.begin_transaction()
            produce = producer.produce
            for topic, key, value, headers in records:
                while True:
                    try:
                        produce(topic, value, key, headers=headers)  # type: ignore[arg-type]  # lists are invariant
                        break
                    except BufferError:
                        producer.poll(0.05)
            self._persist(producer.send_offsets_to_transaction, offsets, group, 10.0)
            self._persist(producer.commit_transaction, 10.0)
        except KafkaException as error:
            self._end(error)

    def _persist(self, call: Any, *args: Any) -> None:
        """Call again what may be called again, until the deadline."""
        end = time.monotonic() + self.deadline
        while True:
            try:
                call(*args)
                return
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _end(self, error: KafkaException) -> None:
        """Abort, and say in our own words what happened."""
        cause: KafkaError = error.args[0]
        if cause.code() in FENCED:
            raise SlotTaken(
                f"{self.transactional_id}: another worker runs in this slot and has taken its place ({cause.name()})."
                " Give each worker a slot of its own (--slot)."
            ) from error
        if cause.fatal():
            raise RecoupError(f"{self.transactional_id}: the producer cannot go on ({cause.name()}).") from error
        if not cause.txn_requires_abort():
            raise NotReady(
                f"{self.transactional_id}: it is unknown whether a transaction was committed ({cause.name()});"
                " the next start finds out."
            ) from error
        try:
            self._persist(self._producer.abort_transaction, 10.0)
        except KafkaException as failed:
            raise NotReady(f"{self.transactional_id}: could not abort ({failed.args[0].name()}).") from failed
        raise TransactionAborted(f"{self.transactional_id}: {cause.name()}") from error

    async def _on_thread(self, call: Any, *args: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*args))
