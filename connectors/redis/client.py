"""The one place that builds Redis clients."""

from typing import Any

import hiredis
import redis
import redis.asyncio

from connectors.redis.settings import RedisSettings


class _Packing:
    """Commands put together by hiredis, as in redis-py's blocking client; Python takes several times as long."""

    def pack_command(self, *args: Any) -> list[bytes]:
        command, *rest = args
        words = command.encode().split() if isinstance(command, str) else command.split()
        try:
            return [hiredis.pack_command((*words, *rest))]
        except TypeError as error:
            raise redis.DataError(str(error)) from error


class _Connection(_Packing, redis.asyncio.Connection):
    pass


class _SecureConnection(_Packing, redis.asyncio.SSLConnection):
    pass


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
    client = redis.asyncio.Redis.from_url(settings.url, **_options(settings))
    secure = settings.url.startswith("rediss://")
    client.connection_pool.connection_class = _SecureConnection if secure else _Connection
    return client
