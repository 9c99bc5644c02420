"""Where partitions end, and how far a group has come: for waiting until everything has been read."""

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady

DEADLINE_SECONDS = 30.0
PAUSE_SECONDS = 0.1
PASSING = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
)
"""What a broker or topic that has just been started says; `retriable()` is true of none of them here."""

Place = tuple[str, int]
"""Topic and partition."""


class Offsets:
    """Asks about a group's partitions without joining the group."""

    def __init__(self, settings: KafkaSettings, group: str, partitions: Sequence[TopicPartition]) -> None:
        self.group = group
        self.partitions = [TopicPartition(place.topic, place.partition) for place in partitions]
        self._consumer: Consumer = clients.consumer(settings, group)

    def held(self) -> dict[Place, int]:
        """How many offsets each partition spans: 0 = nothing was ever written, or retention has removed it."""
        return {place: high - low for place, (low, high) in self._watermarks().items()}

    def left(self) -> int:
        """How many offsets lie between what the group has committed and the ends; transaction markers count."""
        committed = self.committed()
        return sum(high - committed[place] for place, (_, high) in self._watermarks().items())

    def committed(self) -> dict[Place, int]:
        """The next offset that the group will read; 0 where it has committed nothing."""
        found = self._consumer.committed(self.partitions, timeout=DEADLINE_SECONDS)
        return {(place.topic, place.partition): max(0, place.offset) for place in found}

    def close(self) -> None:
        """Let the connection go."""
        self._consumer.close()

    def _watermarks(self) -> dict[Place, tuple[int, int]]:
        return {(place.topic, place.partition): self._ask(place) for place in self.partitions}

    def _ask(self, place: TopicPartition) -> tuple[int, int]:
        """First offset and end. A topic that was created just now has no leader yet: ask again."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                low, high = self._consumer.get_watermark_offsets(place, timeout=DEADLINE_SECONDS)
            except KafkaException as error:
                if error.args[0].code() not in PASSING or time.monotonic() > deadline:
                    raise NotReady(
                        f"Kafka does not say where {place.topic} ends ({error.args[0].name()}). `recoup doctor` looks"
                        " at the stack."
                    ) from error
                time.sleep(PAUSE_SECONDS)
            else:
                return low, high
