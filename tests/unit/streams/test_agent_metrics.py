"""What a worker tells of itself between two looks at its own metrics."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from models.clock import WallClock
from streams import agent_metrics, metrics
from streams.agent_metrics import Figures, Teller, look, quantile_ms, told

BUCKETS = [(0.01, 2.0), (0.02, 8.0), (0.05, 10.0), (float("inf"), 10.0)]


@pytest.mark.parametrize(("share", "expected"), [(0.1, 5.0), (0.2, 10.0), (0.5, 15.0), (0.9, 35.0), (1.0, 50.0)])
def test_a_quantile_lies_straight_within_its_bucket(share: float, expected: float) -> None:
    assert quantile_ms(BUCKETS, share) == pytest.approx(expected)


def test_what_is_beyond_the_last_bound_is_told_as_the_last_bound() -> None:
    assert quantile_ms([(0.01, 0.0), (60.0, 1.0), (float("inf"), 4.0)], 0.99) == 60_000


def test_a_histogram_without_observations_has_no_quantile() -> None:
    assert quantile_ms([(0.01, 0.0), (float("inf"), 0.0)], 0.5) is None
    assert quantile_ms([], 0.5) is None


def test_only_what_was_counted_since_the_last_look_is_told() -> None:
    metrics.EVENTS.labels("decide", "applied").inc(1_000)
    metrics.EVENT_TO_DECISION.observe(30.0)
    before = look()
    metrics.EVENTS.labels("decide", "applied").inc(7)
    metrics.EVENTS.labels("decide", "dropped:duplicate").inc(2)
    metrics.EVENTS.labels("dispatch", "sent").inc(50)
    metrics.REFUSED.labels("payment-events", "not_json").inc(1)
    metrics.SCORED.inc(5)
    metrics.DECISIONS.labels("wait").inc(3)
    metrics.DECISIONS.labels("contact").inc(1)
    metrics.CONTACTS_ALLOWED.inc()
    metrics.BATCH_SECONDS.labels("decide", "read").observe(9.0)
    for seconds in (0.0101, 0.0101, 0.0101):
        metrics.BATCH_SECONDS.labels("decide", "step").observe(seconds)
        metrics.EVENT_TO_DECISION.observe(seconds)
    found = told("decide", Figures(before, look()))
    assert found["event_to_result_ms_p50"] == pytest.approx(10, abs=1)
    assert found["batch_ms_p99"] == pytest.approx(10, abs=1)
    assert found["memory_bytes"] > 0
    assert {name: found[name] for name in ("events", "applied", "dropped", "dead_lettered")} == {
        "events": 10,
        "applied": 7,
        "dropped": 2,
        "dead_lettered": 1,
    }
    assert {name: found[name] for name in ("scores", "decisions", "contacts", "batches")} == {
        "scores": 5,
        "decisions": 4,
        "contacts": 1,
        "batches": 3,
    }


def test_dispatch_counts_what_left_and_what_it_had_seen_before() -> None:
    before = look()
    for outcome, times in (("sent", 4), ("unknown", 1), ("failed", 2), ("repeated", 3)):
        metrics.EVENTS.labels("dispatch", outcome).inc(times)
    found = told("dispatch", Figures(before, look()))
    assert (found["events"], found["applied"], found["dropped"], found["contacts"]) == (10, 7, 3, 5)
    assert found["event_to_result_ms_p50"] is None


def test_an_idle_worker_tells_zeros() -> None:
    now = look()
    found = told("land", Figures(now, now))
    assert (found["events"], found["rows"], found["batches"], found["cpu_seconds"]) == (0, 0, 0, 0.0)
    assert found["event_to_result_ms_p99"] is None


class Source:
    """Owns one partition, until it has been asked twice."""

    leases = (1,)

    def __init__(self, failure: Exception | None) -> None:
        self.failure = failure
        self.asked = 0

    @property
    def should_stop(self) -> bool:
        return False

    async def unread(self) -> int:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return 0


@pytest.mark.parametrize("fails", ["unread", "look", "producer"])
def test_a_failure_to_tell_is_warned_of_and_the_next_time_comes(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ValueError("acme owes 5 euros")

    if fails == "producer":
        monkeypatch.setattr(clients, "producer", fail)
    source: Any = Source(ValueError("acme owes 5 euros") if fails == "unread" else None)

    async def twice() -> None:
        teller = Teller("land", 0, source, KafkaSettings(), WallClock(), every=0.01)
        if fails == "look":
            monkeypatch.setattr(agent_metrics, "look", fail)
        await teller.start()
        while source.asked < 2:
            assert not teller.crashed
            await asyncio.sleep(0.01)
        await teller.stop()

    with capture_logs() as logs:
        asyncio.run(asyncio.wait_for(twice(), 20))
    assert {"event": "metrics_not_told", "job": "land", "error": "ValueError", "log_level": "warning"} in logs
    assert "acme" not in str(logs)
