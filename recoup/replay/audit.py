"""Follows a replay to its end and compares what every party counts with the file that it came from."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Self

import msgspec

from connectors.clickhouse.client import connect as connect_clickhouse
from connectors.clickhouse.counts import count_rows
from connectors.clickhouse.ledger import Landed, count_markers, landed_ledger
from connectors.kafka.counts import count_messages
from connectors.kafka.offsets import Offsets
from connectors.kafka.reading import partitions_of
from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger as StateLedger
from recoup.demo.books import Books, differences
from recoup.replay.ledger import Ledger
from recoup.settings import Settings
from schemas.registry import SOURCE_TOPICS, topic_named
from streams.decide.agent import GROUP, JOB

LOOK_SECONDS = 0.25
SILENCE_SECONDS = 120.0
"""Past this without any change, what is still missing counts as lost."""


class Verdict(msgspec.Struct):
    """What came of a replay."""

    books: Books
    landed: Landed
    differences: list[str]

    @property
    def reconciled(self) -> bool:
        return not self.differences


class Audit:
    """Reads what the ledger, the topics and the tables count. Use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.loop = asyncio.Runner()
        self.states = StateLedger(connect_async(settings.redis), settings.redis.prefix, JOB)
        self.clickhouse = connect_clickhouse(settings.clickhouse)
        self.sources = Offsets(settings.kafka, GROUP, partitions_of(settings.kafka, SOURCE_TOPICS))
        self.units = range(topic_named(SOURCE_TOPICS[0]).partitions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sources.close()
        self.loop.run(self.states.client.aclose())  # type: ignore[attr-defined]
        self.loop.close()
        self.clickhouse.close()

    def holds_events(self) -> str | None:
        """Where the stack holds something already, in words; None when it is empty."""
        for (topic, _), offsets in self.sources.held().items():
            if offsets:
                return f"the topic {topic} holds messages"
        if any(self.loop.run(self.states.states(unit)) for unit in self.units):
            return "Redis holds account states"
        for topic, (rows, _) in self.rows().items():
            if rows and topic in (*SOURCE_TOPICS, "next-best-actions"):
                return f"ClickHouse holds rows of {topic}"
        return None

    def counters(self) -> dict[str, int]:
        """What the ledger counts: `applied`, `dropped:<reason>`, `dead_lettered:<reason>`."""
        return self.loop.run(self.states.counters(self.units))

    def rows(self) -> dict[str, tuple[int, int]]:
        """What each topic has in its table: rows, different places."""
        return count_rows(self.clickhouse, self.settings.clickhouse.database)

    def messages(self, topics: tuple[str, ...]) -> dict[str, int]:
        """What each topic holds."""
        counted = count_messages(self.settings.kafka, topics)
        return {topic: sum(partitions.values()) for topic, partitions in counted.items()}

    def wait_decided(self, look: Callable[[int], None]) -> None:
        """Wait until decide has committed everything; `look` is told how much is left."""
        _until_still(self.sources.left, look)

    def wait_landed(self, look: Callable[[int], None]) -> None:
        """Wait until every message has its row; nothing may be producing any more."""
        wanted = self.messages(tuple(count_rows(self.clickhouse, self.settings.clickhouse.database)))
        _until_still(lambda: sum(wanted.values()) - sum(rows for rows, _ in self.rows().values()), look)

    def verdict(self, ledger: Ledger, tenant_id: str, markers: Counter[str]) -> Verdict:
        """Add everything up. Markers are messages and rows, and no events: they are taken off both sides."""
        counters, rows = self.counters(), self.rows()
        messages = self.messages(tuple(rows))
        marked = count_markers(self.clickhouse, self.settings.clickhouse.database)
        books = Books(
            messages={topic: count - markers.get(topic, 0) for topic, count in messages.items()},
            applied=counters.get("applied", 0),
            dropped=_under(counters, "dropped:"),
            dead_lettered=_under(counters, "dead_lettered:"),
            rows={topic: count - marked.get(topic, 0) for topic, (count, _) in rows.items()},
            places={topic: places - marked.get(topic, 0) for topic, (_, places) in rows.items()},
        )
        landed = landed_ledger(self.clickhouse, self.settings.clickhouse.database, tenant_id)
        found = differences(books)
        found += [
            f"{topic} was closed by {markers[topic]:,} markers and ClickHouse holds {marked[topic]:,}"
            for topic in SOURCE_TOPICS
            if markers[topic] != marked[topic]
        ]
        return Verdict(books, landed, found + _against_file(ledger, books, landed))


def _against_file(ledger: Ledger, books: Books, landed: Landed) -> list[str]:
    found = []
    if books.produced != len(ledger.messages):
        found.append(f"the file makes {len(ledger.messages):,} events and the topics hold {books.produced:,}")
    if landed.invoices != ledger.invoices:
        found.append(f"the file holds {ledger.invoices:,} invoices and ClickHouse {landed.invoices:,}")
    for currency in sorted(ledger.paid_minor.keys() | landed.paid_minor.keys()):
        said, there = ledger.paid_minor.get(currency, 0), landed.paid_minor.get(currency, 0)
        if said != there:
            found.append(f"{said:,} minor units of {currency} were paid by the file and {there:,} by ClickHouse")
    return found


def _until_still(left: Callable[[], int], look: Callable[[int], None]) -> None:
    """Wait until nothing is left, or until nothing has changed for too long."""
    before, changed = -1, time.monotonic()
    while (now := left()) > 0:
        look(now)
        if now != before:
            before, changed = now, time.monotonic()
        elif time.monotonic() - changed > SILENCE_SECONDS:
            return
        time.sleep(LOOK_SECONDS)


def _under(counters: dict[str, int], prefix: str) -> dict[str, int]:
    found = {name.removeprefix(prefix): times for name, times in counters.items() if name.startswith(prefix)}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
