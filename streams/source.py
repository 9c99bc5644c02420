"""Messages in batches, each under a lease: nothing is handed over twice, skipped, or kept after its partition is lost."""

import asyncio
import contextlib
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import faust
import structlog
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka import reading
from connectors.kafka.settings import KafkaSettings
from schemas.errors import DrainTimeout, NotReady
from streams.channel import BatchChannel
from streams.consumer import ConsumerThread
from streams.flights import Flight, Flights
from streams.lease import Lease, Message, Part, Poll, Unit
from streams.settings import StreamSettings

log = structlog.get_logger()

TakeOver = Callable[[Iterable[Lease]], Awaitable[None]]
"""Called with new leases before anything is consumed: sets each lease's `positions` and `claim`."""

Cut = Callable[[Lease, list[Message]], list[Part]]
"""Turns what arrived for a lease into parts; advances the lease's positions."""

BACK_PRESSURE_SECONDS = 1.0
"""A full channel is waited for this long before the partitions are paused: pausing throws away what librdkafka has
already fetched, and a batch takes a tenth of this."""

KEEP_ALIVE_SECONDS = 0.05
"""How long each poll of paused partitions takes."""

SILENCE_SECONDS = 10.0
"""After so long without a message another client looks whether there are any."""
SECOND_LOOK_SECONDS = 1.0
"""When there are, this client gets so long to bring one."""

QUIET_SECONDS = 1.0
"""What there is comes sooner."""

UNKNOWN = -1
"""A position that the take-over has yet to set."""


def cut_whole(lease: Lease, messages: list[Message]) -> list[Part]:
    """Everything that arrived is one part."""
    start = lease.positions
    end = dict(start)
    for message in messages:
        end[message.topic()] = message.offset() + 1
    lease.positions = lease.fetched = end
    return [Part(lease=lease, start=start, end=end, messages=messages)]


class BatchSource(faust.Service):
    """Consumes topics with librdkafka and puts polls on a channel.

    Rebalance callbacks run inside a poll, on the consumer's thread: a revocation takes the leases away at once and lets
    the batch in flight end; whatever the poll still returns afterwards belongs to a lost lease and is dropped. New
    partitions are taken over outside the callback, and only then fetched.

    Args:
        wants_turn: whether a lease for which nothing has arrived is due all the same; it has its turn when no poll is on
            its way.
        turn_within: seconds since its last turn after which it has one beside polls on their way too, so that a
            neighbour who is behind does not keep it waiting. Only for a job that reads what is due when it settles a
            poll, and settles one after the other.
    """

    def __init__(  # noqa: PLR0913 - one place says all about a source
        self,
        channel: BatchChannel,
        *,
        kafka: KafkaSettings,
        settings: StreamSettings,
        group: str,
        instance: str,
        topics: list[str],
        unit_of: Callable[[str, int], Unit],
        take_over: TakeOver,
        cut: Cut = cut_whole,
        wants_turn: Callable[[Lease], bool] = lambda lease: False,
        turn_within: float = math.inf,
        before_start: Callable[[], Awaitable[None]] | None = None,
        before_leave: Callable[[], Awaitable[None]] | None = None,
        job: str = "",
        batch_size: int = 5_000,
        linger_ms: int = 20,
        consumer_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channel = channel
        self.kafka = kafka
        self.settings = settings
        self.group = group
        self.instance = instance
        self.topics = topics
        self.unit_of = unit_of
        self.take_over = take_over
        self.cut = cut
        self.wants_turn = wants_turn
        self.turn_within = turn_within
        self.before_start = before_start
        self.before_leave = before_leave
        self.job = job
        self.batch_size = batch_size
        self.leases: dict[Unit, Lease] = {}
        self.assigned: list[TopicPartition] | None = None
        """Partitions given to us whose take-over is still to be done."""
        self.committed_for = ""
        """What a job that commits says of its offsets, for the next owner to read."""
        self.rebalances = 0
        self.consumer = ConsumerThread(
            kafka,
            group,
            instance,
            session_timeout=settings.session_timeout_seconds,
            batch_size=batch_size,
            linger=linger_ms / 1000,
            options=consumer_options or {},
        )
        self.flights = Flights(self._crash_soon)
        self._generation: Any = None
        self._partitions: list[TopicPartition] = []
        self._pumping: asyncio.Task[Any] | None = None
        self._pump_ended = asyncio.Event()
        self._pump_ended.set()
        self._failure: BaseException | None = None
        self._turned = 0.0
        self._heard = time.monotonic()

    # -- the loop ------------------------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        if self.before_start is not None:
            await self.before_start()
        await self.consumer.join(
            self.topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    @faust.Service.task
    async def pump(self) -> None:
        """Poll until stopped; anything unexpected ends the worker."""
        self._pumping = asyncio.current_task()
        self._pump_ended.clear()
        try:
            while not self.should_stop:
                await self._turn()
        except asyncio.CancelledError:
            # An app that is stopped while it starts never tells this part of it.
            if not self.should_stop and not self.channel.app.should_stop:
                await self.crash(RuntimeError(f"The source of {self.group} was cancelled."))
            raise
        finally:
            self._pump_ended.set()

    async def _turn(self) -> None:
        """One poll of the consumer, and what follows from it."""
        self._turned = time.monotonic()
        seen = self.rebalances
        messages = await self.consumer.poll()
        if self._failure is not None:
            raise self._failure
        if self.rebalances != seen:
            messages = []  # fetched under leases that are gone; the take-over decides where to go on
        if self.should_stop:
            return
        if self.assigned is not None:
            await self._take_over()
            self._heard = time.monotonic()
            return
        await self._watch_silence(heard=bool(messages))
        behind = 2 * len(messages) >= self.batch_size
        for poll in self._polls(messages):
            await self._hand_over(poll, behind=behind)

    async def _watch_silence(self, *, heard: bool) -> None:
        """End the worker when its client brings nothing although the topics hold more.

        librdkafka never fetches a partition again for which a restarting broker once answered that it has no leader
        (confluentinc/librdkafka#5430); a new client does, and the next start makes one.
        """
        now = time.monotonic()
        if heard or not self.leases:
            self._heard = now
        elif now - self._heard > SILENCE_SECONDS:
            positions, seen = self._positions(), self.rebalances
            stalled = await asyncio.get_running_loop().run_in_executor(None, reading.holds_more, self.kafka, positions)
            again = stalled and await self.consumer.anything(SECOND_LOOK_SECONDS)
            if self.rebalances != seen:
                return  # the take-over decides where to go on
            if stalled and not again:
                raise NotReady(
                    f"{self.instance}: Kafka holds more messages, but this client brings none since the broker was away."
                    " The worker ends, and its next start goes on where it was."
                )
            if again:
                # Fetched once more from our own positions, in their turn.
                await self.consumer.go_on(self._positions())
            self._heard = time.monotonic()

    def _polls(self, messages: list[Message]) -> list[Poll]:
        """Group what arrived by lease; the n-th part of each lease goes into the n-th poll."""
        arrived: defaultdict[Unit, list[Message]] = defaultdict(list)
        unit_of = self.unit_of
        for message in messages:
            arrived[unit_of(message.topic(), message.partition())].append(message)
        polls: list[Poll] = []
        now, idle = time.monotonic(), not self.flights.outstanding
        for unit, lease in self.leases.items():
            batch = arrived.get(unit)
            has_turn = idle or now - lease.turned > self.turn_within
            if batch is None and not (has_turn and self.wants_turn(lease)):
                continue
            lease.turned = now
            for number, part in enumerate(self.cut(lease, batch or [])):
                if number == len(polls):
                    polls.append(Poll(parts=[]))
                polls[number].parts.append(part)
        return polls

    async def _hand_over(self, poll: Poll, *, behind: bool) -> None:
        """Put a poll on the channel.

        A worker that is behind goes on with the next poll at once. One that is not waits until this one is done: what
        arrives meanwhile is one poll then, instead of several that queue up behind each other.

        A full channel pauses the partitions; the consumer goes on being polled, so that the group never takes a busy
        worker for a dead one.
        """
        if self.should_stop:
            return  # whoever owns it next reads it again
        self.flights.expect(poll)
        put = asyncio.ensure_future(self._put(poll, behind=behind))
        paused = False
        seen = self.rebalances
        while not (await asyncio.wait({put}, timeout=BACK_PRESSURE_SECONDS))[0]:
            if not paused:
                await self.consumer.pause()
                paused = True
            await self.consumer.anything(KEEP_ALIVE_SECONDS)
        put.result()
        self._heard = time.monotonic()  # while the job was busy nobody listened
        if paused and self.rebalances == seen:
            # Where to go on is our own position, not librdkafka's: what it returned while paused was not handed over.
            await self.consumer.go_on(self._positions())

    async def _put(self, poll: Poll, *, behind: bool) -> None:
        await self.channel.put(poll)  # type: ignore[arg-type]  # any value, says Faust
        if not behind:
            await self.flights.drained.wait()

    # -- leases --------------------------------------------------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.rebalances += 1
        self.assigned = partitions
        self._generation = consumer.consumer_group_metadata()
        consumer.assign([])  # fetch nothing before the take-over has said from where

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._drop_leases()
        if not self.flights.settled.wait(self.settings.drain_seconds):
            self._failure = DrainTimeout(
                f"{self.group}: the batch in flight did not end within {self.settings.drain_seconds:g} s of a"
                " rebalance."
            )

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._drop_leases()

    def _drop_leases(self) -> None:
        self.rebalances += 1
        self.assigned = None
        for lease in self.leases.values():
            lease.held = False
        self.leases = {}

    async def _take_over(self) -> None:
        partitions, self.assigned = self.assigned or [], None
        seen = self.rebalances
        leases: dict[Unit, Lease] = {}
        for partition in partitions:
            unit = self.unit_of(partition.topic, partition.partition)
            lease = leases.setdefault(unit, Lease(unit=unit, group=self._generation, positions={}))
            lease.positions[partition.topic] = UNKNOWN
        log.info("assigned", group=self.group, units=len(leases), instance=self.instance)
        await self.take_over(leases.values())
        if self.rebalances != seen:
            return
        for lease in leases.values():
            lease.fetched = lease.positions
        self.leases = leases
        self._partitions = partitions
        await self.consumer.go_on(self._positions())

    def _positions(self) -> list[TopicPartition]:
        return [
            TopicPartition(p.topic, p.partition, self.leases[self.unit_of(p.topic, p.partition)].fetched[p.topic])
            for p in self._partitions
        ]

    async def commit(self, offsets: list[TopicPartition]) -> None:
        """Commit offsets of a job that does not commit them in a transaction, with the job's `committed_for`."""
        note = self.committed_for
        await self.consumer.commit([TopicPartition(p.topic, p.partition, p.offset, note) for p in offsets])

    # -- the agent's side ----------------------------------------------------------------------------------------------

    def in_flight(self, poll: Poll) -> "contextlib.AbstractAsyncContextManager[Flight]":
        """The parts of a poll whose lease is still held. A revocation waits until the flight has ended."""
        return self.flights.begin(poll)

    def _crash_soon(self, failure: BaseException) -> None:
        self._crashing = asyncio.ensure_future(self.crash(failure))

    async def unread(self) -> int:
        """Messages that its partitions hold and that have not been handed over, as the last fetch said.

        Offsets between may be markers of transactions, which are no messages. So a client that has listened for a while
        and has heard nothing has read everything.
        """
        leases = self.leases
        ends = await self.consumer.fetched_ends(self._partitions)
        if not self.flights.outstanding and time.monotonic() - self._heard > QUIET_SECONDS:
            return 0
        return sum(
            max(0, end - lease.fetched[topic])
            for (topic, partition), end in ends.items()
            if (lease := leases.get(self.unit_of(topic, partition))) is not None
        )

    def health(self) -> dict[str, Any]:
        """Whether the worker makes progress: `ready`, and what it does (`starting`, `joining`, `working`, `stuck`)."""
        now = time.monotonic()
        stuck_after = 2 * self.settings.session_timeout_seconds
        if not self._turned:
            state = "starting"
        elif now - self._turned > stuck_after or self.flights.longest() > stuck_after:
            state = "stuck"
        elif not self.rebalances or self.assigned is not None:
            state = "joining"
        else:
            state = "working"
        return {
            "ready": state == "working",
            "state": state,
            "units": len(self.leases),
            "queued": self.flights.outstanding,
        }

    # -- the end -------------------------------------------------------------------------------------------------------

    async def on_stop(self) -> None:
        """Consume no more, let what was handed over be finished, leave the group."""
        if not self.consumer.joined:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain_seconds):
                await self._pump_ended.wait()  # before that it may still hand something over
                await self.flights.drained.wait()
        if self._pumping is not None and not self._pump_ended.is_set():
            self._pumping.cancel()  # it waits for room in a channel that the job does not empty
            await self._pump_ended.wait()
        if self.before_leave is not None:
            await self.before_leave()
        await self.consumer.leave()
