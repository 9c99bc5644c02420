"""A channel that contacts nobody: it accepts every contact once, remembers it in Redis, and prints that it would leave."""

import importlib.resources
from typing import Any, Literal

import redis.asyncio
import rich.console
from redis.exceptions import RedisError
from rich.panel import Panel
from rich.text import Text

from connectors.channels.channel import BAD_ADDRESS, Delivery, Message
from models.addresses import reachable
from schemas.errors import NotSent

REMEMBERED_SECONDS = 30 * 86_400
KEPT = 10_000
"""Accepted contacts that can be looked at."""


class Console:
    """Stands for a provider until a real one is configured. What it accepted lies in a Redis stream, newest last.

    Args:
        show: what is printed of a contact: one `line` without anything personal, the whole `message`, or `nothing`.
        printer: where to; standard output when it is None.
    """

    name = "console"
    idempotent = True
    most_seconds = 10.0

    def __init__(
        self,
        client: "redis.asyncio.Redis[Any]",
        prefix: str,
        *,
        show: Literal["line", "message", "nothing"] = "line",
        printer: rich.console.Console | None = None,
    ) -> None:
        self.client = client
        self.prefix = f"{prefix}:{{console}}:"
        self.outbox = self.prefix + "outbox"
        self.show = show
        self.printer = printer or rich.console.Console(highlight=False, soft_wrap=True)
        script = importlib.resources.files("connectors.channels") / "console.lua"
        self._accept = client.register_script(script.read_text())

    async def send(self, message: Message) -> Delivery:
        """Accept the contact and print it; a second time under the same key changes nothing."""
        if not reachable(message.channel, message.address, tests=True):
            return Delivery("failed", code=BAD_ADDRESS)
        entry: dict[str, str] = {
            "contact_id": message.contact_id,
            "tenant_id": message.tenant_id,
            "account_id": message.account_id,
            "channel": message.channel,
            "address": message.address,
            "template": message.template,
            "language": message.language,
            "subject": message.subject or "",
            "text": message.text,
        }
        fields = [part for pair in entry.items() for part in pair]
        try:
            accepted: Any = await self._accept(
                keys=[f"{self.prefix}key:{message.key}", self.outbox],
                args=[f"console-{message.contact_id}", REMEMBERED_SECONDS, KEPT, *fields],
            )
        except RedisError as error:
            kind = type(error).__name__
            raise NotSent(f"The console cannot reach Redis ({kind}).", code=f"redis:{kind}") from error
        provider_id, new = accepted
        if new:
            self._print(message)
        return Delivery("sent", provider_id=provider_id.decode())

    async def accepted(self, most: int = 100) -> list[dict[str, str]]:
        """The newest contacts that were accepted, newest first."""
        entries = await self.client.xrevrange(self.outbox, count=most)
        return [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in entries]

    async def close(self) -> None:
        """The client belongs to who gave it."""

    def _print(self, message: Message) -> None:
        what = f"{message.channel}  {message.tenant_id}  {message.template} ({message.language})  {message.contact_id}"
        if self.show == "line":
            self.printer.print(f"would send  {what}", markup=False)
        elif self.show == "message":
            head = f"To: {message.address}\n" + (f"Subject: {message.subject}\n" if message.subject else "")
            self.printer.print(Panel(Text(f"{head}\n{message.text}"), title=Text(what), width=100, title_align="left"))
