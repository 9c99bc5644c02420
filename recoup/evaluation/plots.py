"""The pictures of an evaluation: estimates with their intervals, and who is worth treating."""

from typing import TYPE_CHECKING

import numpy as np

from models.evaluation.targeting import Targeting
from recoup.evaluation.run import Result
from recoup.evaluation.words import ESTIMATORS, NO_CURRENCY
from recoup.training.plots import Palette, Plot, plot
from schemas.currencies import decimals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODELS = {"t": "T-learner", "class_transformation": "class transformation", "response": "response model"}


def forest(result: Result) -> Plot:
    """What was decided, and each estimate of the candidate."""
    return plot(
        f"estimates-{result.tenant_id}-{result.currency}",
        "What it would have brought",
        "Money an account and window, with 95 % intervals. The dotted line is what was decided; an interval across it leaves"
        " open which is better. Estimators that disagree are a warning.",
        lambda figure, palette: _forest(figure, palette, result),
    )


def gains(found: Targeting) -> Plot:
    """The Qini curves."""
    return plot(
        "qini",
        "Whom is it worth treating?",
        "Treating the highest scores first: what is gained over treating nobody, an account of all. The straight line treats"
        " at random; a curve above it finds those who are moved.",
        lambda figure, palette: _gains(figure, palette, found),
    )


def _forest(figure: "Figure", palette: Palette, result: Result) -> None:
    judgement, held = result.judgement, result.held_out
    scale = 1 if result.currency == NO_CURRENCY else 10 ** decimals(result.currency)
    rows = [("what was decided", judgement.logged, palette.baseline)]
    rows += [(f"{its.estimator}: {ESTIMATORS[its.estimator]}", its, palette.model) for its in judgement.estimates]
    if held is not None:
        rows.append(("hold-out, not contacted", held, palette.ink))
    axes = figure.subplots()
    for place, (_, its, colour) in enumerate(rows):
        axes.plot((its.low / scale, its.high / scale), (place, place), color=colour, linewidth=1.6)
        axes.plot(its.value / scale, place, "o", color=colour, markersize=5)
    axes.axvline(judgement.logged.value / scale, color=palette.baseline, linewidth=0.9, linestyle=(0, (1, 2)))
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel="an account and window" + f", {result.currency}" * (scale != 1))
    axes.grid(visible=False, axis="y")


def _gains(figure: "Figure", palette: Palette, found: Targeting) -> None:
    axes = figure.subplots()
    colours = {"t": palette.model, "class_transformation": palette.ink, "response": palette.baseline}
    for name, of in found.models.items():
        shares, gained = np.array([(point.share, point.gain) for point in of.curve]).T
        axes.plot(
            shares, gained, color=colours[name], linewidth=1.5, label=f"{MODELS[name]}, Qini {of.coefficient:.3f}"
        )
    whole = next(iter(found.models.values())).uplift
    axes.plot((0, 1), (0, whole), color=palette.ink, linewidth=0.8, linestyle=(0, (4, 3)), label="at random")
    axes.set(xlim=(0, 1), xlabel="share treated, highest scores first", ylabel="gain an account")
    axes.legend(loc="lower right")
