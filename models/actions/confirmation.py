"""The one text that confirms an opt-out by SMS: within five minutes of it, once, and whatever else there is to do.

47 CFR 64.1200(a)(12): a confirmation within five minutes of the request is presumed to be consented to, if it says
nothing else. The decision that asks for it chooses nothing besides.
"""

from models.account.course import CONTACT
from models.account.profile import ContactPoint
from models.actions.choice import WAIT_ELSE, Choice, Look
from models.actions.contact import Draft, point_for
from models.calendar import HOUR, MINUTE
from models.clock import Instant
from models.compliance.gate import Situation
from schemas.actions import Candidate
from schemas.control import Tenant
from schemas.envelope import Channel, Purpose
from schemas.interactions import OptOutReceived, ReplyReceived

ASKING = (OptOutReceived, ReplyReceived)
"""Events that may be an opt-out which has only just been received."""
WITHIN = 5 * MINUTE
LOOK_AFTER = HOUR
"""When the account is looked at again, had no other look been agreed."""
TEMPLATE = "opt_out_confirmation"
PURPOSE: Purpose = "opt_out_confirmation"
SMS: Channel = "sms"

REASONS = ("opt_out_confirmed",)
ACTIONS = (
    WAIT_ELSE,
    Candidate(action=CONTACT, value=0.0, probability=1.0, allowed=True, channel=SMS, template=TEMPLATE),
)


def confirmation(look: Look, tenant: Tenant, agreed: Instant | None) -> Choice | None:
    """The confirmation that is due now; None when there is none, or the gate denies it.

    Args:
        agreed: when the account was to be looked at next.
    """
    facts, at = look.facts, look.today.at
    opt_outs = {name: out for name, out in facts.interactions.opt_outs.items() if name.startswith(SMS + "|")}
    if not opt_outs:
        return None
    name = max(opt_outs, key=lambda its: (opt_outs[its], its))
    out = opt_outs[name]
    if not out <= at < out + WITHIN or any(its.purpose == PURPOSE and its.at >= out for its in look.course.planned):
        return None
    crm, address = facts.crm, name.partition("|")[2]
    point = _point_of(look, address) if address else point_for(crm, SMS, tenant.debt_class)
    if point is None:
        return None
    situation = Situation(at=at, channel=SMS, tenant=tenant, facts=facts, point=point, purpose=PURPOSE)
    if not look.gate.judge(situation).allowed:
        return None
    language = crm.profile.language or None
    draft = Draft(SMS, point.address, TEMPLATE, {}, None, language, PURPOSE, out + WITHIN)
    again = agreed if agreed is not None or not look.standing.open else at + LOOK_AFTER
    return Choice(CONTACT, REASONS, ACTIONS, again, draft=draft)


def _point_of(look: Look, address: str) -> ContactPoint | None:
    """The number as it is known; a text from one that is not is answered there all the same."""
    for point in look.facts.crm.points.values():
        if point.channel == SMS and point.address == address:
            return None if point.removed else point
    return ContactPoint(SMS, address)
