"""A request that has to wait: it lies in the partition's ledger with its next try, as safe as an account's state.

It is written by the same script that moves the partition's offset on, under the same epoch, and it leaves in the same
script that writes its outcome to the outbox. So it is never in two places, and never in none.
"""

import msgspec

from models.clock import Instant

TOO_EARLY = "too_early"
PAUSED = "paused"
BUSY = "busy"
"""More requests than the worker gets done in one poll."""
SENDING = "sending"
"""It is with its provider, or was when its worker died; how that ended is looked at then."""
RATE_LIMITED = "rate_limited"
BREAKER_OPEN = "breaker_open"
NOT_SENT = "not_sent"
"""Every provider that was asked has surely sent nothing."""
REASKING = "reasking"
"""The provider knows keys and did not answer: it is asked again under the same key."""


class Wait(msgspec.Struct, frozen=True):
    """When a request is to be looked at again, and why not now."""

    until: Instant
    reason: str
    tries: int = 0
    """Times that a provider was asked in vain."""


class Parked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request as it lies in the ledger."""

    value: bytes
    """The request's message, byte for byte."""
    offset: int
    """Of that message."""
    reason: str
    tries: int = 0


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Parked).decode
