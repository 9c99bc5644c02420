"""What a dead letter says about itself, in Kafka Connect's header names; its value and key stay as they were."""

from collections.abc import Iterable

from schemas.decode import Refusal

CONNECT = "__connect.errors."
OWN = ("reason", "field", "first_seen", "attempt")
MOST_DIGITS = 19

Headers = list[tuple[str, bytes]]


def dead_letter_headers(  # noqa: PLR0913 - a message's place takes four
    *,
    topic: str,
    partition: int,
    offset: int,
    timestamp_ms: int,
    original_headers: Iterable[tuple[str, bytes | str | None]] | None,
    refusal: Refusal,
    first_seen_ms: int,
    attempt: int,
) -> Headers:
    """Headers of the dead letter of the message at topic, partition and offset.

    The message's own headers are kept, except those of an earlier dead letter: a message that is refused again after it
    was mended tells of its newest refusal.
    """
    said = {
        f"{CONNECT}topic": topic,
        f"{CONNECT}partition": partition,
        f"{CONNECT}offset": offset,
        f"{CONNECT}timestamp": timestamp_ms,
        f"{CONNECT}stage": "VALUE_CONVERTER",
        f"{CONNECT}class.name": "schemas.decode.TopicDecoder",
        f"{CONNECT}exception.class.name": refusal.reason,
        f"{CONNECT}exception.message": refusal.detail,
        "reason": refusal.reason,
        "field": refusal.field or "",
        "first_seen": first_seen_ms,
        "attempt": attempt,
    }
    return own_headers(original_headers) + [(name, str(value).encode()) for name, value in said.items()]


def own_headers(headers: Iterable[tuple[str, bytes | str | None]] | None) -> Headers:
    """The headers that a message had before it became a dead letter."""
    return [
        (name, value.encode() if isinstance(value, str) else value or b"")
        for name, value in headers or ()
        if name not in OWN and not name.startswith(CONNECT)
    ]


def told_before(headers: Iterable[tuple[str, bytes | str | None]] | None) -> tuple[int, int | None]:
    """Which attempt a message is, and when it was first seen (epoch milliseconds) if it was a dead letter before."""
    said = {name: number(value) for name, value in headers or () if name in ("attempt", "first_seen")}
    return said.get("attempt") or 1, said.get("first_seen")


def number(header: bytes | str | None) -> int | None:
    """A header that should be a count or an instant; None when it is anything else."""
    raw = header.encode() if isinstance(header, str) else header
    return int(raw) if raw is not None and raw.isdigit() and len(raw) < MOST_DIGITS else None
