"""Every failure that Recoup names. A message says what was wrong, where, and what to do next; never customer data."""


class RecoupError(Exception):
    """A failure that a person can act on; the command line prints it without a traceback."""

    exit_code = 1


class BadInput(RecoupError):
    """A file or an option that a person gave is wrong: where and how."""

    exit_code = 2


class NotReady(RecoupError):
    """A server does not answer, or is not what was expected."""


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
