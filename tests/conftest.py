"""What integration tests share: one fresh local stack, stopped even when the test run is killed."""

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from recoup.settings import Settings
from recoup.stack.stack import Stack

for _name in [name for name in os.environ if name.startswith("RECOUP_") and name != "RECOUP_DATA"]:
    del os.environ[_name]  # a developer's own settings must not lead a test to their servers

# A broker that lives for minutes never earns back what optimising its code costs.
os.environ["JDK_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1"

GUARD = """
import sys
from pathlib import Path
from recoup.stack.stack import Stack
sys.stdin.read()
Stack(Path(sys.argv[1])).down()
"""
"""Stops a stack when its standard input ends, which it does however the test run ends."""

STOP_SECONDS = 90


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka, Redis and ClickHouse on free ports, with nothing in them. Shared: use topics and tables of your own."""
    yield from running_stack(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="session")
def settings(stack: Stack) -> Settings:
    """Settings that lead to the shared stack."""
    return Settings(home=stack.home)


def running_stack(home: Path) -> Iterator[Stack]:
    """A stack of one's own, for tests that kill its parts; as `yield from` in a fixture."""
    with closing(guarded_stack(home)) as stacks:
        stack = next(stacks)
        stack.up()
        yield stack


def guarded_stack(home: Path) -> Generator[Stack]:
    """A stack that what is tested will start itself; it is stopped like any other."""
    guard = subprocess.Popen([sys.executable, "-c", GUARD, str(home)], stdin=subprocess.PIPE)  # noqa: S603 - our own
    try:
        yield Stack(home)
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(STOP_SECONDS)
