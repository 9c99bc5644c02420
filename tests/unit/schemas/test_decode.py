"""The decoder takes what is good, names what is not, and never raises on what a producer sends."""

import datetime as dt
import json
import statistics
import time
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.decode import REASONS, Refusal, TopicDecoder
from schemas.envelope import Event, account_key
from schemas.payments import Allocation, PaymentReceived
from schemas.registry import topics

LATEST = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
KEY = b"northwind|C-1"
PAYMENT: dict[str, Any] = {
    "type": "payment.received",
    "event_id": "e-1",
    "tenant_id": "northwind",
    "account_id": "C-1",
    "occurred_at": "2026-03-09T10:00:00Z",
    "source": "billing",
    "payment_id": "pay-1",
    "amount_minor": 40000,
    "currency": "USD",
}
DECODERS = {name: TopicDecoder(name) for name in topics()}
payments = DECODERS["payment-events"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def encode(**changes: object) -> bytes:
    return json.dumps(PAYMENT | changes).encode()


def reason(value: bytes | None, key: bytes | None = KEY) -> str | None:
    answer = payments(value, key, LATEST)
    return answer.reason if isinstance(answer, Refusal) else None


def test_a_good_message_is_its_struct() -> None:
    event = payments(encode(allocations=[{"invoice_id": "i-1", "amount_minor": 100}]), KEY, LATEST)
    assert event == PaymentReceived(
        event_id="e-1",
        tenant_id="northwind",
        account_id="C-1",
        occurred_at=dt.datetime(2026, 3, 9, 10, tzinfo=dt.UTC),
        source="billing",
        payment_id="pay-1",
        amount_minor=40000,
        currency="USD",
        allocations=(Allocation(invoice_id="i-1", amount_minor=100),),
    )


def test_the_bounds_of_time_belong_to_the_good_side() -> None:
    assert reason(encode(occurred_at="2026-06-01T00:00:00Z")) is None
    assert reason(encode(occurred_at="2026-06-01T00:00:00.000001Z")) == "future_time"
    assert reason(encode(occurred_at="1990-01-01T00:00:00Z")) is None
    assert reason(encode(occurred_at="1989-12-31T23:59:59.999999Z")) == "absurd_time"


def test_time_is_compared_as_an_instant_whatever_its_offset() -> None:
    assert reason(encode(occurred_at="2026-06-01T02:00:00+02:00")) is None
    assert reason(encode(occurred_at="2026-05-31T23:00:00-02:00")) == "future_time"


def test_the_bounds_of_size_belong_to_the_good_side() -> None:
    value = encode()
    assert isinstance(TopicDecoder("payment-events", len(value))(value, KEY, LATEST), Event)
    refusal = TopicDecoder("payment-events", len(value) - 1)(value, KEY, LATEST)
    assert refusal == Refusal("oversize", f"{len(value)} bytes, at most {len(value) - 1} are taken")


def test_the_bounds_of_money_belong_to_the_good_side() -> None:
    assert reason(encode(amount_minor=1)) is None
    assert reason(encode(amount_minor=10**15)) is None
    assert reason(encode(amount_minor=10**15 + 1)) == "wrong_field"
    assert reason(encode(amount_minor=0)) == "negative_money"


def test_money_beyond_64_bits_is_refused() -> None:
    assert reason(encode(amount_minor=10**30)) in {"wrong_field", "non_integer_money"}
    assert reason(encode(amount_minor=-(10**30))) in {"negative_money", "non_integer_money"}


def test_an_account_id_may_hold_the_separator_and_any_script() -> None:
    for account in ("a|b", "Ærø-1", "客户-1", " "):
        assert reason(encode(account_id=account), account_key("northwind", account)) is None


def test_a_message_of_a_topic_with_one_type_must_still_say_its_type() -> None:
    score: dict[str, object] = {
        "event_id": "e",
        "tenant_id": "t",
        "account_id": "a",
        "occurred_at": "2026-03-09T10:00:00Z",
        "source": "s",
    }
    score |= {"decision_id": "d", "horizon_days": 30, "probability": 0.5, "model": "m", "features_id": "f"}
    assert isinstance(
        DECODERS["propensity-scores"](json.dumps(score | {"type": "propensity.scored"}).encode(), b"t|a", LATEST), Event
    )
    for wrong in (score, score | {"type": "unregistered"}, score | {"type": "payment.received"}):
        assert isinstance(DECODERS["propensity-scores"](json.dumps(wrong).encode(), b"t|a", LATEST), Refusal)


def test_a_naive_bound_is_the_callers_fault_and_not_the_messages() -> None:
    with pytest.raises(TypeError):
        payments(encode(), KEY, dt.datetime(2026, 6, 1))  # noqa: DTZ001 - that is the fault


@given(st.binary(max_size=400), st.none() | st.binary(max_size=20), st.sampled_from(sorted(DECODERS)))
@example(b"[" * 100_000, None, "payment-events")
@example(b'{"a":' * 100_000, None, "crm-events")
@example(b'{"type":"payment.received","a":' + b"[" * 100_000, None, "payment-events")
@example(b'{"type":"\\ud800"}', None, "payment-events")
@example(b"\xed\xa0\x80", None, "payment-events")
@example(b" ", None, "tenants")
def test_no_bytes_make_it_raise(value: bytes, key: bytes | None, topic: str) -> None:
    answer = DECODERS[topic](value, key, LATEST)
    assert isinstance(answer, Refusal)
    assert answer.reason in REASONS


@settings(max_examples=300)
@given(json_values, st.sampled_from(sorted(DECODERS)))
def test_no_json_makes_it_raise(value: object, topic: str) -> None:
    answer = DECODERS[topic](json.dumps(value).encode(), KEY, LATEST)
    assert isinstance(answer, Refusal)
    assert answer.reason in REASONS


@settings(max_examples=500)
@given(st.sampled_from(sorted(PAYMENT)), json_values)
@example("occurred_at", "9999-12-31T23:59:59-23:59")
@example("occurred_at", "0001-01-01T00:00:00+23:59")
@example("tenant_id", "\ud800")
@example(name="schema_version", value=True)
@example("type", ["payment.received"])
@example("currency", ["USD"])
@example("amount_minor", 1e400)
@example("payment_id", "\x00")
def test_no_value_of_a_field_makes_it_raise(name: str, value: object) -> None:
    raw = encode(**{name: value})
    answer = payments(raw, KEY, LATEST)
    if isinstance(answer, Refusal):
        assert answer.reason in REASONS
    else:
        assert msgspec.json.decode(msgspec.json.encode(answer))[name] == json.loads(raw)[name] or name == "occurred_at"


@settings(max_examples=300)
@given(st.data())
def test_a_message_with_a_flipped_byte_is_another_message_or_refused(data: st.DataObject) -> None:
    raw = bytearray(encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    answer = payments(bytes(raw), KEY, LATEST)
    if isinstance(answer, Event):
        assert (answer.tenant_id, answer.account_id) == ("northwind", "C-1")


@given(st.text(min_size=12, max_size=40), st.sampled_from(sorted(PAYMENT)))
def test_a_refusal_never_quotes_what_was_sent(secret: str, name: str) -> None:
    answer = payments(encode(**{name: secret}), KEY, LATEST)
    if isinstance(answer, Refusal):
        assert secret not in answer.detail
        assert secret not in (answer.field or "")


@pytest.mark.parametrize("topic", sorted(DECODERS))
def test_no_unknown_field_disturbs(topic: str) -> None:
    assert not any(struct.__struct_config__.forbid_unknown_fields for struct in DECODERS[topic]._kinds)


def test_a_good_message_costs_about_a_microsecond() -> None:
    """Generous, for busy machines: a second look would cost several times as much."""
    value = json.dumps(PAYMENT, separators=(",", ":")).encode()
    count = 2_000
    rounds = []
    for _ in range(15):
        start = time.process_time_ns()
        for _ in range(count):
            payments(value, KEY, LATEST)
        rounds.append((time.process_time_ns() - start) / count)
    print(f"{statistics.median(rounds):.0f} ns a message, best {min(rounds):.0f}")  # noqa: T201 - shown with -s
    assert min(rounds) < 3_000
