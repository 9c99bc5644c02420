"""Aggregates filled again, made over tables that hold rows, checked and worked out anew, on the real endpoint."""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from connectors.clickhouse import refill
from connectors.clickhouse.aggregates import fed_by, named, refreshed
from connectors.clickhouse.blocks import Block, Place
from connectors.clickhouse.catalogue import catalogue
from connectors.clickhouse.check import check
from connectors.clickhouse.client import connect
from connectors.clickhouse.landed import slices
from connectors.clickhouse.migrate import MIGRATIONS, files, migrate, status
from connectors.clickhouse.ownership import Ownership
from connectors.clickhouse.portfolio import portfolios
from connectors.clickhouse.refill import Refill
from connectors.clickhouse.refreshes import refresh
from connectors.clickhouse.server import Server
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.sink import Sink
from models.actions.announce import encode
from models.clock import WallClock
from recoup.cli.aggregates import aggregates as command
from recoup.settings import Settings
from schemas.errors import BadInput, LostLease, NotReady, SinkUnavailable
from tests.integration.test_clickhouse_sink import Warehouse
from tests.integration.test_money_aggregates import PARTITIONS, POSTINGS, blocks
from tests.money_portfolio import Portfolio

NAME = "ageing_daily"
PLACES = [Place(POSTINGS, number) for number in range(PARTITIONS)]


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    return Portfolio(7, WallClock().now(), accounts=6)


@pytest.fixture(scope="module")
def cut(portfolio: Portfolio) -> list[Block]:
    """The portfolio's postings in some blocks, those of a partition in its order."""
    keyed = [(key, value) for (key, _), value in zip(portfolio.posted, portfolio.bytes, strict=True)]
    return blocks(POSTINGS, keyed, WallClock().now(), size=12)


class Landed(Warehouse):
    """A database in which a portfolio's postings have landed."""

    def land(self, cut: list[Block]) -> None:
        owner = self.owner(*PLACES)
        for block in cut:
            self.sink.insert(owner, block)

    def refill(self, name: str = NAME, **options: Any) -> Refill:
        return Refill(self.server, named(self.server, name), **options)

    def spoil(self, name: str = NAME) -> None:
        """Count everything in it twice, and once more what never was."""
        self.client.command(
            f"INSERT INTO {name}_states SELECT * FROM {name}_states SETTINGS insert_deduplicate = 0"  # noqa: S608
        )
        self.client.command(f"INSERT INTO {name}_states (tenant_id) VALUES ('nobody')")  # noqa: S608

    def take_over(self, cut: list[Block]) -> None:
        """What a worker does that takes the partitions over without knowing that the last blocks have landed whole."""
        claims = self.claim(*PLACES)
        for claim in claims.values():
            if claim.mark is not None and self.sink.may_send_again(POSTINGS, claim.mark):
                (block,) = [block for block in cut if block.token == claim.mark.block]
                self.sink.insert(claim.owner, block)

    def is_right(self, name: str = NAME) -> bool:
        return not check(self.server, named(self.server, name)).differing

    def all_are_right(self) -> bool:
        """Of those that postings go into."""
        wrong = [a.name for a in fed_by(self.server, "ledger_postings") if check(self.server, a).differing]
        assert wrong == []
        return True


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[Landed]:
    """One database for the module: to make all tables and views takes longer than a test."""
    database = Landed(settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"}))
    yield database
    database.client.command(f"DROP DATABASE {database.settings.database}")
    database.server.close()


@pytest.fixture
def empty(database: Landed) -> Landed:
    for aggregate in fed_by(database.server, "ledger_postings"):
        database.client.command(f"TRUNCATE TABLE {aggregate.target}")
    for table in ("ledger_postings", "owners"):
        database.client.command(f"TRUNCATE TABLE {table}")
    database.server.deadline = 20
    return database


@pytest.fixture
def landed(empty: Landed, cut: list[Block]) -> Landed:
    empty.land(cut)
    return empty


def test_a_check_finds_what_is_too_much_too_little_and_different(landed: Landed) -> None:
    assert landed.all_are_right()
    landed.client.command(f"INSERT INTO {NAME}_states (tenant_id, open_minor) VALUES ('nobody', 5)")  # noqa: S608
    verdict = check(landed.server, named(landed.server, NAME))
    assert [key.split(", ")[0] for key in verdict.differing] == ["nobody"]
    assert verdict.still
    landed.client.command("TRUNCATE TABLE liquidation_states")
    assert not landed.is_right("liquidation")
    landed.client.command(
        "INSERT INTO collections_daily_states (tenant_id, currency, day, billed_minor)"
        " SELECT tenant_id, currency, day, 1 FROM collections_daily_states LIMIT 1"
    )
    assert not landed.is_right("collections_daily")
    assert landed.ask("SHOW TABLES LIKE '%checked%'") == []


def test_a_check_finds_a_value_where_the_tables_say_none(landed: Landed) -> None:
    landed.client.command("INSERT INTO contact_requests (tenant_id, contact_id, valid) VALUES ('acme', 'c1', true)")
    try:
        assert landed.is_right("contacts")
        landed.client.command(
            "INSERT INTO contacts_states (tenant_id, kind, id, decided_at) VALUES ('acme', 'contact', 'c1', now64(3))"
        )
        assert not landed.is_right("contacts")
    finally:
        landed.client.command("TRUNCATE TABLE contact_requests")


def test_portfolios_are_those_of_the_postings(landed: Landed) -> None:
    known = [(its.tenant_id, its.currency, its.last_day) for its in portfolios(landed.client, landed.settings.database)]
    assert known == landed.ask(
        "SELECT tenant_id, currency, toInt32(max(booked_on)) FROM ledger_postings WHERE valid GROUP BY ALL ORDER BY ALL"
    )


@pytest.mark.parametrize("rows", [100, 2_000_000])
def test_a_target_filled_again_counts_each_row_once_also_of_blocks_that_are_sent_again(
    landed: Landed, cut: list[Block], monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(refill, "SLICE_ROWS", rows)
    for name in (NAME, "open_invoices"):
        landed.spoil(name)
        assert not landed.is_right(name)
        report = landed.refill(name).run()
        assert report.read == sum(block.count for block in cut) - still_to_send(landed)
        assert landed.is_right(name)
    landed.take_over(cut)
    assert landed.all_are_right()
    assert landed.ask("SHOW TABLES LIKE '%rebuilt%'") == []


def still_to_send(landed: Landed) -> int:
    """Rows of the last block of each partition: they are sent again instead of being filled."""
    marks = {mark.block for mark in landed.ownership.marks(PLACES).values()}
    return int(landed.ask(f"SELECT count() FROM ledger_postings WHERE _block IN ({', '.join(map(repr, marks))})"))  # noqa: S608


def test_what_lands_while_a_target_is_filled_counts_once(
    empty: Landed, cut: list[Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refill, "FEW_ROWS", 1)
    landed = empty
    owner = landed.owner(*PLACES)
    coming = iter(cut)
    for _ in range(3):
        landed.sink.insert(owner, next(coming))

    def more(_: str) -> None:
        if (block := next(coming, None)) is not None:
            landed.sink.insert(owner, block)

    for name in fed_by(landed.server, "ledger_postings"):
        if len(name.sources) == 1:
            Refill(landed.server, name, more).run()
            owner = landed.owner(*PLACES)
    for block in coming:
        landed.sink.insert(owner, block)
    landed.take_over(cut)
    assert landed.ask("SELECT count() FROM ledger_postings") == sum(block.count for block in cut)
    assert landed.all_are_right()


def test_a_worker_that_lands_meanwhile_is_refused_and_goes_on_afterwards(landed: Landed, cut: list[Block]) -> None:
    owner = landed.owner(*PLACES)
    landed.refill().run()
    with pytest.raises(LostLease):
        landed.sink.insert(owner, cut[-1])
    landed.sink.insert(landed.owner(*PLACES), cut[-1])
    assert landed.is_right()


def in_mid_switch(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Do something when the rest is filled, before a target changes places."""
    refuse = Refill._refuse_if_lost

    def between(run: Refill, *arguments: Any) -> None:
        do()
        refuse(run, *arguments)

    monkeypatch.setattr(Refill, "_refuse_if_lost", between)


def test_a_worker_that_starts_in_mid_switch_waits_and_lets_it_end(
    landed: Landed, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = Ownership(Server(landed.settings, deadline=0.3))

    def start() -> None:
        with pytest.raises(SinkUnavailable, match=f"run `recoup aggregates rebuild {NAME}` again"):
            started.claim(PLACES, "w")
        # Another one asked for switches just before this one began.
        landed.ownership.own(PLACES, "w")

    landed.spoil()
    in_mid_switch(monkeypatch, start)
    landed.refill().run()
    assert landed.is_right()
    assert started.claim(PLACES, "w")


def test_a_worker_that_lands_in_mid_switch_keeps_the_target_as_it_was(
    empty: Landed, cut: list[Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a version that knows no switches."""
    empty.land(cut[:-1])
    in_mid_switch(monkeypatch, lambda: empty.sink.insert(empty.ownership.own(PLACES, "w"), cut[-1]))
    with pytest.raises(LostLease, match="took it over"):
        empty.refill().run()
    assert empty.is_right()


def test_a_run_that_fails_before_the_exchange_changes_nothing(landed: Landed, monkeypatch: pytest.MonkeyPatch) -> None:
    landed.spoil()
    total = f"SELECT sum(open_minor), count() FROM {NAME}_states FINAL"  # noqa: S608
    before = landed.ask(total)
    monkeypatch.setattr(Refill, "_refuse_if_lost", fail)
    with pytest.raises(NotReady, match="a fault"):
        landed.refill().run()
    assert landed.ask(total) == before
    assert landed.claim(*PLACES)
    # What it has left is nothing that people are told of.
    assert landed.ask("SHOW TABLES LIKE '%rebuilt%'") != []
    assert not [one for one in catalogue(landed.client, landed.settings.database) if "rebuilt" in one.name]
    monkeypatch.undo()
    landed.refill().run()
    assert landed.is_right()
    assert landed.ask("SHOW TABLES LIKE '%rebuilt%'") == []


def test_a_run_cut_short_after_the_exchange_keeps_workers_away_until_it_is_run_again(
    landed: Landed, cut: list[Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Refill, "_send_again", fail)
    with pytest.raises(NotReady, match="a fault"):
        landed.refill().run()
    monkeypatch.undo()
    assert not landed.is_right()
    landed.server.deadline = 0.3
    with pytest.raises(SinkUnavailable, match=f"run `recoup aggregates rebuild {NAME}` again"):
        landed.claim(*PLACES)
    landed.server.deadline = 20
    landed.refill("liquidation").run()  # another one's switch is not ended by it
    landed.refill().run()
    landed.take_over(cut)
    assert landed.is_right()
    assert landed.is_right("liquidation")


def test_of_two_runs_for_one_target_the_earlier_one_ends(landed: Landed) -> None:
    def start_another(_: str) -> None:
        if not others:
            others.append(landed.refill())
            others[0].run()

    others: list[Refill] = []
    with pytest.raises((LostLease, NotReady)):
        landed.refill(tell=start_another).run()
    assert landed.is_right()
    assert landed.claim(*PLACES)


def test_what_retention_has_removed_is_not_lost_by_accident(landed: Landed) -> None:
    landed.client.command("ALTER TABLE ledger_postings MODIFY TTL toDateTime(_block_at) + toIntervalDay(30)")
    try:
        with pytest.raises(BadInput, match="--lose-older"):
            landed.refill().run()
        landed.refill(lose_older=True).run()
    finally:
        landed.client.command("ALTER TABLE ledger_postings REMOVE TTL")
    assert landed.is_right()


def test_slices_divide_a_table_by_account(landed: Landed) -> None:
    landed.client.command("OPTIMIZE TABLE ledger_postings FINAL")
    parts = list(slices(landed.server, "ledger_postings", "tenant_id, account_id, occurred_at", 1))
    counted = [landed.ask(f"SELECT count() FROM ledger_postings WHERE {part}") for part in parts]  # noqa: S608
    assert sum(counted) == landed.ask("SELECT count() FROM ledger_postings")
    assert list(slices(landed.server, "templates", "tenant_id, template", 1)) == ["1"]


# -- made over tables that hold rows -----------------------------------------------------------------------------------


@pytest.fixture
def old(settings: Settings, portfolio: Portfolio, tmp_path: Path) -> Iterator[tuple[ClickHouseSettings, list[Block]]]:
    """A database of a version that had no aggregates, in which everything but the last blocks has landed."""
    named_none = [
        (key, encode(msgspec.structs.replace(p, invoice_id=None, placed_on=None))) for key, p in portfolio.posted
    ]
    cut = blocks(POSTINGS, named_none, WallClock().now(), size=12)
    own = settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"})
    for file in MIGRATIONS.glob("0[01]*.sql"):
        shutil.copy(file, tmp_path)
    for file in MIGRATIONS.glob("02[0-2]_*.sql"):
        shutil.copy(file, tmp_path)
    migrate(own, directory=tmp_path)
    columns = next(migration.statements[0] for migration in files() if migration.name == "liquidation_by_invoice")
    connect(own).command(columns)  # which the blocks of today come with
    server = Server(own, deadline=20)
    owner = Ownership(server).claim(PLACES, "w")[PLACES[0]].owner
    for block in cut[:-2]:
        Sink(server).insert(owner, block)
    yield own, cut
    connect(own).command(f"DROP DATABASE {own.database}")
    server.close()


def test_aggregates_made_over_tables_that_hold_rows_are_filled(old: tuple[ClickHouseSettings, list[Block]]) -> None:
    own, cut = old
    told: list[str] = []
    changes = [change.name for change in migrate(own, tell=told.append)]
    assert {"filled ageing_daily", "filled collections_daily", "filled open_invoices", "filled contacts"} <= set(
        changes
    )
    assert "filled promises_daily" not in changes  # no customer event has landed
    assert any(text.startswith("ageing_daily: ledger_postings") for text in told)
    landed = Landed(own)
    landed.take_over(cut)
    landed.land(cut[-2:])
    assert landed.all_are_right()
    assert migrate(own) == []


def test_filling_that_was_cut_short_is_completed_by_the_next_migration(
    old: tuple[ClickHouseSettings, list[Block]], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, cut = old
    monkeypatch.setattr(Refill, "_send_again", fail)
    with pytest.raises(NotReady, match="a fault"):
        migrate(own)
    monkeypatch.undo()
    assert {state.number: state.state for state in status(own)}[23] == "pending"
    migrate(own)
    landed = Landed(own)
    landed.take_over(cut)
    landed.land(cut[-2:])
    assert landed.all_are_right()


def test_a_view_that_is_added_to_an_older_target_loses_nothing_that_retention_has_removed(
    old: tuple[ClickHouseSettings, list[Block]], tmp_path: Path
) -> None:
    own, _ = old
    migrate(own)
    for file in MIGRATIONS.glob("*.sql"):
        shutil.copy(file, tmp_path)
    (tmp_path / "900_one_more.sql").write_text(
        "CREATE MATERIALIZED VIEW IF NOT EXISTS ageing_daily_from_templates TO ageing_daily_states AS\n"
        "SELECT tenant_id FROM templates;\n"
    )
    client = connect(own)
    client.command("ALTER TABLE ledger_postings MODIFY TTL toDateTime(_block_at) + toIntervalDay(30)")
    total = "SELECT sum(open_minor), count() FROM ageing_daily_states FINAL"
    before = client.query(total).result_rows
    told: list[str] = []
    changes = [change.name for change in migrate(own, directory=tmp_path, tell=told.append)]
    assert "900_one_more" in changes
    assert "filled ageing_daily" not in changes
    assert "--lose-older" in told[-1]
    assert client.query(total).result_rows == before


# -- the commands ------------------------------------------------------------------------------------------------------


def run(landed: Landed, settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("RECOUP_HOME", str(settings.home))
    monkeypatch.setenv("RECOUP_CLICKHOUSE__DATABASE", landed.settings.database)
    done = CliRunner().invoke(command, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def test_the_commands_list_check_and_rebuild(
    landed: Landed, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = run(landed, settings, monkeypatch, "list", "--json")
    found = {one["name"]: one for one in json.loads(text)}
    assert code == 0
    assert found[NAME]["kind"] == "landing"
    assert found[NAME]["rows"] > 0
    assert (found["cures_monthly"]["kind"], found["cures_monthly"]["rows"]) == ("refreshed", 0)
    assert "ageing_daily" in run(landed, settings, monkeypatch, "list")[1]
    assert run(landed, settings, monkeypatch, "list", "--check", NAME)[0] == 0
    landed.spoil()
    code, text = run(landed, settings, monkeypatch, "list", "--check", NAME)
    assert code == 1
    assert f"`recoup aggregates rebuild {NAME}` mends it" in text
    code, text = run(landed, settings, monkeypatch, "rebuild", NAME, "--yes", "--json")
    assert (code, json.loads(text)[0]["aggregate"]) == (0, NAME)
    assert run(landed, settings, monkeypatch, "list", "--check", NAME)[0] == 0
    with pytest.raises(BadInput, match="`recoup aggregates refresh cures_monthly` makes it right"):
        run(landed, settings, monkeypatch, "list", "--check", "cures_monthly")
    with pytest.raises(BadInput, match="There is no aggregate 'money'"):
        run(landed, settings, monkeypatch, "rebuild", "money", "--yes")
    with pytest.raises(BadInput, match="no such aggregate: money"):
        run(landed, settings, monkeypatch, "refresh", "money")
    assert run(landed, settings, monkeypatch, "rebuild")[0] == 2


def test_what_is_worked_out_anew_is_waited_for_and_fails_aloud(
    landed: Landed, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed.client.command("CREATE TABLE doubled_table (n Int64) ENGINE = MergeTree ORDER BY n")
    landed.client.command("CREATE TABLE counted_table (n Int64) ENGINE = MergeTree ORDER BY n")
    landed.client.command(
        "CREATE MATERIALIZED VIEW zcounted_refreshed REFRESH EVERY 1 YEAR TO counted_table EMPTY AS"
        " SELECT toInt64(count()) AS n FROM ledger_postings WHERE throwIf(currency = 'nothing', 'a fault') = 0"
    )
    landed.client.command(
        "CREATE MATERIALIZED VIEW doubled_refreshed REFRESH EVERY 1 YEAR TO doubled_table EMPTY AS"
        " SELECT 2 * n AS n FROM counted_table"
    )
    names = list(refreshed(landed.server))
    assert names.index("zcounted") < names.index("doubled")  # what is read comes first
    code, text = run(landed, settings, monkeypatch, "refresh", "--json")
    assert code == 0
    assert {one["name"] for one in json.loads(text)} == set(names)
    rows = landed.ask("SELECT count() FROM ledger_postings")
    assert landed.ask("SELECT n FROM doubled_table") == 2 * rows
    landed.client.command("INSERT INTO ledger_postings (currency) SETTINGS async_insert = 0 VALUES ('nothing')")
    with pytest.raises(NotReady, match="zcounted_refreshed could not be worked out: error"):
        refresh(landed.server, refreshed(landed.server)["zcounted"])
    assert landed.ask("SELECT n FROM counted_table") == rows


def fail(*_: Any, **__: Any) -> None:
    raise NotReady("a fault")
