"""A migrated ClickHouse of one command's own, in a temporary folder, gone when the command ends."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.clickhouse.migrate import migrate
from connectors.clickhouse.settings import ClickHouseSettings
from recoup.stack.clickhouse_endpoint import ClickHouseEndpoint
from recoup.stack.runner import Runner
from recoup.stack.settings import StackSettings


@contextmanager
def scratch_warehouse() -> Iterator[ClickHouseSettings]:
    """Where an empty database with every table and view is.

    Raises:
        NotReady: it cannot be started, or a migration is refused.
    """
    with tempfile.TemporaryDirectory(prefix="recoup-scratch-") as folder:
        access = ClickHouseSettings()
        runner = Runner(ClickHouseEndpoint(Path(folder), StackSettings(), access), StackSettings())
        runner.up(lambda _part, _what: None)
        try:
            settings = access.model_copy(update={"url": runner.address()})
            migrate(settings)
            yield settings
        finally:
            runner.down(lambda _part, _what: None)
