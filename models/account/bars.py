"""What bars a contact or keeps a debt from being chased: disputes, holds, and what stands on the account.

Each is as the latest event about it says, whatever order the events come in.
"""

from collections.abc import Callable
from typing import Any

from models.account.profile import (
    DEBTS,
    DISPUTES,
    FLAGS,
    HOLDS,
    WHOLE,
    Bars,
    BreathingSpace,
    CrmFacts,
    Debt,
    Dispute,
    Hold,
    drop_lightest,
    flag_key,
)
from models.calendar import day_number, instant
from schemas.crm import (
    BankruptcyEnded,
    BankruptcyFiled,
    BreathingSpaceEnded,
    BreathingSpaceStarted,
    CeaseRequested,
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
    RepresentationChanged,
    VulnerabilityReported,
)

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


def _target(invoice_id: str | None, debt_id: str | None) -> str:
    return f"i:{invoice_id}" if invoice_id else f"d:{debt_id or WHOLE}"


def _disputed(facts: CrmFacts, event: DisputeOpened, written: int) -> None:
    key = event.dispute_id or _target(event.invoice_id, event.debt_id)
    dispute = facts.disputes.get(key)
    if dispute is None:
        dispute = facts.disputes[key] = Dispute(event.invoice_id, event.debt_id)
    dispute.invoice_id = dispute.invoice_id or event.invoice_id
    dispute.debt_id = dispute.debt_id or event.debt_id
    if written > dispute.opened:
        dispute.opened, dispute.oral = written, event.form == "oral"
    if len(facts.disputes) > DISPUTES:
        drop_lightest(facts.disputes, _dispute_weight)


def _resolved(facts: CrmFacts, event: DisputeResolved, written: int) -> None:
    """Without a dispute id every dispute of the same invoice or debt is resolved, also one that is reported later."""
    key = event.dispute_id or _target(event.invoice_id, event.debt_id)
    dispute = facts.disputes.get(key)
    if dispute is None:
        dispute = facts.disputes[key] = Dispute(event.invoice_id, event.debt_id)
    dispute.upheld = dispute.upheld or event.outcome == "upheld"
    if written > dispute.resolved:
        dispute.resolved, dispute.outcome = written, event.outcome
    if len(facts.disputes) > DISPUTES:
        drop_lightest(facts.disputes, _dispute_weight)


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
        drop_lightest(facts.holds, _hold_weight)


def _released(facts: CrmFacts, event: HoldReleased, written: int) -> None:
    """Without a hold id every hold of the debt is released, also one that is reported later."""
    debt = event.debt_id or WHOLE
    hold = facts.holds.setdefault(event.hold_id or f"d:{debt}", Hold(debt))
    hold.released = max(hold.released, written)
    if len(facts.holds) > HOLDS:
        drop_lightest(facts.holds, _hold_weight)


def _hold_weight(hold: Hold) -> tuple[bool, int]:
    return hold.placed > hold.released, max(hold.placed, hold.released)


def standing_holds(facts: Bars) -> list[Hold]:
    """Holds that have not been released; their time may be over."""
    whole = facts.holds.get(_target(None, WHOLE))
    released = whole.released if whole else 0
    found = []
    for key, hold in facts.holds.items():
        target = f"d:{hold.debt_id}"
        every = facts.holds.get(target) if key != target else None
        if hold.placed > max(released, hold.released, every.released if every else 0):
            found.append(hold)
    return found


def _flag(facts: CrmFacts, name: str, debt_id: str | None, written: int, *, stands: bool) -> None:
    key = flag_key(name, debt_id)
    if written > abs(facts.flags.get(key, 0)):
        facts.flags[key] = written if stands else -written
        # Over the limit what no longer stands goes first; what stands is the last thing to forget.
        if len(facts.flags) > FLAGS:
            drop_lightest(facts.flags, lambda said: (said > 0, abs(said)))


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
        drop_lightest(facts.debts, lambda debt: debt.stamp)


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
    if event.kind in (None, "attorney") or not event.represented:  # whoever else speaks for them bars no contact
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


HANDLERS: dict[type, Callable[[CrmFacts, Any, int], None]] = {
    DebtPlaced: _placed,
    DebtRecalled: _recalled,
    DebtSold: _sold,
    DebtChargedOff: _charged_off,
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
