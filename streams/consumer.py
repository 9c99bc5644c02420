"""librdkafka's consumer: all of its calls on one thread, and what its errors mean."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady, SlotTaken
from streams.lease import Message

log = structlog.get_logger()

NEVER_AGAIN = frozenset({KafkaError._FATAL, KafkaError._FENCED, KafkaError.FENCED_INSTANCE_ID})
"""Errors after which the client brings nothing more. Said once: `KafkaError.fatal()` does not tell them among messages."""

Rebalance = Callable[[Consumer, list[TopicPartition]], None]


class ConsumerThread:
    """One member of a consumer group.

    Args:
        instance: its name as a static member, so that a restart within the session time-out moves nothing.
        batch_size: messages in one poll at most.
        linger: seconds from one poll to the next at least, unless there is a whole batch.
        options: of librdkafka, with `_` for `.`.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        group: str,
        instance: str,
        *,
        session_timeout: float,
        batch_size: int,
        linger: float,
        options: dict[str, Any],
    ) -> None:
        self.kafka = kafka
        self.group = group
        self.instance = instance
        self.session_timeout_ms = int(session_timeout * 1000)
        self.batch_size = batch_size
        self.linger = linger
        self.options = options
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"consume-{instance}")
        self._joined: Consumer | None = None
        self._polled = 0.0

    async def join(self, topics: list[str], *, on_assign: Rebalance, on_revoke: Rebalance, on_lost: Rebalance) -> None:
        """Subscribe. The callbacks run on the thread, inside a poll."""
        consumer = self._joined = clients.consumer(
            self.kafka,
            self.group,
            group_instance_id=self.instance,
            client_id=self.instance,
            session_timeout_ms=self.session_timeout_ms,
            heartbeat_interval_ms=self.session_timeout_ms // 5,
            # A position that retention has removed must stop the worker, not jump ahead in silence.
            auto_offset_reset="error",
            queued_min_messages=max(50_000, self.batch_size * 4),
            **self.options,
        )
        await self._run(consumer.subscribe, topics, on_assign=on_assign, on_revoke=on_revoke, on_lost=on_lost)

    @property
    def joined(self) -> bool:
        """Whether it was ever asked to join."""
        return self._joined is not None

    async def poll(self) -> list[Message]:
        """What has arrived, a linger after the last poll or with a whole batch.

        Raises:
            SlotTaken: another worker runs in this slot.
            NotReady: a position is no longer in its topic.
        """
        messages: list[Message] = await self._run(self._poll)
        return messages

    async def anything(self, seconds: float) -> bool:
        """Whether a message comes within so many seconds; it is thrown away, so `go_on` has to follow.

        Also what shows the group that a member is alive while all of its partitions are paused.
        """
        return bool(await self._run(lambda: self._without_errors(self._client.consume(1, seconds))))

    async def pause(self) -> None:
        """Fetch nothing more until `go_on`."""
        await self._run(lambda: self._client.pause(self._client.assignment()))

    async def go_on(self, positions: list[TopicPartition]) -> None:
        """Fetch from these positions on, whatever was fetched before."""
        await self._run(self._go_on, positions)

    async def committed(self, partitions: list[TopicPartition], deadline: float) -> list[TopicPartition]:
        """Stable committed offsets: waits while another owner's transaction on them is open.

        Raises:
            NotReady: they were not stable before the deadline (seconds).
        """
        end = time.monotonic() + deadline
        while True:
            try:
                found: list[TopicPartition] = await self._run(self._client.committed, partitions, 5.0)
                return found
            except KafkaException as error:
                if time.monotonic() > end:
                    raise NotReady(
                        f"{self.group}: the committed offsets did not become stable within {deadline:g} s"
                        f" ({error.args[0].name()}). Is the broker well? `recoup doctor` looks."
                    ) from error

    async def low_watermarks(self, partitions: list[TopicPartition]) -> dict[tuple[str, int], int]:
        """The first offset that each partition still holds."""
        return {place: low for place, (low, _) in (await self.watermarks(partitions)).items()}

    async def watermarks(self, partitions: list[TopicPartition]) -> dict[tuple[str, int], tuple[int, int]]:
        """The first offset that each partition still holds, and the one that its next message gets."""
        return {
            (p.topic, p.partition): await self._run(self._client.get_watermark_offsets, p, 10.0) for p in partitions
        }

    async def fetched_ends(self, partitions: list[TopicPartition]) -> dict[tuple[str, int], int]:
        """The offset that each partition's next message gets, as the last fetch said; negative = none has said it.

        Asks nobody, so it costs nothing while messages are waited for.
        """
        ends: dict[tuple[str, int], int] = await self._run(self._fetched_ends, partitions)
        return ends

    async def commit(self, offsets: list[TopicPartition]) -> None:
        """Commit offsets of a job that does not commit them in a transaction."""
        await self._run(lambda: self._client.commit(offsets=offsets, asynchronous=True))

    async def leave(self) -> None:
        """Leave the group; the thread ends."""
        await self._run(self._leave)
        self._thread.shutdown(wait=False)

    @property
    def _client(self) -> Consumer:
        if self._joined is None:
            raise NotReady(f"{self.instance} has not joined {self.group}.")
        return self._joined

    # -- on the thread -------------------------------------------------------------------------------------------------

    def _poll(self) -> list[Message]:
        # So long after the last poll, not from now on: what arrived while the job was busy has waited already.
        wait = max(0.0, self._polled + self.linger - time.monotonic())
        answered = self._client.consume(self.batch_size, wait)
        self._polled = time.monotonic()
        return self._without_errors(answered)

    def _without_errors(self, answered: list[Any]) -> list[Message]:
        errors = [message for message in answered if message.error() is not None]
        for message in errors:
            error = message.error()
            if error.code() in NEVER_AGAIN:
                raise SlotTaken(
                    f"{self.instance}: another worker runs in this slot and has taken its place ({error.name()})."
                    " Give each worker a slot of its own (--slot). If there is no other, the broker forgot this one when"
                    " it restarted, and the next start joins anew."
                )
            if error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise NotReady(
                    f"{message.topic()}[{message.partition()}]: the position is no longer in the topic (retention removed"
                    " it while no worker ran). Rebuild what is missing with `recoup rebuild`."
                )
            log.warning("consume_error", group=self.group, error=error.name(), topic=message.topic())
        return [message for message in answered if message.error() is None] if errors else answered

    def _fetched_ends(self, partitions: list[TopicPartition]) -> dict[tuple[str, int], int]:
        known = self._client.get_watermark_offsets
        return {(p.topic, p.partition): known(p, cached=True)[1] for p in partitions}

    def _go_on(self, positions: list[TopicPartition]) -> None:
        self._client.assign(positions)
        self._client.resume(positions)  # a pause outlives the assignment

    def _leave(self) -> None:
        with contextlib.suppress(KafkaException):  # who was fenced is no member any more
            # close() alone keeps a static member in the group until its session times out; this sends the leave.
            self._client.unsubscribe()
            self._client.consume(1, 0.2)
        self._client.close()

    async def _run(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*args, **kwargs))
