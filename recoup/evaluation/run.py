"""Judges a candidate policy from a log, whichever it is: what can be told, what cannot and why."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from models.calendar import DAY
from models.evaluation.bootstrap import RESAMPLES
from models.evaluation.decisions import Material
from models.evaluation.judge import LIMITS, Estimate, Judgement, Limits, Refusal, judge, mean_of
from models.evaluation.policies import Logged, OfStrategy, Policy, Uniform, Waits
from recoup.evaluation.words import says
from recoup.policy_releases import read_strategy
from schemas.errors import BadInput

BUILT_IN: dict[str, type[Waits | Uniform | Logged]] = {its.name: its for its in (Waits, Uniform, Logged)}
WINDOW_DAYS = 14
"""Where neither the option nor the candidate says one."""
LEAST_HELD_OUT = 30
"""Held-out accounts, below which nothing is said of them."""


class Asked(msgspec.Struct, frozen=True):
    """The candidate, and how long a decision has to bear fruit."""

    policy: Policy
    window_days: int


class Result(msgspec.Struct, frozen=True):
    """What came out for one tenant in one currency."""

    tenant_id: str
    currency: str
    says: str
    judgement: Judgement
    held_out: Estimate | None
    """What accounts paid that an experiment does not contact: measured, not estimated."""
    held_out_accounts: int
    left_out: dict[str, int]


class Report(msgspec.Struct, frozen=True):
    """A candidate against a log. Values are minor units an account and window."""

    policy: str
    window_days: int
    source: str
    seed: int
    refused: bool
    """Whether any result was refused."""
    results: tuple[Result, ...]


def candidate_of(name: str, window_days: int | None) -> Asked:
    """The candidate of a name or a strategy's file.

    Raises:
        BadInput: it is neither, or a strategy that cannot be put to logged decisions.
    """
    if name in BUILT_IN:
        return Asked(BUILT_IN[name](), window_days or WINDOW_DAYS)
    path = Path(name)
    if not path.exists():
        raise BadInput(f"`{name}` is no policy: expected {', '.join(BUILT_IN)} or the file of a strategy.")
    strategy = read_strategy(path)
    try:
        policy = OfStrategy(strategy, strategy.name)
    except ValueError as error:
        raise BadInput(f"{path}: {error}. `recoup simulate --policy` can compare it.") from error
    return Asked(policy, window_days or strategy.window.payment_days)


def evaluate(
    asked: Asked,
    found: Sequence[Material],
    source: str,
    *,
    limits: Limits = LIMITS,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Report:
    """Judge what was found.

    Raises:
        BadInput: there is no decision in it that was a choice.
    """
    if not found:
        raise BadInput(
            f"No decision in {source} can be judged: none was a choice between two allowed actions whose window of"
            f" {asked.window_days} days has ended. A shorter --window or an earlier --since may find some."
        )
    results = tuple(_result(asked, material, limits, seed, resamples) for material in found)
    refused = any(result.judgement.refused for result in results)
    return Report(asked.policy.name, asked.window_days, source, seed, refused, results)


def milliseconds(days: int) -> int:
    """A window."""
    return days * DAY


def _result(asked: Asked, material: Material, limits: Limits, seed: int, resamples: int) -> Result:
    judgement = judge(
        material.log,
        material.candidate,
        limits=limits,
        refused=tuple(_objections(asked, material)),
        seed=seed,
        resamples=resamples,
    )
    held = material.held_out
    return Result(
        tenant_id=material.tenant_id,
        currency=material.currency,
        says=says(judgement, asked.policy.name, material.currency, asked.window_days),
        judgement=judgement,
        held_out=mean_of(held, seed, resamples) if len(held) >= LEAST_HELD_OUT else None,
        held_out_accounts=len(held),
        left_out=material.left_out,
    )


def _objections(asked: Asked, material: Material) -> list[Refusal]:
    found = []
    if material.unanswered:
        found.append(
            Refusal(
                "cannot_ask",
                f"{material.unanswered:,} of {material.log.decisions:,} decisions cannot be put to {asked.policy.name}: they do"
                " not hold what it decides by, as those of a schedule, are in a currency that it has no prices in, or waiting"
                " was not among their actions. --since can leave older ones out.",
            )
        )
    if material.never_offered:
        names = ", ".join(" ".join(part for part in key if part) for key in material.never_offered[:4])
        found.append(
            Refusal(
                "unknown_actions", f"The candidate has actions that no logged decision had to choose from: {names}."
            )
        )
    return found
