"""An analyst of one tenant reads that tenant's rows and no others, as the real engine enforces it.

The local endpoint has no users. But the engine in it does: what `recoup access apply` would run on a server is written
here into the engine's own file of users, and the same data are opened as the analyst.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from click.testing import CliRunner

from connectors.clickhouse import access
from connectors.clickhouse.catalogue import Relation, catalogue
from connectors.clickhouse.client import connect
from connectors.clickhouse.migrate import migrate
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.statements import statement
from recoup.cli.access import access as command
from recoup.stack.clickhouse_endpoint import ClickHouseEndpoint
from recoup.stack.runner import Runner
from recoup.stack.settings import StackSettings
from schemas.errors import BadInput, NotReady
from tests.configured_engine import ask_the_engine
from tests.landed_examples import land_examples

ACME, GLOBEX = "acme", "globex"


class Warehouse:
    """A migrated database in which two tenants have the same events, and how the analyst of one asks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = Runner(ClickHouseEndpoint(folder, StackSettings(), ClickHouseSettings()), StackSettings())
        self.runner.up(lambda _part, _what: None)
        self.settings = ClickHouseSettings(url=self.runner.address())

    def fill(self) -> None:
        """Land every example of the contracts, once for each tenant."""
        migrate(self.settings)
        land_examples(self.settings, ACME, GLOBEX)
        with connect(self.settings) as client:
            for (name,) in client.query("SELECT view FROM system.view_refreshes WHERE database = 'recoup'").result_rows:
                client.command(f"SYSTEM REFRESH VIEW recoup.`{name}`")
                client.command(f"SYSTEM WAIT VIEW recoup.`{name}`")
            self.relations: list[Relation] = catalogue(client, "recoup")
            self.rows = {
                relation.name: client.query(
                    f"SELECT countIf(tenant_id = '{ACME}'), countIf(tenant_id = '{GLOBEX}') FROM `{relation.name}`"  # noqa: S608
                ).result_rows[0]
                for relation in access.readable(self.relations)
            }

    def as_analyst(self, statements: list[str], questions: list[str]) -> list[str]:
        """The answers, or the errors, of the engine on the same data with the analyst as its user."""
        (self.folder / "users.xml").write_text(users_file(statements))
        return ask_the_engine(self.folder, questions, data=self.folder / "data" / "clickhouse")


def users_file(statements: list[str]) -> str:
    """The role of those statements as the one user that the embedded engine has; a statement not known here fails."""
    grants, limits, constraints, filters = [], [], [], []
    for sql in statements:
        one_line = " ".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
        if found := re.fullmatch(r"GRANT (.*) TO `\w+` WITH REPLACE OPTION", one_line):
            grants += [f"<query>GRANT {escape(grant)}</query>" for grant in found[1].split(", ")]
        elif found := re.fullmatch(
            r"ALTER ROW POLICY `\w+` ON `recoup`\.`(\w+)` FOR SELECT USING (.*) AS PERMISSIVE TO `\w+`", one_line
        ):
            filters.append(f"<{found[1]}><filter>{escape(found[2])}</filter></{found[1]}>")
        elif found := re.fullmatch(r"ALTER SETTINGS PROFILE `\w+` SETTINGS\s+(.*)", one_line):
            for setting in re.split(r",\s+", found[1]):
                name, _, value, *rest = setting.split()
                limits.append(f"<{name}>{value}</{name}>")
                bounds = (
                    "<const/>" if rest == ["CONST"] else f"<min>{rest[1]}</min><max>{rest[3]}</max>" if rest else ""
                )
                constraints.append(f"<{name}>{bounds}</{name}>")
        else:
            assert re.match(r"(CREATE|ALTER ROLE)", one_line), one_line
    return (
        "<clickhouse><quotas><default/></quotas>"
        f"<profiles><default>{''.join(limits)}<constraints>{''.join(constraints)}</constraints></default></profiles>"
        "<users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>"
        f"<grants>{''.join(grants)}</grants><databases><recoup>{''.join(filters)}</recoup></databases></default></users>"
        "</clickhouse>"
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """While the endpoint answers, which has no users."""
    warehouse = Warehouse(tmp_path_factory.mktemp("access"))
    try:
        warehouse.fill()
        yield warehouse
    finally:
        warehouse.runner.down(lambda _part, _what: None)


@pytest.fixture(scope="module")
def statements(running: Warehouse) -> list[str]:
    return access.planned(running.settings, ACME)


def test_every_statement_is_one_that_the_server_understands(running: Warehouse, statements: list[str]) -> None:
    made = statements + access.user_statements(ACME, "anna", None) + access.user_statements(ACME, "anna", "a secret")
    with connect(running.settings) as client:
        for sql in made:
            assert client.query(f"EXPLAIN AST {sql}").result_rows, sql
    assert not any("a secret" in sql for sql in made)


@pytest.mark.parametrize("command_", ["apply", "show"])
def test_the_command_says_that_this_engine_has_no_users(
    running: Warehouse, monkeypatch: pytest.MonkeyPatch, command_: str
) -> None:
    monkeypatch.setenv("RECOUP_CLICKHOUSE__URL", running.settings.url)
    result = CliRunner().invoke(command, [command_, "--tenant", ACME])
    assert isinstance(result.exception, NotReady)
    assert "embedded engine, which has one user and no roles" in str(result.exception)


def test_a_table_of_a_later_migration_is_missing_until_access_is_applied_again(running: Warehouse) -> None:
    database, condition = "recoup", "(tenant_id = 'acme')"
    later = [one for one in access.readable(running.relations) if one.name != "templates"]
    grants = [(database, one.name, "SELECT") for one in later]
    found = access.coverage(running.relations, database, ACME, grants, {one.name: condition for one in later})
    states = {one.name: one.state for one in found}
    assert [name for name, state in states.items() if state == "not granted"] == ["templates"]
    assert {states[name] for name in ("owners", "migrations", "agent_metrics")} == {"withheld"}
    assert all(states[one.name] == "withheld" for one in running.relations if one.kind == "feeder")


def test_what_can_be_read_without_the_condition_is_a_leak(running: Warehouse) -> None:
    def leaks(grants: list[tuple[str, str, str]], policies: dict[str, str]) -> list[str]:
        found = access.coverage(running.relations, "recoup", ACME, grants, policies)
        return access.Access(ACME, "recoup_acme", [], found).leaks

    assert leaks([("recoup", "tenants", "SELECT")], {"tenants": "tenant_id = 'acme'"}) == []
    assert leaks([("recoup", "tenants", "SELECT")], {}) == ["tenants"]
    assert leaks([("recoup", "tenants", "SELECT")], {"tenants": "tenant_id = 'globex'"}) == ["tenants"]
    assert leaks([("recoup", "owners", "SELECT")], {}) == ["owners"]
    assert leaks([("recoup", "", "SELECT")], {}) == [one.name for one in running.relations]


def test_the_sql_can_be_had_without_running_it(running: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_CLICKHOUSE__URL", running.settings.url)
    options = ["apply", "--tenant", ACME, "--user", "anna", "--print"]
    shown = CliRunner().invoke(command, options, catch_exceptions=False).stdout
    assert "USING tenant_id = 'acme'" in shown
    assert "CREATE USER IF NOT EXISTS `anna` HOST NONE" in shown


def test_the_pipelines_own_user_is_no_analyst(running: Warehouse) -> None:
    with pytest.raises(BadInput, match="may write nothing"):
        access.check_user(running.settings, running.settings.username)


def test_what_a_server_grants_is_read_back(tmp_path: Path) -> None:
    """On the engine with its own file of users, where a role can be written down."""
    everybody = "<password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>"
    (tmp_path / "users.xml").write_text(
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas>"
        "<roles><recoup_acme><grants><query>GRANT SELECT ON recoup.tenants</query></grants></recoup_acme></roles>"
        f"<users><default>{everybody}<access_management>1</access_management></default>"
        f"<anna>{everybody}<grants><query>GRANT recoup_acme</query></grants>"
        "<databases><recoup><tenants><filter>tenant_id = 'acme'</filter></tenants></recoup></databases></anna></users>"
        "</clickhouse>"
    )
    answers = ask_the_engine(
        tmp_path,
        [
            statement("access/grants_of", role="recoup_acme"),
            statement("access/users_of", role="recoup_acme"),
            # A policy of the file is named after its user.
            statement("access/policies_of", name_of_database="recoup", policy="anna", role="anna"),
            statement("access/users_named", user="anna"),
            statement("access/users_named", user="berta"),
        ],
    )
    assert answers == ["recoup\ttenants\tSELECT", "anna", "tenants\ttenant_id = 'acme'", "anna", ""]


def test_both_tenants_have_rows_in_every_landed_table_but_that_of_the_workers(running: Warehouse) -> None:
    """Else isolation would be shown on nothing."""
    empty = {name for name, (acme, globex) in running.rows.items() if not acme or not globex}
    landed = {relation.name for relation in running.relations if relation.kind == "landed"}
    assert empty & landed == {"dead_letters"}


def test_the_analyst_sees_their_tenants_rows_and_no_others(running: Warehouse, statements: list[str]) -> None:
    """The last test of this file: it stops the endpoint, because only one process may hold the data."""
    names = sorted(running.rows)
    running.runner.down(lambda _part, _what: None)
    questions = [f"SELECT countIf(tenant_id = '{ACME}'), count() FROM recoup.`{name}`" for name in names]  # noqa: S608
    others = {one.name for one in running.relations} - set(names)
    denied = [
        *(f"SELECT count() FROM recoup.`{name}`" for name in sorted(others)),  # noqa: S608
        "INSERT INTO recoup.tenants (tenant_id) VALUES ('acme')",
        "ALTER TABLE recoup.tenants DELETE WHERE 1",
        "CREATE TABLE recoup.mine (n UInt8) ENGINE = Memory",
        "DROP TABLE recoup.tenants",
        "SELECT * FROM file('/etc/hostname', LineAsString)",
        "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
        "SELECT * FROM remote('127.0.0.1', recoup.tenants)",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SET readonly = 0",
        "SET allow_ddl = 1",
    ]
    lower = "SELECT 1 SETTINGS max_execution_time = 5"
    answers = running.as_analyst(statements, [*questions, lower, *denied])
    landed = {one.name for one in running.relations if one.kind == "landed"}
    for name, answer in zip(names, answers, strict=False):
        own, every = map(int, answer.split("\t"))
        acme, _ = running.rows[name]
        assert own == every, f"{name} shows other tenants' rows"
        # Rows of states may have been merged in between.
        assert own == acme if name in landed else (0 < own <= acme or own == acme == 0), name
    assert answers[len(names)] == "1"
    for sql, answer in zip(denied, answers[len(names) + 1 :], strict=True):
        assert re.search(r"ACCESS_DENIED|READONLY|SETTING_CONSTRAINT_VIOLATION|QUERY_IS_PROHIBITED", answer), (
            sql,
            answer,
        )
