"""Whether groups of customers are selected alike: rates, and their ratio to the largest group's, with an interval.

The attributes are those that the model does not see. A ratio outside LOW and HIGH is a question to a person, not a proof:
groups may differ in what the model may rightly look at. Small groups are shown and never flagged.
"""

import math
from collections.abc import Iterable

import msgspec

LOW = 0.8
"""The four-fifths rule: 29 CFR 1607.4(D), where a lower ratio is taken as evidence of adverse impact."""
HIGH = 1.25
"""Its inverse: the largest group is then the one that is selected too seldom."""
SMALL = 30
"""Accounts; a group with fewer is marked, and not flagged."""
Z = 1.96
"""Of a 95 % interval."""


class Group(msgspec.Struct, frozen=True):
    """Accounts that have one value of an attribute."""

    attribute: str
    value: str
    n: int
    selected: int
    rate: float
    ratio: float | None
    """To the rate of the attribute's largest group; None where that is 0."""
    low: float | None
    high: float | None
    """The 95 % interval of the ratio: Katz's, on the logarithm; None for the largest group itself."""
    small: bool
    largest: bool
    flagged: bool


class Tally(msgspec.Struct, frozen=True):
    """How many accounts have this value, and how many of them were selected."""

    attribute: str
    value: str
    n: int
    selected: int


def groups(tallies: Iterable[Tally]) -> list[Group]:
    """The groups of every attribute, largest first; attributes in the order in which they come.

    An empty value is "not known": it is shown, and neither flagged nor what others are compared with.
    """
    by_attribute: dict[str, list[Tally]] = {}
    for tally in tallies:
        by_attribute.setdefault(tally.attribute, []).append(tally)
    found: list[Group] = []
    for members in by_attribute.values():
        ordered = sorted(members, key=lambda tally: (tally.value == "", -tally.n, tally.value))
        found += [_group(tally, ordered[0]) for tally in ordered if tally.n]
    return found


def ratio_interval(selected: int, n: int, other_selected: int, other_n: int) -> tuple[float, float]:
    """The 95 % interval of `(selected / n) / (other_selected / other_n)`; half an account is added where a count is 0."""
    a, b = float(selected), float(other_selected)
    total, other = float(n), float(other_n)
    if not selected or not other_selected:
        a, b, total, other = a + 0.5, b + 0.5, total + 0.5, other + 0.5
    middle = math.log((a / total) / (b / other))
    error = math.sqrt(max(0.0, 1 / a - 1 / total + 1 / b - 1 / other))
    return math.exp(middle - Z * error), math.exp(middle + Z * error)


def _group(tally: Tally, largest: Tally) -> Group:
    rate = tally.selected / tally.n
    alone = tally is largest
    # Of whole numbers, so that exactly four fifths are four fifths.
    ratio = tally.selected * largest.n / (tally.n * largest.selected) if largest.selected else None
    low, high = (None, None) if alone else ratio_interval(tally.selected, tally.n, largest.selected, largest.n)
    small = tally.n < SMALL
    unlike = rate > 0 if ratio is None else not LOW <= ratio <= HIGH
    compared = tally.value != "" and not alone and not small and largest.n >= SMALL
    return Group(
        attribute=tally.attribute,
        value=tally.value,
        n=tally.n,
        selected=tally.selected,
        rate=rate,
        ratio=ratio,
        low=low,
        high=high,
        small=small,
        largest=alone,
        flagged=compared and unlike,
    )
