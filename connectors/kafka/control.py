"""Reads a compacted control topic whole: the newest value of every key, as it stood when the reading began or later."""

import time
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin._metadata import TopicMetadata

from connectors.kafka import clients
from connectors.kafka.reading import LOOK_SECONDS
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady

DEADLINE_SECONDS = 30.0


def read_whole(settings: KafkaSettings, topic: str, deadline: float = DEADLINE_SECONDS) -> dict[bytes, bytes]:
    """Key -> newest value of a small compacted topic; a key whose newest value is empty is absent.

    Reads with an assignment of its own that joins no group and commits nothing, so that any number of workers can.

    Raises:
        NotReady: the topic does not exist, or its end was not reached before the deadline (seconds).
    """
    consumer = clients.consumer(
        settings, f"recoup-read-{uuid.uuid4().hex}", enable_partition_eof=True, auto_offset_reset="earliest"
    )
    try:
        partitions = _partitions(consumer.list_topics(topic, timeout=deadline).topics[topic], topic)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        return _read(consumer, topic, set(partitions), time.monotonic() + deadline)
    except KafkaException as error:
        raise NotReady(
            f"{topic} could not be read ({error.args[0].name()}). `recoup doctor` looks at the stack."
        ) from error
    finally:
        consumer.close()


def _partitions(metadata: TopicMetadata, topic: str) -> list[int]:
    if metadata.error is not None or not metadata.partitions:
        raise NotReady(f"The topic {topic} does not exist. `recoup topics apply` creates what is missing.")
    return list(metadata.partitions)


def _read(consumer: Consumer, topic: str, unread: set[int], end: float) -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = {}
    while unread:
        if time.monotonic() > end:
            raise NotReady(f"The end of {topic} was not reached in time; the broker answers slowly or not at all.")
        for message in consumer.consume(1000, LOOK_SECONDS):
            error = message.error()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                unread.discard(message.partition())
                continue
            key, value = message.key(), message.value()
            if key is None:
                continue
            if value:
                values[key] = value
            else:
                values.pop(key, None)
    return values
