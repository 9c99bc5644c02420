"""A dead letter says where it came from and why it was refused, and holds nothing of its value."""

from schemas.dead_letters import dead_letter_headers, own_headers, told_before
from schemas.decode import Refusal

PLACE = {"topic": "payment-events", "partition": 3, "offset": 41, "timestamp_ms": 1773050400000}


def test_the_headers_name_the_place_and_the_reason() -> None:
    headers = dead_letter_headers(
        **PLACE,  # type: ignore[arg-type]
        original_headers=[("traceparent", b"00-1"), ("ce_id", "e-1"), ("empty", None)],
        refusal=Refusal("negative_money", "expected at least 1 minor unit", "amount_minor"),
        first_seen_ms=1773050401000,
        attempt=1,
    )
    assert dict(headers) == {
        "traceparent": b"00-1",
        "ce_id": b"e-1",
        "empty": b"",
        "__connect.errors.topic": b"payment-events",
        "__connect.errors.partition": b"3",
        "__connect.errors.offset": b"41",
        "__connect.errors.timestamp": b"1773050400000",
        "__connect.errors.stage": b"VALUE_CONVERTER",
        "__connect.errors.class.name": b"schemas.decode.TopicDecoder",
        "__connect.errors.exception.class.name": b"negative_money",
        "__connect.errors.exception.message": b"expected at least 1 minor unit",
        "reason": b"negative_money",
        "field": b"amount_minor",
        "first_seen": b"1773050401000",
        "attempt": b"1",
    }


def test_a_second_refusal_replaces_what_the_first_said() -> None:
    first = dead_letter_headers(
        **PLACE,  # type: ignore[arg-type]
        original_headers=[("traceparent", b"00-1")],
        refusal=Refusal("not_json", "cut short"),
        first_seen_ms=1,
        attempt=1,
    )
    second = dead_letter_headers(
        **PLACE,  # type: ignore[arg-type]
        original_headers=first,
        refusal=Refusal("unknown_tenant", "no such tenant", "tenant_id"),
        first_seen_ms=1,
        attempt=2,
    )
    assert len(second) == len(first), "no header is there twice"
    said = dict(second)
    assert (said["reason"], said["attempt"], said["traceparent"]) == (b"unknown_tenant", b"2", b"00-1")


def test_a_message_without_headers_and_a_refusal_without_a_field_are_fine() -> None:
    headers = dead_letter_headers(
        **PLACE,  # type: ignore[arg-type]
        original_headers=None,
        refusal=Refusal("empty_value", "the message has no value"),
        first_seen_ms=1,
        attempt=1,
    )
    assert dict(headers)["field"] == b""


def test_a_message_that_was_replayed_says_which_attempt_it_is_and_when_it_was_first_seen() -> None:
    assert told_before(None) == (1, None)
    assert told_before([("traceparent", b"00-1")]) == (1, None)
    assert told_before([("attempt", b"3"), ("first_seen", b"1773050401000")]) == (3, 1773050401000)


def test_headers_that_are_no_numbers_count_as_a_first_attempt() -> None:
    assert told_before([("attempt", b"-1"), ("first_seen", b"yesterday")]) == (1, None)
    assert told_before([("attempt", b"9" * 40), ("first_seen", None)]) == (1, None)


def test_a_replayed_message_gets_back_the_headers_that_it_came_with() -> None:
    headers = dead_letter_headers(
        **PLACE,  # type: ignore[arg-type]
        original_headers=[("traceparent", b"00-1")],
        refusal=Refusal("not_json", "cut short"),
        first_seen_ms=1,
        attempt=1,
    )
    assert own_headers(headers) == [("traceparent", b"00-1")]
