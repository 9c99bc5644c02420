"""Values in SQL: whatever they hold, they stay values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.clickhouse.statements import QUERIES, Name, Sql, literal, statement


def test_each_kind_of_value_is_written_as_sql() -> None:
    assert literal("it's \\ ok") == r"'it\'s \\ ok'"
    assert literal(7) == "7"
    assert literal(("a", 1, Name("x"))) == "('a', 1, `x`)"
    assert literal(Sql("now()")) == "now()"
    assert literal(Name("a`b")) == r"`a\`b`"


@given(st.text())
def test_text_never_ends_its_quotes(text: str) -> None:
    inside = literal(text)[1:-1]
    assert inside.replace("\\\\", "").replace("\\'", "").count("'") == 0
    assert not inside.replace("\\\\", "").endswith("\\")


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_a_statement_begins_with_its_first_word(path: object) -> None:
    text = path.read_text("utf-8")  # type: ignore[attr-defined]
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    assert lines[0].split()[0] in {"SELECT", "INSERT", "CREATE", "DROP", "EXCHANGE", "SYSTEM", "WITH"}


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        statement("owners", database=Name("d"))
