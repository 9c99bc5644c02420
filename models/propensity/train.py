"""Learn a scorecard from examples: candidates compete on later rows, the best is calibrated, refitted and tried on the last.

Nothing is random across time, and the rows to test on are looked at once, at the very end. The same examples give the
same scorecard, byte for byte.
"""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.propensity import days, inputs, split
from models.propensity.calibration import applied, calibrated, cold_start, sigmoid
from models.propensity.candidates import BASELINE, CANDIDATES, YARDSTICK, Candidate, Data, Terms, chosen
from models.propensity.evaluation import auc
from models.propensity.examples import Examples
from models.propensity.scorecard import QUANTILES, Calibration, Linear, Scorecard, Scorer
from models.propensity.split import Rows, Split

Matrix = NDArray[np.float64]
Say = Callable[[str], None]

FEW_ROWS = 50_000
"""With fewer, threads cost more than they give: on a busy machine they wait for each other ten times over."""
PRIOR = 2.0 / 3.0
"""The baseline's, where it does not know the customer."""


class Considered(msgspec.Struct, frozen=True):
    """A candidate, and how well it foretold the validation rows."""

    name: str
    log_loss: float
    auc: float | None
    released: bool = True
    """False = a yardstick: it shows what interactions between features would add, and is never served."""


class Trained(msgspec.Struct):
    """A scorecard, and what came out on the way; the arrays have one item a test row."""

    card: Scorecard
    candidate: str
    considered: list[Considered]
    test: Rows
    """Places of the test rows in the examples, in the order of time."""
    probabilities: Matrix
    baseline: Matrix
    yardstick: Matrix
    n_train: int
    n_test: int
    n_embargoed: int
    n_other_side: int
    """Rows left out because their invoice began on the other side of the cut."""
    unmatured_share: float
    """Of all rows."""
    competing_share: float
    """Of all rows."""
    days_to_pay_mae: float | None
    """Of the median, in days, on the test rows that were paid; None where none was."""
    warnings: list[str]


class _Validated(msgspec.Struct, frozen=True):
    """What the candidates said about the validation rows, of shape (candidates, rows)."""

    y: NDArray[np.int64]
    sums: Matrix
    losses: Matrix
    """Log loss, each candidate calibrated as a released one would be: by a slope and an offset."""
    yardstick: Matrix


def train(examples: Examples, *, test_fraction: float = 0.3, seed: int = 0, say: Say = lambda _: None) -> Trained:
    """Learn a scorecard.

    Args:
        examples: rows in any order.
        test_fraction: share of the labelled rows, the last ones, that it is tried on.
        seed: of the solvers' order of work; the split has no chance in it.
        say: told how far it is.

    Raises:
        BadInput: nothing can be learned from the examples, and why.
    """
    with threadpool_limits(1 if len(examples.at) < FEW_ROWS else None):
        return _train(examples, test_fraction, seed, say)


def _train(examples: Examples, test_fraction: float, seed: int, say: Say) -> Trained:
    warnings: list[str] = []
    x = inputs.finite(examples, warnings)
    cut = split.time_split(examples, test_fraction)
    _check_order(examples, cut)
    _check_customers(examples, cut, warnings)
    data = inputs.learnable(examples, x, cut.train, inputs.allowed(examples, warnings), seed)
    say(f"{len(cut.train)} rows to learn from, {len(cut.test)} to test on, {len(data.bins)} features")
    validated = _validate(examples, cut.train, data, say)
    best = chosen(validated.losses)
    candidate = CANDIDATES[best]
    if candidate is BASELINE:
        warnings.append(
            "No model was better than the customers' own share paid on time: that is all the scorecard knows."
        )
    calibration = calibrated(validated.sums[best], validated.y)
    if calibration.kind == "sigmoid" and calibration.slope == 0.0:
        warnings.append("Scores did not foretell later rows at all: every account gets the same probability.")
    say(f"{candidate.name} is chosen; learning it, and the days to pay, from all rows")
    card = _card(examples, x, cut.train, data, candidate, calibration)
    scorer = Scorer(card, examples.columns)
    tested = x[cut.test]
    return Trained(
        card=card,
        candidate=candidate.name,
        considered=_considered(validated),
        test=cut.test,
        probabilities=scorer.probabilities(tested),
        baseline=_baseline(examples, tested, data),
        yardstick=_yardstick(tested, examples.columns, data, validated),
        n_train=len(cut.train),
        n_test=len(cut.test),
        n_embargoed=len(cut.embargoed),
        n_other_side=len(cut.other_side),
        unmatured_share=float(np.mean(examples.outcome == "unmatured")),
        competing_share=float(np.mean(examples.outcome == "competing")),
        days_to_pay_mae=_days_error(examples, cut.test, scorer.days_to_pay(tested)),
        warnings=warnings,
    )


def _check_order(examples: Examples, cut: Split) -> None:
    if examples.at[cut.test].min() < examples.at[cut.train].max():
        msg = "rows to test on are older than rows to learn from: the split is wrong"
        raise RuntimeError(msg)


def _check_customers(examples: Examples, cut: Split, warnings: list[str]) -> None:
    rows = np.concatenate([cut.train, cut.test])
    customers = len(set(zip(examples.tenant_id[rows].tolist(), examples.account_id[rows].tolist(), strict=True)))
    if customers == 1:
        warnings.append("All rows are of one customer: what is learned says nothing about any other.")


# -- who is chosen


def _validate(examples: Examples, rows: Rows, data: Data, say: Say) -> _Validated:
    """Let every candidate learn from the first part of the rows and foretell the next, part by part."""
    place = np.zeros(len(examples.outcome), dtype=np.intp)
    place[rows] = np.arange(len(rows))
    columns = tuple(bins.name for bins in data.bins)
    folds = split.folds(examples, rows)
    y, sums, yardstick = [], [], []
    for number, fold in enumerate(folds, start=1):
        known, later = data.rows(place[fold.train]), data.rows(place[fold.test])
        say(f"validating {len(CANDIDATES)} candidates, part {number} of {len(folds)}: {len(fold.test)} rows")
        scorers = (Scorer(_bare(candidate.fit(known), data), columns) for candidate in CANDIDATES)
        sums.append([scorer.log_odds(later.x) for scorer in scorers])
        yardstick.append(YARDSTICK.model(known).decision_function(later.codes))
        y.append(later.y)
    labels, foretold = np.concatenate(y), np.concatenate(sums, axis=1)
    losses = np.array([_log_losses(of_one, labels) for of_one in foretold])
    return _Validated(labels, foretold, losses, np.concatenate(yardstick))


def _considered(validated: _Validated) -> list[Considered]:
    y = validated.y
    found = [
        Considered(candidate.name, float(losses.mean()), auc(y, sums))
        for candidate, losses, sums in zip(CANDIDATES, validated.losses, validated.sums, strict=True)
    ]
    loss = float(_log_losses(validated.yardstick, y).mean())
    return [
        *found,
        Considered(f"{YARDSTICK.name}, with interactions", loss, auc(y, validated.yardstick), released=False),
    ]


def _log_losses(sums: Matrix, y: NDArray[np.int64]) -> Matrix:
    p = applied(sigmoid(sums, y), sums)
    losses: Matrix = -np.where(y == 1, np.log(p), np.log1p(-p))
    return losses


# -- what comes out


def _bare(terms: Terms, data: Data) -> Scorecard:
    """A scorecard that only knows the sum of its terms."""
    nothing = [0.0] * len(QUANTILES)
    return Scorecard(
        features=[bins.name for bins in data.bins],
        edges=[bins.edges for bins in data.bins],
        texts=[bins.texts for bins in data.bins],
        bias=terms.bias,
        days_bias=nothing,
        days=[[nothing for _ in bins.texts] for bins in data.bins],
        points=terms.points,
        linear=terms.linear,
    )


def _card(
    examples: Examples, x: Matrix, rows: Rows, data: Data, candidate: Candidate, calibration: Calibration
) -> Scorecard:
    """The scorecard, learned from all rows to learn from; features that add nothing are not on it."""
    terms = candidate.fit(data)
    used = _used(terms) or [0]
    terms, data = _only(terms, used), data.features(used)
    paying = days.learn(data, examples.days_to_pay[rows], examples.paid[rows])
    history = [
        examples.columns.index(name) for name in ("closed_invoices", "overdue_invoices") if name in examples.columns
    ]
    return msgspec.structs.replace(
        _bare(terms, data),
        days_bias=paying.bias,
        days=paying.tables,
        days_limit=paying.limit,
        calibration=calibration,
        cold_start=cold_start(data.y, np.nan_to_num(x[rows][:, history]).sum(axis=1)),
    )


def _used(terms: Terms) -> list[int]:
    """Places of the features that add anything."""
    if terms.linear is not None:
        return [place for place, weight in enumerate(terms.linear.weight) if weight]
    return [place for place, points in enumerate(terms.points or []) if any(points)]


def _only(terms: Terms, used: list[int]) -> Terms:
    points = None if terms.points is None else [terms.points[place] for place in used]
    if (linear := terms.linear) is not None:
        numbers = ([values[place] for place in used] for values in (linear.mean, linear.scale, linear.weight))
        linear = Linear([linear.log[place] for place in used], *numbers)
    return Terms(terms.bias, points, linear)


def _baseline(examples: Examples, tested: Matrix, data: Data) -> Matrix:
    """The share paid on time; where something else is to be foretold, a logistic regression on it."""
    if examples.target.name == "paid_by_due":
        share: Matrix = np.nan_to_num(tested[:, examples.columns.index("on_time_rate")], nan=PRIOR)
        return share
    return Scorer(_bare(BASELINE.fit(data), data), examples.columns).probabilities(tested)


def _yardstick(tested: Matrix, columns: tuple[str, ...], data: Data, validated: _Validated) -> Matrix:
    """Probabilities of a model with interactions, calibrated like the scorecard."""
    codes = np.column_stack([bins.codes(tested[:, columns.index(bins.name)]) for bins in data.bins])
    sums = YARDSTICK.model(data).decision_function(codes)
    return applied(calibrated(validated.yardstick, validated.y), sums)


def _days_error(examples: Examples, rows: Rows, quantiles: Matrix) -> float | None:
    """How far the median is off on average, in days, where it was paid."""
    paid = examples.paid[rows]
    if not paid.any():
        return None
    median = quantiles[paid, QUANTILES.index(0.5)]
    return float(np.abs(median - examples.days_to_pay[rows][paid]).mean())
