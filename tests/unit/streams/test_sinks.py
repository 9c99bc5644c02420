"""Redis and Kafka that fail are asked again, until a deadline; what is no longer ours is not published."""

from typing import Any

import pytest
from confluent_kafka import TopicPartition
from redis.exceptions import ConnectionError as RedisConnectionError

import streams.sinks
from schemas.errors import SinkUnavailable, TransactionAborted
from streams.lease import Lease
from streams.sinks import Outgoing, publish_held, until_redis_answers


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.sinks, "PAUSE_SECONDS", 0.0)


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, times: int, failure: Exception) -> None:
        self.times = times
        self.failure = failure
        self.published: list[tuple[list[Any], list[TopicPartition], Any]] = []
        self.lost_on_failure: Lease | None = None

    async def __call__(self) -> str:
        if self.times:
            self.times -= 1
            raise self.failure
        return "answer"

    async def publish(self, records: list[Any], offsets: list[TopicPartition], group: object) -> None:
        if self.times and self.lost_on_failure is not None:
            self.lost_on_failure.held = False
        await self()
        self.published.append((records, offsets, group))


def outgoing(unit: int, *, held: bool = True) -> Outgoing:
    lease = Lease(unit=unit, group="generation", positions={}, held=held)
    return Outgoing(lease, [("topic", b"key", b"%d" % unit, None)], [TopicPartition("topic", unit, 7)])


@pytest.mark.parametrize("failure", [RedisConnectionError("away"), ConnectionResetError("away")])
async def test_redis_is_asked_again(failure: Exception):
    assert await until_redis_answers(Flaky(3, failure), 60.0) == "answer"


async def test_redis_that_stays_away_is_given_up_without_its_words():
    with pytest.raises(SinkUnavailable, match=r"did not answer for 0 s \(ConnectionError\)") as caught:
        await until_redis_answers(Flaky(1_000_000, RedisConnectionError("secret")), 0.0)
    assert "secret" not in str(caught.value)


async def test_all_that_is_held_goes_out_in_one_transaction():
    publisher: Any = Flaky(0, RuntimeError())
    first, lost, second = outgoing(0), outgoing(1, held=False), outgoing(2)
    assert await publish_held(publisher, [first, lost, second], 60.0) == [first, second]
    ((records, offsets, group),) = publisher.published
    assert [value for _, _, value, _ in records] == [b"0", b"2"]
    assert [(place.partition, place.offset) for place in offsets] == [(0, 7), (2, 7)]
    assert group == "generation"


async def test_an_aborted_transaction_is_tried_again_without_what_was_lost_meanwhile():
    publisher: Any = Flaky(1, TransactionAborted("aborted"))
    first, second = outgoing(0), outgoing(1)
    publisher.lost_on_failure = first.lease
    assert await publish_held(publisher, [first, second], 60.0) == [second]
    ((records, _, group),) = publisher.published
    assert ([value for _, _, value, _ in records], group) == ([b"1"], "generation")


async def test_nothing_is_published_when_everything_was_lost():
    publisher: Any = Flaky(0, RuntimeError())
    assert await publish_held(publisher, [outgoing(0, held=False)], 60.0) == []
    assert not publisher.published


async def test_kafka_that_refuses_to_the_end_is_given_up():
    publisher: Any = Flaky(1_000_000, TransactionAborted("aborted"))
    with pytest.raises(SinkUnavailable, match="Kafka refused a batch until the deadline"):
        await publish_held(publisher, [outgoing(0)], 0.0)
