"""Who the customer is and what bars a contact, folded from crm-events alone, so that no other topic's order can matter.

Whatever order events come in, each field holds what the latest event says about it: latest by `occurred_at`, then by
event id.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from models.account.outcome import APPLIED, DUPLICATE, Answer
from models.account.profile import (
    CONSENTS,
    DEBTS,
    DISPUTES,
    FLAGS,
    HOLDS,
    PARTIES,
    POINTS,
    PROFILE_FIELDS,
    WHOLE,
    Bars,
    BreathingSpace,
    Check,
    Consent,
    ContactPoint,
    CrmFacts,
    Debt,
    Dispute,
    Hold,
    Party,
    Preference,
    flag_key,
)
from models.account.seen import EVENTS, fingerprint, remember, stamp
from models.calendar import day_number, instant
from schemas.crm import (
    AccountUpdated,
    BankruptcyEnded,
    BankruptcyFiled,
    BreathingSpaceEnded,
    BreathingSpaceStarted,
    CeaseRequested,
    ConsentChanged,
    ContactPointChecked,
    ContactPointUpdated,
    ContactPreferenceChanged,
    DebtChargedOff,
    DebtPlaced,
    DebtRecalled,
    DebtSold,
    DeceasedReported,
    DisputeOpened,
    DisputeResolved,
    ErasureRequested,
    FraudReported,
    HardshipDeclared,
    HardshipEnded,
    HoldPlaced,
    HoldReleased,
    PartyLinked,
    RepresentationChanged,
    VulnerabilityReported,
)
from schemas.envelope import Event, Hours

BANKRUPT = "bankrupt"
CEASE = "cease"
CHARGED_OFF = "charged_off"
DECEASED = "deceased"
ERASURE = "erasure"
FRAUD = "fraud"
HARDSHIP = "hardship"
RECALLED = "recalled"
REPRESENTED = "represented"
SOLD = "sold"
VULNERABLE = "vulnerable"

_said = attrgetter(*PROFILE_FIELDS)
_LANGUAGE = PROFILE_FIELDS.index("language")


# -- who they are ------------------------------------------------------------------------------------------------------


def _updated(facts: CrmFacts, event: AccountUpdated, written: int) -> None:
    stamps = _stamps(facts)
    profile = facts.profile
    for place, value in enumerate(_said(event)):
        if value is not None and written > stamps[place]:
            stamps[place] = written
            setattr(profile, PROFILE_FIELDS[place], value)


def _stamps(facts: CrmFacts) -> list[int]:
    if not facts.written:
        facts.written = [0] * len(PROFILE_FIELDS)
    return facts.written


def _party(facts: CrmFacts, event: PartyLinked, written: int) -> None:
    known = facts.parties.get(event.party_id)
    if known is None or written > known.stamp:
        facts.parties[event.party_id] = Party(written, event.role, event.linked)
        if len(facts.parties) > PARTIES:
            _drop_lightest(facts.parties, lambda party: (party.linked, party.stamp))


def _point(facts: CrmFacts, event: ContactPointUpdated, written: int) -> None:
    key = f"{event.channel}|{event.address}"
    known = facts.points.get(key)
    if known is not None and known.stamp >= written:
        return
    facts.points[key] = ContactPoint(
        channel=event.channel,
        address=event.address,
        stamp=written,
        verified=event.verified,
        workplace=event.workplace,
        removed=event.removed,
        role=event.role,
        party_id=event.party_id,
        line_type=event.line_type,
        contact_point_id=event.contact_point_id,
    )
    if event.contact_point_id is not None:
        for other, point in list(facts.points.items()):
            # The same contact point under an older address.
            if point.contact_point_id == event.contact_point_id and point.channel == event.channel and other != key:
                older = min(other, key, key=lambda name: (facts.points[name].stamp, name))
                facts.points[older].removed = True
    if len(facts.points) > POINTS:
        _drop_lightest(facts.points, lambda point: (not point.removed, point.stamp))


def _checked(facts: CrmFacts, event: ContactPointChecked, written: int) -> None:
    known = facts.checks.get(event.address)
    if known is None or written > known.stamp:
        facts.checks[event.address] = Check(written, event.result, event.line_type)
        if len(facts.checks) > POINTS:
            _drop_lightest(facts.checks, lambda check: (check.result == "reassigned", check.stamp))


# -- what they want ----------------------------------------------------------------------------------------------------


def _consent(facts: CrmFacts, event: ConsentChanged, written: int) -> None:
    key = f"{event.channel}|{event.address or ''}|{event.scope}"
    known = facts.consents.get(key)
    if known is None or written > known.stamp:
        facts.consents[key] = Consent(written, event.state == "granted", event.direct)
        if len(facts.consents) > CONSENTS:
            _drop_lightest(facts.consents, lambda consent: (not consent.granted, consent.stamp))


def _preference(facts: CrmFacts, event: ContactPreferenceChanged, written: int) -> None:
    said = Preference(written, event.refused, _spans(event.convenient), _spans(event.inconvenient))
    for channel in event.channels or ("",):
        known = facts.preferences.get(channel)
        if known is None or written > known.stamp:
            facts.preferences[channel] = said
    if event.workplace_refused is not None and written > facts.workplace_stamp:
        facts.workplace_refused, facts.workplace_stamp = event.workplace_refused, written
    stamps = _stamps(facts)
    if event.language is not None and written > stamps[_LANGUAGE]:
        stamps[_LANGUAGE], facts.profile.language = written, event.language


def _spans(hours: tuple[Hours, ...]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple((span.start, span.end, tuple(span.days)) for span in hours)


# -- what bars a contact -----------------------------------------------------------------------------------------------


def _target(invoice_id: str | None, debt_id: str | None) -> str:
    return f"i:{invoice_id}" if invoice_id else f"d:{debt_id or WHOLE}"


def _disputed(facts: CrmFacts, event: DisputeOpened, written: int) -> None:
    key = event.dispute_id or _target(event.invoice_id, event.debt_id)
    dispute = facts.disputes.get(key)
    if dispute is None:
        dispute = facts.disputes[key] = Dispute(event.invoice_id, event.debt_id)
    dispute.invoice_id = dispute.invoice_id or event.invoice_id
    dispute.debt_id = dispute.debt_id or event.debt_id
    dispute.opened = max(dispute.opened, written)
    if len(facts.disputes) > DISPUTES:
        _drop_lightest(facts.disputes, _dispute_weight)


def _resolved(facts: CrmFacts, event: DisputeResolved, written: int) -> None:
    """Without a dispute id every dispute of the same invoice or debt is resolved, also one that is reported later."""
    key = event.dispute_id or _target(event.invoice_id, event.debt_id)
    dispute = facts.disputes.get(key)
    if dispute is None:
        dispute = facts.disputes[key] = Dispute(event.invoice_id, event.debt_id)
    if written > dispute.resolved:
        dispute.resolved, dispute.outcome = written, event.outcome
    if len(facts.disputes) > DISPUTES:
        _drop_lightest(facts.disputes, _dispute_weight)


def _dispute_weight(dispute: Dispute) -> tuple[bool, int]:
    stands = dispute.opened > dispute.resolved or dispute.outcome == "upheld"
    return stands, max(dispute.opened, dispute.resolved)


def disputed(facts: Bars, invoice_id: str, debt_id: str | None) -> bool:
    """Whether an invoice is not to be chased: it or its debt is disputed, or a dispute of it was upheld."""
    for key, dispute in facts.disputes.items():
        if dispute.invoice_id is not None:
            if dispute.invoice_id != invoice_id:
                continue
        elif dispute.debt_id is not None and debt_id is not None and dispute.debt_id != debt_id:
            continue
        resolved, outcome = dispute.resolved, dispute.outcome
        target = _target(dispute.invoice_id, dispute.debt_id)
        if key != target and (whole := facts.disputes.get(target)) is not None and whole.resolved > resolved:
            resolved, outcome = whole.resolved, whole.outcome
        if dispute.opened > resolved or outcome == "upheld":
            return True
    return False


def _held(facts: CrmFacts, event: HoldPlaced, written: int) -> None:
    debt = event.debt_id or WHOLE
    hold = facts.holds.setdefault(event.hold_id or f"d:{debt}", Hold(debt))
    if written > hold.placed:
        hold.debt_id, hold.placed = debt, written
        hold.until = None if event.until is None else instant(event.until)
    if len(facts.holds) > HOLDS:
        _drop_lightest(facts.holds, _hold_weight)


def _released(facts: CrmFacts, event: HoldReleased, written: int) -> None:
    """Without a hold id every hold of the debt is released, also one that is reported later."""
    debt = event.debt_id or WHOLE
    hold = facts.holds.setdefault(event.hold_id or f"d:{debt}", Hold(debt))
    hold.released = max(hold.released, written)
    if len(facts.holds) > HOLDS:
        _drop_lightest(facts.holds, _hold_weight)


def _hold_weight(hold: Hold) -> tuple[bool, int]:
    return hold.placed > hold.released, max(hold.placed, hold.released)


def standing_holds(facts: Bars) -> list[Hold]:
    """Holds that have not been released; their time may be over."""
    found = []
    for key, hold in facts.holds.items():
        target = f"d:{hold.debt_id}"
        every = facts.holds.get(target) if key != target else None
        if hold.placed > max(hold.released, every.released if every else 0):
            found.append(hold)
    return found


def _flag(facts: CrmFacts, name: str, debt_id: str | None, written: int, *, stands: bool) -> None:
    key = flag_key(name, debt_id)
    if written > abs(facts.flags.get(key, 0)):
        facts.flags[key] = written if stands else -written
        # Over the limit what no longer stands goes first; what stands is the last thing to forget.
        if len(facts.flags) > FLAGS:
            _drop_lightest(facts.flags, lambda said: (said > 0, abs(said)))


def _recalled(facts: CrmFacts, event: DebtRecalled, written: int) -> None:
    _flag(facts, RECALLED, event.debt_id, written, stands=True)


def _sold(facts: CrmFacts, event: DebtSold, written: int) -> None:
    _flag(facts, SOLD, event.debt_id, written, stands=True)


def _placed(facts: CrmFacts, event: DebtPlaced, written: int) -> None:
    """A debt that was recalled or sold and is placed again may be chased again."""
    _flag(facts, RECALLED, event.debt_id, written, stands=False)
    _flag(facts, SOLD, event.debt_id, written, stands=False)
    known = facts.debts.get(event.debt_id)
    if known is not None and known.stamp >= written:
        return
    facts.debts[event.debt_id] = Debt(
        stamp=written,
        collector_role=event.collector_role,
        debt_class=event.debt_class,
        secured_by=event.secured_by,
        defaulted_on=None if event.defaulted_on is None else day_number(event.defaulted_on),
        last_payment_on=None if event.last_payment_on is None else day_number(event.last_payment_on),
        limitation_on=None if event.limitation_on is None else day_number(event.limitation_on),
    )
    if len(facts.debts) > DEBTS:
        _drop_lightest(facts.debts, lambda debt: debt.stamp)


def _charged_off(facts: CrmFacts, event: DebtChargedOff, written: int) -> None:
    _flag(facts, CHARGED_OFF, event.debt_id, written, stands=True)


def _hardship(facts: CrmFacts, _event: HardshipDeclared, written: int) -> None:
    _flag(facts, HARDSHIP, None, written, stands=True)


def _hardship_over(facts: CrmFacts, _event: HardshipEnded, written: int) -> None:
    _flag(facts, HARDSHIP, None, written, stands=False)


def _vulnerable(facts: CrmFacts, event: VulnerabilityReported, written: int) -> None:
    _flag(facts, VULNERABLE, None, written, stands=not event.ended)


def _breathing(facts: CrmFacts, event: BreathingSpaceStarted, written: int) -> None:
    space = facts.breathing or BreathingSpace()
    if written > space.started:
        space.started, space.kind = written, event.kind
        space.ends_at = None if event.ends_at is None else instant(event.ends_at)
    facts.breathing = space


def _breathing_over(facts: CrmFacts, _event: BreathingSpaceEnded, written: int) -> None:
    space = facts.breathing or BreathingSpace()
    space.ended = max(space.ended, written)
    facts.breathing = space


def _represented(facts: CrmFacts, event: RepresentationChanged, written: int) -> None:
    _flag(facts, REPRESENTED, event.debt_id, written, stands=event.represented)


def _ceased(facts: CrmFacts, event: CeaseRequested, written: int) -> None:
    if event.form != "oral":  # only a written request binds; a form that is unknown counts as written
        _flag(facts, CEASE, event.debt_id, written, stands=not event.withdrawn)


def _bankrupt(facts: CrmFacts, _event: BankruptcyFiled, written: int) -> None:
    _flag(facts, BANKRUPT, None, written, stands=True)


def _bankruptcy_over(facts: CrmFacts, event: BankruptcyEnded, written: int) -> None:
    """A discharge forbids to collect for good, so the flag stays."""
    _flag(facts, BANKRUPT, None, written, stands=event.outcome == "discharged")


def _deceased(facts: CrmFacts, _event: DeceasedReported, written: int) -> None:
    _flag(facts, DECEASED, None, written, stands=True)


def _fraud(facts: CrmFacts, event: FraudReported, written: int) -> None:
    _flag(facts, FRAUD, event.debt_id, written, stands=not event.withdrawn)


def _erasure(facts: CrmFacts, _event: ErasureRequested, written: int) -> None:
    _flag(facts, ERASURE, None, written, stands=True)


def _drop_lightest(records: dict[str, Any], weight: Callable[[Any], Any]) -> None:
    del records[min(records, key=lambda name: (weight(records[name]), name))]


Handler = Callable[[CrmFacts, Any, int], None]

HANDLERS: dict[type, Handler] = {
    AccountUpdated: _updated,
    PartyLinked: _party,
    DebtPlaced: _placed,
    DebtRecalled: _recalled,
    DebtSold: _sold,
    DebtChargedOff: _charged_off,
    ContactPointUpdated: _point,
    ContactPointChecked: _checked,
    ContactPreferenceChanged: _preference,
    ConsentChanged: _consent,
    DisputeOpened: _disputed,
    DisputeResolved: _resolved,
    HoldPlaced: _held,
    HoldReleased: _released,
    HardshipDeclared: _hardship,
    HardshipEnded: _hardship_over,
    VulnerabilityReported: _vulnerable,
    BreathingSpaceStarted: _breathing,
    BreathingSpaceEnded: _breathing_over,
    RepresentationChanged: _represented,
    CeaseRequested: _ceased,
    BankruptcyFiled: _bankrupt,
    BankruptcyEnded: _bankruptcy_over,
    DeceasedReported: _deceased,
    FraudReported: _fraud,
    ErasureRequested: _erasure,
}


def fold(facts: CrmFacts, event: Event, handler: Handler) -> Answer:
    """Fold one event of crm-events. A dropped one leaves the facts as they were."""
    mark = fingerprint(event.event_id)
    if mark in facts.events:
        return DUPLICATE
    facts.events = remember(facts.events, mark, EVENTS)
    handler(facts, event, stamp(instant(event.occurred_at), mark))
    return APPLIED
