"""The final account: every message is somewhere exactly once, or it is said which are not."""

from collections.abc import Mapping

import msgspec

from schemas.registry import DEAD_LETTER_SUFFIX, SOURCE_TOPICS

OF_WORKERS = "agent-metrics"
"""What workers tell of themselves as long as they run; whoever lands it tells it too."""


class Books(msgspec.Struct, frozen=True):
    """What each party counted for itself after the last message."""

    messages: dict[str, int]
    """Topic -> messages, by reading it to its end."""
    applied: int
    """By the ledger, which decide writes together with the states; likewise the next two."""
    dropped: dict[str, int]
    """By reason."""
    dead_lettered: dict[str, int]
    """By reason."""
    rows: dict[str, int]
    """Topic -> rows in ClickHouse."""
    places: dict[str, int]
    """Topic -> different places (partition and offset) among these rows."""

    @property
    def produced(self) -> int:
        return sum(self.messages.get(topic, 0) for topic in SOURCE_TOPICS)

    @property
    def handled(self) -> int:
        return self.applied + sum(self.dropped.values()) + sum(self.dead_lettered.values())


def counted_by_then(messages: Mapping[str, int], rows: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Rows and different places of each topic, without what workers have told of themselves since messages were counted."""
    counted = dict(rows)
    told, (there, places) = messages.get(OF_WORKERS, 0), counted.get(OF_WORKERS, (0, 0))
    if there == places > told:  # only of what is not there twice
        counted[OF_WORKERS] = told, told
    return counted


def differences(books: Books) -> list[str]:
    """What does not add up, in words; empty = everything does."""
    found: list[str] = []
    if books.produced != books.handled:
        found.append(
            f"{books.produced:,} events were produced and {books.handled:,} were applied, dropped or dead-lettered"
            f" ({books.handled - books.produced:+,})"
        )
    letters = sum(books.messages.get(topic + DEAD_LETTER_SUFFIX, 0) for topic in SOURCE_TOPICS)
    refused = sum(books.dead_lettered.values())
    if letters != refused:
        found.append(f"{refused:,} events were refused and {letters:,} are in the dead-letter topics")
    for topic in sorted(books.messages.keys() | books.rows.keys()):
        messages, rows = books.messages.get(topic, 0), books.rows.get(topic, 0)
        if messages != rows:
            found.append(f"{topic} holds {messages:,} messages and its table {rows:,} rows ({rows - messages:+,})")
        if books.places.get(topic, 0) != rows:
            found.append(f"{topic}: {rows - books.places.get(topic, 0):,} rows are there twice")
    return found
