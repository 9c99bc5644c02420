"""Statements are taken apart so that FORMAT, data and `input()` are found, and nothing else is taken for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.stack.clickhouse_errors import ClickHouseError
from recoup.stack.clickhouse_statement import parse


@pytest.mark.parametrize(
    ("source", "text", "fmt"),
    [
        (b"SELECT 1", b"SELECT 1", None),
        (b" select 1 format JSON ;", b"select 1", "JSON"),
        (b"SELECT 1 FORMAT Native SETTINGS max_threads = 1", b"SELECT 1  SETTINGS max_threads = 1", "Native"),
        (b"SELECT format FROM t", b"SELECT format FROM t", None),
        (b"SELECT 1 AS format", b"SELECT 1 AS format", None),
        (b"SELECT (SELECT 1 FORMAT CSV)", b"SELECT (SELECT 1 FORMAT CSV)", None),
        (b"SELECT ' FORMAT CSV'", b"SELECT ' FORMAT CSV'", None),
        (b"SELECT 'it''s \\' FORMAT CSV'", b"SELECT 'it''s \\' FORMAT CSV'", None),
        (b"SELECT 1 -- FORMAT CSV", b"SELECT 1 -- FORMAT CSV", None),
        (b'SELECT `a;b`, "c;d" /* ; */ FROM t;;', b'SELECT `a;b`, "c;d" /* ; */ FROM t', None),
        (b"SELECT $x$ ; FORMAT CSV $x$", b"SELECT $x$ ; FORMAT CSV $x$", None),
        (b"INSERT INTO t SELECT format FROM s", b"INSERT INTO t SELECT format FROM s", None),
        (b"INSERT INTO t SELECT 1 FORMAT Null", b"INSERT INTO t SELECT 1", "Null"),
    ],
)
def test_the_format_is_found_at_the_end_only(source: bytes, text: bytes, fmt: str | None) -> None:
    statement = parse(source)
    assert (statement.text, statement.format, statement.data_start) == (text, fmt, None)


@pytest.mark.parametrize(
    ("source", "text", "fmt", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2", b"INSERT INTO t", "CSV", b"1,2"),
        (b"INSERT INTO t FORMAT CSV 1,2", b"INSERT INTO t", "CSV", b"1,2"),
        (
            b"insert into t (a, b) settings x = 1 format Native\r\n\n\x00",
            b"insert into t (a, b) settings x = 1",
            "Native",
            b"\n\x00",
        ),
        (b"INSERT INTO t (format, values) VALUES (1, 2)", b"INSERT INTO t (format, values)", "Values", b" (1, 2)"),
        (b"INSERT INTO t VALUES", b"INSERT INTO t", "Values", b""),
        (b"INSERT INTO `my FORMAT t` FORMAT TSV", b"INSERT INTO `my FORMAT t`", "TSV", b""),
        (b"/* c */ INSERT INTO t FORMAT TSV\n; SELECT 1", b"/* c */ INSERT INTO t", "TSV", b"; SELECT 1"),
        (b"INSERT INTO FUNCTION file('x', CSV) FORMAT TSV\n1", b"INSERT INTO FUNCTION file('x', CSV)", "TSV", b"1"),
    ],
)
def test_an_inserts_data_begin_behind_its_format(source: bytes, text: bytes, fmt: str, data: bytes) -> None:
    statement = parse(source)
    assert statement.data_start is not None
    assert (statement.text, statement.format, source[statement.data_start :]) == (text, fmt, data)


@given(st.binary())
def test_data_are_never_looked_into(data: bytes) -> None:
    source = b"INSERT INTO t (a) FORMAT Native\n" + data
    statement = parse(source)
    assert statement.data_start is not None
    assert (statement.format, source[statement.data_start :]) == ("Native", data)


def test_input_becomes_a_file() -> None:
    structure = rb"'a String, d DateTime(\'UTC\')'"
    rest = b" WHERE (SELECT 1) = 1 SETTINGS x = 'y'"
    source = b"  INSERT INTO t SELECT a FROM input(" + structure + b")" + rest + b" FORMAT Arrow"
    statement = parse(source)
    assert statement.input is not None
    read = statement.reading_from("/f", statement.input)
    assert read.strip() == b"INSERT INTO t SELECT a FROM file('/f', Arrow, " + structure + b")" + rest
    behind = parse(source + b"\nARROW1")
    assert behind.data_start == len(source) + 1


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"SELECT 1; SELECT 2", 62),
        (b"CREATE TABLE t (a Int8) ENGINE = Memory; DROP TABLE t", 62),
        (b"SELECT 1 INTO OUTFILE 'x'", 358),
        (b"INSERT INTO t SELECT 1 INTO OUTFILE 'x'", 358),
        (b"INSERT INTO t FROM INFILE 'x' FORMAT CSV", 48),
        (b"INSERT INTO t SELECT * FROM input('a String')", 62),
    ],
)
def test_what_must_not_be_passed_on_is_refused(source: bytes, code: int) -> None:
    with pytest.raises(ClickHouseError) as caught:
        parse(source)
    assert caught.value.code == code


def test_names_in_statements() -> None:
    assert parse(b"SET a = 1, `b` = 'c = d'").names_set() == ["a", "b"]
    assert parse(b"USE `my db`").last_name() == "my db"
    assert (
        parse(b"CREATE TABLE t (engine String) ENGINE = ReplacingMergeTree ORDER BY 1").engine() == "REPLACINGMERGETREE"
    )
    assert parse(b"CREATE VIEW v AS SELECT 1").engine() == ""
    assert (
        parse(b"KILL QUERY WHERE query_id = 'query_id'").renamed(b"query_id", b"x")
        == b"KILL QUERY WHERE x = 'query_id'"
    )


@given(st.binary(max_size=200))
def test_no_statement_breaks_the_reader(source: bytes) -> None:
    try:
        statement = parse(source)
    except ClickHouseError:
        return
    assert statement.data_start is None or 0 <= statement.data_start <= len(source)
