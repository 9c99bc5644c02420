"""A trained model as a scorecard: points for each feature, added up and calibrated. Plain numbers; nothing in it runs.

The log-odds are a sum with one term a feature, so a term *is* the feature's contribution and the reasons of a score are
exact, not an approximation. What that costs: a scorecard knows no interactions between features; training reports what
an unrestricted model would add.

A term is linear in the feature (logistic regression) or a step function of it (gradient boosting without interactions).
Both look a value up in the feature's bins; the days to pay and the words of a reason hang on the bin.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]

PRECISION = 9
"""Decimals kept, so that the last bits of a sum can never change a decision or a replay's digest."""
REASONS = 3
"""How many reasons a score gives."""
CLIP = 4.0
"""Standard deviations from the mean beyond which a linear term goes no further: nothing was learned out there."""
LEAST_POINTS = 0.01
"""A term that moves the log-odds by less is no reason."""
QUANTILES = (0.1, 0.5, 0.9)
"""Of the days to pay."""
PRIOR_INVOICES = 3.0
"""What a score without any history counts as, in invoices; for its uncertainty."""

BANDS = ((0.9, "very_likely"), (0.7, "likely"), (0.4, "uncertain"), (0.15, "unlikely"), (0.0, "very_unlikely"))
"""Lowest probability of each band, and its name."""
_FLOORS = np.array([floor for floor, _ in reversed(BANDS)][1:])
_BAND_NAMES = tuple(name for _, name in reversed(BANDS))


class Linear(msgspec.Struct, frozen=True):
    """Terms of a logistic regression: `weight * clip((t(x) - mean) / scale)`, 0 where x is NaN; one item a feature."""

    log: list[bool]
    """t is sign(x) * log(1 + |x|) where true, x itself where not."""
    mean: list[float]
    scale: list[float]
    weight: list[float]


class Calibration(msgspec.Struct, frozen=True):
    """From the sum of the terms to a probability."""

    kind: Literal["sigmoid", "isotonic"] = "sigmoid"
    slope: float = 1.0
    offset: float = 0.0
    knots: list[float] = []
    """Of the isotonic map: sums, ascending."""
    values: list[float] = []
    """Of the isotonic map: the probability at each knot, between them a straight line."""


class ColdStart(msgspec.Struct, frozen=True):
    """Accounts without any history: the prior that their score is drawn to, as far as training saw few of them."""

    prior: float = 0.5
    """Share of positives among training rows without history."""
    weight: float = 0.0
    """Of the model's own probability, 0 to 1: n / (n + 100) for n such rows."""


class Scorecard(msgspec.Struct, frozen=True):
    """The model. Lists of lists have one item a feature; a bin list ends with the bin of NaN."""

    features: list[str]
    edges: list[list[float]]
    """Ascending. Value x is in bin number `count(edges <= x)`; NaN in the last, `len(edges) + 1`."""
    texts: list[list[str]]
    """Of each bin, such as `overdue_invoices 2 or more`."""
    bias: float
    days_bias: list[float]
    """Of the QUANTILES of the days to pay, counted from the instant of the score."""
    days: list[list[list[float]]]
    """Of each bin: what it adds to each quantile."""
    days_limit: float = 365.0
    """No quantile is given beyond it: training saw nothing later."""
    points: list[list[float]] | None = None
    """Of each bin, in log-odds; None = the terms are linear."""
    linear: Linear | None = None
    calibration: Calibration = Calibration()
    cold_start: ColdStart = ColdStart()


class Scores(msgspec.Struct):
    """One batch, scored; all of the same length."""

    probabilities: list[float]
    days: list[list[float]]
    """The QUANTILES of the days to pay."""
    bands: list[str]
    uncertainties: list[float]
    """Standard deviation of the probability, were it learned from the account's own invoices alone."""
    reasons: list[tuple[str, ...]]


def bands(p: Matrix) -> list[str]:
    """The band of each probability."""
    return [_BAND_NAMES[place] for place in np.searchsorted(_FLOORS, p, side="right").tolist()]


def uncertainties(p: Matrix, invoices: Matrix) -> list[float]:
    """The standard deviation of each probability, were it the mean of a Beta learned from so many invoices."""
    found: list[float] = np.round(np.sqrt(p * (1.0 - p) / (invoices + 1.0)), 4).tolist()
    return found


class Scorer:
    """A scorecard made ready to score batches.

    Args:
        columns: the names of the columns of the matrices that it will be given.

    Raises:
        ValueError: the card is not well formed, or needs a column that there is none of.
    """

    def __init__(self, card: Scorecard, columns: tuple[str, ...]) -> None:
        _check(card, columns)
        self.card = card
        self.places = np.array([columns.index(name) for name in card.features], dtype=np.intp)
        self._history = [columns.index(name) for name in ("closed_invoices", "overdue_invoices") if name in columns]
        self._edges = [np.array(edges, dtype=np.float64) for edges in card.edges]
        sizes = [len(edges) + 2 for edges in card.edges]
        self._missing = np.array(sizes, dtype=np.intp) - 1
        self._offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
        texts = [text for texts in card.texts for text in texts]
        self._texts = np.array([f"- {text}" for text in texts] + [f"+ {text}" for text in texts], dtype=object)
        self._days = np.array([item for items in card.days for item in items], dtype=np.float64)
        self._points = None if card.points is None else np.concatenate([np.array(p) for p in card.points])
        if card.linear is not None:
            self._log = np.array(card.linear.log, dtype=bool)
            self._mean, self._scale, self._weight = (
                np.array(values) for values in (card.linear.mean, card.linear.scale, card.linear.weight)
            )

    def codes(self, x: Matrix) -> Codes:
        """Place of each value's bin in the flat lists of all bins, of shape (rows, features of the card)."""
        codes = np.empty((len(x), len(self._edges)), dtype=np.intp)
        for number, (place, edges) in enumerate(zip(self.places, self._edges, strict=True)):
            codes[:, number] = np.searchsorted(edges, x[:, place], side="right")  # NaN sorts behind everything
        used = x[:, self.places]
        missing = np.isnan(used)
        if missing.any():
            codes = np.where(missing, self._missing, codes)
        codes += self._offsets
        return codes

    def terms(self, x: Matrix, codes: Codes) -> Matrix:
        """What each feature adds to the log-odds, of shape (rows, features of the card)."""
        if self._points is not None:
            terms: Matrix = self._points[codes]
            return terms
        used = x[:, self.places]
        if self._log.any():
            used = np.where(self._log, np.copysign(np.log1p(np.abs(used)), used), used)
        used -= self._mean
        used /= self._scale
        np.clip(used, -CLIP, CLIP, out=used)
        used *= self._weight
        return np.nan_to_num(used, copy=False, nan=0.0)

    def log_odds(self, x: Matrix) -> Matrix:
        """The sum before it is calibrated, one a row."""
        return self._sums(self.terms(x, self.codes(x)))

    def probabilities(self, x: Matrix) -> Matrix:
        """The calibrated probability of every row."""
        return self._calibrated(self.log_odds(x), self._invoices(x))

    def days_to_pay(self, x: Matrix) -> Matrix:
        """The QUANTILES of the days to pay of every row, never crossing, of shape (rows, 3)."""
        return self._days_of(self.codes(x))

    def score(self, x: Matrix) -> Scores:
        """Everything about every row of a float64 matrix."""
        codes = self.codes(x)
        terms = self.terms(x, codes)
        invoices = self._invoices(x)
        p = np.round(self._calibrated(self._sums(terms), invoices), PRECISION)
        return Scores(
            probabilities=p.tolist(),
            days=np.round(self._days_of(codes), 1).tolist(),
            bands=bands(p),
            uncertainties=uncertainties(p, invoices + PRIOR_INVOICES),
            reasons=self._reasons(codes, terms, invoices),
        )

    def _sums(self, terms: Matrix) -> Matrix:
        # Column by column, so that a row's sum does not depend on how many others are in the batch.
        sums = np.full(len(terms), self.card.bias)
        for column in terms.T:
            sums += column
        return sums

    def _calibrated(self, sums: Matrix, invoices: Matrix) -> Matrix:
        calibration, cold = self.card.calibration, self.card.cold_start
        if calibration.kind == "isotonic":
            p: Matrix = np.interp(sums, calibration.knots, calibration.values)
        else:
            p = 1.0 / (1.0 + np.exp(-np.clip(calibration.slope * sums + calibration.offset, -35.0, 35.0)))
        unknown = invoices == 0
        if cold.weight < 1.0 and unknown.any():
            p[unknown] = cold.weight * p[unknown] + (1.0 - cold.weight) * cold.prior
        return p

    def _invoices(self, x: Matrix) -> Matrix:
        """How many invoices say something about the account: closed ones and overdue ones."""
        found = np.zeros(len(x))
        for place in self._history:
            found += np.nan_to_num(x[:, place])
        return found

    def _days_of(self, codes: Codes) -> Matrix:
        days: Matrix = np.tile(np.array(self.card.days_bias, dtype=np.float64), (len(codes), 1))
        for column in codes.T:
            days += self._days[column]
        days.sort(axis=1)
        np.clip(days, 0.0, self.card.days_limit, out=days)
        return days

    def _reasons(self, codes: Codes, terms: Matrix, invoices: Matrix) -> list[tuple[str, ...]]:
        """The features that move the score most, each with the bin it is in and the way that it moves it."""
        calibration = self.card.calibration
        if calibration.kind == "sigmoid" and calibration.slope == 0.0:
            terms = np.zeros_like(terms)  # whatever they are, the score is the same
        size = np.abs(terms)
        most = min(REASONS, size.shape[1])
        top = np.argsort(-size, axis=1, kind="stable")[:, :most]
        rows = np.arange(len(codes))[:, None]
        moved = terms[rows, top]
        texts = self._texts[codes[rows, top] + np.where(moved > 0, len(self._texts) // 2, 0)]
        found = list(map(tuple, texts.tolist()))
        for row in np.flatnonzero((size[rows, top] < LEAST_POINTS).any(axis=1)).tolist():
            found[row] = tuple(texts[row, size[row, top[row]] >= LEAST_POINTS].tolist())
        for row in np.flatnonzero(invoices == 0).tolist():
            found[row] = ("no_history", *found[row][: REASONS - 1])
        return found


def _check(card: Scorecard, columns: tuple[str, ...]) -> None:
    """Refuse a card that would score nonsense."""
    for fault in _faults(card, columns):
        raise ValueError(fault)


def _faults(card: Scorecard, columns: tuple[str, ...]) -> Iterator[str]:
    unknown = [name for name in card.features if name not in columns]
    if unknown:
        yield f"it needs the features {', '.join(unknown)}, which are not known here"
    if len(set(card.features)) != len(card.features) or not card.features:
        yield "it names a feature twice, or none"
    if (card.points is None) == (card.linear is None):
        yield "its terms must be either points or linear"
    yield from _uneven(card)
    for name, edges in zip(card.features, card.edges, strict=True):
        if any(low >= high for low, high in itertools.pairwise(edges)):
            yield f"the edges of {name} do not ascend"
    if any(len(item) != len(QUANTILES) for item in (card.days_bias, *itertools.chain(*card.days))):
        yield "the days to pay do not have one item a quantile"
    if card.calibration.kind == "isotonic" and not 2 <= len(card.calibration.knots) == len(card.calibration.values):
        yield "the isotonic calibration needs as many values as knots, and two at least"
    if any(low > high for low, high in itertools.pairwise(card.calibration.knots)):
        yield "the knots of the calibration do not ascend"
    if not all(0.0 <= p <= 1.0 for p in (*card.calibration.values, card.cold_start.prior, card.cold_start.weight)):
        yield "it gives probabilities that are not between 0 and 1"
    if card.linear is not None and any(scale <= 0.0 for scale in card.linear.scale):
        yield "a linear term has a scale that is not above 0"
    if not all(map(math.isfinite, _numbers(card))):
        yield "it holds numbers that are not finite"


def _uneven(card: Scorecard) -> Iterator[str]:
    """Lists that do not have one item a feature, or a bin."""
    lists: dict[str, list[Any]] = {"edges": card.edges, "texts": card.texts, "days": card.days}
    if card.points is not None:
        lists["points"] = card.points
    if card.linear is not None:
        lists |= {f"linear.{name}": getattr(card.linear, name) for name in ("log", "mean", "scale", "weight")}
    for name, items in lists.items():
        if len(items) != len(card.features):
            yield f"`{name}` has {len(items)} items for {len(card.features)} features"
    for name in ("texts", "days", "points"):
        for edges, items in zip(card.edges, lists.get(name, ()), strict=False):
            if len(items) != len(edges) + 2:
                yield f"`{name}` does not have one item a bin"


def _numbers(card: Scorecard) -> list[float]:
    linear = card.linear
    return [
        card.bias,
        *card.days_bias,
        card.days_limit,
        *(edge for edges in card.edges for edge in edges),
        *(value for items in card.days for item in items for value in item),
        *(value for points in card.points or [] for value in points),
        *((*linear.mean, *linear.scale, *linear.weight) if linear is not None else ()),
        card.calibration.slope,
        card.calibration.offset,
        *card.calibration.knots,
        *card.calibration.values,
        card.cold_start.prior,
        card.cold_start.weight,
    ]


def encode(card: Scorecard) -> bytes:
    """The card as JSON, the same bytes for the same card."""
    return msgspec.json.encode(card)


def decode(content: bytes) -> Scorecard:
    """The card of JSON; raises `msgspec.MsgspecError` when it is none."""
    return msgspec.json.decode(content, type=Scorecard)
