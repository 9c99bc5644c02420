"""What a colour means, on every dashboard the same."""

from typing import Final

GOOD: Final = "#3B8F5A"
WATCH: Final = "#D9902F"
BAD: Final = "#C23B3B"
PLAIN: Final = "#4E79A7"
"""Neither good nor bad: an amount, a count."""
FAINT: Final = "#8A8F98"

AGEING: Final = {"current": "#4C9F70", "1-30": "#E3C45C", "31-60": "#E39B4C", "61-90": "#D9693F", "90+": "#A8323B"}
"""Ageing bucket -> its place on the ramp from not yet due to longest overdue."""

CHANNELS: Final = {"email": "#4E79A7", "sms": "#59A7A0", "call": "#B07AA1", "voicemail": "#D4A6C8", "letter": "#9C755F"}

FILLED: Final = (
    (None, "#EEF2F7"),
    (0.2, "#C9D9EA"),
    (0.4, "#9DBAD8"),
    (0.6, "#6C95C2"),
    (0.8, "#3F6EA3"),
    (0.95, "#234A78"),
)
"""A share that only grows, neither good nor bad at any height."""

ACTIONS: Final = {
    "wait": FAINT,
    "contact": "#4E79A7",
    "pre_due_reminder": "#A0C1E0",
    "offer_plan": "#59A7A0",
    "hand_to_person": "#D9902F",
    "credit_hold": "#A8323B",
}

JOBS: Final = {"decide": "#4E79A7", "land": "#59A7A0", "dispatch": "#B07AA1"}

QUANTILES: Final = {"p10": "#A9C3DD", "p50": "#4E79A7", "p90": "#1F3D63", "p99": "#C23B3B"}

OUTCOMES: Final = {"kept": GOOD, "broken": BAD}
