"""Amounts and dates as people write them in their language: from minor units and calendar days, never from floats."""

import copy
import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list

from schemas.currencies import CURRENCIES, decimals

WRITTEN = re.compile(r"^(-?)([0-9]+)(?:\.([0-9]+))? ([A-Z]{3})$")
"""As contact requests carry an amount: `12.34 EUR`."""
_CODE_BESIDE = re.compile(r"([A-Z]{3})(?=[0-9])")
"""CLDR's currency spacing, which Babel leaves out: a code does not touch its number."""
Style = Literal["short", "medium", "long", "full"]


class Money(msgspec.Struct, frozen=True):
    """An amount of one currency."""

    minor: int
    """Minor units."""
    currency: str


def amounts(written: str) -> tuple[Money, ...]:
    """The amounts of a contact request, such as `12.34 EUR, 5.00 GBP`.

    Raises:
        ValueError: this is no amount with as many decimals as its currency has.
    """
    return tuple(_amount(part) for part in written.split(", "))


def _amount(written: str) -> Money:
    found = WRITTEN.match(written)
    if found is None or found[4] not in CURRENCIES or len(found[3] or "") != decimals(found[4]):
        raise ValueError("no amount with its currency, such as 12.34 EUR")
    return Money(int(found[1] + found[2] + (found[3] or "")), found[4])


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale | None:
    """The rules of a language (BCP 47); None = there are none."""
    try:
        return Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def written_money(amount: Money, locale: Locale) -> str:
    """Such as `1.234,56 €`; with the decimals that ISO 4217 gives the currency."""
    places = decimals(amount.currency)
    pattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (places, places)
    value = Decimal(amount.minor).scaleb(-places)
    said: str = pattern.apply(value, locale, currency=amount.currency, currency_digits=False)
    return _CODE_BESIDE.sub("\\1\N{NO-BREAK SPACE}", said)


def written_amounts(several: tuple[Money, ...], locale: Locale) -> str:
    """Such as `12,34 € und 5,00 £`."""
    return format_list([written_money(amount, locale) for amount in several], locale=locale)


def written_date(day: dt.date, locale: Locale, style: Style = "long") -> str:
    """Such as `3. März 2026`."""
    return format_date(day, format=style, locale=locale)
