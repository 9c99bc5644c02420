"""Where ClickHouse is and how to be let in."""

from typing import Annotated

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
    ttl_days: int = Field(default=0, ge=0)
    """Rows leave their table this many days after they landed; 0 = never."""
    ttl_days_of: dict[str, Annotated[int, Field(ge=0)]] = {}
    """Other days for single tables, such as {"agent_metrics": 14}."""
    cold_after_days: int = Field(default=0, ge=0)
    """Rows move to the cold volume this many days after they landed; 0 = never."""
    cold_volume: str = Field(default="cold", pattern=r"^\w+$")
    storage_policy: str = Field(default="tiered", pattern=r"^\w+$")
    """The server's storage policy that has the cold volume; asked for only when rows are to move."""
