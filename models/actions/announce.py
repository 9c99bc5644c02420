"""A decision as the messages that tell of it, and the course that follows from them: nothing else carries it on."""

from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from models.account.course import HAND_TO_PERSON, Course
from models.account.promises import Judged
from models.account.standing import Standing
from models.account.state import Stored
from models.actions.choice import Choice, Day, Policy, earliest
from models.actions.contact import EXPIRES, Draft
from models.actions.options import CREDIT_HOLD
from models.actions.schedule import Plan
from models.calendar import EPOCH, date_of, utc
from models.clock import Instant
from models.features.catalogue import FEATURES_HASH
from models.propensity.serving import CHALLENGER, CHAMPION, Model, Role
from schemas.actions import NextBestAction
from schemas.contacts import ContactRequested
from schemas.facts import (
    AccountCured,
    AccountEscalated,
    CreditHoldAdvised,
    InvoiceOverdue,
    PromiseBroken,
    PromiseKept,
)
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
replace = msgspec.structs.replace
_NO_ID = blake2b(digest_size=16)


class Overdue(msgspec.Struct, gc=False):
    """An invoice that is told as overdue."""

    invoice_id: str
    open_minor: int
    currency: str
    days_past_due: int


class News(msgspec.Struct, gc=False):
    """What is to be told about an account besides its decision."""

    overdue: tuple[Overdue, ...] = ()
    invoice_ids: tuple[str, ...] = ()
    """Of `overdue`."""
    overdue_since: Instant | None = None
    cured: int | None = None
    """Days past due before the account was cured."""


class Case(msgspec.Struct, gc=False):
    """An account that is to be decided on: everything that its messages say but the score.

    It holds the facts as bytes: thousands of decoded accounts at once do not fit into the processor's cache, and that
    made a batch twice as slow (benchmarks/core).
    """

    place: int
    """In the batch."""
    key: str
    tenant_id: str
    account_id: str
    policy: Policy
    at: Instant
    trigger: Trigger
    stored: Stored
    prospect: Any
    """Of the policy; a `Choice` when no score can change it."""
    news: News
    promises: tuple[Judged, ...]
    """Those that are judged now."""
    judging_at: Instant | None
    """When the next promise can be judged."""
    champion: Model
    row: bytes
    """What the champion scores; of `models.features.rows`."""
    focus: str | None
    """The invoice that the row is about."""
    challenger: Model | None = None
    shadow_row: bytes = b""
    shadow_focus: str | None = None


class Scored(msgspec.Struct, gc=False):
    """What a model says about one case."""

    model: Model
    probability: float
    days: list[float]
    """Until the invoice is paid: one in ten sooner, the median, one in ten later; or the expected days alone."""
    band: str
    uncertainty: float
    reasons: tuple[str, ...]
    features_id: str
    features: list[float]


NO_NEWS = News()
TOLD_ACTIONS = (HAND_TO_PERSON, CREDIT_HOLD)
"""Actions that are told of as customer events."""


def news_of(plan: Plan, course: Course, standing: Standing, today: Day) -> News:
    """What became overdue and was not told before, or that nothing is overdue any more."""
    overdue = standing.overdue
    if not overdue:
        if course.overdue_since is None:
            return NO_NEWS
        return News(cured=max(0, today.day - plan.zone.day(course.overdue_since)))
    told, day_of, since = course.told, plan.zone.day, overdue[0][0]
    new: list[Overdue] = []
    for due, name, invoice in overdue:
        if name not in told:
            due_day = day_of(due)
            if due_day >= plan.live_day - 1:  # what was overdue when the tenant went live is no news
                new.append(Overdue(name, invoice.rest, invoice.currency, today.day - due_day))
    return News(tuple(new), tuple([invoice.invoice_id for invoice in new]), since)


def decision_id(key: str, number: int) -> str:
    """The same for the same account and number in every run."""
    digest = _NO_ID.copy()  # a third cheaper than a new one
    digest.update(f"{key}|{number}".encode())
    return digest.hexdigest()


def announce(
    case: Case, choice: Choice, decision: str, score: Scored, shadow: Scored | None = None
) -> tuple[list[Message], Course]:
    """The messages of one decision, in the order of the flow, and the course after it.

    Args:
        decision: its id, which the choice was drawn by.
    """
    course, news, at, draft = case.stored.course, case.news, case.at, choice.draft
    review_at = choice.review_at if case.judging_at is None else earliest(choice.review_at, case.judging_at)
    nba = _decided(case, choice, decision, score, review_at)
    key = case.key.encode()
    messages = [(SCORES, key, encode(_told(nba, score, case.focus, CHAMPION))), (DECISIONS, key, encode(nba))]
    if shadow is not None:
        messages.append((SCORES, key, encode(_told(nba, shadow, case.shadow_focus, CHALLENGER))))
    if draft is not None:
        messages.append((REQUESTS, key, encode(_request(nba, draft, at))))
    if news.overdue or news.cured is not None or nba.action in TOLD_ACTIONS:
        messages += [(CUSTOMER_EVENTS, key, encode(fact)) for fact in _customer_events(nba, news, choice.escalation)]
    if case.promises:
        messages += [(CUSTOMER_EVENTS, key, encode(fact)) for fact in _judgements(nba, case.promises)]
    return messages, course.advanced(nba, at=at, review_at=review_at, overdue_since=news.overdue_since)


def _decided(case: Case, choice: Choice, decision: str, score: Scored, review_at: Instant | None) -> NextBestAction:
    """The decision's own message.

    It is put together in parts, because CPython packs the names of a call with more than 15 of them into a dict, which
    costs more than the message does.
    """
    news, draft = case.news, choice.draft
    since = news.overdue_since
    nba = NextBestAction(
        event_id=decision + ":nba",
        tenant_id=case.tenant_id,
        account_id=case.account_id,
        occurred_at=utc(case.at),
        source=SOURCE,
        decision_id=decision,
        decision_no=case.stored.course.decision_no + 1,
        trigger=case.trigger,
        action=choice.action,
        policy=case.policy.name,
        model=score.model.model_id,
        arm=choice.arm,
        score=score.probability,
        review_at=None if review_at is None else utc(review_at),
        reasons=choice.reasons,
    )
    nba = replace(
        nba,
        step=choice.step,
        invoice_ids=choice.invoice_ids,
        actions=choice.actions,
        overdue=news.invoice_ids,
        overdue_since=None if since is None else utc(since),
        segment=choice.segment,
        currency=choice.currency,
        at_stake_minor=choice.at_stake,
        pay_wait=choice.pay_wait,
        context=choice.context,
        experiment=choice.experiment,
        hold_out=choice.hold_out,
        explore=choice.explore,
    )
    if draft is not None:
        contact_id = decision + ":contact"
        nba = replace(nba, channel=draft.channel, template=draft.template, contact_id=contact_id, purpose=draft.purpose)
    if case.promises:
        kept, broken = _verdicts(case.promises)
        nba = replace(nba, promises_kept=kept, promises_broken=broken)
    return nba


def _told(nba: NextBestAction, scored: Scored, focus: str | None, role: Role) -> PropensityScored:
    days = scored.days
    quantiles = len(days) > 1
    return replace(
        _score_of(scored.model, role),
        tenant_id=nba.tenant_id,
        event_id=nba.decision_id + (":score" if role == CHAMPION else ":challenger"),
        account_id=nba.account_id,
        occurred_at=nba.occurred_at,
        decision_id=nba.decision_id,
        probability=scored.probability,
        features_id=scored.features_id,
        invoice_id=focus,
        band=scored.band,
        uncertainty=scored.uncertainty,
        expected_days=days[1] if quantiles else days[0],
        days_low=days[0] if quantiles else None,
        days_high=days[2] if quantiles else None,
        reasons=scored.reasons,
        features=scored.features,  # written at once, and NaN as null; a tuple would be a copy
    )


@lru_cache(maxsize=16)
def _score_of(model: Model, role: Role) -> PropensityScored:
    """What all scores of a model have in common."""
    return PropensityScored(
        event_id="",
        tenant_id="",
        account_id="",
        occurred_at=EPOCH,
        source=SOURCE,
        decision_id="",
        horizon_days=model.horizon_days,
        probability=0.0,
        model=model.model_id,
        features_id="",
        role=role,
        target=model.target,
        features_hash=FEATURES_HASH,
    )


def _request(nba: NextBestAction, draft: Draft, at: Instant) -> ContactRequested:
    contact_id = nba.decision_id + ":contact"
    return ContactRequested(
        event_id=nba.decision_id + ":request",
        tenant_id=nba.tenant_id,
        account_id=nba.account_id,
        occurred_at=nba.occurred_at,
        source=SOURCE,
        decision_id=nba.decision_id,
        contact_id=contact_id,
        channel=draft.channel,
        address=draft.address,
        template=draft.template,
        not_before=nba.occurred_at,
        expires_at=utc(at + EXPIRES if draft.expires_at is None else draft.expires_at),
        idempotency_key=contact_id,
        purpose=draft.purpose,
        variables=draft.variables,
        debt_id=draft.debt_id,
        invoice_ids=nba.invoice_ids,
        language=draft.language,
    )


def _verdicts(promises: tuple[Judged, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The promises kept and the promises broken."""
    kept = tuple([judged.promise_id for judged in promises if judged.kept])
    return kept, tuple([judged.promise_id for judged in promises if not judged.kept])


def _judgements(nba: NextBestAction, promises: tuple[Judged, ...]) -> list[PromiseKept | PromiseBroken]:
    told: list[PromiseKept | PromiseBroken] = []
    for number, judged in enumerate(promises):
        if not judged.told:
            continue
        fact = PromiseKept(
            event_id=f"{nba.decision_id}:promise:{number}",
            tenant_id=nba.tenant_id,
            account_id=nba.account_id,
            occurred_at=nba.occurred_at,
            source=SOURCE,
            promise_id=judged.promise_id,
            amount_minor=judged.promise.amount,
            currency=judged.promise.currency,  # type: ignore[arg-type]
            due_on=date_of(judged.promise.due_on),
        )
        fields = msgspec.structs.asdict(fact)
        told.append(fact if judged.kept else PromiseBroken(**fields, paid_minor=judged.received))
    return told


Told = InvoiceOverdue | AccountCured | AccountEscalated | CreditHoldAdvised


def _customer_events(nba: NextBestAction, news: News, escalation: str) -> list[Told]:
    told: list[Told] = [
        InvoiceOverdue(
            event_id=f"{nba.decision_id}:overdue:{number}",
            tenant_id=nba.tenant_id,
            account_id=nba.account_id,
            occurred_at=nba.occurred_at,
            source=SOURCE,
            invoice_id=invoice.invoice_id,
            open_minor=invoice.open_minor,
            currency=invoice.currency,  # type: ignore[arg-type]
            days_past_due=invoice.days_past_due,
        )
        for number, invoice in enumerate(news.overdue)
    ]
    if news.cured is not None:
        told.append(
            AccountCured(
                event_id=nba.decision_id + ":cured",
                tenant_id=nba.tenant_id,
                account_id=nba.account_id,
                occurred_at=nba.occurred_at,
                source=SOURCE,
                days_past_due=news.cured,
            )
        )
    if nba.action == HAND_TO_PERSON:
        told.append(
            AccountEscalated(
                event_id=nba.decision_id + ":escalated",
                tenant_id=nba.tenant_id,
                account_id=nba.account_id,
                occurred_at=nba.occurred_at,
                source=SOURCE,
                reason=escalation or nba.reasons[0],
                decision_id=nba.decision_id,
            )
        )
    if nba.action == CREDIT_HOLD and nba.currency is not None and nba.context is not None:
        told.append(
            CreditHoldAdvised(
                event_id=nba.decision_id + ":credit_hold",
                tenant_id=nba.tenant_id,
                account_id=nba.account_id,
                occurred_at=nba.occurred_at,
                source=SOURCE,
                decision_id=nba.decision_id,
                open_minor=nba.at_stake_minor,
                currency=nba.currency,
                days_past_due=max(0, nba.context.days_past_due),
            )
        )
    return told
