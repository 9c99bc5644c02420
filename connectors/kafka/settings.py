"""Where Kafka is and how to be let in."""

from typing import Literal

from pydantic import BaseModel, SecretStr


class KafkaSettings(BaseModel, extra="forbid"):
    """Connection to a Kafka cluster; the names follow librdkafka's."""

    bootstrap_servers: str = ""
    """host:port[,host:port]; empty = the local stack."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: str | None = None
    ssl_certificate_location: str | None = None
    ssl_key_location: str | None = None
    ssl_key_password: SecretStr | None = None
    replication_factor: int = 1
