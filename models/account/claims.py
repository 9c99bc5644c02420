"""What a customer's replies still ask of us: those that a person must read, and what was claimed and not yet answered."""

from collections.abc import Iterator

from models.account.interactions import InteractionFacts
from models.clock import Instant


def _unread(interactions: InteractionFacts) -> Iterator[tuple[str, Instant]]:
    read_until = interactions.read_until
    for name, at in interactions.unread.items():
        if at > read_until.get(name.partition("|")[0], 0):
            yield name, at


def unread_since(interactions: InteractionFacts) -> Instant:
    """When the newest reply came that waits for a person; 0 = none does."""
    return max((at for name, at in _unread(interactions)), default=0) if interactions.unread else 0


def opt_outs_in_doubt(interactions: InteractionFacts) -> dict[str, Instant]:
    """The channels (or `all`) that a reply may have opted out of, and when: denied until a person has read it."""
    if not interactions.unread:
        return {}
    doubted: dict[str, Instant] = {}
    for name, at in _unread(interactions):
        channel = name.partition("|")[2]
        if channel:
            doubted[channel] = max(doubted.get(channel, 0), at)
    return doubted
