"""From rows to a judged model in the store: train, judge on the last part, look for leaks, write the report, save all of it."""

import hashlib
import importlib.metadata
import platform
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from connectors.model_store.store import Store
from models.clock import Instant
from models.features.catalogue import BY_NAME, FEATURES_HASH, NAMES
from models.propensity.drift import counted
from models.propensity.evaluation import DaysEvaluation, Evaluation, evaluate, evaluate_days
from models.propensity.examples import Examples
from models.propensity.groups import evaluate_groups, groups_of
from models.propensity.importance import permutation_importance
from models.propensity.leaks import find_leaks
from models.propensity.manifest import FORMAT, SCORECARD, Data, Manifest, Reference
from models.propensity.scorecard import Scorer, encode
from models.propensity.split import Split, time_split
from models.propensity.train import Trained, train
from recoup import person
from recoup.calling import command
from recoup.settings import Settings
from recoup.training.content import CandidateRow, DataSummary, ReportContent
from recoup.training.report import verdict, write_report

HORIZON_DAYS = 30
"""Nominal, of a model whose target is the due date."""
LIBRARIES = ("numpy", "scikit-learn", "recoup")

Matrix = NDArray[np.float64]
Say = Callable[[str], None]
Show = Callable[[str, float, str], None]


class Origin(msgspec.Struct, frozen=True):
    """Where the rows come from."""

    kind: str
    """`ledger` or `warehouse`."""
    name: str
    """Of the file, without its folder, or of the database."""
    notes: Sequence[str] = ()
    """What was taken for granted."""
    left_out: Mapping[str, int] = {}
    """Reason -> what makes no row."""
    warnings: Sequence[str] = ()
    known_after: frozenset[str] = frozenset()
    """Columns that are only known after the decision."""


class Report(msgspec.Struct, frozen=True):
    """What came of a training."""

    text: str
    summary: dict[str, Any]
    manifest: Manifest


def run(
    examples: Examples,
    settings: Settings,
    origin: Origin,
    created_at: Instant,
    *,
    test_fraction: float = 0.3,
    say: Say = lambda _: None,
    show: Show = lambda phase, share, beside: None,
) -> Report:
    """Train a model, judge it and put it into the store.

    Raises:
        BadInput: nothing can be learned from the rows, or the store does not take the model.
    """
    show("training", 0.0, "candidates")
    trained = train(examples, test_fraction=test_fraction, say=say)
    cut = time_split(examples, test_fraction)
    show("judging", 0.0, f"{trained.n_test:,} later rows")
    content = _judged(examples, trained, cut, origin, [*origin.warnings, *trained.warnings])
    show("judging", 1.0, "report")
    with tempfile.TemporaryDirectory(prefix="recoup-report-") as folder:
        written = write_report(Path(folder), content)
        files = {str(path.relative_to(folder)): path.read_bytes() for path in written}
    files[SCORECARD] = encode(trained.card)
    store = Store(settings.models, settings.home)
    manifest = store.put(_manifest(examples, trained, cut, content, origin, created_at), files)
    summary = _summary(manifest, content, trained)
    return Report(_text(summary, content, store.files.where), summary, manifest)


def _judged(examples: Examples, trained: Trained, cut: Split, origin: Origin, warnings: list[str]) -> ReportContent:
    y, test = examples.y[cut.test], cut.test
    base_rate = float(examples.y[cut.train].mean())
    x = _known(examples.x[test])
    scorer = Scorer(trained.card, examples.columns)
    leaks = find_leaks(examples, cut.train, cut.test, set(origin.known_after))
    chosen = {trained.candidate}
    content = ReportContent(
        target=str(examples.target),
        moment=str(examples.moment),
        candidate=trained.candidate,
        model=evaluate(y, trained.probabilities, base_rate=base_rate),
        baseline=evaluate(y, trained.baseline, base_rate=base_rate),
        yardstick=evaluate(y, trained.yardstick, base_rate=base_rate),
        days=_days(examples, cut, scorer.days_to_pay(x)),
        importance=permutation_importance(scorer.log_odds, x, y, examples.columns),
        groups=evaluate_groups(y, trained.probabilities, groups_of(examples, test), base_rate),
        candidates=[
            CandidateRow(c.name, c.log_loss, c.auc, chosen=c.name in chosen, yardstick=not c.released)
            for c in trained.considered
        ],
        leaks=leaks,
        warnings=warnings,
        data=_data(examples, trained, cut, origin),
    )
    return msgspec.structs.replace(content, warnings=[*warnings, *_doubts(content.model, content.baseline)])


def _doubts(model: Evaluation, baseline: Evaluation) -> Iterator[str]:
    """What the later rows say against the model."""
    if model.brier >= baseline.brier:
        yield f"On the later rows it is no better than the baseline: a Brier of {model.brier:.3f} against {baseline.brier:.3f}."
    if not model.calibrated:
        yield (
            f"On the later rows it is not calibrated: an ECE of {model.ece:.3f}, where chance alone stays below"
            f" {model.ece_noise_high:.3f} in 19 of 20 cases."
        )


def _days(examples: Examples, cut: Split, predicted: Any) -> DaysEvaluation | None:
    paid = examples.paid[cut.test]
    return evaluate_days(examples.days_to_pay[cut.test][paid], predicted[paid]) if paid.any() else None


def _data(examples: Examples, trained: Trained, cut: Split, origin: Origin) -> DataSummary:
    rows = len(examples.at)
    left_out = dict(origin.left_out)
    left_out |= {
        "rows whose horizon had not passed by the end of the data": round(trained.unmatured_share * rows),
        "rows that a void, a credit, a dispute or a write-off decided": round(trained.competing_share * rows),
        "rows before the cut that were not settled by then": trained.n_embargoed,
        "rows of invoices that began on the other side of the cut": trained.n_other_side,
    }
    accounts = set(zip(examples.tenant_id.tolist(), examples.account_id.tolist(), strict=True))
    return DataSummary(
        source=origin.name,
        rows=rows,
        train=trained.n_train,
        test=trained.n_test,
        left_out={reason: times for reason, times in left_out.items() if times},
        accounts=len(accounts),
        currencies=tuple(sorted(set(examples.currency.tolist()))),
        first_at=int(examples.at.min()),
        last_at=int(examples.at.max()),
        train_until=int(examples.at[cut.train].max()),
        test_from=int(examples.at[cut.test].min()),
        notes=tuple(origin.notes),
    )


# -- what is kept


def _manifest(
    examples: Examples, trained: Trained, cut: Split, content: ReportContent, origin: Origin, created_at: Instant
) -> Manifest:
    model, data = content.model, content.data
    return Manifest(
        format=FORMAT,
        created_at=created_at,
        author=person.name(),
        target=content.target,
        moment=content.moment,
        horizon_days=examples.target.days or HORIZON_DAYS,
        features=tuple(trained.card.features),
        features_hash=FEATURES_HASH,
        candidate=trained.candidate,
        data=Data(
            kind="ledger" if origin.kind == "ledger" else "warehouse",
            name=origin.name,
            sha256=_fingerprint(examples),
            rows=data.rows,
            first_at=data.first_at,
            last_at=data.last_at,
            train_until=data.train_until,
            test_from=data.test_from,
        ),
        metrics={**_metrics(content, trained), **_shown(model)},
        warnings=tuple(content.warnings),
        leaks=tuple(leak.says for leak in content.leaks),
        currencies=data.currencies,
        reference=_reference(examples, trained, cut),
        versions={
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
        code=_code(),
    )


def _metrics(content: ReportContent, trained: Trained) -> dict[str, int | float | None]:
    """The figures that a model is known by; of the test rows."""
    model, baseline = content.model, content.baseline
    return {
        "n_train": trained.n_train,
        "n_test": trained.n_test,
        "base_rate": model.base_rate,
        "auc": model.auc,
        "brier": model.brier,
        "brier_base": model.brier_base,
        "ece": model.ece,
        "baseline_auc": baseline.auc,
        "days_to_pay_mae": trained.days_to_pay_mae,
    }


def _shown(model: Evaluation) -> dict[str, int | float | None]:
    names = ("train_base_rate", "average_precision", "log_loss", "ece_low", "ece_high", "ece_noise", "lift_top_decile")
    return {name: getattr(model, name) for name in names}


def _reference(examples: Examples, trained: Trained, cut: Split) -> Reference:
    """How the training rows were distributed: what serves later is compared with it."""
    x = _known(examples.x[cut.train])
    score = Scorer(trained.card, examples.columns).probabilities(x)
    columns = {name: x[:, place] for place, name in enumerate(examples.columns) if name in BY_NAME}
    return Reference({name: counted(columns[name]) for name in NAMES}, counted(score))


def _known(x: Matrix) -> Matrix:
    """As the model learns it: what is infinite is not known."""
    return np.where(np.isfinite(x), x, np.nan)


def _fingerprint(examples: Examples) -> str:
    """Of the rows themselves: the same rows, the same hash, whatever file they stood in."""
    digest = hashlib.sha256("|".join(examples.columns).encode())
    for values in (examples.x, examples.at, examples.horizon_end, examples.outcome, examples.invoice_id):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _code() -> str:
    """The git revision that this code stands at, with `+dirty` when it was changed; else the package's version."""
    folder = Path(__file__).resolve().parents[2]
    version = importlib.metadata.version("recoup")
    if not (folder / ".git").exists():
        return version
    try:
        revision, changes = (
            subprocess.run(  # noqa: S603 - no shell, and nothing of the user's in it
                ["git", "-C", str(folder), *asked],  # noqa: S607 - whichever git the user has
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
            for asked in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.CalledProcessError):
        return version
    return revision + ("+dirty" if changes else "")


# -- what is told


def _summary(manifest: Manifest, content: ReportContent, trained: Trained) -> dict[str, Any]:
    """What came of it, for programs."""
    data = content.data
    return {
        "model_id": manifest.model_id,
        "target": content.target,
        "at": content.moment,
        **_metrics(content, trained),
        **_shown(content.model),
        "baseline_brier": content.baseline.brier,
        "baseline_ece": content.baseline.ece,
        "candidate": content.candidate,
        "candidates": {row.name: {"log_loss": row.log_loss, "auc": row.auc} for row in content.candidates},
        "rows": data.rows,
        "left_out": data.left_out,
        "unmatured_share": trained.unmatured_share,
        "competing_share": trained.competing_share,
        "days_to_pay_mae_base": None if content.days is None else content.days.mae_base,
        "days_to_pay_coverage": None if content.days is None else content.days.coverage,
        "leaks": [{"column": leak.column, "kind": leak.kind, "says": leak.says} for leak in content.leaks],
        "warnings": [f"leak: {leak.says}" for leak in content.leaks] + list(content.warnings),
    }


def _text(summary: dict[str, Any], content: ReportContent, where: str) -> str:
    """What came of it, for people."""
    model, baseline, data, days = content.model, content.baseline, content.data, content.days
    lines = [
        "",
        verdict(content),
        "",
        f"  {'':22}{'model':>10}{'baseline':>10}",
        *(
            f"  {label:22}{_figure(getattr(model, name)):>10}{_figure(getattr(baseline, name)):>10}"
            for label, name in (
                ("AUC", "auc"),
                ("average precision", "average_precision"),
                ("Brier", "brier"),
                ("log loss", "log_loss"),
                ("ECE, 15 bins", "ece"),
                ("lift of the top tenth", "lift_top_decile"),
            )
        ),
        f"  always saying {model.train_base_rate:.1%} has a Brier of {model.brier_base:.3f}",
        f"  the ECE lies in {model.ece_low:.3f} to {model.ece_high:.3f}; chance alone gives {model.ece_noise:.3f}",
        "",
        f"  {data.train:,} rows to learn from, {data.test:,} later ones to judge by; {content.candidate} was chosen",
        *(f"  {times:,} {reason} left out" for reason, times in data.left_out.items()),
    ]
    if days is not None:
        lines.append(
            f"  days to pay: {days.mae:.1f} off on average (one number for all: {days.mae_base:.1f}),"
            f" {days.coverage:.0%} within the 10 % and 90 % given"
        )
    if summary["warnings"]:
        lines += ["", "Warnings:", *(f"  - {warning}" for warning in summary["warnings"])]
    model_id = summary["model_id"]
    lines += ["", f"Saved as {model_id} in {where}; look at {where}/{model_id}/report.html."]
    if content.leaks:
        lines.append("It knows what it should not, so `recoup models release` refuses it. Train it without the column.")
    else:
        lines.append(f"  {command()} models release {model_id} --shadow   let it score beside what serves now")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
