"""Remembers whom a provider was asked to contact, so that what it tells later finds its account; and what it has told.

No address stands in it: answers are found by the keyed hash of the number that they come from.
"""

from hashlib import blake2b
from typing import Any

import msgspec
import redis.asyncio
from pydantic import SecretStr

REMEMBERED_SECONDS = 30 * 86_400
"""Providers tell of a message within days."""
REACHED_SECONDS = 5 * 365 * 86_400
"""People answer when they like, and a STOP counts whenever it comes (47 CFR 64.1200(a)(10) knows no limit). So a number is
known for longer than anybody keeps what was sent there (12 CFR 1006.100: three years), in some 200 bytes a number and
tenant. What still comes later ends as a dead letter, for a person."""
KEY_BYTES = 64


class Contacted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contact that was handed to a provider."""

    tenant_id: str
    account_id: str
    contact_id: str
    channel: str
    at: int
    """Epoch milliseconds."""
    purpose: str = "collection"
    mode: str = "live"


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Contacted).decode


class Deliveries:
    """The contacts of one provider, by their id and by whom they went to.

    Args:
        hash_key: without it, whoever has a copy of Redis can try numbers out.
    """

    def __init__(
        self, client: "redis.asyncio.Redis[Any]", prefix: str, provider: str, hash_key: SecretStr | None = None
    ) -> None:
        self.client = client
        self.prefix = f"{prefix}:{{deliveries}}:{provider}:"
        key = hash_key.get_secret_value().encode() if hash_key else b""
        self._secret = blake2b(key).digest()[:KEY_BYTES] if key else b""

    async def remember(self, contacted: Contacted, address: str) -> None:
        """Write a contact down before it is handed over, all of it or nothing: the provider may tell of it at once."""
        value, reached = encode(contacted), self._reached(address)
        pipeline = self.client.pipeline(transaction=True)  # a number without an expiry would be kept for ever
        pipeline.set(self._contact(contacted.contact_id), value, ex=REMEMBERED_SECONDS)
        pipeline.hset(reached, contacted.tenant_id, value)
        pipeline.expire(reached, REACHED_SECONDS)
        await pipeline.execute()

    async def contacted(self, contact_id: str) -> Contacted | None:
        """The contact of that id."""
        stored = await self.client.get(self._contact(contact_id))
        return None if stored is None else decode(stored)

    async def reached_at(self, address: str) -> list[Contacted]:
        """The latest contact of each tenant to an address, newest first."""
        found = await self.client.hvals(self._reached(address))
        return sorted(map(decode, found), key=lambda its: its.at, reverse=True)

    async def is_told(self, telling: str) -> bool:
        """Whether the provider has told this before."""
        return bool(await self.client.exists(f"{self.prefix}told:{telling}"))

    async def tell(self, telling: str) -> None:
        """Note that it was told, once it has been published."""
        await self.client.set(f"{self.prefix}told:{telling}", 1, ex=REMEMBERED_SECONDS)

    def _contact(self, contact_id: str) -> str:
        return f"{self.prefix}contact:{contact_id}"

    def _reached(self, address: str) -> str:
        digest = blake2b("".join(address.split()).casefold().encode(), key=self._secret, digest_size=16)
        return f"{self.prefix}reached:{digest.hexdigest()}"
