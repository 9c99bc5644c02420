"""Logged decisions and the money that followed, as episodes that can be judged: pure, and the same for every source.

An episode begins at an account's first decision that was a choice and lasts for the attribution window; the next begins at
the first choice after it. A choice is credited with the money from just after it until the next choice or the end of the
window, so nothing is counted twice and nothing before a decision is its merit. Decisions count whether or not anything was
sent (intention to treat). Episodes whose window has not ended are left out, and so are accounts that an experiment holds
out: which account that is, chance decided.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby

import msgspec
import numpy as np

from models.calendar import DAY, instant
from models.clock import Instant
from models.evaluation.log import TOLERANCE, Log, Numbers
from models.evaluation.policies import Key, Policy, is_choice, key_of
from schemas.actions import Context, NextBestAction

COLUMNS = (
    "score", "log_at_stake", "days_past_due", "open_invoices", "contacts_30", "made", "answered", "payments", "reversed",
    "late_share", "valued", "days_left",
)  # fmt: skip
"""What the outcome model learns from; days that are left of the window among it."""
NO_CONTEXT = Context()


class Money(msgspec.Struct, frozen=True):
    """What came, or went back."""

    at: Instant
    currency: str
    amount: int
    """Minor units; negative = taken back."""
    paid_at: Instant | None = None
    """Of what is taken back: when it had come. An episode that did not get the credit does not bear the loss."""


class Decided(msgspec.Struct, frozen=True):
    """A decision, and money on its account: all of it may stand with any one of the account's decisions."""

    decision: NextBestAction
    received: tuple[Money, ...] = ()


class Material(msgspec.Struct, frozen=True):
    """What can be judged of one tenant in one currency."""

    tenant_id: str
    currency: str
    log: Log
    candidate: Numbers
    """(n, k)"""
    actions: tuple[Key, ...]
    held_out: Numbers
    """(accounts, 2) What held-out accounts paid, and their episodes."""
    left_out: dict[str, int]
    """Why, and how many episodes (accounts: `no_choice`)."""
    unanswered: int
    """Decisions that the candidate could not be asked about; its row is the log's."""
    never_offered: tuple[Key, ...]
    """What the candidate would have had to choose from, and no decision in the log had."""


class _Choice(msgspec.Struct, gc=False):
    """What judging needs of a decision: a tenth of the message, for there may be millions."""

    at: Instant
    currency: str | None
    held_out: bool
    actions: tuple[Key, ...]
    chosen: int
    """Place in `actions`."""
    logged: tuple[float, ...]
    asked: tuple[float, ...] | None
    """The candidate's; None = it could not be asked."""
    known: tuple[float, ...]
    """The COLUMNS but for the days that are left."""


class _Episode(msgspec.Struct):
    account: str
    currency: str | None
    choices: list[_Choice]
    ends: Instant
    paid: list[Counter[str]]
    """By currency, of each choice."""


def materials(decided: Iterable[Decided], policy: Policy, window: Instant, until: Instant | None) -> Iterator[Material]:
    """What can be judged, by tenant and currency.

    Args:
        decided: sorted by tenant and account.
        policy: the candidate.
        window: of attribution, in milliseconds.
        until: when the knowledge of payments ends; None = every window is known to have ended.

    Raises:
        ValueError: a decision contradicts itself; names it.
    """
    for tenant_id, of_tenant in groupby(decided, key=lambda its: its.decision.tenant_id):
        left_out: Counter[str] = Counter()
        offers: set[Key] = set()
        taken: list[_Episode] = []
        held: list[_Episode] = []
        for account, of_account in groupby(of_tenant, key=lambda its: its.decision.account_id):
            choices, money = _choices(of_account, policy, offers)
            left_out["no_choice"] += not choices
            for episode in _episodes(account, choices, money, window, until, left_out):
                is_held = any(choice.held_out for choice in episode.choices)
                (held if is_held else taken).append(episode)
        if held:
            left_out["hold_out"] = len(held)
        for currency in _currencies([*taken, *held]):
            mine = [episode for episode in taken if episode.currency in (currency, None)]
            if mine:
                others = [episode for episode in held if episode.currency in (currency, None)]
                yield _material(tenant_id, currency, mine, others, offers, dict(+left_out))


def _choices(of_account: Iterable[Decided], policy: Policy, offers: set[Key]) -> tuple[list[_Choice], list[Money]]:
    """An account's choices in the order of time, and all its money; `offers` takes up what the candidate would offer."""
    decided = list(of_account)
    decisions = sorted((its.decision for its in decided), key=lambda its: (instant(its.occurred_at), its.decision_no))
    choices = []
    for decision in decisions:
        if is_choice(decision):
            offers |= policy.offers(decision)
            choices.append(_choice(decision, policy))
    return choices, [piece for its in decided for piece in its.received]


def _choice(decision: NextBestAction, policy: Policy) -> _Choice:
    actions = _same(tuple(key_of(option) for option in decision.actions))
    logged = tuple(option.probability for option in decision.actions)
    key = key_of(decision)
    places = [place for place, its in enumerate(actions) if its == key]
    if not any(logged[place] > 0.0 for place in places):
        raise ValueError(
            f"decision {decision.decision_id}: what was chosen is not among its actions, or had probability 0"
        )
    if abs(sum(logged) - 1.0) > TOLERANCE:
        raise ValueError(f"decision {decision.decision_id}: the probabilities of its actions do not sum to 1")
    asked = policy.probabilities(decision)
    return _Choice(
        at=instant(decision.occurred_at),
        currency=decision.currency,
        held_out=decision.arm == "hold_out",
        actions=actions,
        chosen=places[0],
        logged=logged,
        asked=None if asked is None else tuple(asked),
        known=_known(decision),
    )


@lru_cache(maxsize=4_096)
def _same(actions: tuple[Key, ...]) -> tuple[Key, ...]:
    """Equal sets of actions as one object: most decisions have one of a few."""
    return actions


def _episodes(
    account: str,
    choices: list[_Choice],
    money: list[Money],
    window: Instant,
    until: Instant | None,
    left_out: Counter[str],
) -> Iterator[_Episode]:
    """An account's episodes, in the order of time."""
    currency = next((its.currency for its in choices if its.currency is not None), None)
    place = 0
    while place < len(choices):
        ends = choices[place].at + window
        after = place
        while after < len(choices) and choices[after].at < ends:
            after += 1
        mine, place = choices[place:after], after
        if until is not None and ends > until:
            left_out["not_ended"] += 1
            continue
        yield _Episode(account, currency, mine, ends, _credited(mine, money, ends))


def _credited(choices: Sequence[_Choice], money: Iterable[Money], ends: Instant) -> list[Counter[str]]:
    """What each choice is credited with. What came at the instant of a choice came before it."""
    begun = [choice.at for choice in choices]
    paid: list[Counter[str]] = [Counter() for _ in choices]
    for piece in money:
        credited_at = piece.at if piece.paid_at is None else piece.paid_at
        if begun[0] < credited_at and piece.at <= ends:
            # A reversal takes the credit away where it was given.
            paid[max(bisect_right(begun, credited_at - 1) - 1, 0)][piece.currency] += piece.amount
    return paid


def _currencies(episodes: Iterable[_Episode]) -> list[str]:
    """Those that decisions are in; where none names any, those that money came in."""
    episodes = list(episodes)
    named = {episode.currency for episode in episodes if episode.currency is not None}
    return sorted(named or {currency for episode in episodes for paid in episode.paid for currency in paid} or {"XXX"})


def _material(
    tenant_id: str,
    currency: str,
    episodes: list[_Episode],
    held: list[_Episode],
    offers: set[Key],
    left_out: dict[str, int],
) -> Material:
    choices = [choice for episode in episodes for choice in episode.choices]
    offered = sorted({key for choice in choices for key in choice.actions})
    place_of = {key: place for place, key in enumerate(offered)}
    accounts = {name: number for number, name in enumerate(dict.fromkeys(episode.account for episode in episodes))}
    logged, candidate = np.zeros((2, len(choices), len(offered)))
    for row, choice in enumerate(choices):
        places = [place_of[key] for key in choice.actions]
        np.add.at(logged[row], places, choice.logged)
        np.add.at(candidate[row], places, choice.logged if choice.asked is None else choice.asked)
    lengths = [len(episode.choices) for episode in episodes]
    log = Log(
        account=np.repeat([accounts[episode.account] for episode in episodes], lengths),
        episode=np.repeat(np.arange(len(episodes)), lengths),
        action=np.array([place_of[choice.actions[choice.chosen]] for choice in choices], dtype=np.int64),
        logged=logged,
        reward=np.array([float(paid[currency]) for episode in episodes for paid in episode.paid]),
        x=np.array(
            [(*choice.known, (episode.ends - choice.at) / DAY) for episode in episodes for choice in episode.choices]
        ),
    )
    return Material(
        tenant_id, currency, log, candidate, tuple(offered), _held(held, currency), left_out,
        sum(choice.asked is None for choice in choices),
        tuple(sorted(offers - place_of.keys())),
    )  # fmt: skip


def _known(choice: NextBestAction) -> tuple[float, ...]:
    """The COLUMNS of one decision, but for the last."""
    context = choice.context or NO_CONTEXT
    return (
        choice.score,
        float(np.log1p(max(choice.at_stake_minor, 0))),
        context.days_past_due,
        context.open_invoices,
        context.contacts_30,
        context.made,
        context.answered,
        context.payments,
        context.reversed,
        context.late / context.closed if context.closed else 0.0,
        float(choice.context is not None),
    )


def _held(episodes: list[_Episode], currency: str) -> Numbers:
    sums: dict[str, list[float]] = {}
    for episode in episodes:
        mine = sums.setdefault(episode.account, [0.0, 0.0])
        mine[0] += sum(paid[currency] for paid in episode.paid)
        mine[1] += 1.0
    return np.array(list(sums.values()), dtype=np.float64).reshape(-1, 2)
