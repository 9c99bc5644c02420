"""What tables.py declares, the registry's types have, and the migrations make."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from connectors.clickhouse.migrate import MIGRATIONS, Migration, files
from connectors.clickhouse.tables import (
    BLOCK,
    DAY,
    DEAD_LETTERS,
    ENVELOPE,
    FLAG,
    INSTANT,
    INTEGER,
    NUMBER,
    NUMBERS,
    OCCURRED_AT,
    OWN,
    TEXT,
    TEXTS,
    TYPE,
    Column,
    Table,
    landed_topics,
    tables,
)
from connectors.kafka.topics import wanted
from schemas.errors import BadInput
from schemas.registry import topics

FITS: dict[Any, tuple[type, ...]] = {
    TEXT: (inspect.StrType, inspect.LiteralType),
    INTEGER: (inspect.IntType,),
    NUMBER: (inspect.FloatType, inspect.IntType),
    FLAG: (inspect.BoolType,),
    INSTANT: (inspect.DateTimeType,),
    OCCURRED_AT: (inspect.DateTimeType,),
    DAY: (inspect.DateType,),
    TEXTS: (inspect.VarTupleType,),
    NUMBERS: (inspect.VarTupleType,),
}

DECLARED = [(table, column) for table in tables().values() if table.name != DEAD_LETTERS for column in table.columns]


def parts(kind: Any) -> list[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return parts(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [part for one in kind.types for part in parts(one)]
    return [kind]


@pytest.mark.parametrize(("table", "column"), DECLARED, ids=lambda value: value.name)
def test_a_column_is_a_field_of_the_topic_and_can_hold_what_the_field_holds(table: Table, column: Column) -> None:
    if column.kind is TYPE:
        return
    kinds = [
        part
        for topic in table.topics
        for spec in topics()[topic].types.values()
        for field in msgspec.structs.fields(spec.struct)
        if field.name == column.name
        for part in parts(inspect.type_info(field.type))
        if not isinstance(part, inspect.NoneType)
    ]
    assert kinds, f"no type of {table.topics} has a field {column.name}"
    for kind in kinds:
        assert isinstance(kind, FITS[column.kind]), f"{column.name} holds {kind}"


def test_every_topic_of_the_broker_lands_somewhere() -> None:
    assert set(landed_topics()) == {topic.name for topic in wanted()}


def test_every_field_of_the_envelope_is_a_column() -> None:
    assert {column.name for column in ENVELOPE} >= {
        "event_id", "type", "tenant_id", "account_id", "occurred_at", "source", "schema_version", "history"
    }  # fmt: skip


def test_nothing_is_filled_twice() -> None:
    for table in tables().values():
        names = [name for name, _ in table.filled] + list(BLOCK)
        assert len(names) == len(set(names))
        assert len(table.schema.names) == len(set(table.schema.names))
        assert {own.name for own in OWN} <= set(table.schema.names)


def test_every_table_has_a_migration_of_its_own() -> None:
    assert {migration.name for migration in files()} >= {*tables(), "owners"}


REPEATABLE = (
    "IF NOT EXISTS", "IF EXISTS", "OR REPLACE", "MODIFY SETTING", "MODIFY COMMENT", "COMMENT COLUMN",
)  # fmt: skip


@pytest.mark.parametrize("migration", files(), ids=lambda migration: migration.name)
def test_a_migration_can_be_repeated_after_it_was_cut_short(migration: Migration) -> None:
    assert migration.statements
    for statement in migration.statements:
        assert any(words in statement for words in REPEATABLE)
        assert "MODIFY QUERY" not in statement  # such a view forgets which blocks it has counted


@pytest.mark.parametrize("table", tables())
def test_small_parts_of_every_table_are_merged_ten_at_once(table: str) -> None:
    setting = "min_parts_to_merge_at_once = 10"
    statements = [statement for migration in files() for statement in migration.statements if setting in statement]
    assert any(f" {table} MODIFY SETTING " in one or f"EXISTS {table}\n" in one for one in statements)


@pytest.mark.parametrize("migration", [m for m in files() if m.name in tables()], ids=lambda migration: migration.name)
def test_a_table_keeps_what_landing_once_needs(migration: Migration) -> None:
    sql = " ".join(migration.sql.split())
    assert "PARTITION BY toYYYYMM(_block_at)" in sql  # constant in a block: one part, and one memory of its token
    assert "non_replicated_deduplication_window = 10000" in sql
    assert "PROJECTION mark" in sql
    assert "TTL" not in sql


def test_numbers_run_without_a_gap() -> None:
    assert [migration.number for migration in files()] == list(range(1, len(files()) + 1))


def test_statements_are_cut_at_the_semicolons_that_end_lines() -> None:
    migration = Migration(number=1, name="x", sql="-- a; b\nSELECT ';' ;\n\nSELECT 2;\n")
    assert migration.statements == ["-- a; b\nSELECT ';'", "SELECT 2"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["1_a.sql"], "not named like"),
        (["001_a.sql", "001_b.sql"], "has the number of"),
        (["001_A.sql"], "not named like"),
    ],
)
def test_a_folder_that_is_not_in_order_is_refused(tmp_path: Any, names: list[str], says: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(BadInput, match=says):
        files(tmp_path)


def test_the_oldest_day_and_the_newest_fit_the_columns() -> None:
    for year in (1990, 2199):
        when = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
        assert INSTANT.array([when]).to_pylist() == [round(when.timestamp() * 1000)]
        assert DAY.array([when.date()]).to_pylist() == [when.date()]


def test_migrations_are_where_the_package_is() -> None:
    assert MIGRATIONS.is_dir()
