"""The gate that needs no rule pack: contact hours, opt-outs, consent to texts, what stands on the account, own limits.

Rules are named as in the rule packs. Where a rule of law binds only some collectors, this gate asks it of all: it may
be stricter than the law, never laxer.
"""

from collections.abc import Sequence
from functools import lru_cache

from models.account.bars import BANKRUPT, CEASE, DECEASED, FRAUD, RECALLED, REPRESENTED, SOLD, standing_holds
from models.account.interactions import FAILED, InteractionFacts
from models.account.profile import WHOLE, BreathingSpace, CrmFacts, Preference
from models.account.seen import instant_of
from models.account.standing import barred
from models.calendar import HOUR, Zone, zone
from models.clock import Instant
from models.compliance.gate import ALLOWED, Situation, Verdict
from models.compliance.hours import Daytime, WeekHours, outside, spans_of, within
from schemas.control import Tenant

DAYTIME = within((("08:00", "21:00", ()),))
BRITISH = within(
    (
        ("08:00", "21:00", ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")),
        ("09:00", "18:00", ("sunday",)),
    )
)
WINDOW_DAYS = 7
MOST_DAYTIMES = 10_000

GB = (None, "GB")
US = (None, "US")
"""Where a rule of that country binds; nobody knows where the customer is = it binds."""

REASONS = {
    "HR-2": "Outside 08:00-21:00 where the customer is.",
    "HR-3": "Outside the contact hours of Great Britain.",
    "RF-7": "The customer does not want this channel.",
    "RF-8": "The customer has asked for all communication to cease.",
    "RF-9": "The customer is represented, or must not be reached at work.",
    "ST-1": "A bankruptcy stay or discharge stands.",
    "ST-2": "The customer is reported deceased.",
    "ST-3": "A report of fraud stands.",
    "ST-4": "The contact point belongs to somebody else.",
    "ST-5": "The customer has named another time or channel.",
    "ST-6": "The debt is held, recalled or sold.",
    "TC-1": "There is no consent to texts.",
    "TC-2": "The customer has opted out.",
    "UK-4": "A breathing space binds the account.",
    "no_contact_point": "No usable contact point of this channel is known.",
    "tenant:contact_hours": "Outside the tenant's own contact hours.",
    "tenant:max_contacts_per_7_days": "The tenant's limit of contacts in 7 days is reached.",
    "tenant:min_hours_between_contacts": "The last contact was too short a time ago.",
    "unknown_time_zones": "It is not known which time it is where the customer is.",
}

FLAGGED = (
    (BANKRUPT, "ST-1"),
    (DECEASED, "ST-2"),
    (FRAUD, "ST-3"),
    (RECALLED, "ST-6"),
    (SOLD, "ST-6"),
    (CEASE, "RF-8"),
    (REPRESENTED, "RF-9"),
)

Until = tuple[str, Instant]
"""A rule that denies before an instant."""


class HouseGate:
    """The rules above, all evaluated; those that deny are named. Keeps what it has worked out for a batch."""

    def __init__(self) -> None:
        self._own: dict[str, tuple[Tenant, WeekHours]] = {}
        self._daytimes: dict[tuple[object, ...], Daytime] = {}

    def judge(self, situation: Situation) -> Verdict:
        """Whether the contact is allowed now, and if not, from when on."""
        at, crm = situation.at, situation.facts.crm
        country = country_of(crm, situation.tenant)
        zones = zones_of(crm, situation.tenant)
        lasting = _lasting(situation, crm, country)
        if zones is None:
            lasting.append("unknown_time_zones")
        untils = _untils(situation, crm, country, zones or ())
        denied = lasting + [rule for rule, until in untils if until > at]
        daytime = self._daytime(situation, crm, country, zones) if zones else None
        if daytime is not None:
            denied += daytime.denied(at)
        if not denied:
            return ALLOWED
        again = None
        if not lasting:
            # Every other rule denies up to an instant, so the first of the permitted hours from the last of these on.
            again = max([at, *(until for _, until in untils)])
            again = again if daytime is None else daytime.next_open(again)
        names = tuple(sorted(set(denied)))
        reasons = tuple([REASONS[name] for name in names])
        return Verdict(allowed=False, denied_by=names, reasons=reasons, next_allowed_at=again)

    def judge_all(self, situations: Sequence[Situation]) -> list[Verdict]:
        """Several contacts, one after the other."""
        return [self.judge(situation) for situation in situations]

    def _daytime(self, s: Situation, crm: CrmFacts, country: str | None, zones: tuple[Zone, ...]) -> Daytime | None:
        """The hours in which the contact is permitted; None when it is exempt from them."""
        if s.channel == "letter" or s.purpose == "opt_out_confirmation":
            return None
        known = self._own.get(s.tenant.tenant_id)
        if known is None or known[0] is not s.tenant:
            self._daytimes.clear()
            known = self._own[s.tenant.tenant_id] = s.tenant, within(spans_of(s.tenant.limits.contact_hours))
        day = s.channel != "email" or (crm.profile.debt_class or s.tenant.debt_class) == "consumer"
        said = preference(crm, s.channel) if crm.preferences else None
        convenient, inconvenient = (said.convenient, said.inconvenient) if said is not None else ((), ())
        key = s.tenant.tenant_id, zones, day, country == "GB", convenient, inconvenient
        daytime = self._daytimes.get(key)
        if daytime is None:
            if len(self._daytimes) > MOST_DAYTIMES:
                self._daytimes.clear()
            weeks = [("tenant:contact_hours", known[1])]
            weeks += [("HR-2", DAYTIME)] if day else []
            weeks += [("HR-3", BRITISH)] if country == "GB" else []
            weeks += [("ST-5", within(convenient))] if convenient else []
            weeks += [("ST-5", outside(inconvenient))] if inconvenient else []
            daytime = self._daytimes[key] = Daytime(zones, weeks)
        return daytime


# -- what no passing of time changes -----------------------------------------------------------------------------------


def _lasting(s: Situation, crm: CrmFacts, country: str | None) -> list[str]:
    denied: list[str] = []
    point = s.point
    if point is None:
        denied.append("no_contact_point")
    elif _is_somebody_elses(point.address, point.stamp, crm, s.facts.interactions):
        denied.append("ST-4")
    if crm.flags:
        denied += [rule for flag, rule in FLAGGED if barred(crm, flag, s.debt_id)]
    if crm.holds and any(h.until is None and _binds(h.debt_id, s.debt_id) for h in standing_holds(crm)):
        denied.append("ST-6")
    space = _breathing_space(crm, country)
    if space is not None and space.ends_at is None:
        denied.append("UK-4")
    if s.purpose != "opt_out_confirmation":
        denied += _unwanted(s, crm, country)
    if point is not None and point.workplace and crm.workplace_refused:
        denied.append("RF-9")
    if s.purpose == "collection" and not s.tenant.limits.max_contacts_per_7_days:
        denied.append("tenant:max_contacts_per_7_days")
    return denied


def _breathing_space(crm: CrmFacts, country: str | None) -> BreathingSpace | None:
    """The moratorium that stands, where it binds."""
    space = crm.breathing
    return space if space is not None and space.started > space.ended and country in GB else None


def _binds(hold_debt: str, debt_id: str | None) -> bool:
    return hold_debt == WHOLE or debt_id in (None, hold_debt)


def _is_somebody_elses(address: str, named: int, crm: CrmFacts, interactions: InteractionFacts) -> bool:
    """A wrong party or a reassigned number, unless the address was named as the customer's again since."""
    if interactions.blocked and interactions.blocked.get(address, 0) > instant_of(named):
        return True
    check = crm.checks.get(address)
    return check is not None and check.result == "reassigned" and check.stamp > named


def _unwanted(s: Situation, crm: CrmFacts, country: str | None) -> list[str]:
    denied: list[str] = []
    channel = "call" if s.channel == "voicemail" else s.channel
    address = s.point.address if s.point else ""
    given, taken = consented(crm, channel, address) if crm.consents else (0, 0)
    opt_outs = s.facts.interactions.opt_outs
    out = max(taken, opted_out_at(opt_outs, (channel, s.channel, "all"), address)) if opt_outs else taken
    opted_out = out > 0 and out >= given
    if opted_out:
        denied.append("TC-2" if channel in ("sms", "call") else "RF-7")
    if channel == "sms" and (opted_out or not given) and country in US:
        denied.append("TC-1")
    if crm.preferences:
        said = preference(crm, s.channel)
        if said is not None and said.refused:
            denied.append("ST-5")
    return denied


def opted_out_at(opt_outs: dict[str, Instant], channels: tuple[str, ...], address: str) -> Instant:
    """When the customer last opted out of one of the channels, or of the address on it; 0 = never."""
    latest = 0
    for channel in channels:
        latest = max(latest, opt_outs.get(f"{channel}|", 0), opt_outs.get(f"{channel}|{address}", 0))
    return latest


def consented(crm: CrmFacts, channel: str, address: str) -> tuple[Instant, Instant]:
    """When the customer last gave consent to this channel or address, and when they last took it back; 0 = never."""
    given, taken, consents = 0, 0, crm.consents
    for key in (f"{channel}||contact", f"{channel}|{address}|contact", "all||contact", f"all|{address}|contact"):
        consent = consents.get(key)
        if consent is None:
            continue
        if consent.granted:
            given = max(given, instant_of(consent.stamp))
        else:
            taken = max(taken, instant_of(consent.stamp))
    return given, taken


def preference(crm: CrmFacts, channel: str) -> Preference | None:
    """What the customer said last about this channel, alone or with all others."""
    preferences = crm.preferences
    said, general = preferences.get(channel), preferences.get("")
    if said is None or (general is not None and general.stamp > said.stamp):
        return general
    return said


# -- what time may change ----------------------------------------------------------------------------------------------


def _untils(s: Situation, crm: CrmFacts, country: str | None, zones: tuple[Zone, ...]) -> list[Until]:
    untils: list[Until] = []
    if crm.holds:
        standing = standing_holds(crm)
        untils += [("ST-6", h.until) for h in standing if h.until is not None and _binds(h.debt_id, s.debt_id)]
    space = _breathing_space(crm, country)
    if space is not None and space.ends_at is not None:
        untils.append(("UK-4", space.ends_at))
    if s.purpose == "collection" and (made := contacts_made(s)):
        limits = s.tenant.limits
        if limits.min_hours_between_contacts:
            last = made[-1] + round(limits.min_hours_between_contacts * HOUR)
            untils.append(("tenant:min_hours_between_contacts", last))
        most = limits.max_contacts_per_7_days
        if 0 < most <= len(made):
            for place in zones:
                # The window is a date and the six before it, so the contact that fills it leaves it seven dates later.
                leaves = place.start(place.day(made[-most]) + WINDOW_DAYS, 0)
                untils.append(("tenant:max_contacts_per_7_days", leaves))
    return untils


def contacts_made(s: Situation) -> list[Instant]:
    """Collection contacts towards the customer up to now, oldest first; planned ones count as made."""
    at = s.at
    made = [
        touch.at
        for touch in s.facts.interactions.touches.values()
        if touch.outcome != FAILED and not touch.inbound and touch.at <= at and touch.purpose == "collection"
    ]
    if s.planned:
        times = [planned if isinstance(planned, int) else planned.at for planned in s.planned]
        made += [planned for planned in times if planned <= at]
    made.sort()
    return made


# -- who and where -----------------------------------------------------------------------------------------------------


def country_of(crm: CrmFacts, tenant: Tenant) -> str | None:
    """The country, or None when it is not known."""
    said = crm.profile.country
    country = tenant.country if said is None else said
    return country if country is not None and len(country) == 2 and country.isalpha() else None


def zones_of(crm: CrmFacts, tenant: Tenant) -> tuple[Zone, ...] | None:
    """Every zone that the customer may be in, the tenant's when nothing was said; None when that is not known."""
    said = crm.profile.time_zones
    return _zones((tenant.time_zone,) if said is None else said)


@lru_cache(maxsize=4_096)
def _zones(names: tuple[str, ...]) -> tuple[Zone, ...] | None:
    found = [zone(name) for name in names]
    known = tuple(place for place in found if place is not None)
    return known if known and len(known) == len(found) else None
