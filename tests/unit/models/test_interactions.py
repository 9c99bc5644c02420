"""What was sent and said: when the last contact was, and that it can be read without the contacts themselves."""

from typing import Any

import pytest
from msgspec import structs

from models.account.interactions import Contacts
from models.account.state import Facts
from models.calendar import instant
from schemas.interactions import CallCompleted, ContactDelivered, ContactFailed, ContactOpened
from tests.unit.models.events import day, envelope, opted_out, replied, sent


def told(*events: Any) -> Facts:
    facts = Facts()
    for event in events:
        facts.apply(event)
    return facts


def called(at: float, outcome: Any, **more: Any) -> CallCompleted:
    return CallCompleted(**envelope(at), outcome=outcome, **more)


@pytest.mark.parametrize(
    ("events", "last"),
    [
        ([], None),
        ([sent("a", at=1), sent("b", at=3), sent("c", at=2)], 3),
        ([sent("a", at=1, handover="unknown")], 1),
        ([sent("a", at=1), ContactFailed(**envelope(2), contact_id="a", channel="email")], 1),
        ([ContactDelivered(**envelope(2), contact_id="a", channel="email")], None),
        ([called(4, "no_answer")], 4),
        ([sent("a", at=1), called(4, "not_connected")], 1),
        ([called(4, "conversation", direction="inbound"), replied("hello", at=5), opted_out("sms", at=6)], None),
    ],
)
def test_the_last_contact_is_the_latest_of_ours_that_left(events, last):
    assert told(*events).contacts.last_contact_at == (0 if last is None else instant(day(last)))


def test_contacts_are_read_without_the_rest_and_are_the_same():
    facts = told(sent("a", at=1), replied("hello", at=2))
    alone = Facts(facts.encoded()).contacts
    assert type(alone) is Contacts
    assert all(getattr(alone, name) == getattr(facts.interactions, name) for name in Contacts.__struct_fields__)


def test_contacts_that_were_read_first_follow_what_is_folded_later():
    facts = Facts(told(sent("a", at=1)).encoded())
    assert facts.contacts.last_contact_at == instant(day(1))
    facts.apply(sent("b", at=2))
    assert facts.contacts.last_contact_at == instant(day(2))
    assert facts.contacts is facts.interactions


@pytest.mark.parametrize(
    ("events", "made", "answered"),
    [
        ([sent("a"), sent("b", handover="unknown"), sent("a", at=3)], 2, 0),
        ([sent("a"), ContactDelivered(**envelope(2), contact_id="a", channel="email")], 1, 0),
        ([sent("a"), ContactOpened(**envelope(2), contact_id="a", channel="email"), replied("hello", at=3)], 1, 2),
        ([called(1, "conversation"), called(2, "no_answer"), called(3, "not_connected")], 2, 1),
        ([called(1, "conversation", direction="inbound")], 0, 1),
        ([sent("a", channel="call"), called(2, "voicemail", contact_id="a")], 1, 0),
        ([called(2, "voicemail", contact_id="a"), sent("a", channel="call")], 1, 0),
        ([opted_out("sms"), sent("a")], 1, 0),
    ],
)
def test_contacts_made_and_answers_are_counted_once(events, made, answered):
    contacts = told(*events).contacts
    assert (contacts.made, contacts.answered) == (made, answered)


@pytest.mark.parametrize("number", range(8))
def test_what_became_of_a_contact_says_more_than_that_it_left(number):
    left = sent("a", at=1, channel="call")
    talked = called(1, "conversation", contact_id="a")
    renamed = [structs.replace(event, event_id=f"{number}-{place}") for place, event in enumerate((left, talked))]
    for order in (renamed, renamed[::-1]):
        assert told(*order).interactions.touches["a"].outcome == "conversation"
