"""A ledger cut into buckets of simulated time; each is decided as a whole, so the cut is part of what a replay means."""

from collections.abc import Iterator

import msgspec

from models.calendar import DAY, HOUR, Zone
from models.clock import Instant
from recoup.replay.ledger import Sent


class Bucket(msgspec.Struct, frozen=True):
    """What happens up to, but without, the instant `until`."""

    number: int
    until: Instant
    messages: list[Sent]
    last: bool = False


def cut(messages: list[Sent], zone: Zone, *, hours: int = 24, end: Instant | None = None) -> Iterator[Bucket]:
    """Buckets from the first message's day on, with none left out, and an empty one that ends the replay.

    A review that is due while its bucket is decided fires in the next bucket, so the last one lets the rest fire.

    Args:
        messages: sorted.
        hours: the length of a bucket; days are those of the zone.
        end: go on until this instant, for what is still owed after the last message.
    """
    if not messages:
        return
    day = zone.day(messages[0].at)
    start = zone.start(day, 0)
    stop = max(messages[-1].at, end or 0)
    number = place = 0
    reached = False
    while not reached:
        number += 1
        # A day may have 23 or 25 hours; other lengths are counted from the first midnight.
        until = zone.start(day + number, 0) if hours * HOUR == DAY else start + number * hours * HOUR
        first = place
        while place < len(messages) and messages[place].at < until:
            place += 1
        yield Bucket(number - 1, until, messages[first:place])
        reached = until > stop
    yield Bucket(number, until + DAY, [], last=True)
