"""Macros mean what the plugin's documentation says, example by example."""

from datetime import UTC, datetime

import pytest

from dashboards.macros import ALL, Window, expand
from schemas.errors import BadInput

WINDOW = Window(
    datetime(2014, 11, 12, 11, 45, 26, 371_000, tzinfo=UTC), datetime(2015, 11, 12, 11, 45, 26, 456_000, tzinfo=UTC), 20
)


@pytest.mark.parametrize(
    ("macro", "sql"),
    [
        ("$__timeFilter(time)", "time >= toDateTime(1415792726) AND time <= toDateTime(1447328726)"),
        ("$__dateFilter(date)", "date >= toDate('2014-11-12') AND date <= toDate('2015-11-12')"),
        ("$__fromTime", "toDateTime(1415792726)"),
        ("$__toTime", "toDateTime(1447328726)"),
        ("$__interval_s", "20"),
        ("$__timeInterval(column)", "toStartOfInterval(toDateTime(column), INTERVAL 20 second)"),
        ("$__timeInterval(if(a = ')', b, c))", "toStartOfInterval(toDateTime(if(a = ')', b, c)), INTERVAL 20 second)"),
    ],
)
def test_a_macro_of_time(macro: str, sql: str):
    assert expand(f"SELECT {macro}", WINDOW, {}) == f"SELECT {sql}"


@pytest.mark.parametrize("reference", ["$tenant", "${tenant}"])
@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ((ALL,), "1=1"),
        (ALL, "1=1"),
        ("", "1=1"),
        (("acme",), "tenant_id IN ('acme')"),
        (("acme", "o'brien"), "tenant_id IN ('acme','o\\'brien')"),
    ],
)
def test_a_condition_falls_away_when_everything_is_chosen(reference: str, value: str | tuple[str, ...], meaning: str):
    sql = f"WHERE $__conditionalAll(tenant_id IN (${{tenant:singlequote}}), {reference}) AND 2 > 1"
    assert expand(sql, WINDOW, {"tenant": value}) == f"WHERE {meaning} AND 2 > 1"


def test_one_condition_may_stand_in_another_or_be_repeated():
    sql = "$__conditionalAll(a IN (${a:singlequote}) OR $__conditionalAll(b IN (${b:singlequote}), $b), $a)"
    assert expand(sql, WINDOW, {"a": ("x",), "b": ALL}) == "a IN ('x') OR 1=1"


def test_a_variable_is_written_as_it_is():
    assert expand("x / ${unit} + $unit", WINDOW, {"unit": "1000"}) == "x / 1000 + 1000"


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("$__timeFiltre(x)", "timeFiltre"),
        ("$__timeFilter()", "0 arguments"),
        ("$__timeFilter(x, y)", "2 arguments"),
        ("$__timeFilter(x", "not closed"),
        ("$nobody", "called nobody"),
        ("$several", "2 values"),
        ("${several:csv}", "csv"),
        ("$__conditionalAll(x)", "not 1"),
        # The plugin would take it for a value that is never everything.
        ("$__conditionalAll(x, ${several:singlequote})", "no plain variable"),
    ],
)
def test_what_the_plugin_would_pass_on_is_an_error(sql: str, fault: str):
    with pytest.raises(BadInput, match=fault):
        expand(sql, WINDOW, {"several": ("a", "b")})
