"""One request from the ledger's side: what needs no provider is answered at once, the rest goes from provider to provider.

What is with a slow provider when the poll is over goes on by itself, and is looked at again a moment later.
"""

import asyncio
import time
from collections.abc import Mapping

from connectors.channels.channel import INTERRUPTED
from connectors.redis.attempts import Ending, Stored
from connectors.redis.pauses import Stop, scopes_of
from models.calendar import instant
from models.clock import Instant
from schemas.contacts import ContactRequested
from schemas.errors import NotSent
from streams.dispatch import parking
from streams.dispatch.asking import Asking, Order, Result
from streams.dispatch.check import CLOCK_SKEW, EXPIRED
from streams.dispatch.parking import Wait
from streams.dispatch.providers import Provider
from streams.lease import Lease

NO_CHANNEL = "no_channel"
CARRIED_MS = 250
"""How soon a contact that is with its provider is looked at again."""
SLACK_SECONDS = 0.05
"""A request whose turn has not come when the poll is over says so within this."""


class Sending:
    """What the worker does with one request at a time, many of them side by side."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.providers = asking.providers
        self.clock = asking.clock
        self.backoff = asking.backoff
        self.settings = asking.settings
        self.stops: Mapping[str, Stop] = {}
        self._carried: dict[str, tuple[Lease, asyncio.Task[Result]]] = {}

    def new_poll(self, stops: Mapping[str, Stop]) -> None:
        """Begin a poll.

        Args:
            stops: the stop buttons pressed, by scope, as of now; each beginning asks again.
        """
        self.stops = stops
        self.asking.new_poll()
        self._carried = {
            key: (lease, task) for key, (lease, task) in self._carried.items() if lease.held or not task.done()
        }

    async def handle(self, order: Order, deadline: float) -> Result:
        """Work on a request until it has ended, has to wait, or the poll is over.

        Args:
            deadline: of the poll, on the monotonic clock. What is with its provider then goes on by itself, and the
                result is there at the next look.
        """
        lease, task = self._carried.get(order.key, (None, None))
        if task is None or lease is not order.lease:
            if (early := await self._without_asking(order)) is not None:
                return early
            task = asyncio.ensure_future(self._send(order, deadline))
            self._carried[order.key] = order.lease, task
            await asyncio.wait({task}, timeout=max(0.0, deadline - time.monotonic()) + SLACK_SECONDS)
        if task.done():
            del self._carried[order.key]
            return task.result()
        return Wait(self.clock.now() + CARRIED_MS, parking.SENDING, order.tries)

    async def finish(self, seconds: float) -> None:
        """Let what is with its provider end, for so long; the rest is looked into by whoever owns it next."""
        if self._carried:
            await asyncio.wait([task for _, task in self._carried.values()], timeout=seconds)

    # -- what needs no provider ----------------------------------------------------------------------------------------

    async def _without_asking(self, order: Order) -> Result:
        now, request = self.clock.now(), order.request
        if order.stored is not None:
            return await self._begun_before(order, order.stored, now)
        if now >= instant(request.expires_at):
            return self._failed(EXPIRED if order.reason is None else f"{EXPIRED}:{order.reason}")
        if now + CLOCK_SKEW < (opens := instant(request.not_before)):
            return Wait(opens, parking.TOO_EARLY, order.tries)
        if self._is_stopped(request):
            return self.asking.stopped(order)
        return None if self.providers.of(request.channel) else self._failed(NO_CHANNEL)

    async def _begun_before(self, order: Order, stored: Stored, now: Instant) -> Result:
        """What becomes of a contact that another life of a worker, or an earlier try, has begun."""
        attempt = stored.attempt
        if attempt.ending is not None:
            return attempt.ending
        if now < attempt.until:
            return Wait(attempt.until, parking.SENDING, order.tries)
        provider = self.providers.named(order.request.channel, attempt.provider)
        asked_enough = attempt.reasks >= self.settings.dispatch.reasks or now >= instant(order.request.expires_at)
        if provider is None or not provider.channel.idempotent or asked_enough:
            return await self.asking.in_doubt(order, stored, INTERRUPTED)
        return self.asking.stopped(order) if self._is_stopped(order.request) else None

    def _is_stopped(self, request: ContactRequested) -> bool:
        return any(scope in self.stops for scope in scopes_of(request.tenant_id, request.channel))

    def _failed(self, code: str) -> Ending:
        return Ending("failed", self.clock.now(), code=code)

    # -- asking providers ----------------------------------------------------------------------------------------------

    async def _send(self, order: Order, deadline: float) -> Result:
        """Ask one provider after the other until one takes it; each only when the ones before have surely sent nothing."""
        asked, wait_ms = False, 0
        waits: list[int] = []
        for provider in self._whom(order):
            if provider.breaker.state == "open":
                waits.append(provider.breaker.waits())
                continue
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await provider.places.acquire()
            except TimeoutError:
                return Wait(self.clock.now(), parking.BUSY, order.tries)
            try:
                permit = provider.breaker.allows()  # it may have opened while this one waited for its place
                if permit is None:
                    waits.append(provider.breaker.waits())
                    continue
                try:
                    result = await self.asking.ask(provider, order, permit)
                finally:
                    provider.breaker.unused(permit)
            finally:
                provider.places.release()
            if not isinstance(result, NotSent):
                return result
            asked = True
            wait_ms = max(wait_ms, round(1000 * (result.retry_after or 0)))
        return self._again(order, asked=asked, wait_ms=wait_ms if asked else min(waits, default=0))

    def _whom(self, order: Order) -> list[Provider]:
        """A contact that was begun may be known to that provider alone."""
        if order.stored is None:
            return self.providers.of(order.request.channel)
        found = self.providers.named(order.request.channel, order.stored.attempt.provider)
        return [] if found is None else [found]

    def _again(self, order: Order, *, asked: bool, wait_ms: int) -> Wait:
        now, expires = self.clock.now(), instant(order.request.expires_at)
        if not asked:
            return Wait(self.backoff.soon(now, wait_ms, expires), parking.BREAKER_OPEN, order.tries)
        tries = order.tries + 1
        return Wait(self.backoff.next_try(now, tries, not_before_ms=wait_ms, expires=expires), parking.NOT_SENT, tries)
