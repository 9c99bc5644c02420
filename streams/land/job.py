"""From collected messages to visible rows: the blocks of one topic land one after the other, others meanwhile."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import structlog
from confluent_kafka import TopicPartition

from connectors.clickhouse.blocks import Block
from connectors.clickhouse.rows import Arrivals, RowReader
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.tables import landed_topics
from models.clock import Clock, Instant
from schemas.errors import LostLease
from streams import metrics
from streams.land.blocks import Chain, Collected, OpenBlocks
from streams.lease import Lease, Part
from streams.settings import StreamSettings

log = structlog.get_logger()

JOB = "land"


class Upstream(Protocol):
    """Where polls come from."""

    async def commit(self, offsets: list[TopicPartition]) -> None: ...
    async def crash(self, reason: BaseException) -> None: ...


class Land:
    """The land job's work on one poll, apart from where polls come from.

    A topic's blocks are a chain: each waits for the one before it, so that the greatest offset in the table always says
    how far a partition has landed. While one block is being inserted, the next ones are read.

    `upstream` has to be set before the first poll: it is told how far partitions have landed, and why the job cannot
    go on.
    """

    upstream: Upstream

    def __init__(
        self,
        *,
        sink: Sink,
        clock: Clock,
        settings: StreamSettings,
    ) -> None:
        self.sink = sink
        self.clock = clock
        self.settings = settings.land
        self.blocks = OpenBlocks(settings.land)
        self._drain_seconds = settings.drain_seconds
        self._stopped = False
        self._readers = {topic: RowReader(topic) for topic in landed_topics()}
        self._read = ThreadPoolExecutor(1, thread_name_prefix="read-rows")
        self._insert = ThreadPoolExecutor(settings.land.insert_threads, thread_name_prefix="insert")
        self._chains: dict[Chain, asyncio.Task[bool]] = {}
        self._waiting = 0
        self._closed: set[Collected] = set()
        self._room = asyncio.Event()
        self._room.set()
        self._landed: dict[tuple[str, int], int] = {}
        self._committing: asyncio.Task[None] | None = None

    async def warm_up(self) -> None:
        """Do what is slow only the first time (pyarrow looks for pandas, a second) before a block waits for it."""
        await asyncio.get_running_loop().run_in_executor(self._read, next(iter(self._readers.values())), [])

    async def room(self) -> None:
        """Wait until so few rows wait for ClickHouse that more may be taken."""
        await self._room.wait()

    def take(self, parts: list[Part]) -> None:
        """Collect the parts of one poll, and send the blocks that are due on their way."""
        now = self.clock.now()
        for part in parts:
            self.blocks.add(part, now)
        for block in self.blocks.close(now, self._chains):
            self._send(block)
        metrics.ROWS_WAITING.set(self.blocks.rows + self._waiting)

    @property
    def oldest(self) -> Instant | None:
        """When the oldest message that has been taken and has not landed arrived; None: there is none."""
        waiting = [block.arrived for block in self._closed]
        if (open_since := self.blocks.oldest) is not None:
            waiting.append(open_since)
        return min(waiting, default=None)

    def wants_turn(self, lease: Lease) -> bool:
        """Whether a partition needs a poll though nothing arrives."""
        return self.blocks.wants_turn(lease, self.clock.now(), self._chains)

    async def flush(self) -> None:
        """Land what has been collected and tell Kafka; for a worker that stops."""
        for block in self.blocks.close_all():
            self._send(block)
        if self._chains:
            await asyncio.wait(self._chains.values(), timeout=self._drain_seconds)
        self._stopped = True  # what has not landed by now is read again by the next owner
        if self._committing is not None:
            await asyncio.wait([self._committing], timeout=self._drain_seconds)
        self._read.shutdown(wait=False)
        self._insert.shutdown(wait=False)

    # -- one block -----------------------------------------------------------------------------------------------------

    def _send(self, collected: Collected) -> None:
        chain = collected.topic, collected.owner
        self._waiting += len(collected.messages)
        self._closed.add(collected)
        if self._waiting >= self.settings.waiting_rows:
            self._room.clear()
        task = asyncio.ensure_future(self._land(collected, self._chains.get(chain)))
        self._chains[chain] = task
        task.add_done_callback(lambda done: self._forget(chain, done))

    def _forget(self, chain: Chain, done: asyncio.Task[bool]) -> None:
        if self._chains.get(chain) is done:
            del self._chains[chain]

    async def _land(self, collected: Collected, before: asyncio.Task[bool] | None) -> bool:
        """Land one block after the one before it; False when it or an earlier one could not be landed."""
        loop = asyncio.get_running_loop()
        count = len(collected.messages)
        try:
            block, arrived = await loop.run_in_executor(self._read, self._block, collected)
            collected.messages = []
            if before is not None and not await before:
                return False
            await loop.run_in_executor(self._insert, self._insert_block, collected, block)
        except LostLease as lost:
            if collected.held and not self._stopped:
                await self.upstream.crash(lost)
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, going on would skip this block
            await self.upstream.crash(error)
            return False
        else:
            self._has_landed(block, arrived)
            return True
        finally:
            self._closed.discard(collected)
            self._waiting -= count
            metrics.ROWS_WAITING.set(self.blocks.rows + self._waiting)
            if self._waiting < self.settings.waiting_rows:
                self._room.set()

    def _block(self, collected: Collected) -> tuple[Block, Arrivals]:
        began = time.perf_counter()
        topic = collected.topic
        rows = self._readers[topic](collected.messages)
        block = Block(
            topic=topic,
            spans=collected.spans,
            at=self.clock.now(),
            body=rows.body,
            count=rows.count,
        )
        metrics.ROWS_REFUSED.labels(topic).inc(rows.refused)
        metrics.BATCH_SECONDS.labels(JOB, "read").observe(time.perf_counter() - began)
        return block, rows.arrived

    def _insert_block(self, collected: Collected, block: Block) -> None:
        began = time.perf_counter()
        self.sink.insert(collected.owner, block, lambda: collected.held and not self._stopped)
        metrics.BATCH_SECONDS.labels(JOB, "insert").observe(time.perf_counter() - began)

    def _has_landed(self, block: Block, arrived: Arrivals) -> None:
        now = self.clock.now()
        metrics.EVENT_TO_ROW.observe(block.topic, np.maximum(now - arrived, 0) / 1000)
        metrics.ROWS.labels(block.topic).inc(block.count)
        metrics.BLOCKS.labels(block.topic).inc()
        metrics.LAST_PROGRESS.labels(JOB).set(now / 1000)
        for span in block.spans:
            self._landed[block.topic, span.partition] = span.last + 1
        if self._committing is None or self._committing.done():
            self._committing = asyncio.ensure_future(self._commit_landed())

    async def _commit_landed(self) -> None:
        """Commit what has landed so far; what lands meanwhile goes into the next round."""
        while self._landed:
            offsets = [TopicPartition(topic, p, offset) for (topic, p), offset in self._landed.items()]
            self._landed = {}
            try:
                await self.upstream.commit(offsets)
            except Exception as error:  # noqa: BLE001 - the tables hold the truth; the next block commits again
                log.warning("commit_failed", job=JOB, error=type(error).__name__)
