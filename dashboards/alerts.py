"""Alert rules on what is in the warehouse, as Grafana provisions them; those on the workers' metrics are Prometheus's own.

A rule asks ClickHouse for one number a row, and a threshold looks at each; columns of text name the alert.
"""

from datetime import timedelta
from typing import Any, Final

import msgspec
import yaml

from dashboards.macros import Window
from dashboards.queries import CLICKHOUSE, PLUGIN_VERSION, read

RUNBOOKS: Final = "docs/runbooks.md"
"""In this repository; put the address that people read it at before it where there is one."""
DAY: Final = 86_400


class Alert(msgspec.Struct, frozen=True):
    """One rule."""

    uid: str
    """Its SQL is `sql/alerts/UID.sql`, with `_` for `-`."""
    title: str
    severity: str
    """critical wakes people up; warning waits for the morning."""
    board: str
    above: float
    """Fires when a value is greater."""
    seconds: int
    """How far back the query looks."""
    lasting: str
    """For how long it must be so, such as `10m`."""
    summary: str
    description: str
    runbook: str
    """The section of docs/runbooks.md."""
    silent: str = "OK"
    """What no row at all means: OK, or Alerting."""


ALERTS: Final = (
    Alert(
        uid="denied-jump",
        title="Contacts are denied far more than usual",
        severity="critical",
        board="compliance",
        above=2,
        seconds=15 * DAY,
        lasting="30m",
        summary='{{ $labels.tenant }}: {{ printf "%.1f" $values.A.Value }} times as many denials a decision as usual',
        description="In the last 24 hours, against the 14 days before. A changed rule, tenant file or feed denies contacts.",
        runbook="denied-jump",
    ),
    Alert(
        uid="inputs-drifted",
        title="Inputs of a model have drifted",
        severity="warning",
        board="models",
        above=0,
        seconds=DAY,
        lasting="0s",
        summary='{{ $labels.tenant }}: {{ printf "%.0f" $values.A.Value }} inputs of {{ $labels.model }} have drifted',
        description="The accounts that are scored now are not those that the model has learnt from.",
        runbook="drift",
    ),
    Alert(
        uid="scores-shifted",
        title="Scores have shifted",
        severity="warning",
        board="models",
        above=0.25,
        seconds=7 * DAY,
        lasting="1h",
        summary='{{ $labels.tenant }}: PSI of {{ $labels.model }} is {{ printf "%.2f" $values.A.Value }} over 7 days',
        description="From 0.25 on another population is being scored than in the model's first 14 days.",
        runbook="drift",
    ),
    Alert(
        uid="nothing-lands",
        title="Nothing lands in the warehouse",
        severity="critical",
        board="pipeline",
        above=600,
        seconds=6 * 3_600,
        lasting="5m",
        summary='No row has landed for {{ printf "%.0f" $values.A.Value }} seconds',
        description="Workers tell how they do every ten seconds, so this is no quiet hour: landing stands still.",
        runbook="landing-stalled",
        silent="Alerting",
    ),
    Alert(
        uid="complaints",
        title="Many complaints",
        severity="warning",
        board="contacts",
        above=3,
        seconds=28 * DAY,
        lasting="1h",
        summary='{{ $labels.tenant }}: {{ printf "%.1f" $values.A.Value }} complaints for 1,000 contacts in 28 days',
        description="A template, a channel or the number of contacts draws complaints.",
        runbook="complaints",
    ),
)


class _Dumper(yaml.SafeDumper):
    """Writes what has several lines as lines."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def provisioned() -> str:
    """The file that Grafana reads, in YAML."""
    group = {
        "orgId": 1,
        "name": "recoup-warehouse",
        "folder": "Recoup",
        "interval": "1m",
        "rules": [_rule(alert) for alert in ALERTS],
    }
    text = yaml.dump(
        {"apiVersion": 1, "groups": [group]}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000
    )
    return "# Made by `python -m dashboards build` from dashboards/alerts.py.\n" + text


def sql(alert: Alert) -> str:
    """The rule's query, macros and all."""
    return read("alerts/" + alert.uid.replace("-", "_"))


def window(alert: Alert, now: Window) -> Window:
    """The time that a rule looks at, when it is asked at the end of `now`."""
    return Window(now.end - timedelta(seconds=alert.seconds), now.end)


def _rule(alert: Alert) -> dict[str, Any]:
    asked = {
        "editorType": "sql",
        "format": 1,
        "pluginVersion": PLUGIN_VERSION,
        "queryType": "table",
        "rawSql": sql(alert),
        "refId": "A",
    }
    threshold = {
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": {"type": "gt", "params": [alert.above]}}],
        "refId": "C",
    }
    return {
        "uid": f"recoup-{alert.uid}",
        "title": alert.title,
        "condition": "C",
        "for": alert.lasting,
        "noDataState": alert.silent,
        "execErrState": "Error",
        "data": [
            _asked("A", CLICKHOUSE.uid, asked, alert.seconds),
            _asked("C", "__expr__", threshold, 0),
        ],
        "labels": {"severity": alert.severity, "service": "recoup"},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"{RUNBOOKS}#{alert.runbook}",
            "__dashboardUid__": f"recoup-{alert.board}",
        },
    }


def _asked(ref_id: str, datasource: str | None, model: dict[str, Any], seconds: int) -> dict[str, Any]:
    return {
        "refId": ref_id,
        "relativeTimeRange": {"from": seconds, "to": 0},
        "datasourceUid": datasource,
        "model": model,
    }
