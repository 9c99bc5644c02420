"""What chains record against the messages as they are: one that was changed, removed or made up is found."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from models.audit import DIGEST_BYTES, Verifier, raw_digest

MOST_AT_ONCE = 2_000_000
"""Recorded digests that are held as single objects, about 200 bytes each, unless one partition has more."""

Rows = Iterable[tuple[str, int, bytes]]
"""Topic, partition and message, in the order of each partition's log."""


class Compared(msgspec.Struct):
    """How messages and what is recorded of them differ."""

    messages: int = 0
    """Those that should be recorded."""
    unrecorded: int = 0
    """Those that no chain records: they were changed, or somebody else has written them."""
    vanished: int = 0
    """What is recorded and not there as it was: it was changed or removed."""
    not_landed: int = 0
    """At the very end only one side has them: land was writing, or somebody has removed or added them there."""
    known: bool = True
    """Whether all messages and links are still kept, so that one can be missed."""


class _Partition:
    """The messages of one partition, and what its chain records."""

    def __init__(self, recorded: bytearray) -> None:
        self.order = [bytes(recorded[at : at + DIGEST_BYTES]) for at in range(0, len(recorded), DIGEST_BYTES)]
        self.recorded = frozenset(self.order)
        self.missing = set(self.order)
        self.unrecorded = 0
        self.last: Counter[str] = Counter()
        """Topic -> messages after its last recorded one that are not recorded."""

    def take(self, topic: str, message: bytes, is_ours: Callable[[bytes], bool]) -> None:
        found = raw_digest(message)
        if found in self.recorded:
            self.missing.discard(found)
            self.unrecorded += self.last.pop(topic, 0)
        elif is_ours(message):
            self.last[topic] += 1

    def end(self, compared: Compared, *, landing: bool) -> None:
        """Count what differs. What is changed differs on both sides, so only one of them can have not landed yet."""
        made_up, gone = self.last.total(), len(self.missing)
        compared.messages += len(self.recorded) - gone + self.unrecorded + made_up
        if landing and not gone:
            compared.not_landed += made_up
            made_up = 0
        elif landing and not made_up:
            waiting = next(place for place, its in enumerate([*reversed(self.order), b""]) if its not in self.missing)
            compared.not_landed += waiting
            gone -= waiting
        compared.unrecorded += self.unrecorded + made_up
        compared.vanished += gone


def compare(
    verifier: Verifier,
    job: str,
    action: str,
    partitions: int,
    rows: Callable[[Sequence[int]], Rows],
    *,
    is_ours: Callable[[bytes], bool] = lambda _: True,
    later: Callable[[Sequence[int]], Rows] | None = None,
) -> Compared:
    """Compare messages with what the chains of a job record of them; each chain records its own partition.

    Args:
        rows: the messages of partitions: those whose links have been read.
        is_ours: whether a message should be recorded.
        later: messages that have come since, of partitions where one is missing; None = land writes them, so at the end of
            each partition some may be missing.
    """
    compared = Compared()
    recorded = [verifier.recorded.get((f"{job}-{number}", action), bytearray()) for number in range(partitions)]
    for group in _groups([len(its) // DIGEST_BYTES for its in recorded]):
        found = {number: _Partition(recorded[number]) for number in group}
        for topic, number, message in rows(group):
            found[number].take(topic, message, is_ours)
        missed = [number for number, its in found.items() if its.missing]
        if later is not None and missed:
            for _, number, message in later(missed):
                found[number].missing.discard(raw_digest(message))
        for its in found.values():
            its.end(compared, landing=later is None)
    return compared


def _groups(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Neighbours that are small enough to be compared together: each reading of a topic has its price."""
    group: list[int] = []
    for number, size in enumerate(sizes):
        if group and sum(sizes[its] for its in group) + size > MOST_AT_ONCE:
            yield group
            group = []
        group.append(number)
    if group:
        yield group
