"""Everything that has landed about a tenant's accounts, in the order in which it became known."""

from collections.abc import Iterator
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.ledger import count_markers
from connectors.clickhouse.statements import Name, Sql, statement
from models.clock import Instant

ARRIVED = Sql("if(history, least(occurred_at, _arrived_at), _arrived_at)")
"""What was loaded as history was known to the business when it happened, before anything was told to us."""
REPLAYED = Sql("occurred_at")
"""A replay goes by its ledger's clock; its messages arrived all at once."""

Arrived = tuple[str, Instant, str, bytes]
"""Account, when it became known, topic and payload."""


class Extent(msgspec.Struct, frozen=True):
    """How much there is of a tenant."""

    tenant_id: str
    accounts: int
    until: Instant
    """When the last of it became known. A message may say any date, such as one far in the future, and moves nothing."""


class LandedHistory:
    """Reads the history of tenants out of the tables of events and decisions."""

    def __init__(self, client: Client, database: str) -> None:
        self.client = client
        self.database = database
        self.replayed = any(count_markers(client, database).values())
        """The tables hold a replay."""
        self._known_at = REPLAYED if self.replayed else ARRIVED

    def extents(self) -> list[Extent]:
        """Every tenant that there is something of."""
        query = statement("history_tenants", database=Name(self.database), known_at=self._known_at)
        return [Extent(str(tenant), int(accounts), int(until)) for tenant, accounts, until in self._rows(query)]

    def messages(self, tenant_id: str) -> Iterator[Arrived]:
        """A tenant's messages, account by account, streamed."""
        query = statement("history_of", database=Name(self.database), tenant=tenant_id, known_at=self._known_at)
        yield from self._rows(query)

    def _rows(self, query: str) -> Iterator[Any]:
        with self.client.query_rows_stream(query, column_formats={"payload": "bytes"}) as rows:
            yield from rows
