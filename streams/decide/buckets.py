"""A replay's buckets: what lies between two markers, whole, whatever way it arrived."""

from collections import deque

import msgspec

from models.clock import Instant
from schemas.registry import SOURCE_TOPICS
from schemas.replay import ReplayMarker
from streams.lease import Lease, Message, Part

MARKER = b'"replay.marker"'


decode_marker = msgspec.json.Decoder(ReplayMarker).decode


class Buckets:
    """Collects each lease's messages until a marker of the same number has come on every source topic.

    A bucket is an offset prefix of each topic, so it can be committed like any other batch, and it does not depend on
    how the broker cut its answers.
    """

    def __init__(self) -> None:
        self._pending: dict[int, dict[str, deque[Message]]] = {}
        self._markers: dict[int, dict[str, deque[Instant]]] = {}
        self._owners: dict[int, Lease] = {}

    def cut(self, lease: Lease, messages: list[Message]) -> list[Part]:
        """Add what arrived; the buckets that it completed."""
        unit: int = lease.unit
        if (
            self._owners.get(unit) is not lease
        ):  # what an earlier lease had collected is fetched again under the new one
            self._owners[unit] = lease
            self._pending[unit] = {topic: deque() for topic in SOURCE_TOPICS}
            self._markers[unit] = {topic: deque() for topic in SOURCE_TOPICS}
            lease.fetched = dict(lease.positions)
        pending, markers = self._pending[unit], self._markers[unit]
        for message in messages:
            topic = message.topic()
            pending[topic].append(message)
            lease.fetched[topic] = message.offset() + 1
            if is_marker(message):
                markers[topic].append(instant_of_marker(message))
        parts = []
        while all(markers.values()):
            parts.append(self._close(lease, pending, markers))
        return parts

    def _close(self, lease: Lease, pending: dict[str, deque[Message]], markers: dict[str, deque[Instant]]) -> Part:
        start, end = lease.positions, dict(lease.positions)
        bucket: list[Message] = []
        until = 0
        for topic in SOURCE_TOPICS:
            until = markers[topic].popleft()
            marker = None
            while marker is None:
                message = pending[topic].popleft()
                bucket.append(message)
                marker = message if is_marker(message) else None
            end[topic] = marker.offset() + 1
        lease.positions = end
        return Part(lease=lease, start=start, end=end, messages=bucket, until=until)


def is_marker(message: Message) -> bool:
    """Whether a message is a marker, told without decoding it: only markers have no key."""
    return message.key() is None and MARKER in (message.value() or b"")


def instant_of_marker(message: Message) -> Instant:
    """The instant up to which a marker says that everything has been sent, in epoch milliseconds."""
    return round(decode_marker(message.value() or b"").at.timestamp() * 1000)
