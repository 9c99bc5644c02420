"""The days that a text names, counted from Wednesday, 4 March 2026."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language.days import FARTHEST, named_days
from models.language.words import plain, words

TODAY = dt.date(2026, 3, 4)


def days(text: str, *, month_first: bool | None = None, today: dt.date = TODAY) -> list[str]:
    small = plain(text)
    return [f"{day:%m-%d}" for day in named_days(small, words(small), today, month_first=month_first)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'll pay on Friday", ["03-06"]),
        ("on wednesday", ["03-11"]),
        ("next friday", ["03-13"]),
        ("friday next week", ["03-13"]),
        ("on mon", ["03-09"]),
        ("tomorrow", ["03-05"]),
        ("day after tomorrow", ["03-06"]),
        ("today or tomorrow", ["03-04", "03-05"]),
        ("this weekend", ["03-08"]),
        ("next week", ["03-15"]),
        ("by the end of the month", ["03-31"]),
        ("end of next month", ["04-30"]),
        ("end of April", ["04-30"]),
        ("on the 15th", ["03-15"]),
        ("on the 3rd", ["04-03"]),
        ("April 15th", ["04-15"]),
        ("15th of April", ["04-15"]),
        ("in 3 days", ["03-07"]),
        ("in two weeks", ["03-18"]),
        ("2026-03-20", ["03-20"]),
        ("20/03/2026", ["03-20"]),
        ("feb 30", ["02-28"]),
        ("am 15.", ["03-15"]),
        ("bis zum 10. April", ["04-10"]),
        ("am 1.4.", ["04-01"]),
        ("15.03.26", ["03-15"]),
        ("15. 3. 2026", ["03-15"]),
        ("am 15. 50 Euro", ["03-15"]),
        ("\u00dcbermorgen", ["03-06"]),
        ("Guten Morgen, ich zahle am Freitag", ["03-06"]),
        ("el viernes", ["03-06"]),
        ("ma\u00f1ana por la ma\u00f1ana", ["03-05"]),
        ("pasado ma\u00f1ana", ["03-06"]),
        ("el d\u00eda 20", ["03-20"]),
        ("vendredi prochain", ["03-06"]),
        ("apr\u00e8s-demain", ["03-06"]),
        ("fin du mois", ["03-31"]),
        ("sexta-feira", ["03-06"]),
        ("dopodomani", ["03-06"]),
        ("luned\u00ec", ["03-09"]),
        ("op 15 maart", ["03-15"]),
        ("volgende week", ["03-15"]),
        ("p\u00e5 m\u00e5ndag", ["03-09"]),
        ("imorgon", ["03-05"]),
        ("pi\u0105tek", ["03-06"]),
        ("za tydzie\u0144", ["03-11"]),
    ],
)
def test_a_day_that_is_still_to_come(text, expected):
    assert days(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "last friday",
        "I paid yesterday",
        "in the morning",
        "good morning",
        "I may pay",
        "24/7",
        "half, 1/2",
        "at 5 pm",
        "the 2 invoices",
        "buenas",
        "",
    ],
)
def test_no_day_to_come(text):
    assert days(text) == []


@pytest.mark.parametrize(
    ("month_first", "expected"), [(True, ["04-05"]), (False, ["05-04"]), (None, [])]
)  # fmt: skip
def test_day_and_month_are_told_apart_by_the_locale_or_not_at_all(month_first, expected):
    assert days("by 4/5", month_first=month_first) == expected


def test_what_can_be_only_one_day_needs_no_locale():
    assert days("by 3/15") == days("by 15/3") == ["03-15"]


def test_a_month_that_is_too_short_is_passed_over():
    assert days("on the 31st", today=dt.date(2026, 4, 2)) == ["05-31"]


@given(
    st.text(alphabet="0123456789./- amonthefridystwek", max_size=80), st.dates(dt.date(1990, 1, 1), dt.date(2200, 1, 1))
)
def test_every_day_is_near_and_to_come(text, today):
    small = plain(text)
    for day in named_days(small, words(small), today, month_first=None):
        assert 0 <= (day - today).days <= FARTHEST
