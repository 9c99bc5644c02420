"""`python -m benchmarks.latency`: from an event's sending to its decision and to its row, at a steady rate.

The demo's whole pipeline runs (decide by the demo's strategies on a trained model, dispatch, land, the customers who
react). Among its events go probes: invoices
of accounts of their own. A probe's decision has come when a consumer that reads committed messages has it, its row when
a query finds it: both are what another system would see, from the moment the probe was handed to its producer.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec
import numpy as np
import psutil
from confluent_kafka import TopicPartition

from benchmarks import ground, trained
from connectors.clickhouse.client import connect
from connectors.kafka import clients
from connectors.kafka.reading import partitions_of
from models.clock import WallClock
from recoup.demo.strategies import release_strategies
from recoup.settings import Settings
from recoup.simulator.feed import Feed
from recoup.simulator.stack import businesses_of
from recoup.simulator.stream import Simulation
from recoup.tenants import published
from schemas.envelope import account_key
from schemas.payments import InvoiceIssued

WARM_SECONDS = 60.0
"""The broker compiles its code for so long, with up to half of its processor time."""
PROBES_PER_SECOND = 20
LOOK_SECONDS = 0.1

encode = msgspec.json.Encoder().encode


class Probes:
    """Sends probes and notes when each was sent, decided and landed, by a clock that only runs forward."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tenant = min(published(settings.kafka).values(), key=lambda tenant: tenant.tenant_id)
        self.sent: dict[str, float] = {}
        self.decided: dict[str, float] = {}
        self.landed: dict[str, float] = {}
        self.stopped = threading.Event()

    def send(self, seconds: float) -> None:
        """Probes at an even pace for so long."""
        producer = clients.producer(self.settings.kafka)
        # Its first message would wait for its connection and its id, and so would those behind it.
        producer.produce("payment-events", self._probe("first"), account_key(self.tenant.tenant_id, "first"))
        producer.flush(10)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            name = f"probe-{len(self.sent)}"
            probe, key = self._probe(name), account_key(self.tenant.tenant_id, name)
            self.sent[name] = time.monotonic()
            producer.produce("payment-events", probe, key)
            producer.poll(0)
            time.sleep(1 / PROBES_PER_SECOND)
        producer.flush(10)

    def _probe(self, name: str) -> bytes:
        now = datetime.now(UTC)
        return encode(
            InvoiceIssued(
                event_id=name,
                tenant_id=self.tenant.tenant_id,
                account_id=name,
                occurred_at=now,
                source="benchmark",
                invoice_id=name,
                amount_minor=100,
                currency=self.tenant.currencies[0],
                due_at=now + timedelta(days=14),
            )
        )

    def listen(self) -> None:
        """Note each probe's decision as a downstream system sees it."""
        consumer = clients.consumer(self.settings.kafka, "bench-latency")
        ends = []
        for place in partitions_of(self.settings.kafka, ["next-best-actions"]):
            _, end = consumer.get_watermark_offsets(place, timeout=10)
            ends.append(TopicPartition(place.topic, place.partition, end))
        consumer.assign(ends)
        while not self.stopped.is_set():
            first = consumer.poll(LOOK_SECONDS)  # at once; consume() waits until it has all that it was asked for
            for message in [] if first is None else [first, *consumer.consume(10_000, 0)]:
                name = (message.key() or b"").decode().rpartition("|")[2]
                if name in self.sent:
                    self.decided.setdefault(name, time.monotonic())
        consumer.close()

    def look(self) -> None:
        """Note each probe's row as a query sees it; looks are 100 ms apart, which counts."""
        client = connect(self.settings.clickhouse)
        query = (
            "SELECT account_id FROM payment_events WHERE tenant_id = {t:String} AND startsWith(account_id, 'probe-')"
        )
        while not self.stopped.is_set():
            rows = client.query(query, parameters={"t": self.tenant.tenant_id}).result_columns
            now = time.monotonic()
            for name in rows[0] if rows else ():
                self.landed.setdefault(name, now)
            time.sleep(LOOK_SECONDS)

    def milliseconds(self, seen: dict[str, float]) -> dict[str, float]:
        """Quantiles of what was seen."""
        values = np.array([seen[name] - self.sent[name] for name in self.sent]) * 1000
        p50, p90, p99 = np.percentile(values, (50, 90, 99))
        return {"p50": round(p50, 1), "p90": round(p90, 1), "p99": round(p99, 1), "max": round(values.max(), 1)}


@click.command(epilog="Example: python -m benchmarks.latency --rate 2000 --seconds 60")
@click.option("--rate", default=2_000.0, show_default=True, help="Events a second.")
@click.option("--seconds", default=60.0, show_default=True, help="How long probes are sent, after a warm-up.")
@click.option("--accounts", default=5_000, show_default=True, help="Accounts of the portfolio.")
def main(rate: float, seconds: float, accounts: int) -> None:
    """Measure and print the latencies."""
    with ground.stack() as (settings, _):
        trained.release(settings)
        release_strategies(settings, print)
        workers = [ground.worker(settings, job) for job in ("land", "dispatch", "decide")]
        with workers[0] as land, workers[1] as dispatch, workers[2] as decide:
            results = measure(settings, [land, dispatch, decide], rate, seconds, accounts)
    print(f"{results['probes']} probes at {results['events_per_second']:,} events/s")
    for what in ("to_decision_ms", "to_row_ms"):
        print(f"{what:16}", "  ".join(f"{name} {value:8.1f}" for name, value in results[what].items()))
    ground.keep("latency", results)


def measure(
    settings: Settings, workers: list[psutil.Process], rate: float, seconds: float, accounts: int
) -> dict[str, Any]:
    """Let the portfolio live, and send probes once it is warm."""
    clock = WallClock()
    simulation = Simulation(1, accounts, businesses_of(settings), start=clock.now())
    feed = Feed(settings.kafka, simulation, rate=rate, ramp_seconds=WARM_SECONDS / 2, clock=clock)
    probes = Probes(settings)
    threads = [threading.Thread(target=run, daemon=True) for run in (feed.run, probes.listen, probes.look)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(WARM_SECONDS)  # nobody says when the broker's compiler has done
        before, began = feed.tally.total, time.monotonic()
        probes.send(seconds)
        sent_per_second = (feed.tally.total - before) / (time.monotonic() - began)
        for seen in (probes.decided, probes.landed):
            ground.reach(lambda seen=seen: len(seen), len(probes.sent), workers[0])  # type: ignore[misc]
    finally:
        feed.stop()
        probes.stopped.set()
        for thread in threads:
            thread.join(30)
    return {
        "events_per_second": round(sent_per_second),
        "probes": len(probes.sent),
        "to_decision_ms": probes.milliseconds(probes.decided),
        "to_row_ms": probes.milliseconds(probes.landed),
    }


if __name__ == "__main__":
    main()
