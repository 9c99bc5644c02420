"""Polls on their way: waiting in the channel, or at work. A rebalance waits for the work, a stop for both."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable

from streams.lease import Part, Poll


class Flight:
    """One poll at work, from the moment the job has it."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.began = time.monotonic()
        self.rest: asyncio.Future[None] | None = None

    def ends_with(self, rest: "asyncio.Future[None] | None") -> None:
        """Say what is still to be done when the block has been left, while the next poll is worked on already."""
        self.rest = rest


class Flights:
    """All polls that were handed over and have not ended.

    Args:
        failed: told when what was left of a flight failed, also when no other poll comes.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self.outstanding = 0
        """Waiting or at work."""
        self.settled = threading.Event()
        """Nothing is at work. For the consumer's thread, which waits in a rebalance."""
        self.drained = asyncio.Event()
        """Nothing waits and nothing is at work."""
        self._failed = failed
        self._flying: list[Flight] = []
        self.settled.set()
        self.drained.set()

    def expect(self) -> None:
        """A poll is about to be handed over."""
        self.outstanding += 1
        self.drained.clear()

    @contextlib.asynccontextmanager
    async def begin(self, poll: Poll) -> AsyncIterator[Flight]:
        """The parts of a poll whose lease is still held, at work until the block and what it leaves have ended."""
        self.settled.clear()  # before the leases are read: a revocation takes them first and waits for this then
        flight = Flight([part for part in poll.parts if part.lease.held])
        self._flying.append(flight)
        try:
            yield flight
        finally:
            if flight.rest is None:
                self._end(flight)
            else:
                flight.rest.add_done_callback(lambda rest: self._end(flight, rest))

    def longest(self) -> float:
        """For how many seconds the oldest flight has been at work; 0 = none is."""
        return max((time.monotonic() - flight.began for flight in self._flying), default=0.0)

    def _end(self, flight: Flight, rest: "asyncio.Future[None] | None" = None) -> None:
        self._flying.remove(flight)
        if not self._flying:
            self.settled.set()
        self.outstanding -= 1
        if not self.outstanding:
            self.drained.set()
        if rest is not None and not rest.cancelled() and (failure := rest.exception()) is not None:
            self._failed(failure)
