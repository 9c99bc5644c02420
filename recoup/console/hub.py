"""Hands every reader the newest of each part of the page, at most four times a second, and keeps nothing for slow ones.

Whoever falls behind gets the newest of what changed meanwhile, not all of it: what waits for a reader never grows.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from models.clock import Clock
from recoup.console.decisions import KEPT, Decisions, Row

TICK_SECONDS = 0.25
"""Between two updates: four a second."""
PULSE_SECONDS = 2.0
"""Something is said this often even when nothing changes, so that a page knows that it is not stale."""
MOST_READERS = 64


class Update(msgspec.Struct, omit_defaults=True):
    """What a page is told at once."""

    at: int
    parts: dict[str, Any] = {}
    """Part of the page -> all that it shows."""
    rows: tuple[Row, ...] = ()
    came: int = 0
    """Decisions since the update before, also those that `rows` leaves out."""
    hello: dict[str, Any] | None = None
    """Only with the first."""


class Reader:
    """What one page has yet to be told."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}
        self.rows: deque[Row] = deque(maxlen=KEPT)
        self.came = 0
        self.due = asyncio.Event()

    def add(self, parts: dict[str, Any], rows: tuple[Row, ...], came: int) -> None:
        """Newer parts take the place of older ones; of the rows the newest stay."""
        self.parts |= parts
        self.rows.extend(rows)
        self.came += came
        self.due.set()

    def take(self, now: int) -> Update:
        """Everything that waits, as one update."""
        update = Update(now, self.parts, tuple(self.rows), self.came)
        self.parts, self.came = {}, 0
        self.rows.clear()
        self.due.clear()
        return update


class Hub:
    """What the page shows now, and everybody who reads it. `put` may be called from any thread."""

    def __init__(self, decisions: Decisions, clock: Clock) -> None:
        self.decisions = decisions
        self.clock = clock
        self.readers: set[Reader] = set()
        self.watched = threading.Event()
        """Somebody reads; costly questions are asked only then."""
        self._lock = threading.Lock()
        self._parts: dict[str, Any] = {}
        self._changed: set[str] = set()
        self._quiet = 0.0

    def put(self, part: str, value: Any) -> None:
        """Show this from the next update on; the same again is no news."""
        with self._lock:
            if self._parts.get(part) != value:
                self._parts[part] = value
                self._changed.add(part)

    def part(self, name: str) -> Any:
        """What a part shows now; None before its first time."""
        with self._lock:
            return self._parts.get(name)

    async def run(self) -> None:
        """Tell the readers what has changed, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick()

    def tick(self) -> None:
        """One update for everybody, if there is something to say."""
        news = self.decisions.news()
        with self._lock:
            parts = {name: self._parts[name] for name in self._changed}
            self._changed.clear()
        self._quiet += TICK_SECONDS
        if not parts and news is None and self._quiet < PULSE_SECONDS:
            return
        self._quiet = 0.0
        for reader in self.readers:
            reader.add(parts, news.rows if news else (), news.came if news else 0)

    @contextlib.contextmanager
    def reading(self, hello: dict[str, Any]) -> Iterator[AsyncIterator[bytes]]:
        """The updates of one reader, as messages of Server-Sent Events; the first holds all that there is."""
        reader = Reader()
        with self._lock:
            reader.parts = dict(self._parts)
        reader.rows.extend(self.decisions.recent())
        self.readers.add(reader)
        self.watched.set()
        try:
            yield self._updates(reader, hello)
        finally:
            self.readers.discard(reader)
            if not self.readers:
                self.watched.clear()

    async def _updates(self, reader: Reader, hello: dict[str, Any]) -> AsyncIterator[bytes]:
        first = reader.take(self.clock.now())
        first.hello = hello
        yield b"retry: 1000\n" + _message(first)
        while True:
            await reader.due.wait()
            yield _message(reader.take(self.clock.now()))


def _message(update: Update) -> bytes:
    return b"data: " + msgspec.json.encode(update) + b"\n\n"
