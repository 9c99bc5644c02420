"""What a rule asks for longer than contacts are kept one by one, and what more contacts than are kept leave behind."""

import datetime as dt

import pytest

from models.account.interactions import TOUCH_DAYS, TOUCHES
from models.account.profile import ContactPoint
from models.account.state import AccountState, Facts, decode, encode
from models.calendar import instant
from models.compliance.gate import Situation, Verdict
from models.compliance.rule_gate import RuleGate
from schemas.crm import ContactPointChecked, DisputeOpened
from schemas.envelope import Event
from schemas.interactions import CallCompleted
from tests.unit.models.compliance.situations import tenant_of
from tests.unit.models.events import consent, day, envelope, replied, sent

AGENCY = tenant_of(country="US", state="OH", collector_role="third_party", debt_class="consumer")
NOON = 0.7


def judged(at: float, *events: Event, channel: str = "letter", purpose: str = "collection") -> Verdict:
    state = AccountState(Facts())
    for event in events:
        state.facts.apply(event)
    kept = decode(encode(state))
    point = ContactPoint("call" if channel == "voicemail" else channel, "x", verified=True)
    return RuleGate().judge(Situation(instant(day(at)), channel, AGENCY, kept.facts, point, "d1", purpose=purpose))


def letters(count: int, *, start: float, apart: float) -> list[Event]:
    """Letters that are about another debt and count for nothing here, but push older contacts out."""
    notice = sent("notice-2", at=start, channel="letter", debt_id="d2", purpose="validation_notice")
    return [notice, *(sent(f"l{n}", at=start + n * apart, channel="letter", debt_id="d2") for n in range(count))]


def test_a_debt_that_was_first_spoken_of_long_ago_still_wants_its_notice():
    first = sent("first", at=0.6, channel="letter", debt_id="d1")
    later = letters(2, start=TOUCH_DAYS + 5, apart=1)
    assert judged(TOUCH_DAYS + 8.7, first, *later).denied_by == ("RF-12",)


def test_a_notice_that_was_sent_long_ago_still_counts():
    told = [
        sent("notice", at=0.6, channel="letter", debt_id="d1", purpose="validation_notice"),
        sent("first", at=1.6, channel="letter", debt_id="d1"),
    ]
    assert judged(TOUCH_DAYS + 8.7, *told, *letters(2, start=TOUCH_DAYS + 5, apart=1)).allowed


def test_a_dispute_long_after_the_notice_is_held_by_policy_and_not_by_law():
    told = [sent("notice", at=0.6, channel="letter", debt_id="d1", purpose="validation_notice")]
    disputed = DisputeOpened(**envelope(60), debt_id="d1")
    assert judged(61.7, *told, *letters(2, start=58, apart=1), disputed).denied_by == ("ST-6",)
    early = DisputeOpened(**envelope(36), debt_id="d1")
    assert judged(61.7, *told, early).denied_by == ("RF-14",)


def test_many_contacts_do_not_push_a_conversation_out_of_its_seven_days():
    talk = CallCompleted(**envelope(9.6), outcome="conversation", direction="inbound", debt_id="d1")
    flood = letters(TOUCHES - 10, start=8, apart=0.01)
    assert "RF-2" in judged(12.7, *flood, talk, channel="call").denied_by


def test_a_text_from_the_number_proves_it_for_sixty_days_though_it_is_not_kept_as_a_contact():
    told = [consent("granted", at=-200), replied("hello", at=0, address="x")]
    assert judged(59.7, *told, channel="sms").allowed
    assert judged(61.7, *told, channel="sms").denied_by == ("RF-10",)


@pytest.mark.parametrize("later", ["reachable", "bounced", None])
def test_a_check_of_the_number_is_not_forgotten_for_a_newer_one_that_says_nothing_of_its_owner(later: str | None):
    told = [
        consent("granted", at=-200),
        ContactPointChecked(**envelope(0), address="x", result="not_reassigned"),
        ContactPointChecked(**envelope(1), address="x", result=later),  # type: ignore[arg-type]
    ]
    assert judged(30.7, *told, channel="sms").allowed


def test_a_text_that_wants_no_more_calls_may_be_confirmed_by_a_text():
    told = [consent("granted", at=-2), replied("please stop calling me", at=0.7)]
    at = day(0.7) + dt.timedelta(minutes=5)
    since = (at - day(0)) / dt.timedelta(days=1)
    assert judged(since, *told, channel="sms", purpose="opt_out_confirmation").allowed
    assert judged(since + 0.01, *told, channel="sms", purpose="opt_out_confirmation").denied_by == ("TC-4",)


def test_an_opt_out_from_texts_ends_artificial_calls_about_the_same_debt_only():
    point, facts = ContactPoint("call", "x", verified=True), Facts()
    for event in (consent("granted", channel="call", at=-3), replied("stop", at=-1, debt_id="d1")):
        facts.apply(event)

    def call(debt: str, mode: str) -> Verdict:
        return RuleGate().judge(Situation(instant(day(NOON)), "call", AGENCY, facts, point, debt, mode=mode))

    assert call("d1", "artificial").denied_by == ("TC-2",)
    assert call("d2", "artificial").allowed
    assert call("d1", "live").allowed
