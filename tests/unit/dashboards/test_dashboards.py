"""Each dashboard is what the code says, and every panel tells what it shows, in which unit, and when it is bad."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dashboards import alerts, files
from dashboards.__main__ import main
from dashboards.boards import BOARDS
from dashboards.macros import VARIABLE
from dashboards.queries import CLICKHOUSE, PROMETHEUS, SQL
from dashboards.rules import SENTENCES
from dashboards.variables import minor_units
from models.actions import next_best, offers
from recoup.cli.main import COMMANDS, recoup
from schemas.currencies import CURRENCIES, decimals

JSON = sorted((Path(files.__file__).parent / "json").glob("*.json"))
DASHBOARDS = [json.loads(path.read_text()) for path in JSON]
SHOWN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (dashboard, panel) for dashboard in DASHBOARDS for panel in dashboard["panels"] if panel["type"] != "row"
]
NAMES = [f"{dashboard['uid']}: {panel['title']}" for dashboard, panel in SHOWN]
PANELS = [panel for _, panel in SHOWN]
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
VIEWS = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_.0-9]+)")
SYSTEM = {"system.parts", "system.disks"}


def targets(panel: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = panel["targets"]
    return found


def test_the_files_are_what_the_code_says():
    assert files.differing() == [], "run `python -m dashboards build`"
    assert {path.stem for path in JSON} == {board.uid for board in BOARDS}


def test_a_file_that_was_changed_by_hand_is_noticed_and_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    (tmp_path / "json").mkdir()
    (tmp_path / "provisioning" / "alerting").mkdir(parents=True)
    (tmp_path / "json" / "old.json").write_text("{}")
    run = CliRunner()
    assert run.invoke(main, ["check"]).exit_code == 1
    assert run.invoke(main, ["build"]).exit_code == 0
    assert not (tmp_path / "json" / "old.json").exists()
    assert run.invoke(main, ["check"]).exit_code == 0
    (tmp_path / "json" / "models.json").write_text("{}")
    told = run.invoke(main, ["check"])
    assert (told.exit_code, "models.json" in told.output) == (1, True)


def test_every_query_is_used():
    used = {_sql(target) for panel in PANELS for target in targets(panel)}
    used |= {variable["query"]["rawSql"] for dashboard in DASHBOARDS for variable in dashboard["templating"]["list"]}
    used |= {alerts.sql(alert) for alert in alerts.ALERTS}
    written = {path.read_text().strip(): path.name for path in SQL.rglob("*.sql")}
    assert [name for sql, name in written.items() if sql not in used] == []


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=[dashboard["uid"] for dashboard in DASHBOARDS])
def test_a_dashboard_has_what_grafana_needs(dashboard):
    assert dashboard["uid"].startswith("recoup-")
    assert dashboard["tags"] == ["recoup"]
    assert dashboard["timezone"] == "utc"  # a tenant's day would be another one in a browser's zone
    assert dashboard["editable"] is False
    assert len(dashboard["description"]) > 40
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    assert min(ids) > 0
    titles = [panel["title"] for panel in dashboard["panels"]]
    assert len(set(titles)) == len(titles)
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert len(set(names)) == len(names)
    if "currency" in names:
        currency = next(v for v in dashboard["templating"]["list"] if v["name"] == "currency")
        assert not currency["multi"], "money of two currencies would be added"
        assert not currency["includeAll"]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=[dashboard["uid"] for dashboard in DASHBOARDS])
def test_the_figures_stand_first_and_no_panel_covers_another(dashboard):
    panels = dashboard["panels"]
    kinds = [panel["type"] for panel in panels]
    assert kinds[:6] == ["stat"] * 6
    assert "stat" not in kinds[6:]
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        grid = panel["gridPos"]
        mine = set(itertools.product(range(grid["x"], grid["x"] + grid["w"]), range(grid["y"], grid["y"] + grid["h"])))
        assert grid["x"] + grid["w"] <= 24, panel["title"]
        assert grid["w"] * grid["h"] == len(mine) > 0
        assert not cells & mine, panel["title"]
        cells |= mine
    height = max(y for _, y in cells) + 1
    assert len(cells) == 24 * height, "there is a hole"


@pytest.mark.parametrize("panel", PANELS, ids=NAMES)
def test_a_panel_asks_a_question_and_says_what_to_do(panel):
    assert panel["title"].endswith("?")
    assert len(panel["title"]) <= (32 if panel["gridPos"]["w"] == 4 else 60)
    what, how, act = panel["description"].split("\n\n")
    assert len(what) > 20
    assert how.startswith("**How it is worked out.** ")
    assert act.startswith("**When it looks bad.** ")
    assert all(part.endswith((".", "?")) for part in (what, how, act))


@pytest.mark.parametrize("panel", PANELS, ids=NAMES)
def test_a_panel_has_a_unit_and_thresholds_in_order(panel):
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    steps = defaults["thresholds"]["steps"]
    values = [step["value"] for step in steps]
    assert values[0] is None
    assert values[1:] == sorted(set(values[1:]))
    for override in panel["fieldConfig"]["overrides"]:
        for its in override["properties"]:
            if its["id"] == "thresholds":
                steps = steps + its["value"]["steps"]
    assert all(COLOUR.fullmatch(step["color"]) or step["color"] == "transparent" for step in steps)
    # A threshold that nobody explains is only a colour.
    words = ("Red", "red", "Amber", "Green", "line", "darker", "colour")
    if len(values) > 1:
        assert any(word in panel["description"] for word in words), panel["title"]


@pytest.mark.parametrize(("dashboard", "panel"), SHOWN, ids=NAMES)
def test_a_panel_names_its_datasource_and_only_variables_that_there_are(dashboard, panel):
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    references = [target["refId"] for target in targets(panel)]
    assert len(set(references)) == len(references) > 0
    for target in targets(panel):
        assert target["datasource"] == panel["datasource"]
        assert target["datasource"]["uid"] in (CLICKHOUSE.uid, PROMETHEUS.uid)
        if "rawSql" in target:
            used = {found[1] or found[3] for found in VARIABLE.finditer(target["rawSql"])}
            assert used <= names
    assert {found[1] or found[3] for found in VARIABLE.finditer(panel["title"])} <= names
    if "${minor_per_unit}" in "".join(map(_sql, targets(panel))):
        said = panel["title"] + panel["description"]
        assert "$currency" in said, "money without the name of its currency"


@pytest.mark.parametrize(("dashboard", "panel"), SHOWN, ids=NAMES)
def test_a_panel_asks_only_views_and_names_tenants_in_its_condition(dashboard, panel):
    for sql in [target["rawSql"] for target in targets(panel) if "rawSql" in target]:
        bare = re.sub(r"--[^\n]*", "", sql)
        named = {name for name in VIEWS.findall(bare) if name not in re.findall(r"(\w+) AS\s*\(", bare)}
        assert named
        assert not {name for name in named if name.endswith(("_states", "_table", "_refreshed"))}
        assert not re.search(r"SELECT\s+(DISTINCT\s+)?\*", bare), "columns are named, so that nothing else is read"
        variables = {variable["name"] for variable in dashboard["templating"]["list"]}
        if "tenant" in variables:
            assert "$__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant)" in sql
        assert "$__timeFilter(" in sql or "$__dateFilter(" in sql or "$__fromTime" in sql or _is_of_now(named)


def _is_of_now(named: set[str]) -> bool:
    """Whether what is asked has no time of its own: it is as of today, or by months."""
    return named <= {*SYSTEM, "most_overdue", "liquidation", "cures_monthly"}


def _sql(target: dict[str, Any]) -> str:
    return str(target.get("rawSql", ""))


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY", "BHD", "KWD", "CLP"])
def test_amounts_are_divided_by_the_currencys_own_minor_units(currency):
    names, units = (part.split(", ") for part in re.findall(r"\[([^\]]*)\]", minor_units()))
    known = {name.strip("'"): int(unit) for name, unit in zip(names, units, strict=True)}
    assert known.get(currency, 100) == 10 ** decimals(currency)
    assert {name for name in CURRENCIES if decimals(name) != 2} == known.keys()


def test_every_rule_of_a_strategy_has_a_sentence():
    source = "".join(Path(module.__file__ or "").read_text() for module in (offers, next_best))
    source += (Path(offers.__file__ or "").parent / "policy.py").read_text()
    named = set(re.findall(r'"(strategy:\w+)"', source))
    assert len(named) >= 4
    assert named <= SENTENCES.keys()
    assert not [name for name, says in SENTENCES.items() if says == "See the rule of that name."]


def test_every_panel_that_is_named_exists():
    titles = {panel["title"] for panel in PANELS}
    texts = [panel["description"] for panel in PANELS]
    texts += [(Path(files.__file__).parents[1] / "docs" / "runbooks.md").read_text()]
    named = {name for text in texts for name in re.findall(r"\*(?:[\w ]+,\s)?([^*]+\?)\*", text)}
    assert len(named) > 8
    assert {re.sub(r"\s+", " ", name) for name in named} <= titles


def test_every_command_that_is_named_exists():
    texts = [panel["description"] for panel in PANELS]
    guides = [Path(files.__file__).parents[1] / "docs" / name for name in ("runbooks.md", "dashboards.md")]
    texts += [path.read_text() for path in guides]
    named = set(re.findall(r"`recoup ([a-z-]+(?: [a-z-]+)?)", "\n".join(texts)))
    named |= set(re.findall(r"^ *recoup ([a-z-]+(?: [a-z-]+)?)", "\n".join(texts), flags=re.MULTILINE))
    assert len(named) > 10
    assert [name for name in sorted(named) if not _is_command(name.split())] == []


def _is_command(words: list[str]) -> bool:
    if words[0] not in COMMANDS:
        return False
    command = recoup.get_command(None, words[0])  # type: ignore[arg-type]  # the context is not looked at
    within = getattr(command, "commands", None)
    return within is None or len(words) == 1 or words[1] in within
