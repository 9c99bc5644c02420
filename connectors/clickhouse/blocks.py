"""What lands together: the next messages of one or more partitions of one topic, told apart from all others by a token."""

from collections.abc import Iterable

import msgspec

from models.clock import Instant

REBUILT = "rebuilt:"
"""Begins the name of a block that views have never been sent: its rows were landed again, or copied, into a new table."""


class Place(msgspec.Struct, frozen=True):
    """One partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


class Span(msgspec.Struct, frozen=True, order=True):
    """Messages of one partition, from the first to the last offset; between them there may be some without a message."""

    partition: int
    first: int
    last: int


class Block(msgspec.Struct, frozen=True):
    """Rows of one topic that become visible together.

    Blocks of single partitions would be purer and cost seven times as much at low rates: a small insert takes ten
    milliseconds of the server, whatever is in it.
    """

    topic: str
    spans: tuple[Span, ...]
    """Of each of its partitions, in their order."""
    at: Instant
    """When it was closed. The same when it is sent again: the server keeps tokens by month."""
    body: bytes
    """One Arrow stream with one record batch."""
    count: int
    rebuilt: bool = False
    """Whether it goes into a table that no view is on."""

    @property
    def name(self) -> str:
        """What its rows say they came in."""
        return REBUILT + self.token if self.rebuilt else self.token

    @property
    def token(self) -> str:
        """`payment-events:0:100-199,3:50-80`."""
        return f"{self.topic}:" + ",".join(f"{span.partition}:{span.first}-{span.last}" for span in self.spans)

    @property
    def places(self) -> list[Place]:
        return [Place(self.topic, span.partition) for span in self.spans]


def parse(token: str) -> tuple[str, tuple[Span, ...]]:
    """Topic and spans of the block of that token."""
    topic, _, spans = token.partition(":")
    return topic, tuple(_span(span) for span in spans.split(","))


def spans(offsets: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    """The spans of messages given as (partition, offset), each partition's in order."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for partition, offset in offsets:
        first.setdefault(partition, offset)
        last[partition] = offset
    return tuple(Span(partition, first[partition], last[partition]) for partition in sorted(first))


def _span(text: str) -> Span:
    partition, _, offsets = text.partition(":")
    first, _, last = offsets.partition("-")
    return Span(int(partition), int(first), int(last))
