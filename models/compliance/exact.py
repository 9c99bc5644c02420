"""The exact judge: every rule that binds a contact is evaluated, and the next permitted instant is found from theirs.

Slow and plain on purpose: the fast gate is proven against it.
"""

from collections.abc import Iterator

import msgspec

from models.account.profile import Debt
from models.calendar import day_number
from models.clock import Instant
from models.compliance import bars, frequency, permission
from models.compliance.case import Case
from models.compliance.daytime import Clocked, clocked, next_open, permits, wished
from models.compliance.frequency import NEVER, PERMITS
from models.compliance.gate import ALLOWED, Verdict
from models.compliance.packs import Rules
from models.compliance.sentences import reason_of
from models.compliance.who import Who
from schemas.rules import (
    Confirmation,
    Consent,
    Content,
    CurrentConsent,
    Daytime,
    Distance,
    ExtraCalls,
    Limit,
    NoBreathingSpace,
    NoConversation,
    NoDispute,
    NoFlag,
    NoHold,
    NoOptOut,
    NoRevocation,
    Noticed,
    OwnAddress,
    Requirement,
    RightParty,
    Rule,
    Wishes,
    WorkAllowed,
)

NO_CONTACT_POINT = "no_contact_point"
MOST_STEPS = 2_000
"""Of the search; each is a window, an hold or a night that is over."""

Denials = dict[str, Instant]
"""Rule -> until when it denies."""
Force = tuple[Instant, Instant]
"""From when until before when a rule binds the contact's debt and is in force."""


class Asked(msgspec.Struct, gc=False):
    """What the rules that bind a contact at an instant ask of it, with the end of each rule's force."""

    required: list[tuple[str, Requirement, Instant]]
    extra_days: int
    """For how many dates a direct consent to extra calls holds; 0 = no rule says so."""
    opt_outs: bool
    """A rule of law in force honours an opt-out from this channel."""
    disputes: bool
    """One holds what was disputed in writing and in time."""
    checks: bool
    """One asks for a check of the number."""


def judge(rules: Rules, case: Case) -> Verdict:
    """Whether the contact is allowed, all that denies it, and from when on it would be allowed."""
    denied = denials(rules, case, case.at)
    if not denied:
        return ALLOWED
    names = tuple(sorted(denied))
    return Verdict(
        allowed=False,
        denied_by=names,
        reasons=tuple([reason_of(name, rules) for name in names]),
        next_allowed_at=next_allowed(rules, case, denied),
    )


def next_allowed(rules: Rules, case: Case, denied: Denials) -> Instant | None:
    """The first instant that nothing denies.

    All that denies must have ended by then, so the search leaps to the last end and asks again, until nothing denies or
    something never ends.
    """
    for _ in range(MOST_STEPS):
        at = max(denied.values())
        if at >= NEVER:
            return None
        denied = denials(rules, case, at)
        if not denied:
            return at
    return None


def denials(rules: Rules, case: Case, at: Instant) -> Denials:
    """Every rule that denies the contact at an instant, with what is known at the one that was asked about."""
    denied: Denials = dict.fromkeys(case.who.missing, NEVER)
    if case.no_point:
        denied[NO_CONTACT_POINT] = NEVER
    asked = asked_at(rules, case, at)
    hours: list[tuple[str, Clocked, Instant]] = []
    for name, required, ends in asked.required:
        hours += [(name, one, ends) for one in _hours(required, case)]
        until = min(until_of(required, case, at, asked), ends)
        if until > at:
            denied[name] = max(until, denied.get(name, 0))
    closed = [(name, ends) for name, one, ends in hours if not permits(one, at)]
    if closed:
        lasting = [one for _, one, ends in hours if ends == NEVER]
        opens = next_open(lasting, at) if lasting else at
        for name, ends in closed:
            own = next_open([one for other, one, _ in hours if other == name], at)
            until = NEVER if own is None else own
            if ends == NEVER:
                until = NEVER if opens is None else max(opens, until)
            denied[name] = max(min(until, ends), denied.get(name, 0))
    return denied


# -- which rules bind --------------------------------------------------------------------------------------------------


def asked_at(rules: Rules, case: Case, at: Instant) -> Asked:
    """What is asked of the contact at an instant."""
    required: list[tuple[str, Requirement, Instant]] = []
    for rule in rules:
        if rule.evaluated != "send" or not binds(rule, case.who, case.debt):
            continue
        starts, ends = force(rule, case.who, case.debt)
        if starts <= at < ends:
            required += [(rule.id, one, ends) for one in rule.requires if is_about(one, case)]
    kinds = [one for _, one, _ in required]
    return Asked(
        required=required,
        extra_days=max((one.days for one in kinds if isinstance(one, ExtraCalls)), default=0),
        opt_outs=any(isinstance(one, NoOptOut | Confirmation) for one in kinds),
        disputes=any(isinstance(one, NoDispute) and one.which == "timely_written" for one in kinds),
        checks=any(isinstance(one, CurrentConsent) for one in kinds),
    )


def binds(rule: Rule, known: Who, debt: Debt | None) -> bool:
    """Whether a rule binds this customer and debt, whatever its dates.

    What it would have to know and is missing is denied under the name of what is missing, not under the rule's.
    """
    where, who = rule.where, rule.binds
    if where.country is not None and where.country != known.country:
        return False
    if where.states and known.state not in where.states:
        return False
    if known.state in where.except_states:
        return False
    if where.city is not None and not known.new_york_city:
        return False
    if who.roles and known.role not in who.roles:
        return False
    if who.debt_classes and known.debt_class not in who.debt_classes:
        return False
    return debt is None or debt.secured_by not in who.not_secured_by


def force(rule: Rule, known: Who, debt: Debt | None) -> Force:
    """From the first zone's first date on until the last zone's last one is over."""
    starts, ends, clocks = PERMITS, NEVER, known.clocks
    if rule.effective_from is not None:
        first = day_number(rule.effective_from)
        starts = min(zone.start(first, 0) for zone in clocks)
    if rule.effective_to is not None:
        last = day_number(rule.effective_to)
        ends = max(zone.start(last + 1, 0) for zone in clocks)
    late = rule.binds.more_days_past_due_than
    if late is not None and debt is not None and debt.defaulted_on is not None:
        since = debt.defaulted_on + late + 1
        starts = max(starts, min(zone.start(since, 0) for zone in clocks))
    return starts, ends


def is_about(required: Requirement, case: Case) -> bool:
    """Whether a requirement is one of this contact."""
    if required.channels and case.channel not in required.channels:
        return False
    if required.purposes and case.purpose not in required.purposes:
        return False
    if required.modes and case.mode not in required.modes:
        return False
    if required.place != "any" and case.workplace is not (required.place == "work"):
        return False
    if required.except_lines and case.line_type in required.except_lines:
        return False
    return not required.debt_classes or case.who.debt_class in required.debt_classes


# -- what they ask -----------------------------------------------------------------------------------------------------


def _hours(required: Requirement, case: Case) -> Iterator[Clocked]:
    if isinstance(required, Daytime):
        one = clocked(required, case)
        if one is not None:
            yield one
    elif isinstance(required, Wishes):
        yield from wished(case)


def until_of(required: Requirement, case: Case, at: Instant, asked: Asked) -> Instant:  # noqa: C901, PLR0912 - the closed set of kinds
    """Until when a requirement denies, hours aside: those are looked at together."""
    match required:
        case Limit():
            return frequency.limit(required, case, at, asked.extra_days)
        case NoConversation():
            return frequency.no_conversation(required, case, at, asked.extra_days)
        case Distance():
            return frequency.distance(required, case)
        case Consent():
            return permission.consent(required, case)
        case CurrentConsent():
            return permission.current_consent(required, case, at)
        case OwnAddress():
            return permission.own_address(case)
        case NoOptOut():
            return permission.no_opt_out(required, case)
        case NoRevocation():
            return permission.no_revocation(case)
        case Confirmation():
            return permission.confirmation(required, case, at)
        case RightParty():
            return permission.right_party(case, checked_elsewhere=asked.checks)
        case Wishes():
            if permission.is_refused(case) and case.purpose != permission.CONFIRMING:
                return NEVER
            return PERMITS if asked.opt_outs else permission.opt_out_otherwise(case)
        case WorkAllowed():
            return permission.work_allowed(case)
        case Noticed():
            return bars.noticed(required, case, at)
        case NoDispute():
            return bars.no_dispute(required, case, timely_is_held=asked.disputes)
        case NoFlag():
            return bars.no_flag(required, case)
        case NoHold():
            return bars.no_hold(case)
        case NoBreathingSpace():
            return bars.no_breathing_space(required, case)
        case Daytime() | ExtraCalls() | Content():
            return PERMITS
    raise TypeError(type(required).__name__)
