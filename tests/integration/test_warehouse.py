"""The analysts' client on a real ClickHouse: frames, places, comments, and what a failure says."""

import datetime as dt
import secrets
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from connectors.clickhouse.client import connect
from recoup.settings import Settings
from recoup.warehouse import Warehouse
from schemas.errors import BadInput, NotReady


@pytest.fixture(scope="module")
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    """A database of the test's own: a table with two rows, a view on it, the state behind one, and what is being made."""
    own = settings.clickhouse.model_copy(update={"database": f"w{secrets.token_hex(4)}"})
    client = connect(own, database="default")
    client.command(f"CREATE DATABASE {own.database}")
    for sql in (
        (
            "CREATE TABLE $.money (tenant_id String, currency String, day Date32, at DateTime64(3, 'UTC'), open_minor Int64,"
            " rate Nullable(Float64)) ENGINE = MergeTree ORDER BY day COMMENT 'What landed.'"
        ),
        (
            "INSERT INTO $.money VALUES ('acme', 'EUR', '2026-01-01', '2026-01-01 10:00:00', 1234, NULL),"
            " ('zen', 'JPY', '2026-01-02', '2026-01-02 10:00:00', 500, 0.5)"
        ),
        (
            "CREATE VIEW $.money_daily (day Date32 COMMENT 'UTC.', open_minor Int64 COMMENT 'Open; minor units.') AS"
            " SELECT day, open_minor FROM $.money COMMENT 'What is open.'"
        ),
        "CREATE TABLE $.money_states (day Date32) ENGINE = MergeTree ORDER BY day",
        "CREATE TABLE $.money__rebuilt (day Date32) ENGINE = MergeTree ORDER BY day",
        "CREATE TABLE $.`.tmp.money` (day Date32) ENGINE = MergeTree ORDER BY day",
    ):
        client.command(sql.replace("$", own.database))
    with Warehouse(settings.model_copy(update={"clickhouse": own})) as warehouse:
        yield warehouse
    client.command(f"DROP DATABASE {own.database}")
    client.close()


def test_an_answer_is_a_frame_of_numbers_days_and_instants(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT * FROM money WHERE tenant_id = {tenant:String}", tenant="acme")
    (row,) = found.to_dict("records")
    assert row["day"] == pd.Timestamp(2026, 1, 1)
    assert row["at"] == pd.Timestamp(2026, 1, 1, 10)
    assert row["open_minor"] == 1234
    assert found["rate"].dtype == np.float64
    assert np.isnan(row["rate"])


def test_a_value_never_becomes_sql(warehouse: Warehouse) -> None:
    assert warehouse.query("SELECT * FROM money WHERE tenant_id = {tenant:String}", tenant="' OR 1 = 1 --").empty
    found = warehouse.query("SELECT {name:String} AS name, {day:Date} AS day", name="o'x \\ `", day=dt.date(2026, 1, 1))
    assert found["name"][0] == "o'x \\ `"
    assert found["day"][0] == pd.Timestamp(2026, 1, 1)


def test_a_day_of_a_frame_can_be_asked_for_again(warehouse: Warehouse) -> None:
    day = warehouse.query("SELECT min(day) AS day FROM money")["day"][0]
    assert len(warehouse.query("SELECT 1 FROM money WHERE day = {day:Date}", day=day)) == 1


def test_an_answer_without_rows_still_has_its_columns(warehouse: Warehouse) -> None:
    assert list(warehouse.query("SELECT day, open_minor FROM money WHERE 0").columns) == ["day", "open_minor"]


def test_amounts_are_in_the_units_of_their_currency(warehouse: Warehouse) -> None:
    found = warehouse.amounts(warehouse.query("SELECT currency, open_minor FROM money ORDER BY currency"))
    assert found.to_dict("list") == {"currency": ["EUR", "JPY"], "open": [12.34, 500.0]}
    assert list(warehouse.amounts(pd.DataFrame({"paid_minor": [1234]}), "KWD")["paid"]) == [1.234]
    with pytest.raises(BadInput, match="needs its currency"):
        warehouse.amounts(pd.DataFrame({"paid_minor": [1]}))
    with pytest.raises(BadInput, match="'EURO' is no currency"):
        warehouse.amounts(pd.DataFrame({"paid_minor": [1]}), "EURO")


def test_views_come_first_and_the_states_behind_them_are_not_shown(warehouse: Warehouse) -> None:
    assert warehouse.tables().to_dict("records") == [
        {"name": "money_daily", "kind": "view", "says": "What is open."},
        {"name": "money", "kind": "table", "says": "What landed."},
    ]


def test_describe_tells_what_each_column_says(warehouse: Warehouse) -> None:
    assert list(warehouse.describe("money_daily")["says"]) == ["UTC.", "Open; minor units."]
    with pytest.raises(BadInput, match=r"no view or table 'money_dayly'\. There are: money_daily"):
        warehouse.describe("money_dayly")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT open FROM money", "Unknown expression identifier `open`"),
        ("SELECT 1 FROM monney", "monney"),
        ("SELECT {tenant:String}", "no value for it: pass tenant="),
        ("DROP TABLE money", "only read from here"),
        ("INSERT INTO money SELECT * FROM money", "only read from here"),
    ],
)
def test_a_wrong_statement_says_what_is_wrong(warehouse: Warehouse, sql: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        warehouse.query(sql)


def test_a_value_without_its_place_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(BadInput, match=r"no place for tenant: write \{tenant:String\}"):
        warehouse.query("SELECT 1", tenant="acme")


def test_what_stands_in_rows_is_not_told_by_a_failure(warehouse: Warehouse) -> None:
    with pytest.raises(BadInput, match="refuses the statement: error ") as raised:
        warehouse.query("SELECT toDate(concat(tenant_id, 'secret')) FROM money")
    assert "secret" not in str(raised.value)


def test_without_a_stack_it_says_how_to_start_one(tmp_path) -> None:
    with pytest.raises(NotReady, match="recoup demo --keep"):
        Warehouse(Settings(home=tmp_path))
