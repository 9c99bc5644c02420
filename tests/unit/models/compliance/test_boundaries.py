"""Each rule that is evaluated at send time, on both sides of its boundary, and over a DST change or a month end.

A row: the rule, who and where the customer is, the contact, what is known, the last instant at which the rule denies (or
permits) it, and the instant next to it, at which it is the other way round. Clocks in the United States were put forward
on 2026-03-08 and back on 2026-11-01, in London forward on 2026-03-29.
"""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.calendar import utc
from models.compliance.exact import judge
from models.compliance.gate import Verdict
from models.compliance.packs import Rules, packs, rules_of
from recoup.compliance.case_file import case_from
from schemas.rules import Compliance

Line = dict[str, Any]

EASTERN, PACIFIC, LONDON = "America/New_York", "America/Los_Angeles", "Europe/London"
CREDITOR: Line = {"collector_role": "creditor", "debt_class": "consumer", "country": "US", "time_zones": [EASTERN]}
AGENCY: Line = {**CREDITOR, "collector_role": "third_party", "state": "OH"}
OHIO: Line = {**CREDITOR, "state": "OH"}
BOSTON: Line = {**CREDITOR, "state": "MA"}
SEATTLE: Line = {**AGENCY, "state": "WA", "time_zones": [PACIFIC]}
CAPITAL: Line = {**CREDITOR, "state": "DC"}
BROOKLYN: Line = {**CREDITOR, "state": "NY", "city": "Brooklyn"}
BRONX: Line = {**AGENCY, "state": "NY", "zip": "10458"}
BRITON: Line = {**CREDITOR, "country": "GB", "state": "ENG", "time_zones": [LONDON]}
FIRM: Line = {**CREDITOR, "debt_class": "business", "country": "DE", "time_zones": ["Europe/Berlin"]}

CALL: Line = {"channel": "call"}
ROBOT: Line = {"channel": "call", "mode": "artificial"}
SMS: Line = {"channel": "sms"}
EMAIL: Line = {"channel": "email"}
LETTER: Line = {"channel": "letter"}
CONFIRM: Line = {"channel": "sms", "purpose": "opt_out_confirmation"}
ASK: Line = {"channel": "email", "purpose": "consent_request"}
AT_WORK: Line = {"channel": "call", "contact_point": {"address": "+16175550100", "workplace": True, "verified": True}}
WORK_MAIL: Line = {
    "channel": "email",
    "contact_point": {"address": "a@work.example", "workplace": True, "verified": True},
}


def clock(local: str, zone: str = EASTERN) -> dt.datetime:
    return dt.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))


def fact(kind: str, local: str, **payload: Any) -> Line:
    return {"type": kind, "occurred_at": clock(local).isoformat(), **payload}


def was(local: str, channel: str = "call", outcome: str = "no_answer", **more: Any) -> Line:
    return {"at": clock(local).isoformat(), "channel": channel, "outcome": outcome, "debt_id": "d1", **more}


def sms_consent(local: str, **more: Any) -> Line:
    return fact("consent.changed", local, channel="sms", state="granted", **more)


NOTICE = was("2026-01-05T12:00", "letter", "sent", purpose="validation_notice")
SEVEN_CALLS = tuple(was(f"2026-03-0{day}T23:59") for day in (2, 3, 4, 5, 6, 7, 7))
THREE_ROBOTS = tuple(was(f"2026-02-{day}T12:00", mode="artificial") for day in (16, 17, 18))
FIVE_MAILS = tuple(was(f"2026-10-{day}T12:00", "email", "sent") for day in (26, 27, 28, 29, 30))
TALK = was("2026-03-03T23:59:59", outcome="conversation")
STOP = fact("reply.received", "2026-03-03T12:00", channel="sms", text="Stop")
MAIL_CONSENT = fact("consent.changed", "2026-01-02T12:00", channel="email", state="granted")

Row = tuple[str, Line, Line, tuple[Line, ...], str, str, str]
"""Rule, account, contact, facts and history, the instant that it denies, the one that it permits, their zone."""

ROWS: list[Row] = [
    ("RF-1", AGENCY, CALL, SEVEN_CALLS, "2026-03-08T23:59:59", "2026-03-09T00:00", EASTERN),
    ("RF-1", AGENCY, {"channel": "voicemail"}, SEVEN_CALLS, "2026-03-08T12:00", "2026-03-09T12:00", EASTERN),
    ("RF-2", AGENCY, CALL, (TALK, NOTICE), "2026-03-09T23:59:59", "2026-03-10T00:00", EASTERN),
    ("RF-2", AGENCY, CALL, ({**TALK, "direction": "inbound"}, NOTICE), "2026-03-09T20:00", "2026-03-10T08:00", EASTERN),
    ("RF-4", AGENCY, CALL, (), "2026-03-08T07:59:59", "2026-03-08T08:00", EASTERN),
    ("RF-4", AGENCY, EMAIL, (), "2026-10-31T21:00", "2026-10-31T20:59:59", EASTERN),
    (
        "RF-4",
        {**AGENCY, "time_zones": [EASTERN, PACIFIC]},
        CALL,
        (),
        "2026-11-01T07:59:59",
        "2026-11-01T08:00",
        PACIFIC,
    ),
    (
        "RF-5",
        {**AGENCY, "time_zones": [EASTERN, PACIFIC]},
        CALL,
        (),
        "2026-03-08T21:00",
        "2026-03-08T20:59:59",
        EASTERN,
    ),
    (
        "RF-7",
        AGENCY,
        EMAIL,
        (fact("opt_out.received", "2026-03-03T12:00", channel="email"),),
        "2026-03-03T12:00",
        "2026-03-03T11:59:59",
        EASTERN,
    ),
    (
        "RF-8",
        AGENCY,
        LETTER,
        (fact("cease_requested", "2026-02-28T23:59:59"),),
        "2026-03-01T00:00",
        "2026-02-28T23:59:58",
        EASTERN,
    ),
    (
        "RF-9",
        AGENCY,
        LETTER,
        (
            fact("representation.changed", "2026-03-01T00:00", represented=True),
            fact("representation.changed", "2026-03-08T03:00", represented=False),
        ),
        "2026-03-08T01:59:59",
        "2026-03-08T03:00",
        EASTERN,
    ),
    (
        "RF-9",
        AGENCY,
        WORK_MAIL,
        (fact("consent.changed", "2026-03-03T12:00", channel="email", state="granted", address="a@work.example"),),
        "2026-03-03T11:59:59",
        "2026-03-03T12:00",
        EASTERN,
    ),
    ("RF-10", AGENCY, SMS, (sms_consent("2026-01-10T23:59"),), "2026-03-12T08:00", "2026-03-11T20:59:59", EASTERN),
    (
        "RF-10",
        AGENCY,
        SMS,
        (
            sms_consent("2026-01-10T12:00"),
            fact("contact_point.checked", "2026-04-01T12:00", address="+16175550100", result="not_reassigned"),
        ),
        "2026-06-01T08:00",
        "2026-05-31T20:00",
        EASTERN,
    ),
    (
        "RF-12",
        AGENCY,
        LETTER,
        (was("2026-02-26T08:00", "email", "sent"),),
        "2026-03-04T00:00",
        "2026-03-03T23:59:59",
        EASTERN,
    ),
    (
        "RF-14",
        AGENCY,
        LETTER,
        (
            fact("dispute.opened", "2026-03-01T12:00", debt_id="d1"),
            fact("dispute.resolved", "2026-03-31T12:00", debt_id="d1", outcome="verified"),
        ),
        "2026-03-31T11:59:59",
        "2026-03-31T12:00",
        EASTERN,
    ),
    ("TC-1", OHIO, SMS, (sms_consent("2026-03-03T12:00"),), "2026-03-03T11:59:59", "2026-03-03T12:00", EASTERN),
    ("TC-2", OHIO, SMS, (sms_consent("2026-01-02T12:00"), STOP), "2026-03-03T12:00", "2026-03-03T11:59:59", EASTERN),
    (
        "TC-2",
        OHIO,
        CALL,
        (fact("opt_out.received", "2025-01-02T12:00", channel="call"),),
        "2025-04-11T00:00",
        "2025-04-10T23:59:59",
        EASTERN,
    ),
    (
        "TC-3",
        OHIO,
        {**ROBOT, "debt_id": "d2"},
        (
            fact("consent.changed", "2026-01-02T12:00", channel="call", state="granted"),
            {**STOP, "debt_id": "d1"},
        ),
        "2027-01-31T00:00",
        "2027-01-30T23:59:59",
        EASTERN,
    ),
    ("TC-4", OHIO, CONFIRM, (STOP,), "2026-03-03T12:05:00.001", "2026-03-03T12:05", EASTERN),
    ("TC-5", OHIO, ROBOT, (), "2024-02-08T00:00", "2024-02-07T23:59:59", EASTERN),
    ("TC-8", OHIO, ROBOT, THREE_ROBOTS, "2026-03-17T23:59:59", "2026-03-18T00:00", EASTERN),
    (
        "MA-1",
        BOSTON,
        CALL,
        (was("2026-03-02T20:00"), was("2026-03-03T08:00")),
        "2026-03-08T23:59:59",
        "2026-03-09T00:00",
        EASTERN,
    ),
    (
        "MA-1",
        BOSTON,
        SMS,
        (was("2026-10-30T20:00"), was("2026-10-31T08:00")),
        "2026-11-05T20:00",
        "2026-11-06T08:00",
        EASTERN,
    ),
    (
        "MA-1",
        BOSTON,
        AT_WORK,
        (was("2026-02-10T12:00"), was("2026-02-20T12:00")),
        "2026-03-11T23:59:59",
        "2026-03-12T00:00",
        EASTERN,
    ),
    ("MA-2", BOSTON, CALL, (), "2026-11-01T07:59:59", "2026-11-01T08:00", EASTERN),
    ("MA-2", {**BOSTON, "time_zones": [PACIFIC]}, CALL, (), "2026-03-08T18:00", "2026-03-08T17:59:59", PACIFIC),
    (
        "WA-1",
        SEATTLE,
        LETTER,
        (was("2026-10-26T12:00", "letter", "sent"), was("2026-10-28T12:00"), was("2026-10-30T12:00"), NOTICE),
        "2026-11-01T23:59:59",
        "2026-11-02T00:00",
        PACIFIC,
    ),
    ("WA-1", SEATTLE, CALL, (), "2026-03-08T07:59:59", "2026-03-08T08:00", PACIFIC),
    (
        "WA-2",
        SEATTLE,
        CALL,
        (was("2026-03-08T12:00"), was("2026-03-08T13:00")),
        "2026-03-08T23:59:59",
        "2026-03-09T00:00",
        PACIFIC,
    ),
    (
        "DC-1",
        CAPITAL,
        CALL,
        tuple(was(f"2026-10-{day}T12:00") for day in (26, 27, 28, 29)),
        "2026-11-01T23:59:59",
        "2026-11-02T00:00",
        EASTERN,
    ),
    ("DC-1", CAPITAL, EMAIL, (MAIL_CONSENT, *FIVE_MAILS), "2026-11-01T23:59:59", "2026-11-02T00:00", EASTERN),
    (
        "DC-1",
        CAPITAL,
        ASK,
        (was("2026-02-26T12:00", "sms", "sent", purpose="consent_request"),),
        "2026-03-04T23:59:59",
        "2026-03-05T00:00",
        EASTERN,
    ),
    (
        "DC-1",
        CAPITAL,
        EMAIL,
        (fact("debt.placed", "2026-02-01T12:00", debt_id="d1", defaulted_on="2026-02-06"),),
        "2026-03-09T00:00",
        "2026-03-08T23:59:59",
        EASTERN,
    ),
    (
        "NYC-0",
        BRONX,
        CALL,
        (was("2026-08-27T12:00"), was("2026-08-28T12:00")),
        "2026-08-31T23:59:59",
        "2026-09-01T00:00",
        EASTERN,
    ),
    (
        "NYC-1",
        BROOKLYN,
        LETTER,
        (was("2026-10-26T12:00"), was("2026-10-27T12:00", "letter", "sent"), was("2026-10-28T12:00")),
        "2026-11-01T23:59:59",
        "2026-11-02T00:00",
        EASTERN,
    ),
    ("NYC-1", BROOKLYN, EMAIL, (), "2026-09-01T00:00", "2026-08-31T23:59:59", EASTERN),
    (
        "UK-4",
        BRITON,
        LETTER,
        (
            {
                "type": "breathing_space.started",
                "occurred_at": "2026-02-01T00:00:00Z",
                "ends_at": clock("2026-03-29T03:00", LONDON).isoformat(),
            },
        ),
        "2026-03-29T02:59:59",
        "2026-03-29T03:00",
        LONDON,
    ),
    (
        "ST-1",
        OHIO,
        LETTER,
        (
            fact("bankruptcy.filed", "2026-02-28T23:59:59"),
            fact("bankruptcy.ended", "2026-04-01T00:00", outcome="dismissed"),
        ),
        "2026-03-31T23:59:59",
        "2026-04-01T00:00",
        EASTERN,
    ),
    (
        "ST-2",
        FIRM,
        LETTER,
        (fact("deceased.reported", "2026-03-01T00:00"),),
        "2026-03-01T00:00",
        "2026-02-28T23:59:59",
        EASTERN,
    ),
    (
        "ST-3",
        FIRM,
        LETTER,
        (fact("fraud.reported", "2026-03-01T00:00"), fact("fraud.reported", "2026-03-08T03:00", withdrawn=True)),
        "2026-03-08T01:59:59",
        "2026-03-08T03:00",
        EASTERN,
    ),
    (
        "ST-4",
        OHIO,
        CALL,
        (was("2026-03-01T12:00", outcome="wrong_party"),),
        "2026-03-01T12:00",
        "2026-03-01T11:59:59",
        EASTERN,
    ),
    (
        "ST-5",
        BRITON,
        EMAIL,
        (
            fact(
                "contact_preference.changed",
                "2026-01-01T12:00",
                channels=["email"],
                inconvenient=[{"start": "12:00", "end": "14:00", "days": ["sunday"]}],
            ),
        ),
        "2026-03-29T13:59:59",
        "2026-03-29T14:00",
        LONDON,
    ),
    (
        "ST-6",
        OHIO,
        LETTER,
        (fact("hold.placed", "2026-02-27T12:00", debt_id="d1", until=clock("2026-03-08T03:00").isoformat()),),
        "2026-03-08T01:59:59",
        "2026-03-08T03:00",
        EASTERN,
    ),
    (
        "HR-1",
        OHIO,
        CALL,
        tuple({**call, "debt_id": "d2"} for call in SEVEN_CALLS),
        "2026-03-08T12:00",
        "2026-03-09T08:00",
        EASTERN,
    ),
    ("HR-2", FIRM, SMS, (), "2026-03-29T07:59:59", "2026-03-29T08:00", "Europe/Berlin"),
    ("HR-2", OHIO, EMAIL, (), "2026-11-01T21:00", "2026-11-01T20:59:59", EASTERN),
    ("HR-3", BRITON, EMAIL, (), "2026-03-29T08:59:59", "2026-03-29T09:00", LONDON),
    ("HR-3", BRITON, SMS, (), "2026-10-25T18:00", "2026-10-25T17:59:59", LONDON),
]

ALL = rules_of(Compliance(rules_on=("HR-1",)))
BY_DEFAULT = rules_of(Compliance())


def judged(
    account: Line, contact: Line, known: tuple[Line, ...], at: dt.datetime, rules: Rules = BY_DEFAULT
) -> Verdict:
    address = "debtor@example.org" if contact["channel"] == "email" else "+16175550100"
    line = {
        "at": at.isoformat(),
        "contact": {"debt_id": "d1", "contact_point": {"address": address, "verified": True}, **contact},
        "account": account,
        "facts": [one for one in known if "type" in one],
        "history": [one for one in known if "type" not in one],
    }
    return judge(rules, case_from(line))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[2]['channel']}-{row[4]}")
def test_a_rule_denies_on_one_side_of_its_boundary_and_not_on_the_other(row: Row):
    rule, account, contact, known, denies, permits, zone = row
    assert rule in judged(account, contact, known, clock(denies, zone), ALL).denied_by
    assert rule not in judged(account, contact, known, clock(permits, zone), ALL).denied_by


def test_every_rule_that_is_evaluated_at_send_time_stands_in_the_table():
    evaluated = {rule.id for rules in packs().values() for rule in rules if rule.evaluated == "send"}
    assert evaluated - {row[0] for row in ROWS} == {"RF-3"}, "an exclusion denies nothing; it has a test of its own"


@pytest.mark.parametrize(
    ("given", "at", "allowed"),
    [
        ({"direct": True}, "2026-03-08T20:59:59", True),
        ({"direct": False}, "2026-03-08T20:59:59", False),
        ({"direct": True, "scope": "contact"}, "2026-03-08T20:59:59", False),
        ({"direct": True, "debt_id": "d2"}, "2026-03-08T20:59:59", False),
    ],
)
def test_a_direct_consent_to_extra_calls_lets_more_through_for_seven_dates(given: Line, at: str, *, allowed: bool):
    consent = fact(
        "consent.changed", "2026-03-02T10:00", **{"channel": "call", "state": "granted", "scope": "extra_calls"} | given
    )
    known = (consent, *(was(f"2026-03-0{day}T09:00") for day in (2, 2, 2, 2, 2, 2, 2)))
    assert judged(AGENCY, CALL, known, clock(at)).allowed is allowed


def test_the_eighth_date_of_an_extra_consent_is_none_and_its_calls_do_not_count():
    consent = fact(
        "consent.changed", "2026-03-02T10:00", channel="call", state="granted", scope="extra_calls", direct=True
    )
    within = tuple(was(f"2026-03-0{day}T12:00") for day in (3, 4, 5, 6, 7, 8, 8))
    assert judged(AGENCY, CALL, (consent, *within), clock("2026-03-09T12:00")).allowed
    assert judged(AGENCY, CALL, within, clock("2026-03-09T12:00")).denied_by == ("RF-1",)


@pytest.mark.parametrize(
    ("row", "opens"),
    [
        (ROWS[0], "2026-03-09T08:00"),
        (ROWS[2], "2026-03-10T08:00"),
        (ROWS[6], "2026-11-01T08:00"),
    ],
    ids=["seven calls", "a conversation", "two zones"],
)
def test_the_next_permitted_instant_is_the_first_that_nothing_denies(row: Row, opens: str):
    _, account, contact, known, denies, _, zone = row
    found = judged(account, contact, known, clock(denies, zone)).next_allowed_at
    assert found is not None
    assert utc(found) == clock(opens, zone)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[2]['channel']}-{row[4]}")
def test_at_the_next_permitted_instant_it_is_permitted_and_never_before(row: Row):
    _, account, contact, known, denies, _, zone = row
    at = clock(denies, zone).astimezone(dt.UTC)
    found = judged(account, contact, known, at).next_allowed_at
    if found is None:
        return
    opens = utc(found)
    seen = tuple(one for one in known if dt.datetime.fromisoformat(one.get("at") or one["occurred_at"]) <= at)
    assert judged(account, contact, seen, opens).allowed
    for part in range(50):
        earlier = at + (opens - at) * part / 50
        assert not judged(account, contact, seen, earlier).allowed, earlier
    assert not judged(account, contact, seen, opens - dt.timedelta(milliseconds=1)).allowed
