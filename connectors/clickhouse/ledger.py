"""What ClickHouse holds of a tenant's ledger, to be compared with the file that it came from."""

from collections.abc import Iterable
from hashlib import sha256

import msgspec
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.statements import Name, Value, statement
from connectors.clickhouse.tables import table_name
from schemas.envelope import type_of
from schemas.registry import SOURCE_TOPICS
from schemas.replay import ReplayMarker


class Landed(msgspec.Struct, frozen=True):
    """Totals of one tenant."""

    invoices: int
    paid_minor: dict[str, int]
    decisions: int
    decisions_digest: str


def landed_ledger(client: Client, database: str, tenant_id: str) -> Landed:
    """Count a tenant's invoices, add up the payments, and hash the decisions."""
    values: dict[str, Value] = {"database": Name(database), "tenant": tenant_id}
    invoices = client.query(statement("invoices_of", **values)).result_rows[0][0]
    paid = client.query(statement("paid_of", **values)).result_rows
    with client.query_rows_stream(statement("decisions_of", **values)) as rows:
        decisions, digest = digest_of(rows)
    return Landed(int(invoices), {str(currency): int(amount) for currency, amount in paid}, decisions, digest)


def digest_of(decisions: Iterable[tuple[str, str]]) -> tuple[int, str]:
    """How many (decision id, action) there are, and a hash over them; they come sorted."""
    hashed, count = sha256(), 0
    for decision_id, action in decisions:
        hashed.update(f"{decision_id} {action}\n".encode())
        count += 1
    return count, hashed.hexdigest()


def count_markers(client: Client, database: str) -> dict[str, int]:
    """Source topic -> the replay markers among its rows."""
    counts = dict.fromkeys(SOURCE_TOPICS, 0)
    for topic in SOURCE_TOPICS:
        query = statement(
            "rows_of_type", database=Name(database), table=Name(table_name(topic)), type=type_of(ReplayMarker)
        )
        counts |= {str(found): int(rows) for found, rows in client.query(query).result_rows}
    return counts
