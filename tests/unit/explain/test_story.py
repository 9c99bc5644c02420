"""Every message has its sentence, decisions say why and what was denied until when, personal data stay out."""

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rich.console import Console

from models.account.claims import Claims
from models.account.course import Course
from models.account.state import AccountState, decode, encode
from models.calendar import DAY, instant
from models.core import fold
from recoup.explain.decision import decision_from
from recoup.explain.sentences import PERSONAL, money, sentence, without_personal
from recoup.explain.standing import standing_from
from recoup.explain.story import Chapter, Story
from recoup.explain.view import ASKED, render
from schemas import registry
from schemas.actions import Candidate, NextBestAction
from schemas.crm import ContactPointUpdated, DisputeOpened
from schemas.interactions import OptOutReceived, PromiseMade, ReplyRead, ReplyReceived
from schemas.payments import AccountBalanceAsserted, InvoiceIssued, PaymentReceived
from schemas.registry import ACCOUNT_TOPICS, topics

EXAMPLES = Path(registry.__file__).parent / "examples"
AT = dt.datetime(2025, 3, 1, 9, tzinfo=dt.UTC)
WHO: dict[str, Any] = {"tenant_id": "shop", "account_id": "a1", "source": "test"}


def examples() -> list[Any]:
    """The valid examples of every account topic."""
    return [
        pytest.param(json.loads(path.read_text()), id=f"{topic}/{path.stem}")
        for topic in ACCOUNT_TOPICS
        for path in sorted((EXAMPLES / topic / "valid").glob("*.json"))
    ]


@pytest.mark.parametrize("fields", examples())
def test_every_example_has_a_sentence_without_personal_data(fields):
    said = sentence(fields)
    assert said
    for name in PERSONAL:
        value = fields.get(name)
        if isinstance(value, str) and len(value) > 3:
            assert value not in said, f"{name} of {fields['type']} is in: {said}"
            assert name not in without_personal(fields)


SCORE: dict[str, Any] = {
    "type": "propensity.scored",
    "model": "3b1f",
    "target": "paid_by_due",
    "horizon_days": 30,
    "probability": 0.448,
    "band": "very_unlikely",
    "uncertainty": 0.14,
    "expected_days": 11.2,
    "days_low": 4.6,
    "days_high": 23.8,
    "invoice_id": "i1",
    "reasons": ["- days_to_due below 1", "+ last_slack -14 to -13"],
}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {},
            (
                "invoice i1 is paid by its due date with probability 0.448, very unlikely, give or take 0.140; in 11 days,"
                " 5 to 24 for eight of ten (3b1f: - days_to_due below 1, + last_slack -14 to -13)"
            ),
        ),
        (
            {
                "target": "paid_within:30",
                "invoice_id": None,
                "role": "challenger",
                "reasons": [],
                "expected_days": None,
            },
            (
                "an invoice to come is paid within 30 days with probability 0.448, very unlikely, give or take 0.140 (3b1f as"
                " challenger, which decides nothing)"
            ),
        ),
        (
            {"days_low": None, "days_high": None, "reasons": []},
            (
                "invoice i1 is paid by its due date with probability 0.448, very unlikely, give or take 0.140; 11 days late as"
                " a rule (3b1f)"
            ),
        ),
    ],
)
def test_a_score_is_told_in_words(changes, says):
    assert sentence(SCORE | changes) == says


def test_a_booking_is_told_in_words():
    lines = [{"invoice_id": "i1", "amount_minor": -5000, "opened": -1}, {"invoice_id": "i2", "amount_minor": -1000}]
    fields = {"type": "ledger.posted", "currency": "USD", "cash_minor": 7500, "on_account_minor": 1500, "lines": lines}
    assert sentence(fields) == (
        "booked: -50.00 USD open of invoice i1, which closes it; -10.00 USD open of invoice i2; 15.00 USD on account"
    )
    fields = {"type": "ledger.posted", "currency": "USD", "cash_minor": 100, "recovered_minor": 100}
    assert sentence(fields) == "booked: 1.00 USD on invoices that were written off"


def test_every_type_of_the_account_topics_has_an_example_to_be_told():
    told = {parameter.values[0].get("type") for parameter in examples()}
    wanted = {kind for topic in ACCOUNT_TOPICS for kind in topics()[topic].types} - {"replay.marker"}
    assert wanted <= told


@pytest.mark.parametrize(
    ("minor", "currency", "says"),
    [
        (123450, "USD", "1,234.50 USD"),
        (5, "EUR", "0.05 EUR"),
        (-1999, "GBP", "-19.99 GBP"),
        (1234, "JPY", "1,234 JPY"),
        (1234, "KWD", "1.234 KWD"),
        (None, "USD", "an unknown amount"),
    ],
)
def test_money_is_written_with_the_decimals_of_its_currency(minor, currency, says):
    assert money(minor, currency) == says


def decision(**changes: Any) -> bytes:
    denied = Candidate(
        action="contact",
        value=12.5,
        probability=0.0,
        allowed=False,
        channel="email",
        template="reminder",
        denied_by=("tenant:contact_hours", "TC-2"),
        next_allowed_at=dt.datetime(2025, 3, 1, 14, tzinfo=dt.UTC),
    )
    wait = Candidate(action="wait", value=0.0, probability=1.0, allowed=True)
    said = NextBestAction(
        **WHO,
        event_id="d1:nba",
        occurred_at=AT,
        decision_id="d1",
        decision_no=3,
        trigger="review",
        action="wait",
        policy="schedule:test",
        model="baseline@1",
        arm="policy",
        score=0.25,
        step="reminder",
        invoice_ids=("i1",),
        actions=(wait, denied),
        reasons=("step_denied",),
        review_at=dt.datetime(2025, 3, 1, 14, tzinfo=dt.UTC),
    )
    return msgspec.json.encode(msgspec.structs.replace(said, **changes))


@pytest.mark.parametrize("rule", ["strategy:caps", "strategy:hours", "strategy:offers", "strategy:prices"])
def test_what_a_strategy_denies_is_told_in_words(rule):
    denied = Candidate(action="contact", value=0.0, probability=0.0, allowed=False, channel="sms", denied_by=(rule,))
    told = decision_from(decision(actions=(denied,)))
    assert told.denied[0].rules[rule].startswith(("The strategy", "Outside the hours"))


def test_a_decision_says_what_was_denied_by_which_rule_and_until_when():
    told = decision_from(decision())
    assert told.number == 3
    assert [denied.action for denied in told.denied] == ["contact by email (reminder)"]
    assert told.denied[0].rules["TC-2"] == "The customer has opted out."
    assert told.denied[0].until == "2025-03-01T14:00:00+00:00"
    assert [one["probability"] for one in told.looked_at] == [1.0, 0.0]


def test_the_view_shows_the_decision_in_the_tenants_time():
    payload = decision()
    fields = json.loads(payload)
    chapter = Chapter(
        AT, "next-best-actions", "next-best-actions:0:7", sentence(fields), fields, decision_from(payload)
    )
    text = shown(Story("shop", "a1", "America/New_York", None, (chapter,), cut=False))
    assert "2025-03-01 04:00" in text
    assert "no. 3: wait, step reminder, for invoice i1" in text
    assert "denied: contact by email (reminder), until 2025-03-01 09:00" in text
    assert "TC-2: The customer has opted out." in text
    assert "to be looked at again 2025-03-01 09:00" in text


def test_the_view_shows_each_term_of_a_value():
    letter = Candidate(
        action="contact", value=812.4, probability=0.95, allowed=True, channel="letter", template="last_notice",
        id="letter", pay_action=0.62, lift_low=0.081, gain=1012.0, cost=80.0, friction=19.6, scarcity=100.0, left=2,
    )  # fmt: skip
    wait = Candidate(action="wait", value=0.0, probability=0.05, allowed=True)
    payload = decision(
        actions=(wait, letter), currency="USD", at_stake_minor=12_500, pay_wait=0.48, segment="late payers", explore=0.05,
        experiment="spring", hold_out=0.1,
    )  # fmt: skip
    chapter = Chapter(AT, "next-best-actions", "next-best-actions:0:7", "", {}, decision_from(payload))
    text = shown(Story("shop", "a1", "UTC", None, (chapter,), cut=False))
    assert "at stake 125.00 USD, segment late payers; pays without us with probability 0.480" in text
    assert "experiment spring holds 10% of the accounts out" in text
    assert "wait: worth 0.00 USD, chosen with probability 0.050" in text
    assert "contact by letter (last_notice): worth 8.12 USD, chosen with probability 0.950" in text
    terms = "gain 10.12 USD less cost 0.80 USD, friction 0.20 USD, scarcity 1.00 USD"
    assert f"{terms}; pays with 0.620, surely +0.081, 2 contacts left" in text


def test_an_address_is_shown_only_when_it_was_asked_for():
    fields = {"type": "contact_point.updated", "channel": "email", "address": "someone@example.org"}
    hidden = Chapter(AT, "crm-events", "crm-events:0:1", sentence(fields), without_personal(fields))
    asked = Chapter(AT, "crm-events", "crm-events:0:1", sentence(fields), fields)
    assert "someone" not in shown(Story("shop", "a1", "UTC", None, (hidden,), cut=False))
    assert "someone@example.org" in shown(Story("shop", "a1", "UTC", None, (asked,), cut=False))


def shown(story: Story) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(render(story))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_the_standing_is_what_the_state_holds():
    due = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
    events = [
        InvoiceIssued(
            **WHO, event_id="e1", occurred_at=AT, invoice_id="i1", amount_minor=1000, currency="USD", due_at=due
        ),
        InvoiceIssued(
            **WHO, event_id="e2", occurred_at=AT, invoice_id="i2", amount_minor=500, currency="EUR", due_at=AT
        ),
        PaymentReceived(**WHO, event_id="e3", occurred_at=AT, payment_id="p1", amount_minor=400, currency="USD"),
        DisputeOpened(**WHO, event_id="e4", occurred_at=AT, invoice_id="i2"),
        ContactPointUpdated(**WHO, event_id="e5", occurred_at=AT, channel="email", address="someone@example.org"),
        OptOutReceived(**WHO, event_id="e6", occurred_at=AT, channel="sms"),
    ]
    now = int(dt.datetime(2025, 3, 3, tzinfo=dt.UTC).timestamp() * 1000)
    standing = standing_from(fold(None, events), now, now)
    assert standing.balances_minor == {"USD": 600, "EUR": 500}
    assert [(one.invoice_id, one.open_minor, one.days_past_due, one.disputed) for one in standing.invoices] == [
        ("i1", 600, 30, False),
        ("i2", 500, 1, True),
    ]
    assert standing.opted_out_of == ("sms",)
    assert standing.channels == ("email",)
    assert standing.review_at == "2025-03-03T00:00:00+00:00"
    text = shown(Story("shop", "a1", "UTC", standing, (), cut=True))
    assert "owes 6.00 USD, 5.00 EUR" in text
    assert "30 days past due" in text
    assert "Older chapters are left out" in text


def test_the_standing_says_where_the_billing_system_and_we_differ():
    due = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
    events = [
        InvoiceIssued(
            **WHO, event_id="e1", occurred_at=AT, invoice_id="i1", amount_minor=1000, currency="USD", due_at=due
        ),
        AccountBalanceAsserted(**WHO, event_id="e2", occurred_at=AT, amount_minor=1300, currency="USD"),
        AccountBalanceAsserted(**WHO, event_id="e3", occurred_at=AT, amount_minor=-100, currency="EUR"),
        AccountBalanceAsserted(**WHO, event_id="e4", occurred_at=AT, amount_minor=0, currency="GBP"),
    ]
    standing = standing_from(fold(None, events), None, 0)
    assert standing.mismatches == 2
    assert [(one.currency, one.difference_minor) for one in standing.claims] == [
        ("EUR", -100),
        ("GBP", 0),
        ("USD", 300),
    ]
    text = shown(Story("shop", "a1", "UTC", standing, (), cut=False))
    assert "said 13.00 USD is owed at 2025-03-01 09:00: 3.00 USD more than we did" in text
    assert "said -1.00 EUR is owed at 2025-03-01 09:00: 1.00 EUR less than we did" in text
    assert "said 0.00 GBP is owed at 2025-03-01 09:00: as we did" in text
    assert "balances asserted that differed from ours, so far: 2" in text


def test_the_standing_names_open_promises_and_counts_the_judged():
    events = [
        PromiseMade(
            **WHO, event_id=f"e{name}", occurred_at=AT, promise_id=name, amount_minor=500, currency="USD", due_on=due_on
        )
        for name, due_on in (("over", dt.date(2025, 3, 2)), ("open", dt.date(2025, 3, 9)))
    ]
    state = decode(fold(None, events))
    state.course = Course(promises_kept=2, promises_broken=1, judged=["over"])
    standing = standing_from(encode(state), None, 0)
    assert standing.promises == ("5.00 USD by 2025-03-09",)
    assert "promises kept: 2, broken: 1" in shown(Story("shop", "a1", "UTC", standing, (), cut=False))


def test_the_standing_says_which_replies_still_ask_something():
    def reply(number: int, text: str) -> ReplyReceived:
        return ReplyReceived(
            **WHO, event_id=f"r{number}", occurred_at=AT + dt.timedelta(hours=number), channel="email", text=text
        )

    events = [reply(1, "I already paid this last week."), reply(2, "Why is it so much?")]
    now = instant(AT) + 5 * DAY
    standing = standing_from(fold(None, events), None, now)
    assert [(one.what, one.since) for one in standing.replies] == [
        ("unread", "2025-03-01T11:00:00+00:00"),
        ("paid", "2025-03-01T10:00:00+00:00"),
    ]
    text = " ".join(shown(Story("shop", "a1", "UTC", standing, (), cut=False)).split())
    assert "a reply waits for a person to read it (came 2025-03-01 11:00)" in text
    assert "which is believed for some days (came 2025-03-01 10:00)" in text
    assert [one.what for one in standing_from(fold(None, events), None, now + 10 * DAY).replies] == ["unread"]
    read = ReplyRead(**WHO, event_id="rr", occurred_at=AT + dt.timedelta(hours=3), channel="email", intent="question",
                     reader="ada", reply_id="r2")  # fmt: skip
    assert standing_from(fold(None, [*events, read]), None, now).replies == ()


def test_every_claim_of_a_reply_has_words():
    assert set(ASKED) == {field.name for field in msgspec.structs.fields(Claims)}


def test_an_empty_state_owes_nothing():
    standing = standing_from(encode(AccountState()), None, 0)
    assert "owes nothing" in shown(Story("shop", "a1", str(ZoneInfo("UTC")), standing, (), cut=False))
