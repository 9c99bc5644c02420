"""CloudEvents headers say what the envelope says, or the message is refused."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents import contradicted, headers_of
from schemas.decode import Refusal, TopicDecoder
from schemas.payments import InvoiceVoided

EVENT = InvoiceVoided(
    event_id="e-1",
    tenant_id="northwind",
    account_id="C-1",
    occurred_at=dt.datetime(2026, 3, 9, 10, 0, 0, 250_000, dt.UTC),
    source="billing",
    invoice_id="i-1",
)
LATEST = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def test_an_event_is_offered_with_its_headers() -> None:
    assert dict(headers_of(EVENT)) == {
        "ce_specversion": b"1.0",
        "ce_id": b"e-1",
        "ce_type": b"invoice.voided",
        "ce_source": b"billing",
        "ce_time": b"2026-03-09T10:00:00.250000Z",
        "ce_subject": b"C-1",
        "content-type": b"application/json",
    }


@given(source=st.text(min_size=1).filter(str.isprintable), identifier=st.text(min_size=1))
def test_what_we_offer_we_accept(source: str, identifier: str) -> None:
    event = msgspec.structs.replace(EVENT, source=source, event_id=identifier)
    assert contradicted(headers_of(event), event) is None


@pytest.mark.parametrize(
    ("change", "header"),
    [
        ({"ce_id": b"e-2"}, "ce_id"),
        ({"ce_type": b"invoice.issued"}, "ce_type"),
        ({"ce_source": b"crm"}, "ce_source"),
        ({"ce_specversion": b"0.3"}, "ce_specversion"),
        ({"ce_time": b"2026-03-09T10:00:01Z"}, "ce_time"),
        ({"ce_time": b"yesterday"}, "ce_time"),
        ({"ce_id": b"\xff"}, "ce_id"),
        ({"ce_id": None}, "ce_id"),
    ],
)
def test_a_header_that_says_something_else_is_named(change: dict[str, Any], header: str) -> None:
    headers = list((dict(headers_of(EVENT)) | change).items())
    assert contradicted(headers, EVENT) == header


@pytest.mark.parametrize("missing", ["ce_id", "ce_source", "ce_specversion", "ce_type"])
def test_a_required_attribute_must_not_be_missing(missing: str) -> None:
    headers = [(name, value) for name, value in headers_of(EVENT) if name != missing]
    assert contradicted(headers, EVENT) == missing


def test_time_subject_and_foreign_headers_are_optional() -> None:
    kept = [(name, value) for name, value in headers_of(EVENT) if name not in {"ce_time", "ce_subject"}]
    assert contradicted([*kept, ("traceparent", b"\xff"), ("ce_partitionkey", b"x")], EVENT) is None
    assert contradicted([("traceparent", b"00")], EVENT) is None
    assert contradicted([], EVENT) is None


def test_the_same_instant_in_another_zone_and_headers_as_text_agree() -> None:
    headers = [(name, value.decode()) for name, value in headers_of(EVENT) if name != "ce_time"]
    assert contradicted([*headers, ("ce_time", "2026-03-09T11:00:00.25+01:00")], EVENT) is None


def test_the_decoder_refuses_a_contradiction_and_takes_agreement() -> None:
    decoder = TopicDecoder("payment-events")
    value, key = msgspec.json.encode(EVENT), b"northwind|C-1"
    assert decoder(value, key, LATEST, headers_of(EVENT)) == EVENT
    refusal = decoder(value, key, LATEST, [*headers_of(EVENT)[:-1], ("ce_id", b"e-2")])
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.field) == ("wrong_field", "ce_id")
