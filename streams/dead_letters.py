"""A refused message on its way to its topic's dead letters."""

from connectors.kafka.publisher import Record
from models.clock import Instant
from schemas.dead_letters import dead_letter_headers, told_before
from schemas.decode import Refusal
from streams.lease import Part, arrived_at


def dead_letter(part: Part, place: int, refusal: Refusal, now: Instant) -> Record:
    """The refused message, byte for byte, with where it came from and why in its headers."""
    message = part.messages[place]
    attempt, first_seen = told_before(message.headers())
    headers = dead_letter_headers(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp_ms=arrived_at(message),
        original_headers=message.headers() or [],
        refusal=refusal,
        first_seen_ms=now if first_seen is None else first_seen,
        attempt=attempt,
    )
    return f"{message.topic()}.dlq", message.key(), message.value(), headers
