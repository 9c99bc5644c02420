"""Every failure that Recoup names. A message says what was wrong, where, and what to do next; never customer data."""

from typing import Literal

Refused = Literal["missing", "corrupt", "unsigned", "mismatch", "slow", "leaks"]
"""Why a model may not score: it is not there, was changed, was released by who may not, does not fit what is served,
costs too much, or knows what it should not."""


class RecoupError(Exception):
    """A failure that a person can act on; the command line prints it without a traceback."""

    exit_code = 1


class BadInput(RecoupError):
    """A file or an option that a person gave is wrong: where and how."""

    exit_code = 2


class ModelRefused(RecoupError):
    """A model may not score; what scored before goes on."""

    def __init__(self, reason: Refused, says: str) -> None:
        super().__init__(f"The model is refused ({reason}): {says}")
        self.reason = reason
        self.says = says


class NotReady(RecoupError):
    """A server does not answer, or is not what was expected."""


class NotSent(NotReady):
    """A provider has surely not sent a contact; it may be tried again, here after `retry_after` seconds or elsewhere.

    Args:
        scope: `contact` = only this one was put off; `provider` = it takes nothing at the moment.
        code: why, in one short word and the provider's own code, such as `busy:451`; never personal data.
    """

    def __init__(
        self,
        says: str,
        *,
        code: str,
        scope: Literal["contact", "provider"] = "provider",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(says)
        self.code = code
        self.scope = scope
        self.retry_after = retry_after


class LostLease(RecoupError):
    """A write was refused because another worker owns the partition now."""


class LedgerBehindLog(RecoupError):
    """The states in Redis and the offsets in Kafka do not belong together; names the command that mends it."""


class DlqLimitReached(RecoupError):
    """So many messages in a row were refused that the fault is more likely ours than theirs."""


class SlotTaken(RecoupError):
    """Two workers run in one slot."""


class SinkUnavailable(RecoupError):
    """A sink was retried until its deadline."""


class DrainTimeout(RecoupError):
    """A batch in flight did not end in time for a rebalance or a stop."""


class TransactionAborted(RecoupError):
    """A Kafka transaction was aborted; nothing of it is visible, and it may be tried again."""
