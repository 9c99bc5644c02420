"""The gate that needs no rule pack: contact hours, opt-outs, consent to texts, what stands on the account, own limits.

Rules are named as in the rule packs. Where a rule of law binds only some collectors, this gate asks it of all: it may
be stricter than the law, never laxer.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial

from models.account.crm import BANKRUPT, CEASE, DECEASED, FRAUD, RECALLED, REPRESENTED, SOLD, standing_holds
from models.account.interactions import InteractionFacts, has_left
from models.account.profile import WHOLE, BreathingSpace, Consent, CrmFacts, Preference
from models.account.seen import instant_of
from models.account.standing import barred
from models.calendar import HOUR, Zone, zone
from models.clock import Instant
from models.compliance.gate import ALLOWED, Situation, Verdict
from models.compliance.hours import HORIZON, WeekHours, outside, spans_of, within
from schemas.control import Tenant

DAYTIME = within((("08:00", "21:00", ()),))
BRITISH = within(
    (
        ("08:00", "21:00", ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")),
        ("09:00", "18:00", ("sunday",)),
    )
)
WINDOW_DAYS = 7

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

Passing = tuple[str, Callable[[Instant], Instant | None]]
"""A rule that time may satisfy: its id, and the first instant from a given one that it permits."""


class HouseGate:
    """The rules above, evaluated one by one; all that deny are named."""

    def judge(self, situation: Situation) -> Verdict:
        """Whether the contact is allowed now, and if not, from when on."""
        lasting = list(_lasting(situation))
        passing = list(_passing(situation))
        at = situation.at
        denied = [*lasting, *(rule for rule, permitted_from in passing if permitted_from(at) != at)]
        if not denied:
            return ALLOWED
        names = tuple(sorted(set(denied)))
        return Verdict(
            allowed=False,
            denied_by=names,
            reasons=tuple(REASONS[name] for name in names),
            next_allowed_at=None if lasting else first_permitted(passing, at),
        )


def first_permitted(passing: list[Passing], at: Instant) -> Instant | None:
    """The first instant from `at` on that every rule permits: each answer is put to the others until all agree."""
    limit = at + HORIZON
    agreed = False
    while not agreed:
        agreed = True
        for _, permitted_from in passing:
            later = permitted_from(at)
            if later is None or later > limit:
                return None
            if later > at:
                at, agreed = later, False
    return at


# -- what no passing of time changes -----------------------------------------------------------------------------------


def _lasting(s: Situation) -> Iterator[str]:
    crm = s.facts.crm
    if s.point is None:
        yield "no_contact_point"
    elif _is_somebody_elses(s.point.address, s.point.stamp, crm, s.facts.interactions):
        yield "ST-4"
    if zones_of(crm, s.tenant) is None:
        yield "unknown_time_zones"
    if crm.flags:
        yield from _flagged(crm, s.debt_id)
    if crm.holds and any(h.until is None and _binds(h.debt_id, s.debt_id) for h in standing_holds(crm)):
        yield "ST-6"
    space = _breathing_space(crm, s.tenant)
    if space is not None and space.ends_at is None:
        yield "UK-4"
    yield from _unwanted(s, crm)
    if s.tenant.limits.max_contacts_per_7_days == 0 and s.purpose == "collection":
        yield "tenant:max_contacts_per_7_days"


GB = (None, "GB")
US = (None, "US")


def _flagged(crm: CrmFacts, debt_id: str | None) -> Iterator[str]:
    for flag, rule in (
        (BANKRUPT, "ST-1"),
        (DECEASED, "ST-2"),
        (FRAUD, "ST-3"),
        (RECALLED, "ST-6"),
        (SOLD, "ST-6"),
        (CEASE, "RF-8"),
        (REPRESENTED, "RF-9"),
    ):
        if barred(crm, flag, debt_id):
            yield rule


def _breathing_space(crm: CrmFacts, tenant: Tenant) -> BreathingSpace | None:
    """The moratorium that stands, where it binds."""
    space = crm.breathing
    return space if space is not None and space.started > space.ended and _country(crm, tenant) in GB else None


def _binds(hold_debt: str, debt_id: str | None) -> bool:
    return hold_debt == WHOLE or debt_id in (None, hold_debt)


def _is_somebody_elses(address: str, named: int, crm: CrmFacts, interactions: InteractionFacts) -> bool:
    """A wrong party or a reassigned number, unless the address was named as the customer's again since."""
    if interactions.blocked.get(address, 0) > instant_of(named):
        return True
    check = crm.checks.get(address)
    return check is not None and check.result == "reassigned" and check.stamp > named


def _unwanted(s: Situation, crm: CrmFacts) -> Iterator[str]:
    if s.purpose == "opt_out_confirmation":
        return
    channel = "call" if s.channel == "voicemail" else s.channel
    out, given = opted_out_at(s, channel), consented_at(crm, channel, s.point.address if s.point else "")
    opted_out = out > 0 and out >= given
    if opted_out:
        yield "TC-2" if channel in ("sms", "call") else "RF-7"
    if channel == "sms" and (opted_out or not given) and _country(crm, s.tenant) in US:
        yield "TC-1"
    said = preference(crm, s.channel)
    if said is not None and said.refused:
        yield "ST-5"
    if s.point is not None and s.point.workplace and crm.workplace_refused:
        yield "RF-9"


def opted_out_at(s: Situation, channel: str) -> Instant:
    """When the customer last opted out of this channel or address, by whatever way; 0 = never."""
    opt_outs = s.facts.interactions.opt_outs
    address = s.point.address if s.point else ""
    latest = 0
    if opt_outs:
        for wish in (channel, s.channel, "all"):
            latest = max(latest, opt_outs.get(f"{wish}|", 0), opt_outs.get(f"{wish}|{address}", 0))
    for consent in _consents(s.facts.crm, channel, address):
        if not consent.granted:
            latest = max(latest, instant_of(consent.stamp))
    return latest


def consented_at(crm: CrmFacts, channel: str, address: str) -> Instant:
    """When the customer last consented to this channel or address; 0 = never."""
    return max((instant_of(c.stamp) for c in _consents(crm, channel, address) if c.granted), default=0)


def _consents(crm: CrmFacts, channel: str, address: str) -> Iterator[Consent]:
    consents = crm.consents
    if consents:
        for key in {f"{said}|{where}|contact" for said in (channel, "all") for where in ("", address)}:
            if (consent := consents.get(key)) is not None:
                yield consent


def preference(crm: CrmFacts, channel: str) -> Preference | None:
    """What the customer said last about this channel, alone or with all others."""
    preferences = crm.preferences
    said, general = preferences.get(channel), preferences.get("")
    if said is None or (general is not None and general.stamp > said.stamp):
        return general
    return said


# -- what time may change ----------------------------------------------------------------------------------------------


def _passing(s: Situation) -> Iterator[Passing]:
    zones = zones_of(s.facts.crm, s.tenant) or ()
    if s.channel != "letter" and s.purpose != "opt_out_confirmation":
        yield from _hours(s, zones)
    crm = s.facts.crm
    if crm.holds:
        for hold in standing_holds(crm):
            if hold.until is not None and _binds(hold.debt_id, s.debt_id):
                yield "ST-6", _from(hold.until)
    space = _breathing_space(crm, s.tenant)
    if space is not None and space.ends_at is not None:
        yield "UK-4", _from(space.ends_at)
    if s.purpose == "collection":
        yield from _limits(s, zones)


def _hours(s: Situation, zones: tuple[Zone, ...]) -> Iterator[Passing]:
    crm, tenant = s.facts.crm, s.tenant
    weeks: list[tuple[str, WeekHours]] = []
    if s.channel != "email" or (crm.profile.debt_class or tenant.debt_class) == "consumer":
        weeks.append(("HR-2", DAYTIME))
    if _country(crm, tenant) == "GB":
        weeks.append(("HR-3", BRITISH))
    weeks.append(("tenant:contact_hours", within(spans_of(tenant.limits.contact_hours))))
    said = preference(crm, s.channel)
    if said is not None and said.convenient:
        weeks.append(("ST-5", within(said.convenient)))
    if said is not None and said.inconvenient:
        weeks.append(("ST-5", outside(said.inconvenient)))
    for rule, week in weeks:
        for place in zones:
            yield rule, partial(week.next_open, place)


def _limits(s: Situation, zones: tuple[Zone, ...]) -> Iterator[Passing]:
    limits = s.tenant.limits
    made = contacts_made(s)
    if not made:
        return
    if limits.min_hours_between_contacts:
        yield "tenant:min_hours_between_contacts", _from(made[-1] + round(limits.min_hours_between_contacts * HOUR))
    most = limits.max_contacts_per_7_days
    if 0 < most <= len(made):
        for place in zones:
            # The window is a date and the six before it, so the contact that fills it leaves it seven dates later.
            yield "tenant:max_contacts_per_7_days", _from(place.start(place.day(made[-most]) + WINDOW_DAYS, 0))


def contacts_made(s: Situation) -> list[Instant]:
    """Collection contacts towards the customer up to now, oldest first; planned ones count as made."""
    made = [at for at in s.planned if at <= s.at]
    made += [
        touch.at
        for touch in s.facts.interactions.touches.values()
        if not touch.inbound and touch.at <= s.at and touch.purpose == "collection" and has_left(touch)
    ]
    made.sort()
    return made


def _from(first: Instant) -> Callable[[Instant], Instant | None]:
    return lambda at: max(at, first)


# -- who and where -----------------------------------------------------------------------------------------------------


def _country(crm: CrmFacts, tenant: Tenant) -> str | None:
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
