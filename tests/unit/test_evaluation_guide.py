"""What the guide to judging policies says of figures, limits and reasons is so."""

import json
import re
from pathlib import Path
from typing import get_args

from models.evaluation.judge import LIMITS, Reason
from models.evaluation.qini import SHARES
from models.evaluation.weights import RARE
from recoup.evaluation.run import BUILT_IN, WINDOW_DAYS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
MEASURED = json.loads((ROOT / "benchmarks" / "results" / "evaluation.json").read_text(encoding="utf-8"))


def row(*cells):
    return f"| {' | '.join(map(str, cells))} |"


def test_its_figures_are_those_of_the_last_benchmark():
    rows = [
        row(steps, *(f"{of['coverage'][name]:.1%}" for name in ("dr", "snips", "ips", "dm")))
        for steps, of in MEASURED["coverage"].items()
    ]
    simulated = MEASURED["simulated"]
    figures = [f"{simulated['coverage'][name]:.1%}" for name in ("dr", "snips", "ips", "dm")]
    rows.append(row(f"up to {simulated['longest']}, simulator", *figures))
    for campaign, of in MEASURED["open_bandit"].items():
        value, low, high = of["snips"]
        rows.append(row(campaign, f"{value:.4f}", f"{low:.4f} to {high:.4f}", f"{of['truth']:.4f}"))
    for name, of in MEASURED["hillstrom"].items():
        figures = [f"{of[model][0]:.3f}" for model in ("t", "class_transformation", "response")]
        rows.append(row(name.split()[0].lower(), *figures, of["verdict"]))
    assert len(rows) == 8
    assert [line for line in rows if line not in GUIDE] == []


def test_the_benchmark_kept_the_promise_of_its_intervals():
    for of in (*MEASURED["coverage"].values(), MEASURED["simulated"]):
        assert of["runs"] >= 200
        assert all(0.90 <= of["coverage"][name] <= 0.99 for name in ("dr", "snips", "ips"))


def test_its_reasons_and_limits_are_those_of_the_code():
    said = " ".join(GUIDE.split())
    assert set(re.findall(r"^\| `([a-z_]+)` \|", GUIDE.partition("## When it refuses")[2], re.MULTILINE)) == set(
        get_args(Reason)
    )
    assert f"fewer than {LIMITS.accounts} accounts" in said
    assert f"fewer than {LIMITS.outcomes} accounts paid" in said
    assert f"below {LIMITS.effective:.0f} accounts" in said
    assert f"more than {LIMITS.unsupported:.0%}" in said.replace(" %", "%")
    assert f"probability below {RARE:.0%}" in said.replace(" %", "%")
    assert f"more than {LIMITS.mean_off} and more than three standard errors" in said
    assert LIMITS.mean_errors == 3.0
    assert f"else {WINDOW_DAYS}" in said
    assert all(f"`{name}`" in GUIDE for name in BUILT_IN)
    assert [f"{share:.0%}"[:-1] for share in SHARES] == ["10", "20", "30", "50"]
