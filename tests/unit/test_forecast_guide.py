"""The guide of the forecast tells the numbers that the benchmark kept."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "forecast.md").read_text(encoding="utf-8")
KEPT = json.loads((ROOT / "benchmarks" / "results" / "forecast.json").read_text())["ibm_late_payment"]
ROWS = {
    "forecast": "forecast",
    "mean of the last 4 weeks": "mean_of_4_weeks",
    "open invoices on their due dates": "due_dates",
}


def test_the_table_is_what_was_measured() -> None:
    told = {row[0]: row[1:] for row in (line.strip("| ").split(" | ") for line in GUIDE.splitlines() if "|" in line)}
    for row, name in ROWS.items():
        wape = KEPT["second_half"]["wape"][name]
        percents = [f"{100 * value:.1f} %" for value in (*wape["by_week"], wape["all"])]
        assert [cell.strip("* ") for cell in told[row]] == percents


def test_what_is_said_of_the_difference_is_what_was_measured() -> None:
    kept = KEPT["second_half"]
    mean, due = (
        [f"{100 * value:.1f}" for value in kept["lower_by"][name]] for name in ("mean_of_4_weeks", "due_dates")
    )
    words = re.sub(r"\s+", " ", GUIDE)
    assert f"by {mean[0]} points of WAPE (95 % interval {mean[1]} to {mean[2]}" in words
    assert f"{due[0]} ({due[1]} to {due[2]})" in words
    assert f"held {kept['coverage']['all']:.0%} of the weeks".replace("%", " %") in words


def test_the_forecast_is_better_than_both_naive_ones_as_measured() -> None:
    wape = {name: KEPT["second_half"]["wape"][name]["all"] for name in ROWS.values()}
    assert wape["forecast"] == min(wape.values())
    assert wape["forecast"] < min(KEPT["wape_of_means_by_weeks"].values())
