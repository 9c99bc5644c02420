"""Bins of each feature: at most 32 edges, learned from the rows to learn from, with the words that a reason shows.

Edges lie between values that were seen, are rounded as far as that allows, and leave enough rows in every bin, so that a
reason names a range of many customers and never one customer's own figure.
"""

import itertools
import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

MOST_EDGES = 32
LEAST_IN_BIN = 10
"""Rows: what a bin says about fewer is chance, and too close to a single customer."""
DIGITS = 3
"""Significant ones of an edge, where so many leave enough rows in every bin."""


class Bins(msgspec.Struct, frozen=True):
    """One feature's: value x is in bin `count(edges <= x)`, NaN in the last, `len(edges) + 1`."""

    name: str
    edges: list[float]
    texts: list[str]
    """Of each bin, such as `overdue_invoices 2 or more`."""

    def codes(self, values: Matrix) -> Matrix:
        """The bin of each value as a float, NaN where it is NaN: what trees learn from."""
        found = np.searchsorted(self.edges, values, side="right").astype(np.float64)
        found[np.isnan(values)] = np.nan
        return found


def learn(name: str, values: Matrix) -> Bins | None:
    """Bins of the values of one feature; None where they do not vary. Infinite values are not allowed; NaN = not known."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known) or known[0] == known[-1]:
        return None
    whole = bool(np.all(known == np.round(known)))
    distinct, counts = np.unique(known, return_counts=True)
    between = [(float(distinct[place - 1]), float(distinct[place])) for place in _cuts(counts)]
    edges = sorted({_edge(low, high, whole=whole) for low, high in between})
    short = sorted({_rounded(edge, DIGITS) for edge in edges})
    if not whole and np.bincount(np.searchsorted(short, known, side="right"), minlength=2).min() >= LEAST_IN_BIN:
        edges = short  # a few rows change their bin for words that can be read
    return Bins(name, edges, _texts(name, edges, whole=whole))


def _cuts(counts: NDArray[np.intp]) -> list[int]:
    """Where to cut ascending values that occur so often: each bin ends as soon as it is full.

    Full is an equal share of the rows where there are many values, and LEAST_IN_BIN of them where there are few. One cut
    is always made: where it halves the rows best.
    """
    total = int(counts.sum())
    full = max(LEAST_IN_BIN, math.ceil(total / (MOST_EDGES + 1)) if len(counts) > MOST_EDGES + 1 else 0)
    cuts, below = [], 0
    through = np.cumsum(counts).tolist()
    for place, seen in enumerate(through[:-1], start=1):
        if seen - below >= full and total - seen >= min(full, LEAST_IN_BIN):
            cuts.append(place)
            below = seen
    return cuts or [1 + int(np.argmin(np.abs(np.array(through[:-1]) - total / 2)))]


def _edge(low: float, high: float, *, whole: bool) -> float:
    """A short number above `low` and not above `high`, near their middle; a whole one between whole ones."""
    middle = low + (high - low) / 2
    if whole:
        return float(math.ceil(middle))
    for digits in range(DIGITS, 16):
        short = _rounded(middle, digits)
        if low < short <= high:
            return short
    return high


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _texts(name: str, edges: list[float], *, whole: bool) -> list[str]:
    """The words of each bin, the one of NaN last."""
    shown = [_number(edge) for edge in edges]
    inner = [
        f"{name} {_number(low) if whole and high - low == 1 else _span(low, high, whole=whole)}"
        for low, high in itertools.pairwise(edges)
    ]
    first = f"{name} below {shown[0]}"
    return [first, *inner, f"{name} {shown[-1]} or more", f"{name} unknown"]


def _span(low: float, high: float, *, whole: bool) -> str:
    return f"{_number(low)} to {_number(high - 1 if whole else high)}"


def _number(value: float) -> str:
    """As few digits as the edge has, never with an exponent where a person would write none."""
    return f"{value:.0f}" if value == round(value) else f"{value:.15g}"
