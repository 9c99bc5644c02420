"""Every query of the dashboards and some of the landed tables, each timed as a client sees it."""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from dashboards import answers
from dashboards.macros import expand

DASHBOARDS = Path(answers.__file__).parent / "json"
ROWS = "JSONCompactEachRow"

LANDED = {
    "an account's events": "SELECT type, occurred_at, payload FROM {table}"
    " WHERE tenant_id = 'acme' AND account_id = '{account}' ORDER BY occurred_at",
    "a tenant's last day": "SELECT type, count() FROM {table}"
    " WHERE tenant_id = 'acme' AND occurred_at >= now() - INTERVAL 1 DAY GROUP BY type",
    "what landed in the last hour": "SELECT count() FROM {table} WHERE _block_at >= now() - INTERVAL 1 HOUR",
}
"""What the order key and the partitions of the landed tables are there for."""

Asked = Iterator[tuple[str, str]]


def of_dashboards(client: Client, now: datetime) -> Asked:
    """(dashboard / panel, SQL) of every panel and variable, everything selected, over the time that it opens with."""
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = json.loads(path.read_text("utf-8"))
        shown = answers.window(dashboard, now)
        values = answers.chosen(client, dashboard, shown, {})
        for variable in dashboard.get("templating", {}).get("list", []):
            yield f"{path.stem} / ${variable['name']}", expand(variable["query"]["rawSql"], shown, values)
        for panel in _panels(dashboard):
            window = answers.window_of(panel, shown)
            for target in panel.get("targets", []):
                if answers.is_of_clickhouse(target):
                    name = f"{path.stem} / {panel['title']}" + (
                        f" ({target['refId']})" if len(panel["targets"]) > 1 else ""
                    )
                    yield name, expand(target["rawSql"], window, values)


def of_landed(client: Client) -> Asked:
    """(question / table, SQL)."""
    for table in ("payment_events", "next_best_actions", "interaction_events"):
        ((account,),) = client.query(
            f"SELECT account_id FROM {table} WHERE tenant_id = 'acme' LIMIT 1 OFFSET 1000"  # noqa: S608 - our own names
        ).result_rows
        for question, sql in LANDED.items():
            yield f"{question} / {table}", sql.format(table=table, account=account)


def timed(client: Client, asked: Asked, runs: int, tell: Callable[[str, float], None]) -> dict[str, dict[str, float]]:
    """Name -> median and worst seconds of the runs in milliseconds, and rows of the answer."""
    found: dict[str, dict[str, float]] = {}
    for name, sql in asked:
        spent = []
        for _ in range(runs):
            began = time.perf_counter()
            answer = client.raw_query(sql, fmt=ROWS)
            spent.append((time.perf_counter() - began) * 1000)
        found[name] = {
            "p50_ms": round(statistics.median(spent), 1),
            "max_ms": round(max(spent), 1),
            "rows": answer.count(b"\n"),
        }
        tell(name, found[name]["p50_ms"])
    return found


def _panels(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for panel in dashboard.get("panels", []):
        yield panel
        yield from _panels(panel)
