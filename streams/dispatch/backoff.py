"""When a contact that could not be sent is tried again: later each time, and not all at the same moment."""

import random

from models.clock import Instant


class Backoff:
    """Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", 2015), on top of a least wait.

    Args:
        first_ms: about how long after the first try the second one is.
        most_ms: no wait is longer, unless a provider asks for it.
        dice: where the jitter comes from.
    """

    def __init__(self, first_ms: int, most_ms: int, dice: random.Random) -> None:
        self.first_ms = first_ms
        self.most_ms = most_ms
        self.dice = dice

    def next_try(self, now: Instant, tries: int, *, not_before_ms: int = 0, expires: Instant) -> Instant:
        """The instant of the next try.

        Args:
            tries: made so far, 1 or more.
            not_before_ms: what a provider or a breaker has asked for.
            expires: when the request ends; it is looked at then at the latest, so that its end is told.
        """
        ceiling: int = min(self.most_ms, self.first_ms * 2 ** min(tries - 1, 30))
        wait = max(not_before_ms, ceiling // 2) + self.dice.randrange(max(1, ceiling // 2))
        return min(now + wait, expires)

    def soon(self, now: Instant, wait_ms: int, expires: Instant) -> Instant:
        """An instant after about this wait: spread over half of it again, so that not everything comes at once."""
        return min(now + wait_ms + self.dice.randrange(max(1, wait_ms // 2)), expires)
