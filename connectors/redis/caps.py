"""How many contacts of a channel a tenant still has today: set aside before a batch is decided, given back after it.

What is set aside by a worker that dies is lost for the day: rather a contact too few than one too many.
"""

import importlib.resources
from collections.abc import Mapping
from typing import Any

import msgspec
import redis.asyncio

KEPT_SECONDS = 3 * 86_400
"""Longer than a date lasts in all zones together."""


class Cap(msgspec.Struct, frozen=True):
    """A tenant's cap of one channel on one date."""

    tenant_id: str
    channel: str
    day: int
    """The tenant's local date, as a day number."""
    most: int


class Caps:
    """What was taken, in one counter a tenant, channel and date."""

    def __init__(self, client: "redis.asyncio.Redis[Any]", prefix: str) -> None:
        self.client = client
        self.prefix = f"{prefix}:caps:"
        scripts = importlib.resources.files("connectors.redis")
        self._set_aside = client.register_script((scripts / "set_aside.lua").read_text())
        self._give_back = client.register_script((scripts / "give_back.lua").read_text())

    def key(self, cap: Cap) -> str:
        """Where it is counted."""
        return f"{self.prefix}{cap.tenant_id}:{cap.channel}:{cap.day}"

    async def set_aside(self, caps: list[Cap], share: float) -> dict[Cap, int]:
        """Take a share of what is left of each, rounded up; how many contacts that is."""
        pipeline = self.client.pipeline(transaction=False)
        for cap in caps:
            await self._set_aside(keys=[self.key(cap)], args=[cap.most, share, KEPT_SECONDS], client=pipeline)
        return dict(zip(caps, map(int, await pipeline.execute()), strict=True)) if caps else {}

    async def give_back(self, unused: Mapping[Cap, int]) -> None:
        """Put back what was set aside and not used."""
        pipeline = self.client.pipeline(transaction=False)
        for cap, contacts in unused.items():
            if contacts > 0:
                await self._give_back(keys=[self.key(cap)], args=[contacts], client=pipeline)
        await pipeline.execute()
