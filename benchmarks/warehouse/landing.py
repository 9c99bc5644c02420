"""What views cost when rows land: the same blocks through the real sink without any view, with all, and with each alone."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psutil
from clickhouse_connect.driver.client import Client

from benchmarks import ground
from connectors.clickhouse.aggregates import aggregates, refreshed
from connectors.clickhouse.blocks import Block, Place, Span
from connectors.clickhouse.client import connect
from connectors.clickhouse.migrate import migrate
from connectors.clickhouse.ownership import Owner, Ownership
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.server import Server
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.statements import Name
from connectors.clickhouse.tables import table_of

BLOCK_ROWS = 20_000
MIX = {
    "payment-events": 3,
    "ledger-postings": 3,
    "propensity-scores": 4,
    "next-best-actions": 3,
    "contact-requests": 2,
    "interaction-events": 3,
    "customer-events": 2,
    "crm-events": 1,
}
"""Blocks of each topic in a round, in about the proportion in which a portfolio makes them."""
DATABASE = "recoup_landing"


class Stored(msgspec.Struct, frozen=True):
    """A message as it was landed, read back."""

    payload: bytes
    message_key: bytes
    number: int
    at: int

    def value(self) -> bytes:
        return self.payload

    def key(self) -> bytes:
        return self.message_key

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.number

    def timestamp(self) -> tuple[int, int]:
        return 1, self.at

    def headers(self) -> None:
        return None


class Spent(msgspec.Struct, frozen=True):
    """What landing some blocks took."""

    seconds: float
    """By the clock."""
    cpu: float
    """Seconds of processors, of the sink and the server together."""

    @classmethod
    def median(cls, several: "list[Spent]") -> "Spent":
        """Of each by itself."""
        return cls(statistics.median(one.seconds for one in several), statistics.median(one.cpu for one in several))


class Landing:
    """A database of its own on the same server, whose views can be taken away and put back."""

    def __init__(self, settings: ClickHouseSettings, blocks: dict[str, list[Block]]) -> None:
        own = settings.model_copy(update={"database": DATABASE})
        migrate(own)
        self.client = connect(own, answer_seconds=120)
        self.server = Server(own, deadline=120)
        self.sink = Sink(self.server)
        self.blocks = blocks
        self.owners: dict[str, Owner] = {
            topic: Ownership(self.server).claim([Place(topic, 0)], "bench")[Place(topic, 0)].owner for topic in blocks
        }
        self.landed = 0
        self.processes = [psutil.Process(os.getpid()), _server(own)]
        self.sources = {view.name: view.source for one in aggregates(self.server).values() for view in one.views}
        self.worked_out = [one.view for one in refreshed(self.server).values()]

    def attach(self, wanted: set[str], before: set[str]) -> set[str]:
        """Have exactly these views."""
        for view in before - wanted:
            self.client.command(f"DETACH TABLE {Name(view)}")
        for view in wanted - before:
            self.client.command(f"ATTACH TABLE {Name(view)}")
        return wanted

    def land(self, topics: list[str]) -> dict[str, Spent]:
        """Land each topic's blocks, and tell what each topic took. The tables are emptied again."""
        found: dict[str, Spent] = {}
        for topic in topics:
            began, used = time.perf_counter(), self._cpu()
            for block in self.blocks[topic]:
                # A block that was landed before would be recognised and dropped.
                span = Span(0, self.landed, self.landed + block.count - 1)
                self.landed += block.count
                self.sink.insert(self.owners[topic], msgspec.structs.replace(block, spans=(span,)))
            found[topic] = Spent(time.perf_counter() - began, self._cpu() - used)
            self.client.command(f"TRUNCATE TABLE {Name(table_of(topic).name)}")
        return found

    def _cpu(self) -> float:
        return sum(map(ground.cpu_seconds, self.processes))


def measured(landing: Landing, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Rows a second without views and with all, and the processor time that each view alone adds to a row of its table."""
    attached = landing.attach(set(), set(landing.sources) | set(landing.worked_out))
    rows = {topic: sum(block.count for block in blocks) for topic, blocks in landing.blocks.items()}
    topics = list(rows)
    landing.land(topics)  # files are warm
    bare: list[dict[str, Spent]] = []
    full: list[dict[str, Spent]] = []
    for number in range(rounds):
        attached = landing.attach(set(), attached)
        bare.append(landing.land(topics))
        attached = landing.attach(set(landing.sources), attached)
        full.append(landing.land(topics))
        tell(f"round {number + 1}: {_rate(rows, bare[-1]):,} rows/s without views, {_rate(rows, full[-1]):,} with all")
    without = {topic: Spent.median([spent[topic] for spent in bare]) for topic in topics}
    all_on = {topic: Spent.median([spent[topic] for spent in full]) for topic in topics}
    alone: dict[str, float] = {}
    for view, source in sorted(landing.sources.items()):
        topic = next((topic for topic in topics if table_of(topic).name == source), None)
        if topic is not None:
            attached = landing.attach({view}, attached)
            spent = Spent.median([landing.land([topic])[topic] for _ in range(rounds)])
            alone[view] = round((spent.cpu - without[topic].cpu) / rows[topic] * 1e6, 2)
            tell(f"{view}: {alone[view]:+.2f} us CPU a row")
    return {
        "rows": sum(rows.values()),
        "rows_per_second_without_views": _rate(rows, without),
        "rows_per_second_with_all": _rate(rows, all_on),
        "share_kept": round(_rate(rows, all_on) / _rate(rows, without), 3),
        "topics": {
            topic: {
                "rows_per_second_without_views": round(rows[topic] / without[topic].seconds),
                "rows_per_second_with_all": round(rows[topic] / all_on[topic].seconds),
                "cpu_us_a_row_without_views": round(without[topic].cpu / rows[topic] * 1e6, 2),
                "cpu_us_a_row_with_all": round(all_on[topic].cpu / rows[topic] * 1e6, 2),
            }
            for topic in topics
        },
        "cpu_us_a_row_of_each_view": dict(sorted(alone.items(), key=lambda one: -one[1])),
    }


def ready_blocks(client: Client, at: int) -> dict[str, list[Block]]:
    """Blocks as the worker would make them of messages that are landed already.

    Raises:
        ValueError: a message breaks its contract, so that the benchmark would land what nobody sends.
    """
    found: dict[str, list[Block]] = {}
    for topic, count in MIX.items():
        read = RowReader(topic)
        for number, messages in enumerate(_messages(client, topic, count, at)):
            rows = read(messages)
            if rows.refused:
                raise ValueError(f"{topic}: {rows.refused} of {rows.count} messages break the contract")
            span = Span(0, number * BLOCK_ROWS, number * BLOCK_ROWS + rows.count - 1)
            found.setdefault(topic, []).append(
                Block(topic=topic, spans=(span,), at=at, body=rows.body, count=rows.count)
            )
    return found


def _messages(client: Client, topic: str, blocks: int, at: int) -> Iterator[list[Stored]]:
    table = Name(table_of(topic).name)
    for number in range(blocks):
        rows = client.query(
            f"SELECT payload, _key FROM {table} LIMIT {BLOCK_ROWS} OFFSET {number * BLOCK_ROWS}"  # noqa: S608 - our own
        ).result_rows
        if rows:
            yield [Stored(payload.encode(), key.encode(), place, at) for place, (payload, key) in enumerate(rows)]


def _rate(rows: dict[str, int], spent: dict[str, Spent]) -> int:
    return round(sum(rows.values()) / sum(one.seconds for one in spent.values()))


def _server(settings: ClickHouseSettings) -> psutil.Process:
    """The process of the endpoint at that address."""
    port = str(urlsplit(settings.url).port)
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "recoup.stack.clickhouse_server" in line and port in line:
            return process
    raise LookupError(f"no local endpoint listens on {port}")
