"""How an account stands at an instant: what is open, what is overdue, and which invoices may be chased."""

import msgspec

from models.account.crm import RECALLED, SOLD, disputed, standing_holds
from models.account.ledger import Invoice
from models.account.profile import WHOLE, Bars, flag_key
from models.account.state import Facts
from models.clock import Instant

Named = tuple[str, Invoice]


class Standing(msgspec.Struct, gc=False):
    """Open invoices, oldest due first."""

    open: list[Named]
    chaseable: list[Named]
    """Those that are neither disputed nor of a debt that is held, recalled or sold."""
    overdue: list[Named]
    """Disputed ones included: they are unpaid all the same."""

    @property
    def overdue_since(self) -> Instant | None:
        """Due instant of the oldest overdue invoice."""
        return self.overdue[0][1].due if self.overdue else None


NOTHING_OPEN = Standing([], [], [])


def _by_due(named: Named) -> tuple[Instant, str]:
    return named[1].due, named[0]


def standing_of(facts: Facts, at: Instant, overdue_before: Instant) -> Standing:
    """How the account stands at `at`, when an invoice due before `overdue_before` is overdue."""
    found = [named for named in facts.payments.invoices.items() if named[1].known]
    if not found:
        return NOTHING_OPEN
    if len(found) > 1:
        found.sort(key=_by_due)
    bars = facts.bars
    chaseable = found
    if bars.disputes or bars.holds or bars.flags:
        chaseable = [named for named in found if _may_be_chased(bars, named[0], named[1].debt_id, at)]
    overdue = [named for named in found if named[1].due < overdue_before]
    return Standing(found, chaseable, overdue)


def _may_be_chased(crm: Bars, invoice_id: str, debt_id: str | None, at: Instant) -> bool:
    """A debt that an invoice does not name may be any of the account's: whatever bars one of them bars the invoice."""
    if crm.disputes and disputed(crm, invoice_id, debt_id):
        return False
    if crm.flags and (barred(crm, RECALLED, debt_id) or barred(crm, SOLD, debt_id)):
        return False
    return not any(
        hold.debt_id != WHOLE and debt_id in (None, hold.debt_id) and (hold.until is None or at < hold.until)
        for hold in standing_holds(crm)
    )


def barred(crm: Bars, flag: str, debt_id: str | None) -> bool:
    """Whether a flag stands on the whole account or on the debt; on any debt, when the debt is not known."""
    flags = crm.flags
    if flags.get(flag, 0) > 0:
        return True
    if debt_id is not None:
        return flags.get(flag_key(flag, debt_id), 0) > 0
    return any(written > 0 and name.startswith(flag + "|") for name, written in flags.items())
