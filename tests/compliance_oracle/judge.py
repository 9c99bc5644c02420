"""Which rules deny a contact, and when it would be allowed: every rule asked one by one, every edge of a clock tried."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tests.compliance_oracle import anywhere, calls_and_texts, federal, places
from tests.compliance_oracle.log import ELECTRONIC, Case, read, when
from tests.compliance_oracle.wishes import preferences

NEVER_PASSES = {"RF-8", "RF-9", "RF-14", "ST-1", "ST-2", "ST-3", "ST-4", "TC-1", "TC-2", "TC-3", "TC-4", "TC-5", "RF-7"}
"""What denies by these denies for good, unless something else happens."""


def judge(case: dict[str, Any]) -> set[str]:
    """The ids of all rules that deny the contact of one line of `recoup compliance check`; empty = allowed."""
    return _judge(read(case))


def judge_contact(
    events: Iterable[dict[str, Any] | msgspec.Struct], contact: dict[str, Any], account: dict[str, Any]
) -> set[str]:
    """The ids of all rules that deny a contact of a long run.

    `events`: the crm- and interaction-events of the one account (payloads as dicts or Structs, in any order; those after
    the contact are ignored, so is the contact itself by its `contact_id`). `contact`: a line's `contact` with `at`, and
    `contact_id` if its own report is among the events. `account`: a line's `account`.
    """
    facts = [fact if isinstance(fact, dict) else msgspec.to_builtins(fact) for fact in events]
    own = contact.get("contact_id")
    facts = [fact for fact in facts if own is None or fact.get("contact_id") != own]
    return judge({"at": contact["at"], "contact": contact, "account": account, "facts": facts})


def next_allowed(case: dict[str, Any]) -> dt.datetime | None:
    """The earliest instant from the one asked about at which nothing denies, if nothing else happens; None = never.

    Everything that ever changes by itself changes at the edge of an hour, a day or a span that a fact names. A month
    after the last such span only weeks repeat, so 40 days after each are searched.
    """
    now = read(case)
    denied = _judge(now)
    if not denied:
        return now.at
    if denied & NEVER_PASSES or any(rule.startswith("unknown_") for rule in denied):
        return None
    later = {"at": ..., **{name: case.get(name) for name in ("contact", "account", "history", "facts")}}
    for at in _edges(now):
        if not _judge(_moved(now, later, at)):
            return at
    return None


def _moved(now: Case, _case: dict[str, Any], at: dt.datetime) -> Case:
    return dataclasses.replace(now, at=at)


def _edges(case: Case) -> Iterator[dt.datetime]:
    spans = [
        span for said in preferences(case) for name in ("convenient", "inconvenient") for span in said.get(name) or ()
    ]
    clocks = {"00:00", "08:00", "09:00", "18:00", "21:00"} | {span[end] for span in spans for end in ("start", "end")}
    named = [when(fact["until"]) for fact in case.of("hold.placed") if fact.get("until")]
    named += [end for fact in case.of("breathing_space.started") if (end := places.ends_of(fact)) is not None]
    starts = sorted({case.at, *(at for at in named if at > case.at)})
    edges = set(starts)
    for start in starts:
        for ahead in range(-1, 41):
            for zone in {*case.zones, places.EASTERN}:
                day = start.astimezone(zone).date() + dt.timedelta(days=ahead)
                edges.update(at for clock in clocks for at in _instants(day, clock, zone))
    return iter(sorted(at for at in edges if at > case.at))


def _instants(day: dt.date, clock: str, zone: dt.tzinfo) -> Iterator[dt.datetime]:
    """Each instant at which the clock shows that time, and each half hour of a day on which the clock changes."""
    hour, minute = (int(part) for part in clock.split(":"))
    start = dt.datetime.combine(day, dt.time()) + dt.timedelta(hours=hour, minutes=minute)
    for fold in (0, 1):
        yield start.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC)
    midnight = dt.datetime.combine(day, dt.time(), zone)
    if midnight.utcoffset() != (midnight + dt.timedelta(days=1)).utcoffset():
        yield from (midnight.astimezone(dt.UTC) + half * dt.timedelta(minutes=30) for half in range(50))


def _judge(case: Case) -> set[str]:
    denied = _unknown(case)
    denied |= _house_and_status(case)
    if _country(case) == "US":
        denied |= _of_the_states(case)
    if _country(case) == "GB":
        denied |= _named(case, {"UK-4": places.uk_4}, {"HR-3": places.hr_3})
    medium_is_ruled = bool({"TC-2", "RF-7"} & denied)
    if not medium_is_ruled and anywhere.medium_taken_back(case):
        denied.add("ST-5")
    checked_by_law = case.channel == "sms" and _binds(case, third_party=True)  # RF-10 weighs the checks of a number
    if not checked_by_law and anywhere.reassigned(case):
        denied.add("ST-4")
    return denied


def _country(case: Case) -> str:
    country = str(case.account.get("country") or "").strip().upper()
    return country if len(country) == 2 and country.isalpha() else ""


def _state(case: Case) -> str:
    return str(case.account.get("state") or "").strip().upper().removeprefix("US-")


def _unknown(case: Case) -> set[str]:
    """What must be known and is not.

    "Missing collector_role, debt_class, country, time_zones (absent, null or empty), state (US only), city (NY only):
    denied with unknown_<field>"; "state NY without city or ZIP: unknown_city".
    """
    missing = {name for name in ("collector_role", "debt_class") if not case.account.get(name)}
    missing |= {"country"} if not _country(case) else set()
    missing |= {"time_zones"} if not case.zones else set()
    if _country(case) == "US" and not _state(case):
        missing.add("state")
    if _country(case) == "US" and _state(case) == "NY" and not (case.account.get("city") or case.account.get("zip")):
        missing.add("city")
    return {f"unknown_{name}" for name in missing}


def _house_and_status(case: Case) -> set[str]:
    reg_f = _binds(case, third_party=True)
    denied = _named(
        case,
        {"ST-1": anywhere.st_1, "ST-2": anywhere.st_2, "ST-3": anywhere.st_3, "ST-4": anywhere.st_4},
        {"HR-2": anywhere.hr_2},
    )
    zones: list[ZoneInfo | None] = [*case.zones] or [None]
    if any(anywhere.st_5(case, zone) for zone in zones):
        denied.add("ST-5")
    if anywhere.st_6(case, case.zones or [ZoneInfo("UTC")], reg_f=reg_f):
        denied.add("ST-6")
    return denied


def _binds(case: Case, *, third_party: bool) -> bool:
    """By the words of the specification.

    "RF, MA, WA, DC and NYC rules bind consumer debt only"; some of them third parties only, the others whoever collects.
    """
    consumer = _country(case) == "US" and case.account.get("debt_class") == "consumer"
    role = case.account.get("collector_role")
    return consumer and (role == "third_party" or not third_party)


def _named(case: Case, plain: dict[str, Any], zoned: dict[str, Any]) -> set[str]:
    """Rules of the first kind are asked once, of the second "in each candidate zone: any that denies, denies"."""
    denied = {name for name, rule in plain.items() if rule(case)}
    return denied | {name for name, rule in zoned.items() if any(rule(case, zone) for zone in case.zones)}


def _of_the_states(case: Case) -> set[str]:
    zones: list[ZoneInfo | None] = [*case.zones] or [None]
    denied = _named(case, {"TC-1": calls_and_texts.tc_1, "TC-4": calls_and_texts.tc_4}, {"TC-8": calls_and_texts.tc_8})
    dated = {"TC-2": calls_and_texts.tc_2, "TC-3": calls_and_texts.tc_3, "TC-5": calls_and_texts.tc_5}
    denied |= {name for name, rule in dated.items() if any(rule(case, zone) for zone in zones)}
    state = _state(case)
    city = state == "NY" and places.in_new_york_city(case)
    if _binds(case, third_party=True):
        denied |= _named(
            case,
            {"RF-5": federal.rf_5, "RF-7": federal.rf_7, "RF-8": federal.rf_8, "RF-9": federal.rf_9},
            {"RF-1": federal.rf_1, "RF-2": federal.rf_2, "RF-4": federal.rf_4},
        )
        denied |= _named(case, {}, {"RF-12": federal.rf_12})
        denied |= {"RF-14"} if any(federal.rf_14(case, zone) for zone in case.zones or [ZoneInfo("UTC")]) else set()
        denied |= (
            {"RF-10"} if case.channel in ELECTRONIC and any(federal.rf_10(case, zone) for zone in zones) else set()
        )
        denied |= _named(case, {}, {"WA-1": places.wa_1, "WA-2": places.wa_2} if state == "WA" else {})
        denied |= _named(case, {}, {"NYC-0": places.nyc_0} if city else {})
    if _binds(case, third_party=False):
        denied |= _named(case, {"MA-2": places.ma_2}, {"MA-1": places.ma_1}) if state == "MA" else set()
        denied |= {"DC-1"} if state == "DC" and any(places.dc_1(case, zone) for zone in zones) else set()
        denied |= {"NYC-1"} if city and any(places.nyc_1(case, zone) for zone in zones) else set()
    return denied
