"""Opens the providers that the settings name: each once, however many channels it serves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis.asyncio
from pydantic import SecretStr

from connectors.channels.channel import Channel
from connectors.channels.console import Console
from connectors.channels.letters import Letters
from connectors.channels.settings import ChannelSettings, Provider
from connectors.channels.smtp import Smtp
from connectors.channels.twilio import Twilio
from connectors.redis.deliveries import Deliveries
from models.clock import Clock
from schemas.envelope import Channel as Kind


def open_channels(
    settings: ChannelSettings,
    *,
    redis: "redis.asyncio.Redis[Any]",
    prefix: str,
    home: Path,
    clock: Clock,
    hash_key: SecretStr | None = None,
) -> dict[Kind, tuple[Channel, ...]]:
    """Channel -> its providers, in the order in which they are asked; no server is asked yet.

    Args:
        redis: where the console remembers what it accepted, and whom providers were asked to contact, under `prefix`.
        hash_key: for what stands in Redis instead of an address.
        home: letters lie in it unless the settings name a store.

    Raises:
        BadInput: a file of certificates that the settings name cannot be read.
    """
    makers: dict[Provider, Callable[[], Channel]] = {
        "console": lambda: Console(redis, prefix, show=settings.console.show),
        "smtp": lambda: Smtp(settings.smtp, clock),
        "twilio": lambda: Twilio(settings.twilio, clock, Deliveries(redis, prefix, Twilio.name, hash_key)),
        "letter": lambda: Letters(settings.letters, home, clock),
    }
    opened: dict[Provider, Channel] = {}
    for providers in settings.providers().values():
        for provider in providers:
            if provider not in opened:
                opened[provider] = makers[provider]()
    return {kind: tuple(opened[provider] for provider in names) for kind, names in settings.providers().items()}
