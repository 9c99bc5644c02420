"""The stop button: what is stopped is written in Redis and read with every single contact, right before it is sent.

It needs no broker, no worker has to be told, and a restart changes nothing. Whoever presses it is remembered with it.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
import redis
from redis.exceptions import RedisError

from connectors.redis.client import connect
from connectors.redis.settings import RedisSettings
from schemas.errors import NotReady

STOPS = "stops"
HISTORY = "stop-history"
KEPT = 1_000
"""Presses that can be looked at."""
EVERY = "*"


class Stop(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is stopped, or was until then; `*` = every tenant, every channel."""

    tenant_id: str
    channel: str
    by: str
    at: int
    """Epoch milliseconds."""
    reason: str = ""
    resumed: bool = False
    """This one takes the stop away."""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Stop).decode


def scope(tenant_id: str, channel: str) -> str:
    """The name of a stop; tenant ids hold no `|`."""
    return f"{tenant_id}|{channel}"


def scopes_of(tenant_id: str, channel: str) -> tuple[str, ...]:
    """Every stop that would hold a contact of this tenant on this channel."""
    return scope(EVERY, EVERY), scope(tenant_id, EVERY), scope(EVERY, channel), scope(tenant_id, channel)


def stops(found: dict[bytes, bytes]) -> dict[str, Stop]:
    """The stops in force, by scope, as Redis holds them."""
    return {name.decode(): decode(stored) for name, stored in found.items()}


class StopButton:
    """Stops contacts and lets them go again; for commands, which have no event loop.

    Raises:
        NotReady: Redis does not answer. Then nothing is sent either: every contact asks it first.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self.client: redis.Redis[Any] = connect(settings)
        self.slot = f"{settings.prefix}:{{dispatch}}:"

    def press(self, stop: Stop) -> bool:
        """Stop; True = it was not stopped before. The first word stays, who pressed again is in the history."""
        return bool(self._change(stop)[0])

    def release(self, stop: Stop) -> bool:
        """Let go what exactly this scope stops; True = it was stopped."""
        return bool(self._change(stop)[0])

    def _change(self, stop: Stop) -> list[Any]:
        name = scope(stop.tenant_id, stop.channel)
        try:
            change = self.client.pipeline(transaction=True)
            if stop.resumed:
                change.hdel(self.slot + STOPS, name)
            else:
                change.hsetnx(self.slot + STOPS, name, encode(stop))
            change.lpush(self.slot + HISTORY, encode(stop))
            change.ltrim(self.slot + HISTORY, 0, KEPT - 1)
            answers: list[Any] = change.execute()
        except RedisError as error:
            raise _away(error) from error
        return answers

    def in_force(self) -> list[Stop]:
        """What is stopped, the oldest first."""
        try:
            found = self.client.hgetall(self.slot + STOPS)
        except RedisError as error:
            raise _away(error) from error
        return sorted(stops(found).values(), key=lambda stop: stop.at)

    def history(self, most: int = 20) -> list[Stop]:
        """The latest presses, the newest first."""
        try:
            found: Iterable[bytes] = self.client.lrange(self.slot + HISTORY, 0, most - 1)
        except RedisError as error:
            raise _away(error) from error
        return [decode(stored) for stored in found]

    def close(self) -> None:
        """Give the connection back."""
        self.client.close()


def _away(error: RedisError) -> NotReady:
    return NotReady(
        f"Redis did not answer ({type(error).__name__}). No worker sends anything without it; `recoup status` says"
        " whether it runs."
    )
