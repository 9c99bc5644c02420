"""CSV gives back what was put in, and nothing in it is a formula."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from recoup.export.csv_text import STARTS_A_FORMULA, csv_text, harmless

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@given(st.lists(st.tuples(TEXT, st.integers()), max_size=20))
def test_rows_come_back_as_they_were(rows: list[tuple[str, int]]) -> None:
    written = "".join(csv_text(["a", "n"], ["String", "Int64"], rows, guard=False))
    assert read(written) == [["a", "n"], *([text, str(number)] for text, number in rows)]


@given(TEXT)
def test_text_that_would_be_run_begins_with_an_apostrophe_and_is_otherwise_unchanged(text: str) -> None:
    _, (cell,) = read("".join(csv_text(["a"], ["LowCardinality(String)"], [[text]], guard=True))) or ([], [""])
    assert cell in (text, f"'{text}")
    assert not cell.startswith(STARTS_A_FORMULA) or float(cell) is not None


def test_numbers_are_no_formulas() -> None:
    assert harmless("-12.50") == "-12.50"
    assert harmless("+493012345") == "+493012345"
    assert harmless("-1+cmd|' /C calc'!A0") == "'-1+cmd|' /C calc'!A0"
    assert "".join(csv_text(["n"], ["Nullable(Int64)"], [[-5], [None]], guard=True)) == 'n\r\n-5\r\n""\r\n'


def test_a_name_of_a_column_can_be_a_formula_too() -> None:
    assert "".join(csv_text(["=1+1"], ["UInt8"], [], guard=True)) == "'=1+1\r\n"


def test_lists_and_tuples_are_json() -> None:
    rows = [[["a", "=b"], {"x": 1}, True]]
    assert read("".join(csv_text(["l", "m", "b"], ["Array(String)", "Map(String, UInt8)", "Bool"], rows, guard=True)))[
        1
    ] == [
        '["a","=b"]',
        '{"x":1}',
        "true",
    ]


def test_many_rows_are_told_a_thousand_at_once() -> None:
    pieces = list(csv_text(["n"], ["UInt64"], ([n] for n in range(2_500)), guard=True))
    assert [piece.count("\n") for piece in pieces] == [1_001, 1_000, 500]
