"""Sends messages in order and knows which of them the broker has taken."""

import time
from collections import Counter
from typing import Any

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady

FLUSH_SECONDS = 60.0
ANY_PARTITION = -1

Headers = list[tuple[str, str | bytes | None]]


class Sender:
    """A producer for commands that send much at once and must not lose any of it."""

    def __init__(self, settings: KafkaSettings, **options: Any) -> None:
        self._producer = clients.producer(settings, **options)
        self._refused: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        """Topic -> messages that the broker has acknowledged."""
        self.reached: dict[tuple[str, int], int] = {}
        """Topic and partition -> the offset after the last message of ours."""

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        *,
        partition: int = ANY_PARTITION,
        headers: Headers | None = None,
    ) -> None:
        """Send one message; waits while too many are on their way. A failure is raised by `flush`."""
        while True:
            try:
                self._producer.produce(topic, value, key, partition, on_delivery=self._answered, headers=headers)
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until the broker has taken everything.

        Raises:
            NotReady: it has not.
        """
        left = self._producer.flush(FLUSH_SECONDS)
        if left or self._refused:
            raise NotReady(
                f"Kafka did not take {left + self._refused.total()} messages"
                f" ({', '.join(sorted(self._refused)) or 'no answer'}) and took {self.taken.total()}."
                " `recoup doctor` looks at the stack; `recoup topics apply` creates missing topics."
            )

    def wait(self, until: float) -> None:
        """Let time pass until the monotonic clock shows `until`, and answers come in meanwhile."""
        while (left := until - time.monotonic()) > 0:
            self._producer.poll(min(left, 0.5))

    def _answered(self, error: Any, message: Any) -> None:
        if error is not None:
            self._refused[error.name()] += 1
            return
        topic, place = message.topic(), (message.topic(), message.partition())
        self.taken[topic] += 1
        self.reached[place] = max(self.reached.get(place, 0), message.offset() + 1)
