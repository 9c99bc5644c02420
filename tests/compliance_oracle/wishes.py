"""What the customer has allowed and forbidden on a channel, by the order in which it was said."""

import datetime as dt
from zoneinfo import ZoneInfo

from tests.compliance_oracle.log import Attempt, Case, Fact, day_of, same_address
from tests.compliance_oracle.words import takes_back


def reaches(said: str, channel: str) -> bool:
    """Whether a wish about the one channel is about the other: who may not be called may be left no voicemail."""
    return said in {"all", channel} or (said == "call" and channel == "voicemail")


def opt_outs(
    case: Case, channel: str, *, unsure: bool = True, any_debt: bool = False
) -> list[tuple[dt.datetime, str | None]]:
    """When the channel was taken back, in whatever way, and about which debt it was said; oldest first.

    "An opt-out may arrive on another channel than the one that it names, and in another language"; "unsure = that
    channel is denied until a person has read it".
    """
    found = []
    for fact in case.facts:
        kind = fact["type"]
        revoked = _revokes(fact) and (any_debt or case.about(fact.get("debt_id")))
        closed = kind == "opt_out.received" or revoked or (kind == "reply.read" and fact["intent"] == "opt_out")
        if closed and reaches(fact["channel"], channel) and case.here(fact.get("address")):
            found.append((fact["at"], fact.get("debt_id")))
        if kind == "reply.received" and any(reaches(said, channel) for said in _closed_by(case, fact, unsure=unsure)):
            found.append((fact["at"], fact.get("debt_id")))
    return found


def _closed_by(case: Case, reply: Fact, *, unsure: bool) -> set[str]:
    """The channels that a reply closes for this contact; a person who has read it and all before it decides for it."""
    answer, channels = takes_back(reply["text"], reply["channel"])
    read = [fact for fact in case.of("reply.read") if fact["channel"] == reply["channel"] and fact["at"] >= reply["at"]]
    if answer == "no" or (answer == "unsure" and (read or not unsure)):
        return set()
    own = {said for said in channels if said == reply["channel"]}
    return channels if case.here(reply.get("address")) else channels - own


def _revokes(fact: Fact) -> bool:
    ordinary = (fact.get("scope") or "contact") == "contact"
    return fact["type"] == "consent.changed" and ordinary and bool(fact["state"] == "revoked")


def grants(case: Case, channel: str) -> list[Fact]:
    """Every consent to be contacted at this address on the channel, oldest first."""
    return [
        fact
        for fact in case.of("consent.changed")
        if fact["state"] == "granted"
        and (fact.get("scope") or "contact") == "contact"
        and reaches(fact["channel"], channel)
        and case.here(fact.get("address"))
        and case.about(fact.get("debt_id"))
    ]


def taken_back(case: Case, channel: str) -> bool:
    """Whether the channel is closed by the customer's last word on it.

    "Ordered by occurred_at, not by arrival; a newer consent undoes an opt-out"; at one instant the opt-out wins.
    """
    outs = opt_outs(case, channel)
    given = grants(case, channel)
    return bool(outs) and (not given or given[-1]["at"] <= outs[-1][0])


def standing_consent(case: Case, channel: str) -> Fact | None:
    """The newest consent, unless it was taken back since."""
    given = grants(case, channel)
    outs = [at for at, _debt in opt_outs(case, channel, unsure=False)]
    return given[-1] if given and (not outs or given[-1]["at"] > outs[-1]) else None


def consented(case: Case, channel: str) -> bool:
    """Whether consent stands. A STOP confirmation is "exempt from the opt-out itself", so it asks for none."""
    return case.purpose == "opt_out_confirmation" or standing_consent(case, channel) is not None


def inbound(case: Case, channel: str) -> list[dt.datetime]:
    """When the customer wrote to us from this address on the channel, oldest first."""
    written = [
        fact["at"]
        for fact in case.of("reply.received")
        if fact["channel"] == channel and case.here(fact.get("address"))
    ]
    written += [
        item.at for item in case.attempts if item.inbound and item.channel == channel and case.here(item.address)
    ]
    return sorted(written)


def extra_calls(case: Case, at: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether the person had asked for calls above the limit: consent given directly, the day of consent being day 1."""
    said = [
        fact
        for fact in case.of("consent.changed")
        if fact.get("scope") == "extra_calls"
        and fact["at"] <= at
        and fact["channel"] in {"call", "voicemail", "all"}
        and case.about(fact.get("debt_id"))
        and case.here(fact.get("address"))
    ]
    direct = [fact for fact in said if fact["state"] == "revoked" or fact.get("direct")]
    return (
        bool(direct)
        and direct[-1]["state"] == "granted"
        and (day_of(at, zone) - day_of(direct[-1]["at"], zone)).days <= 6
    )


def confirmed(case: Case, since: dt.datetime) -> bool:
    """Whether a confirmation of an opt-out has been sent since, on this channel."""
    return any(
        item.purpose == "opt_out_confirmation" and item.channel == case.channel and item.outcome != "failed"
        for item in case.attempts
        if item.at >= since and not item.inbound
    )


def preferences(case: Case) -> list[Fact]:
    """What the customer has said about when and where on this channel, oldest first."""
    return [
        fact
        for fact in case.of("contact_preference.changed")
        if not fact.get("channels") or case.channel in fact["channels"]
    ]


def speaks_for(case: Case, roles: set[str]) -> bool:
    """Whether the address belongs to a linked person in one of these roles."""
    linked: dict[str, tuple[str, bool]] = {}
    for fact in case.of("party.linked"):
        linked[fact["party_id"]] = (fact["role"], fact.get("linked", True))
    points = [fact for fact in case.of("contact_point.updated") if same_address(fact["address"], case.address)]
    party = points[-1].get("party_id") if points else None
    role, stands = linked.get(party or "", ("", False))
    return stands and role in roles


def at_work(case: Case, attempt: Attempt) -> bool | None:
    """Whether an earlier contact went to a workplace; None = the log does not say."""
    if not attempt.address:
        return None
    if same_address(attempt.address, case.address):
        return case.workplace
    points = [fact for fact in case.of("contact_point.updated") if same_address(fact["address"], attempt.address)]
    return bool(points[-1].get("workplace")) if points else None
