"""Lands made-up messages in a database of a test's own: in blocks of any size and order, each more than once."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from confluent_kafka import Message

from connectors.clickhouse.blocks import Block, Place, spans
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.tables import table_name
from models.clock import Instant
from tests.integration.test_clickhouse_sink import Warehouse

PARTITIONS = 4
CUT_SHORT = 0.2
Sent = tuple[str, bytes, bytes]
"""Topic, key, value."""


def blocks(
    sent: Iterable[Sent],
    at: Instant,
    draw: random.Random,
    arrived: Instant | None = None,
    *,
    headers: Any = None,
    first: int = 0,
) -> list[Block]:
    """Messages as they lie in their partitions, cut into blocks of their topic.

    Args:
        at: when the blocks are closed.
        arrived: when the messages had arrived; within the second before `at` when it is not said.
        first: the offset that each partition begins with.
    """
    logs: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)
    for topic, key, value in sent:
        log = logs[topic, sum(key) % PARTITIONS]
        stamp = at - draw.randrange(1_000) if arrived is None else arrived
        log.append(
            Message(
                topic=topic,
                partition=sum(key) % PARTITIONS,
                offset=first + len(log),
                key=key,
                value=value,
                headers=headers,
                timestamp=(1, stamp),
            )
        )
    found: list[Block] = []
    for (topic, _), log in logs.items():
        read = RowReader(topic)
        begin = 0
        while begin < len(log):
            piece = log[begin : begin + draw.randrange(1, 600)]
            begin += len(piece)
            rows = read(piece)
            of = spans((message.partition(), message.offset()) for message in piece)
            found.append(Block(topic=topic, spans=of, at=at, body=rows.body, count=rows.count))
    return found


def land(warehouse: Warehouse, cut: list[Block], draw: random.Random) -> None:
    """Every block, in any order, half of them twice; one in five first without one of the views, as if cut short there."""
    owners = {
        topic: warehouse.owner(*(Place(topic, number) for number in range(PARTITIONS)))
        for topic in {b.topic for b in cut}
    }
    repeated = [block for block in cut for _ in range(draw.choice((1, 2)))]
    draw.shuffle(repeated)
    for block in repeated:
        if draw.random() < CUT_SHORT:
            view = draw.choice(views_on(warehouse, block.topic))
            warehouse.client.command(f"DETACH TABLE {view}")
            warehouse.sink.insert(owners[block.topic], block)
            warehouse.client.command(f"ATTACH TABLE {view}")
        warehouse.sink.insert(owners[block.topic], block)


def views_on(warehouse: Warehouse, topic: str) -> list[str]:
    """The materialized views that rows of a topic go through."""
    ((found,),) = warehouse.client.query(
        "SELECT dependencies_table FROM system.tables WHERE database = {d:String} AND name = {t:String}",
        parameters={"d": warehouse.settings.database, "t": table_name(topic)},
    ).result_rows
    return list(found)


def refresh(warehouse: Warehouse, *names: str) -> None:
    """Work out anew what depends on what has landed, in the order that is given."""
    for name in names:
        warehouse.client.command(f"SYSTEM REFRESH VIEW {name}_refreshed")
        warehouse.client.command(f"SYSTEM WAIT VIEW {name}_refreshed")


def rows(warehouse: Warehouse, view: str, order: str) -> Iterator[dict[str, Any]]:
    """The rows of a view by the names of their columns."""
    answer = warehouse.client.query(f"SELECT * FROM {view} ORDER BY {order}")  # noqa: S608 - our own
    for row in answer.result_rows:
        yield dict(zip(answer.column_names, row, strict=True))
