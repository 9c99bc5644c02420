"""What stands on the account or the debt: flags, holds, disputes, a breathing space, a validation notice not sent.

Every answer is the instant until which the requirement denies: 0 when it does not, NEVER when time does not help.
"""

from collections.abc import Iterator

from models.account.bars import BANKRUPT, CEASE, DECEASED, FRAUD, RECALLED, REPRESENTED, SOLD
from models.account.interactions import gives_notice, speaks_of_debt
from models.account.profile import Dispute
from models.account.seen import instant_of
from models.account.standing import barred
from models.calendar import DAY, Zone
from models.clock import Instant
from models.compliance.case import Case
from models.compliance.frequency import NEVER, PERMITS
from models.compliance.validation import period_ends
from schemas.rules import NoBreathingSpace, NoDispute, NoFlag, Noticed

FLAGS = {
    "bankrupt": BANKRUPT,
    "cease": CEASE,
    "deceased": DECEASED,
    "fraud": FRAUD,
    "recalled": RECALLED,
    "represented": REPRESENTED,
    "sold": SOLD,
}
Told = tuple[str | None, Instant]
"""A debt, or none that is named, and since when."""
VOICE = ("call", "voicemail")
NOT_OWED = -(1 << 30)
Unnoticed = tuple[tuple[Zone, int], ...]
"""The date, on each of the customer's clocks, of the first word about debts of which no notice was sent; empty = none."""


def no_flag(required: NoFlag, case: Case) -> Instant:
    """None of the flags stands on the account or the debt."""
    if required.unless_requested and case.requested and case.purpose == "transactional":
        return PERMITS
    if not any(barred(case.crm, FLAGS[flag], case.debt_id) for flag in required.flags):
        return PERMITS
    return PERMITS if case.party in required.except_parties else NEVER


def no_hold(case: Case) -> Instant:
    """No hold binds the debt."""
    untils = [NEVER if hold.until is None else hold.until for hold in case.holds()]
    return max(untils, default=PERMITS)


def no_breathing_space(required: NoBreathingSpace, case: Case) -> Instant:
    """No moratorium is in force. A standard one of which no end was told lasts as long as it may."""
    space = case.crm.breathing
    if space is None or space.started <= space.ended:
        return PERMITS
    if space.ends_at is not None:
        return space.ends_at
    return instant_of(space.started) + required.most_days * DAY if space.kind == "standard" else NEVER


def no_dispute(required: NoDispute, case: Case, *, timely_is_held: bool) -> Instant:
    """The debt is not disputed, in the way that the requirement is about.

    Args:
        timely_is_held: another rule in force holds what was disputed in writing and in time.
    """
    for dispute, opened in _standing(case):
        timely = not dispute.oral and _in_time(case, dispute, opened)
        if timely if required.which == "timely_written" else not (timely and timely_is_held):
            return NEVER
    return PERMITS


def _standing(case: Case) -> Iterator[tuple[Dispute, Instant]]:
    """Disputes of the debt, not of single invoices, that are open or were upheld, and when they were raised."""
    disputes = case.crm.disputes
    for key, dispute in disputes.items():
        if dispute.invoice_id is not None or not case.is_about(dispute.debt_id):
            continue
        resolved, outcome = dispute.resolved, dispute.outcome
        target = f"d:{dispute.debt_id or ''}"
        whole = disputes.get(target) if key != target else None
        if whole is not None and whole.resolved > resolved:
            resolved, outcome = whole.resolved, whole.outcome
        if dispute.opened > resolved or dispute.upheld or outcome == "upheld":
            yield dispute, instant_of(dispute.opened or dispute.resolved)


def _in_time(case: Case, dispute: Dispute, opened: Instant) -> bool:
    """Whether a dispute was raised before the validation period was over; without a notice it has not begun."""
    given = [
        (at, spoken)
        for debt, at, spoken in _notices(case)
        if debt is None or dispute.debt_id is None or debt == dispute.debt_id
    ]
    return not given or any(
        zone.day(opened) <= period_ends(zone.day(at), spoken=spoken) for at, spoken in given for zone in case.who.clocks
    )


# -- the validation notice ---------------------------------------------------------------------------------------------


def noticed(required: Noticed, case: Case, at: Instant) -> Instant:
    """Each debt that the contact may be about was first spoken of not too long ago, or its notice was sent."""
    return NEVER if days_owed(unnoticed(case), at) > required.days else PERMITS


def unnoticed(case: Case) -> Unnoticed:
    """What a validation notice is owed for: the same at every instant, and for every contact about the same debt."""
    notices = {debt for debt, _, _ in _notices(case)}
    first: dict[Zone, int] = {}
    if None in notices:
        return ()
    for debt, since in _spoken(case):
        wanted = debt if debt is not None else case.debt_id
        if case.is_about(debt) and not (notices if wanted is None else wanted in notices):
            for zone in case.who.zones:
                day = zone.day(since)
                first[zone] = min(first.get(zone, day), day)
    return tuple(first.items())


def days_owed(owed: Unnoticed, at: Instant) -> int:
    """For how many days a notice has been owed, on the clock that counts most; NOT_OWED = none is."""
    days = NOT_OWED
    for zone, day in owed:
        days = max(days, zone.day(at) - day)
    return days


def _spoken(case: Case) -> Iterator[Told]:
    for debt, at in case.interactions.spoken.items():
        yield debt or None, at
    for touch in case.touches():
        if speaks_of_debt(touch):
            yield touch.debt_id, case.told_at(touch)


def _notices(case: Case) -> Iterator[tuple[str | None, Instant, bool]]:
    """Of which debt a notice was given, when, and whether it was spoken."""
    for debt, at in case.interactions.noticed.items():
        yield debt or None, at, False
    for touch in case.touches():
        if gives_notice(touch):
            yield touch.debt_id, touch.at, touch.channel in VOICE
