"""Cases written by hand for RF-* and TC-*."""

# ruff: noqa: E501 -- a case a line
from tests.compliance_oracle.cases import (
    ALBANY,
    EASTERN,
    FIRM,
    NEVER,
    OHIO,
    OHIO_CREDITOR,
    Written,
    at,
    consent,
    fact,
    line,
    noticed,
    was,
    written,
)

SIX = tuple(was(f"2026-03-0{day}T12:00") for day in (3, 4, 5, 6, 7, 8))
SEVEN = (was("2026-03-03T11:00"), *SIX)
TALK = was("2026-03-03T20:59", outcome="conversation")
NOTICE = noticed()
STOP = fact("reply.received", "2026-03-02T12:00", channel="sms", text="STOP")
OLD = consent("2026-01-10T12:00")
NOTED = (NOTICE,)
EXTRA = fact("consent.changed", "2026-03-03T09:00", channel="call", state="granted", scope="extra_calls", direct=True)
NIGHT = {"start": "20:00", "end": "21:00"}

CALLS = [
    written(line("six calls in seven dates", "2026-03-09T10:00", OHIO, history=SIX)),
    written(
        line("seven calls in seven dates", "2026-03-09T10:00", OHIO, history=SEVEN),
        "RF-1",
        then="2026-03-10T08:00-04:00",
    ),
    written(line("the eighth date frees one", "2026-03-10T08:00", OHIO, history=SEVEN)),
    written(line("a creditor may", "2026-03-09T10:00", OHIO_CREDITOR, history=SEVEN)),
    written(line("a business debt", "2026-03-09T10:00", FIRM, history=SEVEN)),
    written(line("a voicemail is a call", "2026-03-09T10:00", OHIO, channel="voicemail", history=SEVEN), "RF-1"),
    written(line("a letter is none", "2026-03-09T10:00", OHIO, channel="letter", history=SEVEN)),
    written(line("an e-mail is none", "2026-03-09T10:00", OHIO, channel="email", history=SEVEN)),
    written(line("the other debt", "2026-03-09T10:00", OHIO, history=SEVEN, debt_id="d2")),
    written(
        line(
            "calls about no debt in particular",
            "2026-03-09T10:00",
            OHIO,
            history=(*SIX, was("2026-03-09T09:00", debt_id=None)),
        ),
        "RF-1",
    ),
    written(
        line(
            "not connected", "2026-03-09T10:00", OHIO, history=(*SIX, was("2026-03-09T09:00", outcome="not_connected"))
        )
    ),
    written(line("failed", "2026-03-09T10:00", OHIO, history=(*SIX, was("2026-03-09T09:00", outcome="failed")))),
    written(line("inbound", "2026-03-09T10:00", OHIO, history=(*SIX, was("2026-03-09T09:00", direction="inbound")))),
    written(
        line("outcome unknown", "2026-03-09T10:00", OHIO, history=(*SIX, was("2026-03-09T09:00", outcome=None))), "RF-1"
    ),
    written(
        line(
            "transactional is not counted",
            "2026-03-09T10:00",
            OHIO,
            history=(*SIX, was("2026-03-09T09:00", purpose="transactional")),
        )
    ),
    written(line("transactional is not limited", "2026-03-09T10:00", OHIO, history=SEVEN, purpose="transactional")),
    written(line("calls after the moment", "2026-03-09T10:00", OHIO, history=(*SIX, was("2026-03-09T10:01")))),
    written(line("a call at the moment", "2026-03-09T10:00", OHIO, history=(*SIX, was("2026-03-09T10:00"))), "RF-1"),
    written(
        line(
            "a call at 23:59 of the eighth date back", "2026-03-09T10:00", OHIO, history=(*SIX, was("2026-03-02T23:59"))
        )
    ),
    written(
        line("month end", "2026-03-01T10:00", OHIO, history=tuple(was("2026-02-23T20:00") for _ in range(7))),
        "RF-1",
        then="2026-03-02T08:00-05:00",
    ),
    written(line("leap day", "2028-03-06T10:00", OHIO, history=tuple(was("2028-02-28T12:00") for _ in range(7)))),
    written(
        line("leap day inside", "2028-03-05T10:00", OHIO, history=tuple(was("2028-02-28T12:00") for _ in range(7))),
        "RF-1",
        then="2028-03-06T08:00-05:00",
    ),
    written(
        line(
            "a rolling week over the autumn change",
            "2026-11-05T10:00",
            OHIO,
            history=tuple(was("2026-10-30T20:30") for _ in range(7)),
        ),
        "RF-1",
        then="2026-11-06T08:00-05:00",
    ),
    written(
        line(
            "call.completed is history",
            "2026-03-09T10:00",
            OHIO,
            history=SIX,
            facts=(fact("call.completed", "2026-03-09T09:00", outcome="no_answer", debt_id="d1"),),
        ),
        "RF-1",
    ),
    written(
        line(
            "one call reported twice",
            "2026-03-09T10:00",
            OHIO,
            history=SIX[1:],
            facts=(
                fact("contact.sent", "2026-03-09T08:00", channel="call", contact_id="k1", debt_id="d1"),
                fact("call.completed", "2026-03-09T08:05", outcome="no_answer", contact_id="k1", debt_id="d1"),
            ),
        )
    ),
    written(line("consent to extra calls", "2026-03-09T10:00", OHIO, history=SEVEN, facts=(EXTRA,))),
    written(
        line(
            "day 8 of that consent",
            "2026-03-10T10:00",
            OHIO,
            history=tuple(was("2026-03-10T09:00") for _ in range(7)),
            facts=(EXTRA,),
        ),
        "RF-1",
    ),
    written(
        line(
            "an ordinary consent is not that",
            "2026-03-09T10:00",
            OHIO,
            history=SEVEN,
            facts=(consent("2026-03-03T09:00", "call", direct=True),),
        ),
        "RF-1",
    ),
    written(
        line("handed over, not direct", "2026-03-09T10:00", OHIO, history=SEVEN, facts=({**EXTRA, "direct": False},)),
        "RF-1",
    ),
    written(
        line(
            "extra calls taken back",
            "2026-03-09T10:00",
            OHIO,
            history=(was("2026-03-03T08:00"),) * 7,
            facts=(EXTRA, {**EXTRA, "state": "revoked", "occurred_at": at("2026-03-04T09:00")}),
        ),
        "RF-1",
    ),
    written(
        line("the date of a conversation", "2026-03-03T20:59:59", OHIO, history=(TALK, NOTICE)),
        "RF-2",
        then="2026-03-10T08:00-04:00",
    ),
    written(
        line("conversation plus six dates", "2026-03-09T20:59:59", OHIO, history=(TALK, NOTICE)),
        "RF-2",
        then="2026-03-10T08:00-04:00",
    ),
    written(line("conversation plus seven dates", "2026-03-10T08:00", OHIO, history=(TALK, NOTICE))),
    written(
        line("an inbound conversation", "2026-03-09T10:00", OHIO, history=({**TALK, "direction": "inbound"}, NOTICE)),
        "RF-2",
    ),
    written(
        line(
            "a conversation about the other debt", "2026-03-09T10:00", OHIO, history=({**TALK, "debt_id": "d2"}, NOTICE)
        )
    ),
    written(line("a text after a conversation", "2026-03-09T10:00", OHIO, channel="email", history=(TALK, NOTICE))),
    written(line("extra calls after a conversation", "2026-03-09T10:00", OHIO, history=(TALK, NOTICE), facts=(EXTRA,))),
    written(
        line(
            "a month end after a conversation",
            "2026-03-01T10:00",
            OHIO,
            history=(was("2026-02-22T12:00", outcome="conversation"), NOTICE),
        )
    ),
    written(
        line(
            "six dates over a month end",
            "2026-02-28T10:00",
            OHIO,
            history=(was("2026-02-22T12:00", outcome="conversation"), NOTICE),
        ),
        "RF-2",
        then="2026-03-01T08:00-05:00",
    ),
    written(
        line(
            "seven dates in the west, six in the east",
            "2026-03-10T14:00",
            {**OHIO, "time_zones": [EASTERN, "Pacific/Honolulu"]},
            history=(NOTICE, {**TALK, "at": "2026-03-04T05:30:00Z"}),
        ),
        "RF-2",
        then="2026-03-11T14:00-04:00",
    ),
]

HOURS = [
    written(line("07:59:59", "2026-03-03T07:59:59", OHIO), "RF-4", "HR-2", then="2026-03-03T08:00-05:00"),
    written(line("08:00:00", "2026-03-03T08:00", OHIO)),
    written(line("20:59:59", "2026-03-03T20:59:59", OHIO)),
    written(line("21:00:00", "2026-03-03T21:00", OHIO), "RF-4", "HR-2", then="2026-03-04T08:00-05:00"),
    written(line("an e-mail at 21:00", "2026-03-03T21:00", OHIO, channel="email"), "RF-4", "HR-2"),
    written(line("a letter at night", "2026-03-03T23:00", OHIO, channel="letter")),
    written(line("a creditor's call at 21:00", "2026-03-03T21:00", OHIO_CREDITOR), "HR-2"),
    written(line("a firm's e-mail at 21:00", "2026-03-03T21:00", FIRM, channel="email")),
    written(line("a firm's call at 21:00", "2026-03-03T21:00", FIRM), "HR-2"),
    written(line("transactional at 21:00", "2026-03-03T21:00", OHIO, channel="email", purpose="transactional"), "RF-4", "HR-2"),
    written(line("the night of the spring change", "2026-03-07T21:00", OHIO), "RF-4", "HR-2", then="2026-03-08T08:00-04:00"),
    written(line("08:00 of the spring change", "2026-03-08T12:00:00Z", OHIO)),
    written(line("07:59:59 of the spring change", "2026-03-08T11:59:59Z", OHIO), "RF-4", "HR-2"),
    written(line("08:00 of the autumn change", "2026-11-01T13:00:00Z", OHIO)),
    written(line("07:00 of the autumn change", "2026-11-01T12:00:00Z", OHIO), "RF-4", "HR-2", then="2026-11-01T13:00Z"),
    written(line("two zones, one of them asleep", "2026-03-03T09:00", {**OHIO, "time_zones": [EASTERN, "America/Los_Angeles"]}), "RF-4", "RF-5", "HR-2", then="2026-03-03T11:00-05:00"),
    written(line("two zones, both awake", "2026-03-03T11:00", {**OHIO, "time_zones": [EASTERN, "America/Los_Angeles"]})),
    written(line("a zone without summer time", "2026-07-01T08:30", {**OHIO, "state": "AZ", "time_zones": ["America/Phoenix", "America/Denver"]})),
    written(line("a zone without summer time, early", "2026-07-01T07:30", {**OHIO, "state": "AZ", "time_zones": ["America/Phoenix", "America/Denver"]}), "RF-4", "RF-5", "HR-2", then="2026-07-01T08:00-07:00"),
]  # fmt: skip

SMS = [
    written(line("no consent", "2026-03-03T12:00", OHIO, channel="sms"), "RF-10", "TC-1", then=NEVER),
    written(line("a creditor without consent", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms"), "TC-1", then=NEVER),
    written(line("a firm without consent", "2026-03-03T12:00", FIRM, channel="sms"), "TC-1"),
    written(line("consent sixty days old", "2026-03-11T12:00", OHIO, channel="sms", facts=(OLD,))),
    written(line("consent sixty-one days old", "2026-03-12T12:00", OHIO, channel="sms", facts=(OLD,)), "RF-10", then=NEVER),
    written(line("a creditor has no sixty days", "2026-03-12T12:00", OHIO_CREDITOR, channel="sms", facts=(OLD,))),
    written(line("renewed", "2026-03-12T12:00", OHIO, channel="sms", facts=(OLD, consent("2026-02-10T12:00")))),
    written(line("a text from the consumer", "2026-03-12T12:00", OHIO, channel="sms", facts=(OLD, fact("reply.received", "2026-02-10T12:00", channel="sms", text="I will pay on Friday")))),
    written(line("an old text from the consumer", "2026-03-12T12:00", OHIO, channel="sms", facts=(OLD, fact("reply.received", "2026-01-10T13:00", channel="sms", text="I will pay on Friday"))), "RF-10"),
    written(line("a check that is fresh", "2026-03-12T12:00", OHIO, channel="sms", facts=(OLD, fact("contact_point.checked", "2026-01-11T12:00", address="+16175550100", result="not_reassigned")))),
    written(line("a check that is old", "2026-03-13T12:00", OHIO, channel="sms", facts=(OLD, fact("contact_point.checked", "2026-01-11T12:00", address="+16175550100", result="not_reassigned"))), "RF-10"),
    written(line("a check of another number", "2026-03-12T12:00", OHIO, channel="sms", facts=(OLD, fact("contact_point.checked", "2026-03-01T12:00", address="+16175550199", result="not_reassigned"))), "RF-10"),
    written(line("reassigned since", "2026-03-03T12:00", OHIO, channel="sms", facts=(OLD, fact("contact_point.checked", "2026-03-01T12:00", address="+16175550100", result="reassigned"))), "RF-10"),
    written(line("e-mail needs no consent", "2026-03-03T12:00", OHIO, channel="email")),
    written(line("a live call needs none", "2026-03-03T12:00", OHIO)),
    written(line("autodialled", "2026-03-03T12:00", OHIO, mode="autodialled"), "TC-1"),
    written(line("autodialled with consent", "2026-03-03T12:00", OHIO, mode="autodialled", facts=(consent("2026-01-10T12:00", "call"),))),
    written(line("an artificial voice", "2026-03-03T12:00", OHIO_CREDITOR, mode="artificial"), "TC-1", "TC-5"),
    written(line("an artificial voice before FCC 24-17", "2024-02-07T12:00", OHIO_CREDITOR, mode="artificial"), "TC-1"),
    written(line("an artificial voice with consent", "2026-03-03T12:00", OHIO_CREDITOR, mode="artificial", facts=(consent("2026-01-10T12:00", "call"),))),
    written(line("consent to texts is none to calls", "2026-03-03T12:00", OHIO_CREDITOR, mode="autodialled", facts=(OLD,)), "TC-1"),
    written(line("consent for another number", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", facts=(consent("2026-01-10T12:00", address="+16175550199"),)), "TC-1"),
    written(line("consent in the future", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", facts=(consent("2026-03-03T12:01"),)), "TC-1"),
    written(line("consent at this moment", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", facts=(consent("2026-03-03T12:00"),))),
    written(line("a consent request by text", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", purpose="consent_request"), "TC-1"),
]  # fmt: skip

OPT_OUT = [
    written(line("STOP", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", facts=(OLD, STOP)), "TC-1", "TC-2", then=NEVER),
    written(line("STOP to a third party", "2026-03-03T12:00", OHIO, channel="sms", facts=(OLD, STOP)), "RF-7", "RF-10", "TC-1", "TC-2"),
    written(line("STOP, then consent", "2026-03-03T12:00", OHIO, channel="sms", facts=(STOP, consent("2026-03-02T12:01")))),
    written(line("an older consent that arrives late", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", facts=(STOP, consent("2026-03-02T11:59"))), "TC-1", "TC-2"),
    written(line("STOP does not end e-mail", "2026-03-03T12:00", OHIO, channel="email", facts=(OLD, STOP))),
    written(line("STOP does not end live calls", "2026-03-03T12:00", OHIO, facts=(OLD, STOP))),
    written(line("STOP ends artificial calls", "2026-03-03T12:00", OHIO_CREDITOR, mode="artificial", facts=(consent("2026-01-10T12:00", "all"), STOP)), "TC-2"),
    written(line("STOP in the future", "2026-03-02T11:59:59", OHIO_CREDITOR, channel="sms", facts=(OLD, STOP))),
    written(line("STOP at this moment", "2026-03-02T12:00", OHIO_CREDITOR, channel="sms", facts=(OLD, STOP)), "TC-1", "TC-2"),
    written(line("a bus stop", "2026-03-03T12:00", OHIO, channel="sms", facts=(OLD, {**STOP, "text": "I am at the bus stop"}))),
    written(line("stop calling, said by text", "2026-03-03T12:00", OHIO, facts=({**STOP, "text": "Stop calling me"},)), "RF-7", "TC-2"),
    written(line("stop calling leaves texts", "2026-03-03T12:00", OHIO, channel="sms", facts=(OLD, {**STOP, "text": "Stop calling me"}))),
    written(line("stop calling means voicemail too", "2026-03-03T12:00", OHIO, channel="voicemail", facts=({**STOP, "text": "Stop calling me"},)), "RF-7", "TC-2"),
    written(line("in Spanish", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", facts=(OLD, {**STOP, "text": "Por favor, dejen de enviarme mensajes"})), "TC-1", "TC-2"),
    written(line("opted out of everything", "2026-03-03T12:00", OHIO, facts=(fact("opt_out.received", "2026-03-02T12:00", channel="all"),)), "RF-7", "TC-2"),
    written(line("opted out of e-mail", "2026-03-03T12:00", OHIO, channel="email", facts=(fact("opt_out.received", "2026-03-02T12:00", channel="email"),)), "RF-7"),
    written(line("opted out at another number", "2026-03-03T12:00", OHIO, facts=(fact("opt_out.received", "2026-03-02T12:00", channel="call", address="+16175550199"),))),
    written(line("transactional after an opt-out", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", purpose="transactional", facts=(OLD, STOP)), "TC-1", "TC-2"),
    written(line("consent revoked", "2026-03-03T12:00", OHIO_CREDITOR, channel="sms", facts=(OLD, consent("2026-03-02T12:00", state="revoked"))), "TC-1", "TC-2"),
    written(line("revoked before 64.1200(a)(10)", "2025-04-10T12:00", OHIO_CREDITOR, channel="sms", facts=(consent("2025-04-01T12:00"), fact("opt_out.received", "2025-04-02T12:00", channel="sms"))), "TC-1", "ST-5"),
    written(line("revoked under 64.1200(a)(10)", "2025-04-11T12:00", OHIO_CREDITOR, channel="sms", facts=(consent("2025-04-01T12:00"), fact("opt_out.received", "2025-04-02T12:00", channel="sms"))), "TC-1", "TC-2"),
    written(line("an unrelated matter in 2026", "2027-01-30T12:00", OHIO_CREDITOR, mode="artificial", debt_id="d2", facts=(consent("2026-01-10T12:00", "call"), {**STOP, "debt_id": "d1"}))),
    written(line("an unrelated matter in 2027", "2027-01-31T12:00", OHIO_CREDITOR, mode="artificial", debt_id="d2", facts=(consent("2026-01-10T12:00", "call"), {**STOP, "debt_id": "d1"})), "TC-3"),
    written(line("the confirmation", "2026-03-02T12:05", OHIO_CREDITOR, channel="sms", purpose="opt_out_confirmation", facts=(OLD, STOP))),
    written(line("the confirmation, late", "2026-03-02T12:05:01", OHIO_CREDITOR, channel="sms", purpose="opt_out_confirmation", facts=(OLD, STOP)), "TC-4", then=NEVER),
    written(line("the confirmation at night", "2026-03-02T23:04", OHIO_CREDITOR, channel="sms", purpose="opt_out_confirmation", facts=(OLD, {**STOP, "occurred_at": at("2026-03-02T23:00")}))),
    written(line("a second confirmation", "2026-03-02T12:04", OHIO_CREDITOR, channel="sms", purpose="opt_out_confirmation", facts=(OLD, STOP), history=(was("2026-03-02T12:01", "sms", "sent", purpose="opt_out_confirmation"),)), "TC-4"),
    written(line("a confirmation of nothing", "2026-03-02T12:04", OHIO_CREDITOR, channel="sms", purpose="opt_out_confirmation", facts=(OLD,)), "TC-4"),
]  # fmt: skip

LINE = fact(
    "contact_point.updated",
    "2026-01-02T12:00",
    channel="call",
    address="+16175550100",
    line_type="landline",
    verified=True,
)
ROBOTS = tuple(was(f"2026-03-{day:02d}T12:00", mode="artificial") for day in (1, 2, 3))
RESIDENTIAL = [
    written(line("two artificial calls to a landline", "2026-03-30T12:00", OHIO_CREDITOR, mode="artificial", facts=(LINE,), history=ROBOTS[1:])),
    written(line("three artificial calls to a landline", "2026-03-30T12:00", OHIO_CREDITOR, mode="artificial", facts=(LINE,), history=ROBOTS), "TC-8", then="2026-03-31T08:00-04:00"),
    written(line("thirty dates later", "2026-03-31T12:00", OHIO_CREDITOR, mode="artificial", facts=(LINE,), history=ROBOTS)),
    written(line("three, with consent", "2026-03-30T12:00", OHIO_CREDITOR, mode="artificial", facts=(LINE, consent("2026-01-10T12:00", "call")), history=ROBOTS)),
    written(line("three before 2023-07-20", "2023-07-19T12:00", OHIO_CREDITOR, mode="artificial", facts=({**LINE, "occurred_at": at("2023-01-02T12:00")},), history=tuple(was("2023-07-18T12:00", mode="artificial") for _ in range(3)))),
    written(line("three on 2023-07-20", "2023-07-20T12:00", OHIO_CREDITOR, mode="artificial", facts=({**LINE, "occurred_at": at("2023-01-02T12:00")},), history=tuple(was("2023-07-18T12:00", mode="artificial") for _ in range(3))), "TC-8"),
]  # fmt: skip

CEASE = fact("cease_requested", "2026-03-01T12:00")
LAWYER = fact("representation.changed", "2026-03-01T12:00", represented=True, kind="attorney")
DISPUTE = fact("dispute.opened", "2026-03-01T12:00", debt_id="d1")
WORK = {"address": "debtor@work.example", "workplace": True}
STATED = [
    written(line("ceased", "2026-03-03T12:00", OHIO, facts=(CEASE,)), "RF-8", then=NEVER),
    written(line("ceased, transactional", "2026-03-03T12:00", OHIO, channel="letter", purpose="transactional", facts=(CEASE,)), "RF-8"),
    written(line("ceased by word of mouth", "2026-03-03T12:00", OHIO, facts=({**CEASE, "form": "oral"},))),
    written(line("ceased and taken back", "2026-03-03T12:00", OHIO, facts=(CEASE, {**CEASE, "withdrawn": True, "occurred_at": at("2026-03-02T12:00")}))),
    written(line("ceased with a creditor", "2026-03-03T12:00", OHIO_CREDITOR, facts=(CEASE,))),
    written(line("ceased about the other debt", "2026-03-03T12:00", OHIO, facts=({**CEASE, "debt_id": "d2"},))),
    written(line("represented", "2026-03-03T12:00", OHIO, facts=(LAWYER,)), "RF-9", then=NEVER),
    written(line("represented, by whom unknown", "2026-03-03T12:00", OHIO, facts=(fact("representation.changed", "2026-03-01T12:00", represented=True),)), "RF-9"),
    written(line("no longer represented", "2026-03-03T12:00", OHIO, facts=(LAWYER, fact("representation.changed", "2026-03-02T12:00", represented=False)))),
    written(line("represented, before", "2026-03-01T11:59", OHIO, facts=(LAWYER,))),
    written(line("work e-mail", "2026-03-03T12:00", OHIO, channel="email", point=WORK), "RF-9"),
    written(line("work e-mail with consent to it", "2026-03-03T12:00", OHIO, channel="email", point=WORK, facts=(consent("2026-01-10T12:00", "email", address="debtor@work.example"),))),
    written(line("work e-mail with another consent", "2026-03-03T12:00", OHIO, channel="email", point=WORK, facts=(consent("2026-01-10T12:00", "email"),)), "RF-9"),
    written(line("a call at work", "2026-03-03T12:00", OHIO, point={"workplace": True})),
    written(line("a call at work, forbidden", "2026-03-03T12:00", OHIO, point={"workplace": True}, facts=(fact("contact_preference.changed", "2026-03-01T12:00", workplace_refused=True),)), "RF-9", "ST-5"),
    written(line("five days after the first talk", "2026-03-06T12:00", OHIO, channel="letter", history=(was("2026-03-01T12:00", outcome="conversation"),))),
    written(line("six days after the first talk", "2026-03-07T12:00", OHIO, channel="letter", history=(was("2026-03-01T12:00", outcome="conversation"),)), "RF-12", then=NEVER),
    written(line("six days, the notice itself", "2026-03-07T12:00", OHIO, channel="letter", purpose="validation_notice", history=(was("2026-03-01T12:00", outcome="conversation"),))),
    written(line("six days, noticed", "2026-03-07T12:00", OHIO, channel="letter", history=(was("2026-03-01T12:00", outcome="conversation"), noticed("2026-03-06T12:00")))),
    written(line("six days, notice failed", "2026-03-07T12:00", OHIO, channel="letter", history=(was("2026-03-01T12:00", outcome="conversation"), noticed("2026-03-06T12:00", outcome="failed"))), "RF-12"),
    written(line("six days, noticed of the other debt", "2026-03-07T12:00", OHIO, channel="letter", history=(was("2026-03-01T12:00", outcome="conversation"), noticed("2026-03-06T12:00", debt_id="d2"))), "RF-12"),
    written(line("attempts start no clock", "2026-03-20T12:00", OHIO, channel="letter", history=(was("2026-03-01T12:00"), was("2026-03-01T13:00", "voicemail", "voicemail")))),
    written(line("a letter starts it", "2026-03-07T12:00", OHIO, channel="letter", history=(was("2026-03-01T12:00", "letter", "sent"),)), "RF-12"),
    written(line("a creditor sends no notice", "2026-03-20T12:00", OHIO_CREDITOR, channel="letter", history=(was("2026-03-01T12:00", "letter", "sent"),))),
    written(line("disputed in the validation period", "2026-03-03T12:00", OHIO, facts=(DISPUTE,), history=(noticed("2026-02-16T12:00"),)), "RF-14", then=NEVER),
    written(line("disputed before any notice", "2026-03-03T12:00", OHIO, facts=(DISPUTE,)), "RF-14"),
    written(line("disputed by word of mouth", "2026-03-03T12:00", OHIO, facts=({**DISPUTE, "form": "oral"},), history=(noticed("2026-02-16T12:00"),)), "ST-6"),
    # Sent on Friday 2026-01-16: the 19th is a holiday, so received on the 26th, and the period ends on 2026-02-25.
    written(line("disputed on its last day", "2026-03-03T12:00", OHIO, facts=({**DISPUTE, "occurred_at": at("2026-02-25T23:59")},), history=(noticed("2026-01-16T12:00"),)), "RF-14"),
    written(line("disputed a day later", "2026-03-03T12:00", OHIO, facts=({**DISPUTE, "occurred_at": at("2026-02-26T00:00")},), history=(noticed("2026-01-16T12:00"),)), "ST-6"),
    written(line("disputed with a creditor", "2026-03-03T12:00", OHIO_CREDITOR, facts=(DISPUTE,)), "ST-6"),
    written(line("verified", "2026-03-03T12:00", OHIO, facts=(DISPUTE, fact("dispute.resolved", "2026-03-02T12:00", debt_id="d1", outcome="verified")))),
    written(line("upheld", "2026-03-03T12:00", OHIO, facts=(DISPUTE, fact("dispute.resolved", "2026-03-02T12:00", debt_id="d1", outcome="upheld"))), "RF-14", then=NEVER),
    written(line("withdrawn", "2026-03-03T12:00", OHIO, facts=(DISPUTE, fact("dispute.resolved", "2026-03-02T12:00", debt_id="d1", outcome="withdrawn")))),
    written(line("the other debt is disputed", "2026-03-03T12:00", OHIO, facts=({**DISPUTE, "debt_id": "d2"},))),
    written(line("an invoice is disputed", "2026-03-03T12:00", OHIO, facts=({**DISPUTE, "invoice_id": "i1"},))),
    written(line("upstate New York has no city rule", "2026-03-03T12:00", ALBANY, channel="letter", history=(was("2026-03-01T12:00", "letter", "sent"), noticed("2026-03-02T12:00"), was("2026-03-02T13:00")))),
]  # fmt: skip

FEDERAL: list[Written] = [*CALLS, *HOURS, *SMS, *OPT_OUT, *RESIDENTIAL, *STATED]
