"""The gate on live accounts at its boundaries. Times are UTC; New York is five hours behind in winter and four in summer."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.account.profile import ContactPoint
from models.account.state import Facts
from models.calendar import DAY, HOUR, instant, utc
from models.compliance.gate import Situation, Verdict
from models.compliance.hours import outside, within
from models.compliance.live import zones_of
from models.compliance.rule_gate import RuleGate
from schemas.control import Limits, Tenant
from schemas.crm import (
    BankruptcyEnded,
    BankruptcyFiled,
    BreathingSpaceEnded,
    BreathingSpaceStarted,
    CeaseRequested,
    ContactPointChecked,
    ContactPreferenceChanged,
    DebtPlaced,
    DebtRecalled,
    DebtSold,
    DeceasedReported,
    FraudReported,
    HoldPlaced,
    HoldReleased,
    RepresentationChanged,
)
from schemas.envelope import Hours
from schemas.interactions import CallCompleted, ContactFailed
from tests.unit.models.events import (
    account,
    consent,
    day,
    envelope,
    opted_out,
    point,
    replied,
    sent,
    tenant,
)

GATE = RuleGate()
NOON = 0.7  # 16:48 UTC of the first day, 11:48 in New York
NEVER_CLOSED = Limits(contact_hours=(Hours(start="00:00", end="24:00"),), min_hours_between_contacts=0)


def told(*events: Any) -> Facts:
    facts = Facts()
    for event in events:
        facts.apply(event)
    return facts


def judged(
    at: float | str,
    *events: Any,
    channel: str = "email",
    of: Tenant | None = None,
    planned: tuple[int, ...] = (),
    **more: Any,
) -> Verdict:
    facts = told(point(channel, "x", at=-100), *events)
    when = instant(day(at) if isinstance(at, float | int) else datetime.fromisoformat(at).astimezone(UTC))
    where = ContactPoint(channel, "x", stamp=facts.crm.points[f"{channel}|x"].stamp, verified=True)
    return GATE.judge(
        Situation(at=when, channel=channel, tenant=of or tenant(), facts=facts, point=where, planned=planned, **more)
    )


# -- hours -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "denied", "next_at"),
    [
        ("2026-03-03T07:59:59-05:00", True, "2026-03-03T08:00:00-05:00"),
        ("2026-03-03T08:00:00-05:00", False, None),
        ("2026-03-03T20:59:59.999-05:00", False, None),
        ("2026-03-03T21:00:00-05:00", True, "2026-03-04T08:00:00-05:00"),
        # The clock is put forward on March 8: the night is an hour shorter.
        ("2026-03-07T21:00:00-05:00", True, "2026-03-08T08:00:00-04:00"),
        # And back on November 1: it is an hour longer.
        ("2026-10-31T21:00:00-04:00", True, "2026-11-01T08:00:00-05:00"),
        ("2026-11-01T07:59:59-05:00", True, "2026-11-01T08:00:00-05:00"),
    ],
)
def test_hours_are_half_open_on_the_customers_clock(at, denied, next_at):
    verdict = judged(at, account(time_zones=("America/New_York",)))
    assert verdict.allowed is not denied
    assert ("HR-2" in verdict.denied_by) is denied
    if next_at is not None:
        assert verdict.next_allowed_at == instant(datetime.fromisoformat(next_at).astimezone(UTC))


def test_every_candidate_zone_must_permit():
    zones = account(time_zones=("America/New_York", "America/Los_Angeles"))
    assert "HR-2" in judged("2026-03-03T10:59:59-05:00", zones).denied_by
    assert judged("2026-03-03T11:00:00-05:00", zones).allowed
    late = judged("2026-03-03T21:00:00-05:00", zones)
    assert late.next_allowed_at == instant(datetime.fromisoformat("2026-03-04T11:00:00-05:00"))


def test_zones_that_never_overlap_are_never_permitted():
    zones = account(time_zones=("Pacific/Auckland", "Europe/London"))
    verdict = judged(NOON, zones, of=tenant(limits=Limits(contact_hours=(Hours(start="09:00", end="12:00"),))))
    assert not verdict.allowed
    assert verdict.next_allowed_at is None


@pytest.mark.parametrize("zones", [(), ("Mars/Olympus_Mons",), ("America/New_York", "nowhere")])
def test_unknown_time_zones_deny_for_good(zones):
    verdict = judged(NOON, account(time_zones=zones))
    assert verdict.denied_by == ("unknown_time_zones",)
    assert verdict.next_allowed_at is None


def test_the_tenants_zone_counts_where_nothing_was_said():
    assert judged("2026-03-03T12:00:00-05:00").allowed
    assert "HR-2" in judged("2026-03-03T07:00:00-05:00").denied_by


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2026-03-07T20:59:59+00:00", True),  # Saturday
        ("2026-03-08T08:59:59+00:00", False),  # Sunday
        ("2026-03-08T09:00:00+00:00", True),
        ("2026-03-08T18:00:00+00:00", False),
        ("2026-03-29T09:30:00+01:00", True),  # the Sunday on which the clock is put forward
        ("2026-03-29T08:30:00+01:00", False),
    ],
)
def test_sundays_are_shorter_in_great_britain(at, allowed):
    verdict = judged(at, account(country="GB", time_zones=("Europe/London",)))
    assert verdict.allowed is allowed
    assert verdict.denied_by == (() if allowed else verdict.denied_by)
    assert allowed or "HR-3" in verdict.denied_by


def test_a_letter_may_leave_at_night_and_an_email_about_a_business_debt_too():
    night = "2026-03-03T03:00:00-05:00"
    assert judged(night, channel="letter").allowed
    assert judged(night, account(debt_class="business"), of=tenant(limits=NEVER_CLOSED)).allowed
    assert judged(night, account(debt_class="business"), channel="call", of=tenant(limits=NEVER_CLOSED)).denied_by == (
        "HR-2",
    )


def test_the_tenants_own_hours_come_on_top():
    weekdays = Limits(
        contact_hours=(
            Hours(start="09:00", end="17:00", days=("monday", "tuesday", "wednesday", "thursday", "friday")),
        )
    )
    verdict = judged("2026-03-06T17:00:00-05:00", of=tenant(limits=weekdays))  # a Friday
    assert verdict.denied_by == ("tenant:contact_hours",)
    assert verdict.next_allowed_at == instant(datetime.fromisoformat("2026-03-09T09:00:00-04:00"))


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
zone_sets = st.lists(
    st.sampled_from(["America/New_York", "Europe/London", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60)
@given(moments, zone_sets)
def test_the_next_allowed_instant_is_allowed_and_the_one_before_is_not(moment, zones):
    who = account(-100, country="GB", time_zones=tuple(zones))
    verdict = judged(moment.isoformat(), who)
    if verdict.allowed:
        return
    if verdict.next_allowed_at is None:
        assert not any(judged(utc(instant(moment) + hour * HOUR).isoformat(), who).allowed for hour in range(24 * 8))
        return
    assert verdict.next_allowed_at > instant(moment)
    assert judged(utc(verdict.next_allowed_at).isoformat(), who).allowed
    assert not judged(utc(verdict.next_allowed_at - 1).isoformat(), who).allowed
    for hour in range(instant(moment), verdict.next_allowed_at, HOUR):
        assert not judged(utc(hour).isoformat(), who).allowed


@given(moments, st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]))
def test_what_is_outside_a_span_is_not_within_it(moment, name):
    spans = (("22:00", "23:30", ()), ("01:15", "02:45", ("sunday",)))
    zones = zones_of(told(account(time_zones=(name,))).crm, tenant())
    assert zones is not None
    at = instant(moment)
    inside = within(spans).next_open(zones[0], at) == at
    assert (outside(spans).next_open(zones[0], at) == at) is not inside


def test_an_inconvenient_night_reaches_over_midnight():
    said = ContactPreferenceChanged(**envelope(-1), inconvenient=(Hours(start="20:00", end="10:00"),))
    assert judged("2026-03-03T19:59:00-05:00", said).allowed
    assert judged("2026-03-03T20:00:00-05:00", said).denied_by == ("ST-5",)
    assert judged("2026-03-03T09:59:00-05:00", said).denied_by == ("ST-5",)
    assert judged("2026-03-03T10:00:00-05:00", said).allowed


# -- what the customer wants -------------------------------------------------------------------------------------------


def test_a_text_needs_consent():
    assert judged(NOON, channel="sms").denied_by == ("TC-1",)
    assert judged(NOON, consent("granted", at=-1), channel="sms").allowed
    assert judged(NOON, consent("granted", at=-1, scope="extra_calls"), channel="sms").denied_by == ("TC-1",)
    assert judged(NOON, account(country="DE"), channel="sms").allowed


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)])
def test_the_newer_of_consent_and_opt_out_counts_whatever_arrives_first(arrival):
    pair = [consent("granted", at=-3), opted_out("sms", at=-2)]
    verdict = judged(NOON, *(pair[place] for place in arrival), channel="sms")
    assert verdict.denied_by == ("TC-1", "TC-2")
    pair = [consent("granted", at=-2), opted_out("sms", at=-3)]
    assert judged(NOON, *(pair[place] for place in arrival), channel="sms").allowed


@pytest.mark.parametrize(
    ("event", "channel", "rule"),
    [
        (opted_out("all"), "email", "ST-5"),
        (opted_out("email"), "email", "ST-5"),
        (opted_out("email", address="x"), "email", "ST-5"),
        (opted_out("email", address="other"), "email", None),
        (opted_out("sms"), "email", None),
        (opted_out("call"), "voicemail", "TC-2"),
        (consent("revoked", channel="email"), "email", "ST-5"),
        (consent("revoked", channel="all"), "call", "TC-2"),
    ],
)
def test_an_opt_out_ends_its_channel_or_address_and_no_other(event, channel, rule):
    verdict = judged(NOON + 1, event, channel=channel)
    assert verdict.denied_by == (() if rule is None else (rule,))


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("STOP", True),
        ("stop!", True),
        ("Please stop.", True),
        ("opt-out", True),
        ("OPT OUT pls", True),
        ("Unsubscribe", True),
        ("stop by the office tomorrow", False),
        ("when does it end?", False),
        ("", False),
    ],
)
def test_a_reply_that_is_nothing_but_a_word_of_the_law_is_an_opt_out(text, stops):
    verdict = judged(NOON + 1, consent("granted", at=-1), replied(text, channel="sms"), channel="sms")
    assert ("TC-2" in verdict.denied_by) is stops


def test_a_stop_confirmation_passes_the_opt_out_and_the_hours():
    stop = opted_out("sms", at=2 + 8 / 24)  # at 03:00 in New York
    confirmed: dict[str, Any] = {"channel": "sms", "purpose": "opt_out_confirmation"}
    assert judged("2026-03-04T03:05:00-05:00", stop, **confirmed).allowed
    assert judged("2026-03-04T03:05:00.001-05:00", stop, **confirmed).denied_by == ("TC-4",)


def test_a_refused_channel_is_left_alone_until_something_newer_is_said():
    refused = ContactPreferenceChanged(**envelope(-2), channels=("email",), refused=True)
    assert judged(NOON, refused).denied_by == ("ST-5",)
    assert judged(NOON, refused, channel="call").allowed
    assert judged(NOON, refused, ContactPreferenceChanged(**envelope(-1))).allowed


# -- what stands on the account ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bars", "ends", "rule"),
    [
        (BankruptcyFiled(**envelope(-2)), BankruptcyEnded(**envelope(-1), outcome="dismissed"), "ST-1"),
        (FraudReported(**envelope(-2)), FraudReported(**envelope(-1), withdrawn=True), "ST-3"),
        (HoldPlaced(**envelope(-2), hold_id="h"), HoldReleased(**envelope(-1), hold_id="h"), "ST-6"),
        (HoldPlaced(**envelope(-2), hold_id="h"), HoldReleased(**envelope(-1)), "ST-6"),
        (DebtRecalled(**envelope(-2)), None, "ST-6"),
        (DebtRecalled(**envelope(-2), debt_id="d"), DebtPlaced(**envelope(-1), debt_id="d"), "ST-6"),
        (DebtSold(**envelope(-2)), None, "ST-6"),
        (CeaseRequested(**envelope(-2)), CeaseRequested(**envelope(-1), withdrawn=True), "RF-8"),
        (
            RepresentationChanged(**envelope(-2), represented=True),
            RepresentationChanged(**envelope(-1), represented=False),
            "RF-9",
        ),
        (DeceasedReported(**envelope(-2)), None, "ST-2"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_what_stands_denies_until_it_ends(bars, ends, rule):
    agency = tenant(collector_role="third_party")
    verdict = judged(NOON, bars, of=agency)
    assert verdict.denied_by == (rule,)
    assert verdict.next_allowed_at is None
    if ends is not None:
        assert judged(NOON, bars, ends, of=agency).allowed
        assert judged(NOON, ends, bars, of=agency).allowed, "the order of arrival does not matter"


def test_a_discharge_forbids_for_good():
    filed, ended = BankruptcyFiled(**envelope(-2)), BankruptcyEnded(**envelope(-1), outcome="discharged")
    assert judged(NOON, filed, ended).denied_by == ("ST-1",)


def test_a_wrong_party_blocks_the_number_though_a_list_names_it_again():
    wrong = CallCompleted(**envelope(-2), outcome="wrong_party", address="x")
    assert judged(NOON, wrong, channel="call").denied_by == ("ST-4",)
    assert judged(NOON, wrong, point("call", "x", at=-1), channel="call").denied_by == ("ST-4",)


def test_a_reassigned_number_is_blocked():
    checked = ContactPointChecked(**envelope(-1), address="x", result="reassigned")
    assert judged(NOON, checked, channel="call").denied_by == ("ST-4",)


def test_a_hold_with_an_end_lets_go_then():
    verdict = judged(NOON, HoldPlaced(**envelope(-1), hold_id="h", until=day(3)))
    assert verdict.denied_by == ("ST-6",)
    # Day 3 begins at 19:00 in New York, which is within hours.
    assert verdict.next_allowed_at == instant(day(3))


def test_a_breathing_space_binds_in_great_britain_only():
    started = BreathingSpaceStarted(**envelope(-1), ends_at=day(30))
    briton = account(country="GB", time_zones=("Europe/London",))
    verdict = judged(NOON, briton, started)
    assert verdict.denied_by == ("UK-4",)
    assert verdict.next_allowed_at == instant(day(30)) + 8 * HOUR - HOUR  # summer time has begun
    assert judged(NOON, briton, started, BreathingSpaceEnded(**envelope(-0.5))).allowed
    assert judged(NOON, account(country="US"), started).allowed


def test_all_that_deny_are_named_and_only_those():
    verdict = judged("2026-03-03T03:00:00-05:00", DeceasedReported(**envelope(-1)), opted_out("all", at=-1))
    assert verdict.denied_by == ("HR-2", "ST-2", "ST-5", "tenant:contact_hours")
    assert len(verdict.reasons) == len(verdict.denied_by)


def test_without_a_contact_point_there_is_no_contact():
    situation = Situation(at=instant(day(NOON)), channel="email", tenant=tenant(), facts=Facts(), point=None)
    assert GATE.judge(situation).denied_by == ("no_contact_point",)


# -- the tenant's limits -----------------------------------------------------------------------------------------------


def test_contacts_keep_their_distance():
    limits = tenant(limits=Limits(contact_hours=NEVER_CLOSED.contact_hours, min_hours_between_contacts=24))
    made = sent("c", at=1.0)
    verdict = judged(1.9, made, channel="letter", of=limits)
    assert verdict.denied_by == ("tenant:min_hours_between_contacts",)
    assert verdict.next_allowed_at == instant(day(2.0))
    assert judged(2.0, made, channel="letter", of=limits).allowed


def test_the_window_is_a_date_and_the_six_before_it():
    limits = tenant(
        limits=Limits(contact_hours=NEVER_CLOSED.contact_hours, min_hours_between_contacts=0, max_contacts_per_7_days=2)
    )
    made = [sent("a", at=0.9), sent("b", at=2.9)]  # in the evening in New York, of March 2 and 4
    denied = judged("2026-03-08T23:59:59-04:00", *made, channel="letter", of=limits)
    assert denied.denied_by == ("tenant:max_contacts_per_7_days",)
    # The clock was put forward in between; midnight of March 9 is at 04:00 UTC.
    assert denied.next_allowed_at == instant(datetime(2026, 3, 9, 4, tzinfo=UTC))
    assert judged("2026-03-09T00:00:00-04:00", *made, channel="letter", of=limits).allowed


def test_what_never_left_came_in_or_was_asked_for_does_not_count():
    one = tenant(limits=Limits(contact_hours=NEVER_CLOSED.contact_hours, min_hours_between_contacts=240))
    failed = [sent("a", at=0.1), ContactFailed(**envelope(0.2), contact_id="a", channel="email")]
    assert judged(NOON, *failed, of=one).allowed
    assert judged(NOON, CallCompleted(**envelope(0.1), outcome="conversation", direction="inbound"), of=one).allowed
    assert judged(NOON, sent("t", at=0.1, purpose="transactional"), of=one).allowed
    assert not judged(NOON, sent("b", at=0.1, handover="unknown"), of=one).allowed


def test_a_planned_contact_counts_as_made():
    one = tenant(limits=Limits(contact_hours=NEVER_CLOSED.contact_hours, min_hours_between_contacts=24))
    assert not judged(NOON, of=one, planned=(instant(day(NOON)) - DAY + 1,)).allowed
    assert judged(NOON, of=one, planned=(instant(day(NOON)) - DAY,)).allowed


def test_a_limit_of_none_is_never():
    verdict = judged(NOON, of=tenant(limits=Limits(max_contacts_per_7_days=0)))
    assert verdict.denied_by == ("tenant:max_contacts_per_7_days",)
    assert verdict.next_allowed_at is None
