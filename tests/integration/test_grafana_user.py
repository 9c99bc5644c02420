"""Grafana's user of docker-compose.yml reads the warehouse and writes nothing, as the real engine enforces it.

The embedded engine has one user, `default`: the file's user is given that name, and no password. Nothing else is changed.
"""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.configured_engine import ask_the_engine

USERS = Path(__file__).parents[2] / "deploy/clickhouse/grafana.xml"
TABLES = [
    "CREATE DATABASE IF NOT EXISTS recoup",
    "CREATE TABLE recoup.postings (tenant_id String, n UInt8) ENGINE = MergeTree ORDER BY n",
    "INSERT INTO recoup.postings VALUES ('acme', 1), ('globex', 2)",
    "CREATE VIEW recoup.sums AS SELECT tenant_id, sum(n) AS n FROM recoup.postings GROUP BY tenant_id",
    "CREATE DATABASE other",
    "CREATE TABLE other.secrets (n UInt8) ENGINE = MergeTree ORDER BY n",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a table, a view and two tenants' rows."""
    folder = tmp_path_factory.mktemp("warehouse")
    assert ask_the_engine(folder, TABLES, data=folder / "data") == [""] * len(TABLES)
    return folder / "data"


def as_grafana(folder: Path, data: Path, questions: list[str]) -> list[str]:
    """The answers, or the errors, of the engine to Grafana's user."""
    file = ET.parse(USERS).getroot()  # noqa: S314 - our own
    (user,) = file.iterfind("users/grafana")
    user.tag = "default"
    (password,) = user.iterfind("password")
    assert password.attrib == {"from_env": "GRAFANA_CLICKHOUSE_PASSWORD"}
    password.attrib.clear()
    # What a server's own users.xml has, which this file is added to.
    profiles = file.find("profiles")
    assert profiles is not None
    ET.SubElement(profiles, "default")
    ET.SubElement(ET.SubElement(file, "quotas"), "default")
    ET.ElementTree(file).write(folder / "users.xml")
    return ask_the_engine(folder, questions, data=data)


def test_it_reads_views_and_what_infrastructure_asks_and_may_lower_its_limits(tmp_path: Path, data: Path) -> None:
    answers = as_grafana(
        tmp_path,
        data,
        [
            "SELECT * FROM recoup.sums ORDER BY tenant_id",
            "SELECT count() FROM recoup.postings SETTINGS max_execution_time = 30",
            "SELECT sum(rows) FROM system.parts WHERE database = 'recoup' AND active",
            "SELECT count() > 0 FROM system.disks",
        ],
    )
    assert answers == ["acme\t1\nglobex\t2", "2", "2", "1"]


def test_it_writes_nothing_and_reads_nothing_else(tmp_path: Path, data: Path) -> None:
    refused = [
        "INSERT INTO recoup.postings VALUES ('acme', 3)",
        "ALTER TABLE recoup.postings DELETE WHERE 1",
        "TRUNCATE TABLE recoup.postings",
        "DROP TABLE recoup.postings",
        "CREATE TABLE recoup.mine (n UInt8) ENGINE = Memory",
        "SELECT * FROM other.secrets",
        "SELECT name FROM system.users",
        "SELECT * FROM file('/etc/hostname', LineAsString)",
        "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SET readonly = 0",
        "SET allow_ddl = 1",
    ]
    *answers, left = as_grafana(tmp_path, data, [*refused, "SELECT count() FROM recoup.postings"])
    for sql, answer in zip(refused, answers, strict=True):
        assert re.search(r"ACCESS_DENIED|READONLY|SETTING_CONSTRAINT_VIOLATION|QUERY_IS_PROHIBITED", answer), (
            sql,
            answer,
        )
    assert left == "2"
