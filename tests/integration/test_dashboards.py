"""Every query of every dashboard and alert rule runs on the engine over a demo's data: valid, with an answer, in time."""

import json
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.client import connect
from dashboards import alerts, answers
from dashboards.answers import Frame
from dashboards.boards import BOARDS
from dashboards.files import as_json
from dashboards.macros import ALL, Window, expand
from dashboards.preview.page import Answers, page
from recoup.settings import Settings

SECONDS = 1.0
"""On processors that have nothing else to do; where others wait for them too, in proportion."""
TRIES = 6
"""The best of so many counts."""

DASHBOARDS = {board.uid: json.loads(as_json(board)) for board in BOARDS}
"""As the files have them: another test compares."""
TENANTS = ["acme", "nordlicht"]
CASES = [
    (uid, whose)
    for uid, dashboard in DASHBOARDS.items()
    for whose in ("all", *TENANTS)
    if whose == "all" or dashboard["templating"]["list"][:1]  # the first variable is the tenant, if there is one
]


class Remembered:
    """A client that asks the same only once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.answers: dict[str, Any] = {}

    def query(self, query: str) -> Any:
        if query not in self.answers:
            self.answers[query] = self.client.query(query)
        return self.answers[query]


@pytest.fixture(scope="module")
def client(demo_home: Settings) -> Iterator[Client]:
    found = connect(demo_home.clickhouse)
    for _ in range(2):  # some rest on others
        for (view,) in found.query(
            "SELECT view FROM system.view_refreshes WHERE database = currentDatabase()"
        ).result_rows:
            found.command(f"SYSTEM REFRESH VIEW {view}")
            found.command(f"SYSTEM WAIT VIEW {view}")
    yield found
    found.close()


@pytest.fixture(scope="module")
def remembered(client: Client) -> Remembered:
    return Remembered(client)


@pytest.fixture(scope="module")
def now(client: Client) -> datetime:
    """When the demo told something last: tests may come later."""
    ((at,),) = client.query("SELECT max(minute) + INTERVAL 1 MINUTE FROM pipeline_minutes").result_rows
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at  # type: ignore[no-any-return]


def limit() -> float:
    return SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def asked(remembered: Remembered, sql: str) -> tuple[Frame, float]:
    """The answer, and the best of a few times."""
    took: list[float] = []
    for _ in range(TRIES):
        remembered.answers.pop(sql, None)
        began = time.perf_counter()
        found = answers.frame(remembered, sql)
        took.append(time.perf_counter() - began)
        if took[-1] < SECONDS:
            break
    return found, min(took)


def has_something(found: Frame) -> bool:
    """Whether there is a number in it: a row of nulls is no answer."""
    return any(isinstance(value, int | float) for row in found.rows for value in row)


@pytest.mark.parametrize(("uid", "whose"), CASES)
def test_every_panel_has_an_answer_in_time(remembered, now, uid, whose):
    dashboard = DASHBOARDS[uid]
    shown = answers.window(dashboard, now)
    chosen = answers.chosen(remembered, dashboard, shown, {} if whose == "all" else {"tenant": (whose,)})
    faults = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            if not answers.is_of_clickhouse(target):
                continue
            found, took = asked(remembered, expand(target["rawSql"], answers.window_of(panel, shown), chosen))
            if not has_something(found):
                faults.append(f"{panel['title']}: no answer")
            if took >= limit():
                faults.append(f"{panel['title']}: {took:.2f} s")
            if panel["type"] in ("timeseries", "stat") and target["format"] == answers.SERIES:
                faults += _of_series(panel, found)
    assert faults == []


def _of_series(panel: dict[str, Any], found: Frame) -> list[str]:
    """What keeps Grafana from making series of an answer: a time column, in order, one point a label and instant."""
    times = [row[found.names.index("time")] for row in found.rows]
    faults = [] if times == sorted(times) else [f"{panel['title']}: not in the order of time"]
    for one in answers.as_series(found):
        instants = [at for at, _ in one.points]
        if len(set(instants)) != len(instants):
            faults.append(f"{panel['title']}: two points of {one.name} {dict(one.labels)} at one instant")
    return faults


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_variable_offers_something_in_time(remembered, now, uid):
    dashboard = DASHBOARDS[uid]
    shown = answers.window(dashboard, now)
    before: answers.Variables = {}
    for variable in dashboard["templating"]["list"]:
        found, took = asked(remembered, expand(variable["query"]["rawSql"], shown, before))
        offered = [str(row[0]) for row in found.rows]
        assert offered, variable["name"]
        assert took < limit(), variable["name"]
        before[variable["name"]] = (ALL,) if variable["multi"] else offered[0]
    if "tenant" in before:
        assert answers.options(remembered, dashboard["templating"]["list"][0], shown, {}) == TENANTS


def test_every_column_and_series_that_a_panel_dresses_is_in_its_answer(remembered, now):
    missing = []
    for dashboard in DASHBOARDS.values():
        shown = answers.window(dashboard, now)
        chosen = answers.chosen(remembered, dashboard, shown, {})
        for panel in dashboard["panels"]:
            wanted = {override["matcher"]["options"] for override in panel.get("fieldConfig", {}).get("overrides", [])}
            for target in panel.get("targets", []):
                label = panel["fieldConfig"]["defaults"].get("displayName")
                if answers.is_of_clickhouse(target) and not label:
                    sql = expand(target["rawSql"], answers.window_of(panel, shown), chosen)
                    wanted -= set(answers.frame(remembered, sql).names)
                else:
                    wanted = set()  # named by values, such as a channel that nobody was contacted on
            missing += [f"{panel['title']}: {name}" for name in wanted]
    # One palette for all quantiles, wherever some of them are shown.
    assert {name.split(": ")[-1] for name in missing} <= {"p10", "p50", "p90", "p99"}


@pytest.mark.parametrize("alert", alerts.ALERTS, ids=lambda alert: alert.uid)
def test_every_alert_rule_asks_what_the_engine_can_answer(client, remembered, now, alert):
    sql = expand(alerts.sql(alert), alerts.window(alert, Window(now, now)), {})
    _, took = asked(remembered, sql)
    assert took < limit()
    kinds = dict(row[:2] for row in client.query(f"DESCRIBE TABLE ({sql})").result_rows)
    assert re.search(r"Int|Float", kinds.pop("value"))
    assert all("String" in kind for kind in kinds.values()), "all other columns name the alert"


def test_something_has_landed_in_the_last_minutes_of_a_demo(client, now):
    (alert,) = [alert for alert in alerts.ALERTS if alert.uid == "nothing-lands"]
    asked_at = alerts.window(alert, Window(now, now))
    ((value,),) = answers.frame(client, expand(alerts.sql(alert), asked_at, {})).rows
    assert 0 <= value <= alert.above
    late = Window(now, now.replace(year=now.year + 1))
    ((value,),) = answers.frame(client, expand(alerts.sql(alert), alerts.window(alert, late), {})).rows
    assert value > alert.above


def last_figure(client: Client, now: datetime, name: str, tenant: str) -> tuple[Any, dict[str, Any]]:
    """The last row of a figure of the collections overview, and what was chosen."""
    dashboard = DASHBOARDS["collections"]
    shown = answers.window(dashboard, now)
    chosen = answers.chosen(client, dashboard, shown, {"tenant": (tenant,)})
    (panel,) = [panel for panel in dashboard["panels"] if panel["title"] == name]
    found = answers.frame(client, expand(panel["targets"][0]["rawSql"], answers.window_of(panel, shown), chosen))
    return found.rows[-1][1], {"tenant": tenant, "currency": chosen["currency"], "day": found.rows[-1][0].date()}


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(
    ("title", "column"), [("How many days open (DSO)?", "dso_days"), ("How well do we collect (CEI)?", "cei_30d")]
)
def test_of_one_tenant_a_ratio_is_that_of_the_view(client, now, tenant, title, column):
    shown, about = last_figure(client, now, title, tenant)
    ((told,),) = client.query(
        f"SELECT {column} FROM receivables_daily"  # noqa: S608 - a column of the list above
        " WHERE tenant_id = {tenant:String} AND currency = {currency:String} AND day = {day:Date}",
        parameters=about,
    ).result_rows
    assert shown == pytest.approx(told)


@pytest.mark.parametrize("tenant", TENANTS)
def test_amounts_are_in_units_of_the_currency(client, now, tenant):
    shown, about = last_figure(client, now, "How much $currency is overdue?", tenant)
    ((minor,),) = client.query(
        "SELECT overdue_minor FROM receivables_daily"
        " WHERE tenant_id = {tenant:String} AND currency = {currency:String} AND day = {day:Date}",
        parameters=about,
    ).result_rows
    assert shown == pytest.approx(minor / 100)


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_a_preview_draws_every_panel(remembered, now, uid):
    dashboard = DASHBOARDS[uid]
    shown = answers.window(dashboard, now)
    chosen = answers.chosen(remembered, dashboard, shown, {})
    drawn = page(dashboard, Answers(remembered, "", shown, chosen))
    assert drawn.count("<section") == sum(panel["type"] != "row" for panel in dashboard["panels"])
    assert "No data" not in drawn
    assert not re.search(r"""(src|href)=["'](?!#)|url\((?!#)|@import""", drawn), "something would be fetched"
