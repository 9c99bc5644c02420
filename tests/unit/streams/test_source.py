"""What is handed over, when, and what a rebalance does to it: the source with a consumer that says what it is told to."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

import streams.source
from connectors.kafka import reading
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady
from streams.lease import Lease, Poll
from streams.settings import StreamSettings
from streams.source import BatchSource

TOPIC = "payment-events"
BATCH = 4
PLACES = [TopicPartition(TOPIC, 0)]
DEADLINE = 5.0


class Message:
    def __init__(self, offset: int) -> None:
        self._offset = offset

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, 0


class Consumer:
    """Answers polls from a list, with a rebalance in any of them."""

    joined = True

    def __init__(self) -> None:
        self.polls: deque[Any] = deque()
        self.calls: list[tuple[Any, ...]] = []
        self.any: Any = lambda: False
        self.asked = asyncio.Event()

    async def poll(self) -> list[Message]:
        await asyncio.sleep(0)
        found = self.polls.popleft() if self.polls else []
        return found() if callable(found) else found

    async def anything(self, seconds: float) -> bool:
        self.calls.append(("anything", seconds))
        self.asked.set()
        return bool(self.any())

    async def pause(self) -> None:
        self.calls.append(("pause",))

    async def go_on(self, positions: list[TopicPartition]) -> None:
        self.calls.append(("go_on", [place.offset for place in positions]))

    def assign(self, places: list[TopicPartition]) -> None:
        self.calls.append(("assign", places))

    def consumer_group_metadata(self) -> str:
        return "generation"


class Channel:
    """Takes polls while it has room."""

    def __init__(self) -> None:
        self.app = SimpleNamespace(should_stop=False)
        self.polls: list[Poll] = []
        self.room = asyncio.Event()
        self.room.set()
        self.came = asyncio.Event()

    async def put(self, poll: Poll) -> None:
        await self.room.wait()
        self.polls.append(poll)
        self.came.set()

    def offsets(self) -> list[list[int]]:
        return [[message.offset() for part in poll.parts for message in part.messages] for poll in self.polls]


async def take_over(leases: Iterable[Lease]) -> None:
    for lease in leases:
        lease.positions = {TOPIC: 0}


@pytest.fixture
async def source() -> Any:
    """One that owns partition 0 from offset 0 on."""
    made: Any = BatchSource(
        Channel(),  # type: ignore[arg-type]
        kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        settings=StreamSettings(),
        group="group",
        instance="slot-0",
        topics=[TOPIC],
        unit_of=lambda topic, partition: partition,
        take_over=take_over,
        batch_size=BATCH,
    )
    made.consumer = Consumer()
    assign(made)
    await made._turn()
    made.consumer.calls.clear()
    return made


def assign(source: Any) -> list[Message]:
    source._on_assign(source.consumer, PLACES)
    return []


def lose(source: Any) -> None:
    source._on_revoke(source.consumer, PLACES)


def messages(*offsets: int) -> list[Message]:
    return [Message(offset) for offset in offsets]


async def land(source: Any) -> None:
    """Do what a job does with the last poll."""
    async with source.in_flight(source.channel.polls[-1]):
        pass


async def test_who_is_behind_takes_the_next_poll_at_once(source: Any):
    source.consumer.polls += [messages(0, 1, 2, 3), messages(4, 5, 6, 7)]
    for _ in range(2):
        await asyncio.wait_for(source._turn(), DEADLINE)
    assert source.channel.offsets() == [[0, 1, 2, 3], [4, 5, 6, 7]]


async def test_who_is_not_behind_takes_the_next_poll_when_the_last_is_done(source: Any):
    source.consumer.polls += [messages(0)]
    turn = asyncio.ensure_future(source._turn())
    await asyncio.wait_for(source.channel.came.wait(), DEADLINE)
    await asyncio.sleep(0)
    assert not turn.done()
    await land(source)
    await asyncio.wait_for(turn, DEADLINE)


async def test_a_full_channel_pauses_and_goes_on_where_it_was(source: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams.source, "BACK_PRESSURE_SECONDS", 0.001)
    source.channel.room.clear()
    source.consumer.polls += [messages(0, 1, 2, 3)]
    turn = asyncio.ensure_future(source._turn())
    await asyncio.wait_for(source.consumer.asked.wait(), DEADLINE)
    source.channel.room.set()
    await asyncio.wait_for(turn, DEADLINE)
    assert source.consumer.calls[0] == ("pause",)
    assert source.consumer.calls[-1] == ("go_on", [4])


async def test_what_a_poll_brings_with_a_rebalance_is_fetched_again(source: Any):
    def rebalanced() -> list[Message]:
        lose(source)
        assign(source)
        return messages(0, 1)

    source.consumer.polls += [rebalanced]
    await asyncio.wait_for(source._turn(), DEADLINE)
    assert not source.channel.polls
    assert source.consumer.calls[-1] == ("go_on", [0])


async def test_a_lost_lease_is_never_held_again(source: Any):
    (lease,) = source.leases.values()
    lose(source)
    assign(source)
    await asyncio.wait_for(source._turn(), DEADLINE)
    assert (lease.held, lease in source.leases.values()) == (False, False)


async def test_parts_that_wait_in_the_channel_are_lost_with_their_lease(source: Any):
    source.consumer.polls += [messages(0, 1, 2, 3)]
    await asyncio.wait_for(source._turn(), DEADLINE)
    lose(source)
    async with source.in_flight(source.channel.polls[0]) as flight:
        assert flight.parts == []


@pytest.mark.parametrize("stopping", [False, True])
async def test_a_pump_that_is_cancelled_is_a_crash_unless_the_app_stops(source: Any, *, stopping: bool):
    source.channel.app.should_stop = stopping
    crashes: list[BaseException] = []

    async def crash(reason: BaseException) -> None:
        crashes.append(reason)

    source.crash = crash
    pump = asyncio.ensure_future(BatchSource.pump(source))
    await asyncio.sleep(0.01)
    pump.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(pump, DEADLINE)
    assert len(crashes) == (0 if stopping else 1)


@pytest.fixture
def silent(source: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A source that has heard nothing for too long, while another client sees messages."""
    monkeypatch.setattr(reading, "holds_more", lambda *_: True)
    source._heard -= 2 * streams.source.SILENCE_SECONDS
    return source


async def test_a_client_that_brings_nothing_though_there_is_more_ends_the_worker(silent: Any):
    with pytest.raises(NotReady, match="this client brings none"):
        await asyncio.wait_for(silent._turn(), DEADLINE)


async def test_a_client_that_brings_something_after_all_fetches_it_in_its_turn(silent: Any):
    silent.consumer.any = lambda: True
    await asyncio.wait_for(silent._turn(), DEADLINE)
    assert silent.consumer.calls[-1] == ("go_on", [0])


@pytest.mark.parametrize("brings", [False, True])
async def test_a_rebalance_at_the_second_look_is_no_fault(silent: Any, *, brings: bool):
    def rebalance() -> bool:
        lose(silent)
        return brings

    silent.consumer.any = rebalance
    await asyncio.wait_for(silent._turn(), DEADLINE)
    assert [name for name, *_ in silent.consumer.calls] == ["anything"]


def a_neighbour_wants_a_turn(source: Any) -> None:
    source.leases[1] = Lease(unit=1, group="generation", positions={TOPIC: 7})
    source.wants_turn = lambda lease: lease.unit == 1


async def test_what_is_due_in_one_partition_gets_its_turn_beside_the_messages_of_another(source: Any):
    a_neighbour_wants_a_turn(source)
    (poll,) = source._polls(messages(0))
    assert [(part.lease.unit, len(part.messages), part.end) for part in poll.parts] == [
        (0, 1, {TOPIC: 1}),
        (1, 0, {TOPIC: 7}),
    ]


async def test_what_is_due_waits_while_another_poll_is_on_its_way(source: Any):
    a_neighbour_wants_a_turn(source)
    source.flights.expect(Poll(parts=[]))
    (poll,) = source._polls(messages(0))
    assert [part.lease.unit for part in poll.parts] == [0]


async def test_what_is_due_does_not_wait_for_a_neighbour_that_stays_behind(source: Any):
    source.turn_within = 60.0
    a_neighbour_wants_a_turn(source)
    source.leases[1].turned = time.monotonic()
    source.consumer.polls += [messages(0, 1, 2, 3), messages(4, 5, 6, 7), messages(8, 9, 10, 11)]
    await asyncio.wait_for(source._turn(), DEADLINE)  # no poll was on its way before this one
    await asyncio.wait_for(source._turn(), DEADLINE)
    source.leases[1].turned -= 61.0
    await asyncio.wait_for(source._turn(), DEADLINE)
    assert [[part.lease.unit for part in poll.parts] for poll in source.channel.polls] == [[0, 1], [0], [0, 1]]
    assert time.monotonic() - source.leases[1].turned < 60.0  # and the next turn is as far away again


async def test_a_turn_beside_polls_on_their_way_begins_where_they_end(source: Any):
    source.turn_within = 60.0
    source.wants_turn = lambda lease: True
    (lease,) = source.leases.values()
    source.consumer.polls += [messages(0, 1, 2, 3), []]
    await asyncio.wait_for(source._turn(), DEADLINE)
    lease.turned -= 61.0
    turn = asyncio.ensure_future(source._turn())
    while len(source.channel.polls) < 2:
        source.channel.came.clear()
        await asyncio.wait_for(source.channel.came.wait(), DEADLINE)
    (part,) = source.channel.polls[1].parts
    assert (part.start, part.end, part.messages) == ({TOPIC: 4}, {TOPIC: 4}, [])
    for poll in source.channel.polls:
        async with source.in_flight(poll):
            pass
    await asyncio.wait_for(turn, DEADLINE)
