"""Polls on their way: waiting in the channel, or at work. A rebalance waits for the work, a stop for both."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable

from models.clock import Instant
from streams.lease import Poll, arrived_at


class Flight:
    """One poll at work, from the moment the job has it."""

    def __init__(self, poll: Poll) -> None:
        self.poll = poll
        self.parts = [part for part in poll.parts if part.lease.held]
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
        self.arrived: dict[Poll, Instant | None] = {}
        """The polls that wait or are at work -> when the oldest message of each arrived; None: it has none."""
        self.settled = threading.Event()
        """Nothing is at work. For the consumer's thread, which waits in a rebalance."""
        self.drained = asyncio.Event()
        """Nothing waits and nothing is at work."""
        self._failed = failed
        self._flying: list[Flight] = []
        self.settled.set()
        self.drained.set()

    @property
    def outstanding(self) -> int:
        """Polls that wait or are at work."""
        return len(self.arrived)

    @property
    def oldest(self) -> Instant | None:
        """When the oldest message that waits or is at work arrived; None: there is none."""
        return min((at for at in self.arrived.values() if at is not None), default=None)

    def expect(self, poll: Poll) -> None:
        """A poll is about to be handed over."""
        self.arrived[poll] = min((arrived_at(p.messages[0]) for p in poll.parts if p.messages), default=None)
        self.drained.clear()

    @contextlib.asynccontextmanager
    async def begin(self, poll: Poll) -> AsyncIterator[Flight]:
        """The parts of a poll whose lease is still held, at work until the block and what it leaves have ended."""
        self.settled.clear()  # before the leases are read: a revocation takes them first and waits for this then
        flight = Flight(poll)
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
        del self.arrived[flight.poll]
        if not self.outstanding:
            self.drained.set()
        if rest is not None and not rest.cancelled() and (failure := rest.exception()) is not None:
            self._failed(failure)
