"""What is learned from: a matrix without infinite values, incomparable amounts and features that do not vary, in bins."""

import numpy as np
from numpy.typing import NDArray

from models.features.catalogue import BY_NAME
from models.propensity import binning
from models.propensity.candidates import Data, Scale
from models.propensity.examples import Examples
from models.propensity.split import Rows
from schemas.errors import BadInput

Matrix = NDArray[np.float64]

CYCLES = ("due_weekday", "due_month_day")
"""Their last value is next to their first: only steps can tell what they add."""


def finite(examples: Examples, warnings: list[str]) -> Matrix:
    """The matrix with what is infinite as not known."""
    endless = np.isinf(examples.x)
    if not endless.any():
        return examples.x
    for name, count in zip(examples.columns, endless.sum(axis=0).tolist(), strict=True):
        if count:
            warnings.append(f"{count} values of {name} are infinite; they count as not known.")
    return np.where(endless, np.nan, examples.x)


def allowed(examples: Examples, warnings: list[str]) -> list[str]:
    """Columns that may be learned from: amounts of several currencies cannot be compared."""
    currencies = np.unique(examples.currency[examples.labelled])
    if len(currencies) <= 1:
        return list(examples.columns)
    money = [name for name in examples.columns if name in BY_NAME and BY_NAME[name].unit == "major units"]
    warnings.append(
        f"{len(currencies)} currencies ({', '.join(currencies.tolist()[:5])}{' ...' if len(currencies) > 5 else ''}): "
        f"left out: {', '.join(money)}, because amounts of different currencies cannot be compared."
    )
    return [name for name in examples.columns if name not in money]


def learnable(examples: Examples, x: Matrix, rows: Rows, allowed: list[str], seed: int) -> Data:
    """The rows to learn from, in bins, without features that do not vary among them."""
    places = [examples.columns.index(name) for name in allowed]
    found = [(place, binning.learn(examples.columns[place], x[rows, place])) for place in places]
    bins = [learned for _, learned in found if learned is not None]
    if not bins:
        raise BadInput(
            f"None of {len(places)} features varies among the {len(rows)} rows to learn from, so there is nothing to tell "
            "customers apart by. Give a ledger with payments, due dates and more than one kind of customer."
        )
    used = x[rows][:, [place for place, learned in found if learned is not None]]
    codes = np.column_stack([learned.codes(values) for learned, values in zip(bins, used.T, strict=True)])
    scales = [_scale(learned.name, values) for learned, values in zip(bins, used.T, strict=True)]
    return Data(used, codes, examples.y[rows], bins, scales, seed)


def _scale(name: str, values: Matrix) -> Scale:
    """As the catalogue says; of a ledger's own column the logarithm if that is less skewed."""
    if name in CYCLES:
        return "cycle"
    if name in BY_NAME:
        return BY_NAME[name].scale
    known = values[~np.isnan(values)]
    logarithm = np.copysign(np.log1p(np.abs(known)), known)
    return "log" if abs(_skew(logarithm)) < abs(_skew(known)) else "plain"


def _skew(values: Matrix) -> float:
    spread = float(values.std())
    return float(np.mean(((values - values.mean()) / spread) ** 3)) if spread > 0.0 else 0.0
