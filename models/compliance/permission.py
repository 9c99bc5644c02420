"""What the customer has agreed to and what they do not want: consent, opt-out, wishes, and whose number it is.

Every answer is the instant until which the requirement denies: 0 when it does not, NEVER when time does not help.
"""

from models.account.interactions import FAILED, medium
from models.account.seen import instant_of
from models.calendar import MINUTE
from models.clock import Instant
from models.compliance.case import SOMEBODY_ELSES, Case
from models.compliance.frequency import NEVER, PERMITS
from schemas.rules import Confirmation, Consent, CurrentConsent, NoOptOut

CONFIRMING = "opt_out_confirmation"


def _denied(if_: bool) -> Instant:  # noqa: FBT001 - reads as a sentence where it is used
    return NEVER if if_ else PERMITS


def consent(required: Consent, case: Case) -> Instant:
    """Consent to the channel stands."""
    given = case.consented(not_oral=required.not_oral, to_address=required.to_address)
    return _denied(not case.stands(given))


def current_consent(required: CurrentConsent, case: Case, at: Instant) -> Instant:
    """The number is the customer's by what they did themselves, and that or a check of it is recent."""
    out, given, texted = case.opted_out(), case.consented(), case.wrote_at()
    own = max(given if given > out else 0, texted if texted > out else 0)
    if not own:
        return NEVER
    check = case.crm.checks.get(case.address)
    proof = own if check is None else max(own, instant_of(check.theirs_at))
    if check is not None and instant_of(check.anothers_at) > proof:
        return NEVER
    too_old = any(zone.day(at) - zone.day(proof) > required.days for zone in case.who.zones)
    return _denied(too_old)


def own_address(case: Case) -> Instant:
    """The address is known to be the customer's own."""
    out = case.opted_out()
    return _denied(not case.verified and not case.stands(case.consented()) and case.wrote_at() <= out)


def no_opt_out(required: NoOptOut, case: Case) -> Instant:
    """Neither an opt-out nor a reply that may be one is newer than the last consent."""
    out, given = case.opted_out(), case.consented()
    if case.mode in required.also_by_sms and case.kind == "call":
        out = max(out, case.stopped_by_sms())
    if required.or_refusal and case.purpose != CONFIRMING:
        said = case.preference()
        if said is not None and said.refused:
            out = max(out, instant_of(said.stamp))
    return _unwanted(case, out, given)


def opt_out_otherwise(case: Case) -> Instant:
    """`no_opt_out` where no rule of law in force asks for it."""
    return _unwanted(case, case.opted_out(), case.consented())


def _unwanted(case: Case, out: Instant, given: Instant) -> Instant:
    if case.purpose == CONFIRMING:
        return _denied(out > 0 and _is_confirmed(case, out))
    return _denied(max(out, case.may_have_opted_out()) >= given and max(out, case.may_have_opted_out()) > 0)


def _is_confirmed(case: Case, out: Instant) -> bool:
    """Whether a confirmation has been sent since the opt-out."""
    return any(
        touch.purpose == CONFIRMING
        and not touch.inbound
        and touch.outcome != FAILED
        and touch.at >= out
        and touch.channel in (case.channel, case.kind, "")
        for touch in case.touches()
    )


def no_revocation(case: Case) -> Instant:
    """No opt-out from calls or texts about another debt is newer than the last consent."""
    latest = max((at for _, debt, at in case.stops() if not case.is_about(debt)), default=0)
    return _denied(latest > 0 and latest >= case.consented())


def confirmation(required: Confirmation, case: Case, at: Instant) -> Instant:
    """It confirms an opt-out of the last minutes, once."""
    out = max(case.opted_out(), case.interactions.stopped_by.get(case.channel, 0))
    return _denied(not (0 < out <= at <= out + required.minutes * MINUTE) or _is_confirmed(case, out))


def right_party(case: Case, *, checked_elsewhere: bool) -> Instant:
    """The contact point has not turned out to be somebody else's.

    A number that was reassigned is the customer's again when it is named or checked anew; one at which a wrong party
    was reached stays blocked, for a list of numbers that nobody has mended names it again and again.

    Args:
        checked_elsewhere: another rule in force weighs the checks of the number.
    """
    if any(kind in SOMEBODY_ELSES for kind in case.suppressed):
        return NEVER
    blocked, reached = case.interactions.blocked, medium(case.channel)
    if reached in blocked or (case.address and case.address in blocked):
        return NEVER
    check = case.crm.checks.get(case.address)
    if (
        check is not None
        and not checked_elsewhere
        and instant_of(check.anothers_at) > max(instant_of(check.theirs_at), case.named_at)
    ):
        return NEVER
    # What reached somebody else at a point that nobody has told: it may be this one.
    return _denied(
        any(
            touch.outcome == "wrong_party"
            and (touch.address == case.address if touch.address and case.address else medium(touch.channel) == reached)
            for touch in case.touches()
        )
    )


def work_allowed(case: Case) -> Instant:
    """The customer has not said that this channel must not reach them at work."""
    work = case.crm.work
    if not work:
        return _denied(case.crm.workplace_refused)
    return _denied(max((work.get(case.channel, 0), work.get("", 0)), key=abs) < 0)


def is_refused(case: Case) -> bool:
    """Whether the customer wants nothing on this channel."""
    said = case.preference()
    return said is not None and said.refused
