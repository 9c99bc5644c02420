"""One stack for the chaos tests of a file, each on top of what the others left; a new one after a test that failed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recoup.settings import Settings
from recoup.stack.provision import provision
from recoup.stack.stack import Stack
from tests.chaos.fleet import Fleet
from tests.conftest import running_stack


class Grounds:
    """Stacks with topics, tables and tenants, one at a time."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.folders = folders
        self._running: Iterator[Stack] | None = None
        self._stack: Stack | None = None

    def stack(self) -> Stack:
        """The one that runs, or a new one."""
        if self._stack is None:
            home = self.folders.mktemp("chaos")
            self._running = running_stack(home)
            self._stack = next(self._running)
            provision(Settings(home=home))
        return self._stack

    def stop(self) -> None:
        """The next test gets a new one."""
        self._stack = None
        if self._running is not None:
            next(self._running, None)
            self._running = None


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    grounds = Grounds(tmp_path_factory)
    yield grounds
    grounds.stop()


@pytest.fixture
def ground(grounds: Grounds, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Kafka, Redis and ClickHouse. What a test checks holds for everything that was ever sent to this stack."""
    failed = request.session.testsfailed
    yield grounds.stack()
    if request.session.testsfailed > failed:
        grounds.stop()


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
