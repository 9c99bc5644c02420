"""The validation period of 12 CFR 1006.34(b)(5): 30 days from the assumed receipt, 5 working days after sending."""

from datetime import date, timedelta
from functools import lru_cache

from models.calendar import date_of, day_number, weekday

WORKING_DAYS = 5
"""Excluded are Saturdays, Sundays and the legal public holidays of 5 USC 6103(a)."""
PERIOD_DAYS = 30

SATURDAY = 5
_FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
_NTH_MONDAYS = ((1, 3), (2, 3), (9, 1), (10, 2))
"""Month, and which Monday of it."""


def period_ends(sent: int, *, spoken: bool = False) -> int:
    """The last day (number) on which a dispute is in time, of a notice sent on a day; a spoken one is received at once."""
    received, left = sent, 0 if spoken else WORKING_DAYS
    while left:
        received += 1
        left -= weekday(received) < SATURDAY and received not in holidays(date_of(received).year)
    return received + PERIOD_DAYS


@lru_cache(maxsize=256)
def holidays(year: int) -> frozenset[int]:
    """The legal public holidays of the United States in a year, as day numbers, on the dates that the law names."""
    found = [date(year, month, day) for month, day in _FIXED]
    found += [_nth(year, month, 0, which) for month, which in _NTH_MONDAYS]
    found.append(_nth(year, 11, 3, 4))  # Thanksgiving, the fourth Thursday
    found.append(_nth(year, 6, 0, 1) - timedelta(days=7))  # Memorial Day, the last Monday of May
    return frozenset(map(day_number, found))


def _nth(year: int, month: int, day_of_week: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(day_of_week - first.weekday()) % 7 + 7 * (which - 1))
