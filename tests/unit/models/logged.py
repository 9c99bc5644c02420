"""Logged decisions as tests need them: who chose what out of what, when, and what was paid."""

import numpy as np

from models.calendar import DAY, HOUR, utc
from models.evaluation.decisions import Decided, Money
from schemas.actions import Candidate, Context, NextBestAction

START = 1_770_000_000_000
WAIT, EMAIL, CALL = ("wait", None, None), ("contact", "email", "overdue_first"), ("contact", "call", "overdue_call")
NO_MONEY: tuple[Money, ...] = ()


def option(key=WAIT, probability=1.0, *, allowed=True, **fields):
    action, channel, template = key
    return Candidate(
        action=action, value=0.0, probability=probability, allowed=allowed, channel=channel, template=template, **fields
    )


def decision(account="a1", at=START, chosen=WAIT, actions=None, number=1, **fields):
    action, channel, template = chosen
    if actions is None:
        actions = (option(WAIT, 0.5), option(EMAIL, 0.5))
    values = {
        "event_id": f"{account}-{number}:nba",
        "tenant_id": "nordlicht",
        "account_id": account,
        "occurred_at": utc(at),
        "source": "decide",
        "decision_id": f"{account}-{number}",
        "decision_no": number,
        "trigger": "review",
        "action": action,
        "channel": channel,
        "template": template,
        "policy": "nba:household@3f2a91c0",
        "model": "baseline@1",
        "arm": "policy",
        "score": 0.5,
        "actions": actions,
        "currency": "EUR",
        "at_stake_minor": 10_000,
        "context": Context(days_past_due=5, open_invoices=1),
    }
    return NextBestAction(**(values | fields))


def euros(amount, at, paid_at=None):
    return Money(at, "EUR", amount, paid_at)


def portfolio(accounts=600, *, steps=3, seed=0, write=0.4, pays=(0.1, 0.3)):
    """Accounts that are looked at every third day and pay 100 EUR, more likely after an e-mail; one window each."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(accounts):
        at = START + int(rng.integers(0, 10)) * DAY
        for step in range(steps):
            mailed = rng.random() < write
            paid = (euros(10_000, at + 5 * HOUR),) if rng.random() < pays[mailed] else NO_MONEY
            actions = (option(WAIT, 1.0 - write), option(EMAIL, write), option(CALL, 0.0, allowed=False))
            chosen = EMAIL if mailed else WAIT
            found.append(Decided(decision(f"a{number:05}", at, chosen, actions, step + 1), paid))
            at += 3 * DAY
    return found
