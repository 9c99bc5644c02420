"""Fills the landed tables with a portfolio's two years, made in the database itself; every view takes its part as rows land."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template

import msgspec
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.statements import Name
from connectors.clickhouse.tables import tables

ROWS = Path(__file__).parent / "rows"
DAYS = 730
DAY_MS = 86_400_000
ROWS_OF_AN_INVOICE = 11.9
"""In all tables together; measured."""
INVOICES_OF_AN_ACCOUNT = 4.5
CHUNK = 50_000
"""Invoices whose rows are inserted together."""
TABLES_AT_ONCE = 2
ONCE = ("tenants", "model_releases")
SETTINGS = {
    "enable_named_columns_in_function_tuple": 1,
    "date_time_output_format": "iso",
    "max_insert_threads": 1,
    "allow_experimental_analyzer": 1,
}


class World(msgspec.Struct, frozen=True):
    """How large it is, and when it is."""

    invoices: int
    accounts: int
    now_ms: int
    days: int

    @property
    def start_ms(self) -> int:
        return self.now_ms - self.days * DAY_MS

    @classmethod
    def of(cls, rows: int, now_ms: int, days: int = DAYS) -> "World":
        """One with about so many rows."""
        invoices = max(1_000, round(rows / ROWS_OF_AN_INVOICE))
        return cls(invoices, math.ceil(invoices / INVOICES_OF_AN_ACCOUNT), now_ms, days)

    def select(self, table: str, first: int, count: int) -> str:
        """The rows that an interval of invoices brings a table."""
        numbers = {
            "accounts": self.accounts,
            "start_ms": self.start_ms,
            "now_ms": self.now_ms,
            "step_ms": max(1, self.days * DAY_MS // self.invoices),
            "first": first,
            "count": count,
        }
        invoices = _read("invoices").substitute(numbers)
        return _read(table).substitute(numbers, invoices=invoices)


def fill(client: Client, world: World, tell: Callable[[int, float], None]) -> dict[str, float]:
    """Insert all of it; returns the seconds that each table's inserts took, with the views on it.

    Args:
        client: of a migrated, empty database.
        world: what to insert.
        tell: told invoices done and seconds so far.
    """
    began = time.perf_counter()
    spent = {path.stem: 0.0 for path in sorted(ROWS.glob("*.sql")) if path.stem != "invoices"}
    statements = {table: _insert(client, world, table) for table in spent}

    def insert(table: str, first: int, count: int) -> None:
        start = time.perf_counter()
        client.command(statements[table].replace(_PLACE, world.select(table, first, count)), settings=SETTINGS)
        spent[table] += time.perf_counter() - start

    with ThreadPoolExecutor(TABLES_AT_ONCE) as pool:
        for first, count in _chunks(world.invoices):
            wanted = [table for table in statements if not (first and table in ONCE)]
            for done in [pool.submit(insert, table, first, count) for table in wanted]:
                done.result()
            tell(first + count, time.perf_counter() - began)
    return {table: round(seconds, 2) for table, seconds in spent.items()}


_PLACE = "/* rows */"


def _insert(client: Client, world: World, table: str) -> str:
    """The INSERT of a table, its payload made of all that a row holds."""
    described = client.query(f"DESCRIBE ({world.select(table, 0, 1)})", settings=SETTINGS).result_rows
    fields = [str(Name(row[0])) for row in described if not row[0].startswith("_")]
    known = {str(Name(column.name)) for column in tables()[table].columns}
    own = [field for field in fields if field in known]
    (topic, *_) = tables()[table].topics
    # Within a week rows land every minute, before that every hour: as many blocks as a slow and a fast pipeline make.
    at = (
        f"if(toUnixTimestamp64Milli(occurred_at) > {world.now_ms - 7 * DAY_MS},"
        " toDateTime64(toStartOfMinute(occurred_at) + 60, 3, 'UTC'), toDateTime64(toStartOfHour(occurred_at) + 3600, 3, 'UTC'))"
    )
    place = {
        "payload": f"toJSONString(tuple({', '.join(fields)}))",
        "valid": "true",
        "_key": "concat(tenant_id, '|', account_id)" if "`account_id`" in fields else "tenant_id",
        "_topic": f"'{topic}'",
        "_partition": "cityHash64(_key) % 8",
        "_offset": "rowNumberInAllBlocks()",
        "_block_at": at,
        "_arrived_at": "_block_at - toIntervalMillisecond(300 + cityHash64(payload) % 500)",
        "_block": f"'{topic}:0:0-1'",
    }
    columns = ", ".join([*own, *place])
    values = ", ".join([*own, *(f"{value} AS {name}" for name, value in place.items())])
    return f"INSERT INTO {Name(table)} ({columns}) SELECT {values} FROM ({_PLACE})"  # noqa: S608 - our own names


def _chunks(invoices: int) -> Iterator[tuple[int, int]]:
    for first in range(0, invoices, CHUNK):
        yield first, min(CHUNK, invoices - first)


def _read(name: str) -> Template:
    lines = (ROWS / f"{name}.sql").read_text("utf-8").splitlines()
    return Template("\n".join(line for line in lines if not line.lstrip().startswith("--")))
