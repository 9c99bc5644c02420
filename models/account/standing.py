"""How an account stands at an instant: what is open, what is overdue, and which invoices may be chased."""

import msgspec

from models.account.bars import RECALLED, SOLD, disputed, standing_holds
from models.account.ledger import Invoice
from models.account.profile import Bars, flag_key
from models.account.state import Facts
from models.clock import Instant

Named = tuple[Instant, str, Invoice]
"""Due instant, id and invoice: sorts by due date, then by id."""


class Standing(msgspec.Struct, gc=False):
    """Open invoices, oldest due first."""

    open: list[Named]
    chaseable: list[Named]
    """Those that are neither disputed nor of a debt that is held, recalled or sold."""
    overdue: list[Named]
    """Disputed ones included: they are unpaid all the same."""


NOTHING_OPEN = Standing([], [], [])


def standing_of(facts: Facts, at: Instant, overdue_before: Instant) -> Standing:
    """How the account stands at `at`, when an invoice due before `overdue_before` is overdue."""
    found = [(invoice.due, name, invoice) for name, invoice in facts.payments.invoices.items() if invoice.known]
    if not found:
        return NOTHING_OPEN
    if len(found) > 1:
        found.sort()
    bars = facts.bars
    chaseable = _chaseable(bars, found, at) if bars.disputes or bars.holds or bars.flags else found
    late = 0
    for named in found:
        if named[0] >= overdue_before:
            break
        late += 1
    return Standing(found, chaseable, found[:late])


def _chaseable(bars: Bars, found: list[Named], at: Instant) -> list[Named]:
    held = [hold.debt_id for hold in standing_holds(bars) if hold.debt_id and (hold.until is None or at < hold.until)]
    return [named for named in found if _may_be_chased(bars, held, named[1], named[2].debt_id)]


def _may_be_chased(bars: Bars, held: list[str], invoice_id: str, debt_id: str | None) -> bool:
    """A debt that an invoice does not name may be any of the account's: whatever bars one of them bars the invoice."""
    if bars.disputes and disputed(bars, invoice_id, debt_id):
        return False
    if bars.flags and (barred(bars, RECALLED, debt_id) or barred(bars, SOLD, debt_id)):
        return False
    return not held or (debt_id is not None and debt_id not in held)


def barred(crm: Bars, flag: str, debt_id: str | None) -> bool:
    """Whether a flag stands on the whole account or on the debt; on any debt, when the debt is not known.

    What was taken back for the whole account was for each of its debts.
    """
    flags = crm.flags
    whole = flags.get(flag, 0)
    if whole > 0:
        return True
    if debt_id is not None:
        return flags.get(flag_key(flag, debt_id), 0) > -whole
    return any(written > -whole and name.startswith(flag + "|") for name, written in flags.items())
