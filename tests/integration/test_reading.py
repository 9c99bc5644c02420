"""`recoup query`, `recoup export`, the data dictionary and the guide to the warehouse, on the real engine."""

import csv
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from connectors.clickhouse.catalogue import catalogue
from connectors.clickhouse.client import connect
from connectors.clickhouse.reading import Reading
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.tables import tables
from recoup.cli.export import export
from recoup.cli.main import recoup
from recoup.cli.query import query
from recoup.dictionary import dictionary, silent
from recoup.stack.scratch import scratch_warehouse
from schemas.errors import BadInput, NotReady
from schemas.registry import topics
from tests.landed_examples import land_examples

DOCS = Path(__file__).parents[2] / "docs"
DICTIONARY, GUIDE = DOCS / "data-dictionary.md", DOCS / "warehouse.md"


@pytest.fixture(scope="module")
def warehouse() -> Iterator[ClickHouseSettings]:
    with scratch_warehouse() as settings:
        land_examples(settings, "acme", "globex")
        yield settings


@pytest.fixture(autouse=True)
def environment(warehouse: ClickHouseSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_CLICKHOUSE__URL", warehouse.url)


def run(command: click.Command, *options: str, standard_input: str | None = None) -> Result:
    return CliRunner().invoke(command, options, input=standard_input, catch_exceptions=False)


def refusal(command: click.Command, *options: str) -> str:
    result = CliRunner().invoke(command, options)
    assert isinstance(result.exception, BadInput), result.output
    return str(result.exception)


# recoup query


def test_a_table_has_numbers_at_the_right_and_says_what_is_missing() -> None:
    result = run(
        query, "SELECT number AS n, repeat('x', number * 30) AS text, NULL AS nothing FROM numbers(5)", "--limit", "4"
    )
    lines = result.stdout.splitlines()
    assert lines[1].split() == ["n", "text", "nothing"]
    assert [line.split()[0] for line in lines[3:7]] == ["0", "1", "2", "3"]
    assert lines[6].split()[1].endswith("…")
    assert "NULL" in lines[3]
    assert "Cut after 4 rows: --limit 0 shows all" in result.stderr


def test_as_many_rows_as_the_limit_are_not_said_to_be_cut() -> None:
    assert "Cut" not in run(query, "SELECT number FROM numbers(4)", "--limit", "4").stderr


@pytest.mark.parametrize("limit", ["0", "100000"])
def test_json_is_an_object_a_line_with_numbers_as_numbers(limit: str) -> None:
    sql = "SELECT number AS n, toInt64(9007199254740993) AS big, [1, 2] AS list, true AS yes, NULL AS no FROM numbers(20000)"
    lines = run(query, sql, "--format", "json", "--limit", limit).stdout.splitlines()
    assert len(lines) == 20_000
    assert json.loads(lines[-1]) == {"n": 19_999, "big": 9_007_199_254_740_993, "list": [1, 2], "yes": True, "no": None}


def test_csv_quotes_what_needs_it_and_disarms_formulas() -> None:
    sql = "SELECT '=1+1' AS a, 'x,\"y\"\\nz' AS b, -5 AS c, '+49301234' AS d, [1] AS e, '' AS f"
    header, row = csv.reader(run(query, sql, "--format", "csv").stdout.splitlines(keepends=True))
    assert header == ["a", "b", "c", "d", "e", "f"]
    assert row == ["'=1+1", 'x,"y"\nz', "-5", "+49301234", "[1]", ""]


def test_bytes_that_are_no_text_are_shown_all_the_same() -> None:
    """The payload of a message that was refused can be anything."""
    sql = "SELECT unhex('ff61fe') AS payload"
    assert json.loads(run(query, sql, "--format", "json").stdout) == {"payload": "\ufffda\ufffd"}
    assert "a" in run(query, sql).stdout


def test_a_statement_comes_from_a_file_or_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "ask.sql").write_text("-- how many\nSELECT {n:UInt8} + 1 AS n;\n")
    assert "8" in run(query, "--file", str(tmp_path / "ask.sql"), "--param", "n=7").stdout
    assert "8" in run(query, "--file", "-", standard_input="SELECT 8").stdout


def test_a_value_never_becomes_sql() -> None:
    hostile = "x' OR 1=1; DROP TABLE tenants --"
    result = run(query, "SELECT {v:String} AS v", "--param", f"v={hostile}", "--format", "json")
    assert json.loads(result.stdout) == {"v": hostile}


def test_what_would_steer_a_terminal_is_written_out() -> None:
    shown = run(query, "SELECT '\\x1b[31mred\\x07 [bold]x[/bold]' AS name").stdout
    assert "\\x1b[31mred\\x07 [bold]x[/bold]" in shown


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO tenants (name) VALUES ('x')",
        "DROP TABLE tenants",
        "ALTER TABLE tenants DELETE WHERE 1",
        "CREATE TABLE mine (n UInt8) ENGINE = Memory",
        "TRUNCATE TABLE tenants",
        "SET readonly = 0",
    ],
)
def test_nothing_is_written(sql: str) -> None:
    assert "Only reading is possible here" in refusal(query, sql)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["SELECT * FROM colections_daily"], "collections_daily"),
        (["SELECT * FROM payment_event"], "payment_events"),
        (["SELECT opn_minor FROM account_balances"], "open_minor"),
        (["SELEC 1"], "Syntax error: failed at position 1"),
        (["SELECT 1 +"], "Syntax error"),
        (["SELECT 1; SELECT 2"], "Multi-statements are not allowed"),
        (["SELECT 1 FORMAT CSV"], "Leave FORMAT out"),
        (["SELECT sleep(3)", "--timeout", "1"], "longer than 1 s"),
        (["SELECT {a:String}"], "no value for it: --param a=VALUE"),
        (["SELECT 1", "--param", "a=1"], "no place for a"),
        (["SELECT 1", "--param", "a"], "write NAME=VALUE"),
        (["SELECT {n:UInt8}", "--param", "n=many"], "n"),
        (["SELECT throwIf(number = 400000) FROM numbers(500000)", "--limit", "0"], "statement: error 395"),
        (["SELECT toDate(concat(toString(number), 'secret')) FROM numbers(9)"], "statement: error "),
        ([" ; "], "There is no statement"),
        ([], "Give one statement"),
    ],
    ids=lambda value: value[0] if value and isinstance(value, list) else None,
)
def test_a_wrong_statement_is_told_with_what_to_do(options: list[str], says: str) -> None:
    told = refusal(query, *options)
    assert says in told
    assert "DB::Exception" not in told
    assert "version" not in told
    assert "secret" not in told  # of what stands in rows nothing is said


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_CLICKHOUSE__URL", "http://127.0.0.1:1")
    result = CliRunner().invoke(query, ["SELECT 1"])
    assert isinstance(result.exception, NotReady)
    assert "recoup status" in str(result.exception)


# recoup export


def test_parquet_has_the_types_of_the_table(tmp_path: Path) -> None:
    file = tmp_path / "payments.parquet"
    told = json.loads(run(export, "payment_events", "--to", str(file), "--tenant", "acme", "--json").stdout)
    read = pq.read_table(file)
    assert told == {"file": str(file), "rows": read.num_rows, "bytes": file.stat().st_size}
    assert read.num_rows > 5
    kinds = {field.name: field.type for field in read.schema}
    assert kinds["tenant_id"] == pa.string()
    assert kinds["amount_minor"] == pa.int64()
    assert kinds["occurred_at"] == pa.timestamp("ms", "UTC")
    assert kinds["due_on"] == pa.date32()
    assert kinds["invoice_ids"].value_type == pa.string()
    assert kinds["history"] == pa.bool_()
    assert set(read["tenant_id"].to_pylist()) == {"acme"}


def test_instants_of_seconds_are_instants_in_parquet_too(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    run(
        export,
        "--sql",
        "SELECT toDateTime('2026-01-01 00:00:00', 'UTC') AS at, toUUID('"
        + "0" * 8
        + "-0000-0000-0000-"
        + "0" * 12
        + "') AS id",
        "--to",
        str(file),
    )
    assert pa.types.is_timestamp(pq.read_schema(file).field("at").type)


def test_days_are_bounds_with_both_ends(warehouse: ClickHouseSettings, tmp_path: Path) -> None:
    with connect(warehouse) as client:
        (days,) = client.query("SELECT groupUniqArray(toString(toDate(occurred_at))) FROM payment_events").result_rows[
            0
        ]
    day = sorted(days)[len(days) // 2]
    file = tmp_path / "day.csv"
    run(export, "payment_events", "--from", day, "--to-day", day, "--to", str(file))
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert rows
    assert {row["occurred_at"][:10] for row in rows} == {day}


def test_text_that_a_spreadsheet_would_run_is_disarmed_unless_asked_for(tmp_path: Path) -> None:
    sql, file = "SELECT '=HYPERLINK(\"http://x\")' AS t, '@x' AS u, -1.5 AS n", tmp_path / "t.csv"
    run(export, "--sql", sql, "--to", str(file))
    assert list(csv.reader(file.open(newline="")))[1] == ['\'=HYPERLINK("http://x")', "'@x", "-1.5"]
    run(export, "--sql", sql, "--to", str(file), "--force", "--formulas")
    assert list(csv.reader(file.open(newline="")))[1] == ['=HYPERLINK("http://x")', "@x", "-1.5"]


def test_a_large_answer_is_written_in_pieces_and_counted(tmp_path: Path) -> None:
    for name in ("many.csv", "many.parquet"):
        result = run(
            export, "--sql", "SELECT number, toString(number) AS t FROM numbers(300000)", "--to", str(tmp_path / name)
        )
        assert "300,000 rows" in result.stdout
    assert pq.ParquetFile(tmp_path / "many.parquet").num_row_groups >= 3
    with (tmp_path / "many.csv").open() as lines:
        assert sum(1 for _ in lines) == 300_001


@pytest.mark.parametrize("name", ["broken.csv", "broken.parquet"])
def test_what_fails_half_way_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    sql = "SELECT number, repeat(toString(number), 9), throwIf(number = 400000) FROM numbers(500000)"
    told = refusal(export, "--sql", sql, "--to", str(tmp_path / name))
    assert "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO" in told
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("mine")
    assert "--force" in refusal(export, "tenants", "--to", str(file))
    assert file.read_text() == "mine"
    refusal(export, "--sql", "SELECT nonsense", "--to", str(file), "--force")
    assert file.read_text() == "mine"
    run(export, "tenants", "--to", str(file), "--force")
    assert file.read_text().startswith("event_id,")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["payment_event", "--to", "x.csv"], "Did you mean payment_events"),
        (["collections_daily_states", "--to", "x.csv"], "internal"),
        (["tenants", "--to", "x.xlsx"], "must end with .parquet or .csv, not .xlsx"),
        (["tenants", "--to", "nowhere/x.csv"], "there is no folder nowhere"),
        (["tenants", "--sql", "SELECT 1", "--to", "x.csv"], "Name one table or view"),
        (["--to", "x.csv"], "Name one table or view"),
        (["--sql", "SELECT 1", "--tenant", "acme", "--to", "x.csv"], "write the condition into --sql"),
        (["tenants", "--param", "a=1", "--to", "x.csv"], "--param is for the places of --sql"),
        (["tenants", "--from", "2026-02-01", "--to-day", "2026-01-01", "--to", "x.csv"], "is after --to-day"),
        (["migrations", "--to", "x.csv"], "internal"),
        (["open_invoices", "--from", "2026-01-01", "--to", "x.csv"], "no column that says when"),
        (["pipeline_minutes", "--tenant", "acme", "--to", "x.csv"], "does not say of which tenant"),
        (["--sql", "DROP TABLE tenants", "--to", "x.csv"], "Only reading"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else None,
)
def test_an_export_that_cannot_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in refusal(export, *options)
    assert list(tmp_path.iterdir()) == []


# recoup dictionary


def test_every_table_view_and_column_says_what_it_means(warehouse: ClickHouseSettings) -> None:
    with connect(warehouse) as client:
        relations = catalogue(client, warehouse.database)
    assert silent(relations) == []
    assert {relation.name for relation in relations if relation.kind == "landed"} == set(tables())


def test_the_dictionary_that_is_checked_in_is_that_of_the_migrations(warehouse: ClickHouseSettings) -> None:
    with connect(warehouse) as client:
        page = dictionary(client, warehouse.database)
    assert DICTIONARY.read_text("utf-8") == page, "run `recoup dictionary`"


def test_a_column_that_only_some_types_fill_names_types_that_have_it(warehouse: ClickHouseSettings) -> None:
    with connect(warehouse) as client:
        relations = catalogue(client, warehouse.database)
    checked = 0
    for relation in relations:
        topic = topics().get(tables()[relation.name].topics[0]) if relation.kind == "landed" else None
        kinds = topic.types if topic else {}
        for column in relation.columns:
            _, found, named = column.comment.partition(" In: ")
            if kinds and found:
                having = [name for name, spec in kinds.items() if column.name in spec.struct.__struct_fields__]
                assert named.removesuffix(".").split(", ") == having, f"{relation.name}.{column.name}"
                checked += 1
    assert checked > 40


# docs/warehouse.md


def statements() -> list[str]:
    return re.findall(r"```sql\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("sql", statements(), ids=lambda sql: re.findall(r"FROM (\w+)", sql)[0])
def test_every_statement_of_the_guide_can_be_asked(warehouse: ClickHouseSettings, sql: str) -> None:
    with connect(warehouse) as client:
        ((account,),) = client.query("SELECT any(account_id) FROM ledger_postings WHERE tenant_id = 'acme'").result_rows
    values = {"tenant": "acme"} | ({"account": account} if "{account:" in sql else {})
    with Reading(warehouse, seconds=30) as reading:
        answer = reading.rows(sql, values)
        rows = list(answer.rows)
    assert answer.names
    if "ledger_postings" in sql:
        assert rows


def test_the_guide_names_every_view_and_nothing_else(warehouse: ClickHouseSettings) -> None:
    table = GUIDE.read_text("utf-8").partition("## Which view answers what")[2].partition("\n\nWhat no view")[0]
    named = set(re.findall(r"`(\w+)`", table))
    with connect(warehouse) as client:
        assert named == {one.name for one in catalogue(client, warehouse.database) if one.kind == "view"}


def test_the_guides_commands_have_the_options_that_it_gives_them() -> None:
    lines = re.findall(r"^    (recoup .*)$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert len(lines) > 5
    for line in lines:
        words = shlex.split(line)[1:]
        found: click.Command = recoup
        while isinstance(found, click.Group):
            found = found.get_command(click.Context(found), words.pop(0)) or pytest.fail(line)
        known = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
