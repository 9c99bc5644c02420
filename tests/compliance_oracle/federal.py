"""The rules RF-* (Regulation F: third parties, consumer debt), each read from its own words."""

import datetime as dt
from zoneinfo import ZoneInfo

from tests.compliance_oracle.hours import inside, said_convenient
from tests.compliance_oracle.log import VOICE, Attempt, Case, Fact, day_of, same_address
from tests.compliance_oracle.wishes import (
    confirmed,
    extra_calls,
    grants,
    inbound,
    opt_outs,
    preferences,
    speaks_for,
    standing_consent,
    taken_back,
)

NOT_COLLECTION = {"transactional", "opt_out_confirmation"}


def counted(case: Case, zone: ZoneInfo, days: int, channels: tuple[str, ...], *, connected: bool) -> list[Attempt]:
    """Earlier attempts in the N-day window, "the date of the contact and the N-1 dates before it".

    "Outbound attempts; no_answer and voicemail count, not_connected does not (Reg F and MA); failed = never left, does
    not count; when it is unknown whether it left, it counts. Transactional contacts are neither limited nor counted."
    """
    return [
        item
        for item in case.attempts
        if not item.inbound
        and item.channel in channels
        and item.purpose != "transactional"
        and item.outcome != "failed"
        and not (connected and item.outcome == "not_connected")
        and 0 <= (case.day(zone) - day_of(item.at, zone)).days < days
    ]


def rf_1(case: Case, zone: ZoneInfo) -> bool:
    """RF-1, in its own words.

    "Compliant if NOT more than 7 calls to a particular person about a particular debt in 7 consecutive days. CALLS
    only. Counts outbound calls and voicemails; inbound calls do not count." RF-3: calls with prior consent given
    directly, within 7 consecutive days of consent, are left out.
    """
    if case.channel not in VOICE or case.purpose == "transactional" or extra_calls(case, case.at, zone):
        return False
    calls = [item for item in counted(case, zone, 7, VOICE, connected=True) if case.about(item.debt)]
    return len([item for item in calls if not extra_calls(case, item.at, zone)]) >= 7


def rf_2(case: Case, zone: ZoneInfo) -> bool:
    """RF-2, in its own words.

    "No call within 7 consecutive days AFTER a telephone conversation about that debt; the date of the conversation is
    day 1. A conversation on an inbound call counts."
    """
    if case.channel not in VOICE or case.purpose == "transactional" or extra_calls(case, case.at, zone):
        return False
    return any(
        0 <= (case.day(zone) - day_of(item.talked_at or item.at, zone)).days <= 6
        for item in case.attempts
        if item.channel in VOICE
        and item.outcome == "conversation"
        and item.purpose != "transactional"
        and case.about(item.debt)
    )


def rf_4(case: Case, zone: ZoneInfo) -> bool:
    """RF-4, in its own words.

    "Absent knowledge otherwise: before 8:00 a.m. and after 9:00 p.m. LOCAL time; e-mail and SMS too."
    """
    if case.channel == "letter" or case.purpose == "opt_out_confirmation" or said_convenient(case, zone):
        return False
    return not inside(case.at, zone, "08:00", "21:00")


def rf_5(case: Case) -> bool:
    """RF-5, in its own words.

    "Only when convenient in ALL candidate locations."
    """
    return len(case.zones) > 1 and any(rf_4(case, zone) for zone in case.zones)


def rf_7(case: Case) -> bool:
    """RF-7, in its own words.

    "Person asks not to be reached by a medium -> stop that medium; one confirmation of the opt-out allowed."
    """
    said = preferences(case)
    given = grants(case, case.channel)
    refused = bool(said) and bool(said[-1].get("refused")) and (not given or given[-1]["at"] <= said[-1]["at"])
    if case.purpose == "opt_out_confirmation":
        outs = opt_outs(case, case.channel)
        return bool(outs) and confirmed(case, outs[-1][0])
    return refused or taken_back(case, case.channel)


def rf_8(case: Case) -> bool:
    """RF-8, in its own words.

    "Written notice (refusal to pay / cease) -> stop"; "form unknown = written".
    """
    asked = [fact for fact in case.of("cease_requested") if fact.get("withdrawn") or fact.get("form") != "oral"]
    return any(
        not said[-1].get("withdrawn")
        for debt in scopes(case, asked)
        if (said := [fact for fact in asked if fact.get("debt_id") in {None, debt}])
    )


def scopes(case: Case, facts: list[Fact]) -> set[str | None]:
    """The debts that the contact is about: its own, or the whole account and each debt that the facts name."""
    return {case.debt} if case.debt else {None, *(fact.get("debt_id") for fact in facts)}


def rf_9(case: Case) -> bool:
    """RF-9, in its own words.

    "Represented -> only attorney; no workplace contact if employer prohibits; no work e-mail by default"; "work
    e-mail: denied unless the person consented to that address".
    """
    return (_represented(case) and not speaks_for(case, {"attorney"})) or (case.workplace and _not_at_work(case))


def _represented(case: Case) -> bool:
    said = case.of("representation.changed")
    return any(_speaks_up(said, debt) for debt in scopes(case, said))


def _speaks_up(said: list[Fact], debt: str | None) -> bool:
    standing: set[str] = set()
    for fact in said:
        if fact.get("debt_id") not in {None, debt}:
            continue
        party = fact.get("party_id") or ""
        if fact["represented"] and (fact.get("kind") or "attorney") == "attorney":
            standing.add(party)
        elif not fact["represented"] and party:
            standing.discard(party)
        elif not fact["represented"]:
            standing.clear()
    return bool(standing)


def _not_at_work(case: Case) -> bool:
    if refused_at_work(case):
        return True
    consent = standing_consent(case, "email")
    named = [fact for fact in grants(case, "email") if fact.get("address")]
    return case.channel == "email" and not (consent and named)


def refused_at_work(case: Case) -> bool:
    said = [fact["workplace_refused"] for fact in preferences(case) if fact.get("workplace_refused") is not None]
    return bool(said) and bool(said[-1])


def rf_10(case: Case, zone: ZoneInfo | None) -> bool:
    """RF-10, in its own words.

    "A consent dated at most 60 calendar days before suffices; later, an inbound text, a renewed consent or a
    contact_point.checked with not_reassigned, at most 60 days old, is needed. E-mail has no 60-day limb"; "a verified
    address needs no consent fact".
    """
    if case.purpose == "opt_out_confirmation":
        return False
    consent = standing_consent(case, case.channel)
    ended = [at for at, _debt in opt_outs(case, case.channel, unsure=False)]
    wrote = [at for at in inbound(case, case.channel) if not ended or at > ended[-1]]
    if case.channel == "email":
        return not (case.verified or consent or wrote)
    if case.channel != "sms":
        return False
    checks = [fact for fact in case.of("contact_point.checked") if same_address(fact["address"], case.address)]
    checks = [fact for fact in checks if fact.get("result") in {"not_reassigned", "reassigned"}]
    proofs = [*wrote, *([consent["at"]] if consent else [])]
    if not proofs:
        return True
    if checks and checks[-1]["result"] == "reassigned" and checks[-1]["at"] >= max(proofs):
        return True
    proofs += [fact["at"] for fact in checks if fact["result"] == "not_reassigned"]
    return zone is not None and all((case.day(zone) - day_of(at, zone)).days > 60 for at in proofs)


def rf_12(case: Case, zone: ZoneInfo) -> bool:
    """RF-12, in its own words.

    "Attempts do not start the clock. Once a communication about a debt is more than 5 days old and no validation
    notice for that debt was sent or given, every collection contact about it is denied; the notice itself is
    allowed."
    """
    if case.purpose in {*NOT_COLLECTION, "validation_notice"}:
        return False
    noticed = {item.debt for item in notices(case)}
    return any(
        (case.day(zone) - day_of(item.talked_at or item.at, zone)).days > 5
        for item in case.attempts
        if item.purpose not in NOT_COLLECTION
        and case.about(item.debt)
        and _communicates(item)
        and not noticed & {None, case.debt or item.debt}
        and not (noticed and case.debt is None and item.debt is None)
    )


def _communicates(item: Attempt) -> bool:
    if item.channel in VOICE:
        return item.outcome == "conversation"
    return not item.inbound and item.outcome not in {"failed", "not_connected"}


def notices(case: Case) -> list[Attempt]:
    """Validation notices for the debt that were sent, or given in a conversation."""
    return [
        item
        for item in case.attempts
        if item.purpose == "validation_notice"
        and not item.inbound
        and case.about(item.debt)
        and (item.outcome == "conversation" if item.channel in VOICE else item.outcome != "failed")
    ]


def open_disputes(case: Case) -> list[Fact]:
    """Disputes of the debt that stand. "`verified` = the chase may go on; `upheld` = not owed, never again"."""
    standing: list[Fact] = []
    upheld: list[Fact] = []
    for fact in case.of("dispute.opened", "dispute.resolved"):
        if fact["type"] == "dispute.opened":
            standing.append(fact)
            continue
        ended = [one for one in standing if _same_dispute(one, fact)]
        standing = [one for one in standing if one not in ended]
        if fact["outcome"] == "upheld":
            upheld += ended or [dict(fact, form=None)]
    return [one for one in standing + upheld if not one.get("invoice_id") and case.about(one.get("debt_id"))]


def _same_dispute(opened: Fact, resolved: Fact) -> bool:
    if resolved.get("dispute_id"):
        return bool(opened.get("dispute_id") == resolved["dispute_id"])
    return bool(
        opened.get("invoice_id") == resolved.get("invoice_id") and opened.get("debt_id") == resolved.get("debt_id")
    )


def in_validation_period(case: Case, dispute: Fact, zone: ZoneInfo) -> bool:
    """Whether a dispute was raised in writing while the validation period ran.

    "Timely written dispute"; RF-13: the period "ends 30 days after receipt or assumed receipt; assumed receipt = at
    least 5 days after sending, excluding legal holidays, Saturdays, Sundays"; without a notice it has not ended.
    """
    if dispute.get("form") == "oral":
        return False
    given = [item for item in notices(case) if item.at <= dispute["at"]]
    return not given or any(day_of(dispute["at"], zone) <= _end_of_validation(item, zone) for item in given)


def _end_of_validation(notice: Attempt, zone: ZoneInfo) -> dt.date:
    day = day_of(notice.at, zone)
    left = 0 if notice.channel in VOICE else 5
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < 5 and not legal_holiday(day)
    return day + dt.timedelta(days=30)


def legal_holiday(day: dt.date) -> bool:
    """5 USC 6103(a); one on a Saturday is kept on Friday, one on a Sunday on Monday."""
    fixed = {(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)}
    around = [
        (day, True),
        (day + dt.timedelta(days=1), day.weekday() == 4),
        (day - dt.timedelta(days=1), day.weekday() == 0),
    ]
    if any(kept and (one.month, one.day) in fixed for one, kept in around):
        return True
    nth = (day.day - 1) // 7 + 1
    last_monday = day.month == 5 and day.weekday() == 0 and day.day > 24
    floating = {(1, 0, 3), (2, 0, 3), (9, 0, 1), (10, 0, 2), (11, 3, 4)}
    return last_monday or (day.month, day.weekday(), nth) in floating


def rf_14(case: Case, zone: ZoneInfo) -> bool:
    """RF-14, in its own words.

    "RF-14 denies while a dispute raised in the validation period is open".
    """
    return case.purpose not in NOT_COLLECTION and any(
        in_validation_period(case, one, zone) for one in open_disputes(case)
    )
