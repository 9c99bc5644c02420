"""ClickHouse as an embedded server: chDB, the real engine, behind ClickHouse's HTTP protocol."""

import sys
from collections.abc import Callable
from pathlib import Path

from connectors.clickhouse.settings import ClickHouseSettings
from recoup.stack import ready
from recoup.stack.part import Part
from recoup.stack.settings import StackSettings


class ClickHouseEndpoint(Part):
    """`python -m recoup.stack.clickhouse_server` in a process of its own."""

    name = "clickhouse"
    title = "ClickHouse"

    def __init__(self, home: Path, settings: StackSettings, access: ClickHouseSettings) -> None:
        super().__init__(home)
        self.settings = settings
        self.access = access

    def wanted_port(self, which: str) -> int:
        return self.settings.clickhouse_port

    def address(self, port: int) -> str:
        return f"http://127.0.0.1:{port}"

    def environment(self) -> dict[str, str]:
        # The password goes by environment: command lines can be read by every user of the machine.
        return {
            "RECOUP_CLICKHOUSE_PASSWORD": self.access.password.get_secret_value(),
            "TZ": "UTC",
        }

    def prepare(self, ports: dict[str, int], say: Callable[[str], None]) -> list[str]:
        self.data.mkdir(parents=True, exist_ok=True)
        return [
            *(sys.executable, "-m", "recoup.stack.clickhouse_server"),
            *("--path", str(self.data), "--port", str(ports["port"])),
            *("--user", self.access.username, "--requests", str(self.settings.clickhouse_requests)),
            *("--memory-mb", str(self.settings.clickhouse_memory_mb)),
        ]

    def ask(self, port: int, seconds: float) -> None:
        ready.clickhouse(self.access.model_copy(update={"url": self.address(port)}), seconds)
