"""Writes a ledger to the source topics, bucket by bucket, each closed by a marker in every partition."""

import time
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from connectors.kafka.reading import partitions_of
from connectors.kafka.sending import Sender
from connectors.kafka.settings import KafkaSettings
from models.calendar import DAY, utc
from recoup.replay.buckets import Bucket
from schemas.registry import SOURCE_TOPICS
from schemas.replay import ReplayMarker

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
        self.source = source
        self.sender = Sender(kafka)
        self.partitions = partitions_of(kafka, SOURCE_TOPICS)

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
                self.sender.wait(began + (bucket.until - first) / DAY / days_per_second)
            for sent in bucket.messages:
                self.sender.send(sent.topic, sent.value, sent.key)
            fed.events += len(bucket.messages)
            if bucket.number == 0:
                # Until the partitions are known, what has a key waits elsewhere than what names its partition.
                self.sender.flush()
            self._mark(bucket, fed)
            fed.buckets += 1
            progress(bucket)
        self.sender.flush()
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
            self.sender.send(place.topic, encode(marker), partition=place.partition)
            fed.markers[place.topic] += 1
