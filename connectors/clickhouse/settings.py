"""Where ClickHouse is and how to be let in."""

from pydantic import BaseModel, Field, SecretStr


class ClickHouseSettings(BaseModel, extra="forbid"):
    """Connection to ClickHouse over HTTP; `https://` in the URL asks for TLS."""

    url: str = Field(default="", pattern="^(https?://.+)?$")
    """http[s]://host:port; empty = the local stack."""
    username: str = "default"
    password: SecretStr = SecretStr("")
    database: str = "recoup"
    ca_cert: str | None = None
    client_cert: str | None = None
    client_cert_key: str | None = None
    ttl_days: int = 0
    """Rows leave their table this many days after they landed; 0 = never."""
