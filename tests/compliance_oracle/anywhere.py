"""The rules that hold everywhere: the status rules ST-*, and the house's own hours HR-2."""

from zoneinfo import ZoneInfo

from tests.compliance_oracle.federal import NOT_COLLECTION, in_validation_period, open_disputes, refused_at_work
from tests.compliance_oracle.hours import in_any, inside
from tests.compliance_oracle.log import PHONE, Case, Fact, same_address, when
from tests.compliance_oracle.wishes import preferences, speaks_for, taken_back


def st_1(case: Case) -> bool:
    """ST-1, in its own words.

    "After bankruptcy.filed: no contact at all (transactional answers that the customer asked for excepted), until
    dismissed or closed".
    """
    said = case.of("bankruptcy.filed", "bankruptcy.ended")
    stands = False
    for fact in said:
        stands = fact["type"] == "bankruptcy.filed" or fact.get("outcome") not in {"dismissed", "closed"}
    return stands


def st_2(case: Case) -> bool:
    """ST-2, in its own words.

    "After deceased.reported: none of the person's contact points; only a linked spouse, executor, administrator or
    personal representative".
    """
    heirs = {"spouse", "executor", "administrator", "personal_representative"}
    return bool(case.of("deceased.reported")) and not speaks_for(case, heirs)


def st_3(case: Case) -> bool:
    """ST-3, in its own words.

    "While fraud.reported stands: no collection contact".
    """
    stands: set[str | None] = set()
    for fact in case.of("fraud.reported"):
        if not fact.get("withdrawn"):
            stands.add(fact.get("debt_id"))
        elif fact.get("debt_id"):
            stands.discard(fact["debt_id"])
        else:
            stands.clear()
    return case.purpose not in NOT_COLLECTION and any(case.about(debt) for debt in stands)


def st_4(case: Case) -> bool:
    """ST-4, in its own words.

    "After wrong_party on a contact point: that point is blocked for collection".
    """
    if case.purpose in NOT_COLLECTION:
        return False
    if any(
        fact["intent"] == "wrong_person" and fact.get("address") and case.here(fact["address"])
        for fact in case.of("reply.read")
    ):
        return True
    return any(
        same_address(item.address, case.address) if item.address else _same_medium(item.channel, case.channel)
        for item in case.attempts
        if item.outcome == "wrong_party"
    )


def _same_medium(one: str, other: str) -> bool:
    return one == other or (one in PHONE and other in PHONE)


def reassigned(case: Case) -> bool:
    """A number of which a check has found that it is somebody else's is a wrong party's, until it is named anew.

    "Opt-outs, wrong-party blocks and checks of a contact point hold for that point on every account (a suppression
    list)"
    """
    said = [
        fact
        for fact in case.of("contact_point.checked", "contact_point.updated")
        if same_address(fact["address"], case.address)
        and (fact["type"] == "contact_point.updated" or fact.get("result") in {"reassigned", "not_reassigned"})
    ]
    return bool(said) and said[-1].get("result") == "reassigned" and case.purpose not in NOT_COLLECTION


def st_5(case: Case, zone: ZoneInfo | None) -> bool:
    """ST-5, in its own words.

    "contact_preference.changed: respected for every channel that it names".
    """
    if case.workplace and refused_at_work(case):
        return True
    said = preferences(case)
    if not said or case.purpose == "opt_out_confirmation":
        return False
    if said[-1].get("refused"):
        return True
    named = case.channel in (said[-1].get("channels") or ())
    if zone is None or (case.channel == "letter" and not named):
        return False
    wanted, unwanted = said[-1].get("convenient") or (), said[-1].get("inconvenient") or ()
    return (bool(wanted) and not in_any(case.at, zone, wanted)) or in_any(case.at, zone, unwanted)


def medium_taken_back(case: Case) -> bool:
    """An opt-out of a medium that neither TC-2 nor RF-7 speaks of: stated all the same, so ST-5 respects it."""
    return case.purpose != "opt_out_confirmation" and taken_back(case, case.channel)


def st_6(case: Case, zones: list[ZoneInfo], *, reg_f: bool) -> bool:
    """ST-6, in its own words.

    "hold.placed, debt.recalled, debt.sold: no collection contact about that debt"; "outside the validation period an
    open dispute still holds the disputed amount back (reported as ST-6)".
    """
    if case.purpose in NOT_COLLECTION:
        return False
    late = [
        one
        for one in open_disputes(case)
        if not (reg_f and any(in_validation_period(case, one, zone) for zone in zones))
    ]
    return bool(late) or _gone(case) or any(standing_until(case))


def _gone(case: Case) -> bool:
    gone: dict[str | None, bool] = {}
    for fact in case.of("debt.recalled", "debt.sold", "debt.placed"):
        gone[fact.get("debt_id")] = fact["type"] != "debt.placed"
    return any(is_gone for debt, is_gone in gone.items() if case.about(debt))


def standing_until(case: Case) -> list[Fact]:
    """The holds that bind this contact now."""
    holds: list[Fact] = []
    for fact in case.of("hold.placed", "hold.released"):
        name, debt = fact.get("hold_id"), fact.get("debt_id")
        if name:
            holds = [one for one in holds if one.get("hold_id") != name]
        elif fact["type"] == "hold.released":
            holds = [one for one in holds if debt is not None and one.get("debt_id") != debt]
        else:
            holds = [one for one in holds if one.get("hold_id") or one.get("debt_id") != debt]
        if fact["type"] == "hold.placed":
            holds.append(fact)
    return [
        one
        for one in holds
        if case.about(one.get("debt_id")) and not (one.get("until") and case.at >= when(one["until"]))
    ]


def hr_2(case: Case, zone: ZoneInfo) -> bool:
    """HR-2, in its own words.

    "08:00-21:00 at the consumer for call, voicemail, sms (everyone) and e-mail (consumer debt); letters exempt; a
    STOP confirmation (TC-4) exempt".
    """
    binds = case.channel in PHONE or (case.channel == "email" and case.account.get("debt_class") == "consumer")
    return binds and case.purpose != "opt_out_confirmation" and not inside(case.at, zone, "08:00", "21:00")
