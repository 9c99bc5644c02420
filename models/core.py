"""Fold, score and decide a whole batch: one matrix, one pass over the rules, the same bytes for the same input.

Everything that can be decided without input or output is here. An account that several events of a batch touch is
scored and decided once, on its newest state; what only history touches, or belongs to a tenant that is not live, is
folded and no more.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

import msgspec

from models.account.outcome import APPLIED, Drop
from models.account.standing import standing_of
from models.account.state import AccountState, apply, decode, encode, fold
from models.actions.announce import Message, Score, Subject, announce
from models.actions.schedule import Plan, choose, earliest
from models.clock import Instant
from models.compliance.gate import Gate
from models.compliance.house import HouseGate
from models.propensity import baseline
from schemas.actions import NextBestAction
from schemas.control import Tenant
from schemas.decode import Refusal
from schemas.envelope import Event

__all__ = ["Folded", "Message", "Mode", "Outcome", "Work", "fold", "rebuild_state", "step"]

Mode = Literal["live", "replay"]

UNKNOWN_TENANT = Refusal("unknown_tenant", "publish the tenant with `recoup tenants apply`", "tenant_id")


class Work(msgspec.Struct, gc=False):
    """One account's part of a batch."""

    key: str
    tenant_id: str
    account_id: str
    blob: bytes | None
    events: list[tuple[Event, int]]
    """In log order, each with its message's place, for refusals."""
    now: Instant
    due: bool = False
    """Its review has come due; without events that is taken for granted."""


class Outcome(msgspec.Struct, gc=False):
    """What a batch comes to. The lists are parallel to the work."""

    states: list[tuple[str, bytes]]
    """Empty bytes = nothing to store: no event was taken, and nothing was stored before."""
    reviews: list[tuple[str, Instant | None]]
    messages: list[list[Message]]
    refused: list[list[tuple[int, Refusal]]]
    dropped: list[list[str]]
    """The reason of each dropped event."""
    applied: int = 0
    scored: int = 0
    decided: dict[str, int] = {}
    """By action."""
    contacts: int = 0
    """Contacts that were allowed and chosen."""
    denied: dict[str, int] = {}
    """Contacts that were due and denied, by rule; one that two rules deny counts for both."""


class Case(msgspec.Struct, gc=False):
    """An account that is to be decided on, and its place in the batch."""

    place: int
    subject: Subject
    state: AccountState
    row: baseline.Row


plan_of = lru_cache(maxsize=1_024)(Plan)


def step(work: list[Work], tenants: Mapping[str, Tenant], mode: Mode, gate: Gate | None = None) -> Outcome:
    """Fold the events, score every account that is to be decided on in one matrix, and decide.

    Args:
        mode: `live`: the outcome of a contact comes back through interaction-events; `replay`: nothing is sent, so the
            plan stands for the deed.
        gate: judges contacts; by default the one that needs no rule pack.
    """
    outcome = Outcome(states=[], reviews=[], messages=[], refused=[], dropped=[])
    plans = {tenant_id: plan_of(tenant) for tenant_id, tenant in tenants.items()}
    cases = [case for place, item in enumerate(work) if (case := _take(item, place, plans, outcome)) is not None]
    if cases:
        _decide(cases, mode, gate or HouseGate(), outcome)
    return outcome


def _take(work: Work, place: int, plans: Mapping[str, Plan], outcome: Outcome) -> Case | None:
    """Fold one account's events; the case to decide, or None when it is only folded."""
    plan = plans.get(work.tenant_id)
    refused: list[tuple[int, Refusal]] = []
    dropped: list[str] = []
    outcome.messages.append([])
    outcome.refused.append(refused)
    outcome.dropped.append(dropped)
    if plan is None:
        refused += [(number, UNKNOWN_TENANT) for _, number in work.events]
        outcome.states.append((work.key, work.blob or b""))
        outcome.reviews.append((work.key, None))
        return None
    state = decode(work.blob)
    facts, course = state.facts, state.course
    applied, news = 0, False
    for event, number in work.events:
        answer = apply(facts, event)
        if answer is APPLIED:
            applied += 1
            news = news or not event.history
        elif isinstance(answer, Drop):
            dropped.append(answer.reason)
        elif isinstance(answer, Refusal):
            refused.append((number, answer))
    outcome.applied += applied
    now = work.now
    today = plan.today(now)
    standing = standing_of(facts, now, today.overdue_before)
    due = work.due or not work.events or (course.review_at is not None and course.review_at <= now)
    if not (news or due) or not plan.is_live(now):
        stored = encode(state) if applied else work.blob or b""
        agreed = course.review_at if course.review_at is not None and course.review_at > now else None
        outcome.states.append((work.key, stored))
        outcome.reviews.append((work.key, earliest(agreed, plan.next_review(standing, course, today))))
        return None
    outcome.states.append((work.key, b""))  # filled in when it has been decided
    outcome.reviews.append((work.key, None))
    subject = Subject(
        work.key, work.tenant_id, work.account_id, "event" if news else "review", plan, standing, today, course
    )
    return Case(place, subject, state, baseline.features(facts.payments.habits, len(standing.overdue)))


def _decide(cases: list[Case], mode: Mode, gate: Gate, outcome: Outcome) -> None:
    scores = baseline.score(baseline.matrix([case.row for case in cases]))
    outcome.scored = len(cases)
    decided, denied = outcome.decided, outcome.denied
    for case, probability, days in zip(cases, scores.probabilities, scores.expected_days, strict=True):
        subject, state = case.subject, case.state
        choice = choose(subject.plan, gate, state, subject.standing, subject.today, probability, mode)
        score = Score(case.row, probability, days)
        messages, state.course = announce(subject, state.facts.crm.profile, score, choice)
        outcome.messages[case.place] = messages
        outcome.states[case.place] = (subject.key, encode(state))
        outcome.reviews[case.place] = (subject.key, choice.review_at)
        decided[choice.action] = decided.get(choice.action, 0) + 1
        outcome.contacts += choice.point is not None
        for rule in choice.denied_by:
            denied[rule] = denied.get(rule, 0) + 1


class Folded(msgspec.Struct, gc=False):
    """An account made again from what the topics hold of it."""

    blob: bytes
    review_at: Instant | None
    applied: int
    dropped: list[str]


def rebuild_state(events: Iterable[Event], decisions: Iterable[NextBestAction]) -> Folded:
    """The state that the events of an account (in log order) and its published decisions lead to.

    An account with open invoices that was never decided on is to be looked at at once: when its review was to be, only
    the lost timers knew.
    """
    state = AccountState()
    applied = 0
    dropped: list[str] = []
    for event in events:
        answer = apply(state.facts, event)
        if answer is APPLIED:
            applied += 1
        elif isinstance(answer, Drop):
            dropped.append(answer.reason)
    for decision in decisions:
        state.course = state.course.after(decision)
    review_at = state.course.review_at
    if not state.course.decision_no and state.facts.payments.invoices:
        review_at = 0
    return Folded(encode(state), review_at, applied, dropped)
