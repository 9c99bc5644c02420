"""All settings in one object: the environment first, then the running local stack, then defaults."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from connectors.channels.settings import ChannelSettings
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.kafka.settings import KafkaSettings
from connectors.model_store.settings import ModelSettings
from connectors.redis.settings import RedisSettings
from recoup.stack.settings import StackSettings
from schemas.errors import BadInput
from streams.settings import StreamSettings


class ConsoleSettings(BaseModel, extra="forbid"):
    """Where `recoup console` listens, and who may look."""

    host: str = "127.0.0.1"
    """Any other than the machine itself needs a token."""
    port: int = Field(default=8642, ge=0, le=65535)
    """0 = any free one."""
    token: SecretStr | None = None
    """What a visitor has to know, 16 characters at least."""
    names: tuple[str, ...] = ()
    """Host names, besides `host` itself, that browsers may ask for it by."""


class Settings(BaseSettings):
    """Read from `RECOUP_*` (nested with `__`, such as `RECOUP_KAFKA__BOOTSTRAP_SERVERS`).

    Addresses that are not set are taken from `<home>/endpoints.json`, which the running local stack writes.

    Raises:
        BadInput: a setting is unknown or has a value that it cannot have.
    """

    model_config = SettingsConfigDict(env_prefix="RECOUP_", env_nested_delimiter="__", extra="forbid")

    home: Path = Path(".recoup")
    """The local stack's data, logs and endpoints."""
    tenants_dir: Path = Path("config/tenants")
    templates_dir: Path = Path("config/templates")
    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    models: ModelSettings = ModelSettings()
    channels: ChannelSettings = ChannelSettings()
    streams: StreamSettings = StreamSettings()
    stack: StackSettings = StackSettings()
    console: ConsoleSettings = ConsoleSettings()

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            # Without what was given: it may be a password.
            faults = [
                f"{_variable(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors()
            ]
            raise BadInput("These settings cannot be used:\n  " + "\n  ".join(faults)) from None
        except SettingsError as error:
            raise BadInput(
                f"The settings cannot be read ({error}). Set one value with each variable, such as"
                " RECOUP_KAFKA__BOOTSTRAP_SERVERS."
            ) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's contract
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, LocalEndpoints(settings_cls, env_settings, init_settings)


class LocalEndpoints(PydanticBaseSettingsSource):
    """The addresses of the running local stack, as a source of settings."""

    def __init__(self, settings_cls: type[BaseSettings], *stronger: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self.stronger = stronger

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        given = (source() for source in reversed(self.stronger))
        home = next((values["home"] for values in given if "home" in values), ".recoup")
        path = Path(home) / "endpoints.json"
        if not path.exists():
            return {}
        try:
            endpoints = json.loads(path.read_text())
        except ValueError as error:
            raise BadInput(
                f"{path} is not readable JSON: run `recoup down` and `recoup up` to write it again"
            ) from error
        fields = {"kafka": "bootstrap_servers", "redis": "url", "clickhouse": "url"}
        return {part: {field: endpoints[part]} for part, field in fields.items() if part in endpoints}


def _variable(location: tuple[int | str, ...]) -> str:
    return "RECOUP_" + "__".join(str(part) for part in location).upper()
