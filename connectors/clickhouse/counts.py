"""How many rows each topic has in ClickHouse, and in how many different places of the topic they were."""

from clickhouse_connect.driver.client import Client

from connectors.clickhouse.statements import Name, statement
from connectors.clickhouse.tables import tables


def count_rows(client: Client, database: str) -> dict[str, tuple[int, int]]:
    """Topic -> (rows, different places); the two are equal unless something landed twice."""
    counts = {topic: (0, 0) for table in tables().values() for topic in table.topics}
    for table in tables().values():
        query = statement("rows_by_topic", database=Name(database), table=Name(table.name))
        for topic, rows, places in client.query(query).result_rows:
            counts[topic] = (int(rows), int(places))
    return counts


def someone_contacted(client: Client, database: str) -> tuple[str, str] | None:
    """Tenant and account of somebody whom a contact was requested for."""
    found = client.query(statement("someone_contacted", database=Name(database))).result_rows
    return (str(found[0][0]), str(found[0][1])) if found else None
