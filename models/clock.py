"""Time enters the pipeline here and nowhere else, so that tests and replays can set it."""

import time
from typing import Protocol

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""


class Clock(Protocol):
    """Says what time it is, in milliseconds since the epoch, UTC."""

    def now(self) -> Instant: ...


class WallClock:
    """The machine's clock."""

    def now(self) -> Instant:
        return time.time_ns() // 1_000_000


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self, now: Instant) -> None:
        self.instant = now

    def now(self) -> Instant:
        return self.instant
