"""One batch of contact requests: look again, write down, send, write down, tell. The order is the delivery guarantee.

A contact is begun in Redis before it is handed to its channel, and its outcome and its offset are one transaction. So a
crash anywhere leaves either a request that nobody has begun, which is simply taken again, or one that was begun: then
the channel is asked again under the same key if it knows keys, and if it does not, the contact is told as `unknown`,
which counts as sent. What was begun is never judged a second time: it may have left.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from confluent_kafka import TopicPartition

from connectors.channels.channel import Channel, Delivery
from connectors.kafka.publisher import Publisher
from connectors.redis.attempts import Attempt, Attempts, Ending
from connectors.redis.ledger import Ledger, Record
from models.clock import Clock
from models.compliance.gate import Gate
from schemas.contacts import ContactRequested
from schemas.control import Tenant
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import account_key
from schemas.errors import NotReady, SinkUnavailable
from streams import metrics
from streams.dead_letters import dead_letter
from streams.dispatch.check import objection
from streams.dispatch.outcome import record
from streams.lease import Message, Part
from streams.settings import StreamSettings
from streams.sinks import Outgoing, publish_held, until_redis_answers

Answer = TypeVar("Answer")

REQUESTS = "contact-requests"
NO_CHANNEL = "no_channel"
JOB = "dispatch"


class Order(msgspec.Struct):
    """One request of a batch, and the place of its part."""

    place: int
    request: ContactRequested

    @property
    def key(self) -> str:
        return self.request.idempotency_key


class Dispatch:
    """The dispatch job's work on one poll, apart from where polls come from.

    Args:
        decided: the ledger of the decide job, which holds the accounts' states; only read.
        channels: by channel name (`email`, `sms` ...); a request for another one fails.
        tenants: by id; read anew for every batch.
    """

    def __init__(  # noqa: PLR0913 - what it works with, by name
        self,
        *,
        decided: Ledger,
        attempts: Attempts,
        channels: Mapping[str, Channel],
        publisher: Publisher,
        tenants: Mapping[str, Tenant],
        gate: Gate,
        clock: Clock,
        settings: StreamSettings,
    ) -> None:
        self.decided = decided
        self.attempts = attempts
        self.channels = channels
        self.publisher = publisher
        self.tenants = tenants
        self.gate = gate
        self.clock = clock
        self.settings = settings
        self.decoder = TopicDecoder(REQUESTS)
        self._sending = asyncio.Semaphore(settings.dispatch.sends_at_once)

    async def settle(self, parts: list[Part]) -> None:
        """Take the parts of one poll from requests to committed outcomes.

        Raises:
            SinkUnavailable: Redis, Kafka or a channel stayed away past the deadline.
        """
        parts = [part for part in parts if part.messages]
        if not parts:
            return
        began = time.perf_counter()
        orders, outboxes = self._decode(parts)
        known = await self._redis(lambda: self.attempts.known([order.key for order in orders]))
        endings = await self._judge(parts, [order for order in orders if order.key not in known])
        to_send = [order for order in orders if order.key not in endings and not _ended(known.get(order.key))]
        fresh = [order.key for order in to_send if order.key not in known]
        await self._redis(lambda: self.attempts.begin(fresh, self.clock.now()))
        looked = time.perf_counter()
        sent = await self._send_all(to_send, known)
        await self._redis(lambda: self.attempts.end(sent))
        told = time.perf_counter()
        endings |= sent | {key: attempt.ending for key, attempt in known.items() if attempt.ending is not None}
        for order in orders:
            outboxes[order.place].append(record(order.request, endings[order.key]))
        await self._publish(parts, outboxes)
        for name, seconds in (
            ("check", looked - began), ("send", told - looked), ("publish", time.perf_counter() - told)
        ):  # fmt: skip
            metrics.BATCH_SECONDS.labels(JOB, name).observe(seconds)
        for outcome, times in Counter(endings[order.key].status for order in orders).items():
            metrics.EVENTS.labels(JOB, outcome).inc(times)
        metrics.LAST_PROGRESS.labels(JOB).set(self.clock.now() / 1000)

    # -- before ---------------------------------------------------------------------------------------------------------

    def _decode(self, parts: list[Part]) -> tuple[list[Order], list[list[Record]]]:
        """The requests, each key once, and for each part its dead letters."""
        now = self.clock.now()
        latest = datetime.fromtimestamp(now / 1000 + self.settings.decide.future_tolerance_seconds, UTC)
        orders: dict[str, Order] = {}
        outboxes: list[list[Record]] = [[] for _ in parts]
        for number, part in enumerate(parts):
            for place, message in enumerate(part.messages):
                found = self._read(message, latest)
                if isinstance(found, Refusal):
                    outboxes[number].append(dead_letter(part, place, found, now))
                    metrics.REFUSED.labels(REQUESTS, found.reason).inc()
                else:
                    orders.setdefault(found.idempotency_key, Order(number, found))
        return list(orders.values()), outboxes

    def _read(self, message: Message, latest: datetime) -> ContactRequested | Refusal:
        found: Any = self.decoder(message.value(), message.key(), latest)  # the topic has this one type
        request: ContactRequested | Refusal = found
        return request

    async def _judge(self, parts: list[Part], orders: list[Order]) -> dict[str, Ending]:
        """How those end that must not leave now. The states are read at the last moment."""
        by_partition: dict[int, list[Order]] = {}
        for order in orders:
            by_partition.setdefault(int(str(parts[order.place].lease.unit)), []).append(order)
        wanted = [
            (partition, [account_key(order.request.tenant_id, order.request.account_id) for order in some])
            for partition, some in by_partition.items()
        ]
        blobs = await self._redis(lambda: self.decided.read(wanted))
        now = self.clock.now()
        endings: dict[str, Ending] = {}
        for some, states in zip(by_partition.values(), blobs, strict=True):
            for order, blob in zip(some, states, strict=True):
                code = objection(order.request, blob, self.tenants, self.gate, now)
                if code is None and order.request.channel not in self.channels:
                    code = NO_CHANNEL
                if code is not None:
                    endings[order.key] = Ending("failed", now, code=code)
        return endings

    # -- sending --------------------------------------------------------------------------------------------------------

    async def _send_all(self, orders: list[Order], known: Mapping[str, Attempt]) -> dict[str, Ending]:
        endings = await asyncio.gather(*(self._send(order, known.get(order.key)) for order in orders))
        return {order.key: ending for order, ending in zip(orders, endings, strict=True)}

    async def _send(self, order: Order, attempt: Attempt | None) -> Ending:
        """Hand one contact to its channel, or say that nobody knows, when it may have been handed over before."""
        channel = self.channels[order.request.channel]
        if attempt is not None and not channel.idempotent:
            return self._ending(Delivery("unknown", code="interrupted"), channel)
        deadline = time.monotonic() + self.settings.sink_deadline_seconds
        while True:
            try:
                async with self._sending, asyncio.timeout(self.settings.dispatch.send_seconds):
                    return self._ending(await channel.send(order.request, order.key), channel)
            except TimeoutError:
                return self._ending(Delivery("unknown", code="timeout"), channel)
            except NotReady as error:  # surely nothing was sent
                if time.monotonic() > deadline:
                    raise SinkUnavailable(f"{JOB}: the channel {channel.name} stayed away: {error}") from error
                await asyncio.sleep(0.1)

    def _ending(self, delivery: Delivery, channel: Channel) -> Ending:
        return Ending(
            delivery.status,
            self.clock.now(),
            provider=channel.name,
            provider_id=delivery.provider_id,
            code=delivery.code,
        )

    # -- after ----------------------------------------------------------------------------------------------------------

    async def _publish(self, parts: list[Part], outboxes: list[list[Record]]) -> None:
        """Outcomes, dead letters and offsets as one transaction, of the partitions that are still ours.

        Those of a lost partition are left to its new owner, who finds in Redis how they ended.
        """
        outgoing = [
            Outgoing(
                lease=part.lease,
                records=outbox,
                offsets=[
                    TopicPartition(topic, int(str(part.lease.unit)), offset) for topic, offset in part.end.items()
                ],
            )
            for part, outbox in zip(parts, outboxes, strict=True)
        ]
        await publish_held(self.publisher, outgoing, self.settings.sink_deadline_seconds)

    def _redis(self, call: Callable[[], Awaitable[Answer]]) -> Awaitable[Answer]:
        return until_redis_answers(call, self.settings.sink_deadline_seconds)


def _ended(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.ending is not None
