"""What one account's events say about a contact point for every account of the tenant."""

from typing import Any

import pytest

from models.account.state import Facts
from models.calendar import instant
from models.core import rebuild_state
from models.suppression import TELLING, kinds_for, suppressions_of
from schemas.crm import ConsentChanged, ContactPointChecked, ContactPointUpdated
from schemas.envelope import Channel, Event
from schemas.interactions import CallCompleted, OptOutReceived, ReplyReceived
from tests.contact_world import envelope

NUMBER, OTHER, MAIL = "+447700900123", "+447700900124", "someone@customer.example"


def points() -> list[Event]:
    kinds: tuple[tuple[Channel, str], ...] = (("sms", NUMBER), ("sms", OTHER), ("call", NUMBER), ("email", MAIL))
    return [
        ContactPointUpdated(**envelope("a1", number), channel=kind, address=address)
        for number, (kind, address) in enumerate(kinds)
    ]


def told(event: Event) -> set[tuple[str, str]]:
    """Which contact points are suppressed, and by what; all at the event's instant, for its tenant."""
    facts = Facts()
    for earlier in (*points(), event):
        facts.apply(earlier)
    found = suppressions_of(event, facts)
    assert {(one.tenant_id, one.at) for one in found} <= {("acme", instant(event.occurred_at))}
    return {(one.address, one.kind) for one in found}


@pytest.mark.parametrize(
    ("event", "suppressed"),
    [
        (OptOutReceived(**envelope("a1", 9), channel="sms", address=NUMBER), {(NUMBER, "opt_out:sms")}),
        (OptOutReceived(**envelope("a1", 9), channel="sms"), {(NUMBER, "opt_out:sms"), (OTHER, "opt_out:sms")}),
        (OptOutReceived(**envelope("a1", 9), channel="voicemail"), {(NUMBER, "opt_out:voicemail")}),
        (
            OptOutReceived(**envelope("a1", 9), channel="all"),
            {(NUMBER, "opt_out:all"), (OTHER, "opt_out:all"), (MAIL, "opt_out:all")},
        ),
        (ReplyReceived(**envelope("a1", 9), channel="sms", address=NUMBER, text="STOP"), {(NUMBER, "opt_out:sms")}),
        (ReplyReceived(**envelope("a1", 9), channel="sms", address=NUMBER, text="when is it due?"), set()),
        (ConsentChanged(**envelope("a1", 9), channel="email", state="revoked"), {(MAIL, "opt_out:email")}),
        (ConsentChanged(**envelope("a1", 9), channel="email", state="granted"), set()),
        (ConsentChanged(**envelope("a1", 9), channel="call", state="revoked", scope="extra_calls"), set()),
        (CallCompleted(**envelope("a1", 9), outcome="wrong_party", address=NUMBER), {(NUMBER, "wrong_party")}),
        (CallCompleted(**envelope("a1", 9), outcome="wrong_party"), set()),
        (CallCompleted(**envelope("a1", 9), outcome="conversation", address=NUMBER), set()),
        (ContactPointChecked(**envelope("a1", 9), address=NUMBER, result="reassigned"), {(NUMBER, "reassigned")}),
        (ContactPointChecked(**envelope("a1", 9), address=NUMBER, result="reachable"), set()),
    ],
)
def test_what_an_event_says_for_every_account(event: Event, suppressed: set[Any]):
    assert type(event) in TELLING
    assert told(event) == suppressed


def test_an_earlier_opt_out_is_not_told_again_with_a_later_reply():
    facts = Facts()
    facts.apply(OptOutReceived(**envelope("a1", 1), channel="sms", address=NUMBER))
    later = ReplyReceived(**envelope("a1", 9), channel="sms", address=NUMBER, text="when is it due?")
    facts.apply(later)
    assert suppressions_of(later, facts) == []


def test_a_rebuild_tells_the_same():
    events = [*points(), OptOutReceived(**envelope("a1", 9), channel="sms")]
    assert {one.address for one in rebuild_state(events, []).suppressions} == {NUMBER, OTHER}


def test_a_voicemail_is_kept_from_a_number_that_must_not_be_called():
    assert set(kinds_for("voicemail")) == {
        "opt_out:voicemail",
        "opt_out:call",
        "opt_out:all",
        "wrong_party",
        "reassigned",
    }
