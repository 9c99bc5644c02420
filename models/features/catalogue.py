"""Every feature: its name, unit, the events it comes from, and why it says something about paying.

The order is that of the matrix's columns and of `propensity-scores.features`. A feature that is added goes to the end;
one that changes its meaning changes its name. NaN = not known, such as the mean of nothing.
"""

from hashlib import sha256
from typing import Literal

import msgspec

Scale = Literal["plain", "log"]


class Feature(msgspec.Struct, frozen=True):
    """One column of the matrix."""

    name: str
    unit: str
    words: str
    """Names it in a reason."""
    events: str
    """The events that it is worked out from."""
    why: str
    scale: Scale = "plain"
    """How a linear model reads it: counts, days and amounts are skewed, so it takes their signed logarithm."""


def _of(name: str, unit: str, words: str, events: str, why: str, scale: Scale = "plain") -> Feature:
    return Feature(name, unit, words, events, why, scale)


ISSUED, PAID, MONEY = "invoice.issued", "payment.received", "payment-events"
CLOSED = "invoice.issued, payment.received"

FEATURES: tuple[Feature, ...] = (
    # -- the invoice that the score is about
    _of("amount", "major units", "invoice amount", ISSUED, "Large invoices need approval and cash.", "log"),
    _of("amount_to_usual", "ratio", "amount against the usual", CLOSED, "An unusual invoice is looked at twice.", "log"),
    _of("paid_share", "0 to 1", "part paid already", MONEY, "Who has begun to pay mostly goes on."),
    _of("terms_days", "days", "days to pay granted", ISSUED, "Long terms are forgotten, short ones missed.", "log"),
    _of("days_to_due", "days", "days until due", ISSUED, "Every day past due makes payment less likely.", "log"),
    _of("due_weekday", "0 = Monday", "due on a weekday", ISSUED, "Payment runs have their days."),
    _of("due_month_day", "1 to 31", "due on a day of the month", ISSUED, "Cash comes in at the month's end."),
    # -- what the account owes
    _of("open_invoices", "count", "open invoices", MONEY, "Who owes much elsewhere pays late.", "log"),
    _of("overdue_invoices", "count", "overdue invoices", MONEY, "Overdue now is the best sign of late next.", "log"),
    _of("oldest_days_overdue", "days", "days the oldest is overdue", MONEY, "Old debts roll on to older ones.", "log"),
    _of("open_amount", "major units", "amount open", MONEY, "Total exposure.", "log"),
    _of("overdue_share", "0 to 1", "share of it overdue", MONEY, "How much of the account is in arrears."),
    _of("credit", "major units", "credit on account", MONEY, "Money that already lies there pays the next.", "log"),
    # -- habits
    _of("closed_invoices", "count", "invoices paid so far", CLOSED, "How much the habits below rest on.", "log"),
    _of("on_time_rate", "0 to 1", "paid on time", CLOSED, "The baseline: smoothed share, overdue ones are late."),
    _of("mean_days_late", "days", "mean days late", CLOSED, "How late, smoothed towards 5 days.", "log"),
    _of("sd_days_late", "days", "spread of days late", CLOSED, "Irregular payers are harder to foresee.", "log"),
    _of("mean_slack", "days", "mean days against due", CLOSED, "Early payers have room before they are late.", "log"),
    _of("mean_days_to_pay", "days", "mean days to pay", CLOSED, "Some pay after N days whatever the terms.", "log"),
    _of("recent_on_time_rate", "0 to 1", "of the last 8 on time", CLOSED, "What the habit is now."),
    _of("recent_slack", "days", "days against due, last 8", CLOSED, "What the habit is now, in days.", "log"),
    _of("last_slack", "days", "days against due, last one", CLOSED, "The newest word.", "log"),
    _of("slack_trend", "days", "trend of days against due", CLOSED, "Worse than before is the first warning.", "log"),
    _of("days_since_payment", "days", "days since the last payment", PAID, "Silence.", "log"),
    _of("account_age", "days", "days since the first invoice", ISSUED, "New customers are less known.", "log"),
    _of("failed_payments", "count", "failed payments", "payment.failed", "No cover, or a dead card.", "log"),
    _of("reversed_payments", "count", "reversed payments", "payment.reversed", "Money that went back.", "log"),
    _of("written_off", "count", "invoices written off", "invoice.written_off", "It has come to that before.", "log"),
    _of("payments_coming", "count", "payments on their way", "payment.scheduled, payment.pending", "It is ordered.", "log"),
    _of("plans_active", "count", "plans in force", "plan.accepted, settlement.accepted", "Agreed terms.", "log"),
    _of("plans_broken", "count", "plans broken", "plan.broken", "Agreed terms that did not hold.", "log"),
    # -- the customer
    _of("open_disputes", "count", "open disputes", "dispute.opened, dispute.resolved", "Nobody pays in a dispute.", "log"),
    _of("dispute_rate", "0 to 1", "disputes per invoice", "dispute.opened, invoice.issued", "A habit of its own."),
    _of("hardship", "0 or 1", "in hardship", "hardship.declared, hardship.ended", "Cannot pay, whatever is asked."),
    # -- contact
    _of("contacts", "count", "contacts made", "contact.sent, call.completed", "How hard it was tried.", "log"),
    _of("days_since_contact", "days", "days since a contact", "contact.sent, call.completed", "Fresh or stale.", "log"),
    _of("reached", "count", "answers and openings", "contact.opened, contact.clicked, reply.received, call.completed",
        "Somebody is there.", "log"),
    _of("promises_open", "count", "promises open", "promise.made", "Money has been promised.", "log"),
    _of("promises_kept", "count", "promises kept", "promise.made, payment.received", "Their word is good.", "log"),
    _of("promises_broken", "count", "promises broken", "promise.made, payment.received", "Their word is not.", "log"),
    _of("days_to_promise", "days", "days until the promised day", "promise.made", "When it was promised for.", "log"),
    # -- the invoice again
    _of("electronic", "0 or 1", "sent electronically", ISSUED, "What comes by post takes longer to be paid."),
)  # fmt: skip

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
BY_NAME = {feature.name: feature for feature in FEATURES}

FEATURES_HASH = sha256("\n".join(f"{f.name}|{f.unit}|{f.events}|{f.scale}" for f in FEATURES).encode()).hexdigest()[:16]
"""Of the names, units, sources and order: what a model was trained on must be what it is served."""
