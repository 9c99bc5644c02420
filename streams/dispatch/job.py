"""One batch of contact requests: work on each, write down, tell. The order is the delivery guarantee.

Each request is begun in Redis before it is handed to its provider, and how it ended is written there at once. Then one
chained, fenced script a partition takes over outcomes, parked requests and offsets together, and one transaction
publishes what it holds. So a crash anywhere leaves either a request that nobody has begun, which is simply taken again;
or one that was begun, of which Redis says how it ended, or that nobody knows; or one that has ended, whose outcome is
published by whoever comes next. Each ends once, and is told once.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import structlog

from connectors.kafka.publisher import Publisher
from connectors.redis.attempts import Attempt, Ending
from connectors.redis.doubts import Doubt, note
from connectors.redis.ledger import Entry, Ledger, Record
from connectors.redis.pauses import STOPS, stops
from models.audit import MOST_RECORDS, Act, digest, key_of, link
from models.clock import Instant
from schemas.contacts import ContactRequested
from schemas.decode import Refusal, TopicDecoder
from streams import metrics
from streams.dead_letters import dead_letter
from streams.dispatch import parking
from streams.dispatch.asking import Order, Result
from streams.dispatch.outcome import records
from streams.dispatch.parking import Parked, Wait
from streams.dispatch.sending import Sending
from streams.lease import Message, Part
from streams.settings import StreamSettings
from streams.sinks import Outgoing, publish_held, until_redis_answers
from streams.take_over import offsets_to_commit

log = structlog.get_logger()
Answer = TypeVar("Answer")

REQUESTS = "contact-requests"
AUDIT_LOGS = "audit-logs"
JOB = "dispatch"
FIRST = "opt_out_confirmation"
"""Has minutes to go out, so it is worked on before everything else."""

decode_request = msgspec.json.Decoder(ContactRequested).decode


class Work(msgspec.Struct, eq=False):
    """One part of a poll, and what is made of it."""

    part: Part
    orders: list[Order] = []
    due: dict[str, Instant] = {}
    outbox: list[Record] = []
    repeated: int = 0
    """Messages of requests that were told of before or are parked."""
    results: list[tuple[Order, Result]] = []

    @property
    def unit(self) -> int:
        return int(str(self.part.lease.unit))


class Dispatch:
    """The dispatch job's work on one poll, apart from where polls come from.

    Args:
        ledger: of this job: parked requests, outboxes and offsets of each partition.
    """

    def __init__(self, *, ledger: Ledger, sending: Sending, publisher: Publisher, settings: StreamSettings) -> None:
        self.ledger = ledger
        self.sending = sending
        self.publisher = publisher
        self.settings = settings
        self.clock = sending.clock
        self.attempts = sending.asking.attempts
        self.decoder = TopicDecoder(REQUESTS)
        self._at_once = asyncio.Semaphore(4 * settings.dispatch.sends_at_once)

    async def settle(self, parts: list[Part]) -> None:
        """Take the parts of one poll from requests to committed outcomes, or to the place where they wait.

        Raises:
            SinkUnavailable: Redis or Kafka stayed away past the deadline.
            LedgerBehindLog: the chain of batches is broken.
        """
        began = time.perf_counter()
        works = await self._gather(parts)
        if not works:
            return
        gathered = time.perf_counter()
        await self._work_on(works)
        worked = time.perf_counter()
        works = [work for work in works if work.part.lease.held]
        await self._remember(works)
        entries = [self._entry(work) for work in works]
        written = await self._redis(lambda: self.ledger.write(entries))
        leases = {work.unit: work.part.lease for work in works}
        for entry in entries:
            if entry not in written:
                leases[entry.partition].held = False
        outgoing = [
            Outgoing(
                lease=leases[entry.partition],
                records=entry.outbox,
                offsets=offsets_to_commit(entry.partition, entry.offsets, entry.progress.epoch, entry.progress.batch),
            )
            for entry in written
        ]
        await publish_held(self.publisher, outgoing, self.settings.sink_deadline_seconds)
        for name, seconds in (
            ("read", gathered - began), ("send", worked - gathered), ("publish", time.perf_counter() - worked)
        ):  # fmt: skip
            metrics.BATCH_SECONDS.labels(JOB, name).observe(seconds)
        self._observe([work for work in works if work.part.lease.held])

    # -- in ------------------------------------------------------------------------------------------------------------

    async def _gather(self, parts: list[Part]) -> list[Work]:
        """The requests of each part: those that have just arrived, and those whose time to wait is over."""
        now = self.clock.now()
        works: list[Work] = []
        for part in parts:
            work = Work(part)
            if part.lease.claim.next_review <= now:
                work.due = await self._due(work.unit, now)
            if part.messages or work.due:
                works.append(work)
        if not works:
            return []
        for work in works:
            self._decode(work, now)
        parked = await self._parked(works)
        for work, found in zip(works, parked, strict=True):
            self._without_repetitions(work, found)
        known = await self._redis(lambda: self.attempts.known([o.key for work in works for o in work.orders]))
        for work in works:
            kept = []
            for order in work.orders:
                order.stored = known.get(order.key)
                if order.stored is not None and order.stored.attempt.offset not in (order.offset, -1):
                    work.repeated += 1
                else:
                    kept.append(order)
            work.orders = kept
        return works

    async def _due(self, unit: int, now: Instant) -> dict[str, Instant]:
        found = await self._redis(lambda: self.ledger.due(unit, now, self.settings.dispatch.batch_size))
        return dict(found)

    def _decode(self, work: Work, now: Instant) -> None:
        latest = datetime.fromtimestamp(now / 1000 + self.settings.decide.future_tolerance_seconds, UTC)
        for place, message in enumerate(work.part.messages):
            found = self._read(message, latest)
            if isinstance(found, Refusal):
                work.outbox.append(dead_letter(work.part, place, found, now))
                metrics.REFUSED.labels(REQUESTS, found.reason).inc()
            else:
                value = message.value() or b""
                work.orders.append(Order(work.part.lease, found, value, message.offset()))

    def _read(self, message: Message, latest: datetime) -> ContactRequested | Refusal:
        found: Any = self.decoder(message.value(), message.key(), latest)  # the topic has this one type
        request: ContactRequested | Refusal = found
        return request

    async def _parked(self, works: Sequence[Work]) -> list[dict[str, Parked]]:
        """What is parked of the requests that are due or have just arrived."""
        keys = [list(dict.fromkeys([*work.due, *(order.key for order in work.orders)])) for work in works]
        wanted = [(work.unit, [key.encode() for key in some]) for work, some in zip(works, keys, strict=True)]
        blobs = await self._redis(lambda: self.ledger.read(wanted))
        return [
            {key: parking.decode(blob) for key, blob in zip(some, found, strict=True) if blob is not None}
            for some, found in zip(keys, blobs, strict=True)
        ]

    def _without_repetitions(self, work: Work, parked: dict[str, Parked]) -> None:
        """Each key once: what is parked has been taken over from its message already."""
        orders: dict[str, Order] = {}
        for order in work.orders:
            if order.key in orders or order.key in parked:
                work.repeated += 1
            else:
                orders[order.key] = order
        for key in work.due:
            if (found := parked.get(key)) is not None:
                request = decode_request(found.value)
                orders[key] = Order(
                    work.part.lease, request, found.value, found.offset, tries=found.tries, reason=found.reason
                )
        work.orders = list(orders.values())

    # -- the work ------------------------------------------------------------------------------------------------------

    async def _work_on(self, works: Sequence[Work]) -> None:
        pressed = await self._redis(lambda: self.ledger.client.hgetall(self.attempts.slot + STOPS))
        self.sending.new_poll(stops(pressed))
        deadline = time.monotonic() + self.settings.dispatch.poll_seconds
        # The most urgent of every partition before the rest of any.
        orders = sorted((order for work in works for order in work.orders), key=lambda o: o.request.purpose != FIRST)
        results = await asyncio.gather(*(self._one(order, deadline) for order in orders))
        found = {id(order): result for order, result in zip(orders, results, strict=True)}
        for work in works:
            work.results = [(order, found[id(order)]) for order in work.orders]

    async def _one(self, order: Order, deadline: float) -> Result:
        async with self._at_once:
            if time.monotonic() < deadline or order.reason == parking.SENDING:
                return await self.sending.handle(order, deadline)
        return Wait(self.clock.now(), parking.BUSY, order.tries)

    async def _remember(self, works: Sequence[Work]) -> None:
        """Endings without a beginning, so that a repetition of the request ends like it; and doubts, for a person."""
        now = self.clock.now()
        ended = {
            order.key: Attempt(now, ending=result, offset=order.offset)
            for work in works
            for order, result in work.results
            if isinstance(result, Ending) and result.status == "failed" and result.provider is None
        }
        await self._redis(lambda: self.attempts.ended(ended))
        doubts = [
            _doubt(order.request, result)
            for work in works
            for order, result in work.results
            if isinstance(result, Ending) and result.status == "unknown"
        ]
        if doubts:
            await self._redis(lambda: note(self.ledger.client, self.attempts.slot, doubts))

    # -- out -----------------------------------------------------------------------------------------------------------

    def _entry(self, work: Work) -> Entry:
        """What becomes of one partition: outcomes to be told, requests that wait, and those that wait no more."""
        states: dict[str, bytes] = {}
        reviews: dict[str, int | None] = dict.fromkeys(work.due)
        forgotten: list[str] = []
        told: list[Record] = []
        for order, result in work.results:
            if isinstance(result, Ending):
                told += records(order.request, result)
                if order.reason is not None:
                    forgotten.append(order.key)
            elif result is not None:
                reviews[order.key] = result.until
                if (order.reason, order.tries) != (result.reason, result.tries):
                    parked = Parked(order.value, order.offset, result.reason, result.tries)
                    states[order.key] = parking.encode(parked)
        claim = work.part.lease.claim
        outbox = [*work.outbox, *told]
        audit = claim.audit
        for first in range(0, len(told), MOST_RECORDS):
            digests = [digest(value) for _, _, value, _ in told[first : first + MOST_RECORDS] if value is not None]
            act = Act(action="send", actor=JOB, subject=f"partition {work.unit}", at=self.clock.now(), records=digests)
            message, audit = link(audit, f"{JOB}-{work.unit}", act)
            outbox.append((AUDIT_LOGS, key_of(act), message, None))
        claim.audit = audit
        return Entry(
            partition=work.unit,
            progress=claim,
            offsets=work.part.end,
            outbox=outbox,
            states=states,
            reviews=reviews,
            forgotten=forgotten,
            audit=audit,
        )

    def _observe(self, works: Sequence[Work]) -> None:
        results = [result for work in works for _, result in work.results]
        endings = [result for result in results if isinstance(result, Ending)]
        for (status, code), times in Counter((e.status, (e.code or "").partition(":")[0]) for e in endings).items():
            metrics.ENDINGS.labels(status, code).inc(times)
        for status, times in Counter(ending.status for ending in endings).items():
            metrics.EVENTS.labels(JOB, status).inc(times)
        for reason, times in Counter(result.reason for result in results if isinstance(result, Wait)).items():
            metrics.PARKED.labels(reason).inc(times)
        if repeated := sum(work.repeated for work in works):
            metrics.EVENTS.labels(JOB, "repeated").inc(repeated)
        metrics.LAST_PROGRESS.labels(JOB).set(self.clock.now() / 1000)

    def _redis(self, call: Callable[[], Awaitable[Answer]]) -> Awaitable[Answer]:
        return until_redis_answers(call, self.settings.sink_deadline_seconds)


def _doubt(request: ContactRequested, ending: Ending) -> Doubt:
    return Doubt(
        contact_id=request.contact_id,
        tenant_id=request.tenant_id,
        account_id=request.account_id,
        channel=request.channel,
        at=ending.at,
        provider=ending.provider,
        code=ending.code,
        decision_id=request.decision_id,
    )
