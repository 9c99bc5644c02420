"""A decision in words: what was chosen, out of what, what the rules denied, and until when."""

from typing import Any

import msgspec

from models.compliance.sentences import reason_of
from schemas.actions import Candidate, NextBestAction

decode_decision = msgspec.json.Decoder(NextBestAction).decode


class Denied(msgspec.Struct, frozen=True):
    """An action that the rules did not let through."""

    action: str
    rules: dict[str, str]
    """Rule -> what it says."""
    until: str | None
    """RFC 3339; None when no passing of time helps."""


class Valued(msgspec.Struct, frozen=True):
    """What the candidates were valued by."""

    currency: str
    at_stake_minor: int
    pay_wait: float
    """Probability of paying if nothing is done."""
    segment: str
    experiment: str
    hold_out: float
    explore: float


class Decision(msgspec.Struct, frozen=True):
    """One decision, for people and for programs."""

    decision_id: str
    number: int
    action: str
    """In words."""
    invoices: tuple[str, ...]
    trigger: str
    policy: str
    model: str
    score: float
    arm: str
    reasons: tuple[str, ...]
    looked_at: tuple[dict[str, Any], ...]
    """Every candidate: action, value, probability, allowed, and the terms of the value where there are any."""
    denied: tuple[Denied, ...]
    review_at: str | None
    valued: Valued | None = None


def decision_from(payload: bytes) -> Decision:
    """A decision out of its message."""
    said = decode_decision(payload)
    return Decision(
        decision_id=said.decision_id,
        number=said.decision_no,
        action=in_words(said.action, said.channel, said.template, said.step),
        invoices=said.invoice_ids,
        trigger=said.trigger,
        policy=said.policy,
        model=said.model,
        score=said.score,
        arm=said.arm,
        reasons=said.reasons,
        looked_at=tuple(_looked_at(candidate) for candidate in said.actions),
        denied=tuple(_denied(candidate) for candidate in said.actions if candidate.denied_by),
        review_at=said.review_at.isoformat() if said.review_at else None,
        valued=_valued(said),
    )


def in_words(action: str, channel: str | None, template: str | None, step: str | None = None) -> str:
    """An action as people say it: `contact by email (reminder)`."""
    words = action.replace("_", " ")
    if channel:
        words += f" by {channel}"
    if template:
        words += f" ({template})"
    return f"{words}, step {step}" if step else words


def _looked_at(candidate: Candidate) -> dict[str, Any]:
    return {
        "action": in_words(candidate.action, candidate.channel, candidate.template),
        "value": candidate.value,
        "probability": candidate.probability,
        "allowed": candidate.allowed,
    } | _terms(candidate)


def _terms(candidate: Candidate) -> dict[str, Any]:
    """What its value is made of, in minor units; empty when it was not valued."""
    if candidate.pay_action is None:
        return {}
    terms: dict[str, Any] = {"id": candidate.id} if candidate.id else {}
    names = ("pay_action", "lift_low", "gain", "cost", "friction", "scarcity")
    terms |= {name: getattr(candidate, name) for name in names}
    return terms if candidate.left is None else terms | {"left": candidate.left}


def _valued(said: NextBestAction) -> Valued | None:
    if said.pay_wait is None:
        return None
    return Valued(
        currency=said.currency or "",
        at_stake_minor=said.at_stake_minor,
        pay_wait=said.pay_wait,
        segment=said.segment,
        experiment=said.experiment,
        hold_out=said.hold_out,
        explore=said.explore,
    )


def _denied(candidate: Candidate) -> Denied:
    return Denied(
        action=in_words(candidate.action, candidate.channel, candidate.template),
        rules={rule: reason_of(rule) for rule in candidate.denied_by},
        until=candidate.next_allowed_at.isoformat() if candidate.next_allowed_at else None,
    )
