"""What an action does to the probability of paying: on the log-odds, pooled, and taken at its lower bound.

    P(pay | wait)   = sigmoid(offset + slope * logit(score))
    P(pay | action) = sigmoid(logit(P(pay | wait)) + factor * mean)
    lift_low        = sigmoid(logit(P(pay | wait)) + factor * mean - caution * sd) - P(pay | wait)

`mean` and `sd` are those learned of the action in its segment, else those learned of the action, else those declared.
`factor` is the account's own: its answers a contact, shrunk to the usual rate, over that rate.
"""

import math
from math import exp

from schemas.actions import Context
from schemas.strategies import ActionSpec, ActionStrategy, Answering, Effect, Learned

CLIP = 1e-6
"""A score is no surer than this: its log-odds must be finite."""
DIGITS = 1e9
"""Probabilities keep nine decimals, so that no machine's last bit can change a choice."""

FARTHEST = 30.0
"""Log-odds beyond which nine decimals show no difference from certainty."""

Moved = tuple[float, float]
"""Mean and standard deviation on the log-odds."""


def log_odds(score: float, offset: float, slope: float) -> float:
    """Of paying when nothing is done."""
    p = min(max(score, CLIP), 1.0 - CLIP)
    return offset + slope * math.log(p / (1.0 - p))


def probability(log_odds: float) -> float:
    """The probability of log-odds, with nine decimals."""
    if not -FARTHEST < log_odds < FARTHEST:
        return 0.0 if log_odds < 0 else 1.0
    return int(DIGITS / (1.0 + exp(-log_odds)) + 0.5) / DIGITS


def effect_of(spec: ActionSpec, segment: str, learned: Learned | None) -> Moved:
    """What the action does in a segment."""
    if learned is not None:
        known = {its.segment: its for its in learned.effects if its.action == spec.id}
        found = known.get(segment) or known.get("")
        if found is not None:
            return found.log_odds, found.sd
    declared: Effect = spec.by_segment.get(segment, spec.effect)
    return declared.log_odds, declared.sd


def answer_factor(answering: Answering, context: Context) -> float:
    """How much more, or less, than usual this account is moved."""
    made = context.made
    if not made:
        return 1.0
    answered, usual, weight = min(context.answered, made), answering.usual, answering.weight
    factor = (answered + weight * usual) / ((made + weight) * usual)
    return min(max(factor, answering.least), answering.most)


def expected_share(strategy: ActionStrategy, context: Context) -> float:
    """Of what is paid, what comes within the horizon and is not taken back."""
    prior, payments = strategy.expected, context.payments
    if not payments:
        return prior.share
    kept = max(0, payments - context.reversed)
    return (prior.share * prior.weight + prior.share * kept) / (prior.weight + payments)
