"""How often: limits in windows of dates, days after a conversation, hours after the last contact.

A window is the date of the contact and the dates before it, on the clock of each zone that the customer may be in; any
zone in which it is full denies. Every answer is the instant until which the requirement denies, 0 when it does not.
"""

from collections.abc import Sequence

from models.account.interactions import Touch
from models.account.seen import instant_of
from models.calendar import HOUR, Zone
from models.clock import Instant
from models.compliance.case import ANY_CHANNEL, Case
from schemas.rules import Distance, Limit, NoConversation

PERMITS: Instant = 0
NEVER: Instant = 1 << 60
"""No passing of time helps."""


def limit(required: Limit, case: Case, at: Instant, extra_days: int, among: Sequence[Touch] | None = None) -> Instant:
    """Until when so many contacts are in the window that one more is too many.

    Args:
        extra_days: for how many dates a direct consent to extra calls holds.
        among: contacts that were made, all that can be in the window; None = all of the case.
    """
    if required.unless_consent and case.stands(case.consented()):
        return PERMITS
    if not required.most:
        return NEVER
    counted = [touch for touch in (case.made() if among is None else among) if _counts(required, case, touch)]
    if len(counted) < required.most:
        return PERMITS
    until = PERMITS
    for zone in case.who.zones:
        extra = extra_days if required.except_extra_calls else 0
        if extra and _may_call_more(case, zone, at, case.debt_id, extra):
            continue
        first = zone.day(at) - required.days + 1
        days = sorted(
            day
            for touch in counted
            if (day := zone.day(touch.at)) >= first
            and not (extra and _may_call_more(case, zone, touch.at, touch.debt_id, extra))
        )
        if len(days) >= required.most:
            until = max(until, zone.start(days[-required.most] + required.days, 0))
    return until


def _counts(required: Limit, case: Case, touch: Touch) -> bool:
    if required.counted_channels and touch.channel not in required.counted_channels and touch.channel != ANY_CHANNEL:
        return False
    if required.counted_purposes and touch.purpose not in required.counted_purposes:
        return False
    if required.counted_modes and touch.mode not in required.counted_modes:
        return False
    if touch.outcome in required.except_outcomes:
        return False
    if required.counted_place != "any":
        at_work = case.went_to_work(touch)
        if at_work is not None and at_work is not (required.counted_place == "work"):
            return False
    return "debt" not in required.per or case.is_about(touch.debt_id)


def _may_call_more(case: Case, zone: Zone, at: Instant, debt_id: str | None, days: int) -> bool:
    """Whether a call at an instant was or is covered by a direct consent to extra calls; its date is day 1."""
    since: Instant | None = None
    for said in case.crm.extra_calls:
        moment = instant_of(said.stamp)
        if moment > at:
            break
        if said.debt_id is not None and said.debt_id != debt_id and not (debt_id is None and case.debt_id is None):
            continue
        if said.address is not None and case.address and said.address != case.address:
            continue
        if not said.granted:
            since = None
        elif said.direct:
            since = moment
    return since is not None and zone.day(at) - zone.day(since) < days


def no_conversation(required: NoConversation, case: Case, at: Instant, extra_days: int) -> Instant:
    """Until when a conversation about the debt is too fresh; in either direction, its date is day 1."""
    talks = [
        case.told_at(touch)
        for touch in case.touches()
        if touch.outcome == "conversation"
        and touch.channel in ("call", "voicemail")
        and touch.purpose != "transactional"
        and case.is_about(touch.debt_id)
    ]
    until = PERMITS
    if not talks:
        return until
    latest = max(talks)
    for zone in case.who.zones:
        if required.except_extra_calls and _may_call_more(case, zone, at, case.debt_id, extra_days):
            continue
        until = max(until, zone.start(zone.day(latest) + required.days, 0))
    return until


def distance(required: Distance, case: Case) -> Instant:
    """Until when the last contact is too short a time ago."""
    latest = max(
        (touch.at for touch in case.made() if not required.purposes or touch.purpose in required.purposes), default=None
    )
    return PERMITS if latest is None else latest + round(required.hours * HOUR)
