"""Reads partitions from one offset to another, outside every group: for rebuilding, counting and looking things up."""

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady

SILENCE_SECONDS = 30.0
"""A broker that brings nothing for this long is away."""
LOOK_SECONDS = 0.02
"""How long the client gathers messages for one look. It waits all of it out, also after the end has been reached."""


def partitions_of(settings: KafkaSettings, topics: Sequence[str]) -> list[TopicPartition]:
    """Every partition of the topics that exist."""
    known = clients.admin(settings).list_topics(timeout=15).topics
    return [TopicPartition(topic, p) for topic in topics if topic in known for p in sorted(known[topic].partitions)]


def read_to_end(settings: KafkaSettings, partitions: Sequence[TopicPartition]) -> Iterator[Any]:
    """Every committed message of the partitions, from the first kept to the end as it is when it is reached.

    The end is where the broker says so, not an offset worked out: transaction markers take offsets too.

    Raises:
        NotReady: the broker stopped answering.
    """
    return _read(settings, [TopicPartition(p.topic, p.partition, 0) for p in partitions], {})


def read_until(settings: KafkaSettings, ends: Sequence[TopicPartition]) -> Iterator[Any]:
    """Every committed message before the given offset of each partition, from the first kept.

    Raises:
        NotReady: the broker stopped answering.
    """
    stops = {(p.topic, p.partition): p.offset or 0 for p in ends if (p.offset or 0) > 0}
    return _read(settings, [TopicPartition(topic, partition, 0) for topic, partition in stops], stops)


def read_from(settings: KafkaSettings, starts: Sequence[TopicPartition]) -> Iterator[Any]:
    """Every committed message from the given offset of each partition to the end as it is when it is reached.

    Raises:
        NotReady: the broker stopped answering.
    """
    return _read(settings, list(starts), {})


def read_between(settings: KafkaSettings, topic: str, partition: int, first: int, last: int) -> Iterator[Any]:
    """Every committed message of a partition from one offset to another, both included.

    Raises:
        NotReady: the broker stopped answering.
    """
    return _read(settings, [TopicPartition(topic, partition, first)], {(topic, partition): last + 1})


def first_kept(settings: KafkaSettings, partitions: Sequence[TopicPartition]) -> dict[tuple[str, int], int]:
    """The first offset that each partition still holds; what came before, retention has removed."""
    return {place: first for place, (first, _) in watermarks(settings, partitions).items()}


def watermarks(settings: KafkaSettings, partitions: Sequence[TopicPartition]) -> dict[tuple[str, int], tuple[int, int]]:
    """The first offset that each partition still holds, and the one that its next message gets."""
    consumer = _consumer(settings)
    try:
        return {(p.topic, p.partition): consumer.get_watermark_offsets(p, timeout=15) for p in partitions}
    finally:
        consumer.close()


def holds_more(settings: KafkaSettings, positions: Sequence[TopicPartition]) -> bool:
    """Whether a client of its own finds a committed message at or after any of the positions."""
    consumer = _consumer(settings)
    try:
        consumer.assign(list(positions))
        unread = len(positions)
        end = time.monotonic() + SILENCE_SECONDS
        while unread and time.monotonic() < end:
            answered: list[Any] = consumer.consume(1_000, LOOK_SECONDS)
            if any(message.error() is None for message in answered):
                return True
            unread -= len(answered)
        return False
    finally:
        consumer.close()


def _consumer(settings: KafkaSettings) -> Consumer:
    return clients.consumer(
        settings,
        f"recoup-read-{uuid.uuid4().hex}",
        enable_partition_eof=True,
        auto_offset_reset="earliest",
        queued_min_messages=50_000,
    )


def _read(settings: KafkaSettings, starts: list[TopicPartition], stops: dict[tuple[str, int], int]) -> Iterator[Any]:
    if not starts:
        return
    consumer = _consumer(settings)
    try:
        consumer.assign(starts)
        unread = {(p.topic, p.partition) for p in starts}
        heard = time.monotonic()
        while unread:
            messages: list[Any] = consumer.consume(10_000, LOOK_SECONDS)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE_SECONDS:
                raise NotReady(
                    f"Kafka brought nothing for {SILENCE_SECONDS:g} s while {len(unread)} partitions were unread."
                )
            for message in messages:
                place = message.topic(), message.partition()
                if (error := message.error()) is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    unread.discard(place)
                elif place in stops and message.offset() >= stops[place]:
                    unread.discard(place)
                else:
                    yield message
    finally:
        consumer.close()
