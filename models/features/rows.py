"""One account as a row of the matrix: the same function for a live decision and for history, so both are equal to the bit.

It takes two steps. `observe` reads counts, sums and dates off the state, account by account. `matrix` makes the features
out of them for all accounts at once, with nothing but +, -, *, /, the square root and rounding, which IEEE 754 fixes to
the last bit: whatever the batch, the machine or the order of the rows, the same state gives the same bytes.
"""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.account.bars import HARDSHIP
from models.account.course import Course
from models.account.interactions import Promise
from models.account.ledger import PaymentFacts, slack_of
from models.account.profile import Bars
from models.account.standing import Named, Standing
from models.account.state import Facts
from models.calendar import DAY, Zone
from models.clock import Instant
from models.features.catalogue import NAMES
from models.features.priors import PRIOR_DAYS, PRIOR_INVOICES, PRIOR_LATE, PRIOR_ON_TIME
from schemas.currencies import CURRENCIES, decimals

Row = bytes
"""The raw numbers of one account, as float64."""
Matrix = NDArray[np.float64]

NAN = float("nan")
UNITS = {currency: 10.0 ** decimals(currency) for currency in CURRENCIES}
"""Minor units in a major one."""

RAW = (
    "amount", "units_paid", "units", "usual_count", "usual_sum", "terms_days", "days_to_due", "due_day", "electronic",
    "open_invoices", "overdue_invoices", "oldest_days_overdue", "open_amount", "overdue_amount", "credit",
    "closed", "late", "late_days", "late_squares", "timed", "slack", "to_pay", "recent_count", "recent_on_time", "recent_slack",
    "last_slack", "last_paid_at", "first_at", "issued", "failed", "reversed", "written_off", "coming", "plans_active",
    "plans_broken", "open_disputes", "disputes", "hardship", "contacts", "last_contact_at", "reached", "promises_open",
    "promises_kept", "promises_broken", "days_to_promise", "at",
)  # fmt: skip
_pack = struct.Struct(f"{len(RAW)}d").pack

NOTHING = (0, 0)


def focus_of(standing: Standing, moment: str, target: str = "") -> Named | None:
    """The open invoice that a score is about.

    Args:
        moment: at which a model was trained.
        target: what it foretells. Of an invoice at its issue, or whether it is paid by its due date: that of one that is
            not overdue yet, so the next one to come due, if there is any. Of an invoice that has become overdue: that of
            the one that did so last. Otherwise of the oldest due one.
    """
    if moment == "issue" or target == "paid_by_due":
        place = len(standing.overdue)
        return standing.open[place] if place < len(standing.open) else None
    if moment == "overdue":
        return standing.overdue[-1] if standing.overdue else None
    return standing.open[0] if standing.open else None


def observe(facts: Facts, course: Course, standing: Standing, focus: Named | None, at: Instant, zone: Zone) -> Row:
    """What the state says at an instant.

    Args:
        standing: of the account at `at`.
        focus: the invoice that the row is about; None = there is none, and what concerns it is not known.
        zone: in which days of the week and month are counted.
    """
    payments = facts.payments
    habits = payments.habits
    currency = _currency(payments, standing, focus)
    units = UNITS.get(currency, 100.0)
    open_minor = overdue_minor = oldest = credit = 0
    overdue = standing.overdue
    for _, _, invoice in standing.open:
        if invoice.currency == currency:
            open_minor += invoice.amount + invoice.adjusted - invoice.paid  # its `rest`, without the call
    if overdue:
        oldest = (at - overdue[0][0]) // DAY
        overdue_minor = sum([invoice.rest for _, _, invoice in overdue if invoice.currency == currency])
    if payments.credits:
        credit = sum([p.unused for p in payments.credits.values() if p.unused > 0 and p.currency == currency])
    recent = habits.recent
    bars, contacts = facts.bars, facts.contacts
    coming = plans = plans_broken = disputes = disputes_ever = hardship = promised = 0
    until_promise = NAN
    if payments.attempts or payments.deals:
        coming, plans, plans_broken = _arranged(payments)
    if bars.disputes or bars.flags:
        disputes, disputes_ever, hardship = _barred(bars)
    if contacts.promises:
        promised, until_promise = _promised(contacts.promises, course, at, zone)
    if focus is None:
        amount = paid = whole = terms = to_due = due_day = electronic = NAN
        usual_count = usual_sum = 0
    else:
        due, _, invoice = focus
        whole, paid = invoice.amount + invoice.adjusted, invoice.paid
        amount = whole / units
        usual_count, usual_sum = habits.amounts.get(currency, NOTHING)
        terms, to_due, due_day = (due - invoice.at) // DAY, (due - at) // DAY, zone.day(due)
        electronic = NAN if invoice.electronic is None else invoice.electronic
    return _pack(  # in the order of RAW; one call without unpacking costs half of one with
        amount, paid, whole, usual_count, usual_sum, terms, to_due, due_day, electronic,
        len(standing.open), len(overdue), oldest, open_minor / units, overdue_minor / units, credit / units,
        habits.closed, habits.late, habits.late_days, habits.late_squares, habits.timed, habits.slack, habits.to_pay,
        len(recent), habits.recent_on_time, habits.recent_slack, slack_of(recent[-1]) if recent else NAN,
        habits.last_paid_at or NAN, habits.first_at or NAN, habits.issued,
        habits.failed, habits.reversed, habits.written_off,
        coming, plans, plans_broken, disputes, disputes_ever, hardship,
        contacts.made, contacts.last_contact_at or NAN, contacts.answered,
        promised, course.promises_kept, course.promises_broken, until_promise, at,
    )  # fmt: skip


def _currency(payments: PaymentFacts, standing: Standing, focus: Named | None) -> str:
    """The currency that amounts are counted in: of the focus, else of the oldest due invoice, else of what lies there."""
    if focus is not None:
        return focus[2].currency
    if standing.open:
        return standing.open[0][2].currency
    return next((payment.currency for payment in payments.credits.values()), "")


def _arranged(payments: PaymentFacts) -> tuple[int, int, int]:
    """Payments on their way, and plans and settlements in force and broken."""
    statuses = [deal.status for deal in payments.deals.values()]
    return (
        sum([attempt.status != "failed" for attempt in payments.attempts.values()]),
        statuses.count("accepted") + statuses.count("settlement_accepted"),
        statuses.count("broken"),
    )


def _barred(bars: Bars) -> tuple[int, int, int]:
    """Open disputes, disputes ever, and whether hardship was declared."""
    disputes = bars.disputes.values()
    return (
        sum([dispute.opened > dispute.resolved or dispute.outcome == "upheld" for dispute in disputes]),
        sum([dispute.opened > 0 for dispute in disputes]),
        any(written > 0 and name.startswith(HARDSHIP) for name, written in bars.flags.items()),
    )


def _promised(promises: dict[str, Promise], course: Course, at: Instant, zone: Zone) -> tuple[int, float]:
    """Promises that are open, and the days until the first of them is due."""
    today = zone.day(at)
    due = [
        promise.due_on
        for name, promise in promises.items()
        if promise.known and promise.cancelled_at is None and promise.due_on >= today and name not in course.judged
    ]
    return len(due), (min(due) - today) if due else NAN


def matrix(rows: Sequence[Row]) -> Matrix:
    """The features of many rows, of shape (rows, NAMES); NaN = not known."""
    raw = dict(zip(RAW, np.frombuffer(b"".join(rows), np.float64).reshape(len(rows), len(RAW)).T.copy(), strict=True))
    out = np.empty((len(NAMES), len(rows)))
    columns = dict(zip(NAMES, out, strict=True))
    for name in RAW:
        if name in columns:
            columns[name][:] = raw[name]
    with np.errstate(divide="ignore", invalid="ignore"):
        _ratios(raw, columns)
        _habits(raw, columns)
    _dates(raw, columns)
    return out.T


Columns = dict[str, Matrix]


def _ratios(raw: Columns, out: Columns) -> None:
    out["amount_to_usual"][:] = _known(raw["units"] * raw["usual_count"] / raw["usual_sum"])
    out["paid_share"][:] = _known(raw["units_paid"] / raw["units"])
    share = _known(raw["overdue_amount"] / raw["open_amount"])
    out["overdue_share"][:] = np.where(raw["open_amount"] > 0, share, 0.0)
    rate = _known(np.minimum(raw["disputes"] / raw["issued"], 1.0))
    out["dispute_rate"][:] = np.where(raw["issued"] > 0, rate, 0.0)


def _habits(raw: Columns, out: Columns) -> None:
    closed, late_days = raw["closed"], raw["late_days"]
    invoices = closed + raw["overdue_invoices"]
    out["closed_invoices"][:] = closed
    out["on_time_rate"][:] = _known((PRIOR_ON_TIME + closed - raw["late"]) / (PRIOR_ON_TIME + PRIOR_LATE + invoices))
    out["mean_days_late"][:] = _known((PRIOR_INVOICES * PRIOR_DAYS + late_days) / (PRIOR_INVOICES + closed))
    mean = late_days / closed
    spread = np.sqrt(np.maximum(raw["late_squares"] / closed - mean * mean, 0.0))
    out["sd_days_late"][:] = np.where(closed > 1, _known(spread), np.nan)
    out["mean_slack"][:] = _known(raw["slack"] / raw["timed"])
    out["mean_days_to_pay"][:] = _known(raw["to_pay"] / raw["timed"])
    out["recent_on_time_rate"][:] = _known(raw["recent_on_time"] / raw["recent_count"])
    out["recent_slack"][:] = _known(raw["recent_slack"] / raw["recent_count"])
    out["slack_trend"][:] = _known(out["recent_slack"] - out["mean_slack"])
    out["failed_payments"][:] = raw["failed"]
    out["reversed_payments"][:] = raw["reversed"]
    out["payments_coming"][:] = raw["coming"]


def _dates(raw: Columns, out: Columns) -> None:
    at = raw["at"]
    out["days_since_payment"][:] = np.floor((at - raw["last_paid_at"]) / DAY)
    out["account_age"][:] = np.floor((at - raw["first_at"]) / DAY)
    out["days_since_contact"][:] = np.floor((at - raw["last_contact_at"]) / DAY)
    due = raw["due_day"]
    known = ~np.isnan(due)
    day = np.where(known, due, 0.0).astype(np.int64)
    out["due_weekday"][:] = np.where(known, (day + 3) % 7, np.nan)  # 1970-01-01 was a Thursday
    date = day.astype("datetime64[D]")
    out["due_month_day"][:] = np.where(known, (date - date.astype("datetime64[M]")).astype(np.int64) + 1, np.nan)


DECIMALS = 6
"""Of what was divided: more say nothing, and each travels with every score."""


def _known(values: Matrix) -> Matrix:
    """Rounded; not known where it would be the mean or the share of nothing."""
    return np.where(np.isfinite(values), np.round(values, DECIMALS), np.nan)


_ODD = np.random.default_rng(20_260_101).integers(1, 2**63, len(NAMES), dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def fingerprints(x: Matrix) -> list[str]:
    """Names the values of each row: equal rows have the same name, and rows that differ hardly ever have.

    A multiplicative hash of the float64 bits, every NaN being the same: a check value, no cryptography.
    """
    bits = np.where(np.isnan(x), np.nan, x).view(np.uint64)
    bits ^= bits >> np.uint64(32)
    names = (bits * _ODD).sum(axis=1, dtype=np.uint64).tobytes().hex()
    return [names[place : place + 16] for place in range(0, len(names), 16)]
