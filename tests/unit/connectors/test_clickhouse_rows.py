"""Messages become rows: one each, with every default in its column, and never an exception."""

import datetime as dt
import io
import json
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Message

from connectors.clickhouse.rows import RowReader, Rows
from connectors.clickhouse.tables import landed_topics, table_of
from schemas.dead_letters import dead_letter_headers
from schemas.decode import Refusal
from tests.contract import examples

ARRIVED = 1_770_000_000_123


def message(
    topic: str,
    value: bytes | None,
    key: bytes | None = b"k",
    offset: int = 0,
    headers: Any = None,
    partition: int = 3,
) -> Any:
    return Message(
        topic=topic, partition=partition, offset=offset, key=key, value=value, timestamp=(1, ARRIVED), headers=headers
    )


def event(topic: str = "payment-events", **fields: Any) -> Any:
    said = {
        "type": "payment.received",
        "event_id": "e1",
        "tenant_id": "t",
        "account_id": "a",
        "occurred_at": "2026-03-01T12:00:00.123Z",
        "source": "test",
        "payment_id": "p1",
        "amount_minor": 1050,
        "currency": "EUR",
    } | fields
    wanted = {name: value for name, value in said.items() if value is not None}
    return message(topic, json.dumps(wanted).encode(), f"{said['tenant_id']}|{said['account_id']}".encode())


def read(topic: str, *messages: Any) -> tuple[Rows, list[dict[str, Any]]]:
    rows = RowReader(topic)(messages)
    with pa.ipc.open_stream(io.BytesIO(rows.body)) as stream:
        batches = list(stream)
    assert len(batches) == 1  # the server knows a block again only when it is cut the same way
    return rows, batches[0].to_pylist()


def milliseconds(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def test_a_good_message_has_its_values_its_bytes_and_its_place() -> None:
    sent = event()
    rows, (row,) = read("payment-events", sent)
    assert (rows.count, rows.refused) == (1, 0)
    assert row["payment_id"] == "p1"
    assert row["amount_minor"] == 1050
    assert row["occurred_at"] == milliseconds("2026-03-01T12:00:00.123Z")
    assert row["payload"] == sent.value()
    assert row["message_key"] == b"t|a"
    assert (row["message_partition"], row["message_offset"], row["arrived_ms"]) == (3, 0, ARRIVED)
    assert row["refusal"] == ""


def test_the_type_is_a_column_though_it_is_no_field() -> None:
    _, (row,) = read("payment-events", event())
    assert row["type"] == "payment.received"


def test_a_field_that_was_left_out_has_its_default() -> None:
    sent = json.loads(event().value()) | {"type": "contact.sent", "contact_id": "c", "channel": "email"}
    _, (row,) = read("interaction-events", message("interaction-events", json.dumps(sent).encode(), b"t|a"))
    assert (row["purpose"], row["mode"], row["schema_version"], row["history"]) == ("collection", "live", 1, False)
    assert row["template"] is None


@pytest.mark.parametrize(
    "said", ["2026-03-01T12:00:00.123456789Z", "2026-03-01T14:00:00.1234+02:00", "2026-03-01t12:00:00.123z"]
)
def test_a_time_is_its_instant_however_it_is_written(said: str) -> None:
    _, (row,) = read("payment-events", event(occurred_at=said))
    assert row["occurred_at"] == milliseconds("2026-03-01T12:00:00.123Z")


def test_types_of_one_topic_stand_together_each_with_its_own_values() -> None:
    sent = [event(event_id=f"e{number}", offset=number) if number % 3 else broken(number) for number in range(30)]
    sent += [event(type="invoice.voided", event_id=f"v{number}", invoice_id=f"i{number}") for number in range(5)]
    rows, found = read("payment-events", *sent)
    assert (rows.count, rows.refused) == (35, 10)
    assert sorted(row["payload"] for row in found) == sorted(one.value() for one in sent)
    for row in found:
        if row["refusal"]:
            assert row["event_id"] is None
        else:
            assert row["event_id"] == json.loads(row["payload"])["event_id"]
            assert row["invoice_id"] == json.loads(row["payload"]).get("invoice_id")


def broken(number: int) -> Any:
    return message("payment-events", b"\xff" + str(number).encode())


def test_a_message_that_breaks_the_contract_has_no_values_only_its_bytes() -> None:
    rows, (row,) = read("payment-events", event(amount_minor=-5))
    assert rows.refused == 1
    assert row["refusal"] == "negative_money"
    assert (row["amount_minor"], row["event_id"], row["occurred_at"]) == (None, None, None)
    assert json.loads(row["payload"])["amount_minor"] == -5


def test_no_value_and_no_key_is_a_row_too() -> None:
    _, (row,) = read("tenants", message("tenants", None, None))
    assert (row["refusal"], row["payload"], row["message_key"]) == ("empty_value", b"", b"")


def test_a_setting_that_does_not_say_since_when_is_dated_by_its_arrival() -> None:
    sent = {"type": "policy.released", "tenant_id": "t", "role": "policy", "policy": "p", "location": "l"}
    rows, (row,) = read("policy-releases", message("policy-releases", json.dumps(sent).encode(), b"t|policy"))
    assert (rows.refused, row["occurred_at"]) == (0, None)


def test_a_number_that_no_column_can_hold_is_in_the_payload_only() -> None:
    sent: dict[str, Any] = {
        "event_id": "m",
        "source": "s",
        "occurred_at": "2026-01-01T00:00:00Z",
        "tenant_id": "",
        "account_id": "",
    }
    sent |= {"type": "agent.metrics", "job": "decide", "slot": 2**63, "seconds": 1.0}
    value = json.dumps(sent).encode()
    _, (row,) = read("agent-metrics", message("agent-metrics", value, b"s"))
    assert (row["slot"], row["payload"]) == (None, value)


@pytest.mark.parametrize("example", examples.valid(), ids=lambda example: example.name)
def test_every_valid_example_is_a_valid_row_with_the_values_it_names(example: examples.Example) -> None:
    rows, (row,) = read(example.topic, message(example.topic, example.value, example.key))
    assert (rows.refused, row["refusal"]) == (0, "")
    for column in table_of(example.topic).columns:
        if (said := example.parsed.get(column.name)) is None:
            continue
        found = row[column.name]
        if isinstance(found, dt.date):
            assert found.isoformat() == said
        elif isinstance(found, int) and isinstance(said, str):
            assert found == milliseconds(said)
        else:
            assert found == said


@pytest.mark.parametrize("example", examples.invalid(), ids=lambda example: example.name)
def test_every_invalid_example_is_a_row_without_values(example: examples.Example) -> None:
    headers = list(example.headers) or None
    rows, (row,) = read(example.topic, message(example.topic, example.value, example.key, headers=headers))
    assert row["payload"] == (example.value or b"")
    if example.reason not in ("future_time", None):  # what depends on the clock is no property of the row
        assert (rows.refused, row["refusal"]) == (1, example.reason)


def test_a_dead_letter_tells_where_it_came_from_and_why() -> None:
    refusal = Refusal("missing_field", "a required field is missing", "amount_minor")
    headers = dead_letter_headers(
        topic="payment-events",
        partition=5,
        offset=42,
        timestamp_ms=1,
        original_headers=[("own", b"x")],
        refusal=refusal,
        first_seen_ms=99,
        attempt=2,
    )
    _, (row,) = read("payment-events.dlq", message("payment-events.dlq", b"\xffraw", b"t|a|b", headers=headers))
    assert (row["tenant_id"], row["account_id"]) == ("t", "a|b")
    assert (row["source_topic"], row["source_partition"], row["source_offset"]) == ("payment-events", 5, 42)
    assert (row["reason"], row["field"], row["attempt"], row["first_seen"]) == ("missing_field", "amount_minor", 2, 99)
    assert row["detail"] == "a required field is missing"
    assert (row["payload"], row["refusal"]) == (b"\xffraw", "")


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("reason", b"")],
        [("reason", b"\xff"), ("attempt", b"many")],
        [("reason", b"r"), ("attempt", b"9" * 40)],
    ],
)
def test_a_dead_letter_with_odd_headers_is_a_row_too(headers: list[tuple[str, bytes]] | None) -> None:
    rows, (row,) = read("payment-events.dlq", message("payment-events.dlq", None, None, headers=headers))
    assert rows.count == 1
    assert row.get("attempt") is None


@pytest.mark.parametrize("topic", landed_topics())
def test_whatever_the_bytes_are_there_is_a_row_for_each_message(topic: str) -> None:
    odd = [None, b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"type": 1}', b"[" * 2000, b'{"a": "\\ud800"}', b"1e999"]
    rows, found = read(topic, *(message(topic, value, None, offset) for offset, value in enumerate(odd)))
    assert rows.count == len(odd)
    assert sorted(row["message_offset"] for row in found) == list(range(len(odd)))


def test_no_messages_are_no_rows() -> None:
    rows, found = read("tenants")
    assert (rows.count, found) == (0, [])
