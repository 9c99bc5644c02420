"""Listens to the topics from now on, in no group: counts what comes, and how far decide is behind it."""

import contextlib
import logging
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from recoup.console.decisions import Decisions
from schemas.registry import SOURCE_TOPICS

DECISIONS = "next-best-actions"
AGAIN_SECONDS = 2.0
ANSWER_SECONDS = 5.0
LOOK_BACK = 20
"""Offsets of each partition that are read again at the start, so that a new page is not empty. Some hold no message but
the mark of a transaction."""
AT_ONCE = 5_000

Place = tuple[str, int]

_log = logging.getLogger("recoup.console.tail")
_log.setLevel(logging.CRITICAL)  # the page says that Kafka is away; librdkafka would write it twice a second


class Tail:
    """A thread that reads until it is stopped, and starts anew when Kafka was away."""

    def __init__(
        self,
        kafka: KafkaSettings,
        decisions: Decisions,
        *,
        sources: Sequence[str] = SOURCE_TOPICS,
        decided: str = DECISIONS,
    ) -> None:
        self.kafka = kafka
        self.decisions = decisions
        self.sources = tuple(sources)
        self.decided = decided
        self.away: str | None = "it has not answered yet"
        """Why nothing is heard; None = it listens."""
        self.came: Counter[str] = Counter()
        """Topic -> messages since the start."""
        self.last: dict[Place, int] = {}
        """The offset of the last message of each partition that was heard of."""
        self._ends: dict[Place, int] = {}
        """Where each partition ended when the listening began."""
        self._stop = threading.Event()
        self._anew = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tail", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; does not wait for Kafka."""
        self._stop.set()

    def begin_anew(self) -> None:
        """Listen with a new client: an old one may never fetch again from a broker that was away."""
        self._anew.set()

    def produced(self) -> int:
        """Events that came since the start."""
        return sum(self.came[topic] for topic in self.sources)

    def behind(self, committed: dict[Place, int]) -> int:
        """Messages that a group has yet to handle, given the next offset that it will read of each partition.

        Where the last message is handled, marks of transactions after it do not count.
        """
        return sum(max(0, self.last[place] + 1 - offset) for place, offset in committed.items() if place in self.last)

    def places(self) -> list[TopicPartition]:
        """The partitions of the source topics, once they are known."""
        return [TopicPartition(topic, partition) for topic, partition in self._ends if topic in self.sources]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except KafkaException as error:
                self.away = f"it does not answer ({error.args[0].name()})"
            self._stop.wait(AGAIN_SECONDS)

    def _listen(self) -> None:
        consumer = clients.consumer(self.kafka, f"recoup-console-{uuid.uuid4().hex}", logger=_log)
        self._anew.clear()
        try:
            starts = self._starts(consumer)
            if not starts:
                self.away = "its topics do not exist; `recoup topics apply` makes them"
                return
            consumer.assign(starts)
            self.away = None
            while not (self._stop.is_set() or self._anew.is_set()):
                self._take(consumer.consume(AT_ONCE, 0.1))
        finally:
            with contextlib.suppress(RuntimeError, KafkaException):
                consumer.close()

    def _starts(self, consumer: Consumer) -> list[TopicPartition]:
        known = consumer.list_topics(timeout=ANSWER_SECONDS).topics
        starts, self._ends = [], {}
        for topic in (*self.sources, self.decided):
            for partition in known[topic].partitions if topic in known else ():
                place = TopicPartition(topic, partition)
                low, high = consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
                self._ends[topic, partition] = high
                starts.append(TopicPartition(topic, partition, max(low, high - LOOK_BACK)))
        return starts

    def _take(self, messages: list[Any]) -> None:
        old: list[bytes] = []
        new: list[bytes] = []
        for message in messages:
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            if message.error() is not None:
                continue  # librdkafka tries again by itself
            self.last[topic, partition] = offset
            is_new = offset >= self._ends[topic, partition]
            self.came[topic] += is_new
            if topic == self.decided and message.value():
                (new if is_new else old).append(message.value())
        self.decisions.take(old, news=False)
        self.decisions.take(new)
