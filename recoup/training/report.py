"""What came of a training, for people and for programs: a page that needs nothing else, its plots, and the numbers.

The same content gives the same bytes: nothing in it says when it was written or what the model is called, so that a
model's id may be the hash of its files.
"""

from pathlib import Path

import msgspec

from models.propensity.evaluation import Evaluation
from recoup.training.content import ReportContent
from recoup.training.page import page
from recoup.training.plots import plots

JSON, HTML, PLOTS = "report.json", "report.html", "plots"
CLOSE = 0.002
"""AUCs that differ by less are as good as each other."""


def write_report(folder: Path, content: ReportContent) -> list[Path]:
    """Write `report.json`, `report.html` and `plots/*.png`; says which files it wrote, in the order of their names."""
    drawn = list(plots(content.model, content.baseline, content.importance, content.days))
    (folder / PLOTS).mkdir(parents=True, exist_ok=True)
    files = {folder / JSON: encode(content), folder / HTML: page(content, verdict(content), drawn).encode()}
    for plot in drawn:
        files[folder / PLOTS / f"{plot.name}.png"] = plot.light
        files[folder / PLOTS / f"{plot.name}-dark.png"] = plot.dark
    for path, written in files.items():
        path.write_bytes(written)
    return sorted(files)


def encode(content: ReportContent) -> bytes:
    """The content and its verdict as JSON."""
    fields = {"verdict": verdict(content), **msgspec.to_builtins(content)}
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"


def verdict(content: ReportContent) -> str:
    """The report in a sentence."""
    columns = sorted({leak.column for leak in content.leaks if leak.column})
    if columns:
        know = "know" if len(columns) > 1 else "knows"
        return f"Not fit for release: {_listed(columns)} {know} the answer, so these figures are too good to be true."
    if content.leaks:
        return "Not fit for release: it was not tried on later rows than it learned from."
    return f"{_ranking(content)}; {_calibration(content.model)}."


def _ranking(content: ReportContent) -> str:
    model, baseline = content.model, content.baseline
    if model.auc is None or baseline.auc is None:
        which = "was paid" if model.positives else "was not paid"
        return f"Cannot be judged against the baseline: every test row {which}"
    ahead, sharper = model.auc - baseline.auc, baseline.brier - model.brier
    if ahead > CLOSE and sharper > 0:
        word = "Better than the baseline"
    elif ahead < -CLOSE or (ahead <= CLOSE and sharper < -CLOSE):
        word = "Worse than the baseline"
    else:
        word = "About as good as the baseline"
    return (
        f"{word}: AUC {model.auc:.3f} against {baseline.auc:.3f}, Brier {model.brier:.3f} against {baseline.brier:.3f}"
        f" on {model.n:,} later rows"
    )


def _calibration(model: Evaluation) -> str:
    if model.calibrated:
        return f"calibrated within noise (ECE {model.ece:.3f}, where chance alone gives {model.ece_noise:.3f})"
    off = model.mean_p - model.base_rate
    way = f", promising {abs(off):.1%} too {'much' if off > 0 else 'little'} on average" if abs(off) >= 0.01 else ""
    return f"not well calibrated (ECE {model.ece:.3f}, where chance alone gives {model.ece_noise:.3f}){way}"


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
