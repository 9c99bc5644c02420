"""Where Redis is and how to be let in."""

from pydantic import BaseModel, Field, SecretStr


class RedisSettings(BaseModel, extra="forbid"):
    """Connection to Redis; `rediss://` in the URL asks for TLS."""

    url: str = Field(default="", pattern="^(rediss?://.+)?$")
    """redis[s]://host:port/db; empty = the local stack."""
    username: str | None = None
    password: SecretStr | None = None
    ssl_ca_certs: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    prefix: str = "recoup"
    """Put before every key."""
    timeout_seconds: float = 5.0
    suppression_key: SecretStr | None = None
    """Keys the hashes that contact points are listed by. The lists are lost with it, so keep it; the same in every
    worker and command."""
