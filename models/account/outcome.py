"""What folding one event into an account can come to."""

import msgspec

from schemas.decode import Refusal


class Applied(msgspec.Struct, frozen=True):
    """The event is in the account now."""


class Drop(msgspec.Struct, frozen=True):
    """The event changes nothing, and nobody has to mend it."""

    reason: str


Answer = Applied | Drop | Refusal

APPLIED = Applied()
DUPLICATE = Drop("duplicate")
NO_EFFECT = Drop("no_effect")
"""It comes too late to change anything, such as the write-off of a paid invoice."""
NOT_FOLDED = Drop("not_folded")
"""A type that says nothing about an account's state, such as one of our own decisions."""
