"""A dead letter's value can be mended by field or by hand, and only what was asked for changes."""

import json
from typing import Any

import pytest

from recoup.dead_letters.letters import Letter, Position, heaps, letter_from, position_from
from recoup.dead_letters.mending import by_hand, rekeyed, with_fields
from schemas.errors import BadInput

PAYMENT: dict[str, Any] = {
    "type": "payment.received",
    "tenant_id": "shop",
    "account_id": "a1",
    "amount_minor": -5,
    "allocations": [{"invoice_id": "i1", "amount_minor": -5}],
}


def letter(value: bytes | dict[str, Any] | None = None, **changes: Any) -> Letter:
    if value is None:
        value = PAYMENT
    said: dict[str, Any] = {
        "at": Position("payment-events.dlq", 0, 12),
        "reason": "negative_money",
        "field": "amount_minor",
        "detail": "",
        "came_from": "payment-events:3:41",
        "attempt": 1,
        "first_seen": 1_000,
        "key": b"shop|a1",
        "value": value if isinstance(value, bytes) else json.dumps(value).encode(),
        "headers": (),
    }
    return Letter(**said | changes)


def anything(_key: bytes | None, _value: bytes | None) -> bool:
    return True


def test_fields_are_set_and_nothing_else():
    key, value = with_fields(letter(), ["amount_minor=500", "allocations[0].amount_minor=500"], anything, rekey=False)
    assert key == b"shop|a1"
    wanted = PAYMENT | {"amount_minor": 500, "allocations": [{"invoice_id": "i1", "amount_minor": 500}]}
    assert json.loads(value) == wanted


def test_what_is_taken_only_as_text_becomes_text():
    def wants_text(_key: bytes | None, value: bytes | None) -> bool:
        return isinstance(json.loads(value or b"{}")["invoice_id"], str)

    _, value = with_fields(letter(), ["invoice_id=0012"], anything, rekey=False)
    assert json.loads(value)["invoice_id"] == "0012"
    _, value = with_fields(letter(), ["invoice_id=12"], wants_text, rekey=False)
    assert json.loads(value)["invoice_id"] == "12"
    _, value = with_fields(letter(), ['note={"a": [1, null]}'], anything, rekey=False)
    assert json.loads(value)["note"] == {"a": [1, None]}


@pytest.mark.parametrize(
    "setting", ["amount_minor", "=5", "allocations[1].amount_minor=5", "allocations.x=5", "type.x=5", "[0]=5", "a.b=5"]
)
def test_a_place_that_is_not_there_is_an_error(setting):
    with pytest.raises(BadInput, match="--set"):
        with_fields(letter(), [setting], anything, rekey=False)


@pytest.mark.parametrize("value", [b"{", b"[1]", b"\xff", b""])
def test_fields_of_what_is_no_object_cannot_be_set(value):
    with pytest.raises(BadInput):
        with_fields(letter(value), ["a=1"], anything, rekey=False)


def test_the_key_follows_the_tenant_and_account_when_asked():
    key, _ = with_fields(letter(), ["account_id=a2"], anything, rekey=True)
    assert key == b"shop|a2"
    assert rekeyed(letter(key=b"wrong"))[0] == b"shop|a1"
    with pytest.raises(BadInput, match="names no tenant and account"):
        rekeyed(letter({"tenant_id": "shop"}))


def test_the_whole_can_be_mended_by_hand_even_when_it_is_no_json():
    shown = []

    def edit(text: str) -> str:
        shown.append(text)
        return '{"tenant_id": "shop",\n "account_id": "a1"}\n'

    key, value = by_hand(letter(b'{"tenant_id": "shop"'), edit, rekey=True)
    assert shown == ['{"tenant_id": "shop"']
    assert (key, value) == (b"shop|a1", b'{"tenant_id":"shop","account_id":"a1"}')
    assert by_hand(letter(), lambda _: None, rekey=False) == (b"shop|a1", letter().value)
    with pytest.raises(BadInput, match="not UTF-8"):
        by_hand(letter(b"\xff"), edit, rekey=False)


def test_positions_are_read_as_they_are_written():
    assert position_from("payment-events.dlq:0:12") == Position("payment-events.dlq", 0, 12)
    assert position_from("payment-events:0:12") == Position("payment-events.dlq", 0, 12)
    assert str(Position("payment-events.dlq", 0, 12)) == "payment-events.dlq:0:12"
    for wrong in ("payment-events.dlq", "payment-events.dlq:0", "x:y:z", ":0:1", "customer-events:0:1", "nope:0:1"):
        with pytest.raises(BadInput):
            position_from(wrong)


class Consumed:
    """A message as confluent-kafka hands it over."""

    def __init__(self, headers: list[tuple[str, bytes | None]] | None) -> None:
        self._headers = headers

    def topic(self) -> str:
        return "payment-events.dlq"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return b"{"

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self._headers


def test_a_letter_is_read_from_its_headers_whatever_they_hold():
    told = letter_from(
        Consumed(
            [
                ("traceparent", b"00-1"),
                ("__connect.errors.topic", b"payment-events"),
                ("__connect.errors.partition", b"3"),
                ("__connect.errors.offset", b"41"),
                ("reason", b"not_json"),
                ("first_seen", b"1773050401000"),
                ("attempt", b"2"),
            ]
        )
    )
    assert (told.reason, told.attempt, told.came_from) == ("not_json", 2, "payment-events:3:41")
    assert told.headers == (("traceparent", b"00-1"),)
    assert told.topic == "payment-events"
    bare = letter_from(Consumed(None))
    assert (bare.reason, bare.attempt, bare.first_seen, bare.came_from) == ("unknown", 1, None, "")
    odd = letter_from(Consumed([("reason", b"\xff"), ("attempt", b"-3"), ("first_seen", None)]))
    assert (odd.attempt, odd.first_seen) == (1, None)


def test_letters_are_heaped_by_topic_and_reason_the_largest_first():
    found = [
        letter(at=Position("payment-events.dlq", 0, 1), first_seen=5),
        letter(at=Position("payment-events.dlq", 0, 2), first_seen=3),
        letter(at=Position("crm-events.dlq", 0, 1), reason="not_json", first_seen=None),
    ]
    payments, crm = heaps(found, {"payment-events.dlq:0:2"})
    assert (payments.letters, payments.replayed, payments.first_seen, payments.last_seen) == (2, 1, 3, 5)
    assert (crm.topic, crm.reason, crm.letters, crm.first_seen) == ("crm-events", "not_json", 1, None)
