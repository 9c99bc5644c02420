"""Sends a simulated portfolio to Kafka at a pace, lets its customers hear their contacts, and counts what was taken."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from models.clock import Clock, WallClock
from recoup.simulator.deeds import INTERACTIONS
from recoup.simulator.stream import Ready, Simulation
from schemas.errors import NotReady
from schemas.interactions import ContactSent

CONTACT_SENT = b'"contact.sent"'
decode_contact = msgspec.json.Decoder(ContactSent).decode

SLICE_SECONDS = 0.01
"""Between two looks at the clock and at the contacts: short beside the latencies that are measured of what is sent."""
TURNS = 200
"""Turns between two looks when it goes as fast as it can."""
FLUSH_SECONDS = 30.0


def due_by(elapsed: float, rate: float, ramp: float) -> float:
    """How many messages should have been sent after so many seconds, at a rate that grows to its full height."""
    if elapsed < ramp:
        return rate * elapsed**3 / (3 * ramp**2)
    return rate * (elapsed - ramp * 2 / 3)


class Tally(msgspec.Struct):
    """What was sent, exactly: a message counts when the broker has acknowledged it."""

    delivered: Counter[str] = msgspec.field(default_factory=Counter)
    """By topic, duplicates and bad messages among them."""
    bad: dict[str, int] = {}
    """Bad messages by the reason for which they must be refused."""
    duplicates: int = 0
    late: int = 0
    accounts: int = 0
    business_days: float = 0.0
    contacts_heard: int = 0
    answers: dict[str, int] = {}
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.delivered.values())


class Feed:
    """One run of a simulation against a Kafka cluster.

    Args:
        rate: messages per second; None = as fast as they can be made.
        ramp_seconds: in this time the rate grows to its full height, with the square of time.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        simulation: Simulation,
        *,
        rate: float | None,
        ramp_seconds: float = 0.0,
        clock: Clock | None = None,
        progress: Callable[[Tally], None] | None = None,
    ) -> None:
        self.kafka = kafka
        self.simulation = simulation
        self.rate = rate
        self.ramp_seconds = ramp_seconds
        self.clock = clock or WallClock()
        self.progress = progress
        self.tally = Tally()
        self.stopped = threading.Event()
        self._failed: Counter[str] = Counter()
        self._sent = 0
        self._reports: dict[str, Callable[[KafkaError | None, Message], None]] = {}

    def stop(self) -> None:
        """End the run soon; what was sent is still waited for. May be called from any thread or signal handler."""
        self.stopped.set()

    def run(self, *, seconds: float | None = None, events: int | None = None) -> Tally:
        """Send until the time is over, so many messages were sent, or `stop` is called.

        Raises:
            NotReady: the broker did not take everything.
        """
        listener = self._listen()
        self.producer = clients.producer(self.kafka, queue_buffering_max_messages=100_000)
        began = time.monotonic()
        try:
            while not self.stopped.is_set() and not self._over(began, seconds, events):
                self._slice(began, events)
                self._hear(listener)
                self._count(began)
            if events is None:
                self._send(self.simulation.rest(), None)
        finally:
            listener.close()
        self._flush()
        del self.producer  # it would go on looking for its broker
        self._count(began)
        return self.tally

    def _over(self, began: float, seconds: float | None, events: int | None) -> bool:
        if events is not None and self._sent >= events:
            return True
        return seconds is not None and time.monotonic() - began >= seconds

    def _slice(self, began: float, events: int | None) -> None:
        """Send what is due by now, then wait a little."""
        turn, clock = self.simulation.turn, self.clock
        if self.rate is None:
            for _ in range(TURNS):
                self._send(turn(clock.now()), events)
            self.producer.poll(0)
            return
        until = due_by(time.monotonic() - began, self.rate, self.ramp_seconds)
        while self._sent < until and (events is None or self._sent < events):
            self._send(turn(clock.now()), events)
        self.producer.poll(SLICE_SECONDS)

    def _send(self, messages: Iterable[Ready], most: int | None) -> None:
        produce = self.producer.produce
        for topic, key, value in messages:
            if most is not None and self._sent >= most:
                return
            report = self._reports.get(topic) or self._report_of(topic)
            while True:
                try:
                    produce(topic, value, key, on_delivery=report)
                    break
                except BufferError:
                    self.producer.poll(0.05)
            self._sent += 1

    def _report_of(self, topic: str) -> Callable[[KafkaError | None, Message], None]:
        delivered, failed = self.tally.delivered, self._failed

        def report(error: KafkaError | None, message: Message) -> None:  # noqa: ARG001
            if error is None:
                delivered[topic] += 1
            else:
                failed[error.name()] += 1

        self._reports[topic] = report
        return report

    def _listen(self) -> Consumer:
        """A consumer of the contacts that are sent from now on, in no group."""
        listener = clients.consumer(self.kafka, "recoup-simulator", auto_offset_reset="latest")
        metadata: Any = listener.list_topics(INTERACTIONS, timeout=10).topics[INTERACTIONS]
        if metadata.error is not None:
            raise NotReady(f"The topic {INTERACTIONS} does not exist. `recoup topics apply` creates what is missing.")
        ends = []
        for number in metadata.partitions:
            end = listener.get_watermark_offsets(TopicPartition(INTERACTIONS, number), timeout=10)[1]
            ends.append(TopicPartition(INTERACTIONS, number, end))
        listener.assign(ends)
        return listener

    def _hear(self, listener: Consumer) -> None:
        for message in listener.consume(2_000, 0):
            value = message.value()
            if message.error() is None and value is not None and CONTACT_SENT in value:
                try:
                    contact = decode_contact(value)
                except msgspec.MsgspecError:
                    continue  # a bad message of somebody else; decide refuses it
                self.simulation.hear(contact)

    def _flush(self) -> None:
        left = self.producer.flush(FLUSH_SECONDS)
        if left or self._failed:
            why = ", ".join(f"{name}: {times}" for name, times in self._failed.items())
            raise NotReady(
                f"Kafka did not take {left + self._failed.total()} of {self._sent} messages ({why or 'no answer'})."
                " `recoup status` says whether it runs."
            )

    def _count(self, began: float) -> None:
        simulation, tally = self.simulation, self.tally
        tally.bad = dict(simulation.bad)
        tally.duplicates = simulation.duplicates
        tally.late = simulation.late
        tally.accounts = len(simulation.trade.accounts)
        tally.business_days = round(simulation.trade.day, 2)
        tally.contacts_heard = simulation.answers.heard
        tally.answers = {str(answer): times for answer, times in simulation.answers.answered.items()}
        tally.seconds = round(time.monotonic() - began, 3)
        if self.progress is not None:
            self.progress(tally)
