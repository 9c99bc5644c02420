"""Everything that has landed about one account, newest first in each table."""

import msgspec
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.statements import Name, statement
from connectors.clickhouse.tables import table_name
from models.clock import Instant
from schemas.control import Tenant, decode_tenant
from schemas.registry import ACCOUNT_TOPICS


class Landed(msgspec.Struct, frozen=True):
    """One message about the account."""

    topic: str
    partition: int
    offset: int
    at: Instant
    kind: str
    payload: bytes


class Refused(msgspec.Struct, frozen=True):
    """One dead letter about the account, without what it held."""

    topic: str
    partition: int
    offset: int
    at: Instant
    reason: str
    field: str
    detail: str


def landed_of(client: Client, database: str, tenant_id: str, account_id: str, most: int) -> list[Landed]:
    """The newest `most` messages of each topic."""
    found = []
    for topic in ACCOUNT_TOPICS:
        query = statement(
            "timeline_of",
            database=Name(database),
            table=Name(table_name(topic)),
            tenant=tenant_id,
            account=account_id,
            most=most,
        )
        rows = client.query(query, column_formats={"payload": "bytes"}).result_rows
        found += [Landed(*row) for row in rows]
    return found


def refused_of(client: Client, database: str, tenant_id: str, account_id: str, most: int) -> list[Refused]:
    """The newest dead letters."""
    query = statement("dead_letters_of", database=Name(database), tenant=tenant_id, account=account_id, most=most)
    return [Refused(*row) for row in client.query(query).result_rows]


def tenant_of(client: Client, database: str, tenant_id: str) -> Tenant | None:
    """The tenant as it is in force; None when it was never published."""
    query = statement("tenant_of", database=Name(database), tenant=tenant_id)
    rows = client.query(query, column_formats={"payload": "bytes"}).result_rows
    return decode_tenant(rows[0][0]) if rows and rows[0][0] else None
