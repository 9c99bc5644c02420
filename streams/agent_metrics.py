"""Tells every few seconds on agent-metrics what this worker has done since, as its own Prometheus metrics count it.

Its producer is of its own and not transactional: what a worker says of itself is no part of what it promises, and is lost
while Kafka is away. All calls of it stay on one thread, beside the event loop.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faust
import msgspec
import structlog
from confluent_kafka import Producer
from prometheus_client import PROCESS_COLLECTOR

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from models.calendar import utc
from models.clock import Clock
from schemas.operations import AgentMetrics
from streams import metrics
from streams.settings import Installation
from streams.source import BatchSource

log = structlog.get_logger()

TOPIC = "agent-metrics"
ANSWER_SECONDS = 5.0
"""What Kafka has not taken by then is lost."""

encode = msgspec.json.Encoder().encode

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Name and labels of a sample -> its value."""

COUNTED = (
    metrics.EVENTS,
    metrics.REFUSED,
    metrics.SCORED,
    metrics.DECISIONS,
    metrics.CONTACTS_ALLOWED,
    metrics.ROWS,
    metrics.ROWS_REFUSED,
    metrics.BATCH_SECONDS,
    metrics.EVENT_TO_DECISION,
    metrics.EVENT_TO_ROW,
    PROCESS_COLLECTOR,
)
STEP = {"decide": "step", "dispatch": "send", "land": "insert"}
"""The step of `recoup_batch_seconds` that is what a batch is for; it comes once a batch."""
RESULT = {"decide": "recoup_event_to_decision_seconds", "land": "recoup_event_to_row_seconds"}
"""From a message's arrival to what the job makes of it; dispatch waits for hours that are allowed, so it has none."""


class Figures:
    """What was counted between two looks."""

    def __init__(self, before: Samples, now: Samples) -> None:
        self.before = before
        self.now = now

    def total(self, name: str, wanted: Callable[[Mapping[str, str]], bool] = lambda _: True) -> int:
        """The increase of a counter over all of its labels that are wanted."""
        return round(
            sum(
                value - self.before.get((its, labels), 0.0)
                for (its, labels), value in self.now.items()
                if its == name and wanted(dict(labels))
            )
        )

    def gauge(self, name: str) -> float:
        """The value of a gauge without labels; 0 where the system tells none."""
        return self.now.get((name, frozenset()), 0.0)

    def quantiles_ms(self, name: str, shares: Iterable[float], **labels: str) -> list[float | None]:
        """Milliseconds that so large shares of a histogram's observations were not above; None without observations."""
        sums: dict[float, float] = {}
        for (its, has), value in self.now.items():
            said = dict(has)
            if its == name + "_bucket" and all(said.get(label) == wanted for label, wanted in labels.items()):
                bound = float(said["le"])
                sums[bound] = sums.get(bound, 0.0) + value - self.before.get((its, has), 0.0)
        return [quantile_ms(sorted(sums.items()), share) for share in shares]


def quantile_ms(buckets: list[tuple[float, float]], share: float) -> float | None:
    """A quantile off cumulative buckets (upper bound in seconds, observations up to it), straight within a bucket."""
    if not buckets or not buckets[-1][1]:
        return None
    wanted, below, counted = share * buckets[-1][1], 0.0, 0.0
    for bound, up_to in buckets:
        if up_to >= wanted and up_to > counted:
            inside = (
                below if bound == float("inf") else below + (bound - below) * (wanted - counted) / (up_to - counted)
            )
            return round(1000 * inside, 3)
        below, counted = bound, up_to
    return round(1000 * below, 3)


def look() -> Samples:
    """Every sample that is told of, as it is now."""
    return {
        (sample.name, frozenset(sample.labels.items())): float(sample.value)
        for source in COUNTED
        for family in source.collect()
        for sample in family.samples
    }


def told(job: str, figures: Figures) -> dict[str, Any]:
    """The fields of a message that the job's own metrics fill."""
    step_50, step_99 = figures.quantiles_ms("recoup_batch_seconds", (0.5, 0.99), job=job, step=STEP[job])
    result_50, result_99 = figures.quantiles_ms(RESULT[job], (0.5, 0.99)) if job in RESULT else (None, None)
    of_job = {
        "batches": figures.total(
            "recoup_batch_seconds_count", lambda has: has["job"] == job and has["step"] == STEP[job]
        ),
        "batch_ms_p50": step_50,
        "batch_ms_p99": step_99,
        "event_to_result_ms_p50": result_50,
        "event_to_result_ms_p99": result_99,
        "memory_bytes": int(figures.gauge("process_resident_memory_bytes")),
        "cpu_seconds": _increase(figures, "process_cpu_seconds_total"),
    }
    if job == "land":
        rows = figures.total("recoup_rows_landed_total")
        refused = figures.total("recoup_rows_refused_total")
        return of_job | {"events": rows, "applied": max(0, rows - refused), "rows": rows}
    refused = figures.total("recoup_events_refused_total")
    outcomes = figures.total("recoup_events_total", lambda has: has["job"] == job)
    dropped = figures.total("recoup_events_total", lambda has: has["job"] == job and _is_dropped(has["outcome"]))
    of_job |= {
        "events": outcomes + refused,
        "applied": outcomes - dropped,
        "dropped": dropped,
        "dead_lettered": refused,
    }
    if job == "dispatch":
        sent = figures.total(
            "recoup_events_total", lambda has: has["job"] == job and has["outcome"] in ("sent", "unknown")
        )
        return of_job | {"contacts": sent}
    return of_job | {
        "scores": figures.total("recoup_accounts_scored_total"),
        "decisions": figures.total("recoup_decisions_total"),
        "contacts": figures.total("recoup_contacts_allowed_total"),
    }


def _is_dropped(outcome: str) -> bool:
    return outcome == "repeated" or outcome.startswith("dropped")


def _increase(figures: Figures, name: str) -> float:
    place = name, frozenset[tuple[str, str]]()
    return round(max(0.0, figures.now.get(place, 0.0) - figures.before.get(place, 0.0)), 3)


class Teller(faust.Service):
    """Tells of one worker until it is stopped, and then no more: whoever drains it counts what is in the topics."""

    def __init__(
        self, job: str, slot: int, source: BatchSource, kafka: KafkaSettings, clock: Clock, every: float
    ) -> None:
        super().__init__()
        self.job = job
        self.slot = slot
        self.source = source
        self.kafka = kafka
        self.clock = clock
        self.every = every
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tell-metrics")
        self._producer: Producer | None = None
        self._before: Samples = {}
        self._looked = time.monotonic()

    @property
    def source_name(self) -> str:
        """Who says it; the key of the message."""
        return f"{self.job}-{self.slot}"

    async def on_start(self) -> None:
        try:
            self._before, self._looked = look(), time.monotonic()
        except Exception as error:  # noqa: BLE001 - as below; the first message then counts from the worker's start
            self._not_told(error)

    @faust.Service.task
    async def tell(self) -> None:
        """Look and tell, again and again."""
        async for _ in self.itertimer(self.every, name="tell"):
            if self.source.leases and not self.source.should_stop:
                try:
                    unread = await self.source.unread()
                    await self.loop.run_in_executor(self._thread, self._tell, len(self.source.leases), unread)
                except Exception as error:  # noqa: BLE001 - what a worker says of itself never stops its work
                    self._not_told(error)

    async def on_stop(self) -> None:
        self._thread.shutdown(wait=False)

    def _not_told(self, error: Exception) -> None:
        log.warning("metrics_not_told", job=self.job, error=type(error).__name__)

    # -- on the thread -------------------------------------------------------------------------------------------------

    def _tell(self, partitions: int, unread: int) -> None:
        now, looked = look(), time.monotonic()
        figures, seconds = Figures(self._before, now), looked - self._looked
        self._before, self._looked = now, looked
        at = self.clock.now()
        message = AgentMetrics(
            event_id=f"{self.source_name}-{at}",
            occurred_at=utc(at),
            source=self.source_name,
            job=self.job,
            slot=self.slot,
            seconds=round(seconds, 3),
            partitions=partitions,
            lag=unread,
            **told(self.job, figures),
        )
        if self._producer is None:
            timeout = int(1000 * ANSWER_SECONDS)
            name = f"{self.source_name}-metrics"
            self._producer = clients.producer(self.kafka, client_id=name, message_timeout_ms=timeout)
        self._send(self._producer, encode(message))

    def _send(self, producer: Producer, value: bytes) -> None:
        refused: list[str] = []

        def answered(error: Any, _message: Any) -> None:
            if error is not None:
                refused.append(error.name())

        producer.produce(TOPIC, value, self.source_name.encode(), on_delivery=answered)
        left = producer.flush(ANSWER_SECONDS + 1)
        if left or refused:
            log.warning("metrics_not_told", job=self.job, error=", ".join(sorted(set(refused))) or "no answer")


def tell_metrics(
    app: faust.App, job: str, slot: int, source: BatchSource, installation: Installation, clock: Clock
) -> None:
    """Have the worker tell of itself, as often as the settings say."""
    every = installation.streams.metrics_seconds
    if every:
        app.service(Teller(job, slot, source, installation.kafka, clock, every))  # type: ignore[arg-type]
