"""Cells of a ledger as exact money and instants; what cannot be read is said, never guessed."""

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from models.calendar import DAY, Zone, day_number, instant
from models.clock import Instant
from recoup.replay.mapping import ISO, Mapping
from schemas.currencies import decimals
from schemas.dates import FIRST_YEAR, LAST_YEAR
from schemas.envelope import MAX_MONEY

SHOWN = 40
"""Of a cell that cannot be read, so much is shown."""

Edge = Literal["start", "end"]
"""Which instant stands for a day of a ledger that knows no times. A debt counts from the first, a payment is known at
the last: nobody could have acted on it before."""


class Unreadable(ValueError):
    """A cell that does not hold what its column should; the text says why."""


class Cells:
    """Reads the cells of one ledger.

    Args:
        zone: IANA, of dates without an offset.
        now: no event may have happened later.
    """

    def __init__(self, mapping: Mapping, zone: str, now: Instant) -> None:
        self.mapping = mapping
        self.zone = Zone(zone)
        self._info = ZoneInfo(zone)
        self.now = now
        self._number = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?|[+-]?\.[0-9]+")
        self._instant = lru_cache(maxsize=100_000)(self._read_instant)

    def money(self, cell: str, currency: str, *, positive: bool = True) -> int:
        """Minor units; exact, so an amount with more decimals than the currency has is refused."""
        text = cell
        if self.mapping.thousands:
            text = text.replace(self.mapping.thousands, "")
        if self.mapping.decimal == ",":
            text = text.replace(".", "x").replace(",", ".")
        if not self._number.fullmatch(text):
            raise Unreadable(f"{shown(cell)} is not an amount of money such as 1234{self.mapping.decimal}50")
        minor = Decimal(text).scaleb(decimals(currency))
        if minor != minor.to_integral_value():
            raise Unreadable(f"{shown(cell)} has more decimals than {currency}")
        if abs(minor) > MAX_MONEY:
            raise Unreadable(f"{shown(cell)} is too large to be an amount of money")
        if positive and minor <= 0:
            raise Unreadable(f"{shown(cell)} is not more than nothing")
        return int(minor)

    def instant(self, cell: str, edge: Edge, *, past: bool = True) -> Instant:
        """The instant of a date; with `past`, one that has been."""
        at = self._instant(cell, edge)
        if past and at > self.now + DAY:
            raise Unreadable(f"{shown(cell)} lies in the future")
        return at

    def _read_instant(self, cell: str, edge: Edge) -> Instant:
        form = self.mapping.dates
        try:
            moment = dt.datetime.fromisoformat(cell) if form == ISO else dt.datetime.strptime(cell, form)  # noqa: DTZ007
        except ValueError as error:
            wanted = (
                "a date such as 2013-02-28 or 2013-02-28T14:05:00Z" if form == ISO else f"a date of the form {form}"
            )
            raise Unreadable(f"{shown(cell)} is not {wanted}") from error
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise Unreadable(f"{shown(cell)} is not in the years {FIRST_YEAR} to {LAST_YEAR}")
        day_only = len(cell) == len("2013-02-28") if form == ISO else self.mapping.days_only
        if day_only:
            day = day_number(moment.date())
            return self.zone.start(day, 0) if edge == "start" else self.zone.start(day + 1, 0) - 1
        return instant(moment if moment.tzinfo else moment.replace(tzinfo=self._info))


def shown(cell: str) -> str:
    """A cell as errors quote it: only dates and amounts are, and not much of them."""
    return f'"{cell[:SHOWN]}..."' if len(cell) > SHOWN else f'"{cell}"'
