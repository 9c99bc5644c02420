"""Remembers which contacts were begun and how they ended, so that a restart neither repeats one nor forgets one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import redis.asyncio

REMEMBERED_SECONDS = 30 * 86_400
"""Far longer than a request can be read again: its offset is committed together with its outcome."""


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a contact ended, as it is (or will be) told in interaction-events."""

    status: str
    """`sent`, `unknown` or `failed`."""
    at: int
    """Epoch milliseconds."""
    provider: str | None = None
    provider_id: str | None = None
    code: str | None = None


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contact that was begun. Without an ending nobody knows whether the provider has it."""

    began: int
    ending: Ending | None = None


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Attempt).decode


class Attempts:
    """The attempts of the dispatch job, by idempotency key."""

    def __init__(self, client: "redis.asyncio.Redis[Any]", prefix: str) -> None:
        self.client = client
        self.prefix = f"{prefix}:{{dispatch}}:attempt:"

    async def known(self, keys: Sequence[str]) -> dict[str, Attempt]:
        """The attempts at these keys that were begun before."""
        if not keys:
            return {}
        found = await self.client.mget([self.prefix + key for key in keys])
        return {key: decode(stored) for key, stored in zip(keys, found, strict=True) if stored is not None}

    async def begin(self, keys: Iterable[str], at: int) -> None:
        """Write down, before anything is sent, that these will be."""
        await self._write({key: Attempt(at) for key in keys})

    async def end(self, endings: Mapping[str, Ending]) -> None:
        """Write down how attempts ended."""
        await self._write({key: Attempt(ending.at, ending) for key, ending in endings.items()})

    async def _write(self, attempts: Mapping[str, Attempt]) -> None:
        if not attempts:
            return
        pipeline = self.client.pipeline(transaction=False)
        for key, attempt in attempts.items():
            pipeline.set(self.prefix + key, encode(attempt), ex=REMEMBERED_SECONDS)
        await pipeline.execute()
