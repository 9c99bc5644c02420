"""Fold, score and decide a whole batch: one matrix, one pass over the rules, the same bytes for the same input.

Everything that can be decided without input or output is here. An account that several events of a batch touch is
scored and decided once, on its newest state; what only history touches, or belongs to a tenant that is not live, is
folded and no more.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Literal

import msgspec

from models.account.outcome import APPLIED, Drop
from models.account.promises import Judged, judge, review_for
from models.account.standing import standing_of
from models.account.state import AccountState, Facts, close_stored, encode, fold, open_stored
from models.actions.announce import Case, Message, Scored, announce, decision_id, news_of
from models.actions.choice import Caps, Choice, Conditions, Look, earliest
from models.actions.confirmation import ASKING, confirmation
from models.actions.in_force import Decider, Strategies, decider_of
from models.actions.postings import CAUSES, Books
from models.actions.schedule import Plan
from models.clock import Instant
from models.compliance.gate import Gate
from models.compliance.rule_gate import RuleGate
from models.features.rows import fingerprints, focus_of, matrix, observe
from models.propensity.serving import Model, Released, Serving, serving_of
from models.suppression import TELLING, Suppression, suppressions_of
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
    suppressions: list[Suppression] = []
    """Contact points that no account of their tenant may use."""
    caps_left: Mapping[tuple[str, str], int] = {}
    """What is left of the caps of the conditions."""
    mismatches: int = 0
    """Balances asserted by the billing system that differ from ours."""


class Setting(msgspec.Struct, frozen=True):
    """What is the same for all accounts of a step."""

    mode: Mode
    gate: Gate
    conditions: Conditions


NOTHING_RELEASED: Released = {}
NO_STRATEGIES: Strategies = {}
NO_CONDITIONS = Conditions()


def step(
    work: list[Work],
    tenants: Mapping[str, Tenant],
    mode: Mode,
    gate: Gate | None = None,
    released: Released = NOTHING_RELEASED,
    strategies: Strategies = NO_STRATEGIES,
    conditions: Conditions = NO_CONDITIONS,
) -> Outcome:
    """Fold the events, score every account that is to be decided on in one matrix a model, and decide.

    Args:
        mode: `live`: the outcome of a contact comes back through interaction-events; `replay`: nothing is sent, so the
            plan stands for the deed.
        gate: judges contacts; by default the one that needs no rule pack.
        released: the models in force; one step sees one set of them.
        strategies: those in force, likewise, by tenant or `*`; a tenant without any follows its own schedule.
        conditions: what decisions rest on besides the accounts.
    """
    outcome = Outcome(
        states=[], reviews=[], messages=[[] for _ in work], refused=[[] for _ in work], dropped=[[] for _ in work]
    )
    deciders = {tenant_id: decider_of(tenant, strategies) for tenant_id, tenant in tenants.items()}
    servings = {tenant_id: serving_of(released, tenant_id) for tenant_id in tenants}
    setting = Setting(mode, gate or RuleGate(), conditions)
    cases: list[Case] = []
    for place, item in enumerate(work):
        decider = deciders.get(item.tenant_id)
        if decider is None:
            _refuse(item, place, outcome)
            continue
        case = _take(item, place, decider, servings[item.tenant_id], setting, outcome)
        if case is not None:
            cases.append(case)
    caps = dict(conditions.caps)
    if cases:
        _decide(cases, outcome, caps)
    outcome.caps_left = caps
    left_out = sum(map(len, outcome.refused)) + sum(map(len, outcome.dropped))
    outcome.applied = sum([len(item.events) for item in work]) - left_out
    return outcome


def _refuse(work: Work, place: int, outcome: Outcome) -> None:
    outcome.states.append((work.key, work.blob or b""))
    outcome.reviews.append((work.key, None))
    outcome.refused[place] = [(number, UNKNOWN_TENANT) for _, number in work.events]


def _take(
    work: Work,
    place: int,
    decider: Decider,
    serving: Serving,
    setting: Setting,
    outcome: Outcome,
) -> Case | None:
    """Fold one account's events; the case to decide, or None when it is only folded."""
    stored, plan = open_stored(work.blob), decider.plan
    facts, course, now = Facts(stored), stored.course, work.now
    changed, news, asks = _fold(work, place, facts, plan, outcome)
    if decider.policy.reads_all and facts.payments.invoices:
        _ = facts.crm, facts.interactions  # else a part of each would be decoded first, and then all of it
    today = plan.today(now)
    standing = standing_of(facts, now, today.overdue_before)
    look = Look(work.key, today, facts, course, standing, setting.gate, setting.mode, setting.conditions.feeds)
    review_at = course.review_at
    due = work.due or not work.events or (review_at is not None and review_at <= now)
    agreed = review_at if review_at is not None and review_at > now else None
    if not (news or due) or not plan.is_live(now):
        outcome.states.append((work.key, close_stored(facts.encoded(), course) if changed else work.blob or b""))
        outcome.reviews.append((work.key, earliest(agreed, decider.policy.look_again(look))))
        return None
    policy = decider.policy
    prospect: Any = confirmation(look, plan.tenant, agreed) if asks and policy.contacts(look) else None
    if prospect is None:
        prospect = policy.consider(look)
    promises: tuple[Judged, ...] = ()
    judging_at = None
    if facts.contacts.promises:
        promises, judging_at = _judged(plan, look)
    champion, challenger = serving.champion, serving.challenger
    focus = focus_of(standing, champion.moment, champion.target)
    row = shadow = observe(facts, course, standing, focus, now, plan.zone)
    other = focus
    if challenger is not None and (challenger.moment, challenger.target) != (champion.moment, champion.target):
        other = focus_of(standing, challenger.moment, challenger.target)
        shadow = row if other is focus else observe(facts, course, standing, other, now, plan.zone)
    outcome.states.append((work.key, b""))  # both follow when it has been decided
    outcome.reviews.append((work.key, None))
    return Case(
        place,
        work.key,
        work.tenant_id,
        work.account_id,
        policy,
        now,
        "event" if news else "review",
        facts.encoded(),
        prospect,
        news_of(plan, course, standing, today),
        promises,
        judging_at,
        champion,
        row,
        None if focus is None else focus[1],
        challenger,
        shadow,
        None if other is None else other[1],
    )


def _fold(work: Work, place: int, facts: Facts, plan: Plan, outcome: Outcome) -> tuple[bool, bool, bool]:
    """Fold the events in and tell what they did to the books.

    Returns:
        Whether the facts have changed, whether that is news, and whether a word may be an opt-out.
    """
    changed = news = asks = False
    payments = facts.payments
    mismatches = payments.mismatches
    books: Books | None = None
    for event, number in work.events:
        kind = type(event)
        posts = kind in CAUSES
        if posts and books is None:
            books = Books(facts, plan.zone, work.key)
        answer = facts.apply(event)
        if answer is APPLIED:
            if posts and books is not None:
                outcome.messages[place] += books.tell(event)
            changed, news = True, news or not event.history
            asks = asks or (kind in ASKING and not event.history)
            if kind in TELLING:
                outcome.suppressions += suppressions_of(event, facts)
        elif isinstance(answer, Drop):
            outcome.dropped[place].append(answer.reason)
        elif isinstance(answer, Refusal):
            outcome.refused[place].append((number, answer))
    outcome.mismatches += payments.mismatches - mismatches
    return changed, news, asks


def _judged(plan: Plan, look: Look) -> tuple[tuple[Judged, ...], Instant | None]:
    """The promises whose day has passed, and when the next one can be judged."""
    promises = judge(look.facts, look.course, plan.zone, look.today.day)
    for judged in promises:
        judged.told = judged.told and judged.promise.due_on >= plan.live_day - 1
    return promises, plan.next_judging_at(look.facts, look.course, look.today)


def _decide(cases: list[Case], outcome: Outcome, caps: Caps) -> None:
    states, reviews, messages = outcome.states, outcome.reviews, outcome.messages
    scored = _score([case.champion for case in cases], [case.row for case in cases])
    if any(case.challenger is not None for case in cases):
        shadows = _score([case.challenger for case in cases], [case.shadow_row for case in cases])
    else:
        shadows = [None] * len(cases)
    choices: list[Choice] = []
    for case, score, shadow in zip(cases, scored, shadows, strict=True):
        assert score is not None  # noqa: S101 - every account has a champion
        decision, prospect = decision_id(case.key, case.stored.course.decision_no + 1), case.prospect
        settled = type(prospect) is Choice
        choice = prospect if settled else case.policy.choose(prospect, score.probability, decision, caps)
        choices.append(choice)
        told, course = announce(case, choice, decision, score, shadow)
        messages[case.place] += told
        states[case.place] = case.key, close_stored(case.stored, course)
        reviews[case.place] = case.key, course.review_at
    outcome.scored = len(cases)
    outcome.decided = dict(Counter([choice.action for choice in choices]))
    outcome.contacts = sum([choice.draft is not None for choice in choices])
    outcome.denied = dict(Counter([rule for choice in choices for rule in choice.denied]))


def _score(models: Sequence[Model | None], rows: Sequence[bytes]) -> list[Scored | None]:
    """What each row's model says about it; one matrix a model."""
    different = set(models)
    if len(different) == 1 and (only := models[0]) is not None:
        return [*_scored(only, rows)]
    found: list[Scored | None] = [None] * len(rows)
    for model in different - {None}:
        assert model is not None  # noqa: S101 - for the type checker
        places = [place for place, its in enumerate(models) if its is model]
        for place, scored in zip(places, _scored(model, [rows[place] for place in places]), strict=True):
            found[place] = scored
    return found


def _scored(model: Model, rows: Sequence[bytes]) -> Iterator[Scored]:
    x = matrix(rows)
    scores = model.scorer.score(x)
    return map(
        Scored,
        repeat(model),
        scores.probabilities,
        scores.days,
        scores.bands,
        scores.uncertainties,
        scores.reasons,
        fingerprints(x),
        x.tolist(),
    )


class Folded(msgspec.Struct, gc=False):
    """An account made again from what the topics hold of it."""

    blob: bytes
    review_at: Instant | None
    applied: int
    dropped: list[str]
    suppressions: list[Suppression] = []


def rebuild_state(events: Iterable[Event], decisions: Iterable[NextBestAction]) -> Folded:
    """The state that the events of an account (in log order) and its published decisions lead to.

    An account with open invoices or promises that was never decided on is to be looked at at once: when its review was
    to be, only the lost timers knew.
    """
    state = AccountState()
    applied = 0
    dropped: list[str] = []
    suppressions: list[Suppression] = []
    for event in events:
        answer = state.facts.apply(event)
        if answer is APPLIED:
            applied += 1
            if type(event) in TELLING:
                suppressions += suppressions_of(event, state.facts)
        elif isinstance(answer, Drop):
            dropped.append(answer.reason)
    for decision in decisions:
        state.course = state.course.after(decision)
    review_at = review_for(state.facts.contacts, state.course)
    if not state.course.decision_no and (state.facts.payments.invoices or state.facts.contacts.promises):
        review_at = 0
    return Folded(encode(state), review_at, applied, dropped, suppressions)
