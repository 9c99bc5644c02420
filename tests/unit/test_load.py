"""What is loaded is marked as history, and checked whole before the first event is sent."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recoup import load
from schemas.control import Tenant
from schemas.errors import BadInput

NOW = int(dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
KNOWN = {"shop": Tenant(tenant_id="shop", name="Shop", currencies=("USD",), time_zone="America/New_York")}

MAPPING = """
tenant_id: shop
currency: USD
dates: "%Y-%m-%d"
account: {id: cust}
invoice: {id: inv, amount: open, issued_at: issued, due_at: due}
"""


def event(**changes: Any) -> dict[str, Any]:
    return {
        "type": "invoice.issued",
        "event_id": "e1",
        "tenant_id": "shop",
        "account_id": "a1",
        "occurred_at": "2025-01-02T00:00:00Z",
        "source": "billing",
        "invoice_id": "i1",
        "amount_minor": 100,
        "currency": "USD",
        "due_at": "2025-02-01T00:00:00Z",
    } | changes


def events(tmp_path: Path, *lines: dict[str, Any] | bytes) -> Path:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def ledger(tmp_path: Path, text: str, mapping: str = MAPPING) -> tuple[Path, Path]:
    (tmp_path / "open.csv").write_text(text)
    (tmp_path / "mapping.yaml").write_text(mapping)
    return tmp_path / "open.csv", tmp_path / "mapping.yaml"


def test_every_event_of_a_ledger_is_history_and_no_address_is_made_up(tmp_path):
    paths = ledger(tmp_path, "cust,inv,open,issued,due\na1,i1,10.00,2025-01-02,2025-02-01\n")
    content = load.from_csv(*paths, KNOWN, NOW, skip_bad=False)
    sent = [json.loads(message.value) for message in content.messages]
    assert [message["type"] for message in sent] == ["invoice.issued"]
    assert all(message["history"] is True and message["source"] == "load" for message in sent)
    assert sent[0]["occurred_at"] == "2025-01-02T05:00:00Z", "days are those of the tenant's zone"


def test_a_ledger_of_an_unpublished_tenant_or_a_foreign_currency_is_refused(tmp_path):
    text = "cust,inv,open,issued,due\na1,i1,10.00,2025-01-02,2025-02-01\n"
    with pytest.raises(BadInput, match="tenant `shop` is not published"):
        load.from_csv(*ledger(tmp_path, text), {}, NOW, skip_bad=False)
    with pytest.raises(BadInput, match="holds amounts in EUR"):
        load.from_csv(*ledger(tmp_path, text, MAPPING.replace("USD", "EUR")), KNOWN, NOW, skip_bad=False)


def test_lines_are_marked_as_history_whatever_they_say_and_keep_their_order(tmp_path):
    lines = [event(event_id="e2", history=False), event(event_id="e1", history=True, invoice_id="i2")]
    content = load.from_events(events(tmp_path, *lines), KNOWN, NOW, skip_bad=False)
    sent = [json.loads(message.value) for message in content.messages]
    assert [message["event_id"] for message in sent] == ["e2", "e1"]
    assert all(message["history"] is True for message in sent)
    assert [message.key for message in content.messages] == [b"shop|a1"] * 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "is no JSON"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"[1]", "is JSON, but no object"),
        (event(type="invoice.isued"), "`type` is none of"),
        (event(type="replay.marker"), "`type` is none of"),
        (event(amount_minor=-1), "negative_money in `amount_minor`"),
        (event(occurred_at="2027-01-02T00:00:00Z"), "future_time in `occurred_at`"),
        (event(tenant_id="other"), "the tenant `other` is not published"),
        ({key: value for key, value in event().items() if key != "account_id"}, "missing_field in `account_id`"),
    ],
)
def test_a_line_that_the_pipeline_would_refuse_is_named_and_may_be_left_out(line, says, tmp_path):
    path = events(tmp_path, event(), b"", line)
    with pytest.raises(BadInput) as raised:
        load.from_events(path, KNOWN, NOW, skip_bad=False)
    assert f"history.jsonl line 3: {says}" in str(raised.value)
    assert "Nothing has been sent." in str(raised.value)
    content = load.from_events(path, KNOWN, NOW, skip_bad=True)
    assert len(content.messages) == len(content.faults) == 1


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="holds no event"):
        load.from_events(events(tmp_path, b""), KNOWN, NOW, skip_bad=True)


def test_loaded_events_decode_as_history(tmp_path):
    content = load.from_events(events(tmp_path, event()), KNOWN, NOW, skip_bad=False)
    answer = load.Check(KNOWN, NOW).decoders["payment-events"](
        content.messages[0].value, b"shop|a1", dt.datetime.max.replace(tzinfo=dt.UTC)
    )
    assert msgspec.to_builtins(answer)["history"] is True
