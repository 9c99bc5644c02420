"""The examples of the contracts, landed: a small warehouse with rows of every type in every table."""

import json
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Message

from connectors.clickhouse.blocks import Block, Place, Span
from connectors.clickhouse.ownership import Ownership
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.server import Server
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.sink import Sink
from tests.contract.examples import key_of, valid

ARRIVED = 1_767_225_600_000
"""2026-01-01, when all of them arrived and landed."""


def land_examples(settings: ClickHouseSettings, *tenants: str) -> None:
    """Land every valid example of every topic, once for each tenant, through the sink."""
    server = Server(settings, deadline=20)
    sink, ownership = Sink(server), Ownership(server)
    for topic in sorted({example.topic for example in valid()}):
        messages = list(_messages(topic, tenants))
        rows = RowReader(topic)(messages)
        place = Place(topic, 0)
        owner = ownership.claim([place], "w")[place].owner
        span = Span(0, 0, len(messages) - 1)
        sink.insert(owner, Block(topic=topic, spans=(span,), at=ARRIVED, body=rows.body, count=rows.count))
    server.close()


def _messages(topic: str, tenants: tuple[str, ...]) -> Iterator[Any]:
    offset = 0
    for example in valid():
        for tenant in tenants if example.topic == topic else ():
            said = example.parsed | ({"tenant_id": tenant} if example.parsed.get("tenant_id") else {})
            value, key = json.dumps(said).encode(), key_of(topic, said)
            yield Message(topic=topic, partition=0, offset=offset, key=key, value=value, timestamp=(1, ARRIVED))
            offset += 1
