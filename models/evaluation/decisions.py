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
    "late_share", "days_left", "valued",
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


class _Episode(msgspec.Struct):
    account: str
    currency: str | None
    choices: list[NextBestAction]
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
        taken: list[_Episode] = []
        held: list[_Episode] = []
        for _, of_account in groupby(of_tenant, key=lambda its: its.decision.account_id):
            for episode in _episodes(list(of_account), window, until, left_out):
                is_held = any(decision.arm == "hold_out" for decision in episode.choices)
                (held if is_held else taken).append(episode)
        if held:
            left_out["hold_out"] = len(held)
        for currency in _currencies([*taken, *held]):
            mine = [episode for episode in taken if episode.currency in (currency, None)]
            if mine:
                others = [episode for episode in held if episode.currency in (currency, None)]
                yield _material(tenant_id, currency, mine, others, policy, dict(left_out))


def _episodes(
    of_account: list[Decided], window: Instant, until: Instant | None, left_out: Counter[str]
) -> Iterator[_Episode]:
    """An account's episodes, in the order of time."""
    decisions = sorted(
        (its.decision for its in of_account), key=lambda its: (instant(its.occurred_at), its.decision_no)
    )
    money = [piece for its in of_account for piece in its.received]
    choices = [decision for decision in decisions if is_choice(decision)]
    if not choices:
        left_out["no_choice"] += 1
    currency = next((its.currency for its in choices if its.currency is not None), None)
    place = 0
    while place < len(choices):
        begins = instant(choices[place].occurred_at)
        ends = begins + window
        after = place
        while after < len(choices) and instant(choices[after].occurred_at) < ends:
            after += 1
        mine, place = choices[place:after], after
        if until is not None and ends > until:
            left_out["not_ended"] += 1
            continue
        yield _Episode(mine[0].account_id, currency, mine, ends, _credited(mine, money, ends))


def _credited(choices: Sequence[NextBestAction], money: Iterable[Money], ends: Instant) -> list[Counter[str]]:
    """What each choice is credited with. What came at the instant of a choice came before it."""
    begun = [instant(choice.occurred_at) for choice in choices]
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
    policy: Policy,
    left_out: dict[str, int],
) -> Material:
    choices = [choice for episode in episodes for choice in episode.choices]
    offered = sorted({key_of(option) for choice in choices for option in choice.actions})
    place_of = {key: place for place, key in enumerate(offered)}
    accounts = {name: number for number, name in enumerate(dict.fromkeys(episode.account for episode in episodes))}
    logged, candidate = np.zeros((2, len(choices), len(offered)))
    action = np.empty(len(choices), dtype=np.int64)
    unanswered = 0
    offers: set[Key] = set()
    for row, choice in enumerate(choices):
        own = [its.probability for its in choice.actions]
        asked = policy.probabilities(choice)
        offers |= policy.offers(choice)
        unanswered += asked is None
        places = [place_of[key_of(option)] for option in choice.actions]
        np.add.at(logged[row], places, own)
        np.add.at(candidate[row], places, own if asked is None else asked)
        action[row] = _chosen(choice, place_of, logged[row])
    lengths = [len(episode.choices) for episode in episodes]
    log = Log(
        account=np.repeat([accounts[episode.account] for episode in episodes], lengths),
        episode=np.repeat(np.arange(len(episodes)), lengths),
        action=action,
        logged=logged,
        reward=np.array([float(paid[currency]) for episode in episodes for paid in episode.paid]),
        x=np.array([_known(choice, episode.ends) for episode in episodes for choice in episode.choices]),
    )
    return Material(
        tenant_id, currency, log, candidate, tuple(offered), _held(held, currency), left_out, unanswered,
        tuple(sorted(offers - place_of.keys())),
    )  # fmt: skip


def _chosen(choice: NextBestAction, place_of: dict[Key, int], logged: Numbers) -> int:
    place = place_of.get(key_of(choice), -1)
    if place < 0 or logged[place] <= 0.0:
        raise ValueError(
            f"decision {choice.decision_id}: what was chosen is not among its actions, or had probability 0"
        )
    if abs(float(logged.sum()) - 1.0) > TOLERANCE:
        raise ValueError(f"decision {choice.decision_id}: the probabilities of its actions do not sum to 1")
    return place


def _known(choice: NextBestAction, ends: Instant) -> tuple[float, ...]:
    """The COLUMNS of one decision."""
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
        (ends - instant(choice.occurred_at)) / DAY,
        float(choice.context is not None),
    )


def _held(episodes: list[_Episode], currency: str) -> Numbers:
    sums: dict[str, list[float]] = {}
    for episode in episodes:
        mine = sums.setdefault(episode.account, [0.0, 0.0])
        mine[0] += sum(paid[currency] for paid in episode.paid)
        mine[1] += 1.0
    return np.array(list(sums.values()), dtype=np.float64).reshape(-1, 2)
