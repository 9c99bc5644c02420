"""Writes a ledger to the source topics, bucket by bucket, each closed by a marker in every partition."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from connectors.kafka import clients
from connectors.kafka.reading import partitions_of
from connectors.kafka.settings import KafkaSettings
from models.calendar import DAY, utc
from recoup.replay.buckets import Bucket
from schemas.errors import NotReady
from schemas.registry import SOURCE_TOPICS
from schemas.replay import ReplayMarker

FLUSH_SECONDS = 60.0
encode = msgspec.json.Encoder().encode

Progress = Callable[[Bucket], None]


class Fed(msgspec.Struct):
    """What was written, and acknowledged by the broker."""

    events: int = 0
    buckets: int = 0
    markers: Counter[str] = msgspec.field(default_factory=Counter)
    """By topic."""


class Feed:
    """Writes buckets in their order; every partition holds its part of a bucket before the bucket's marker."""

    def __init__(self, kafka: KafkaSettings, source: str = "replay") -> None:
        self.kafka = kafka
        self.source = source
        self.producer = clients.producer(kafka)
        self.partitions = partitions_of(kafka, SOURCE_TOPICS)
        self.refused: list[str] = []

    def run(self, buckets: Iterable[Bucket], progress: Progress, days_per_second: float | None = None) -> Fed:
        """Write all buckets; with `days_per_second`, none before its time.

        Raises:
            NotReady: the broker did not take a message.
        """
        fed = Fed()
        began = time.monotonic()
        first = None
        for bucket in buckets:
            first = first or bucket.until
            if days_per_second is not None:
                self._wait(began + (bucket.until - first) / DAY / days_per_second)
            for sent in bucket.messages:
                self._produce(sent.topic, sent.value, sent.key)
            fed.events += len(bucket.messages)
            if bucket.number == 0:
                # Until the partitions are known, what has a key waits elsewhere than what names its partition.
                self._flush()
            self._mark(bucket, fed)
            fed.buckets += 1
            progress(bucket)
        self._flush()
        return fed

    def _mark(self, bucket: Bucket, fed: Fed) -> None:
        at = utc(bucket.until)
        for place in self.partitions:
            marker = ReplayMarker(
                event_id=f"marker-{bucket.number}-{place.topic}-{place.partition}",
                occurred_at=at,
                source=self.source,
                number=bucket.number,
                at=at,
                last=bucket.last,
            )
            self._produce(place.topic, encode(marker), partition=place.partition)
            fed.markers[place.topic] += 1

    def _produce(self, topic: str, value: bytes, key: bytes | None = None, partition: int = -1) -> None:
        while True:
            try:
                self.producer.produce(topic, value, key, partition, on_delivery=self._taken)
            except BufferError:
                self.producer.poll(0.1)
            else:
                self.producer.poll(0)
                return

    def _taken(self, error: Any, message: Any) -> None:
        if error is not None:
            self.refused.append(error.name())

    def _flush(self) -> None:
        left = self.producer.flush(FLUSH_SECONDS)
        if left or self.refused:
            raise NotReady(
                f"Kafka did not take {left + len(self.refused)} messages ({', '.join(set(self.refused)) or 'no answer'})."
                " The replay is incomplete: look at the stack with `recoup doctor`, then start again with --clean."
            )

    def _wait(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            self.producer.poll(min(left, 0.5))
