"""Dead letters as Kafka holds them: where each lies, where it came from and why it was refused."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from connectors.kafka.reading import partitions_of, read_between, read_to_end
from recoup.settings import Settings
from schemas.dead_letters import CONNECT, number, own_headers
from schemas.errors import BadInput
from schemas.registry import DEAD_LETTER_SUFFIX, dead_letter_topic, topic_named, topics


class Position(msgspec.Struct, frozen=True, order=True):
    """Where a dead letter lies: `payment-events.dlq:0:12`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


class Letter(msgspec.Struct, frozen=True):
    """One dead letter."""

    at: Position
    reason: str
    field: str
    detail: str
    came_from: str
    """Topic, partition and offset of the message that was refused."""
    attempt: int
    first_seen: int | None
    """Epoch milliseconds."""
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    """Those that the message had before it was refused."""

    @property
    def topic(self) -> str:
        """Where it belongs."""
        return self.at.topic.removesuffix(DEAD_LETTER_SUFFIX)


class Heap(msgspec.Struct):
    """The letters of one topic and reason."""

    topic: str
    reason: str
    letters: int = 0
    replayed: int = 0
    first_seen: int | None = None
    last_seen: int | None = None
    newest: str = ""
    """Position."""


def position_from(text: str) -> Position:
    """A position as people write it; raises BadInput."""
    topic, _, rest = text.strip().rpartition(":")
    topic, _, partition = topic.rpartition(":")
    if not topic or not partition.isdigit() or not rest.isdigit():
        raise BadInput(f"{text!r} is no position; expected topic:partition:offset, such as payment-events.dlq:0:12.")
    return Position(dead_letter_topic(dead_letters_of(topic)), int(partition), int(rest))


def dead_letters_of(topic: str) -> str:
    """The topic that a name means, with or without `.dlq`; raises BadInput when it has no dead letters."""
    name = topic.removesuffix(DEAD_LETTER_SUFFIX)
    if not topic_named(name).dead_letters:
        having = ", ".join(known.name for known in topics().values() if known.dead_letters)
        raise BadInput(f"{name} has no dead letters; these have: {having}.")
    return name


def letters(settings: Settings, names: Sequence[str] = ()) -> Iterator[Letter]:
    """Every dead letter that Kafka still holds, of these topics or of all."""
    wanted = [dead_letters_of(name) for name in names] or [t.name for t in topics().values() if t.dead_letters]
    places = partitions_of(settings.kafka, [dead_letter_topic(name) for name in wanted])
    yield from map(letter_from, read_to_end(settings.kafka, places))


def letter_at(settings: Settings, at: Position) -> Letter:
    """One dead letter; raises BadInput when there is none."""
    found = next(read_between(settings.kafka, at.topic, at.partition, at.offset, at.offset), None)
    if found is None or found.offset() != at.offset:
        raise BadInput(
            f"There is no message at {at}: retention has removed it, or it was never there. `recoup dlq list`"
        )
    return letter_from(found)


def letter_from(message: Any) -> Letter:
    """A consumed message as a dead letter; headers that nobody wrote are empty."""
    said = {name: value for name, value in message.headers() or () if value is not None}

    def text(name: str) -> str:
        return bytes(said.get(name, b"")).decode(errors="replace")

    came_from = ":".join(text(f"{CONNECT}{part}") for part in ("topic", "partition", "offset"))
    return Letter(
        at=Position(message.topic(), message.partition(), message.offset()),
        reason=text("reason") or "unknown",
        field=text("field"),
        detail=text(f"{CONNECT}exception.message"),
        came_from=came_from.strip(":"),
        attempt=number(said.get("attempt")) or 1,
        first_seen=number(said.get("first_seen")),
        key=message.key(),
        value=message.value(),
        headers=tuple(own_headers(message.headers())),
    )


def heaps(found: Iterable[Letter], replayed: set[str]) -> list[Heap]:
    """Letters by topic and reason, the largest heap first."""
    sorted_out: dict[tuple[str, str], Heap] = {}
    for letter in found:
        heap = sorted_out.setdefault((letter.topic, letter.reason), Heap(letter.topic, letter.reason))
        heap.letters += 1
        heap.replayed += str(letter.at) in replayed
        heap.newest = str(letter.at)
        if letter.first_seen is not None:
            heap.first_seen = min(letter.first_seen, heap.first_seen or letter.first_seen)
            heap.last_seen = max(letter.first_seen, heap.last_seen or 0)
    return sorted(sorted_out.values(), key=lambda heap: (-heap.letters, heap.topic, heap.reason))
