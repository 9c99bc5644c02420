"""The right to work on a partition, from its assignment to its revocation, and the batches cut under it."""

from typing import Any, Protocol

import msgspec

from models.clock import Instant

Unit = Any
"""What one lease covers, hashable: a partition number across co-partitioned topics, or one topic-partition."""

Headers = list[tuple[str, bytes]]


class Message(Protocol):
    """A consumed message of confluent-kafka that is no error, and so has a place."""

    def __len__(self) -> int:
        """Bytes of the value."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Headers | None: ...
    def timestamp(self) -> tuple[int, int]: ...


def arrived_at(message: Message) -> Instant:
    """The message's time stamp in Kafka, in epoch milliseconds."""
    stamp: Instant = message.timestamp()[1]
    return stamp


class Lease(msgspec.Struct, eq=False):
    """One worker's hold on one unit. `held` turns false the moment a rebalance takes it away, and never true again."""

    unit: Unit
    group: Any
    """The consumer group's metadata when the unit was assigned. The broker checks the member's generation, not who owns
    the partition, so fresh metadata would let a former owner commit."""
    positions: dict[str, int]
    """Topic -> the next offset that the source will hand over."""
    fetched: dict[str, int] = {}
    """Topic -> the next offset that the source will fetch; ahead of `positions` while a part is being collected."""
    claim: Any = None
    """What the job recorded when it took the unit over (an epoch, a batch number)."""
    held: bool = True
    turned: float = 0.0
    """When the source last cut something for it, on the monotonic clock; 0 = not yet."""


class Part(msgspec.Struct, eq=False):
    """The messages of one unit in one poll, and the offsets that they span."""

    lease: Lease
    start: dict[str, int]
    end: dict[str, int]
    messages: list[Message]
    until: int | None = None
    """In a replay, the instant (epoch milliseconds) of the marker that closes this bucket; None when live."""


class Poll(msgspec.Struct, eq=False):
    """What one poll of the source brought: at most one part for each unit."""

    parts: list[Part]
