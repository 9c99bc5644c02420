"""Each tenant's list of contact points that nobody may use, for all of its accounts; told twice, it says the same.

No address stands in it: a field is the keyed hash of one. With `suppression_key` set, a copy of Redis alone does not tell
whose numbers they are; without one, whoever has it can try numbers out.
"""

import importlib.resources
from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import redis.asyncio

from connectors.redis.settings import RedisSettings
from models.suppression import Suppression

KEY_BYTES = 64


class SuppressionList:
    """The lists of all tenants, by tenant, contact point and kind."""

    def __init__(self, client: "redis.asyncio.Redis[Any]", settings: RedisSettings) -> None:
        self.client = client
        self.prefix = f"{settings.prefix}:suppressed:"
        key = settings.suppression_key.get_secret_value().encode() if settings.suppression_key else b""
        self._secret = blake2b(key).digest()[:KEY_BYTES] if key else b""
        script = importlib.resources.files("connectors.redis") / "suppress.lua"
        self._suppress = client.register_script(script.read_text())

    def field(self, tenant_id: str, address: str, kind: str) -> str:
        """Where the list says it. Case and spaces do not tell two addresses apart."""
        plain = "".join(address.split()).casefold()
        digest = blake2b(f"{tenant_id}|{plain}".encode(), key=self._secret, digest_size=16)
        return f"{digest.hexdigest()}:{kind}"

    async def add(self, suppressions: Iterable[Suppression]) -> None:
        """Put contact points on their tenants' lists; the latest instant of each kind holds."""
        by_tenant: defaultdict[str, list[str | int]] = defaultdict(list)
        for told in suppressions:
            by_tenant[told.tenant_id] += (self.field(told.tenant_id, told.address, told.kind), told.at)
        for tenant_id, arguments in by_tenant.items():
            for first in range(0, len(arguments), 4_000):  # Lua takes so many arguments and not many more
                await self._suppress(keys=[self.prefix + tenant_id], args=arguments[first : first + 4_000])

    async def kinds(self, tenant_id: str, address: str, kinds: Sequence[str]) -> dict[str, int]:
        """Which of these kinds stand against a contact point, and since when."""
        fields = [self.field(tenant_id, address, kind) for kind in kinds]
        found = await self.client.hmget(self.prefix + tenant_id, fields)
        return {kind: int(at) for kind, at in zip(kinds, found, strict=True) if at is not None}
