"""The sums that a text names, in either decimal style."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language.amounts import named_sums
from models.language.words import plain


def sums(text: str, currency: str | None = "USD") -> list[tuple[object, ...]]:
    return [tuple(told) for told in named_sums(plain(text), currency)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'll pay $50 on Friday", [(5_000, "USD")]),
        ("50 on friday", [(5_000, "USD")]),
        ("1,234.56", [(123_456, "USD")]),
        ("1.234,56 \u20ac", [(123_456, "EUR")]),
        ("1 500 z\u0142", [(150_000, "PLN")]),
        ("50.5", [(5_050, "USD")]),
        ("2k next week", [(200_000, "USD")]),
        ("R$ 150,00 amanh\u00e3", [(15_000, "BRL")]),
        ("100 on 3/15", [(10_000, "USD")]),
        ("zahle 100 am 10.04.", [(10_000, "USD")]),
        ("$20 today and $30 friday", [(2_000, "USD"), (3_000, "USD")]),
        ("3 payments of 40", [(4_000, "USD")]),
    ],
)
def test_a_sum(text, expected):
    assert sums(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "half",
        "20%",
        "at 5 pm",
        "on the 15",
        "in 3 days",
        "5 may",
        "ref 123456",
        "invoice 10482",
        "6175550100",
        "+16175550100",
        "0",
        "15 de abril",
    ],
)
def test_a_number_of_something_else(text):
    assert sums(text) == []


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("5000", "JPY", [(5_000, "JPY")]),
        ("50.50", "JPY", []),
        ("1,500", "KWD", [(1_500_000, "KWD")]),
        ("$50", "CAD", [(5_000, "CAD")]),
        ("$50", "EUR", [(5_000, "USD")]),
        ("500 kr", "NOK", [(50_000, "NOK")]),
        ("50", None, [(5_000, None)]),
        ("$50", None, [(5_000, None)]),
        ("50 usd", None, [(5_000, "USD")]),
    ],
)
def test_the_accounts_currency_says_what_a_number_is(text, currency, expected):
    assert sums(text, currency) == expected


@given(st.integers(1, 99_999), st.integers(0, 99))
def test_both_decimal_styles_are_the_same_sum(major, cents):
    minor = major * 100 + cents
    english, german = f"{major:,}.{cents:02}", f"{major:,}".replace(",", ".") + f",{cents:02}"
    assert sums(f"EUR {english}", "EUR") == sums(f"{german} EUR", "EUR") == [(minor, "EUR")]


@given(st.text(alphabet="0123456789.,' $k/-am", max_size=80), st.sampled_from(["USD", "JPY", "KWD", None]))
def test_every_sum_is_positive(text, currency):
    assert all(told.minor > 0 for told in named_sums(plain(text), currency))
