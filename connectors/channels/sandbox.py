"""A channel that contacts nobody: it accepts every contact once, remembers it in Redis, and says that it is a sandbox."""

import importlib.resources
from typing import Any

import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from connectors.channels.channel import Delivery
from schemas.contacts import ContactRequested
from schemas.errors import NotReady

REMEMBERED_SECONDS = 30 * 86_400
KEPT = 10_000
"""Accepted contacts that can be looked at."""


class Sandbox:
    """Stands for a provider until a real one is configured. What it accepted lies in a Redis stream, newest last."""

    name = "sandbox"
    idempotent = True

    def __init__(self, client: "redis.asyncio.Redis[Any]", prefix: str) -> None:
        self.client = client
        self.prefix = f"{prefix}:{{sandbox}}:"
        self.outbox = self.prefix + "outbox"
        script = importlib.resources.files("connectors.channels") / "sandbox.lua"
        self._accept = client.register_script(script.read_text())

    async def send(self, request: ContactRequested, idempotency_key: str) -> Delivery:
        """Accept the contact; a second time under the same key changes nothing."""
        entry: dict[str, str] = {
            "contact_id": request.contact_id,
            "tenant_id": request.tenant_id,
            "account_id": request.account_id,
            "channel": request.channel,
            "address": request.address,
            "template": request.template,
            "variables": msgspec.json.encode(request.variables).decode(),
        }
        fields = [part for pair in entry.items() for part in pair]
        try:
            accepted: Any = await self._accept(
                keys=[f"{self.prefix}key:{idempotency_key}", self.outbox],
                args=[f"sandbox-{request.contact_id}", REMEMBERED_SECONDS, KEPT, *fields],
            )
        except RedisError as error:
            raise NotReady(f"The sandbox cannot reach Redis ({type(error).__name__}).") from error
        return Delivery("sent", provider_id=accepted.decode())

    async def accepted(self, most: int = 100) -> list[dict[str, str]]:
        """The newest contacts that were accepted, newest first."""
        entries = await self.client.xrevrange(self.outbox, count=most)
        return [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in entries]
