"""A simulated portfolio's events, sent at a steady pace by a thread while a test disturbs the pipeline."""

import threading
import time

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from recoup.simulator.stream import events


class Flow:
    """So many events, at so many a second."""

    def __init__(self, kafka: KafkaSettings, *, seed: int, accounts: int, number: int, rate: float) -> None:
        self.kafka = kafka
        self.messages = events(seed, accounts, number)
        self.rate = rate
        self.sent = 0
        self.failed = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Flow":
        self._thread.start()
        return self

    def end(self) -> None:
        """Send no more."""
        self.messages = iter(())

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def _run(self) -> None:
        # Longer than any disturbance: the producer of a test must lose nothing either.
        producer = clients.producer(self.kafka, message_timeout_ms=180_000)
        began = time.monotonic()
        while message := next(self.messages, None):
            topic, key, value = message
            producer.produce(topic, value, key, on_delivery=self._delivered)
            self.sent += 1
            if self.sent % 100 == 0:
                producer.poll(0)
                time.sleep(max(0.0, self.sent / self.rate - (time.monotonic() - began)))
        producer.flush(180)

    def _delivered(self, error: object, message: object) -> None:
        self.failed += error is not None
