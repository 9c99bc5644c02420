"""Collects the messages of each topic into blocks that close at an age, a number of rows or a size."""

from collections.abc import Container

import msgspec

from connectors.clickhouse.blocks import Span
from connectors.clickhouse.ownership import Owner
from models.clock import Instant
from schemas.registry import SOURCE_TOPICS
from streams.lease import Lease, Message, Part, arrived_at
from streams.settings import LandSettings


class Collected(msgspec.Struct, eq=False):
    """Messages of one topic, each partition's in the order of their offsets, under leases of one owner."""

    topic: str
    owner: Owner
    opened: Instant
    arrived: Instant
    """When its oldest message arrived."""
    leases: set[Lease] = msgspec.field(default_factory=set)
    messages: list[Message] = msgspec.field(default_factory=list)
    places: dict[int, tuple[int, int]] = msgspec.field(default_factory=dict)
    """Partition -> its first and last offset."""
    size: int = 0
    """In bytes of values."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """What it holds of each partition."""
        return tuple(Span(partition, first, last) for partition, (first, last) in sorted(self.places.items()))

    @property
    def held(self) -> bool:
        """Whether all of it is still ours; a rebalance takes all leases of an owner at once."""
        return all(lease.held for lease in self.leases)


def cut_partition(lease: Lease, messages: list[Message]) -> list[Part]:
    """Everything that arrived of one partition is one part; no message is looked at but the last."""
    start = lease.positions
    end = {lease.unit[0]: messages[-1].offset() + 1} if messages else start
    lease.positions = lease.fetched = end
    return [Part(lease=lease, start=start, end=end, messages=messages)]


Chain = tuple[str, Owner]
"""A topic and an owner of its partitions: their blocks land one after the other."""

NO_CHAINS: Container[Chain] = ()


class OpenBlocks:
    """The blocks that are being collected: at most one for each topic and owner."""

    def __init__(self, settings: LandSettings) -> None:
        self.settings = settings
        self._open: dict[Chain, Collected] = {}

    def add(self, part: Part, now: Instant) -> None:
        """Put a part's messages into its topic's block."""
        if not part.messages:
            return
        key = topic, owner = part.lease.unit[0], part.lease.claim.owner
        block = self._open.get(key)
        if block is None:
            block = self._open[key] = Collected(topic, owner, opened=now, arrived=arrived_at(part.messages[0]))
        block.arrived = min(block.arrived, arrived_at(part.messages[0]))
        block.leases.add(part.lease)
        block.messages += part.messages
        block.size += sum(map(len, part.messages))
        first, last = part.messages[0].offset(), part.messages[-1].offset()
        partition = part.lease.unit[1]
        block.places[partition] = block.places.get(partition, (first, first))[0], last

    def close(self, now: Instant, landing: Container[Chain] = NO_CHAINS) -> list[Collected]:
        """Take out the blocks that are due. Those that are not held are dropped: the next owner reads them again.

        Args:
            landing: chains whose last block has not landed yet. Their next one would only wait for it, so it stays open
                however old it is, until it is full: a server that is slow gets larger blocks instead of more of them.
        """
        due: list[Collected] = []
        for key, block in list(self._open.items()):
            if not block.held:
                del self._open[key]
            elif self._is_due(key, block, now, landing):
                due.append(self._open.pop(key))
        return due

    @property
    def rows(self) -> int:
        """Messages that are being collected."""
        return sum(len(block.messages) for block in self._open.values())

    @property
    def oldest(self) -> Instant | None:
        """When the oldest message that is being collected arrived; None: there is none."""
        return min((block.arrived for block in self._open.values()), default=None)

    def close_all(self) -> list[Collected]:
        """Take out every block that is held."""
        blocks, self._open = list(self._open.values()), {}
        return [block for block in blocks if block.held]

    def wants_turn(self, lease: Lease, now: Instant, landing: Container[Chain] = NO_CHAINS) -> bool:
        """Whether the block that a lease's messages are in is due though nothing arrives."""
        key = lease.unit[0], lease.claim.owner
        block = self._open.get(key)
        return block is not None and self._is_due(key, block, now, landing)

    def _is_due(self, key: Chain, block: Collected, now: Instant, landing: Container[Chain]) -> bool:
        settings = self.settings
        if len(block.messages) >= settings.block_rows or block.size >= settings.block_bytes:
            return True
        age = settings.block_seconds if block.topic in SOURCE_TOPICS else settings.own_block_seconds
        return now - block.opened >= age * 1000 and key not in landing
