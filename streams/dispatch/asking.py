"""One request and one provider: look, judge, render, begin, hand over, write down; in this order, one right after the other.

So what is known then decides, and not what was known when the request was read. What was begun is never judged free
again: it may have left.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

import msgspec
import structlog

from connectors.channels.channel import INTERRUPTED, NO_ANSWER, Delivery, Message
from connectors.redis.attempts import Attempt, Attempts, Begun, Ending, Stored
from connectors.redis.ledger import Ledger
from connectors.redis.suppression import SuppressionList
from models.calendar import instant
from models.clock import Clock
from models.compliance.gate import Gate
from models.suppression import kinds_for
from schemas.contacts import ContactRequested
from schemas.control import Tenant
from schemas.envelope import account_key
from schemas.errors import NotReady, NotSent
from streams import metrics
from streams.dispatch import parking
from streams.dispatch.backoff import Backoff
from streams.dispatch.breaker import Permit
from streams.dispatch.check import Cleared, Looked, inspect, others_planned
from streams.dispatch.parking import Wait
from streams.dispatch.providers import Provider, Providers
from streams.lease import Lease
from streams.settings import StreamSettings
from streams.sinks import until_redis_answers

log = structlog.get_logger()
Answer = TypeVar("Answer")

GRACE_SECONDS = 1.0
"""On top of what a provider allows itself: for a loop that is busy."""

Result = Ending | Wait | None
"""How a request ended, or when it is looked at again; None = it is no longer ours."""


class Order(msgspec.Struct, eq=False):
    """One request to be worked on under a lease."""

    lease: Lease
    request: ContactRequested
    value: bytes
    """Its message."""
    offset: int
    tries: int = 0
    reason: str | None = None
    """Why it is parked; None = it has just arrived."""
    stored: Stored | None = None
    """What is known of its having been begun."""

    @property
    def key(self) -> str:
        return self.request.idempotency_key


class Renderer(Protocol):
    """Makes the message out of a template."""

    def __call__(self, request: ContactRequested, cleared: Cleared) -> Message | str:
        """The message, or the code that says why there is none."""


class Asking:
    """Hands requests to providers.

    Args:
        decided: the ledger of the decide job, which holds the accounts' states; only read.
    """

    def __init__(  # noqa: PLR0913 - what it works with, by name
        self,
        *,
        decided: Ledger,
        attempts: Attempts,
        suppressions: SuppressionList,
        providers: Providers,
        render: Renderer,
        tenants: Mapping[str, Tenant],
        gate: Gate,
        clock: Clock,
        backoff: Backoff,
        settings: StreamSettings,
    ) -> None:
        self.decided = decided
        self.attempts = attempts
        self.suppressions = suppressions
        self.providers = providers
        self.render = render
        self.tenants = tenants
        self.gate = gate
        self.clock = clock
        self.backoff = backoff
        self.settings = settings
        self._limited: Counter[str] = Counter()
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def new_poll(self) -> None:
        """What was over a rate limit in the last poll says nothing about this one."""
        self._limited.clear()

    async def ask(self, provider: Provider, order: Order, permit: Permit) -> Result | NotSent:
        """What became of it with this provider; `NotSent` = it may be asked of another one."""
        if not order.lease.held:
            return None
        # One contact of an account is begun before the next one is looked at, so that each finds the others.
        async with self._turns.setdefault((order.request.tenant_id, order.request.account_id), asyncio.Lock()):
            found = inspect(order.request, self.tenants, self.gate, self.clock.now(), await self._look(order))
            if isinstance(found, str):
                return await self._denied(order, found)
            message = self.render(order.request, found)
            if isinstance(message, str):
                return await self._denied(order, message)
            begun = await self._begin(provider, order)
        if begun.verdict != "begun" or begun.stored is None:
            return self._not_begun(order, begun)
        began = time.perf_counter()
        answer = await self._hand_over(provider, message)
        metrics.SEND_SECONDS.labels(provider.name).observe(time.perf_counter() - began)
        self._count(provider, permit, answer)
        return await self._answered(provider, order, begun.stored, answer)

    async def _look(self, order: Order) -> Looked:
        """The account's state, what stands against the contact point, and what became of its other contacts, as of now."""
        request = order.request
        key = account_key(request.tenant_id, request.account_id)
        ((blob,),) = await self._redis(lambda: self.decided.read([(order.lease.unit, [key])]))
        listed = await self._redis(
            lambda: self.suppressions.kinds(request.tenant_id, request.address, kinds_for(request.channel))
        )
        others = others_planned(blob, request)
        begun = await self._redis(lambda: self.attempts.known(others))
        return Looked(blob, listed, begun)

    async def _denied(self, order: Order, code: str) -> Ending:
        """What may have left before is in doubt, whatever forbids to ask again."""
        if order.stored is not None:
            return await self.in_doubt(order, order.stored, INTERRUPTED)
        return Ending("failed", self.clock.now(), code=code)

    def _begin(self, provider: Provider, order: Order) -> Awaitable[Begun]:
        now, before = self.clock.now(), order.stored
        attempt = Attempt(
            now,
            provider=provider.name,
            until=now + round(1000 * (provider.channel.most_seconds + 2 * GRACE_SECONDS)),
            offset=order.offset,
            by=secrets.token_hex(4),
            reasks=0 if before is None else before.attempt.reasks + 1,
        )
        return self._redis(
            lambda: self.attempts.begin(
                order.key,
                attempt,
                partition=order.lease.unit,
                epoch=order.lease.claim.epoch,
                tenant_id=order.request.tenant_id,
                channel=order.request.channel,
                limits=self.providers.limits(provider, order.request.tenant_id),
                replaces=b"" if before is None else before.blob,
            )
        )

    def _not_begun(self, order: Order, begun: Begun) -> Result:
        now = self.clock.now()
        match begun.verdict:
            case "fenced":
                order.lease.held = False
                return None
            case "paused":
                return self.stopped(order)
            case "limited" if begun.limit is not None:
                # The next ones of this poll come one token later each.
                others = self._limited[begun.limit.name]
                self._limited[begun.limit.name] += 1
                wait = begun.wait_ms + round(1000 * others / begun.limit.per_second)
                until = min(now + wait, instant(order.request.expires_at))
                return Wait(until, parking.RATE_LIMITED, order.tries)
        assert begun.stored is not None  # noqa: S101 - the verdict is `known`
        attempt = begun.stored.attempt
        return attempt.ending or Wait(attempt.until, parking.SENDING, order.tries)

    async def _hand_over(self, provider: Provider, message: Message) -> Delivery | NotSent:
        channel = provider.channel
        try:
            async with asyncio.timeout(channel.most_seconds + GRACE_SECONDS):
                return await channel.send(message)
        except TimeoutError:
            return Delivery("unknown", code=NO_ANSWER)
        except NotSent as not_sent:
            return not_sent
        except NotReady as error:
            return NotSent(str(error), code="not_ready")
        except Exception as error:  # noqa: BLE001 - a provider that breaks its contract must not stop all others
            # Without what it says: that may be personal.
            log.error("provider_failed", provider=channel.name, error=type(error).__name__)  # noqa: TRY400
            return Delivery("unknown", code=INTERRUPTED)

    async def _answered(
        self, provider: Provider, order: Order, begun: Stored, answer: Delivery | NotSent
    ) -> Result | NotSent:
        if isinstance(answer, NotSent):
            if order.stored is not None:
                return answer  # this time nothing was sent; what happened the first time is as open as before
            await self._redis(lambda: self.attempts.withdraw(order.key, begun))
            return answer
        may_reask = provider.channel.idempotent and begun.attempt.reasks < self.settings.dispatch.reasks
        if answer.status == "unknown" and may_reask:
            tries = order.tries + 1
            until = self.backoff.next_try(self.clock.now(), tries, expires=instant(order.request.expires_at))
            return Wait(until, parking.REASKING, tries)
        ending = Ending(
            answer.status, self.clock.now(), provider=provider.name, provider_id=answer.provider_id, code=answer.code
        )
        return await self._redis(lambda: self.attempts.end(order.key, begun, ending))

    def _count(self, provider: Provider, permit: Permit, answer: Delivery | NotSent) -> None:
        """A refusal of one contact is a sign of health; no answer, or one to everything, is not."""
        breaker = provider.breaker
        if isinstance(answer, NotSent):
            status, failed, retry_after = "not_sent", answer.scope == "provider", answer.retry_after
        else:
            status, failed, retry_after = answer.status, answer.status == "unknown", None
        metrics.SENDS.labels(provider.name, status).inc()
        if failed:
            breaker.failed(permit, round(1000 * (retry_after or 0)))
        else:
            breaker.succeeded(permit)
        metrics.BREAKER_OPEN.labels(provider.name).set(breaker.state != "closed")

    def stopped(self, order: Order) -> Wait:
        until = self.backoff.soon(self.clock.now(), self.settings.dispatch.paused_ms, instant(order.request.expires_at))
        return Wait(until, parking.PAUSED, order.tries)

    async def in_doubt(self, order: Order, stored: Stored, code: str) -> Ending:
        """Nobody knows whether it left: it counts as sent, and is told to a person."""
        ending = Ending("unknown", self.clock.now(), provider=stored.attempt.provider, code=code)
        return await self._redis(lambda: self.attempts.end(order.key, stored, ending))

    def _redis(self, call: Callable[[], Awaitable[Answer]]) -> Awaitable[Answer]:
        return until_redis_answers(call, self.settings.sink_deadline_seconds)
