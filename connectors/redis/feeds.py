"""When each tenant's payment events were last seen, by any worker: what tells a quiet day from a broken feed."""

import importlib.resources
from collections.abc import Mapping
from typing import Any

import redis.asyncio


class Feeds:
    """The newest instants, kept in one hash; an older one never replaces a newer one."""

    def __init__(self, client: "redis.asyncio.Redis[Any]", prefix: str) -> None:
        self.client = client
        self.key = f"{prefix}:feeds"
        self._see = client.register_script((importlib.resources.files("connectors.redis") / "see.lua").read_text())

    async def see(self, seen: Mapping[str, int]) -> dict[str, int]:
        """Tell when events of tenants were seen (epoch ms); the newest that is known of every tenant."""
        arguments = [value for pair in seen.items() for value in pair]
        found = await self._see(keys=[self.key], args=arguments)
        return {tenant.decode(): int(at) for tenant, at in zip(found[::2], found[1::2], strict=True)}
