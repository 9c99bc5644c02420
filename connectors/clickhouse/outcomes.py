"""What was decided on a tenant's accounts, and what they paid: the raw material of judging a policy."""

from collections.abc import Iterator

import msgspec
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.statements import Name, Sql, Value, statement
from models.clock import Instant
from schemas.actions import NextBestAction

FOREVER = 253_402_300_799_000
"""The end of the year 9999."""


class Paid(msgspec.Struct, frozen=True):
    """Money that came to an account, or went back."""

    account_id: str
    at: Instant
    currency: str
    amount: int
    """Minor units; negative = a reversal."""
    paid_at: Instant | None
    """Of a reversal: when the payment had come."""


class OutcomeTables:
    """Asks the tables of one database. Whole accounts follow each other, in the order of their ids."""

    def __init__(self, client: Client, database: str) -> None:
        self.client = client
        self.database = Name(database)
        self._decode = msgspec.json.Decoder(NextBestAction).decode

    def decisions(self, tenant_id: str, first: Instant, end: Instant | None) -> Iterator[NextBestAction]:
        """Every decision from `first` up to but without `end`."""
        values: dict[str, Value] = {
            "tenant": tenant_id,
            "first": _at(first),
            "end": _at(FOREVER if end is None else end),
        }
        query = statement("logged_decisions", database=self.database, **values)
        with self.client.query_rows_stream(query, column_formats={"payload": "bytes"}) as rows:
            for (payload,) in rows:
                yield self._decode(payload)

    def money(self, tenant_id: str, first: Instant) -> Iterator[Paid]:
        """All money from `first` on; a reversal of what came before is nobody's loss here."""
        query = statement("money_received", database=self.database, tenant=tenant_id, first=_at(first))
        with self.client.query_rows_stream(query) as rows:
            for account_id, at, currency, amount, paid_at in rows:
                yield Paid(account_id, int(at), currency, int(amount), None if paid_at is None else int(paid_at))


def _at(instant: Instant) -> Sql:
    return Sql(f"fromUnixTimestamp64Milli({instant}, 'UTC')")
