"""ClickHouse that is asked again until it answers, or until a deadline."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.client import code_of, connect, explain
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.statements import Name, Value, statement
from connectors.clickhouse.tables import Table, table_of
from schemas.errors import NotReady, SinkUnavailable

Answer = TypeVar("Answer")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
CONNECTIONS = 8
NO_SUCH_TABLE_OR_COLUMN = {16, 47, 60, 81}


class Server:
    """One database of a ClickHouse server. May be used by several threads.

    Args:
        settings: where the server is.
        deadline: seconds that a server which fails is asked again for.
        table_names: where a table's rows go; `recoup land rebuild` lands into one that is not yet in use.
    """

    def __init__(
        self,
        settings: ClickHouseSettings,
        *,
        deadline: float,
        table_names: Callable[[Table], str] = lambda table: table.name,
    ) -> None:
        self.settings = settings
        self.deadline = deadline
        self._table_names = table_names
        self._client: Client | None = None

    @property
    def database(self) -> Name:
        return Name(self.settings.database)

    def table(self, topic: str) -> Name:
        """The table that a topic's rows go to."""
        return Name(self._table_names(table_of(topic)))

    def query(self, query: str, **values: Value) -> Sequence[Sequence[Any]]:
        """The rows that `queries/<query>.sql` finds; once, without a second attempt."""
        return self._open().query(statement(query, database=self.database, **values)).result_rows

    def command(self, query: str, values: Mapping[str, Value], data: bytes | None = None) -> None:
        """Run `queries/<query>.sql`; once, without a second attempt."""
        text = statement(query, database=self.database, **values)
        if data is None:
            self._open().command(text)
        else:
            # `command` would decode the data and search them for SQL: a sixth of what landing a row costs.
            self._open().raw_insert("", insert_block=text.encode() + b"\n" + data)

    def until_deadline(self, call: Callable[[], Answer]) -> Answer:
        """Try again, ever more slowly, until the server does it.

        Raises:
            SinkUnavailable: the deadline has passed.
        """
        end = time.monotonic() + self.deadline
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return call()
            except (ClickHouseError, OSError, NotReady) as error:
                if time.monotonic() + pause > end:
                    raise SinkUnavailable(
                        f"ClickHouse at {self.settings.url} failed for {self.deadline:g} s: {explain(error)}."
                        + _advice(error)
                    ) from error
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - workers should not come back all at once
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def wait_until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Ask until something holds.

        Raises:
            SinkUnavailable: it did not until the deadline; with `otherwise` as the reason.
        """
        end = time.monotonic() + self.deadline
        while not self.until_deadline(holds):
            if time.monotonic() > end:
                raise SinkUnavailable(f"{otherwise} It was waited for {self.deadline:g} s.")
            time.sleep(FIRST_PAUSE_SECONDS)

    def close(self) -> None:
        """Close the connections; the next query opens them again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _open(self) -> Client:
        if self._client is None:
            self._client = connect(self.settings, answer_seconds=self.deadline, connections=CONNECTIONS)
        return self._client


def _advice(error: BaseException) -> str:
    if code_of(error) in NO_SUCH_TABLE_OR_COLUMN:
        return " Its tables are not those of this version: run `recoup migrate`."
    return " `recoup status` says whether it runs."
