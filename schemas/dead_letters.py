"""What a dead letter says about itself, in Kafka Connect's header names; its value and key stay as they were."""

from collections.abc import Iterable

from schemas.decode import Refusal

CONNECT = "__connect.errors."
OWN = ("reason", "field", "first_seen", "attempt")

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
    own = [
        (name, value.encode() if isinstance(value, str) else value or b"")
        for name, value in original_headers or ()
        if name not in OWN and not name.startswith(CONNECT)
    ]
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
    return own + [(name, str(value).encode()) for name, value in said.items()]
