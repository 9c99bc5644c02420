"""Sends a past to the topics as decide and its sources would have sent it, and keeps count of what each partition got."""

from collections import Counter, defaultdict
from random import Random
from typing import Any

import msgspec

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from models.actions.announce import DECISIONS, REQUESTS
from models.audit import MOST_RECORDS, START, Act, Head, digest, key_of, link
from models.clock import Instant
from models.core import Outcome, Work
from models.suppression import Suppression
from schemas.errors import NotReady
from schemas.registry import SOURCE_TOPICS, topic_named, topics

AUDIT_LOGS = "audit-logs"
FLUSH_SECONDS = 60.0
LINGER_MS = 200
"""Nobody waits for a single message: large batches spare the broker."""
ARRIVES_BEFORE = (120, 800)
"""Milliseconds from an event's arrival to the decision on it."""
ARRIVES_AFTER = (15, 90)
"""Milliseconds from a decision to the arrival of its messages."""

encode = msgspec.json.Encoder().encode
TOPIC_OF: dict[type[Any], str] = {
    spec.struct: name for name, topic in topics().items() if name in SOURCE_TOPICS for spec in topic.types.values()
}


class Telling:
    """All that is sent of one past.

    An account's partition is learned from the broker's answers to its opening, for the client that sends is who knows it.
    """

    def __init__(self, kafka: KafkaSettings, seed: int) -> None:
        self.random = Random(f"{seed}:past")  # noqa: S311 - delays
        self.partitions = topic_named(DECISIONS).partitions
        self.suppressions: list[Suppression] = []
        self.partition_of: dict[bytes, int] = {}
        """Account key -> partition."""
        self.heads: dict[int, Head] = dict.fromkeys(range(self.partitions), START)
        """Of decide's audit chains."""
        self._producer = clients.producer(kafka, linger_ms=LINGER_MS)
        self._failed: Counter[str] = Counter()
        self._sent: Counter[tuple[str, bytes]] = Counter()
        """(topic, key) -> messages."""
        self._unsent: Counter[bytes] = Counter()
        """Key -> contact requests that dispatch has still to send."""
        self._dropped: defaultdict[bytes, Counter[str]] = defaultdict(Counter)
        self._unlinked: defaultdict[int, list[str]] = defaultdict(list)
        """Partition -> digests of the day's decisions."""

    # -- sending -------------------------------------------------------------------------------------------------------

    def open(self, work: list[Work], outcome: Outcome, at: Instant) -> None:
        """What was loaded before the first day."""
        for item, messages in zip(work, outcome.messages, strict=True):
            key = item.key.encode()
            for event, _ in item.events:
                self._send(TOPIC_OF[type(event)], key, encode(event), at)
            for topic, _, value in messages:
                self._send(topic, key, value, at)
        self._count(work, outcome)
        self._flush()

    def tell(self, work: list[Work], outcome: Outcome, heard_within: int, *, by_dispatch: bool) -> None:
        """One hour: what was heard of each account, and what came of it.

        Args:
            heard_within: milliseconds from what happens to its decision.
            by_dispatch: the contacts that are asked for are dispatch's to send.
        """
        random, unlinked = self.random.randint, self._unlinked
        earliest, latest = ARRIVES_BEFORE
        earliest, latest = min(earliest, heard_within), min(latest, heard_within)
        in_time = sorted(zip(work, outcome.messages, strict=True), key=lambda pair: pair[0].now)
        for item, messages in in_time:
            key, now = item.key.encode(), item.now
            if item.events:
                arrived = now - random(earliest, latest)
                for event, _ in item.events:
                    self._send(TOPIC_OF[type(event)], key, encode(event), arrived)
            if messages:
                arrived = now + random(*ARRIVES_AFTER)
                for topic, _, value in messages:
                    self._send(topic, key, value, arrived)
                    if topic == DECISIONS:
                        unlinked[self.partition_of[key]].append(digest(value))
                    elif topic == REQUESTS and by_dispatch:
                        self._unsent[key] += 1
        self._count(work, outcome)

    def end_of_day(self, at: Instant) -> None:
        """Record the day's decisions in the audit chain of each partition."""
        for partition, records in sorted(self._unlinked.items()):
            for first in range(0, len(records), MOST_RECORDS):
                some = records[first : first + MOST_RECORDS]
                act = Act(action="decision", actor="decide", subject=f"partition {partition}", at=at, records=some)
                message, self.heads[partition] = link(self.heads[partition], f"decide-{partition}", act)
                self._send(AUDIT_LOGS, key_of(act), message, at)
        self._unlinked.clear()
        self._producer.poll(0)

    def finish(self) -> None:
        """Wait until the broker has taken everything.

        Raises:
            NotReady: it has not.
        """
        self._flush()
        del self._producer  # it would go on looking for its broker

    def _send(self, topic: str, key: bytes, value: bytes, at: Instant) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, timestamp=at, on_delivery=self._answered)
            except BufferError:
                self._producer.poll(0.05)
            else:
                break
        self._sent[topic, key] += 1

    def _answered(self, error: Any, message: Any) -> None:
        if error is not None:
            self._failed[error.name()] += 1
        elif message.topic() in SOURCE_TOPICS:
            self.partition_of[message.key()] = message.partition()

    def _flush(self) -> None:
        left = self._producer.flush(FLUSH_SECONDS)
        if left or self._failed:
            raise NotReady(
                f"Kafka did not take {left + self._failed.total()} messages of the demo's past"
                f" ({', '.join(sorted(self._failed)) or 'no answer'}). `recoup doctor` looks at the stack."
            )

    def _count(self, work: list[Work], outcome: Outcome) -> None:
        for item, reasons in zip(work, outcome.dropped, strict=True):
            if reasons:
                self._dropped[item.key.encode()].update(reasons)
        self.suppressions += outcome.suppressions

    # -- what was sent -------------------------------------------------------------------------------------------------

    def messages(self) -> dict[str, int]:
        """Topic -> messages."""
        found: Counter[str] = Counter()
        for (topic, _), times in self._sent.items():
            found[topic] += times
        return dict(found)

    def events(self) -> int:
        """Messages of the source topics."""
        return sum(times for topic, times in self.messages().items() if topic in SOURCE_TOPICS)

    def ends(self, topic: str) -> dict[int, int]:
        """Partition -> the offset after its last message."""
        found = dict.fromkeys(range(self.partitions), 0)
        for (its, key), times in self._sent.items():
            if its == topic:
                found[self.partition_of[key]] += times
        return found

    def behind(self) -> dict[int, int]:
        """Partition of contact-requests -> the offset of the first one that dispatch has still to send."""
        found = self.ends(REQUESTS)
        for key, times in self._unsent.items():
            found[self.partition_of[key]] -= times
        return found

    def counters(self, partition: int) -> dict[str, int]:
        """What decide would have counted: `applied`, and `dropped:<reason>`."""
        found: Counter[str] = Counter()
        found["applied"] = sum(self.ends(topic)[partition] for topic in SOURCE_TOPICS)
        for key, reasons in self._dropped.items():
            if self.partition_of[key] == partition:
                for reason, times in reasons.items():
                    found["dropped:" + reason] += times
                    found["applied"] -= times
        return {name: times for name, times in found.items() if times}
