"""A decision in words: what was chosen, out of what, what the rules denied, and until when."""

from typing import Any

import msgspec

from models.compliance.house import REASONS
from schemas.actions import Candidate, NextBestAction

decode_decision = msgspec.json.Decoder(NextBestAction).decode


class Denied(msgspec.Struct, frozen=True):
    """An action that the rules did not let through."""

    action: str
    rules: dict[str, str]
    """Rule -> what it says."""
    until: str | None
    """RFC 3339; None when no passing of time helps."""


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
    """Every candidate: action, value, probability, allowed."""
    denied: tuple[Denied, ...]
    review_at: str | None


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
    }


def _denied(candidate: Candidate) -> Denied:
    return Denied(
        action=in_words(candidate.action, candidate.channel, candidate.template),
        rules={rule: REASONS.get(rule, "see the rule pack of that name") for rule in candidate.denied_by},
        until=candidate.next_allowed_at.isoformat() if candidate.next_allowed_at else None,
    )
