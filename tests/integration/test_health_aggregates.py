"""What lands, what is refused and what workers tell of themselves is counted by minute and by hour."""

import datetime as dt
import random
import secrets
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from models.calendar import utc
from models.clock import WallClock
from recoup.settings import Settings
from schemas.interactions import ContactDelivered
from schemas.operations import AgentMetrics
from tests.integration.test_clickhouse_sink import Warehouse
from tests.landing import Sent, blocks, land, rows

MINUTE, HOUR = 60_000, 3_600_000
REASONS = ("not_json", "unknown_type")

encode = msgspec.json.Encoder().encode


@pytest.fixture(scope="module")
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    warehouse = Warehouse(settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"}))
    yield warehouse
    warehouse.client.command(f"DROP DATABASE {warehouse.settings.database}")
    warehouse.server.close()


def delivered(count: int) -> list[Sent]:
    return [
        (
            "interaction-events",
            b"t|a%d" % (number % 9),
            encode(
                ContactDelivered(
                    event_id=f"e{number}", tenant_id="t", account_id=f"a{number % 9}", occurred_at=utc(number), source="x",
                    contact_id=f"c{number}", channel="sms",
                )
            ),
        )
        for number in range(631_152_000_000, 631_152_000_000 + count)
    ]  # fmt: skip


def test_rows_are_counted_by_the_minute_of_their_block_and_a_backfill_is_in_no_quantile(warehouse: Warehouse) -> None:
    draw, now = random.Random(5), WallClock().now() // MINUTE * MINUTE
    messages = delivered(900)
    land(warehouse, blocks(messages, now, draw), draw)
    refused = [("interaction-events", b"t|a", b"not json")] * 30
    land(warehouse, blocks([*messages, *refused], now + MINUTE, draw, now - 2 * HOUR, first=10_000), draw)

    first, second = rows(warehouse, "pipeline_minutes", "minute")
    ((count, size, halves),) = warehouse.client.query(
        "SELECT count(), sum(length(payload)), quantilesExact(0.5, 0.99)(date_diff('millisecond', _arrived_at, _block_at))"
        " FROM interaction_events WHERE _block_at = fromUnixTimestamp64Milli({at:Int64})",
        parameters={"at": now},
    ).result_rows
    assert (first["rows"], first["bytes"], first["refused"], first["backfilled"]) == (count, size, 0, 0)
    assert (first["to_row_ms_p50"], first["to_row_ms_p99"]) == pytest.approx(tuple(halves), rel=0.03, abs=5)
    assert (second["rows"], second["refused"], second["backfilled"]) == (930, 30, 930)
    assert (second["to_row_ms_p50"], second["to_row_ms_p99"]) == (None, None)


def test_dead_letters_are_counted_by_hour_topic_and_reason(warehouse: Warehouse) -> None:
    draw, now = random.Random(6), WallClock().now() // HOUR * HOUR
    wanted: Counter[tuple[str, dt.datetime, str, str]] = Counter()
    for reason in REASONS:
        for topic in ("payment-events", "crm-events"):
            headers = [("reason", reason.encode()), ("__connect.errors.topic", topic.encode())]
            times = draw.randrange(5, 40)
            sent = [(f"{topic}.dlq", b"acme|a", b"?")] * times
            arrived = now - draw.randrange(5) * HOUR
            first = 1_000 * REASONS.index(reason)
            land(warehouse, blocks(sent, now, draw, arrived, headers=headers, first=first), draw)
            wanted["acme", utc(arrived), topic, reason] += times
    said = {tuple(row.values())[:4]: row["letters"] for row in rows(warehouse, "dead_letters_hourly", "hour")}
    assert {(tenant, at.replace(tzinfo=dt.UTC), *of): n for (tenant, at, *of), n in said.items()} == wanted


def test_what_workers_tell_is_put_together_by_minute(warehouse: Warehouse) -> None:
    draw, now = random.Random(7), WallClock().now() // MINUTE * MINUTE
    told = [
        AgentMetrics(
            event_id=f"m{job}{number}", occurred_at=utc(now - 10_000 * number), source=f"{job}-0", job=job, slot=0,
            seconds=10.0, partitions=draw.randrange(9), events=number % 3 * 10, applied=number, rows=number,
            decisions=number, lag=draw.randrange(100), memory_bytes=draw.randrange(10**9), cpu_seconds=0.5,
            event_to_result_ms_p50=float(number) if number % 3 else None,
            event_to_result_ms_p99=float(number * 2) if number % 3 else None,
        )
        for job in ("decide", "land")
        for number in range(40)
    ]  # fmt: skip
    land(warehouse, blocks([("agent-metrics", m.source.encode(), encode(m)) for m in told], now, draw), draw)
    for row in rows(warehouse, "workers_minutes", "job, minute"):
        minute = row["minute"].replace(tzinfo=dt.UTC)
        its = [m for m in told if m.job == row["job"] and m.occurred_at.replace(second=0, microsecond=0) == minute]
        for name in ("seconds", "events", "applied", "rows", "decisions", "cpu_seconds"):
            assert row[name] == pytest.approx(sum(getattr(m, name) for m in its))
        assert row["lag"] == max(its, key=lambda m: m.occurred_at).lag
        assert row["memory_bytes"] == max(m.memory_bytes for m in its)
        assert row["partitions"] == max(m.partitions for m in its)
        heard = [m for m in its if m.event_to_result_ms_p50 is not None]
        if heard:
            weighted = sum((m.event_to_result_ms_p50 or 0) * m.events for m in heard) / sum(m.events for m in heard)
            assert row["to_result_ms_p50"] == pytest.approx(weighted)
            assert row["to_result_ms_p99"] == max(m.event_to_result_ms_p99 or 0 for m in heard)
        else:
            assert (row["to_result_ms_p50"], row["to_result_ms_p99"]) == (None, None)
        told = [m for m in told if m not in its]
    assert not told
