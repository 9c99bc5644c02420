"""The validation notice of a debt: it follows the first communication about it, whatever else there is to do.

12 CFR 1006.34(a): within five days of the first communication, unless it was given in it. It is due at the next look
after that one, which is agreed for the next day. Who is held out gets it as well: the law goes before the experiment.
"""

from models.account.course import CONTACT
from models.account.interactions import gives_notice, speaks_of_debt
from models.actions.choice import WAIT_ELSE, Choice, Look
from models.actions.contact import Draft, point_for, variables
from models.actions.standstill import Owed
from models.calendar import DAY
from models.compliance.gate import Situation
from models.compliance.live import said_by
from schemas.actions import Candidate
from schemas.control import Tenant
from schemas.envelope import Purpose
from schemas.strategies import Notice

PURPOSE: Purpose = "validation_notice"
REASONS = ("validation_notice_due",)
AGAIN = DAY
"""The chase goes on a day later."""


def is_bound(look: Look, owed: Owed, tenant: Tenant) -> bool:
    """Whether the law asks for a notice of this debt at all."""
    crm = look.facts.crm
    if tenant.collector_role == "creditor" and crm.profile.collector_role is None and not crm.debts:
        return False
    said = said_by(crm, owed.ruling[2].debt_id, tenant)
    return said.collector_role == "third_party" and said.debt_class == "consumer" and said.country == "US"


def was_given(look: Look, owed: Owed) -> bool:
    """Whether the notice was sent, or is on its way."""
    interactions, debt = look.facts.interactions, owed.ruling[2].debt_id
    return (
        any(debt is None or name in ("", debt) for name in interactions.noticed)
        or any(gives_notice(touch) and _is_about(touch.debt_id, debt) for touch in interactions.touches.values())
        or any(planned.purpose == PURPOSE for planned in look.course.planned)
    )


def has_spoken(look: Look, owed: Owed) -> bool:
    """Whether there was a communication about the debt."""
    interactions, debt = look.facts.interactions, owed.ruling[2].debt_id
    return any(debt is None or name in ("", debt) for name in interactions.spoken) or any(
        speaks_of_debt(touch) and _is_about(touch.debt_id, debt) for touch in interactions.touches.values()
    )


def _is_about(named: str | None, debt: str | None) -> bool:
    return named is None or debt is None or named == debt


def notice(look: Look, owed: Owed, tenant: Tenant, wanted: Notice) -> Choice | None:
    """The notice that is due now, by the first channel on which it may be sent; None when there is none.

    For a debt that needs one which was not given: see `is_bound` and `was_given`.
    """
    if not has_spoken(look, owed):
        return None
    crm, at, debt = look.facts.crm, look.today.at, owed.ruling[2].debt_id
    for channel in wanted.channels:
        point = point_for(crm, channel, tenant.debt_class)
        if point is None:
            continue
        situation = Situation(at, channel, tenant, look.facts, point, debt, PURPOSE)
        if look.gate.judge(situation).allowed:
            said, language = variables(owed.covers, crm.profile), crm.profile.language or None
            draft = Draft(channel, point.address, wanted.template, said, debt, language, PURPOSE)
            chosen = Candidate(
                action=CONTACT, value=0.0, probability=1.0, allowed=True, channel=channel, template=wanted.template
            )
            return Choice(CONTACT, REASONS, (WAIT_ELSE, chosen), at + AGAIN, invoice_ids=owed.ids, draft=draft)
    return None
