"""The rules TC-* (every call and text in the United States), each read from its own words."""

import datetime as dt
from zoneinfo import ZoneInfo

from tests.compliance_oracle.federal import counted
from tests.compliance_oracle.log import PHONE, VOICE, Case, Fact
from tests.compliance_oracle.wishes import confirmed, consented, grants, opt_outs, standing_consent, taken_back
from tests.compliance_oracle.words import takes_back


def _robot(case: Case) -> bool:
    return case.channel in VOICE and case.mode in {"artificial", "autodialled"} and case.line_type != "landline"


def tc_1(case: Case) -> bool:
    """TC-1, in its own words.

    "Prior express consent for autodialled / artificial / prerecorded calls and texts to mobiles"; "applies to every
    SMS, and to calls only when mode is artificial or autodialled".
    """
    return (case.channel == "sms" or _robot(case)) and not consented(case, case.channel)


def tc_2(case: Case, zone: ZoneInfo | None) -> bool:
    """TC-2, in its own words.

    "Any reasonable method; honour as soon as practicable; in force 2025-04-11"; "a STOP by SMS also ends artificial
    and prerecorded calls on the same matter".
    """
    if (
        case.channel not in PHONE
        or case.purpose == "opt_out_confirmation"
        or not _from(case, zone, dt.date(2025, 4, 11))
    ):
        return False
    return taken_back(case, case.channel) or (case.mode == "artificial" and _stopped_by_text(case))


def _stopped_by_text(case: Case) -> bool:
    """Whether a STOP by SMS on the same matter is newer than every consent to calls."""
    if case.channel not in VOICE:
        return False
    given = grants(case, case.channel)
    stops = [at for at, debt in opt_outs(case, "sms") if case.about(debt)]
    return bool(stops) and (not given or given[-1]["at"] <= stops[-1])


def tc_3(case: Case, zone: ZoneInfo | None) -> bool:
    """TC-3, in its own words.

    "Applying one revocation to UNRELATED robocalls/texts: waived to 2026-04-11, then to 2027-01-31".
    """
    robot = case.channel == "sms" or (case.channel in VOICE and case.mode in {"artificial", "autodialled"})
    if not robot or case.purpose == "opt_out_confirmation" or not _from(case, zone, dt.date(2027, 1, 31)):
        return False
    unrelated = [at for said in PHONE for at, debt in opt_outs(case, said, any_debt=True) if not case.about(debt)]
    given = grants(case, case.channel)
    return bool(unrelated) and (not given or given[-1]["at"] <= max(unrelated))


def _from(case: Case, zone: ZoneInfo | None, first: dt.date) -> bool:
    """By the words of the specification.

    "Effective dates are compared with the date of the contact".
    """
    return (case.day(zone) if zone else case.at.date()) >= first


def tc_4(case: Case) -> bool:
    """TC-4, in its own words.

    "One, within 5 minutes".
    """
    if case.purpose != "opt_out_confirmation" or case.channel not in PHONE:
        return False
    asked = [at for at, _debt in opt_outs(case, case.channel, unsure=False)]
    asked += [fact["at"] for fact in case.of("opt_out.received") if fact.get("received_by") == case.channel]
    asked += [fact["at"] for fact in case.of("reply.received") if fact["channel"] == case.channel and _opts_out(fact)]
    asked = [at for at in asked if case.at - at <= dt.timedelta(minutes=5)]
    return not asked or confirmed(case, max(asked))


def _opts_out(fact: Fact) -> bool:
    return takes_back(fact["text"], fact["channel"])[0] == "yes"


def tc_5(case: Case, zone: ZoneInfo | None) -> bool:
    """TC-5, in its own words.

    "AI voices = artificial voice: consent" (2024-02-08).
    """
    return (
        case.mode == "artificial"
        and _robot(case)
        and _from(case, zone, dt.date(2024, 2, 8))
        and not consented(case, case.channel)
    )


def tc_8(case: Case, zone: ZoneInfo) -> bool:
    """TC-8, in its own words.

    "Artificial or prerecorded calls to residential lines without consent: at most 3 in 30 consecutive days"; since
    2023-07-20.
    """
    if case.channel not in VOICE or case.mode != "artificial" or case.purpose == "transactional":
        return False
    if (
        case.line_type == "mobile"
        or not _from(case, zone, dt.date(2023, 7, 20))
        or standing_consent(case, case.channel)
    ):
        return False
    return len([item for item in counted(case, zone, 30, VOICE, connected=False) if item.mode == "artificial"]) >= 3
