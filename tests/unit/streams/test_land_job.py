"""Blocks of a topic land in their order, whatever takes long; one that cannot land ends the worker."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Message, TopicPartition

from connectors.clickhouse.blocks import Block, Place
from connectors.clickhouse.ownership import Claim, Owner
from models.clock import SetClock
from schemas.errors import LostLease, SinkUnavailable
from streams.land.job import Land
from streams.lease import Lease, Part
from streams.settings import LandSettings, StreamSettings

OWNER = Owner(1, "w")
LAND = LandSettings(block_rows=2, waiting_rows=6)


class Recorded:
    """A sink that remembers, and does before each insert what the test asks."""

    def __init__(self, before: Callable[[Block], None] = lambda _: None) -> None:
        self.before = before
        self.landed: list[str] = []

    def insert(self, owner: Owner, block: Block, wanted: Callable[[], bool]) -> None:
        self.before(block)
        if not wanted():
            raise LostLease("lost")
        self.landed.append(block.token)


class Upstream:
    def __init__(self) -> None:
        self.committed: dict[tuple[str, int], int] = {}
        self.crashed: list[BaseException] = []

    async def commit(self, offsets: list[TopicPartition]) -> None:
        self.committed |= {(offset.topic, offset.partition): offset.offset or 0 for offset in offsets}

    async def crash(self, reason: BaseException) -> None:
        self.crashed.append(reason)


def land(sink: Recorded, drain_seconds: float = 5.0) -> tuple[Land, Upstream]:
    settings = StreamSettings(land=LAND, drain_seconds=drain_seconds)
    job = Land(sink=sink, clock=SetClock(1_000), settings=settings)  # type: ignore[arg-type]
    job.upstream = upstream = Upstream()
    return job, upstream


def lease(topic: str = "payment-events", partition: int = 0) -> Lease:
    claim = Claim(Place(topic, partition), OWNER, first=True, mark=None)
    return Lease(unit=(topic, partition), group=None, positions={}, claim=claim)


def part(of: Lease, first: int, count: int = 2, at: int = 0) -> Part:
    topic, partition = of.unit
    messages: list[Any] = [
        Message(topic=topic, partition=partition, offset=first + n, value=json.dumps({}).encode(), timestamp=(1, at))
        for n in range(count)
    ]
    return Part(lease=of, start={}, end={}, messages=messages)


def waits_for(event: threading.Event) -> Callable[[Block], None]:
    def wait(_: Block) -> None:
        event.wait(10)

    return wait


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in a thread
            await asyncio.sleep(0.005)


async def test_blocks_of_a_topic_land_in_their_order_and_are_committed() -> None:
    sink = Recorded()
    job, upstream = land(sink)
    held = lease()
    for first in (0, 2, 4):
        job.take([part(held, first)])
    await job.flush()
    assert sink.landed == [f"payment-events:0:{first}-{first + 1}" for first in (0, 2, 4)]
    assert upstream.committed == {("payment-events", 0): 6}


async def test_a_slow_topic_does_not_hold_up_another() -> None:
    slow = threading.Event()

    def wait(block: Block) -> None:
        if block.topic == "payment-events":
            slow.wait(10)

    sink = Recorded(before=wait)
    job, _ = land(sink)
    job.take([part(lease(), 0), part(lease("crm-events"), 0)])
    await until(lambda: sink.landed == ["crm-events:0:0-1"])
    slow.set()
    await job.flush()
    assert sink.landed[1] == "payment-events:0:0-1"


async def test_a_slow_server_gets_larger_blocks_and_not_more_of_them() -> None:
    slow = threading.Event()
    sink = Recorded(before=waits_for(slow))
    job, _ = land(sink)
    held = lease()
    job.take([part(held, 0)])
    job.take([part(held, 2, count=1)])
    job.clock = SetClock(60_000)
    job.take([])
    assert job.blocks.rows == 1  # old enough, and still open: it would only wait
    slow.set()
    await until(lambda: len(sink.landed) == 1 and job.wants_turn(held))
    job.take([])
    await job.flush()
    assert sink.landed == ["payment-events:0:0-1", "payment-events:0:2-2"]


async def test_the_oldest_message_is_told_until_its_block_is_visible() -> None:
    slow = threading.Event()
    job, _ = land(Recorded(before=waits_for(slow)))
    job.take([part(lease(), 0, at=7_000), part(lease("crm-events"), 0, at=4_000)])
    told = [job.oldest]
    slow.set()
    await job.flush()
    assert [*told, job.oldest] == [4_000, None]


async def test_after_a_block_that_could_not_land_no_later_one_does() -> None:
    def refuse(block: Block) -> None:
        if block.spans[0].first == 2:
            raise SinkUnavailable("away")

    sink = Recorded(before=refuse)
    job, upstream = land(sink)
    held = lease()
    for first in (0, 2, 4):
        job.take([part(held, first)])
    await job.flush()
    assert sink.landed == ["payment-events:0:0-1"]
    assert [type(reason) for reason in upstream.crashed] == [SinkUnavailable]
    assert upstream.committed == {("payment-events", 0): 2}


async def test_a_block_of_lost_partitions_is_given_up_without_ending_the_worker() -> None:
    held = lease()
    sink = Recorded(before=lambda _: setattr(held, "held", False))
    job, upstream = land(sink)
    job.take([part(held, 0)])
    await job.flush()
    assert (sink.landed, upstream.crashed, upstream.committed) == ([], [], {})


async def test_being_refused_though_the_partitions_are_held_ends_the_worker() -> None:
    def refuse(_: Block) -> None:
        raise LostLease("owned by another")

    job, upstream = land(Recorded(before=refuse))
    job.take([part(lease(), 0)])
    await job.flush()
    assert [type(reason) for reason in upstream.crashed] == [LostLease]


async def test_no_more_is_taken_while_too_many_rows_wait() -> None:
    away = threading.Event()
    sink = Recorded(before=waits_for(away))
    job, _ = land(sink)
    held = lease()
    for first in (0, 2, 4):
        job.take([part(held, first)])
    waiting = asyncio.ensure_future(job.room())
    await asyncio.wait([waiting], timeout=0.05)
    assert not waiting.done()
    away.set()
    await asyncio.wait_for(waiting, 10)
    await job.flush()


async def test_a_stop_lands_what_has_been_collected() -> None:
    sink = Recorded()
    job, upstream = land(sink)
    job.take([part(lease(), 0, count=1)])
    assert sink.landed == []
    await job.flush()
    assert sink.landed == ["payment-events:0:0-0"]
    assert upstream.committed == {("payment-events", 0): 1}


async def test_a_stop_does_not_wait_for_ever_for_a_server_that_is_away() -> None:
    away = threading.Event()
    sink = Recorded(before=waits_for(away))
    job, upstream = land(sink, drain_seconds=0.05)
    job.take([part(lease(), 0)])
    async with asyncio.timeout(5):
        await job.flush()
    away.set()  # what comes back now is not wanted any more
    await until(lambda: not job._chains)
    assert (sink.landed, upstream.crashed) == ([], [])


@pytest.mark.parametrize("topic", ["payment-events", "payment-events.dlq"])
async def test_each_topic_has_a_reader(topic: str) -> None:
    sink = Recorded()
    job, _ = land(sink)
    job.take([part(lease(topic), 0)])
    await job.flush()
    assert sink.landed == [f"{topic}:0:0-1"]
