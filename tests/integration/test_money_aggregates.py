"""What the money views say, to the cent and to the row, whatever way the postings land."""

import datetime as dt
import random
import secrets
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from confluent_kafka import Message

from connectors.clickhouse.aggregates import fed_by, refreshed
from connectors.clickhouse.blocks import Block, Place, spans
from connectors.clickhouse.refreshes import refresh
from connectors.clickhouse.rows import RowReader
from models.calendar import DAY, HOUR, utc
from models.clock import WallClock
from recoup.settings import Settings
from tests.integration.test_clickhouse_sink import Warehouse
from tests.money_portfolio import BUCKETS, CURRENCIES, TENANTS, Portfolio, bucket, days

POSTINGS, FACTS = "ledger-postings", "customer-events"
PARTITIONS = 4
NEXT = {"current": "1-30", "1-30": "31-60", "31-60": "61-90", "61-90": "90+"}


@pytest.fixture(scope="module")
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    """One database for the module: each test empties it."""
    warehouse = Warehouse(settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"}))
    yield warehouse
    warehouse.client.command(f"DROP DATABASE {warehouse.settings.database}")
    warehouse.server.close()


@pytest.fixture
def money(warehouse: Warehouse) -> Warehouse:
    for topic in (POSTINGS, FACTS):
        table = topic.replace("-", "_")
        for name in [table, *(aggregate.target for aggregate in fed_by(warehouse.server, table))]:
            warehouse.client.command(f"TRUNCATE TABLE {name}")
    return warehouse


def blocks(topic: str, values: list[tuple[bytes, bytes]], at: int, size: int = 60) -> list[Block]:
    """Messages as they lie in their partitions, cut into blocks of one to three of these."""
    partitions: dict[int, list[Any]] = {number: [] for number in range(PARTITIONS)}
    for key, value in values:
        log = partitions[sum(key) % PARTITIONS]
        log.append(
            Message(
                topic=topic,
                partition=sum(key) % PARTITIONS,
                offset=len(log),
                key=key,
                value=value,
                timestamp=(1, at),
            )
        )
    pieces = [log[first : first + size] for log in partitions.values() for first in range(0, len(log), size)]
    cut: list[Block] = []
    while pieces:
        messages = [message for piece in pieces[:3] for message in piece]
        del pieces[:3]
        rows = RowReader(topic)(messages)
        assert rows.refused == 0
        of = spans((message.partition(), message.offset()) for message in messages)
        cut.append(Block(topic=topic, spans=of, at=at, body=rows.body, count=rows.count))
    return cut


def land(money: Warehouse, portfolio: Portfolio, draw: random.Random) -> None:
    """Land the postings in any order, each block up to three times, some of them first without one of the views."""
    keyed = [(key, value) for (key, _), value in zip(portfolio.posted, portfolio.bytes, strict=True)]
    cut = blocks(POSTINGS, keyed, WallClock().now())
    owner = money.owner(*(Place(POSTINGS, number) for number in range(PARTITIONS)))
    views = [
        view.name
        for a in fed_by(money.server, "ledger_postings")
        for view in a.views
        if view.source == "ledger_postings"
    ]
    repeated = [block for block in cut for _ in range(draw.randrange(1, 4))]
    draw.shuffle(repeated)
    for block in repeated[: len(repeated) // 3]:
        view = draw.choice(views)
        money.client.command(f"DETACH TABLE {view}")
        money.sink.insert(owner, block)
        money.client.command(f"ATTACH TABLE {view}")
    for block in [*repeated, *cut]:
        money.sink.insert(owner, block)
    assert money.ask("SELECT count() FROM ledger_postings") == len(keyed)


def ask(money: Warehouse, columns: str, view: str, keys: int) -> dict[Any, Any]:
    """The rows of a view by their first columns; each key must be one row."""
    rows = money.client.query(f"SELECT {columns} FROM {view}").result_rows  # noqa: S608 - our own
    found = {tuple(row[:keys]): tuple(row[keys:]) for row in rows}
    assert len(found) == len(rows), f"{view} has a key twice"
    return found


@pytest.mark.parametrize(("seed", "late"), [(1, False), (2, False), (3, True), (4, True)])
def test_every_money_view_says_what_the_books_say(money: Warehouse, seed: int, *, late: bool) -> None:
    portfolio = Portfolio(seed, WallClock().now(), late=late)
    land(money, portfolio, random.Random(seed))
    today = of_the_server(money)
    try:
        assert_views(money, portfolio, today, late=late)
    except AssertionError:
        if (tomorrow := of_the_server(money)) == today:
            raise
        assert_views(money, portfolio, tomorrow, late=late)  # midnight has passed between two questions


def of_the_server(money: Warehouse) -> dt.date:
    """The day that the views count to."""
    today: dt.date = money.ask("SELECT toDate32(now('UTC'))")
    return today


def assert_views(money: Warehouse, portfolio: Portfolio, today: dt.date, *, late: bool) -> None:
    assert_collections(money, portfolio)
    snapshots = portfolio.open_by_day(today)
    assert_ageing(money, portfolio, snapshots, late=late)
    assert_roll_rates(money, portfolio, today)
    assert_receivables(money, portfolio, today)
    assert_liquidation(money, portfolio)
    assert_accounts(money, portfolio, today)


def assert_collections(money: Warehouse, portfolio: Portfolio) -> None:
    columns = (
        "tenant_id, currency, day, billed_minor, collected_minor, reversed_minor, adjusted_minor, voided_minor,"
        " written_off_minor, recovered_minor, payments, paying_accounts"
    )
    said = ask(money, columns, "collections_daily", 3)
    wanted = portfolio.collections()
    nothing = (0,) * 9
    assert {key: row for key, row in said.items() if row != nothing} == {
        k: row for k, row in wanted.items() if row != nothing
    }


def assert_ageing(money: Warehouse, portfolio: Portfolio, snapshots: dict[Any, Any], *, late: bool) -> None:
    said = ask(money, "tenant_id, currency, day, bucket, bucket_no, open_minor, invoices", "ageing_daily", 4)
    assert {
        (*key, name): (BUCKETS.index(name), *of) for key, by in snapshots.items() for name, of in by.items()
    } == said
    if not late:  # the core's own states, day by day
        for (tenant, currency, day), by_bucket in snapshots.items():
            assert portfolio.open_by_the_core(tenant, currency, day) == by_bucket


def assert_roll_rates(money: Warehouse, portfolio: Portfolio, today: dt.date) -> None:
    said = ask(
        money, "tenant_id, currency, day, from_bucket, to_bucket, from_minor, to_minor, rate", "roll_rates_daily", 5
    )
    wanted: dict[Any, Any] = {}
    month = dt.timedelta(30)
    for (tenant, currency), lines in portfolio.lines().items():
        for day in days(min(booked for booked, _ in lines) + month, today):
            for old, new in NEXT.items():
                before = sum(
                    line.amount_minor for booked, line in lines
                    if booked <= day - month and bucket(line.due_on, day - month) == old
                    and (old != "current" or line.due_on < day)
                )  # fmt: skip
                after = sum(
                    line.amount_minor for booked, line in lines
                    if booked <= day and bucket(line.due_on, day) == new and (day - line.due_on).days <= 120
                )  # fmt: skip
                rate = after / before if before > 0 else None
                wanted[tenant, currency, day, old, new] = before, after, rate
    assert said == wanted


def assert_receivables(money: Warehouse, portfolio: Portfolio, today: dt.date) -> None:
    columns = "tenant_id, currency, day, open_minor, current_minor, overdue_minor, on_account_minor, billed_90d_minor"
    said = ask(money, f"{columns}, dso_days, cei_30d", "receivables_daily", 3)
    snapshots, moved = portfolio.open_by_day(today), portfolio.collections()
    seen = set()
    for tenant in TENANTS:
        for currency in CURRENCIES:
            booked = [p.booked_on for _, p in portfolio.posted if (p.tenant_id, p.currency) == (tenant, currency)]
            for day in days(min(booked), today):
                key = tenant, currency, day
                seen.add(key)
                buckets = snapshots.get(key, {})
                opened = sum(amount for amount, _ in buckets.values())
                current = buckets.get("current", (0, 0))[0]
                billed = sum(
                    row[0]
                    for (t, c, d), row in moved.items()
                    if (t, c) == (tenant, currency) and 0 <= (day - d).days < 90
                )
                charged = sum(
                    row[0] + row[3] - row[4] - row[5] for (t, c, d), row in moved.items()
                    if (t, c) == (tenant, currency) and 0 <= (day - d).days < 30
                )  # fmt: skip
                before = sum(
                    amount for amount, _ in snapshots.get((tenant, currency, day - dt.timedelta(30)), {}).values()
                )
                dso = opened / billed * 90 if billed > 0 else None
                cei = (before + charged - opened) / (before + charged - current) if before + charged > current else None
                credit = portfolio.on_account(*key)
                assert said[key] == (opened, current, opened - current, credit, billed, dso, cei), key
    assert seen == set(said)


def assert_liquidation(money: Warehouse, portfolio: Portfolio) -> None:
    columns = (
        "tenant_id, currency, placed_month, months_since, placed_minor, collected_minor, cumulative_collected_minor"
    )
    said = ask(money, f"{columns}, cumulative_rate", "liquidation", 4)
    wanted = portfolio.liquidation()
    assert {key[:3] for key in said} == set(wanted)
    for key, (placed, collected) in wanted.items():
        months = sorted(months for *month, months in said if tuple(month) == key)
        assert months == list(range(len(months)))
        assert len(months) > max(collected)
        total = 0
        for month in months:
            total += collected.get(month, 0)
            rate = total / placed if placed > 0 else None
            assert said[*key, month] == (placed, collected.get(month, 0), total, rate), key


def assert_accounts(money: Warehouse, portfolio: Portfolio, today: dt.date) -> None:
    said = ask(
        money,
        "tenant_id, account_id, invoice_id, currency, open_minor, due_on, days_past_due, bucket",
        "open_invoices",
        4,
    )
    open_now = portfolio.open_invoices()
    past = {key: max(0, (today - due).days) for key, (_, due) in open_now.items()}
    assert said == {key: (rest, due, past[key], bucket(due, today)) for key, (rest, due) in open_now.items()}
    columns = (
        "tenant_id, account_id, currency, open_minor, overdue_minor, oldest_due_on, days_past_due, on_account_minor"
    )
    balances = ask(money, columns, "account_balances", 3)
    credit = portfolio.credit()
    accounts = {(t, a, c) for t, a, _, c in open_now} | set(credit)
    assert set(balances) == accounts
    for account in accounts:
        mine = {key: of for key, of in open_now.items() if (key[0], key[1], key[3]) == account}
        oldest = min((due for _, due in mine.values()), default=None)
        assert balances[account] == (
            sum(rest for rest, _ in mine.values()),
            sum(rest for rest, due in mine.values() if due < today),
            oldest,
            max((past[key] for key in mine), default=0),
            credit.get(account, 0),
        )
    assert_most_overdue(money, balances)


def assert_most_overdue(money: Warehouse, balances: dict[Any, Any]) -> None:
    refresh(money.server, refreshed(money.server)["most_overdue"])
    columns = "tenant_id, currency, place, account_id, open_minor, overdue_minor, oldest_due_on, days_past_due"
    said = ask(money, f"{columns}, on_account_minor", "most_overdue", 3)
    wanted: dict[Any, list[Any]] = {}
    for (tenant, account, currency), row in balances.items():
        if row[1] > 0:
            wanted.setdefault((tenant, currency), []).append((account, *row))
    assert wanted
    assert said == {
        (*whose, place): row
        for whose, rows in wanted.items()
        for place, row in enumerate(sorted(rows, key=lambda row: (-row[2], row[0])), 1)
    }


# -- what decide concluded ---------------------------------------------------------------------------------------------


def test_promises_and_cures_are_counted_once_each(money: Warehouse) -> None:
    draw, now = random.Random(5), WallClock().now()
    told = sorted((conclusion(draw, number, now) for number in range(400)), key=lambda event: str(event["occurred_at"]))
    values = [(f"{e['tenant_id']}|{e['account_id']}".encode(), msgspec.json.encode(e)) for e in told]
    owner = money.owner(*(Place(FACTS, number) for number in range(PARTITIONS)))
    cut = blocks(FACTS, values, now)
    for block in [*reversed(cut), *cut]:
        money.sink.insert(owner, block)
    wanted: dict[Any, list[int]] = {}
    for event in told:
        if event["type"] in ("promise.kept", "promise.broken"):
            row = wanted.setdefault((event["tenant_id"], event["currency"], event["due_on"]), [0, 0, 0, 0])
            broken = event["type"] == "promise.broken"
            row[broken] += 1
            row[2 + broken] += event["amount_minor"]
    columns = "tenant_id, currency, day, kept, broken, kept_minor, broken_minor, kept_rate"
    assert ask(money, columns, "promises_daily", 3) == {
        key: (*row, row[0] / (row[0] + row[1])) for key, row in wanted.items()
    }
    refresh(money.server, refreshed(money.server)["cures_monthly"])
    assert ask(money, "*", "cures_monthly", 2) == cures(told, utc(now))


def conclusion(draw: random.Random, number: int, now: int) -> dict[str, Any]:
    """A customer event of the last 200 days."""
    at = now - draw.randrange(200 * DAY) - HOUR
    about: dict[str, Any] = {
        "event_id": f"c{number}", "tenant_id": draw.choice(["acme", "basta"]), "account_id": f"a{draw.randrange(8)}",
        "occurred_at": utc(at), "source": "decide", "type": draw.choice(["account.cured", "invoice.overdue", "promise"]),
    }  # fmt: skip
    money = {"amount_minor": draw.randrange(1, 900), "currency": draw.choice(CURRENCIES)}
    if about["type"] == "invoice.overdue":
        return about | {"invoice_id": f"i{number}", "open_minor": 5, "currency": "EUR", "days_past_due": 1}
    if about["type"] == "promise":
        verdict = {"type": draw.choice(["promise.kept", "promise.broken"]), "promise_id": f"p{number}"}
        return about | verdict | money | {"due_on": utc(at).date() - dt.timedelta(draw.randrange(3))}
    return about


def cures(told: list[dict[str, Any]], now: dt.datetime) -> dict[Any, Any]:
    """As cures_monthly."""
    found: dict[Any, list[int]] = {}
    for event in told:
        if event["type"] != "account.cured":
            continue
        at = event["occurred_at"]
        of = event["tenant_id"], event["account_id"]
        overdue = [
            e["occurred_at"] for e in told
            if e["type"] == "invoice.overdue" and (e["tenant_id"], e["account_id"]) == of and e["occurred_at"] > at
        ]  # fmt: skip
        row = found.setdefault((of[0], at.date().replace(day=1)), [0, 0, 0, 0, 0])
        row[0] += 1
        for place, length in ((1, dt.timedelta(30)), (2, dt.timedelta(90))):
            if at <= now - length:
                row[place + 2] += 1
                row[place] += bool(overdue) and min(overdue) <= at + length
    return {key: (*row, row[2] / row[4] if row[4] else None) for key, row in found.items()}
