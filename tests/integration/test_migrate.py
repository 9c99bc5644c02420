"""`recoup migrate` on the real endpoint: once, again, cut short, changed afterwards."""

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.clickhouse.client import connect
from connectors.clickhouse.migrate import MIGRATIONS, files, migrate, status
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.tables import tables
from recoup.cli.migrate import migrate as command
from recoup.settings import Settings
from schemas.errors import BadInput, NotReady


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[ClickHouseSettings]:
    """A database of one test's own that does not exist yet."""
    own = settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"})
    yield own
    connect(own, database="default").command(f"DROP DATABASE IF EXISTS {own.database}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Migrations of one's own."""
    shutil.copy(MIGRATIONS / "001_owners.sql", tmp_path)
    (tmp_path / "002_notes.sql").write_text(
        "CREATE TABLE IF NOT EXISTS notes (n UInt8) ENGINE = MergeTree ORDER BY n;\n"
        "ALTER TABLE notes ADD COLUMN IF NOT EXISTS text String;\n"
    )
    return tmp_path


def names_of(warehouse: ClickHouseSettings) -> set[str]:
    return {name for (name,) in connect(warehouse).query("SHOW TABLES").result_rows}


def test_every_table_is_made_once(warehouse: ClickHouseSettings) -> None:
    assert [change.name for change in migrate(warehouse)] == [f"{m.number:03d}_{m.name}" for m in files()]
    assert names_of(warehouse) >= {"migrations", "owners", *tables()}
    assert migrate(warehouse) == []
    assert {state.state for state in status(warehouse)} == {"applied"}


def test_a_dry_run_shows_the_sql_and_changes_nothing(warehouse: ClickHouseSettings) -> None:
    changes = migrate(warehouse, dry_run=True)
    assert any("CREATE TABLE IF NOT EXISTS payment_events" in sql for change in changes for sql in change.statements)
    assert {state.state for state in status(warehouse)} == {"pending"}


def test_a_file_that_was_changed_after_it_was_applied_is_refused(warehouse: ClickHouseSettings, folder: Path) -> None:
    migrate(warehouse, directory=folder)
    with (folder / "001_owners.sql").open("a") as file:
        file.write("-- a second thought\n")
    (folder / "003_more.sql").write_text("CREATE TABLE IF NOT EXISTS more (n UInt8) ENGINE = MergeTree ORDER BY n;")
    with pytest.raises(BadInput, match=r"001_owners\.sql.*next number"):
        migrate(warehouse, directory=folder)
    assert "more" not in names_of(warehouse)
    assert [state.state for state in status(warehouse, folder)] == ["changed", "applied", "pending"]


def test_only_what_is_new_is_applied(warehouse: ClickHouseSettings, folder: Path) -> None:
    migrate(warehouse, directory=folder)
    (folder / "003_more.sql").write_text("CREATE TABLE IF NOT EXISTS more (n UInt8) ENGINE = MergeTree ORDER BY n;")
    assert [change.name for change in migrate(warehouse, directory=folder)] == ["003_more"]
    assert "more" in names_of(warehouse)


def test_a_run_that_was_cut_short_is_completed(warehouse: ClickHouseSettings, folder: Path) -> None:
    (folder / "003_broken.sql").write_text(
        "CREATE TABLE IF NOT EXISTS half (n UInt8) ENGINE = MergeTree ORDER BY n;\nCREATE TABLE nonsense;\n"
    )
    with pytest.raises(NotReady, match="003_broken was refused"):
        migrate(warehouse, directory=folder)
    assert [state.state for state in status(warehouse, folder)] == ["applied", "applied", "pending"]
    (folder / "003_broken.sql").write_text("CREATE TABLE IF NOT EXISTS half (n UInt8) ENGINE = MergeTree ORDER BY n;\n")
    assert [change.name for change in migrate(warehouse, directory=folder)] == ["003_broken"]


def test_what_a_newer_version_applied_is_left_alone(warehouse: ClickHouseSettings, folder: Path) -> None:
    migrate(warehouse, directory=folder)
    (folder / "002_notes.sql").unlink()
    assert migrate(warehouse, directory=folder) == []
    assert [state.state for state in status(warehouse, folder)] == ["applied", "unknown"]


def test_retention_counts_from_landing_and_can_be_taken_back(warehouse: ClickHouseSettings) -> None:
    migrate(warehouse)
    kept = warehouse.model_copy(update={"ttl_days": 30})
    assert len(migrate(kept)) == len(tables())
    created = connect(warehouse).command("SHOW CREATE TABLE payment_events")
    assert "TTL toDateTime(_block_at) + toIntervalDay(30)" in str(created)
    assert migrate(kept) == []
    assert len(migrate(warehouse)) == len(tables())
    assert "TTL" not in str(connect(warehouse).command("SHOW CREATE TABLE payment_events"))
    assert migrate(warehouse) == []


def test_the_command_shows_applies_and_says_how_things_stand(
    warehouse: ClickHouseSettings, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(settings.home))
    monkeypatch.setenv("RECOUP_CLICKHOUSE__DATABASE", warehouse.database)

    def run(*options: str) -> str:
        result = CliRunner().invoke(command, options, catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    assert "CREATE TABLE IF NOT EXISTS payment_events" in run("--dry-run")
    assert {state["state"] for state in json.loads(run("--status", "--json"))} == {"pending"}
    assert "applied 002_payment_events" in run()
    assert json.loads(run("--json")) == []
    assert "up to date" in run()
    assert "applied  001_owners" in run("--status")
