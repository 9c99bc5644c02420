"""What a live account's state says, as rules ask it; what it leaves open its tenant answers."""

from models.account.profile import CrmFacts
from models.compliance.who import Said
from schemas.control import Tenant


def said_by(crm: CrmFacts, debt_id: str | None, tenant: Tenant | None = None) -> Said:
    """Who the customer is said to be. A debt that was placed names its own role and class.

    Args:
        tenant: its settings stand in for what was never said; what was said to be unknown stays unknown.
    """
    profile, debts = crm.profile, crm.debts
    debt = debts.get(debt_id) if debt_id is not None else next(iter(debts.values())) if len(debts) == 1 else None
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
