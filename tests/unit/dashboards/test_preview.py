"""A preview shows numbers as Grafana does, and never takes data for markup."""

import json
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from dashboards.__main__ import main
from dashboards.answers import Frame, as_series, chosen, seconds, window, window_of
from dashboards.boards import BOARDS
from dashboards.files import as_json
from dashboards.macros import Window
from dashboards.preview.page import Answers, page
from dashboards.preview.values import colour, ink_on, written
from schemas.errors import BadInput

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = {"steps": [{"value": None, "color": "#00ff00"}, {"value": 0.3, "color": "#ff0000"}]}


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (1_234_567, "short", None, "1.23 Mil"),
        (-12_340, "short", None, "-12.3 K"),
        (999, "short", None, "999"),
        (0.1234, "percentunit", 0, "12%"),
        (1_234_567.891, "locale", 2, "1,234,567.89"),
        (356, "s", None, "5.93 mins"),
        (0, "s", None, "0 s"),
        (2_500, "ms", None, "2.50 s"),
        (1_536, "bytes", 1, "1.5 KiB"),
        (62.51, "suffix: days", 1, "62.5 days"),
        (-0.0001, "none", 2, "0.00"),
        (None, "short", None, "-"),
        ("acme", "short", None, "acme"),
        (date(2026, 3, 1), "dateTimeAsIso", None, "2026-03-01"),
    ],
)
def test_a_number_is_written_in_its_unit(value: Any, unit: str, decimals: int | None, text: str):
    assert written(value, unit, decimals) == text


@pytest.mark.parametrize(("value", "shown"), [(-1, "#00ff00"), (0.29, "#00ff00"), (0.3, "#ff0000"), (None, "#00ff00")])
def test_a_value_has_the_colour_of_the_step_that_it_has_reached(value: float | None, shown: str):
    assert colour(value, STEPS) == shown


def test_text_can_be_read_on_its_colour():
    assert (ink_on("#234A78"), ink_on("#EEF2F7")) == ("#ffffff", "#22272e")


def test_columns_of_text_become_labels_and_columns_of_numbers_series():
    later = NOW + timedelta(days=1)
    rows = [(NOW, "sms", 1, None), (NOW, "email", 2, 0.5), (later, "sms", 3, 0.25)]
    found = as_series(Frame(("time", "channel", "Sent", "Share"), rows))
    assert [(one.name, dict(one.labels), list(one.points)) for one in found] == [
        ("Sent", {"channel": "sms"}, [(NOW, 1.0), (later, 3.0)]),
        ("Share", {"channel": "sms"}, [(NOW, None), (later, 0.25)]),
        ("Sent", {"channel": "email"}, [(NOW, 2.0)]),
        ("Share", {"channel": "email"}, [(NOW, 0.5)]),
    ]


def test_no_rows_are_no_series():
    assert as_series(Frame((), [])) == []


def test_the_interval_fits_the_time_and_is_never_less_than_the_panels_own():
    shown = window({"time": {"from": "now-6h", "to": "now"}}, NOW)
    assert (shown.start, shown.end) == (NOW - timedelta(hours=6), NOW)
    assert window_of({}, shown).interval_seconds == 120
    assert window_of({"interval": "1h"}, shown).interval_seconds == 3_600
    assert window({"time": {"from": "now-6h", "to": "now"}}, NOW, "now-2d", "now-1d").end == NOW - timedelta(days=1)


@pytest.mark.parametrize("wrong", ["", "90", "d", "9x"])
def test_a_duration_that_is_none_is_refused(wrong: str):
    with pytest.raises(BadInput, match="no duration"):
        seconds(wrong)


class Hostile:
    """Answers every query with names that would be markup."""

    NAME = "<script>alert(1)</script>"

    def query(self, query: str) -> Any:
        if "DISTINCT tenant_id" in query:
            return SimpleNamespace(column_names=["tenant_id"], result_rows=[(self.NAME,)])
        if " AS time" in query:
            rows = [(NOW - timedelta(days=day), self.NAME, 1.5) for day in (2, 1, 0)]
            return SimpleNamespace(column_names=["time", self.NAME, "Value"], result_rows=rows)
        return SimpleNamespace(column_names=["Channel", self.NAME], result_rows=[(self.NAME, 2)])


def board(uid: str) -> Any:
    return json.loads(next(as_json(one) for one in BOARDS if one.uid == uid))


def test_names_out_of_the_data_are_never_markup():
    dashboard, client = board("compliance"), Hostile()
    for panel in dashboard["panels"]:
        if panel["type"] == "barchart":
            panel["options"]["xField"] = "Channel"
    shown = Window(NOW - timedelta(days=30), NOW)
    drawn = page(dashboard, Answers(client, "", shown, chosen(client, dashboard, shown, {"tenant": (client.NAME,)})))
    assert "&lt;script&gt;" in drawn
    assert "<script" not in drawn


def test_a_tenant_that_there_is_not_is_refused_with_those_that_there_are():
    dashboard = board("compliance")
    with pytest.raises(BadInput, match=r"nobody cannot be chosen\. There is: <script>"):
        chosen(Hostile(), dashboard, window(dashboard, NOW), {"tenant": ("nobody",)})


def test_a_dashboard_that_there_is_not_is_refused_with_those_that_there_are(tmp_path):
    told = CliRunner().invoke(main, ["preview", "nothing", "--to", str(tmp_path / "x.html")])
    assert isinstance(told.exception, BadInput)
    assert "collections, contacts" in str(told.exception)
