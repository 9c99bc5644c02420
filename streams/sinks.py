"""Redis and Kafka as a job uses them: asked again until they answer, or until a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec
import structlog
from confluent_kafka import TopicPartition
from redis.exceptions import RedisError

from connectors.kafka.publisher import Publisher, Record
from schemas.errors import SinkUnavailable, TransactionAborted
from streams.lease import Lease

log = structlog.get_logger()
Answer = TypeVar("Answer")

PAUSE_SECONDS = 0.1


class Outgoing(msgspec.Struct, eq=False):
    """What one part of a poll has to publish."""

    lease: Lease
    records: Sequence[Record]
    offsets: list[TopicPartition]
    """Committed with the records."""


async def until_redis_answers(call: Callable[[], Awaitable[Answer]], deadline_seconds: float) -> Answer:
    """Ask Redis again and again.

    Raises:
        SinkUnavailable: it did not answer before the deadline.
    """
    deadline = time.monotonic() + deadline_seconds
    while True:
        try:
            return await call()
        except (RedisError, OSError) as error:
            if time.monotonic() > deadline:
                raise SinkUnavailable(
                    f"Redis did not answer for {deadline_seconds:g} s ({type(error).__name__})."
                    " `recoup status` says whether it runs."
                ) from error
            log.warning("redis_away", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)


async def publish_held(
    publisher: Publisher, outgoing: Sequence[Outgoing], deadline_seconds: float
) -> Sequence[Outgoing]:
    """Everything whose lease is still held in one transaction; one that was aborted is tried again.

    All leases are of one generation of the group: those of an earlier one are lost when a new one begins.

    Returns:
        What was published. The rest is left to whoever owns the partition now.

    Raises:
        SinkUnavailable: Kafka refused it until the deadline.
    """
    deadline = time.monotonic() + deadline_seconds
    while held := [out for out in outgoing if out.lease.held]:
        records = [record for out in held for record in out.records]
        offsets = [offset for out in held for offset in out.offsets]
        try:
            await publisher.publish(records, offsets, held[0].lease.group)
            break
        except TransactionAborted as aborted:
            if time.monotonic() > deadline:
                raise SinkUnavailable(f"Kafka refused a batch until the deadline: {aborted}") from aborted
            log.warning("transaction_aborted", cause=str(aborted))
            await asyncio.sleep(PAUSE_SECONDS)
    return held
