"""What every channel promises: a contact is handed over at most once for each key, and doubt is said, never hidden."""

from typing import Literal, Protocol

import msgspec

from schemas.contacts import ContactRequested


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one contact.

    `sent` = the provider has taken it; `failed` = it never left, and will not; `unknown` = it may have left: it counts
    as sent and is not tried again.
    """

    status: Literal["sent", "failed", "unknown"]
    provider_id: str | None = None
    """The provider's own id of the message."""
    code: str | None = None
    """Why it failed, in the provider's or our own short word; never personal data."""


class Channel(Protocol):
    """Hands contacts to a provider.

    The contract (tests/contract/test_channels.py, which every channel passes):

    - A request is sent once for each idempotency key: a second `send` with the key of a sent one contacts nobody and
      returns the same delivery. `idempotent` says whether the provider itself sees to that across crashes; if it does
      not, a caller that does not know how an earlier `send` ended must not call again.
    - A refusal by the provider is a `failed` delivery, not an exception.
    - `NotReady` means that surely nothing was sent and that the same call may be made again later.
    """

    @property
    def name(self) -> str:
        """Stands in contact events as their provider."""
        ...

    @property
    def idempotent(self) -> bool: ...

    async def send(self, request: ContactRequested, idempotency_key: str) -> Delivery: ...
