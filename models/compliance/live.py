"""What a live account's state says, as rules ask it; what it leaves open its tenant answers."""

from functools import lru_cache

from models.account.course import Planned
from models.account.interactions import Touch
from models.account.profile import CrmFacts, Debt
from models.calendar import Zone
from models.clock import Instant
from models.compliance.case import ANY_CHANNEL, Case
from models.compliance.gate import Situation
from models.compliance.packs import Rules, rules_of
from models.compliance.sentences import LIMITS
from models.compliance.who import Said, Who, who_is, zones_named
from schemas.control import Limits, Tenant
from schemas.envelope import Channel, Purpose
from schemas.rules import Daytime, Distance, Limit, Rule

CONTACT_HOURS = "tenant:contact_hours"
MOST_CONTACTS = "tenant:max_contacts_per_7_days"
DISTANCE = "tenant:min_hours_between_contacts"
POLICY = "the tenant's settings"
COLLECTION: tuple[Purpose, ...] = ("collection",)
NOT_CONFIRMING: tuple[Purpose, ...] = ("collection", "transactional", "consent_request", "validation_notice")
NOT_LETTERS: tuple[Channel, ...] = ("call", "voicemail", "sms", "email")


def said_by(crm: CrmFacts, debt_id: str | None, tenant: Tenant | None = None) -> Said:
    """Who the customer is said to be. A debt that was placed names its own role and class.

    Args:
        tenant: its settings stand in for what was never said; what was said to be unknown stays unknown.
    """
    profile = crm.profile
    debt = debt_of(crm, debt_id) if crm.debts else None
    role, debt_class = profile.collector_role, profile.debt_class
    if debt is not None:
        role, debt_class = debt.collector_role or role, debt.debt_class or debt_class
    country, state, zones = profile.country, profile.state, profile.time_zones
    if tenant is not None:
        role = tenant.collector_role if role is None else role
        debt_class = tenant.debt_class if debt_class is None else debt_class
        if state is None and country in (None, tenant.country):
            state = tenant.state
        country = tenant.country if country is None else country
        zones = (tenant.time_zone,) if zones is None else zones
    return Said(
        collector_role=role,
        debt_class=debt_class,
        country=country,
        state=state,
        city=profile.city,
        zip=profile.zip,
        time_zones=zones,
    )


def debt_of(crm: CrmFacts, debt_id: str | None) -> Debt | None:
    """What was told when the debt was placed; of the account's only one, when none is named."""
    debts = crm.debts
    if debt_id is not None:
        return debts.get(debt_id)
    return next(iter(debts.values())) if len(debts) == 1 else None


@lru_cache(maxsize=1_024)
def rules_for(tenant: Tenant) -> Rules:
    """The rules that bind a tenant: its limits, its packs and its own."""
    return limits_of(tenant.limits) + rules_of(tenant.compliance)


def limits_of(limits: Limits) -> Rules:
    """A tenant's limits as rules like any other."""
    return (
        Rule(
            id=CONTACT_HOURS,
            says=LIMITS[CONTACT_HOURS],
            requires=(Daytime(channels=NOT_LETTERS, purposes=NOT_CONFIRMING, spans=limits.contact_hours),),
            source=POLICY,
        ),
        Rule(
            id=MOST_CONTACTS,
            says=LIMITS[MOST_CONTACTS],
            requires=(
                Limit(
                    purposes=COLLECTION,
                    per=("account",),
                    most=limits.max_contacts_per_7_days,
                    days=7,
                    counted_purposes=COLLECTION,
                ),
            ),
            source=POLICY,
        ),
        Rule(
            id=DISTANCE,
            says=LIMITS[DISTANCE],
            requires=(Distance(purposes=COLLECTION, hours=limits.min_hours_between_contacts),),
            source=POLICY,
        ),
    )


def case_of(situation: Situation, who: Who | None = None) -> Case:
    """A live account's contact as rules ask about it; `who` = the customer, where that is known already."""
    crm, point = situation.facts.crm, situation.point
    return Case(
        at=situation.at,
        channel=situation.channel,
        who=who or who_is(said_by(crm, situation.debt_id, situation.tenant)),
        crm=crm,
        interactions=situation.facts.interactions,
        purpose=situation.purpose,
        mode=situation.mode,
        debt_id=situation.debt_id,
        address="" if point is None else point.address,
        workplace=point is not None and point.workplace,
        verified=point is not None and point.verified,
        planned=[as_made(planned) for planned in situation.planned] if situation.planned else (),
        suppressed=situation.suppressed,
        requested=situation.requested,
        no_point=point is None,
    )


def as_made(planned: Instant | Planned) -> Touch:
    """A contact that was decided on counts as made."""
    if isinstance(planned, Planned):
        return Touch(planned.at, planned.channel, "sent", 0, purpose=planned.purpose)
    return Touch(planned, ANY_CHANNEL, "sent", 0)


def zones_of(crm: CrmFacts, tenant: Tenant) -> tuple[Zone, ...] | None:
    """Every zone that the customer may be in, the tenant's when nothing was said; None when that is not known."""
    said = crm.profile.time_zones
    return zones_named((tenant.time_zone,) if said is None else said) or None
