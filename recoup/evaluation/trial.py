"""An experiment out of a CSV file: who was treated, what came of it, and what was known before; then whom it moves.

A column that differs between the treated and the others by more than chance was measured after the treatment, or the
treatment was not drawn: either makes every figure wrong, so it is refused by its name.
"""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

import msgspec
import numpy as np

from models.evaluation.log import Numbers
from models.evaluation.qini import RESAMPLES
from models.evaluation.targeting import Targeting, target
from models.evaluation.uplift import Flags
from schemas.errors import BadInput

MOST_LEVELS = 50
"""Of a column of texts; more is an id and says nothing of others."""
SURE = 0.01
"""p-value, after Bonferroni's correction, below which chance does not explain a difference."""


class Question(msgspec.Struct, frozen=True):
    """What to learn of a file. Rows that were given neither treatment nor control are left out."""

    data: Path
    treatment: str
    treated: str
    control: str
    outcome: str
    ignore: tuple[str, ...] = ()


class Trial(msgspec.Struct, frozen=True):
    """The rows of an experiment."""

    columns: tuple[str, ...]
    x: Numbers
    treated: Flags
    y: Numbers


class UpliftReport(msgspec.Struct, frozen=True):
    """Whom a treatment moves."""

    source: str
    treatment: str
    outcome: str
    columns: tuple[str, ...]
    says: str
    targeting: Targeting


def evaluate_uplift(question: Question, *, seed: int = 0, resamples: int = RESAMPLES) -> UpliftReport:
    """Read the experiment and judge the learners on it.

    Raises:
        BadInput: the file or a column is not what it must be, or the treatment was not drawn at random.
    """
    trial = read_trial(question)
    _require_balance(trial, question)
    try:
        found = target(trial.x, trial.treated, trial.y, seed=seed, resamples=resamples)
    except ValueError as error:
        raise BadInput(f"{question.data}: {error}.") from error
    name = f"{question.treatment} = {question.treated} (against {question.control})"
    return UpliftReport(question.data.name, name, question.outcome, trial.columns, says(found), found)


def read_trial(question: Question) -> Trial:
    """The rows; a column of texts becomes one column for each text.

    Raises:
        BadInput: which column or row, and why.
    """
    names, rows = _rows(question)
    treated = np.array([row[question.treatment] == question.treated for row in rows], dtype=bool)
    for value, count in ((question.treated, int(treated.sum())), (question.control, int((~treated).sum()))):
        if not count:
            raise BadInput(f"{question.data}: no row has `{value}` in the column `{question.treatment}`.")
    y = _numbers([row[question.outcome] for row in rows])
    if y is None:
        raise BadInput(f"{question.data}: the outcome `{question.outcome}` is not a number in every row.")
    columns: list[str] = []
    values: list[Numbers] = []
    for name in names:
        if name not in (question.treatment, question.outcome, *question.ignore):
            for column, of in _columns(name, [row[name] for row in rows], question.data):
                columns.append(column)
                values.append(of)
    if not values:
        raise BadInput(f"{question.data}: no column is left to learn from.")
    return Trial(tuple(columns), np.column_stack(values), treated, y)


def _rows(question: Question) -> tuple[Sequence[str], list[dict[str, str]]]:
    """The names of the columns, and the rows that were given treatment or control."""
    try:
        with question.data.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or []
            for column in (question.treatment, question.outcome, *question.ignore):
                if column not in names:
                    raise BadInput(f"{question.data}: there is no column `{column}`; there are: {', '.join(names)}.")
            rows: list[dict[str, str]] = []
            for row in reader:
                if None in row or None in row.values():
                    raise BadInput(
                        f"{question.data} line {reader.line_num}: expected {len(names)} fields, as the header has."
                    )
                if row[question.treatment] in (question.treated, question.control):
                    rows.append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{question.data}: {error}.") from error
    return names, rows


def _numbers(texts: list[str]) -> Numbers | None:
    try:
        found = np.array(texts, dtype=np.float64)
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def _columns(name: str, texts: list[str], data: Path) -> list[tuple[str, Numbers]]:
    numbers = _numbers(texts)
    if numbers is not None:
        return [(name, numbers)]
    levels = sorted(set(texts))
    if len(levels) > MOST_LEVELS:
        raise BadInput(
            f"{data}: the column `{name}` has {len(levels):,} different texts, more than {MOST_LEVELS}; leave it out with"
            f" --ignore {name}."
        )
    given = np.array(texts)
    return [(f"{name}={level}", (given == level).astype(np.float64)) for level in levels]


def _require_balance(trial: Trial, question: Question) -> None:
    """Welch's z of each column, treated against the others."""
    one, other = trial.x[trial.treated], trial.x[~trial.treated]
    spread = np.sqrt(one.var(axis=0) / len(one) + other.var(axis=0) / len(other))
    gap = np.abs(one.mean(axis=0) - other.mean(axis=0))
    z = np.divide(gap, spread, out=np.where(gap > 0, np.inf, 0.0), where=spread > 0)
    limit = NormalDist().inv_cdf(1.0 - SURE / 2 / len(z))
    for place in np.flatnonzero(z > limit):
        name = trial.columns[place].partition("=")[0]
        far = "at all" if math.isinf(z[place]) else f"by {z[place]:.1f} standard errors"
        raise BadInput(
            f"{question.data}: the column `{name}` differs {far} between the treated and the others. If it was measured after"
            f" the treatment, leave it out with --ignore {name}; if not, the treatment was not drawn at random and its uplift"
            " cannot be learned from these rows."
        )


def says(found: Targeting) -> str:
    """The verdict in a sentence or two."""
    t, response = found.models["t"], found.models["response"]
    ranking = f"Qini {t.coefficient:.3f}, 95 % interval {t.low:.3f} to {t.high:.3f}"
    whole = f"{t.uplift:+.4f} an account (95 % interval {t.uplift_low:+.4f} to {t.uplift_high:+.4f})"
    match found.verdict:
        case "choose":
            ahead = (
                f"; a response model reaches {response.coefficient:.3f}" if t.coefficient > response.coefficient else ""
            )
            return (
                f"Choose whom to treat: the T-learner finds those who are moved ({ranking}{ahead}). Treating all gains"
                f" {whole}."
            )
        case "everybody":
            return (
                f"Treat everybody: near zero, the T-learner does not tell those who are moved from the others ({ranking}),"
                f" and treating all gains {whole}."
            )
        case "nobody":
            return f"Treat nobody: no ranking is better than chance ({ranking}), and treating all loses {whole}."
        case _:
            return f"Unclear: no ranking is better than chance ({ranking}), and neither is treating all: {whole}."
