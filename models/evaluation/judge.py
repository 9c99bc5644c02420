"""Whether a log can say what a candidate policy would have earned, and if so what: estimates with intervals, or refusals.

A refusal is a result. An estimate from too few effective accounts, from choices that the log hardly ever made or from
probabilities that were not those drawn with looks like any other, so none is given.
"""

from typing import Literal

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from models.evaluation import estimators
from models.evaluation.bootstrap import RESAMPLES, Statistic, interval, ratio, resampled
from models.evaluation.log import Log, Numbers, Steps, check, steps_of
from models.evaluation.outcome import Values, values_of
from models.evaluation.weights import Weights, deterministic, effective, unsupported, weights_of

Reason = Literal[
    "few_accounts", "few_outcomes", "no_exploration", "no_support", "few_effective", "mean_weight", "cannot_ask",
    "unknown_actions",
]  # fmt: skip
Verdict = Literal["refused", "better", "worse", "undecided", "same"]


class Limits(msgspec.Struct, frozen=True):
    """Below or above which nothing is judged."""

    accounts: int = 200
    outcomes: int = 20
    """Accounts with any reward; fewer give an interval that only looks like one."""
    effective: float = 100.0
    """Accounts, after weighting."""
    unsupported: float = 0.05
    """Share of the candidate's choices that the log hardly ever made."""
    mean_off: float = 0.05
    """How far the mean weight may be from 1, if chance does not explain it."""
    mean_errors: float = 3.0
    """Standard errors that count as chance."""


LIMITS = Limits()
Z95 = 1.959963984540054


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no estimate."""

    reason: Reason
    says: str


class Diagnostics(msgspec.Struct, frozen=True):
    """What the log is able to say about this candidate."""

    decisions: int
    episodes: int
    accounts: int
    longest: int
    """Decisions of the longest episode; 1 = a plain bandit log."""
    rewarded: int
    """Accounts with any reward."""
    effective: float
    """Accounts that would say as much if the candidate had decided itself."""
    mean_weight: float
    mean_weight_error: float
    """Standard error of the mean weight."""
    largest_weight: float
    unsupported: float
    clipped: float
    """Share of the episodes whose weight `ips` cuts."""


class Estimate(msgspec.Struct, frozen=True):
    """A reward an episode, with its 95 % interval: by the bootstrap over accounts, of `dm` by a jackknife."""

    estimator: estimators.Estimator | Literal["logged"]
    value: float
    low: float
    high: float
    more: float = 0.0
    """Than what was logged; resampled together."""
    more_low: float = 0.0
    more_high: float = 0.0


class Judgement(msgspec.Struct, frozen=True):
    """Either `refused` says why, or there are estimates."""

    diagnostics: Diagnostics
    refused: tuple[Refusal, ...]
    logged: Estimate
    """What the policy that decided earned: no estimate, but what came."""
    estimates: tuple[Estimate, ...]
    verdict: Verdict
    """Against what was logged, by `dr`; `undecided` where its interval holds 0 or `snips` says the opposite."""

    def of(self, estimator: estimators.Estimator) -> Estimate:
        """One estimate.

        Raises:
            KeyError: the judgement was refused.
        """
        for estimate in self.estimates:
            if estimate.estimator == estimator:
                return estimate
        raise KeyError(estimator)


def judge(
    log: Log,
    candidate: Numbers,
    *,
    limits: Limits = LIMITS,
    refused: tuple[Refusal, ...] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Judgement:
    """Judge a candidate by its probabilities (n, k) of the actions of each decision.

    Args:
        refused: what stands against it already.
        seed: of the folds and of the bootstrap: the same input gives the same output.

    Raises:
        ValueError: the log or the candidate is not what they must be; see `models.evaluation.log.check`.
    """
    check(log, candidate)
    with threadpool_limits(limits=1):  # the matrices are small, and threads on a busy machine wait for each other
        return _judged(log, candidate, limits, refused, seed, resamples)


def _judged(
    log: Log, candidate: Numbers, limits: Limits, refused: tuple[Refusal, ...], seed: int, resamples: int
) -> Judgement:
    steps = steps_of(log)
    weights = weights_of(log, candidate, steps)
    seen = _diagnostics(log, candidate, steps, weights)
    refused = (*refused, *_refusals(log, candidate, seen, limits))
    earned = estimators.logged(log, steps)
    named: list[tuple[estimators.Estimator, Statistic]] = []
    values: Values | None = None
    if not refused:
        values = values_of(log, candidate, steps, seed)
        named = [
            ("dr", estimators.dr(log, steps, weights, values)),
            ("snips", estimators.snips(log, steps, weights)),
            ("ips", estimators.ips(log, steps, weights)),
            ("dm", estimators.dm(log, steps, values)),
        ]
    drawn = resampled([earned, *(statistic for _, statistic in named)], seed, resamples)
    base = Estimate("logged", earned.value, *interval(drawn[:, 0]))
    found = tuple(
        _by_model(statistic.value, earned.value, values)
        if name == "dm" and values is not None
        else Estimate(
            name,
            statistic.value,
            *interval(drawn[:, place]),
            statistic.value - earned.value,
            *interval(drawn[:, place] - drawn[:, 0]),
        )
        for place, (name, statistic) in enumerate(named, start=1)
    )
    return Judgement(seen, refused, base, found, _verdict(log, candidate, found))


def _by_model(value: float, earned: float, values: Values) -> Estimate:
    """Resampling what a fitted model foretells would say nothing of the model, so it was fitted anew for its errors."""
    reach, off, more = Z95 * values.error, Z95 * values.more_error, value - earned
    return Estimate("dm", value, value - reach, value + reach, more, more - off, more + off)


def mean_of(sums: Numbers, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """What came an episode, of accounts (n, 2): their rewards and their episodes."""
    statistic = Statistic(sums, ratio)
    return Estimate("logged", statistic.value, *interval(resampled([statistic], seed, resamples)[:, 0]))


def _diagnostics(log: Log, candidate: Numbers, steps: Steps, weights: Weights) -> Diagnostics:
    mean = estimators.mean_weight(log, steps, weights)
    # Of a ratio of sums over accounts: the residuals' spread, by the delta method.
    residuals = mean.sums[:, 0] - mean.value * mean.sums[:, 1]
    error = float(np.sqrt((residuals**2).sum()) / log.episodes)
    rewarded = np.unique(log.account[log.reward != 0.0])
    return Diagnostics(
        decisions=log.decisions,
        episodes=log.episodes,
        accounts=log.accounts,
        longest=steps.longest,
        rewarded=len(rewarded),
        effective=effective(mean.sums[:, 0]),
        mean_weight=mean.value,
        mean_weight_error=error,
        largest_weight=float(weights.after.max()),
        unsupported=unsupported(log, candidate),
        clipped=float((weights.after.max(axis=1) > np.sqrt(log.episodes)).mean()),
    )


def _refusals(log: Log, candidate: Numbers, seen: Diagnostics, limits: Limits) -> tuple[Refusal, ...]:
    found: list[Refusal] = []

    def refuse(reason: Reason, says: str) -> None:
        found.append(Refusal(reason, says))

    if seen.accounts < limits.accounts:
        refuse("few_accounts", f"{seen.accounts:,} accounts were decided on; {limits.accounts:,} are needed.")
    if seen.rewarded < limits.outcomes:
        refuse("few_outcomes", f"{seen.rewarded:,} accounts paid anything; {limits.outcomes:,} are needed.")
    if deterministic(log) and not np.array_equal(candidate, log.logged):
        refuse(
            "no_exploration",
            "The log never explored: every probability in it is 0 or 1, so it says nothing of what it did not choose."
            " Release a strategy with a share of exploration and let it decide for a while.",
        )
    elif seen.unsupported > limits.unsupported:
        refuse(
            "no_support",
            f"{seen.unsupported:.1%} of the candidate's choices were hardly ever made in the log;"
            f" at most {limits.unsupported:.0%} may be.",
        )
    if seen.effective < limits.effective:
        refuse(
            "few_effective",
            f"The candidate is so unlike the log that its {seen.accounts:,} accounts say as much as"
            f" {seen.effective:,.0f}; {limits.effective:,.0f} are needed.",
        )
    off = abs(seen.mean_weight - 1.0)
    if (
        not any(refusal.reason in ("no_exploration", "no_support") for refusal in found)
        and off > limits.mean_off
        and (off > limits.mean_errors * seen.mean_weight_error)
    ):
        refuse(
            "mean_weight",
            f"The mean weight is {seen.mean_weight:.3f} where 1 is due, and chance does not explain it: decisions are"
            " missing from the log, or its probabilities are not those that were drawn with.",
        )
    return tuple(found)


def _verdict(log: Log, candidate: Numbers, estimates: tuple[Estimate, ...]) -> Verdict:
    if not estimates:
        return "refused"
    if np.array_equal(candidate, log.logged):
        return "same"
    first, second = estimates[0], estimates[1]
    if first.more_low > 0.0 and second.more > 0.0:
        return "better"
    if first.more_high < 0.0 and second.more < 0.0:
        return "worse"
    return "undecided"
