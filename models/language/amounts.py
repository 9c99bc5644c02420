"""The sums of money that a text names, in minor units, with either decimal style; half of something is no sum."""

import re
from itertools import islice
from typing import NamedTuple

from schemas.currencies import decimals

LARGEST = 10**9
"""Major units; more is a number of something else."""
UNKNOWN_DECIMALS = 2
"""Where neither the text nor the caller names a currency."""

_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD", "COP", "ARS", "CLP"})
_CROWNS = frozenset({"SEK", "NOK", "DKK", "ISK"})
_SIGNS = {
    "$": "USD", "usd": "USD", "us$": "USD", "dollar": "USD", "dollars": "USD", "bucks": "USD", "dolares": "USD",
    "\u20ac": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "euroa": "EUR",
    "\u00a3": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP",
    "zl": "PLN", "pln": "PLN", "zloty": "PLN", "zlotych": "PLN",
    "kr": "SEK", "sek": "SEK", "kronor": "SEK", "nok": "NOK", "dkk": "DKK", "kroner": "NOK",
    "r$": "BRL", "brl": "BRL", "reais": "BRL", "real": "BRL",
    "chf": "CHF", "fr.": "CHF", "franken": "CHF", "mxn": "MXN", "pesos": "MXN", "cad": "CAD", "aud": "AUD",
}  # fmt: skip
_EXACT = frozenset({"usd", "us$", "sek", "nok", "dkk", "cad", "aud", "mxn"})
"""Signs of one currency; a dollar or a crown may be several countries'."""
_SIGN = "|".join(sorted((re.escape(sign) for sign in _SIGNS), key=len, reverse=True))
_NUMBER = re.compile(
    r"(?<![\d.,])(?P<number>\d{1,3}(?:[.,' \u00a0\u2019]\d{3}){1,3}(?:[.,]\d{1,2})?(?![.,]?\d)"
    r"|\d{1,10}(?:[.,]\d{1,2})?(?![.,]?\d))(?P<thousands>k\b)?",
    re.ASCII,
)
_SIGN_BEFORE = re.compile(rf"(?<![a-z])({_SIGN})\s?$")
_SIGN_AFTER = re.compile(rf"\s?({_SIGN})(?![a-z])")
_LONGEST_SIGN = 9
_LONGEST_BARE = 7
"""Digits; more are a telephone number, an account or a reference."""
_ATTACHED = re.compile(r"[\w/#:+-]")
_ATTACHED_AFTER = re.compile(r"[\w%/:-]")
MOST = 16
"""Numbers that are looked at in one text."""

_NOT_MONEY_BEFORE = re.compile(
    r"(?:\b(?:on|on the|the|by the|until|till|am|zum|bis|vom|el|dia|le|il|den|dnia|op|in|en|dans|within|tra|fra|em|om|za|over"
    r"|no|nr|number|invoice|account|acct|ref|reference|rechnung|factura|facture|fattura|factuur|faktura|order|case|page|top|apt|unit"
    r"|jan\w*|feb\w*|mar\w*|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*|at|@|since|after|before))[ .:#]*$"
)
_MONTH = "jan|feb|mar|apr|mai|may|jun|jul|aug|sep|oct|okt|nov|dec|dez"
_NOT_MONEY_AFTER = re.compile(
    rf"[ ]*(?:(?P<hour>am|pm|uhr|h)\b|(?P<day>de |di |\.? ?(?:of )?(?:{_MONTH}))"
    r"|days?|weeks?|months?|years?|hours?|minutes?|times|invoices?|bills?|payments?|percent|%|st\b|nd\b|rd\b|th\b"
    r"|kids|children|people|tage?n?\b|wochen?|monaten?|dias?\b|semanas?|meses|jours?|semaines?|mois|giorni|settiman\w"
    r"|mesi|dagen|weken|maanden|dagar|veckor|dni|tygodni\w*)"
)
_DATES = re.compile(r"\d{1,4}[-/]\d{1,2}(?:[-/]\d{1,4})?|\d{1,2}\.\s?\d{1,2}\.(?:\d{4}|\d{2})?(?![\d,])|\d{1,2}:\d{2}")


class Sum(NamedTuple):
    """An amount, and its currency when the text or the caller says it."""

    minor: int
    currency: str | None


def named_sums(small: str, currency: str | None) -> tuple[Sum, ...]:
    """The sums in a plain text, in the order of their naming; a bare number counts when nothing with a currency stands.

    Args:
        currency: the account's; it says what "$" or a bare number is. None = not known: a bare number is then taken in
            hundredths.
    """
    if not any(char.isdigit() for char in small):
        return ()
    without_dates = _DATES.sub(lambda found: "x" * len(found[0]), small)
    signed: list[Sum | None] = []
    bare: list[Sum | None] = []
    for found in islice(_NUMBER.finditer(without_dates), MOST):
        sign = _sign(without_dates, found)
        if sign is not None:
            signed.append(_sum(found["number"], found["thousands"], _meant(sign, currency)))
        elif _is_money(without_dates, found):
            bare.append(_sum(found["number"], found["thousands"], currency))
    return tuple(value for value in signed or bare if value is not None)


def _sign(text: str, found: re.Match[str]) -> str | None:
    """The sign of a currency before or after a number."""
    before = _SIGN_BEFORE.search(text, max(0, found.start() - _LONGEST_SIGN), found.start())
    sign = before or _SIGN_AFTER.match(text, found.end())
    return None if sign is None else sign[1]


def _is_money(text: str, found: re.Match[str]) -> bool:
    """Whether nothing around a bare number says that it is a day, an hour, a count or a reference."""
    number, start, end = found["number"], found.start(), found.end()
    if len(number) > _LONGEST_BARE and number.isdigit():
        return False
    if (start and _ATTACHED.match(text, start - 1)) or _ATTACHED_AFTER.match(text, end):
        return False
    if _NOT_MONEY_BEFORE.search(text, max(0, start - 16), start) is not None:
        return False
    after = _NOT_MONEY_AFTER.match(text, end)
    if after is None:
        return True
    most = 24 if after["hour"] else 31 if after["day"] else None
    return most is not None and not (number.isdigit() and int(number) <= most)


def _meant(sign: str, currency: str | None) -> str | None:
    """The currency of a sign; the account's own where several share the sign, None where that is not known."""
    named = _SIGNS[sign]
    for family in (_DOLLARS, _CROWNS):
        if named in family and sign not in _EXACT:
            return currency if currency is None or currency in family else named
    return named


def _sum(number: str, thousands: str | None, currency: str | None) -> Sum | None:
    """The amount of a number as it is written; None when it is no amount of the currency, or nothing."""
    digits = UNKNOWN_DECIMALS if currency is None else decimals(currency)
    compact = re.sub(r"[' \u00a0\u2019]", "", number)
    cut = max(compact.rfind("."), compact.rfind(","))
    rest = compact[cut + 1 :] if cut >= 0 and len(compact) - cut - 1 <= 2 else ""
    whole = re.sub(r"[.,]", "", compact[:cut] if rest else compact)
    if len(whole) > 10 or not whole.isascii():
        return None
    major = int(whole or "0") * (1_000 if thousands else 1)
    if major > LARGEST or (rest and thousands) or len(rest.rstrip("0")) > digits:
        return None
    minor = major * 10**digits + int((rest or "0")[:digits].ljust(digits, "0") or "0")
    return Sum(minor, currency) if minor else None
