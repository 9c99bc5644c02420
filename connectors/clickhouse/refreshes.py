"""Works out anew, now, what is otherwise worked out from time to time."""

import time

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.aggregates import Refreshed, sizes
from connectors.clickhouse.client import explain
from connectors.clickhouse.server import Server
from connectors.clickhouse.statements import Name
from schemas.errors import NotReady


class Refresh(msgspec.Struct, frozen=True):
    """One that was worked out."""

    name: str
    rows: int
    seconds: float


def refresh(server: Server, one: Refreshed) -> Refresh:
    """Work one out and wait for it; all that had landed before is in it.

    One that is being worked out already is worked out once more afterwards.

    Raises:
        NotReady: it failed; the table keeps what it held.
    """
    began = time.monotonic()
    try:
        server.command("refresh_view", {"view": Name(one.view)})
        server.command("wait_view", {"view": Name(one.view)})
    except ClickHouseError as error:
        raise NotReady(
            f"{one.view} could not be worked out: {explain(error)}. What it held before is still there;"
            " system.view_refreshes says more."
        ) from error
    return Refresh(one.name, sizes(server, [one.target])[one.target].rows, round(time.monotonic() - began, 3))
