"""The contacts of which nobody knows whether they left, until a person has looked into them."""

from collections.abc import Iterable
from typing import Any

import msgspec
import redis
import redis.asyncio


class Doubt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One such contact. Nothing in it is personal: who it was meant for stands in its request."""

    contact_id: str
    tenant_id: str
    account_id: str
    channel: str
    at: int
    """Epoch milliseconds."""
    provider: str | None = None
    code: str | None = None
    decision_id: str | None = None


DOUBTS = "doubts"

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Doubt).decode


async def note(client: "redis.asyncio.Redis[Any]", slot: str, doubts: Iterable[Doubt]) -> None:
    """Add contacts; one that is noted already stays as it is.

    Args:
        slot: what all keys of dispatch begin with.
    """
    pipeline = client.pipeline(transaction=False)
    for doubt in doubts:
        pipeline.hsetnx(slot + DOUBTS, doubt.contact_id, encode(doubt))
    await pipeline.execute()


def noted(client: "redis.Redis[Any]", slot: str) -> list[Doubt]:
    """All of them, the oldest first."""
    return sorted(map(decode, client.hvals(slot + DOUBTS)), key=lambda doubt: (doubt.at, doubt.contact_id))


def cleared(client: "redis.Redis[Any]", slot: str, contact_id: str) -> bool:
    """Take one off the list; True = it was on it."""
    return bool(client.hdel(slot + DOUBTS, contact_id))
