"""What was found, in a sentence, and what to do about it."""

from collections.abc import Sequence

from models.propensity.drift import LEAST_ROWS, Drift, Level
from models.propensity.matured import Calibration

NAMED = 3
"""Features that a sentence names; the table has all of them."""


def says(level: Level, drifts: Sequence[Drift], calibration: Calibration, before: int, now: int) -> str:
    """The verdict in words."""
    if level == "too_few":
        return f"Too few accounts to tell: {before:,} before and {now:,} now, and {LEAST_ROWS} are needed on each side."
    if level == "steady":
        return "Nothing has drifted."
    parts = [_named(drifts, "drifted", "drifted"), _named(drifts, "watch", "moved a little")]
    if calibration.drifted:
        parts.append(missed(calibration))
    return "; ".join(filter(None, parts)) + "."


def advice(level: Level, drifts: Sequence[Drift], calibration: Calibration) -> str:
    """What to do."""
    if level == "too_few":
        return "Look again when more has landed, or compare longer windows (--since, --reference)."
    if calibration.drifted:
        return (
            "The probabilities are off, so what is decided by them is too: train again on newer data, and release it in"
            " shadow first (`recoup train --from-warehouse`, `recoup models release ID --shadow`)."
        )
    if any(drift.drifted for drift in drifts):
        matured = "is still calibrated" if calibration.n >= LEAST_ROWS else "cannot be judged yet by what came of it"
        return (
            "See whether the data or the customers changed (the events that feed a feature: `recoup features --list`)."
            f" The score {matured}; train again when it is not."
        )
    return "Nothing to do." if level == "steady" else "Look again in some days."


def missed(calibration: Calibration) -> str:
    """By how much the scores miss."""
    c = calibration
    if c.gap is None or c.low is None or c.high is None or c.expected is None or c.observed is None:
        return "no score has matured"
    return (
        f"scores of {c.expected:.0%} came to {c.observed:.0%} paid"
        f" (gap {100 * c.gap:+.1f} points, 95 % interval {100 * c.low:+.1f} to {100 * c.high:+.1f})"
    )


def _named(drifts: Sequence[Drift], level: Level, verb: str) -> str:
    found = sorted((drift for drift in drifts if drift.level == level), key=lambda drift: -drift.value)
    if not found:
        return ""
    names = ", ".join(f"{drift.feature} (PSI {drift.value:.2f})" for drift in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{names}{more} {'has' if len(found) == 1 else 'have'} {verb}"
