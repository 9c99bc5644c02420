"""A portfolio's invoices and cash out of ClickHouse, as the arrays that forecasts are made from."""

from typing import Any

import msgspec
import numpy as np
from clickhouse_connect.driver.client import Client

from connectors.clickhouse.statements import Name, Value, statement
from models.forecast.ledger import Days, Ledger, Places

HISTORY_DAYS = 730
"""Invoices that were due longer before today than this are left out: they pay hardly anything, and there are many."""
WATCHED_DAYS = 60
"""Of a live past that is shorter than this, what was loaded as history is taken for the whole of its time."""


class Portfolio(msgspec.Struct, frozen=True):
    """One currency of one tenant."""

    tenant_id: str
    currency: str
    last_day: int
    """Day number of its last booking."""


def portfolios(client: Client, database: str) -> list[Portfolio]:
    """Every tenant's currencies."""
    found = client.query(statement("portfolios", database=Name(database)))
    return [Portfolio(*row) for row in found.result_rows]


def ledger(client: Client, database: str, tenant_id: str, currency: str, today: int) -> Ledger:
    """Everything that is known of a portfolio.

    What was loaded as history may hold only what was still open when it was loaded. So invoices are watched from the
    day of the first payment that came live, unless that is not long ago.

    Args:
        client: may read.
        database: where the tables are.
        tenant_id: whose.
        currency: of the amounts.
        today: day number.
    """
    named: dict[str, Value] = {"database": Name(database), "tenant": tenant_id, "currency": currency}
    cash = _columns(client, statement("cash_by_day", **named))
    moved = _columns(client, statement("invoice_movements", due_since=today - HISTORY_DAYS, **named))
    # An invoice that was paid before it was issued opens on its first day, whatever moved on it then.
    invoice, first = np.unique(moved["invoice"], return_index=True)
    opens = moved["opened_minor"] > 0
    opened = _first_day(moved["invoice"][opens], moved["day"][opens], invoice)
    known = opened >= 0
    place = np.cumsum(known) - 1
    of = np.searchsorted(invoice, moved["invoice"])
    moves = ((moved["paid_minor"] != 0) | (moved["credited_minor"] != 0)) & known[of]
    live = cash["day"][cash["live"] > 0]
    return Ledger(
        account=np.unique(moved["account"][first][known], return_inverse=True)[1].astype(np.int64),
        opened=opened[known],
        due=moved["due"][first][known],
        amount=np.bincount(of, moved["opened_minor"], minlength=len(invoice))[known].astype(np.float64),
        invoice=place[of[moves]],
        day=moved["day"][moves],
        paid=moved["paid_minor"][moves].astype(np.float64),
        credited=moved["credited_minor"][moves].astype(np.float64),
        cash_day=cash["day"],
        cash=cash["minor"].astype(np.float64),
        since=int(live.min()) if len(live) and live.min() <= today - WATCHED_DAYS else 0,
    )


def _columns(client: Client, sql: str) -> dict[str, Any]:
    table = client.query_arrow(sql)
    return {name: table[name].to_numpy() for name in table.column_names}


def _first_day(invoice: Places, day: Days, among: Places) -> Days:
    """The first of the days of each invoice among these; -1 = none."""
    found = np.full(len(among), np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(found, np.searchsorted(among, invoice), day)
    return np.where(found == np.iinfo(np.int64).max, -1, found)
