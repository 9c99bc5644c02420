"""What Twilio tells: only what it has signed, only once, and only what can be read becomes an event."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from connectors.channels.callbacks import (
    MOST_BYTES,
    Told,
    answers,
    events_of,
    form_of,
    numbers_of,
    read,
    signature,
    verified,
)
from connectors.redis.deliveries import Contacted
from models.calendar import instant
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import Event, account_key, type_of

SID = "AC" + "0" * 31 + "1"
NOW = instant(dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC))
SMS = Contacted("acme", "a1", "a1-d1:contact", "sms", NOW)
CALL = Contacted("acme", "a1", "a1-d2:contact", "call", NOW, mode="artificial")
NUMBER, OURS = "+16175550100", "+16175550199"

PUBLISHED_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
PUBLISHED_FIELDS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
PUBLISHED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
"""From Twilio's documentation, for the token 12345."""


def told(**fields: str) -> Told:
    found = read(list(({"AccountSid": SID} | fields).items()), SID, NOW)
    assert isinstance(found, Told), found
    return found


def refused(found: Any) -> Refusal:
    assert isinstance(found, Refusal)
    return found


def valid(events: list[Event] | Refusal) -> list[Any]:
    """The events, after a look at whether the topic would take them."""
    assert isinstance(events, list), events
    decoder = TopicDecoder("interaction-events")
    for event in events:
        decoded = decoder(
            msgspec.json.encode(event),
            account_key(event.tenant_id, event.account_id),
            dt.datetime(2026, 3, 11, tzinfo=dt.UTC),
        )
        assert decoded == event
    return list(events)


# -- whose it is ----------------------------------------------------------------------------------------------------


def test_the_signature_is_the_one_that_twilio_publishes():
    assert signature(PUBLISHED_URL, PUBLISHED_FIELDS, "12345") == PUBLISHED
    assert signature(PUBLISHED_URL, list(reversed(PUBLISHED_FIELDS)), "12345") == PUBLISHED
    assert verified(PUBLISHED_URL, PUBLISHED_FIELDS, PUBLISHED, "12345") is None


@pytest.mark.parametrize(
    ("url", "fields", "said", "token"),
    [
        (PUBLISHED_URL, PUBLISHED_FIELDS, PUBLISHED, "12346"),
        (PUBLISHED_URL, PUBLISHED_FIELDS, PUBLISHED, ""),
        (PUBLISHED_URL, PUBLISHED_FIELDS, None, "12345"),
        (PUBLISHED_URL, PUBLISHED_FIELDS, "ünsigned", "12345"),
        (PUBLISHED_URL, PUBLISHED_FIELDS, "\udcff is no UTF-8", "12345"),
        (PUBLISHED_URL + "&x=\udcff", PUBLISHED_FIELDS, PUBLISHED, "12345"),
        (PUBLISHED_URL + "3", PUBLISHED_FIELDS, PUBLISHED, "12345"),
        (PUBLISHED_URL.replace("https", "http"), PUBLISHED_FIELDS, PUBLISHED, "12345"),
        (PUBLISHED_URL, PUBLISHED_FIELDS[:-1], PUBLISHED, "12345"),
        (PUBLISHED_URL, [*PUBLISHED_FIELDS, ("From", "+1")], PUBLISHED, "12345"),
        (PUBLISHED_URL, [*PUBLISHED_FIELDS, ("Extra", "")], PUBLISHED, "12345"),
    ],
)
def test_whatever_was_changed_is_not_twilios(url: str, fields: list[tuple[str, str]], said: str | None, token: str):
    assert refused(verified(url, fields, said, token)).reason == "wrong_signature"


# -- what can be read -----------------------------------------------------------------------------------------------


def test_a_form_is_read_with_its_empty_fields():
    assert form_of(b"MessageSid=SM1&ErrorCode=&Body=a%20%2B+b") == [
        ("MessageSid", "SM1"),
        ("ErrorCode", ""),
        ("Body", "a + b"),
    ]


@pytest.mark.parametrize(
    "body", [b'{"MessageSid": "SM1"}', b"\xff=1", b"a=%ff", b"a=1&" * 201 + b"b=2", b"a=" + b"x" * MOST_BYTES]
)
def test_what_is_no_form_is_refused(body: bytes):
    assert refused(form_of(body)).reason == "unreadable_callback"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"MessageStatus": "delivered"}, "MessageSid"),
        ({"MessageSid": "SM1|x", "MessageStatus": "delivered"}, "MessageSid"),
        ({"MessageSid": "SM1"}, "MessageStatus"),
        ({"MessageSid": "SM1", "MessageStatus": "delivered", "AccountSid": "AC9"}, "AccountSid"),
        ({"CallSid": "CA1", "CallStatus": "busy", "Timestamp": "yesterday"}, "Timestamp"),
    ],
)
def test_a_callback_that_lacks_what_it_must_say_is_refused(fields: dict[str, str], field: str):
    found = refused(read(list(fields.items()), SID, NOW))
    assert (found.reason, found.field) == ("unreadable_callback", field)


@pytest.mark.parametrize(
    ("timestamp", "taken"),
    [
        ("Tue, 10 Mar 2026 11:59:00 +0000", True),
        ("Sun, 08 Mar 2026 12:00:00 +0000", True),
        ("Sun, 08 Mar 2026 11:59:59 +0000", False),
        ("Tue, 10 Mar 2026 12:05:00 +0000", True),
        ("Tue, 10 Mar 2026 12:05:01 +0000", False),
    ],
)
def test_a_callback_of_another_day_is_taken_for_a_replay(timestamp: str, taken: Any):
    found = read([("CallSid", "CA1"), ("CallStatus", "busy"), ("Timestamp", timestamp)], SID, NOW)
    assert isinstance(found, Told) == taken
    if taken:
        assert isinstance(found, Told)
        assert found.at <= NOW
    else:
        assert refused(found).reason == "replayed_callback"


def test_the_same_callback_is_told_by_the_same_name_and_another_status_by_another():
    first = told(MessageSid="SM1", MessageStatus="delivered")
    assert first.telling == told(MessageSid="SM1", MessageStatus="delivered", New="x").telling
    assert first.telling != told(MessageSid="SM1", MessageStatus="undelivered").telling


# -- what it means --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "type_", "more"),
    [
        ({"MessageStatus": "delivered"}, "contact.delivered", {}),
        ({"MessageStatus": "read"}, "contact.opened", {}),
        (
            {"MessageStatus": "undelivered", "ErrorCode": "30003"},
            "contact.bounced",
            {"permanent": False, "code": "undelivered:30003"},
        ),
        ({"MessageStatus": "undelivered", "ErrorCode": "30005"}, "contact.bounced", {"permanent": True}),
        ({"MessageStatus": "undelivered"}, "contact.bounced", {"permanent": False, "code": "undelivered"}),
        ({"MessageStatus": "failed", "ErrorCode": "30001"}, "contact.failed", {"code": "failed:30001"}),
        ({"MessageStatus": "canceled"}, "contact.failed", {"code": "canceled"}),
    ],
)
def test_a_status_of_a_text_is_an_event_about_its_contact(fields: dict[str, str], type_: str, more: dict[str, Any]):
    (event,) = valid(events_of(told(MessageSid="SM1", To=NUMBER, **fields), SMS))
    assert type_of(event) == type_
    assert (event.tenant_id, event.account_id, event.contact_id, event.channel) == (
        "acme",
        "a1",
        "a1-d1:contact",
        "sms",
    )
    assert event.address == NUMBER
    assert {name: getattr(event, name) for name in more} == more


def test_a_text_that_twilio_refused_for_an_opt_out_ends_texts_to_the_number():
    failed, opt_out = valid(
        events_of(told(MessageSid="SM1", MessageStatus="failed", ErrorCode="21610", To=NUMBER), SMS)
    )
    assert failed.code == "failed:21610"
    assert (type_of(opt_out), opt_out.channel, opt_out.address) == ("opt_out.received", "sms", NUMBER)
    assert failed.event_id != opt_out.event_id


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "accepted"])
def test_a_text_on_its_way_is_no_news(status: str):
    assert events_of(told(MessageSid="SM1", MessageStatus=status), SMS) == []


@pytest.mark.parametrize(
    "sid", [{"MessageSid": "SM1", "MessageStatus": "eaten"}, {"CallSid": "CA1", "CallStatus": "eaten"}]
)
def test_a_status_that_nobody_documents_is_refused(sid: dict[str, str]):
    assert refused(events_of(told(**sid), SMS)).reason == "unreadable_callback"


@pytest.mark.parametrize(
    ("fields", "type_", "outcome"),
    [
        ({"CallStatus": "completed", "AnsweredBy": "human"}, "contact.delivered", None),
        (
            {"CallStatus": "completed", "AnsweredBy": "machine_end_beep", "CallDuration": "23"},
            "call.completed",
            "voicemail",
        ),
        ({"CallStatus": "completed", "AnsweredBy": "fax"}, "call.completed", "not_connected"),
        ({"CallStatus": "no-answer"}, "call.completed", "no_answer"),
        ({"CallStatus": "busy"}, "call.completed", "not_connected"),
        ({"CallStatus": "failed", "SipResponseCode": "404"}, "contact.failed", None),
    ],
)
def test_a_status_of_a_call_is_an_event_about_its_contact(fields: dict[str, str], type_: str, outcome: str | None):
    at = "Tue, 10 Mar 2026 11:59:00 +0000"
    (event,) = valid(events_of(told(CallSid="CA1", Timestamp=at, To=NUMBER, **fields), CALL))
    assert type_of(event) == type_
    assert event.contact_id == "a1-d2:contact"
    assert event.occurred_at == dt.datetime(2026, 3, 10, 11, 59, tzinfo=dt.UTC)
    if outcome is not None:
        assert (event.outcome, event.mode) == (outcome, "artificial")


# -- what somebody has written --------------------------------------------------------------------------------------


def test_a_text_is_a_reply_to_the_tenant_whose_number_it_came_to():
    other = Contacted("other", "b1", "b1-d1:contact", "sms", NOW + 1)
    text = told(MessageSid="SM2", From=NUMBER, To=OURS, Body="I pay on Friday")
    (reply,) = valid(answers(text, [other, SMS], numbers_of({"acme": OURS, "other": "+1"}, OURS)))
    assert (type_of(reply), reply.tenant_id, reply.account_id, reply.text) == (
        "reply.received",
        "acme",
        "a1",
        "I pay on Friday",
    )
    assert (reply.contact_id, reply.address, reply.channel) == ("a1-d1:contact", NUMBER, "sms")


def test_a_text_to_a_number_of_several_is_a_reply_to_the_latest_contact():
    other = Contacted("other", "b1", "b1-d1:contact", "sms", NOW + 1)
    text = told(MessageSid="SM2", From=NUMBER, To=OURS, Body="Hello")
    assert valid(answers(text, [other, SMS], []))[0].tenant_id == "other"
    assert numbers_of({"acme": "", "other": ""}, "") == []


def test_a_stop_that_twilio_has_acted_on_ends_texts_of_every_tenant_at_once():
    other = Contacted("other", "b1", "b1-d1:contact", "sms", NOW)
    stop = told(MessageSid="SM2", From=NUMBER, To=OURS, Body="STOP", OptOutType="STOP")
    found = valid(answers(stop, [SMS, other], ["acme"]))
    assert [(type_of(event), event.tenant_id, event.channel, event.address) for event in found] == [
        ("opt_out.received", "acme", "sms", NUMBER),
        ("opt_out.received", "other", "sms", NUMBER),
    ]
    assert len({event.event_id for event in found}) == 2


@pytest.mark.parametrize("kind", ["START", "HELP"])
def test_a_start_or_a_question_is_a_reply_for_who_reads_replies(kind: str):
    text = told(MessageSid="SM2", From=NUMBER, To=OURS, Body=kind, OptOutType=kind)
    (reply,) = valid(answers(text, [SMS], ["acme"]))
    assert (type_of(reply), reply.text) == ("reply.received", kind)


def test_a_form_as_it_is_posted_is_verified_as_it_is_signed():
    fields = [("MessageSid", "SM1"), ("Body", "Grüße & mehr + alles"), ("Empty", "")]
    form = form_of(urlencode(fields).encode())
    assert form == fields
    assert verified("https://a.b/c", form, signature("https://a.b/c", fields, "t"), "t") is None
