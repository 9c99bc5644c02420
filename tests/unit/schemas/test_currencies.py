"""Currencies have the decimals of ISO 4217."""

import pytest

from schemas.currencies import CURRENCIES, decimals


@pytest.mark.parametrize(
    ("currency", "digits"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("CLP", 0), ("KWD", 3), ("TND", 3)]
)
def test_decimals(currency: str, digits: int) -> None:
    assert decimals(currency) == digits


def test_every_code_is_three_capitals() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert len(CURRENCIES) > 150


def test_metals_and_test_codes_are_no_currencies() -> None:
    assert not CURRENCIES & {"XAU", "XXX", "XTS", "BTC"}
