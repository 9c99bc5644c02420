"""Workers tell on agent-metrics what they do, it lands like everything else, and a stopped worker tells nothing."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from connectors.clickhouse.client import connect
from connectors.kafka import clients
from connectors.kafka.reading import partitions_of, read_to_end
from recoup.settings import Settings
from recoup.stack.provision import provision
from recoup.stack.workers import Workers
from schemas.operations import AgentMetrics
from streams.agent_metrics import TOPIC

EVENTS = 40


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def provisioned(settings: Settings) -> Settings:
    provision(settings)
    return settings


@pytest.fixture
def workers(provisioned: Settings) -> Iterator[Workers]:
    with Workers(provisioned.home, environment={"RECOUP_STREAMS__METRICS_SECONDS": "0.3"}) as workers:
        yield workers


def send(settings: Settings) -> None:
    producer, run = clients.producer(settings.kafka), secrets.token_hex(4)
    for number in range(EVENTS):
        event = {
            "type": "invoice.issued",
            "event_id": f"{run}-{number}",
            "tenant_id": "nobody",
            "account_id": f"{run}-{number % 5}",
            "occurred_at": "2026-03-01T12:00:00Z",
            "source": "test",
            "invoice_id": f"{run}-{number}",
            "amount_minor": 100,
            "currency": "EUR",
            "due_at": "2026-04-01T12:00:00Z",
        }
        key = f"nobody|{run}-{number % 5}".encode()
        producer.produce("payment-events", json.dumps(event).encode(), key)
    assert producer.flush(20) == 0


def told(settings: Settings) -> list[tuple[bytes, AgentMetrics]]:
    decode = msgspec.json.Decoder(AgentMetrics).decode
    messages = read_to_end(settings.kafka, partitions_of(settings.kafka, [TOPIC]))
    return [(message.key(), decode(message.value())) for message in messages]


def ask(settings: Settings, sql: str) -> Any:
    return connect(settings.clickhouse).query(sql).result_rows


def test_workers_tell_what_they_do_and_stop_telling_when_they_stop(provisioned: Settings, workers: Workers) -> None:
    before = len(told(provisioned))
    for job in ("decide", "land"):
        workers.start(job)
    workers.wait_ready()
    send(provisioned)
    until(lambda: sum(m.events for _, m in told(provisioned)[before:] if m.job == "decide") >= EVENTS)
    until(lambda: any(m.lag == 0 and not m.events for _, m in told(provisioned)[before:] if m.job == "decide"))
    until(lambda: sum(m.rows for _, m in told(provisioned)[before:] if m.job == "land") >= EVENTS)
    workers.stop("decide-0")
    of_decide = [m for _, m in told(provisioned) if m.job == "decide"]
    landed = "SELECT count(), countIf(job = 'decide'), uniqExact(_offset) FROM agent_metrics"
    until(lambda: ask(provisioned, landed)[0][1] >= len(of_decide))

    ((rows, _, places),) = ask(provisioned, landed)
    assert rows == places
    assert [m for _, m in told(provisioned) if m.job == "decide"] == of_decide
    for key, message in told(provisioned)[before:]:
        assert key.decode() == message.source == f"{message.job}-{message.slot}"
        assert message.memory_bytes > 0
        assert message.partitions > 0
        assert 0.2 < message.seconds < 30
    ((events, decisions, memory, lag),) = ask(
        provisioned,
        "SELECT sum(events), sum(decisions), max(memory_bytes), max(lag) FROM workers_minutes WHERE job = 'decide'",
    )
    assert events == sum(message.events for message in of_decide)
    assert decisions == sum(message.decisions for message in of_decide)
    assert memory == max(message.memory_bytes for message in of_decide)
    assert lag >= 0
