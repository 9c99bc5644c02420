"""What the customer's own words change in the account, and which of them a person must read."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account.claims import (
    BELIEVED_DAYS,
    NO_CLAIMS,
    PROMISED_DAYS,
    Claims,
    opt_outs_in_doubt,
    standing_claims,
    unread_since,
)
from models.account.course import Course
from models.account.interactions import InteractionFacts, Promise
from models.account.promises import judge
from models.account.state import Facts
from models.calendar import day_number, instant, zone
from schemas.crm import DisputeOpened, HardshipDeclared
from schemas.interactions import ReplyRead, ReplyReceived
from tests.unit.models.events import cancelled, day, envelope, issued, paid, replied

MOBILE = "+12025550143"


def reply(text: str, name: str, *, at: float = 1, **more: Any) -> ReplyReceived:
    return ReplyReceived(**envelope(at, name), channel="sms", text=text, **more)


def told(*events: Any) -> Facts:
    facts = Facts()
    for event in events:
        facts.apply(event)
    return facts


def said(*events: Any) -> InteractionFacts:
    return told(*events).interactions


def read(
    intent: Any = "other", *, at: float = 2, channel: Any = "sms", event_id: str | None = None, **more: Any
) -> ReplyRead:
    return ReplyRead(**envelope(at, event_id), reply_id="r", channel=channel, intent=intent, reader="agent-17", **more)


def claims(*events: Any, at: float = 3) -> Claims:
    facts = told(*events)
    return standing_claims(facts.interactions, facts.crm, instant(day(at)))


# -- opt-outs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "channel", "out_of"),
    [
        ("STOP", "sms", {f"sms|{MOBILE}"}),
        ("pls stop texting me", "sms", {f"sms|{MOBILE}"}),
        ("don't email me any more", "sms", {"email|"}),
        ("don't call me, text me", "sms", {f"call|{MOBILE}"}),
        ("do not contact me again", "sms", {"all|"}),
        ("I'll stop by the office", "sms", set()),
    ],
)
def test_an_opt_out_is_about_the_channels_that_it_names(text, channel, out_of):
    assert set(said(replied(text, channel=channel, address=MOBILE)).opt_outs) == out_of


def test_an_opt_out_in_doubt_waits_until_a_person_has_read_it():
    doubt = replied("stpo", at=1)
    assert opt_outs_in_doubt(said(doubt)) == {"sms": instant(day(1))}
    assert opt_outs_in_doubt(said(doubt, read(at=2))) == {}
    assert opt_outs_in_doubt(said(doubt, read(at=0.5))) == {"sms": instant(day(1))}
    assert opt_outs_in_doubt(said(doubt, read(at=2, channel="email"))) == {"sms": instant(day(1))}


def test_a_person_may_read_an_opt_out_or_a_wrong_person():
    assert said(read("opt_out", address=MOBILE)).opt_outs == {f"sms|{MOBILE}": instant(day(2))}
    assert said(read("opt_out")).opt_outs == {"sms|": instant(day(2))}
    assert said(read("wrong_person", address=MOBILE)).blocked == {MOBILE: instant(day(2))}
    assert said(read("wrong_person")).blocked == {}


# -- promises ----------------------------------------------------------------------------------------------------------


def test_a_promise_with_a_day_stands_like_one_that_was_told_of():
    facts = said(reply("I'll pay $50 on Friday", "r1"))
    assert facts.promises == {"r1": Promise(instant(day(1)), 5_000, "", day_number(day(4).date()))}
    assert facts.unread == {}


def test_a_promise_from_a_reply_can_be_taken_back_in_any_order():
    events = [reply("I'll pay 50 EUR on Friday", "r1"), cancelled("r1", at=2)]
    for order in itertools.permutations(events):
        assert said(*order).promises == {
            "r1": Promise(instant(day(1)), 5_000, "EUR", day_number(day(4).date()), cancelled_at=instant(day(2)))
        }


def test_a_promise_without_a_day_is_waited_for_a_while():
    promise = replied("I'll pay soon", at=1)
    assert said(promise).promises == {}
    assert claims(promise, at=1 + PROMISED_DAYS - 0.1).promised == instant(day(1))
    assert claims(promise, at=1 + PROMISED_DAYS).promised == 0


@pytest.mark.parametrize(
    ("text", "payments", "kept", "amount", "received", "is_told"),
    [
        ("I'll pay $50 on Friday", [paid("p", 50_00, at=3)], True, 50_00, 50_00, True),
        ("I'll pay $50 on Friday", [paid("p", 49_99, at=3)], False, 50_00, 49_99, True),
        ("I'll pay on Friday", [paid("p", 10_00, at=3)], True, 10_00, 10_00, True),
        ("I'll pay on Friday", [], False, 100_00, 0, True),
        ("I'll pay on Friday", [paid("p", 10_00, at=6)], False, 90_00, 0, True),
        ("I'll pay 5000 on Friday", [paid("p", 5_000, at=3, currency="JPY")], True, 5_000, 5_000, True),
    ],
)
def test_a_promise_that_lacks_a_sum_or_a_currency_is_judged_by_what_came(
    text, payments, kept, amount, received, is_told
):
    facts = told(issued("i", at=0, due=0.5), replied(text, address=MOBILE), *payments)
    there = zone("America/New_York")
    assert there is not None
    (judged,) = judge(facts, Course(), there, day_number(day(7).date()))
    assert (judged.kept, judged.promise.amount, judged.received, judged.told) == (kept, amount, received, is_told)


def test_a_promise_of_an_account_that_owes_nothing_is_not_told_of():
    there = zone("UTC")
    assert there is not None
    (judged,) = judge(told(replied("I'll pay on Friday")), Course(), there, day_number(day(7).date()))
    assert (judged.kept, judged.told) == (False, False)


# -- wrong persons -----------------------------------------------------------------------------------------------------


def test_a_sure_wrong_person_blocks_the_address():
    assert said(replied("Sorry, you have the wrong number", address=MOBILE)).blocked == {MOBILE: instant(day(1))}


def test_a_wrong_person_without_an_address_is_for_a_person():
    facts = said(replied("Sorry, you have the wrong number"))
    assert facts.blocked == {}
    assert unread_since(facts) == instant(day(1))


# -- claims ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("I dispute this debt", "disputed"),
        ("I lost my job", "hardship"),
        ("I already paid this", "paid"),
        ("how much do I owe?", "unread"),
        ("Zebra!", "unread"),
    ],
)
def test_a_reply_claims_one_thing_until_a_person_has_read_it(text, claim):
    claimed = replied(text, at=1)
    assert claims(claimed) == Claims(**{claim: instant(day(1))})
    assert claims(claimed, read(at=2)) == claims(read(at=2), claimed) == NO_CLAIMS
    assert claims(claimed, read(at=2), replied(text, at=2.5)) == Claims(**{claim: instant(day(2.5))})


def test_a_reply_that_asks_nothing_leaves_no_claim():
    assert claims(replied("ok thanks"), replied("I'll pay on Friday")) == NO_CLAIMS


def test_a_claim_is_answered_by_its_own_event():
    dispute, hardship = replied("I dispute this debt", at=1), replied("I lost my job", at=1)
    opened = DisputeOpened(**envelope(2), dispute_id="d", invoice_id="i")
    assert claims(dispute, opened).disputed == 0
    assert claims(opened, replied("I dispute this debt", at=2.5)).disputed == instant(day(2.5))
    assert claims(hardship, HardshipDeclared(**envelope(2))).hardship == 0
    assert claims(hardship, opened).hardship == instant(day(1))


def test_paid_already_is_believed_for_a_while():
    claimed = replied("I already paid this", at=1)
    assert claims(claimed, at=1 + BELIEVED_DAYS - 0.1).paid == instant(day(1))
    assert claims(claimed, at=1 + BELIEVED_DAYS).paid == 0


SPOKEN = [
    "STOP",
    "stpo",
    "I'll pay 50 on friday",
    "wrong number",
    "I dispute this debt",
    "I lost my job",
    "how much?",
    "zebra",
]
READ_AS = ["other", "opt_out", "dispute"]


def heard(number: int, word: str) -> Any:
    name, at = f"r{number}", 1 + number / 10
    return reply(word, name, at=at, address=MOBILE) if number < len(SPOKEN) else read(word, event_id=name, at=at)


@given(st.permutations([*enumerate(SPOKEN + READ_AS)]))
def test_the_order_of_arrival_changes_nothing(order):
    events = [heard(number, word) for number, word in order]
    facts = said(*events)
    alone = said(*sorted(events, key=lambda event: event.event_id))
    for name in ("opt_outs", "blocked", "unread", "read_until", "claims", "promises", "last_reply_at", "answered"):
        assert getattr(facts, name) == getattr(alone, name)


@pytest.mark.parametrize(
    "text",
    [
        "you have the wrong amount",
        "the invoice shows the wrong address",
        "I'm an old customer of yours",
        "I have a new number now",
        "I am not near my phone",
        "who is this for?",
        "I never heard of this fee",
        "not my account number on the letter",
        "I have the number for the bank",
        "you billed the wrong number of items",
        "diese Rechnung kenne ich nicht",
        "vous vous trompez de montant",
        "se equivocaron de importe",
        "não conheço essa cobrança",
        "die factuur ken ik niet",
        "pomyłka w fakturze",
    ],
)
def test_a_customer_who_speaks_of_something_wrong_keeps_the_address(text):
    assert said(replied(text, address=MOBILE)).blocked == {}
