"""Cases written by hand for states, cities, nations, the status rules and what is unknown."""

# ruff: noqa: E501 -- a case a line
from tests.compliance_oracle.cases import (
    ALBANY,
    BOSTON,
    BOSTON_CREDITOR,
    FIRM,
    LONDON,
    NEVER,
    NEW_YORK,
    OHIO,
    OHIO_CREDITOR,
    PARIS,
    SEATTLE,
    WASHINGTON,
    Line,
    Written,
    at,
    consent,
    fact,
    line,
    noticed,
    was,
    written,
)

WEST = "America/Los_Angeles"
TWO = (was("2026-03-03T12:00"), was("2026-03-05T12:00"))
TEXTS = tuple(was(f"2026-03-0{day}T12:00", "sms", "sent") for day in (3, 5))
MAILS = tuple(was(f"2026-03-0{day}T12:00", "email", "sent") for day in (3, 4, 5, 6, 7))
WESTERN = noticed("2026-01-05T12:00", WEST)
NEWARK: Line = {**NEW_YORK, "state": "NJ", "city": "Newark"}


def west(local: str, channel: str = "call", outcome: str = "no_answer", **more: object) -> Line:
    return was(local, channel, outcome, WEST, **more)


MASSACHUSETTS = [
    written(line("one call in a week", "2026-03-09T12:00", BOSTON_CREDITOR, history=TWO[:1])),
    written(line("two calls in a week", "2026-03-09T12:00", BOSTON_CREDITOR, history=TWO), "MA-1", then="2026-03-10T08:00-04:00"),
    written(line("the eighth date", "2026-03-10T12:00", BOSTON_CREDITOR, history=TWO)),
    written(line("a call and a text", "2026-03-09T12:00", BOSTON_CREDITOR, history=(TWO[0], TEXTS[1])), "MA-1"),
    written(line("a text after two texts", "2026-03-09T12:00", BOSTON_CREDITOR, channel="sms", history=TEXTS, facts=(consent("2026-01-10T12:00"),)), "MA-1"),
    written(line("e-mails do not count", "2026-03-09T12:00", BOSTON_CREDITOR, history=(*TWO[:1], *MAILS))),
    written(line("an e-mail is free", "2026-03-09T12:00", BOSTON_CREDITOR, channel="email", history=TWO)),
    written(line("each debt by itself", "2026-03-09T12:00", BOSTON_CREDITOR, history=TWO, debt_id="d2")),
    written(line("not connected in MA", "2026-03-09T12:00", BOSTON_CREDITOR, history=(TWO[0], was("2026-03-05T12:00", outcome="not_connected")))),
    written(line("a business in MA", "2026-03-09T12:00", {**BOSTON, "debt_class": "business"}, history=TWO)),
    written(line("at night in MA", "2026-03-09T21:00", BOSTON_CREDITOR), "MA-2", "HR-2"),
    written(line("at night in MA by a third party", "2026-03-09T07:59:59", BOSTON), "MA-2", "RF-4", "HR-2"),
    written(line("at work, two in thirty dates", "2026-03-09T12:00", BOSTON_CREDITOR, point={"workplace": True}, history=(was("2026-02-07T12:00"), was("2026-03-01T12:00")))),
    written(line("at work, two in thirty dates, inside", "2026-03-09T12:00", BOSTON_CREDITOR, point={"workplace": True}, history=(was("2026-02-08T12:00"), was("2026-03-01T12:00"))), "MA-1"),
    written(line("over the spring change", "2026-03-14T12:00", BOSTON_CREDITOR, history=(was("2026-03-07T20:00"), was("2026-03-07T20:30")))),
    written(line("over the month end", "2026-03-05T12:00", BOSTON_CREDITOR, history=(was("2026-02-27T20:00"), was("2026-02-28T20:30"))), "MA-1", then="2026-03-06T08:00-05:00"),
]  # fmt: skip

WASHINGTON_STATE = [
    written(line("two in a week", "2026-03-09T12:00", SEATTLE, channel="letter", history=(west("2026-03-03T12:00"), west("2026-03-04T12:00")))),
    written(line("three in a week", "2026-03-09T12:00", SEATTLE, channel="letter", history=(west("2026-03-03T12:00"), west("2026-03-04T12:00"), west("2026-03-05T12:00", "email", "sent"))), "WA-1", then="2026-03-10T00:00-07:00"),
    written(line("three, the eighth date", "2026-03-10T12:00", SEATTLE, channel="letter", history=(west("2026-03-03T12:00"), west("2026-03-04T12:00"), west("2026-03-05T12:00")))),
    written(line("three about another debt", "2026-03-09T12:00", SEATTLE, channel="letter", debt_id="d2", history=(west("2026-03-03T12:00"), west("2026-03-04T12:00"), west("2026-03-05T12:00"))), "WA-1"),
    written(line("a creditor in WA", "2026-03-09T12:00", {**SEATTLE, "collector_role": "creditor"}, channel="letter", history=tuple(west("2026-03-04T12:00") for _ in range(5)))),
    written(line("07:59 in WA", "2026-03-09T07:59", SEATTLE), "WA-1", "RF-4", "HR-2"),
    written(line("one today", "2026-03-09T12:00", SEATTLE, history=(west("2026-03-09T09:00"),))),
    written(line("two today", "2026-03-09T12:00", SEATTLE, history=(west("2026-03-09T09:00"), west("2026-03-09T10:00"))), "WA-2", then="2026-03-10T08:00-07:00"),
    written(line("two yesterday", "2026-03-09T12:00", SEATTLE, history=(west("2026-03-08T20:00"), west("2026-03-08T20:30")))),
    written(line("two today, answer", "2026-03-09T12:00", SEATTLE, purpose="transactional", history=(west("2026-03-09T09:00"), west("2026-03-09T10:00")))),
    written(line("two today, e-mail", "2026-03-09T12:00", SEATTLE, channel="email", history=(west("2026-03-09T09:00"), west("2026-03-09T10:00")))),
]  # fmt: skip

DISTRICT = [
    written(line("three calls in DC", "2026-03-09T12:00", WASHINGTON, history=tuple(was("2026-03-04T12:00") for _ in range(3)))),
    written(line("four calls in DC", "2026-03-09T12:00", WASHINGTON, history=tuple(was("2026-03-04T12:00") for _ in range(4))), "DC-1", then="2026-03-11T08:00-04:00"),
    written(line("four e-mails in DC", "2026-03-09T12:00", WASHINGTON, channel="email", history=MAILS[:4], facts=(consent("2026-01-10T12:00", "email"),))),
    written(line("five e-mails in DC", "2026-03-09T12:00", WASHINGTON, channel="email", history=MAILS, facts=(consent("2026-01-10T12:00", "email"),)), "DC-1", then="2026-03-10T08:00-04:00"),
    written(line("e-mail without consent in DC", "2026-03-09T12:00", WASHINGTON, channel="email"), "DC-1", then=NEVER),
    written(line("asking for consent in DC", "2026-03-09T12:00", WASHINGTON, channel="email", purpose="consent_request")),
    written(line("asking twice in DC", "2026-03-09T12:00", WASHINGTON, channel="email", purpose="consent_request", history=(was("2026-03-03T12:00", "email", "sent", purpose="consent_request"),)), "DC-1", then="2026-03-10T08:00-04:00"),
    written(line("asking again in DC", "2026-03-10T12:00", WASHINGTON, channel="email", purpose="consent_request", history=(was("2026-03-03T12:00", "email", "sent", purpose="consent_request"),))),
    written(line("asking by text in DC", "2026-03-09T12:00", WASHINGTON, channel="sms", purpose="consent_request"), "TC-1"),
    written(line("a mortgage in DC", "2026-03-09T12:00", WASHINGTON, channel="email", facts=(fact("debt.placed", "2026-01-10T12:00", debt_id="d1", secured_by="real_estate"),))),
    written(line("thirty days past due in DC", "2026-03-09T12:00", WASHINGTON, channel="email", facts=(fact("debt.placed", "2026-02-10T12:00", debt_id="d1", defaulted_on="2026-02-07"),))),
    written(line("thirty-one days past due in DC", "2026-03-10T12:00", WASHINGTON, channel="email", facts=(fact("debt.placed", "2026-02-10T12:00", debt_id="d1", defaulted_on="2026-02-07"),)), "DC-1"),
    written(line("a letter in DC", "2026-03-09T12:00", WASHINGTON, channel="letter", history=tuple(was("2026-03-04T12:00") for _ in range(9)))),
]  # fmt: skip

AUTUMN = tuple(was(f"2026-08-{day}T12:00", "letter", "sent") for day in (27, 28, 29))
AUTUMN_NOTICE = noticed("2026-08-01T12:00")
CITY = [
    written(line("one in the city", "2026-08-31T12:00", NEW_YORK, history=(AUTUMN_NOTICE, AUTUMN[0]))),
    written(line("two in the city", "2026-08-31T12:00", NEW_YORK, history=(AUTUMN_NOTICE, *AUTUMN[:2])), "NYC-0", then="2026-09-01T08:00-04:00"),
    written(line("two in the city, the new rule", "2026-09-01T12:00", NEW_YORK, history=(AUTUMN_NOTICE, *AUTUMN[:2]))),
    written(line("three in the city, the new rule", "2026-09-01T12:00", NEW_YORK, history=(AUTUMN_NOTICE, *AUTUMN)), "NYC-1", then="2026-09-03T08:00-04:00"),
    written(line("a creditor, the old rule", "2026-08-31T12:00", {**NEW_YORK, "collector_role": "creditor"}, history=AUTUMN)),
    written(line("a creditor, the new rule", "2026-09-01T12:00", {**NEW_YORK, "collector_role": "creditor"}, history=AUTUMN), "NYC-1"),
    written(line("a letter counts and is counted", "2026-09-01T12:00", {**NEW_YORK, "collector_role": "creditor"}, channel="letter", history=AUTUMN), "NYC-1", then="2026-09-03T00:00-04:00"),
    written(line("e-mail in the city", "2026-09-01T12:00", NEW_YORK, channel="email"), "NYC-1", then=NEVER),
    written(line("e-mail in the city, before", "2026-08-31T12:00", NEW_YORK, channel="email")),
    written(line("e-mail in the city with consent", "2026-09-01T12:00", NEW_YORK, channel="email", facts=(consent("2026-08-10T12:00", "email", form="written"),))),
    written(line("e-mail in the city with a spoken consent", "2026-09-01T12:00", NEW_YORK, channel="email", facts=(consent("2026-08-10T12:00", "email", form="oral"),)), "NYC-1"),
    written(line("asking for consent in the city", "2026-09-01T12:00", NEW_YORK, channel="email", purpose="consent_request"), "NYC-1"),
    written(line("by ZIP", "2026-09-01T12:00", {**NEW_YORK, "city": None, "zip": "11354", "collector_role": "creditor"}, history=AUTUMN), "NYC-1"),
    written(line("by ZIP elsewhere", "2026-09-01T12:00", {**NEW_YORK, "city": "", "zip": "12207", "collector_role": "creditor"}, history=AUTUMN)),
    written(line("in capitals", "2026-09-01T12:00", {**NEW_YORK, "city": "STATEN ISLAND", "collector_role": "creditor"}, history=AUTUMN), "NYC-1"),
    written(line("Albany", "2026-09-01T12:00", {**ALBANY, "collector_role": "creditor"}, history=AUTUMN)),
    written(line("Newark", "2026-09-01T12:00", {**NEWARK, "collector_role": "creditor"}, history=AUTUMN)),
    written(line("not connected counts in the city", "2026-09-01T12:00", {**NEW_YORK, "collector_role": "creditor"}, history=(*AUTUMN[:2], was("2026-08-30T12:00", outcome="not_connected"))), "NYC-1"),
]  # fmt: skip

SPACE = fact(
    "breathing_space.started",
    "2026-03-01T12:00",
    "Europe/London",
    kind="standard",
    ends_at=at("2026-04-30T12:00", "Europe/London"),
)
CRISIS: Line = {**SPACE, "kind": "mental_health", "ends_at": None}
KINGDOM = [
    written(line("breathing space", "2026-04-30T11:59:59", LONDON, channel="letter", facts=(SPACE,)), "UK-4", then="2026-04-30T12:00+01:00"),
    written(line("breathing space is over", "2026-04-30T12:00", LONDON, channel="letter", facts=(SPACE,))),
    written(line("breathing space ended early", "2026-03-15T12:00", LONDON, channel="letter", facts=(SPACE, fact("breathing_space.ended", "2026-03-15T12:00", "Europe/London")))),
    written(line("in Scotland", "2026-03-15T12:00", {**LONDON, "state": "SCT"}, channel="letter", facts=(SPACE,))),
    written(line("in Northern Ireland", "2026-03-15T12:00", {**LONDON, "state": "NIR"}, channel="letter", facts=(SPACE,))),
    written(line("in Wales", "2026-03-15T12:00", {**LONDON, "state": "WLS"}, channel="letter", facts=(SPACE,)), "UK-4"),
    written(line("nation unknown", "2026-03-15T12:00", {**LONDON, "state": None}, channel="letter", facts=(SPACE,)), "UK-4"),
    written(line("a crisis without an end", "2026-12-15T12:00", LONDON, channel="letter", facts=(CRISIS,)), "UK-4", then=NEVER),
    written(line("a receipt in breathing space", "2026-03-16T12:00", LONDON, channel="letter", purpose="transactional", facts=(SPACE,))),
    written(line("breathing space in France", "2026-03-16T12:00", PARIS, channel="letter", facts=(SPACE,))),
    written(line("Sunday 08:59", "2026-03-15T08:59", LONDON), "HR-3", then="2026-03-15T09:00+00:00"),
    written(line("Sunday 09:00", "2026-03-15T09:00", LONDON)),
    written(line("Sunday 17:59", "2026-03-15T17:59:59", LONDON)),
    written(line("Sunday 18:00", "2026-03-15T18:00", LONDON), "HR-3", then="2026-03-16T08:00+00:00"),
    written(line("Saturday 20:59", "2026-03-14T20:59", LONDON)),
    written(line("Saturday 21:00", "2026-03-14T21:00", LONDON), "HR-2", "HR-3", then="2026-03-15T09:00+00:00"),
    written(line("the Sunday of the change", "2026-03-29T08:30", LONDON), "HR-3", then="2026-03-29T09:00+01:00"),
    written(line("a firm's e-mail on Sunday night", "2026-03-15T20:00", {**LONDON, "debt_class": "business"}, channel="email"), "HR-3"),
    written(line("a letter on Sunday night", "2026-03-15T23:00", LONDON, channel="letter")),
    written(line("a text in Paris needs no TCPA consent", "2026-03-03T12:00", PARIS, channel="sms")),
    written(line("Paris at 21:00", "2026-03-03T21:00", PARIS, channel="sms"), "HR-2"),
]  # fmt: skip


def then(kind: str, /, **payload: object) -> Line:
    return fact(kind, "2026-03-01T12:00", **payload)


def later(kind: str, /, **payload: object) -> Line:
    return fact(kind, "2026-03-02T12:00", **payload)


HOLD = then("hold.placed", hold_id="h1", until=at("2026-03-10T07:00"))
WIDOW = (
    then("deceased.reported"),
    later("party.linked", party_id="p1", role="spouse"),
    later("contact_point.updated", channel="call", address="+16175550100", party_id="p1", verified=True),
)
STATUS = [
    written(line("bankrupt", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("bankruptcy.filed"),)), "ST-1", then=NEVER),
    written(line("a bankrupt firm", "2026-03-03T12:00", FIRM, channel="letter", facts=(then("bankruptcy.filed"),)), "ST-1"),
    written(line("bankrupt, a receipt", "2026-03-03T12:00", OHIO_CREDITOR, purpose="transactional", facts=(then("bankruptcy.filed"),)), "ST-1"),
    written(line("bankrupt, dismissed", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("bankruptcy.filed"), later("bankruptcy.ended", outcome="dismissed")))),
    written(line("bankrupt, discharged", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("bankruptcy.filed"), later("bankruptcy.ended", outcome="discharged"))), "ST-1"),
    written(line("bankrupt tomorrow", "2026-03-01T11:59:59", OHIO_CREDITOR, facts=(then("bankruptcy.filed"),))),
    written(line("deceased", "2026-03-03T12:00", PARIS, facts=(then("deceased.reported"),)), "ST-2", then=NEVER),
    written(line("the widow", "2026-03-03T12:00", OHIO_CREDITOR, facts=WIDOW)),
    written(line("the guarantor of the deceased", "2026-03-03T12:00", OHIO_CREDITOR, facts=(WIDOW[0], {**WIDOW[1], "role": "guarantor"}, WIDOW[2])), "ST-2"),
    written(line("fraud", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("fraud.reported"),)), "ST-3"),
    written(line("fraud, a receipt", "2026-03-03T12:00", OHIO_CREDITOR, purpose="transactional", facts=(then("fraud.reported"),))),
    written(line("fraud withdrawn", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("fraud.reported"), later("fraud.reported", withdrawn=True)))),
    written(line("fraud about the other debt", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("fraud.reported", debt_id="d2"),))),
    written(line("wrong party", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("call.completed", outcome="wrong_party", address="+16175550100"),)), "ST-4"),
    written(line("wrong party at another number", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("call.completed", outcome="wrong_party", address="+16175550199"),))),
    written(line("wrong party, texted", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", facts=(consent("2026-01-10T12:00"), then("call.completed", outcome="wrong_party", address="+16175550100"))), "ST-4"),
    written(line("calls refused", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("contact_preference.changed", channels=["call"], refused=True),)), "ST-5"),
    written(line("calls refused, e-mail", "2026-03-03T12:00", OHIO_CREDITOR, channel="email", facts=(then("contact_preference.changed", channels=["call"], refused=True),))),
    written(line("evenings are bad", "2026-03-03T18:00", OHIO_CREDITOR, facts=(then("contact_preference.changed", inconvenient=[{"start": "18:00", "end": "21:00"}]),)), "ST-5", then="2026-03-04T08:00-05:00"),
    written(line("before the evening", "2026-03-03T17:59:59", OHIO_CREDITOR, facts=(then("contact_preference.changed", inconvenient=[{"start": "18:00", "end": "21:00"}]),))),
    written(line("only mornings, at noon", "2026-03-03T12:00", OHIO_CREDITOR, facts=(then("contact_preference.changed", convenient=[{"start": "09:00", "end": "12:00"}]),)), "ST-5", then="2026-03-04T09:00-05:00"),
    written(line("only Mondays", "2026-03-03T10:00", OHIO_CREDITOR, facts=(then("contact_preference.changed", convenient=[{"start": "09:00", "end": "12:00", "days": ["monday"]}]),)), "ST-5", then="2026-03-09T09:00-04:00"),
    written(line("a wish replaced", "2026-03-03T18:00", OHIO_CREDITOR, facts=(then("contact_preference.changed", inconvenient=[{"start": "18:00", "end": "21:00"}]), later("contact_preference.changed")))),
    written(line("on hold", "2026-03-03T12:00", OHIO_CREDITOR, facts=(HOLD,)), "ST-6", then="2026-03-10T08:00-04:00"),
    written(line("on hold, a letter", "2026-03-03T12:00", OHIO_CREDITOR, channel="letter", facts=(HOLD,)), "ST-6", then="2026-03-10T07:00-04:00"),
    written(line("hold is over", "2026-03-10T07:00", OHIO_CREDITOR, channel="letter", facts=(HOLD,))),
    written(line("hold released", "2026-03-03T12:00", OHIO_CREDITOR, facts=(HOLD, later("hold.released", hold_id="h1")))),
    written(line("another hold released", "2026-03-03T12:00", OHIO_CREDITOR, facts=(HOLD, later("hold.released", hold_id="h2"))), "ST-6"),
    written(line("recalled", "2026-03-03T12:00", FIRM, facts=(then("debt.recalled", debt_id="d1"),)), "ST-6", then=NEVER),
    written(line("the other debt sold", "2026-03-03T12:00", FIRM, facts=(then("debt.sold", debt_id="d2"),))),
    written(line("all sold", "2026-03-03T12:00", FIRM, facts=(then("debt.sold"),)), "ST-6"),
    written(line("recalled, a receipt", "2026-03-03T12:00", FIRM, purpose="transactional", facts=(then("debt.recalled", debt_id="d1"),))),
]  # fmt: skip

UNKNOWN = [
    written(line("role unknown", "2026-03-03T12:00", {**OHIO, "collector_role": None}), "unknown_collector_role", then=NEVER),
    written(line("class unknown", "2026-03-03T12:00", {**OHIO, "debt_class": None}), "unknown_debt_class"),
    written(line("country unknown", "2026-03-03T12:00", {**OHIO, "country": ""}), "unknown_country"),
    written(line("zones absent", "2026-03-03T12:00", {**OHIO, "time_zones": []}), "unknown_time_zones"),
    written(line("state unknown", "2026-03-03T12:00", {**OHIO, "state": None}), "unknown_state"),
    written(line("city unknown", "2026-03-03T12:00", {**NEW_YORK, "city": None}), "unknown_city"),
    written(line("city unknown in Ohio", "2026-03-03T12:00", {**OHIO, "city": None})),
    written(line("state unknown in France", "2026-03-03T12:00", PARIS)),
    written(line("nothing known", "2026-03-03T12:00", {}), "unknown_collector_role", "unknown_country", "unknown_debt_class", "unknown_time_zones"),
    written(line("role unknown at night", "2026-03-03T22:00", {**OHIO, "collector_role": None}), "HR-2", "unknown_collector_role"),
    written(line("updated since", "2026-03-03T12:00", {**OHIO, "state": None}, facts=(then("account.updated", state="OH"),))),
]  # fmt: skip

ELSEWHERE: list[Written] = [*MASSACHUSETTS, *WASHINGTON_STATE, *DISTRICT, *CITY, *KINGDOM, *STATUS, *UNKNOWN]
