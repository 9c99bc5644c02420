"""Propensity and models: whether the score may be believed, and whether it still sees the customers it has learnt from."""

from typing import Final

from dashboards.board import Board, Row
from dashboards.colours import BAD, GOOD, PLAIN, QUANTILES, WATCH
from dashboards.panels import About, Column, columns, figure, lines, listing
from dashboards.queries import Sql
from dashboards.units import COUNT, RATIO, SHARE, WHOLE
from dashboards.variables import model, tenant

MATURED = (
    "A week is left out as long as over a tenth of its outcomes are not known: the quick ones alone would mislead."
)
PSI = ((None, GOOD), (0.1, WATCH), (0.25, BAD))
AUC = ((None, BAD), (0.6, WATCH), (0.7, GOOD))

FIGURES = (
    figure(
        "How many scores?",
        Sql("models/scored"),
        About(
            "Scores in the chosen time, of all models, in force and beside it. The curve is each day.",
            "`scores` of `scores_daily`, by UTC day.",
            "None: no model is released for the tenant, and decisions rest on the baseline. `recoup models list` says.",
        ),
        COUNT,
        calc="sum",
    ),
    figure(
        "How likely do they pay?",
        Sql("models/expected"),
        About(
            "Mean score of the model in force on the last day: the probability that an account pays in time.",
            "`mean_probability` of `scores_daily`, weighted by scores; role champion.",
            "A jump without a new release means that inputs changed: look at *Which inputs have drifted?*.",
        ),
        SHARE,
        decimals=0,
    ),
    figure(
        "Better than the base rate?",
        Sql("models/skill"),
        About(
            "Brier skill of the last week that can be judged: how much nearer scores are than always saying the base rate.",
            f"`1 - brier / brier_base` of `score_quality`. {MATURED} 0 % = no better, red below 2 %, green from 10 % on.",
            "At or below 0 the score harms: go back with `recoup models rollback`, then train anew.",
        ),
        SHARE,
        steps=((None, BAD), (0.02, WATCH), (0.1, GOOD)),
        decimals=1,
    ),
    figure(
        "Are payers first (AUC)?",
        Sql("models/auc"),
        About(
            "How often a customer who paid was scored higher than one who did not, in the last week that can be judged.",
            f"`auc` of `score_quality`. {MATURED} 0.5 = a coin. Red below 0.6, green from 0.7 on.",
            "Train on newer data (`recoup train`); look at drift for what has changed.",
        ),
        RATIO,
        steps=AUC,
        decimals=2,
    ),
    figure(
        "Have scores shifted (PSI)?",
        Sql("models/psi"),
        About(
            "Population stability index of the last 7 days: how far scores are from the model's first 14 days.",
            "`psi` of `score_drift_daily`, weighted by scores; the worst tenant and model. Below 0.1 nothing happened, from"
            " 0.25 on another population is being scored.",
            "Look at which inputs drifted. Before training anew make sure that no feed is broken.",
        ),
        RATIO,
        steps=PSI,
        decimals=2,
    ),
    figure(
        "How many inputs drifted?",
        Sql("models/drifted"),
        About(
            "Inputs of models, and scores themselves, that a check of the last 7 days has found beyond their limit.",
            "`drift`: what `recoup models watch` told; a check compares the accounts of now with those before. Nothing is"
            " told when nobody checks. Amber from one on, red from five.",
            "See the table below, and `recoup models watch` for the whole report.",
        ),
        COUNT,
        steps=((None, GOOD), (1, WATCH), (5, BAD)),
    ),
)

TRUST = (
    columns(
        "Does a score keep what it promises?",
        Sql("models/calibration", "table"),
        About(
            "Calibration: of customers who were given a probability, the share that really paid. Both columns alike is right.",
            f"`calibration`, weighted by scores. {MATURED}",
            "Observed below expected: too much is promised, and contacts are left out that were needed. Train anew.",
        ),
        SHARE,
        by="Score",
        colours={"Expected": PLAIN, "Observed": GOOD},
        highest=1,
        decimals=0,
    ),
    lines(
        "Is the score as good as it was (AUC)?",
        Sql("models/quality"),
        About(
            "AUC of each week, by model and what it predicts. The lines are at 0.6 and 0.7.",
            f"`auc` of `score_quality`. {MATURED} Weeks with few outcomes jump.",
            "A slow fall is a world that changes: train anew. A sudden one is a feed that broke.",
        ),
        RATIO,
        label="series",
        steps=AUC,
        highest=1,
        decimals=2,
    ),
    lines(
        "How far apart are customers scored?",
        Sql("models/spread"),
        About(
            "The middle score of each day, and where the lowest and highest tenth begin; the model in force.",
            "`p10`, `p50` and `p90` of `scores_daily`, weighted by scores.",
            "Lines that close up mean a score that tells nobody apart: everybody is treated alike.",
        ),
        SHARE,
        colours=QUANTILES,
        highest=1,
        decimals=0,
    ),
    columns(
        "How many scores are how high?",
        Sql("models/deciles", "table"),
        About(
            "Scores of the chosen time by tenths of the probability; the model in force. Who is scored often counts often.",
            "`scores` of `scores_daily` by `decile`.",
            "Everything in one column: inputs are missing. `recoup explain` shows a score with its reasons.",
        ),
        COUNT,
        by="Score",
        colours={"Scores": PLAIN},
    ),
)

CHANGE = (
    lines(
        "Do scores drift away from the model's first days?",
        Sql("models/shift"),
        About(
            "Population stability index of 7 days against the model's first 14 days. The lines are at 0.1 and 0.25.",
            "`psi` of `score_drift_daily`, mean of 7 days weighted by scores.",
            "Above 0.25 for days: an alert is sent; docs/runbooks.md says what to do.",
        ),
        RATIO,
        label="series",
        steps=PSI,
        decimals=2,
    ),
    listing(
        "Which inputs have drifted?",
        Sql("models/features", "table"),
        About(
            "What has drifted in the chosen time, the newest and worst first: how far its values are from those of the"
            " training.",
            "`drift`: the last finding of each input, score = the score itself. psi = values are spread otherwise,"
            " calibration = observed less expected share of payers. An old finding may be well again.",
            "Ask whoever owns the source of the input. If the change is real, train anew.",
        ),
        {
            "Value": Column(RATIO, 3),
            "Limit": Column(RATIO, 3),
            "Accounts": Column(WHOLE),
            "Last found": Column("dateTimeAsIso"),
        },
    ),
    lines(
        "Which model do decisions rest on?",
        Sql("models/decided_by"),
        About(
            "Decisions of each day by the model whose score they used.",
            "`decisions` of `decisions_hourly`.",
            "baseline = no model was in force. A release shows as a change of colour.",
        ),
        COUNT,
        label="model",
        bars=True,
    ),
    listing(
        "Which models score, and which is in force?",
        Sql("models/in_force", "table"),
        About(
            "Models that scored in the chosen time: champion = in force, challenger = scores beside it.",
            "`scores_daily`.",
            "`recoup models show MODEL` tells what it learnt from; `release` and `rollback` change it.",
        ),
        {
            "Scores": Column(WHOLE),
            "Mean score": Column(SHARE, 0),
            "Last scored": Column("dateTimeAsIso"),
        },
    ),
)

BOARD: Final = Board(
    uid="models",
    title="Propensity and models",
    says="Whether the score may be believed, and whether it still sees the customers it has learnt from.",
    since="now-90d",
    refresh="15m",
    variables=(tenant(), model()),
    rows=(Row("", FIGURES), Row("May it be believed?", TRUST), Row("Has the world changed?", CHANGE)),
)
