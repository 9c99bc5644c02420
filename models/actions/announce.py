"""A decision as the messages that tell of it, and the course that follows from them: nothing else carries it on."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

import msgspec

from models.account.course import CONTACT, Course
from models.account.profile import Profile
from models.account.standing import Named, Standing
from models.actions.schedule import EXPIRES, HAND_TO_PERSON, Choice, Day, Plan
from models.calendar import utc
from models.clock import Instant
from models.propensity import baseline
from schemas.actions import NextBestAction
from schemas.contacts import ContactRequested
from schemas.currencies import decimals
from schemas.facts import AccountCured, AccountEscalated, InvoiceOverdue
from schemas.scores import PropensityScored

SCORES = "propensity-scores"
DECISIONS = "next-best-actions"
REQUESTS = "contact-requests"
CUSTOMER_EVENTS = "customer-events"
SOURCE = "decide"

Message = tuple[str, bytes, bytes]
"""Topic, key, value."""
Trigger = Literal["event", "review"]

encode = msgspec.json.Encoder().encode


class Score(msgspec.Struct, gc=False):
    """One account's score and what it rests on."""

    row: baseline.Row
    probability: float
    expected_days: float


class Subject(msgspec.Struct, gc=False):
    """Whose decision it is, and when."""

    key: str
    tenant_id: str
    account_id: str
    trigger: Trigger
    plan: Plan
    standing: Standing
    today: Day
    course: Course


def decision_id(key: str, number: int) -> str:
    """The same for the same account and number in every run."""
    return blake2b(f"{key}|{number}".encode(), digest_size=16).hexdigest()


def announce(subject: Subject, profile: Profile, score: Score, choice: Choice) -> tuple[list[Message], Course]:
    """The messages of one decision, in the order of their topics in the flow, and the course after it."""
    at = subject.today.at
    number = subject.course.decision_no + 1
    decision = decision_id(subject.key, number)
    since = subject.standing.overdue_since
    nba = NextBestAction(
        event_id=decision + ":nba",
        tenant_id=subject.tenant_id,
        account_id=subject.account_id,
        occurred_at=utc(at),
        source=SOURCE,
        decision_id=decision,
        decision_no=number,
        trigger=subject.trigger,
        action=choice.action,
        policy=subject.plan.policy,
        model=baseline.MODEL,
        arm="policy",
        score=score.probability,
        channel=choice.step.channel if choice.action == CONTACT and choice.step else None,
        template=choice.step.template if choice.action == CONTACT and choice.step else None,
        step=None if choice.step is None else choice.step.id,
        invoice_ids=tuple([name for name, _ in choice.covers]),
        actions=choice.candidates,
        contact_id=decision + ":contact" if choice.action == CONTACT else None,
        purpose="collection" if choice.action == CONTACT else None,
        review_at=None if choice.review_at is None else utc(choice.review_at),
        reasons=choice.reasons,
        overdue=_newly_overdue(subject),
        overdue_since=None if since is None else utc(since),
    )
    key = subject.key.encode()
    messages = [(SCORES, key, encode(_scored(nba, score))), (DECISIONS, key, encode(nba))]
    if choice.action == CONTACT:
        messages.append((REQUESTS, key, encode(_request(nba, choice, profile, at))))
    facts = _customer_events(subject, nba, choice)
    messages += [(CUSTOMER_EVENTS, key, encode(fact)) for fact in facts]
    course = subject.course.advanced(nba, at=at, review_at=choice.review_at, overdue_since=since)
    return messages, course


def _newly_overdue(subject: Subject) -> tuple[str, ...]:
    """Overdue invoices not told of before; what was overdue when the tenant went live is no news."""
    overdue = subject.standing.overdue
    if not overdue:
        return ()
    told, plan = subject.course.told, subject.plan
    return tuple(
        [
            name
            for name, invoice in overdue
            if name not in told and plan.zone.day(invoice.due) + 1 >= plan.live_day
        ]
    )


def _scored(nba: NextBestAction, score: Score) -> PropensityScored:
    return PropensityScored(
        event_id=nba.decision_id + ":score",
        tenant_id=nba.tenant_id,
        account_id=nba.account_id,
        occurred_at=nba.occurred_at,
        source=SOURCE,
        decision_id=nba.decision_id,
        horizon_days=baseline.HORIZON_DAYS,
        probability=score.probability,
        model=baseline.MODEL,
        features_id=baseline.features_id(score.row),
        expected_days=score.expected_days,
        reasons=baseline.reasons(score.row),
    )


def _request(nba: NextBestAction, choice: Choice, profile: Profile, at: Instant) -> ContactRequested:
    assert choice.point is not None and choice.step is not None
    assert choice.step.channel is not None and choice.step.template is not None and nba.contact_id is not None
    return ContactRequested(
        event_id=nba.decision_id + ":request",
        tenant_id=nba.tenant_id,
        account_id=nba.account_id,
        occurred_at=nba.occurred_at,
        source=SOURCE,
        decision_id=nba.decision_id,
        contact_id=nba.contact_id,
        channel=choice.step.channel,
        address=choice.point.address,
        template=choice.step.template,
        not_before=nba.occurred_at,
        expires_at=utc(at + EXPIRES),
        idempotency_key=nba.contact_id,
        variables=_variables(choice.covers, profile),
        debt_id=choice.covers[0][1].debt_id,
        invoice_ids=nba.invoice_ids,
        language=profile.language or None,
    )


def _variables(covers: Sequence[Named], profile: Profile) -> dict[str, str]:
    """What a template may say: how much is open, in which currencies, since when."""
    sums: dict[str, int] = {}
    for _, invoice in covers:
        sums[invoice.currency] = sums.get(invoice.currency, 0) + invoice.rest
    return {
        "name": profile.name or "",
        "amount": ", ".join(f"{major_units(amount, currency)} {currency}" for currency, amount in sums.items()),
        "invoice_id": covers[0][0],
        "invoices": str(len(covers)),
        "due_on": utc(covers[0][1].due).date().isoformat(),
    }


def major_units(amount: int, currency: str) -> str:
    """Minor units as a decimal number: 1234 EUR cents are `12.34`."""
    places = decimals(currency)
    if not places:
        return str(amount)
    whole, rest = divmod(abs(amount), 10**places)
    return f"{'-' if amount < 0 else ''}{whole}.{rest:0{places}d}"


def _customer_events(
    subject: Subject, nba: NextBestAction, choice: Choice
) -> list[InvoiceOverdue | AccountCured | AccountEscalated]:
    told: list[InvoiceOverdue | AccountCured | AccountEscalated] = []
    if nba.overdue:
        new = set(nba.overdue)
        invoices = [named for named in subject.standing.overdue if named[0] in new]
        for number, (name, invoice) in enumerate(invoices):
            told.append(
                InvoiceOverdue(
                    event_id=f"{nba.decision_id}:overdue:{number}",
                    tenant_id=nba.tenant_id,
                    account_id=nba.account_id,
                    occurred_at=nba.occurred_at,
                    source=SOURCE,
                    invoice_id=name,
                    open_minor=invoice.rest,
                    currency=invoice.currency,  # type: ignore[arg-type]
                    days_past_due=subject.today.day - subject.plan.zone.day(invoice.due),
                )
            )
    was_overdue = subject.course.overdue_since
    if was_overdue is not None and not subject.standing.overdue:
        told.append(
            AccountCured(
                event_id=nba.decision_id + ":cured",
                tenant_id=nba.tenant_id,
                account_id=nba.account_id,
                occurred_at=nba.occurred_at,
                source=SOURCE,
                days_past_due=max(0, subject.today.day - subject.plan.zone.day(was_overdue)),
            )
        )
    if choice.action == HAND_TO_PERSON:
        told.append(
            AccountEscalated(
                event_id=nba.decision_id + ":escalated",
                tenant_id=nba.tenant_id,
                account_id=nba.account_id,
                occurred_at=nba.occurred_at,
                source=SOURCE,
                reason="steps_exhausted",
                decision_id=nba.decision_id,
            )
        )
    return told
