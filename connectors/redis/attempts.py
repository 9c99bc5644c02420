"""Remembers which contacts were begun and how they ended, so that a restart neither repeats one nor forgets one.

A contact is begun by one script that asks at the same instant whether the partition is still ours, whether it was begun
before, whether it is stopped, and whether a rate limit has room: no answer of those can grow old on the way.
"""

import importlib.resources
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import redis.asyncio

from connectors.redis.pauses import STOPS, scopes_of

REMEMBERED_SECONDS = 30 * 86_400
"""Far longer than a request can be read again or lie parked."""


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
    """A contact that was begun, or that ended without. Without an ending nobody knows whether the provider has it."""

    began: int
    ending: Ending | None = None
    provider: str | None = None
    """Which one it was handed to."""
    until: int = 0
    """By then (epoch milliseconds) the hand-over has ended, if the worker that began it still lives."""
    offset: int = -1
    """Of its request; another message with the same key is a repetition."""
    by: str = ""
    """Tells this beginning from every other one."""
    reasks: int = 0
    """Times that the provider was asked again, under the same key, what became of it."""


class Stored(msgspec.Struct, frozen=True):
    """An attempt and the very bytes that are stored of it."""

    attempt: Attempt
    blob: bytes


class Limit(msgspec.Struct, frozen=True):
    """A token bucket that all workers share."""

    name: str
    """Such as `provider:smtp` or `tenant:acme`."""
    per_second: float
    burst: float

    def __post_init__(self) -> None:
        if self.per_second <= 0 or self.burst < 1:
            raise ValueError(
                f"The rate limit {self.name} lets nothing through: a rate above 0 and a burst of 1 or more."
            )


class Begun(msgspec.Struct, frozen=True):
    """What became of a beginning."""

    verdict: Literal["begun", "fenced", "known", "paused", "limited"]
    stored: Stored | None = None
    """What is stored now: this attempt, or the one that was there before (`known`)."""
    limit: Limit | None = None
    wait_ms: int = 0
    """Until the limit has room."""


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Attempt).decode


class Attempts:
    """The attempts of the dispatch job, by idempotency key.

    They lie in one cluster slot with the job's ledger, whose epochs fence, and with the stop buttons.
    """

    def __init__(self, client: "redis.asyncio.Redis[Any]", prefix: str) -> None:
        self.client = client
        self.slot = f"{prefix}:{{dispatch}}:"
        self.prefix = f"{self.slot}attempt:"
        scripts = importlib.resources.files("connectors.redis")
        self._begin = client.register_script((scripts / "begin.lua").read_text())
        self._swap = client.register_script((scripts / "swap.lua").read_text())

    async def known(self, keys: Sequence[str]) -> dict[str, Stored]:
        """The attempts at these keys that were begun or have ended before."""
        if not keys:
            return {}
        found = await self.client.mget([self.prefix + key for key in keys])
        return {key: Stored(decode(blob), blob) for key, blob in zip(keys, found, strict=True) if blob is not None}

    async def begin(  # noqa: PLR0913 - what the script asks about, by name
        self,
        key: str,
        attempt: Attempt,
        *,
        partition: int,
        epoch: int,
        tenant_id: str,
        channel: str,
        limits: Sequence[Limit] = (),
        replaces: bytes = b"",
    ) -> Begun:
        """Write down, before anything is sent, that it will be. Safe to call again after a lost answer.

        Args:
            epoch: that of the caller's claim of the partition.
            replaces: an earlier attempt at the same key of which it is known what may follow.
        """
        blob = encode(attempt)
        scopes = scopes_of(tenant_id, channel)
        rates = [value for limit in limits for value in (limit.per_second, limit.burst)]
        verdict, *detail = await self._begin(
            keys=[
                f"{self.slot}{partition}:progress",
                self.slot + STOPS,
                self.prefix + key,
                *(f"{self.slot}rate:{limit.name}" for limit in limits),
            ],
            args=[epoch, attempt.began, blob, replaces, REMEMBERED_SECONDS, len(scopes), *scopes, *rates],
        )
        match verdict:
            case b"begun":
                return Begun("begun", Stored(attempt, blob))
            case b"known":
                return Begun("known", Stored(decode(detail[0]), detail[0]))
            case b"limited":
                return Begun("limited", limit=limits[int(detail[0])], wait_ms=int(detail[1]))
            case _:
                return Begun(verdict.decode())

    async def end(self, key: str, begun: Stored, ending: Ending) -> Ending:
        """Write down how an attempt ended; what was written first stays.

        Returns:
            The ending that holds.
        """
        attempt = msgspec.structs.replace(begun.attempt, ending=ending)
        stored = await self._put(key, begun.blob, encode(attempt))
        if not stored:
            return ending  # begun so long ago that it is no longer remembered
        return decode(stored).ending or ending

    async def withdraw(self, key: str, begun: Stored) -> None:
        """Take a beginning back: surely nothing was sent."""
        await self._put(key, begun.blob, b"")

    async def ended(self, endings: Mapping[str, Attempt]) -> None:
        """Write down those that ended without having been begun, unless something is known of them already."""
        if not endings:
            return
        pipeline = self.client.pipeline(transaction=False)
        for key, attempt in endings.items():
            pipeline.set(self.prefix + key, encode(attempt), ex=REMEMBERED_SECONDS, nx=True)
        await pipeline.execute()

    async def _put(self, key: str, expected: bytes, blob: bytes) -> bytes:
        stored: bytes = await self._swap(keys=[self.prefix + key], args=[expected, blob, REMEMBERED_SECONDS])
        return stored
