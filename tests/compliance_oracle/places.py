"""The rules of states, cities and nations: MA-*, WA-*, DC-1, NYC-*, UK-4, HR-3, and where they hold."""

import datetime as dt
from zoneinfo import ZoneInfo

from tests.compliance_oracle.federal import NOT_COLLECTION, counted, refused_at_work
from tests.compliance_oracle.hours import inside, said_convenient
from tests.compliance_oracle.log import ELECTRONIC, PHONE, VOICE, Attempt, Case, Fact
from tests.compliance_oracle.wishes import at_work, consented, grants

EASTERN = ZoneInfo("America/New_York")
EVERY = ("call", "voicemail", "sms", "email", "letter")
BOROUGHS = {"new york", "brooklyn", "bronx", "queens", "staten island", "manhattan"}
BOROUGHS |= {"the bronx", "new york city", "nyc"}
LOCALITIES = {
    "flushing",
    "astoria",
    "jamaica",
    "long island city",
    "forest hills",
    "far rockaway",
    "bayside",
    "elmhurst",
}
LOCALITIES |= {"jackson heights", "corona", "ridgewood", "rego park", "woodside", "sunnyside", "kew gardens", "maspeth"}


def in_new_york_city(case: Case) -> bool:
    """By the words of the specification.

    "The five boroughs and their localities, by city name or ZIP".
    """
    city = str(case.account.get("city") or "").strip().lower()
    code = str(case.account.get("zip") or "").strip()[:5]
    boroughs = code[:3] in {"100", "101", "102", "103", "104", "111", "112", "113", "114", "116"}
    return city in BOROUGHS | LOCALITIES or boroughs or code in {"11004", "11005"}


def same_place(case: Case, attempts: list[Attempt]) -> list[Attempt]:
    """Those that went to the same kind of place, at home or at work, or to nobody knows where."""
    return [item for item in attempts if at_work(case, item) in {None, case.workplace}]


def ma_1(case: Case, zone: ZoneInfo) -> bool:
    """MA-1, in its own words.

    "<= 2 communications in each 7-day period to home/mobile/personal number, by phone incl. SMS and recorded audio;
    <= 2 in 30 days elsewhere; for EACH debt; unanswered call counts".
    """
    if case.channel not in PHONE or case.purpose == "transactional":
        return False
    days = 30 if case.workplace else 7
    made = [item for item in counted(case, zone, days, PHONE, connected=True) if case.about(item.debt)]
    return len(same_place(case, made)) >= 2


def ma_2(case: Case) -> bool:
    """MA-2, in its own words.

    "8:00 a.m.-9:00 p.m. (eastern time) unless waking hours known; workplace stop on request".
    """
    if case.channel not in PHONE:
        return False
    if case.workplace and refused_at_work(case):
        return True
    late = not inside(case.at, EASTERN, "08:00", "21:00") and not said_convenient(case, EASTERN)
    return late and bool(case.zones) and case.purpose != "opt_out_confirmation"


def wa_1(case: Case, zone: ZoneInfo) -> bool:
    """WA-1, in its own words.

    "> 3 communications per single week prohibited; workplace 1 per week; home not before 8 a.m. or after 9 p.m." A
    week is "both the calendar week (Sunday to Saturday) and the 7-day window"; the first lies within the second.
    """
    late = case.channel != "letter" and not case.workplace and not inside(case.at, zone, "08:00", "21:00")
    if late and case.purpose != "opt_out_confirmation":
        return True
    if case.purpose == "transactional":
        return False
    made = counted(case, zone, 7, EVERY, connected=False)
    at_the_work_place = [item for item in made if at_work(case, item) is not False]
    return len(made) >= 3 or (case.workplace and len(at_the_work_place) >= 1)


def wa_2(case: Case, zone: ZoneInfo) -> bool:
    """WA-2, in its own words.

    "Calls and texts to a mobile number: at most 2 a day; answers to the debtor excluded".
    """
    if case.channel not in PHONE or case.purpose in NOT_COLLECTION or case.line_type == "landline":
        return False
    made = counted(case, zone, 1, PHONE, connected=False)
    return len([item for item in made if item.purpose not in NOT_COLLECTION]) >= 2


def dc_1(case: Case, zone: ZoneInfo | None) -> bool:
    """DC-1, in its own words.

    "> 4 phone calls per account per 7 days prohibited; > 5 e-mails+texts+private messages cumulatively per account
    per 7 days, only AFTER consent; ONE message per 7 days allowed to obtain consent"; "binds debts more than 30 days
    past due, not secured by real estate or a vehicle; unknown = binds".
    """
    if zone is None or not _dc_binds(case, zone):
        asks = case.purpose == "consent_request"
        return zone is None and case.channel in ELECTRONIC and not asks and not consented(case, case.channel)
    calls = counted(case, zone, 7, VOICE, connected=False)
    messages = counted(case, zone, 7, ELECTRONIC, connected=False)
    if case.channel in VOICE:
        return case.purpose != "transactional" and len(calls) >= 4
    if case.channel not in ELECTRONIC:
        return False
    if case.purpose == "consent_request" and not consented(case, case.channel):
        return any(item.purpose == "consent_request" for item in messages) or len(messages) >= 5
    if not consented(case, case.channel):
        return True
    return case.purpose != "transactional" and len(messages) >= 5


def _dc_binds(case: Case, zone: ZoneInfo) -> bool:
    placed = {fact["debt_id"]: fact for fact in case.of("debt.placed")}
    debts = {case.debt} if case.debt else {*placed, *(item.debt for item in case.attempts if item.debt)} or {None}
    return any(debt not in placed or _is_old_and_unsecured(placed[debt], case.day(zone)) for debt in debts)


def _is_old_and_unsecured(placed: Fact, today: dt.date) -> bool:
    since = placed.get("defaulted_on")
    young = since is not None and (today - dt.date.fromisoformat(str(since))).days <= 30
    return not young and placed.get("secured_by") not in {"real_estate", "vehicle"}


def nyc_0(case: Case, zone: ZoneInfo) -> bool:
    """NYC-0, in its own words.

    "More than 2 communications or attempts in 7 calendar days presumed excessive; effective_to 2026-08-31".
    """
    if case.day(zone) > dt.date(2026, 8, 31) or case.purpose == "transactional":
        return False
    return len(counted(case, zone, 7, EVERY, connected=False)) >= 2


def nyc_1(case: Case, zone: ZoneInfo | None) -> bool:
    """NYC-1, in its own words.

    "> 3 contacts/attempts in any 7-day period across ALL channels, per account; electronic only with written
    revocable consent; effective 2026-09-01".
    """
    if (case.day(zone) if zone else case.at.date()) < dt.date(2026, 9, 1):
        return False
    if case.channel in ELECTRONIC:
        written = [fact for fact in grants(case, case.channel) if fact.get("form") != "oral"]
        if not consented(case, case.channel) or not (written or case.purpose == "opt_out_confirmation"):
            return True
    if zone is None or case.purpose == "transactional":
        return False
    return len(counted(case, zone, 7, EVERY, connected=False)) >= 3


def uk_4(case: Case) -> bool:
    """UK-4, in its own words.

    "Stop contact asking for payment for up to 60 days; mental-health crisis: treatment + 30 days"; "binds England and
    Wales; nation unknown = binds. It ends at ends_at or at breathing_space.ended, whichever is first".
    """
    nation = str(case.account.get("state") or "").upper().removeprefix("GB-")
    if nation in {"SCT", "NIR"} or case.purpose in NOT_COLLECTION:
        return False
    started = case.of("breathing_space.started")
    if not started or any(fact["at"] > started[-1]["at"] for fact in case.of("breathing_space.ended")):
        return False
    ends = ends_of(started[-1])
    return ends is None or case.at < ends


def ends_of(started: dict[str, object]) -> dt.datetime | None:
    """When a moratorium ends by itself; one for mental health without an end lasts until it is ended."""
    from tests.compliance_oracle.log import when  # noqa: PLC0415

    if started.get("ends_at"):
        return when(started["ends_at"])
    return when(started["at"]) + dt.timedelta(days=60) if started.get("kind", "standard") == "standard" else None


def hr_3(case: Case, zone: ZoneInfo) -> bool:
    """HR-3, in its own words.

    "GB: 08:00-21:00 Monday-Saturday, 09:00-18:00 Sunday for call, voicemail, sms, e-mail".
    """
    if case.channel == "letter" or case.purpose == "opt_out_confirmation":
        return False
    sunday = case.at.astimezone(zone).weekday() == 6
    return not inside(case.at, zone, *(("09:00", "18:00") if sunday else ("08:00", "21:00")))
