"""Random lines of `recoup compliance check`, most of them near a boundary; one seed gives one list."""

import datetime as dt
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.compliance_oracle.replies import NO, YES

Line = dict[str, Any]

PLACES: tuple[tuple[Line, tuple[str, ...]], ...] = (
    ({"country": "US", "state": "OH"}, ("America/New_York",)),
    ({"country": "US", "state": "TX"}, ("America/Chicago", "America/Denver")),
    ({"country": "US", "state": "MA"}, ("America/New_York",)),
    ({"country": "US", "state": "WA"}, ("America/Los_Angeles",)),
    ({"country": "US", "state": "DC"}, ("America/New_York",)),
    ({"country": "US", "state": "NY", "city": "Brooklyn"}, ("America/New_York",)),
    ({"country": "US", "state": "NY", "zip": "10458"}, ("America/New_York",)),
    ({"country": "US", "state": "NY", "city": "Albany"}, ("America/New_York",)),
    ({"country": "US", "state": "NY"}, ("America/New_York",)),
    ({"country": "US", "state": "HI"}, ("Pacific/Honolulu", "America/New_York")),
    ({"country": "GB", "state": "ENG"}, ("Europe/London",)),
    ({"country": "GB", "state": "SCT"}, ("Europe/London",)),
    ({"country": "GB"}, ("Europe/London",)),
    ({"country": "DE"}, ("Europe/Berlin",)),
    ({"country": "IN"}, ("Asia/Kolkata",)),
    ({"country": "us", "state": "ma"}, ("America/New_York",)),
    ({"country": "USA", "state": "MA"}, ("America/New_York",)),
    ({"country": "US", "state": "NY", "city": "queens", "zip": "11375-1234"}, ("America/New_York",)),
    ({"country": "US", "state": "NY", "city": "Buffalo", "zip": "10001"}, ("America/New_York",)),
    ({"country": "US", "state": "MA"}, ("America/New_York", "America/Chicago")),
    ({"country": "US", "state": "AK"}, ("America/Anchorage", "America/Adak")),
    ({"country": "AU"}, ("Australia/Lord_Howe",)),
    ({"country": "NP"}, ("Asia/Kathmandu",)),
    ({"country": "BR"}, ("America/Sao_Paulo", "No/Such_Zone")),
    ({"country": "GB", "state": "WLS"}, ("Europe/London", "Europe/Lisbon")),
    ({"country": "GB", "state": "NIR"}, ("Europe/London",)),
    ({"country": "US", "state": "DC"}, ("America/New_York",)),
    ({"country": "US", "state": "WA"}, ("America/Los_Angeles", "America/Denver")),
)
DAYS = (
    *("2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-03-01", "2028-02-29", "2026-08-31", "2026-09-01"),
    *("2025-04-10", "2025-04-11", "2027-01-30", "2027-01-31", "2024-02-08", "2023-07-20", "2026-05-15", "2026-12-31"),
)
CLOCKS = (
    "00:00",
    "07:59:59",
    "08:00",
    "08:30",
    "09:00",
    "12:00",
    "15:30",
    "17:59:59",
    "18:00",
    "20:59:59",
    "21:00",
    "23:59",
)
NUMBER, OTHER, MAIL, OFFICE = "+16175550100", "+16175550199", "debtor@example.org", "debtor@work.example"
CHANNELS = ("call", "voicemail", "sms", "email", "letter")


def lines(seed: int, count: int) -> Iterator[Line]:
    """That many lines, the same for the same seed."""
    rng = Random(seed)
    for number in range(count):
        yield one(rng, f"r{seed}-{number}")


def one(rng: Random, name: str) -> Line:
    """One line: a place, a moment near an edge, some facts, some history."""
    place, zones = rng.choice(PLACES)
    account: Line = {
        "collector_role": rng.choice(("third_party", "third_party", "creditor")),
        "debt_class": rng.choice(("consumer", "consumer", "consumer", "business")),
        "time_zones": list(zones),
        **place,
    }
    if rng.random() < 0.05:
        account[rng.choice(sorted(account))] = rng.choice((None, "")) if rng.random() < 0.7 else None
    day = dt.date.fromisoformat(rng.choice(DAYS)) + dt.timedelta(days=rng.randint(-2, 8))
    clock = rng.choice(CLOCKS) if rng.random() < 0.5 else rng.choice(("10:00", "12:00", "16:00"))
    moment = dt.datetime.combine(day, dt.time.fromisoformat(clock), ZoneInfo(zones[0]))
    channel = rng.choice(CHANNELS)
    contact: Line = {"channel": channel, "debt_id": rng.choice(("d1", "d1", "d1", "d2", None))}
    contact["contact_point"] = _point(rng, channel)
    if rng.random() < 0.3:
        contact["mode"] = rng.choice(("live", "autodialled", "artificial"))
    if rng.random() < 0.4:
        purposes = ("collection", "transactional", "opt_out_confirmation", "consent_request", "validation_notice")
        contact["purpose"] = rng.choice(purposes)
    facts = [_consent(rng, moment, channel)] if rng.random() < 0.7 else []
    facts += [_fact(rng, moment) for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 4)))]
    history = [_was(rng, moment) for _ in range(rng.choice((0, 0, 1, 2, 3, 5, 8, 12)))]
    if rng.random() < 0.5:
        history += _burst(rng, moment)
    if rng.random() < 0.2:
        facts.append(_taken_back(rng, moment))
    if rng.random() < 0.2:
        facts += _reported(rng, moment)
    if rng.random() < 0.6:
        history.append(_at(rng, moment, 20) | {"channel": "letter", "outcome": "sent", "purpose": "validation_notice"})
    rng.shuffle(facts)
    at = moment.astimezone(dt.UTC) if rng.random() < 0.3 else moment
    line = {"case": name, "at": at.isoformat(), "contact": contact, "account": account, "facts": facts}
    return {**line, "history": history}


def _point(rng: Random, channel: str) -> Line:
    work = rng.random() < 0.1
    address = {"email": OFFICE if work else MAIL, "letter": "1 Main Street"}.get(channel, NUMBER)
    point: Line = {"address": address}
    if work or rng.random() < 0.5:
        point["workplace"] = work
    return {**point, "verified": rng.random() < 0.85} if rng.random() < 0.9 else point


def _ago(rng: Random, moment: dt.datetime, days: int) -> dt.datetime:
    """Some time before, often at an edge of a day or exactly at the moment or a little after it."""
    if rng.random() < 0.06:
        return moment + dt.timedelta(seconds=rng.choice((0, 1, -60, -240, -300, -301, 3600)))
    back = moment.date() - dt.timedelta(days=rng.randint(0, days))
    return dt.datetime.combine(back, dt.time.fromisoformat(rng.choice(CLOCKS)), moment.tzinfo)


def _at(rng: Random, moment: dt.datetime, days: int) -> Line:
    line: Line = {"at": _ago(rng, moment, days).isoformat()}
    if rng.random() < 0.85:
        line["debt_id"] = rng.choice(("d1", "d1", "d2"))
    return line


def _was(rng: Random, moment: dt.datetime) -> Line:
    channel = rng.choice(("call", "call", "call", "voicemail", "sms", "email", "letter"))
    outcomes = {
        "call": ("no_answer", "no_answer", "voicemail", "not_connected", "conversation", "failed"),
        "voicemail": ("voicemail", "not_connected", "failed"),
    }
    line = _at(rng, moment, rng.choice((7, 7, 8, 31)))
    line |= {"channel": channel, "outcome": rng.choice(outcomes.get(channel, ("sent", "sent", "sent", "failed")))}
    line["direction"] = "inbound" if rng.random() < 0.1 else "outbound"
    if rng.random() < 0.15:
        line["purpose"] = rng.choice(("transactional", "opt_out_confirmation", "consent_request", "collection"))
    if rng.random() < 0.15:
        line["address"] = rng.choice((MAIL, OFFICE)) if channel == "email" else rng.choice((NUMBER, OTHER))
    if channel == "call" and rng.random() < 0.03:
        line["outcome"] = "wrong_party"
    return line


def _burst(rng: Random, moment: dt.datetime) -> list[Line]:
    """Some of one kind about one debt within a few dates: about as many as a limit allows."""
    channel, mode = rng.choice((("call", "live"), ("call", "artificial"), ("sms", "live"), ("email", "live")))
    outcome = "no_answer" if channel == "call" else "sent"
    same = {"channel": channel, "debt_id": "d1", "outcome": outcome, "mode": mode}
    days = rng.choice((0, 6, 6, 7, 30))
    return [same | {"at": _ago(rng, moment, days).isoformat()} for _ in range(rng.randint(1, 8))]


def _reported(rng: Random, moment: dt.datetime) -> list[Line]:
    """A contact and what became of it, each by its own event."""
    what = rng.choice(("contact.failed", "contact.bounced", "contact.delivered", "call.completed"))
    channel = "call" if what == "call.completed" else rng.choice(("sms", "email"))
    when = _ago(rng, moment, 8)
    same: Line = {"contact_id": "k1", "channel": channel, **_debt(rng)}
    later: Line = {
        **same,
        "type": what,
        "occurred_at": (when + dt.timedelta(minutes=rng.choice((1, 30, 600)))).isoformat(),
    }
    if what == "call.completed":
        later |= {"outcome": rng.choice(("conversation", "not_connected", "voicemail", "no_answer"))}
        del later["channel"]
    return [{**same, "type": "contact.sent", "occurred_at": when.isoformat()}, later]


def _taken_back(rng: Random, moment: dt.datetime) -> Line:
    """An opt-out of some kind, long before, within the last minutes, or now."""
    kind = rng.choice(("opt_out.received", "reply.received", "consent.changed"))
    ago = rng.choice(
        (dt.timedelta(days=rng.randint(0, 70)), dt.timedelta(minutes=5), dt.timedelta(seconds=301), dt.timedelta())
    )
    line: Line = {
        "type": kind,
        "occurred_at": (moment - ago).isoformat(),
        "channel": rng.choice(("sms", "sms", "call", "email")),
    }
    if kind == "reply.received":
        return {**line, "channel": "sms", "text": rng.choice(sorted(YES)), **_debt(rng)}
    return {**line, "state": "revoked"} if kind == "consent.changed" else line


def _consent(rng: Random, moment: dt.datetime, channel: str) -> Line:
    when = moment - dt.timedelta(days=rng.choice((1, 10, 30, 59, 60, 61, 90)), hours=rng.choice((0, 0, 5)))
    line: Line = {"type": "consent.changed", "channel": channel, "state": "granted", "occurred_at": when.isoformat()}
    if rng.random() < 0.3:
        line["form"] = rng.choice(("written", "electronic", "oral"))
    if rng.random() < 0.2:
        line["address"] = rng.choice((NUMBER, OTHER, MAIL, OFFICE))
    return line


def _fact(rng: Random, moment: dt.datetime) -> Line:
    kind = rng.choice(sorted(FACTS))
    when = _ago(rng, moment, rng.choice((3, 10, 70)))
    return {"type": kind.split("/")[0], "occurred_at": when.isoformat(), **FACTS[kind](rng, when)}


def _debt(rng: Random) -> Line:
    return {"debt_id": rng.choice(("d1", "d2"))} if rng.random() < 0.6 else {}


def _form(rng: Random) -> Line:
    return {"form": rng.choice(("written", "electronic", "oral"))} if rng.random() < 0.5 else {}


def _until(rng: Random, name: str, when: dt.datetime) -> Line:
    days = rng.choice((1, 5, 20, 60))
    return {name: (when + dt.timedelta(days=days)).isoformat()} if rng.random() < 0.7 else {}


def _preference(rng: Random, _when: dt.datetime) -> Line:
    spans = [{"start": "09:00", "end": "12:00"}, {"start": "17:30", "end": "22:00", "days": ["monday", "friday"]}]
    spans += [
        {"start": "00:00", "end": "24:00", "days": ["sunday"]},
        {"start": "02:30", "end": "08:30"},
        {"start": "20:30", "end": "09:30"},
    ]
    line: Line = {"channels": rng.choice(([], [], ["call"], ["sms", "email"]))}
    name = rng.choice(("convenient", "inconvenient", "refused", "workplace_refused", "language"))
    line[name] = {"refused": True, "workplace_refused": True, "language": "es"}.get(name) or [rng.choice(spans)]
    return line


FACTS: dict[str, Callable[[Random, dt.datetime], Line]] = {
    "consent.changed": lambda rng, _: {
        "channel": rng.choice((*CHANNELS, "all")),
        "state": rng.choice(("granted", "revoked")),
        "scope": rng.choice(("contact", "contact", "extra_calls")),
        "direct": rng.random() < 0.7,
    },
    "consent.changed/calls": lambda rng, _: {
        "channel": "call", "state": "granted", "scope": "extra_calls", "direct": rng.random() < 0.8, **_debt(rng)
    },
    "opt_out.received": lambda rng, _: {
        "channel": rng.choice((*CHANNELS, "all")),
        **({"address": rng.choice((NUMBER, OTHER, MAIL))} if rng.random() < 0.3 else {}),
    },
    "reply.received": lambda rng, _: {
        "channel": rng.choice(("sms", "sms", "email")),
        "text": rng.choice((*sorted(YES), *NO)),
        **_debt(rng),
    },
    "dispute.opened": lambda rng, _: {
        **_debt(rng), **_form(rng),
        **({"invoice_id": "i1"} if rng.random() < 0.2 else {}),
        **({"dispute_id": rng.choice(("q1", "q2"))} if rng.random() < 0.3 else {}),
    },
    "dispute.resolved/named": lambda rng, _: {
        "dispute_id": rng.choice(("q1", "q2")),
        "outcome": rng.choice(("verified", "withdrawn")),
    },
    "reply.read": lambda rng, _: {
        "reply_id": "e1", "channel": rng.choice(("sms", "email")), "reader": "7",
        "intent": rng.choice(("opt_out", "other", "question", "wrong_person")),
    },
    "consent.changed/debt": lambda rng, _: {
        "channel": rng.choice(("sms", "call", "all")), "state": rng.choice(("granted", "revoked")), **_debt(rng)
    },
    "hold.released/all": lambda rng, _: _debt(rng),
    "hold.placed/nameless": lambda rng, when: {**_debt(rng), **_until(rng, "until", when)},
    "debt.sold": lambda rng, _: _debt(rng),
    "contact_point.updated/work": lambda rng, _: {
        "channel": "email", "address": MAIL, "workplace": rng.random() < 0.7, "verified": rng.random() < 0.7
    },
    "consent.changed/work": lambda rng, _: {
        "channel": "email", "address": OFFICE, "state": rng.choice(("granted", "granted", "revoked"))
    },
    "dispute.resolved": lambda rng, _: {**_debt(rng), "outcome": rng.choice(("verified", "upheld", "withdrawn"))},
    "cease_requested": lambda rng, _: {**_debt(rng), **_form(rng), "withdrawn": rng.random() < 0.3},
    "representation.changed": lambda rng, _: {
        "represented": rng.random() < 0.6,
        **({"kind": rng.choice(("attorney", "other"))} if rng.random() < 0.6 else {}),
        **({"party_id": rng.choice(("p1", "p2"))} if rng.random() < 0.3 else {}),
        **(_debt(rng) if rng.random() < 0.4 else {}),
    },
    "contact_point.checked": lambda rng, _: {
        "address": rng.choice((NUMBER, NUMBER, OTHER)), "result": rng.choice(("not_reassigned", "reassigned"))
    },
    "contact_point.updated": lambda rng, _: {
        "channel": "call", "address": NUMBER, "line_type": rng.choice(("mobile", "landline")), "verified": True
    },
    "contact_preference.changed": _preference,
    "breathing_space.started": lambda rng, when: {
        "kind": rng.choice(("standard", "mental_health")), **_until(rng, "ends_at", when)
    },
    "breathing_space.started/again": lambda rng, when: {"kind": "standard", **_until(rng, "ends_at", when)},
    "breathing_space.ended": lambda rng, _: {},
    "bankruptcy.filed": lambda rng, _: {},
    "bankruptcy.ended": lambda rng, _: {"outcome": rng.choice(("dismissed", "closed", "discharged"))},
    "deceased.reported": lambda rng, _: {},
    "fraud.reported": lambda rng, _: {**_debt(rng), "withdrawn": rng.random() < 0.3},
    "hold.placed": lambda rng, when: {"hold_id": rng.choice(("h1", "h2")), **_debt(rng), **_until(rng, "until", when)},
    "hold.released": lambda rng, _: {"hold_id": rng.choice(("h1", "h2"))},
    "debt.recalled": lambda rng, _: _debt(rng),
    "debt.placed": lambda rng, when: {
        "debt_id": rng.choice(("d1", "d2")),
        "secured_by": rng.choice(("nothing", "vehicle", "other")),
        "defaulted_on": (when.date() - dt.timedelta(days=rng.choice((10, 25, 40)))).isoformat(),
    },
    "call.completed": lambda rng, _: {
        "outcome": rng.choice(("conversation", "no_answer", "wrong_party", "not_connected")),
        "direction": rng.choice(("inbound", "outbound")),
        "address": rng.choice((NUMBER, OTHER)),
        **_debt(rng),
    },
    "contact.sent": lambda rng, _: {
        "contact_id": f"k{rng.randint(10, 10_000)}", "channel": rng.choice(CHANNELS), **_debt(rng)
    },
    "account.updated": lambda rng, _: rng.choice(({"state": "MA"}, {"segment": "vip"}, {"language": "es"})),
    "party.linked": lambda rng, _: {"party_id": "p1", "role": rng.choice(("spouse", "attorney", "guarantor"))},
    "contact_point.updated/party": lambda rng, _: {
        "channel": "call", "address": NUMBER, "party_id": "p1", "verified": True
    },
    "hardship.declared": lambda rng, _: {},
    "complaint.received": lambda rng, _: {},
    "promise.cancelled": lambda rng, _: {"promise_id": "p1"},
}  # fmt: skip
