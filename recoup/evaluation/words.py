"""A judgement in words."""

from typing import TYPE_CHECKING, NamedTuple

from models.evaluation.judge import Diagnostics, Estimate, Judgement
from schemas.currencies import decimals

if TYPE_CHECKING:
    from recoup.evaluation.run import Result

NO_CURRENCY = "XXX"
"""ISO 4217's code for none: no decision named a currency and no money came."""
ESTIMATORS = {
    "logged": "what was decided",
    "dr": "doubly robust",
    "snips": "self-normalised weights",
    "ips": "clipped weights",
    "dm": "outcome model alone",
}
LEFT_OUT = {
    "no_choice": "accounts without a decision that was a choice",
    "not_ended": "windows that have not ended",
    "hold_out": "windows of accounts that an experiment holds out",
}


def says(judgement: Judgement, policy: str, currency: str, days: int) -> str:
    """The judgement in a sentence or two."""
    if judgement.refused:
        return f"Refused, {policy} cannot be judged from this log. " + " ".join(its.says for its in judgement.refused)
    best = judgement.of("dr")
    would = f"{policy} would have brought {money(best.value, currency)} an account and {days} days, where"
    came = f"{money(judgement.logged.value, currency)} came"
    between = f"95 % interval {span(best.more_low, best.more_high, currency)}"
    match judgement.verdict:
        case "better":
            return f"Better. {would} {came}: {money(best.more, currency, plus=True)}, {between}."
        case "worse":
            return f"Worse. {would} {came}: {money(best.more, currency, plus=True)}, {between}."
        case "same":
            return f"The same. {came} an account and {days} days; the candidate is what decided."
        case _:
            return f"Undecided. {would} {came}, and the difference may be chance: {between}."


def money(minor: float, currency: str, *, plus: bool = False) -> str:
    """Minor units as people write them, with the currency."""
    text = amount(minor, currency, plus=plus)
    return text if currency == NO_CURRENCY else f"{text} {currency}"


def amount(minor: float, currency: str, *, plus: bool = False) -> str:
    """Minor units as major ones."""
    places = 0 if currency == NO_CURRENCY else decimals(currency)
    return f"{minor / 10**places:{'+' if plus else ''},.{places}f}"


def span(low: float, high: float, currency: str) -> str:
    """An interval of a difference."""
    return f"{money(low, currency, plus=True)} to {money(high, currency, plus=True)}"


def trust(of: Diagnostics) -> list[tuple[str, str, str]]:
    """What the estimates rest on: name, figure, and what it means."""
    return [
        (
            "decisions",
            f"{of.decisions:,}",
            f"in {of.episodes:,} windows of {of.accounts:,} accounts, {of.longest} at most",
        ),
        ("paid", f"{of.rewarded:,}", "accounts that paid anything in a window"),
        (
            "effective sample",
            f"{of.effective:,.0f}",
            f"accounts would say as much if the candidate had decided itself ({of.effective / of.accounts:.0%})",
        ),
        (
            "mean weight",
            f"{of.mean_weight:.3f}",
            f"1 is due; chance moves it by {of.mean_weight_error:.3f} (standard error)",
        ),
        ("largest weight", f"{of.largest_weight:,.1f}", f"{of.clipped:.1%} of the windows are clipped for `ips`"),
        ("no support", f"{of.unsupported:.1%}", "of the candidate's choices were hardly ever made in the log"),
    ]


class Row(NamedTuple):
    """An estimate as cells."""

    name: str
    meaning: str
    value: str
    interval: str
    more: str


HEAD = Row("estimator", "", "a window", "95 % interval", "more than was decided")


def row(estimate: Estimate, currency: str, name: str = "", meaning: str = "") -> Row:
    """An estimate, in major units."""
    own = estimate.estimator
    more = (estimate.more_low, estimate.more_high)
    return Row(
        name or own,
        meaning or ESTIMATORS[own],
        amount(estimate.value, currency),
        f"{amount(estimate.low, currency)} to {amount(estimate.high, currency)}",
        "" if own == "logged" else " to ".join(amount(value, currency, plus=True) for value in more),
    )


def rows(result: "Result") -> list[Row]:
    """Everything that was measured or estimated."""
    judgement, held = result.judgement, result.held_out
    found = [row(its, result.currency) for its in (judgement.logged, *judgement.estimates)]
    if held is not None:
        found.append(row(held, result.currency, "hold-out", f"not contacted, {result.held_out_accounts:,} accounts"))
    return found
