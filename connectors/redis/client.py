"""The one place that builds Redis clients."""

from typing import Any

import redis
import redis.asyncio

from connectors.redis.settings import RedisSettings


def _options(settings: RedisSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "socket_timeout": settings.timeout_seconds,
        "socket_connect_timeout": settings.timeout_seconds,
    }
    if settings.username:
        options["username"] = settings.username
    if settings.password:
        options["password"] = settings.password.get_secret_value()
    if settings.url.startswith("rediss://"):
        options |= {
            name: value
            for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
            if (value := getattr(settings, name)) is not None
        }
    return options


def connect(settings: RedisSettings) -> "redis.Redis[Any]":
    """A blocking client; answers are bytes."""
    return redis.Redis.from_url(settings.url, **_options(settings))


def connect_async(settings: RedisSettings) -> "redis.asyncio.Redis[Any]":
    """A client for the event loop; answers are bytes."""
    return redis.asyncio.Redis.from_url(settings.url, **_options(settings))
