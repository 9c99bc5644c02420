"""The days that a text names, as dates: relative to the day it was written on, and only days that are still to come.

A week ends on its Sunday. Of several readings the later one is taken, so that nobody is said to have broken a promise
that they understood otherwise; where day and month cannot be told apart, no day is named.
"""

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import islice

import msgspec

from models.language.words import words as words_of

FARTHEST = 366
"""Days ahead; a date farther away is taken for a slip or another sense."""
MOST = 8
"""Days that are taken from one text."""

_ISO = re.compile(r"(?<![0-9])([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?![0-9])")
_FULL = re.compile(r"(?<![0-9])([0-9]{1,2})([./-])[ ]?([0-9]{1,2})\2[ ]?([0-9]{4}|[0-9]{2})(?![0-9,])")
_SHORT = re.compile(r"(?<![0-9.,/-])([0-9]{1,2})([./])([0-9]{1,2})(?:\.(?![0-9])|(?![0-9.,/%-]))")
_NUMERIC = re.compile(
    r"[0-9]{1,4}([./-])[0-9]{1,2}(?:\1[0-9]{2,4})?|[0-9]{1,2}\. [0-9]{1,2}\. ?(?:[0-9]{4}|[0-9]{2})(?![0-9,])"
)
_FRACTIONS = ("1/2", "1/3", "2/3", "1/4", "3/4", "24/7")
_NTH = re.compile(r"([0-9]{1,2})(st|nd|rd|th|e|er|o|a|ste|de|go)?")
_LEAD = re.compile(
    r"(?:\b(?:on|by|am|bis|zum|den|el|le|il|op|do|the|until|till|before|vom|ate|dia|du|au|entro)\s+(?:the |dia )?)$"
)


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    weekdays: list[list[str]]
    short_weekdays: list[list[str]]
    before_short: list[str]
    months: list[list[str]]
    offsets: dict[str, int]
    not_days: list[str]
    numbers: dict[str, int]
    units: dict[str, int]
    within: list[str]
    on_the: list[str]
    spans: dict[str, list[str]]
    end_of: list[str]
    counted: list[str]
    next: list[str]
    past: list[str]


class _Days(msgspec.Struct, frozen=True):
    weekdays: Mapping[str, int]
    short: Mapping[str, int]
    before_short: frozenset[str]
    months: Mapping[str, int]
    offsets: Mapping[str, int]
    numbers: Mapping[str, int]
    units: Mapping[str, int]
    within: frozenset[str]
    on_the: frozenset[str]
    spans: Mapping[str, str]
    end_of: frozenset[str]
    counted: frozenset[str]
    """After a number, they say that it counts things and is no day."""
    next: frozenset[str]
    past: frozenset[str]
    not_days: frozenset[str]
    longest: Mapping[str, int]
    """Words of the longest phrase that begins with a word."""
    words: frozenset[str]
    """Every word that a named day has one of, so that a text without any is not looked at."""


@cache
def _known() -> _Days:
    data = msgspec.yaml.decode(files("models.language").joinpath("days.yaml").read_bytes(), type=_Data)
    weekdays, short = _numbered(data.weekdays), _numbered(data.short_weekdays)
    months = {word: month + 1 for word, month in _numbered(data.months).items()}
    spans = {phrase: span for span, phrases in data.spans.items() for phrase in phrases}
    told = (weekdays, short, months, data.offsets, data.units, spans)
    longest: dict[str, int] = {}
    for phrase in (*weekdays, *short, *data.offsets, *spans, *data.within, *data.end_of, *data.not_days):
        first, *more = phrase.split()
        longest[first] = max(longest.get(first, 0), 1 + len(more))
    return _Days(
        weekdays=weekdays,
        short=short,
        before_short=frozenset(data.before_short),
        months=months,
        offsets=data.offsets,
        numbers=data.numbers,
        units=data.units,
        within=frozenset(data.within),
        on_the=frozenset(data.on_the),
        spans=spans,
        end_of=frozenset(data.end_of),
        counted=frozenset(data.counted).union(data.units),
        next=frozenset(data.next),
        past=frozenset(data.past),
        not_days=frozenset(data.not_days),
        longest=longest,
        words=frozenset(word for names in told for name in names for word in name.split()),
    )


def _numbered(names: list[list[str]]) -> dict[str, int]:
    return {name: number for number, line in enumerate(names) for name in line}


def named_days(small: str, words: list[str], today: dt.date, *, month_first: bool | None) -> tuple[dt.date, ...]:
    """The days from today on that a text names, in the order of their naming.

    Args:
        small: the plain text; numeric dates are read in it.
        words: the same as words.
        today: the day it was written on, on the customer's clock.
        month_first: whether 3/4 is the fourth of March; None = not known, then only what can be nothing else is read.
    """
    known = _known()
    found: list[dt.date] = []
    if any(char.isdigit() for char in small):
        plain_words = words
        if _NUMERIC.search(small) is not None:
            found += islice(_numeric(small, today, month_first=month_first), MOST)
            plain_words = words_of(_NUMERIC.sub(" ", small))
        found += islice(_nth(known, plain_words, today), MOST)
    elif known.words.isdisjoint(words):
        return ()
    found += _worded(known, words, today)
    kept = [day for day in found if 0 <= (day - today).days <= FARTHEST]
    return tuple(dict.fromkeys(kept))[:MOST]


def _numeric(small: str, today: dt.date, *, month_first: bool | None) -> Iterator[dt.date]:
    for found in _ISO.finditer(small):
        yield from _date(int(found[1]), int(found[2]), int(found[3]))
    for found in _FULL.finditer(small):
        year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
        for day, month in _order(int(found[1]), int(found[3]), found[2], month_first=month_first):
            yield from _date(year, month, day)
    for found in _SHORT.finditer(small):
        dotted = found[2] == "."
        led = _LEAD.search(small, max(0, found.start() - 16), found.start()) is not None
        if not led and (not found[0].endswith(".") if dotted else found[0] in _FRACTIONS):
            continue
        for day, month in _order(int(found[1]), int(found[3]), found[2], month_first=month_first):
            yield from _coming(today, day, month)


def _order(first: int, second: int, sign: str, *, month_first: bool | None) -> Iterator[tuple[int, int]]:
    """Day and month of two numbers; none when it cannot be known which is which."""
    if sign == "." or first > 12 or first == second or month_first is False:
        yield first, second
    elif second > 12 or month_first:
        yield second, first


def _date(year: int, month: int, day: int) -> Iterator[dt.date]:
    if 1 <= month <= 12 and 1 <= day <= 31 and 1 <= year <= 9998:
        yield dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _coming(today: dt.date, day: int, month: int) -> Iterator[dt.date]:
    """The next such day of the year."""
    for date in _date(today.year, month, day):
        yield from [date] if date >= today else _date(today.year + 1, month, day)


def _nth(known: _Days, words: list[str], today: dt.date) -> Iterator[dt.date]:
    """The 15th; 15 March; March 15th; el 15."""
    for place, word in enumerate(words):
        if not "0" <= word[0] <= "9":
            continue
        told = _NTH.fullmatch(word)
        if told is None or not 1 <= int(told[1]) <= 31:
            continue
        day = int(told[1])
        if not told[2] and words[place + 1 : place + 2] and words[place + 1] in known.counted:
            continue
        after = [near for near in words[place + 1 : place + 4] if near not in (".", "of", "de", "di", "den")][:1]
        before = words[place - 1] if place else ""
        month = known.months.get(after[0]) if after else None
        month = month or known.months.get(before)
        if month is not None:
            yield from _coming(today, day, month)
        elif (told[2] and told[2] in ("st", "nd", "rd", "th", "ste", "go")) or _led(known, words, place):
            yield _next_nth(today, day)


def _led(known: _Days, words: list[str], place: int) -> bool:
    """Whether what stands before a number says that it is the day of a month."""
    return place > 0 and (words[place - 1] in known.on_the or " ".join(words[place - 2 : place]) in known.on_the)


def _next_nth(today: dt.date, day: int) -> dt.date:
    """The next day of a month with that number; a month that is too short is passed over."""
    year, month = today.year, today.month
    while day > calendar.monthrange(year, month)[1] or dt.date(year, month, day) < today:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return dt.date(year, month, day)


def _worded(known: _Days, words: list[str], today: dt.date) -> Iterator[dt.date]:
    """On Friday; tomorrow; next week. "Friday next week" is one day."""
    place, days, weekdays = 0, list[dt.date](), list[int]()
    while place < len(words):
        for length in range(known.longest.get(words[place], 0), 0, -1):
            phrase = " ".join(words[place : place + length])
            day = _phrase(known, words, place, length, today)
            if day is not None:
                days.append(day)
                weekdays += [day.weekday()] if known.spans.get(phrase) is None else [-1]
            if day is not None or phrase in known.not_days:
                place += length
                break
        else:
            place += 1
    if len(days) == 2 and -1 in weekdays and _last_of("next_week", today) in days:
        weekday = max(weekdays)
        days = [_last_of("this_week", today) + dt.timedelta(days=weekday + 1)]
    yield from days


def _phrase(known: _Days, words: list[str], place: int, length: int, today: dt.date) -> dt.date | None:
    """The day of one phrase that begins at a place."""
    phrase = " ".join(words[place : place + length])
    before, after = words[place - 1 : place], words[place + length : place + length + 1]
    if not known.past.isdisjoint(before + after):
        return None
    if phrase in known.offsets:
        return today + dt.timedelta(days=known.offsets[phrase])
    if phrase in known.spans:
        return _last_of(known.spans[phrase], today)
    weekday = known.weekdays.get(phrase)
    if weekday is None and not known.before_short.isdisjoint(before):
        weekday = known.short.get(phrase)
    if weekday is not None:
        return _weekday(today, weekday, later=not known.next.isdisjoint(before))
    if phrase in known.within:
        return _in_days(known, words, place + length, today)
    if phrase in known.end_of and after and after[0] in known.months:
        return next(_coming(today, 31, known.months[after[0]]), None)
    return None


def _last_of(span: str, today: dt.date) -> dt.date:
    sunday = today + dt.timedelta(days=6 - today.weekday())
    if span in ("weekend", "this_week"):
        return sunday
    if span == "next_week":
        return sunday + dt.timedelta(days=7)
    last = today.replace(day=calendar.monthrange(today.year, today.month)[1])
    if span == "this_month":
        return last
    first = last + dt.timedelta(days=1)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _weekday(today: dt.date, weekday: int, *, later: bool) -> dt.date:
    """The coming one, never today; "next Friday" is the one of next week."""
    ahead = (weekday - today.weekday() - 1) % 7 + 1
    if later and today.weekday() + ahead < 7:
        ahead += 7
    return today + dt.timedelta(days=ahead)


def _in_days(known: _Days, words: list[str], place: int, today: dt.date) -> dt.date | None:
    """In three days; za tydzień."""
    near = words[place : place + 2]
    if near and near[0] in known.units:
        return today + dt.timedelta(days=known.units[near[0]])
    if len(near) < 2 or near[1] not in known.units:
        return None
    count = int(near[0]) if near[0].isdecimal() and len(near[0]) <= 3 else known.numbers.get(near[0], 0)
    return today + dt.timedelta(days=count * known.units[near[1]]) if count else None
