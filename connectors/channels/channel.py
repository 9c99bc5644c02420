"""What every channel promises: a contact is handed over at most once for each key, and doubt is said, never hidden."""

from typing import Literal, Protocol

import msgspec

from schemas.control import Sender
from schemas.envelope import Channel as Kind
from schemas.envelope import ContactMode, Purpose

BAD_ADDRESS = "bad_address"
"""The contact point is no address or number, or the provider knows nobody there."""
OPTED_OUT = "opted_out"
"""The provider holds an opt-out of this contact point: it is to be recorded as `opt_out.received`."""
NOT_OFFERED = "not_offered"
"""The provider does not make contacts of this kind."""
NO_SENDER = "no_sender"
"""The tenant's `sender` lacks what the provider sends from."""
REFUSED = "refused"
"""The provider refuses this contact for good."""
INTERRUPTED = "interrupted"
"""Nobody knows how the handing over ended: the worker, the connection or the provider broke off in it."""
NO_ANSWER = "no_answer"
"""The provider had the contact and did not answer in time."""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A contact as it leaves: rendered, for one contact point. Personal data: never in a log, a metric or an error."""

    key: str
    """The idempotency key: the same key is the same contact."""
    contact_id: str
    tenant_id: str
    account_id: str
    channel: Kind
    address: str
    """E-mail address, number (E.164) or, of a letter, name and postal address with a line break between the lines."""
    template: str
    text: str
    """The whole message in plain text; of a call or voicemail what is spoken."""
    html: str | None = None
    subject: str | None = None
    language: str = "en"
    """BCP 47, such as `en` or `es-US`: of the text."""
    sender: Sender = Sender()
    """How the tenant presents itself; a name is always in it."""
    purpose: Purpose = "collection"
    mode: ContactMode = "live"


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one contact.

    | status | it left | what the caller does |
    |---|---|---|
    | `sent` | yes, the provider has taken it | records it |
    | `failed` | no, and it will not | records it; asks neither this nor another provider again |
    | `unknown` | perhaps | records it as sent, tells a person, and never repeats it blindly |
    """

    status: Literal["sent", "failed", "unknown"]
    provider_id: str | None = None
    """The provider's own id of the message; status callbacks name it."""
    code: str | None = None
    """One of the words above, where the provider said more followed by `:` and its own code (`opted_out:21610`). Never
    personal data, at most 200 characters."""

    @property
    def reason(self) -> str | None:
        """The word of the code, such as `opted_out`."""
        return None if self.code is None else self.code.partition(":")[0]


class Channel(Protocol):
    """Hands contacts to one provider.

    The contract (tests/contract/test_channels.py, which every channel passes):

    - A contact is sent once for each idempotency key. With `idempotent` the provider itself sees to that, also across
      crashes: a second `send` with the key of a sent one contacts nobody and returns the same delivery. Without it, a
      caller that does not know how an earlier `send` ended must not call again.
    - A refusal for good is a `failed` delivery, not an exception, and so is an address that is none (`bad_address`).
    - `NotSent` (of schemas/errors.py) means that surely nothing left. The same call may be made again after
      `retry_after` seconds, or the contact given to another provider. Its `scope` says whether this one contact was
      put off (`contact`) or the provider takes nothing now (`provider`: a circuit breaker counts it).
    - Whatever is in doubt is an `unknown` delivery. A `send` that is cancelled leaves the same doubt.
    - `send` ends by itself within `most_seconds`.
    - No other exception, and nothing personal in `NotSent` or a code.
    """

    @property
    def name(self) -> str:
        """Stands in contact events as their provider."""
        ...

    @property
    def idempotent(self) -> bool: ...

    @property
    def most_seconds(self) -> float: ...

    async def send(self, message: Message) -> Delivery: ...

    async def close(self) -> None:
        """Give connections back; nothing is sent afterwards."""
        ...
