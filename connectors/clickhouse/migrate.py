"""Brings the database up to its numbered SQL files, each applied once; one that was changed afterwards is refused.

ClickHouse has no transactions for this, so every statement of a file can be repeated (`IF NOT EXISTS`): a run that was
cut short is completed by the next one.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.aggregates import aggregates, sizes
from connectors.clickhouse.client import connect, explain
from connectors.clickhouse.refill import Refill
from connectors.clickhouse.retention import retention
from connectors.clickhouse.server import Server
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.statements import Name, Value, statement
from connectors.clickhouse.tables import tables
from schemas.errors import BadInput, NotReady

MIGRATIONS = Path(__file__).parent / "migrations"

_FILE = re.compile(r"^(?P<number>\d{3})_(?P<name>[a-z0-9_]+)\.sql$")
_VIEW = re.compile(r"^CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+)", re.MULTILINE)
_TABLE = re.compile(r"^CREATE TABLE IF NOT EXISTS (\w+)", re.MULTILINE)

FILL_SECONDS = 600.0
"""How long a statement that fills an aggregate may take, and how long it is waited for others."""


class Migration(msgspec.Struct, frozen=True):
    """One file."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """Its statements: each ends with a `;` at the end of a line."""
        return [statement for part in re.split(r";[ \t]*(?:\n|\Z)", self.sql) if (statement := part.strip())]


class State(msgspec.Struct, frozen=True):
    """How one migration stands."""

    number: int
    name: str
    state: Literal["applied", "pending", "changed", "unknown"]
    """`changed`: its file is not the one that was applied. `unknown`: applied by a newer Recoup; no file here."""
    applied_at: str | None = None


class Change(msgspec.Struct, frozen=True):
    """One thing that a run does, or would do."""

    name: str
    statements: list[str]


def files(directory: Path = MIGRATIONS) -> list[Migration]:
    """The migrations in order; raises BadInput for a file that is not named like one, or a number used twice."""
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        name = _FILE.match(path.name)
        if name is None:
            raise BadInput(f"{path.name} in {directory.name}/ is not named like a migration: 007_what_it_does.sql.")
        if found and found[-1].number == int(name["number"]):
            raise BadInput(f"{path.name} in {directory.name}/ has the number of {found[-1].name}; each is used once.")
        found.append(Migration(number=int(name["number"]), name=name["name"], sql=path.read_text("utf-8")))
    return found


def status(settings: ClickHouseSettings, directory: Path = MIGRATIONS) -> list[State]:
    """How each migration stands; changes nothing. Raises NotReady when ClickHouse does not answer."""
    with connect(settings, database="default") as client:
        return _states(files(directory), _applied(client, settings.database))


def migrate(
    settings: ClickHouseSettings,
    *,
    dry_run: bool = False,
    directory: Path = MIGRATIONS,
    on_change: Callable[[Change], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Change]:
    """Apply what is pending, and the retention that the settings ask for; returns what was, or would be, done.

    Aggregates that a file makes over tables that hold rows already are filled from these before the file counts as
    applied; workers that land such a table have to wait meanwhile.

    Args:
        tell: told how far filling is.

    Raises:
        BadInput: a file was changed after it had been applied; nothing is done then.
        NotReady: ClickHouse does not answer, or refuses a statement.
    """
    run = Run(settings, dry_run, on_change, tell)
    with connect(settings, database="default") as client:
        try:
            run.apply(client, files(directory))
        except ClickHouseError as error:
            raise NotReady(f"ClickHouse at {settings.url}: {explain(error)} while migrating.") from error
    return run.changes


class Run:
    """One run of `migrate`."""

    def __init__(
        self,
        settings: ClickHouseSettings,
        dry_run: bool,  # noqa: FBT001
        on_change: Callable[[Change], None],
        tell: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.database = settings.database
        self.dry_run = dry_run
        self.on_change = on_change
        self.tell = tell
        self.changes: list[Change] = []

    def apply(self, client: Client, migrations: list[Migration]) -> None:
        """Do what is to be done, in order."""
        states = _states(migrations, _applied(client, self.database))
        _refuse_changed(states)
        if not self.dry_run:
            client.command(f"CREATE DATABASE IF NOT EXISTS {Name(self.database)}")
            client.command(statement("migrations", database=Name(self.database)))
            client.database = self.database
        pending = {state.number for state in states if state.state == "pending"}
        for migration in migrations:
            if migration.number in pending:
                self._do(client, Change(f"{migration.number:03d}_{migration.name}", migration.statements))
                self._fill(migration)
                self._record(client, migration)
        for name, missing in retention(client, self.settings).items():
            self._do(client, Change(f"retention of {name}", missing))

    def _do(self, client: Client, change: Change) -> None:
        for sql in () if self.dry_run else change.statements:
            try:
                client.command(sql)
            except ClickHouseError as error:
                raise NotReady(
                    f"{change.name} was refused ({explain(error)}): {str(error)[:500]}\n"
                    "What came before it is applied; mend the cause and run `recoup migrate` again."
                ) from error
        self._done(change)

    def _done(self, change: Change) -> None:
        self.changes.append(change)
        self.on_change(change)

    def _fill(self, migration: Migration) -> None:
        """Fill the aggregates whose views the file makes, where their tables hold rows.

        One that counts rows which retention has taken from its tables is left as it is, and that is told.
        """
        made, targets = set(_VIEW.findall(migration.sql)), set(_TABLE.findall(migration.sql))
        if self.dry_run or not made:
            return
        server = Server(self.settings, deadline=FILL_SECONDS)
        try:
            if not any(size.rows for size in sizes(server, tables()).values()):
                return  # a new database: there is nothing to look through
            for aggregate in aggregates(server).values():
                rows = sum(size.rows for size in sizes(server, aggregate.sources).values())
                if rows and made & {view.name for view in aggregate.views}:
                    # A new target has never counted what retention removed before: it is no loss.
                    refill = Refill(server, aggregate, self.tell, lose_older=aggregate.target in targets)
                    try:
                        refill.run()
                    except BadInput as error:
                        self.tell(f"{aggregate.name} counts by its new views what lands from now on. {error}")
                    else:
                        self._done(Change(f"filled {aggregate.name}", []))
        finally:
            server.close()

    def _record(self, client: Client, migration: Migration) -> None:
        if not self.dry_run:
            values: dict[str, Value] = {
                "number": migration.number,
                "name": migration.name,
                "checksum": migration.checksum,
            }
            client.command(statement("record_migration", database=Name(self.database), **values))


def _applied(client: Client, database: str) -> dict[int, tuple[str, str, str]]:
    """Number -> name, checksum and time of what was applied."""
    names = {"name_of_database": database, "name": "migrations"}
    if not client.query(statement("table", **names)).result_rows:
        return {}
    rows = client.query(statement("applied_migrations", database=Name(database))).result_rows
    return {number: (name, checksum, at) for number, name, checksum, at in rows}


def _states(migrations: list[Migration], applied: dict[int, tuple[str, str, str]]) -> list[State]:
    states: list[State] = []
    for migration in migrations:
        _, checksum, at = applied.get(migration.number, ("", "", None))
        if at is None:
            states.append(State(migration.number, migration.name, "pending"))
        else:
            same = checksum == migration.checksum
            states.append(State(migration.number, migration.name, "applied" if same else "changed", at))
    here = {migration.number for migration in migrations}
    states += [State(n, name, "unknown", at) for n, (name, _, at) in applied.items() if n not in here]
    return states


def _refuse_changed(states: list[State]) -> None:
    changed = [f"{state.number:03d}_{state.name}.sql" for state in states if state.state == "changed"]
    if changed:
        raise BadInput(
            f"{', '.join(changed)}: the file was changed after it had been applied, so nothing was done."
            " Put it back as it was, and write what is to change into a new file with the next number."
        )
