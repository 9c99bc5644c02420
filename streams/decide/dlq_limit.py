"""Stops a worker that refuses too much: after a bad deploy the fault is ours, and a topic must not end as dead letters."""

from collections import deque

import msgspec

from schemas.errors import DlqLimitReached


class Window(msgspec.Struct):
    """The recent past of one partition: (messages, refused) of each batch, newest last."""

    batches: deque[tuple[int, int]]
    messages: int = 0
    refused: int = 0
    run: int = 0
    """Refused messages in a row, up to now."""


class DlqLimit:
    """Watches the share of refused messages of each partition, and the longest run of them.

    Args:
        share: the share of refused messages, over the last `window` messages, past which it stops.
        run: so many refused messages in a row and it stops.
    """

    def __init__(self, share: float, window: int, run: int) -> None:
        self.share = share
        self.window = window
        self.run = run
        self._seen: dict[int, Window] = {}

    def check(self, partition: int, messages: int, refused: list[int]) -> None:
        """Count one batch before it is written.

        Args:
            messages: how many the batch holds.
            refused: the places of the refused ones in it, ascending.

        Raises:
            DlqLimitReached: past the limit; nothing of this batch has been written.
        """
        if not messages:
            return
        seen = self._seen.setdefault(partition, Window(batches=deque()))
        longest = self._follow_run(seen, messages, refused)
        seen.batches.append((messages, len(refused)))
        seen.messages += messages
        seen.refused += len(refused)
        while seen.batches and seen.messages - seen.batches[0][0] >= self.window:
            gone, gone_refused = seen.batches.popleft()
            seen.messages -= gone
            seen.refused -= gone_refused
        if longest >= self.run:
            raise DlqLimitReached(
                f"Partition {partition}: {longest} messages in a row were refused (limit {self.run}). Look at the reasons"
                " with `recoup dlq list`; if the messages are really bad, raise RECOUP_STREAMS__DECIDE__DLQ_RUN."
            )
        if seen.messages >= self.window and seen.refused > self.share * seen.messages:
            raise DlqLimitReached(
                f"Partition {partition}: {seen.refused} of its last {seen.messages} messages were refused (limit"
                f" {self.share:.0%}). Look at the reasons with `recoup dlq list`; if the messages are really bad, raise"
                " RECOUP_STREAMS__DECIDE__DLQ_SHARE."
            )

    def forget(self, partition: int) -> None:
        """Start afresh with a partition that was taken over."""
        self._seen.pop(partition, None)

    @staticmethod
    def _follow_run(seen: Window, messages: int, refused: list[int]) -> int:
        longest, previous = seen.run, -1
        for place in refused:
            seen.run = seen.run + 1 if place == previous + 1 else 1
            longest = max(longest, seen.run)
            previous = place
        if previous != messages - 1:
            seen.run = 0
        return longest
