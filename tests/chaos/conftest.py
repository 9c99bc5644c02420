"""A fresh stack for each chaos test: it kills and freezes the parts, and reads every message that they hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recoup.settings import Settings
from recoup.stack.provision import provision
from recoup.stack.stack import Stack
from tests.chaos.fleet import Fleet
from tests.conftest import running_stack


@pytest.fixture
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka, Redis and ClickHouse with topics, tables and tenants, and no message yet."""
    home = tmp_path_factory.mktemp("chaos")
    for stack in running_stack(home):
        provision(Settings(home=home))
        yield stack


@pytest.fixture
def ground_settings(ground: Stack) -> Settings:
    return Settings(home=ground.home)


@pytest.fixture
def fleet(ground_settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    """Workers that end with the test."""
    fleet = Fleet(ground_settings, tmp_path / "logs")
    try:
        yield fleet
    finally:
        fleet.stop()
