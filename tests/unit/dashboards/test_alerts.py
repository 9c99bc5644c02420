"""Alerts fire when they should and not when they should not, ask only metrics that exist, and lead to a runbook."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import prometheus_client
import promql_parser
import pytest
import yaml

from dashboards import alerts, files
from dashboards.boards import BOARDS
from dashboards.queries import CLICKHOUSE
from streams import metrics
from streams.histogram import BlockHistogram

ROOT = Path(files.__file__).parents[1]
RULES = ROOT / "deploy/prometheus/rules.yml"
OF_THE_PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total", "up"}


def prometheus_rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def grafana_rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(alerts.provisioned())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def queries() -> list[Any]:
    """Every PromQL expression of dashboards and rules."""
    found = [pytest.param(rule["expr"], id=rule["alert"]) for rule in prometheus_rules()]
    for board in BOARDS:
        for panel in yaml.safe_load(files.as_json(board))["panels"]:
            found += [
                pytest.param(target["expr"], id=f"{board.uid}: {panel['title']}")
                for target in panel.get("targets", [])
                if "expr" in target
            ]
    return found


def exported() -> set[str]:
    """The names under which the workers' metrics are read, suffixes and all."""
    names: set[str] = set()
    for metric in vars(metrics).values():
        if isinstance(metric, prometheus_client.Counter):
            names.add(metric._name + "_total")
        elif isinstance(metric, prometheus_client.Gauge):
            names.add(metric._name)
        elif isinstance(metric, prometheus_client.Histogram):
            names |= {metric._name + suffix for suffix in ("_bucket", "_sum", "_count")}
        elif isinstance(metric, BlockHistogram):
            names |= {family.name + suffix for family in metric.collect() for suffix in ("_bucket", "_sum", "_count")}
    return names


def names_in(node: Any) -> set[str]:
    """The metrics that a parsed expression selects."""
    if isinstance(node, promql_parser.VectorSelector):
        return {str(node.name)}
    if isinstance(node, promql_parser.MatrixSelector):
        return names_in(node.vector_selector)
    if isinstance(node, promql_parser.Call):
        return set().union(*(names_in(argument) for argument in node.args)) if node.args else set()
    if isinstance(node, promql_parser.BinaryExpr):
        return names_in(node.lhs) | names_in(node.rhs)
    if isinstance(node, promql_parser.AggregateExpr | promql_parser.ParenExpr):
        return names_in(node.expr)
    return set()


@pytest.mark.parametrize("expression", queries())
def test_an_expression_asks_only_metrics_that_workers_have(expression):
    parsed = promql_parser.parse(expression.replace("$__rate_interval", "1m"))
    named = names_in(parsed)
    assert named
    assert named <= exported() | OF_THE_PROCESS


def test_a_misspelt_metric_is_noticed():
    parsed = promql_parser.parse("sum(rate(recoup_event_total[5m])) / vector(1)")
    assert not names_in(parsed) <= exported()


@pytest.fixture
def promtool() -> str:
    path = shutil.which("promtool")
    if path is None and "CI" in os.environ:
        pytest.fail("promtool is not installed: alert rules are not tested (Debian's `prometheus` has it)")
    if path is None:
        pytest.skip("promtool is not installed (Debian's `prometheus` has it): alert rules are not tested")
    return path


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("check", "rules", "rules.yml"), ("test", "rules", "rules.test.yml")],
    ids=" ".join,
)
def test_prometheus_takes_the_rules_and_they_fire_when_they_should(promtool, arguments):
    done = subprocess.run([promtool, *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_test_in_which_it_fires_and_one_in_which_it_does_not():
    tests = yaml.safe_load((RULES.parent / "rules.test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert fires == silent == {rule["alert"] for rule in prometheus_rules()}


def anchors() -> set[str]:
    """The headings of the runbooks, as links write them."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/runbooks.md").read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "rule", [*prometheus_rules(), *grafana_rules()], ids=lambda rule: rule.get("alert") or rule["uid"]
)
def test_a_rule_says_how_bad_it_is_and_leads_to_its_runbook(rule):
    assert rule["labels"]["severity"] in ("warning", "critical")
    said = rule["annotations"]
    assert said["summary"]
    assert said["description"].endswith(".")
    path, _, anchor = said["runbook_url"].partition("#")
    assert (ROOT / path).exists()
    assert anchor in anchors()


def test_every_runbook_that_a_dashboard_names_is_there():
    named = set(re.findall(r"docs/runbooks\.md#([\w-]+)", "".join(files.as_json(board) for board in BOARDS)))
    assert named
    assert named <= anchors()


@pytest.mark.parametrize("rule", grafana_rules(), ids=lambda rule: rule["uid"])
def test_a_rule_on_the_warehouse_looks_at_what_it_asked(rule):
    asked, threshold = rule["data"]
    assert asked["datasourceUid"] == CLICKHOUSE.uid
    assert "AS value" in asked["model"]["rawSql"]
    assert asked["relativeTimeRange"]["from"] > 0
    assert threshold["model"]["expression"] == asked["refId"]
    assert rule["condition"] == threshold["refId"]
    assert rule["annotations"]["__dashboardUid__"].removeprefix("recoup-") in {board.uid for board in BOARDS}


def test_everything_that_has_to_wake_somebody_has_a_rule():
    named = {rule["alert"] for rule in prometheus_rules()} | {rule["uid"] for rule in grafana_rules()}
    assert named >= {
        "RecoupLagging", "RecoupDeadLetters", "RecoupNoDecisions", "RecoupLandingStalled",
        "recoup-denied-jump", "recoup-inputs-drifted", "recoup-scores-shifted", "recoup-nothing-lands",
    }  # fmt: skip
