"""When a block closes, what is in it, and what becomes of it when its partitions are lost."""

from typing import Any

import pytest
from confluent_kafka import Message

from connectors.clickhouse.blocks import Place
from connectors.clickhouse.ownership import Claim, Owner
from streams.land.blocks import OpenBlocks
from streams.lease import Lease, Part
from streams.settings import LandSettings

SETTINGS = LandSettings(block_rows=10, block_seconds=1.0, own_block_seconds=2.0, block_bytes=1_000)
FIRST, SECOND = Owner(1, "a"), Owner(2, "b")


def lease(partition: int, owner: Owner = FIRST, topic: str = "payment-events") -> Lease:
    claim = Claim(Place(topic, partition), owner, first=True, mark=None)
    return Lease(unit=(topic, partition), group=None, positions={}, claim=claim)


def part(of: Lease, count: int, size: int = 10) -> Part:
    topic, partition = of.unit
    messages: list[Any] = [
        Message(topic=topic, partition=partition, offset=n, value=b"x" * size, timestamp=(1, 0)) for n in range(count)
    ]
    return Part(lease=of, start={}, end={}, messages=messages)


@pytest.mark.parametrize(
    ("count", "size", "age", "closes"),
    [(9, 10, 999, 0), (10, 10, 0, 1), (9, 10, 1000, 1), (2, 500, 0, 1), (2, 499, 0, 0)],
)
def test_a_block_closes_at_its_rows_its_age_or_its_size(count: int, size: int, age: int, closes: int) -> None:
    blocks = OpenBlocks(SETTINGS)
    blocks.add(part(lease(0), count, size), now=5_000)
    assert len(blocks.close(5_000 + age)) == closes


def test_what_recoup_says_itself_may_grow_older_than_what_sources_send() -> None:
    blocks, own = OpenBlocks(SETTINGS), lease(0, topic="next-best-actions")
    for one in (lease(0), own):
        blocks.add(part(one, 1), now=0)
    assert [block.topic for block in blocks.close(1_000)] == ["payment-events"]
    assert not blocks.wants_turn(own, 1_999)
    assert [block.topic for block in blocks.close(2_000)] == ["next-best-actions"]


def test_the_age_is_that_of_the_first_message() -> None:
    blocks, held = OpenBlocks(SETTINGS), lease(0)
    blocks.add(part(held, 1), now=0)
    blocks.add(part(held, 1), now=900)
    assert len(blocks.close(1_000)[0].messages) == 2


def test_partitions_of_a_topic_share_a_block_and_topics_do_not() -> None:
    blocks = OpenBlocks(SETTINGS)
    for one in (lease(0), lease(1), lease(0, topic="crm-events")):
        blocks.add(part(one, 3), now=0)
    assert sorted((block.topic, len(block.messages)) for block in blocks.close(1_000)) == [
        ("crm-events", 3),
        ("payment-events", 6),
    ]


def test_what_is_taken_out_is_not_taken_out_again() -> None:
    blocks = OpenBlocks(SETTINGS)
    blocks.add(part(lease(0), 10), now=0)
    assert blocks.close(0)
    assert not blocks.close(9_999)
    assert not blocks.close_all()


def test_a_block_whose_partitions_are_lost_is_dropped() -> None:
    blocks, lost = OpenBlocks(SETTINGS), lease(0)
    blocks.add(part(lost, 10), now=0)
    lost.held = False
    assert not blocks.close(0)
    assert not blocks.close_all()


def test_messages_of_a_new_owner_never_join_the_block_of_the_old_one() -> None:
    blocks, lost, regained = OpenBlocks(SETTINGS), lease(0, FIRST), lease(0, SECOND)
    blocks.add(part(lost, 5), now=0)
    lost.held = False
    blocks.add(part(regained, 5), now=0)
    (block,) = blocks.close(1_000)
    assert (block.owner, len(block.messages)) == (SECOND, 5)


def test_an_empty_part_opens_no_block() -> None:
    blocks, held = OpenBlocks(SETTINGS), lease(0)
    blocks.add(part(held, 0), now=0)
    assert not blocks.wants_turn(held, 10_000)


def test_a_block_asks_for_a_turn_when_it_is_due_and_not_before() -> None:
    blocks, held = OpenBlocks(SETTINGS), lease(0)
    blocks.add(part(held, 1), now=0)
    assert not blocks.wants_turn(held, 999)
    assert blocks.wants_turn(held, 1_000)
    assert not blocks.wants_turn(lease(0, topic="crm-events"), 1_000)


def test_while_its_topic_is_landing_a_block_grows_until_it_is_full() -> None:
    blocks, held = OpenBlocks(SETTINGS), lease(0)
    landing = {("payment-events", FIRST)}
    blocks.add(part(held, 9), now=0)
    assert blocks.close(60_000, landing) == []
    assert not blocks.wants_turn(held, 60_000, landing)
    assert blocks.wants_turn(held, 60_000, {("payment-events", SECOND)})
    blocks.add(part(held, 1), now=60_000)
    assert [len(block.messages) for block in blocks.close(60_000, landing)] == [10]
