"""How an account stands now, out of its stored state."""

import msgspec

from models.account.bars import disputed, standing_holds
from models.account.claims import standing_claims
from models.account.interactions import Promise
from models.account.ledger import OPEN, balances
from models.account.seen import instant_of
from models.account.state import decode
from models.calendar import DAY, utc
from models.clock import Instant
from recoup.explain.sentences import money


class Invoice(msgspec.Struct, frozen=True):
    """One open invoice."""

    invoice_id: str
    open_minor: int
    amount_minor: int
    currency: str
    due_at: str
    days_past_due: int
    disputed: bool
    steps_taken: tuple[str, ...]


class Claim(msgspec.Struct, frozen=True):
    """What the billing system said last is owed in a currency."""

    currency: str
    asserted_minor: int
    difference_minor: int
    """By which it was more than ours then; 0 = the two agreed."""
    at: str


class Asked(msgspec.Struct, frozen=True):
    """What the customer's replies still ask of us."""

    what: str
    """`unread` = a person must read it; else what it claims: `disputed`, `hardship`, `paid` or `promised`."""
    since: str
    """When the newest reply of these came."""


class Standing(msgspec.Struct, frozen=True):
    """The account as decide sees it."""

    balances_minor: dict[str, int]
    """Currency -> what is owed; negative = in credit."""
    invoices: tuple[Invoice, ...]
    waiting_payments: tuple[str, ...]
    """Invoices that were paid and have not been issued yet."""
    claims: tuple[Claim, ...]
    mismatches: int
    """How often what it said differed from ours."""
    promises: tuple[str, ...]
    """Those that are open."""
    promises_kept: int
    promises_broken: int
    opted_out_of: tuple[str, ...]
    channels: tuple[str, ...]
    """Those with a usable contact point."""
    holds: int
    flags: tuple[str, ...]
    decisions: int
    last_action: str
    review_at: str | None
    """When it will be looked at again if nothing happens."""
    replies: tuple[Asked, ...] = ()


def standing_from(blob: bytes, review_at: Instant | None, now: Instant) -> Standing:
    """What a stored state says.

    Args:
        review_at: of the timer that is set.
        now: for the days past due, and for claims that are believed for some days only.
    """
    state = decode(blob)
    facts, course = state.facts, state.course
    invoices = [
        Invoice(
            invoice_id=name,
            open_minor=invoice.rest,
            amount_minor=invoice.amount + invoice.adjusted,
            currency=invoice.currency,
            due_at=utc(invoice.due).isoformat(),
            days_past_due=max(0, (now - invoice.due) // DAY),
            disputed=disputed(facts.crm, name, invoice.debt_id),
            steps_taken=tuple(course.steps[name].steps) if name in course.steps else (),
        )
        for name, invoice in facts.payments.invoices.items()
        if invoice.known and invoice.status == OPEN
    ]
    return Standing(
        balances_minor={currency: minor for currency, minor in balances(facts.payments).items() if minor},
        invoices=tuple(sorted(invoices, key=lambda invoice: (invoice.due_at, invoice.invoice_id))),
        waiting_payments=tuple(sorted(n for n, i in facts.payments.invoices.items() if not i.known)),
        claims=tuple(
            Claim(currency, claim.amount, claim.difference, utc(instant_of(claim.stamp)).isoformat())
            for currency, claim in sorted(facts.payments.claims.items())
        ),
        mismatches=facts.payments.mismatches,
        promises=tuple(
            f"{_promised(promise)} by {utc(promise.due_on * DAY):%Y-%m-%d}"
            for name, promise in facts.interactions.promises.items()
            if promise.known and promise.cancelled_at is None and name not in course.judged
        ),
        promises_kept=course.promises_kept,
        promises_broken=course.promises_broken,
        opted_out_of=tuple(sorted({key.partition("|")[0] for key in facts.interactions.opt_outs})),
        channels=tuple(sorted({point.channel for point in facts.crm.points.values() if not point.removed})),
        holds=len(standing_holds(facts.crm)),
        flags=tuple(sorted(name for name, written in facts.crm.flags.items() if written > 0)),
        decisions=course.decision_no,
        last_action=course.action,
        review_at=None if review_at is None else utc(review_at).isoformat(),
        replies=tuple(
            Asked(what, utc(since).isoformat())
            for what, since in msgspec.structs.asdict(standing_claims(facts.interactions, facts.crm, now)).items()
            if since
        ),
    )


def _promised(promise: Promise) -> str:
    """The sum as it was promised; a reply may name none, or one without a currency."""
    if not promise.amount:
        return "a payment"
    if not promise.currency:
        return f"{promise.amount / 100:.2f}, no currency named,"
    return money(promise.amount, promise.currency)
