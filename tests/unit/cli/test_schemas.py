"""`recoup schemas` shows the contracts, and its exit codes guard them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from recoup.cli.schemas import schemas
from recoup.released import released_schemas
from schemas import json_schema
from schemas.errors import BadInput
from schemas.generated import generated
from schemas.registry import topics


@pytest.fixture
def run() -> CliRunner:
    return CliRunner()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository whose only commit, tagged v1, holds the present contracts."""
    folder = tmp_path / "schemas" / "json"
    shutil.copytree(json_schema.JSON_DIR, folder)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", ".")
    commit(tmp_path)
    git(tmp_path, "tag", "v1")
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)  # noqa: S603, S607


def commit(folder: Path) -> None:
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-a", "-m", "contracts")


def test_list_names_every_topic(run: CliRunner) -> None:
    result = run.invoke(schemas, ["list"])
    assert result.exit_code == 0
    assert all(topic in result.output for topic in topics())


def test_list_as_json_is_one_object_a_topic(run: CliRunner) -> None:
    lines = run.invoke(schemas, ["list", "--json"]).output.splitlines()
    rows = {row["name"]: row for row in map(json.loads, lines)}
    assert set(rows) == set(topics())
    assert rows["tenants"]["types"]["tenant.changed"]["struct"] == "Tenant"


def test_show_tells_the_fields_of_each_type(run: CliRunner) -> None:
    output = run.invoke(schemas, ["show", "crm-events"]).output
    assert "consent.changed v1" in output
    assert "scope (optional): contact | extra_calls" in output


def test_show_as_json_is_the_json_schema(run: CliRunner) -> None:
    result = run.invoke(schemas, ["show", "tenants", "--json"])
    assert json.loads(result.output) == json_schema.json_schema(topics()["tenants"])


def test_show_of_an_unknown_topic_is_bad_input(run: CliRunner) -> None:
    assert isinstance(run.invoke(schemas, ["show", "nonesuch"]).exception, BadInput)


def test_generate_check_passes_when_all_is_up_to_date(run: CliRunner) -> None:
    result = run.invoke(schemas, ["generate", "--check"])
    assert (result.exit_code, result.output) == (0, "Everything is up to date.\n")


def test_generate_check_writes_nothing_and_fails_then_generate_mends(
    run: CliRunner, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_schema, "JSON_DIR", repository)
    monkeypatch.setattr("recoup.cli.schemas._shown", str)
    generated.cache_clear()
    try:
        changed = repository / "tenants.v1.schema.json"
        changed.write_text("{}")
        (repository / "nonesuch.v1.schema.json").write_text("{}")
        result = run.invoke(schemas, ["generate", "--check"])
        assert result.exit_code == 1
        assert "tenants.v1" in result.output
        assert changed.read_text() == "{}"
        assert run.invoke(schemas, ["generate"]).exit_code == 0
        assert json.loads(changed.read_text())["title"] == "tenants"
        assert not (repository / "nonesuch.v1.schema.json").exists()
        assert run.invoke(schemas, ["generate", "--check"]).exit_code == 0
    finally:
        generated.cache_clear()


def test_the_released_schemas_are_those_of_the_revision(repository: Path) -> None:
    (repository / "tenants.v1.schema.json").write_text("{}")
    assert set(released_schemas("v1", repository)) == set(topics())
    assert released_schemas("v1", repository)["tenants"]["title"] == "tenants"


def test_the_newest_version_of_a_topic_is_compared(repository: Path) -> None:
    newer = {"title": "newer"}
    (repository / "tenants.v10.schema.json").write_text(json.dumps(newer))
    (repository / "tenants.v9.schema.json").write_text("{}")
    git(repository, "add", ".")
    commit(repository)
    assert released_schemas("HEAD", repository)["tenants"] == newer


@pytest.mark.parametrize("revision", ["nonesuch", "--help", "v1:schemas", ""])
def test_an_unknown_revision_is_bad_input(revision: str, repository: Path) -> None:
    with pytest.raises(BadInput):
        released_schemas(revision, repository)


def test_a_folder_outside_git_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="git"):
        released_schemas("HEAD", tmp_path)


def test_check_passes_when_nothing_breaks_and_fails_when_something_does(
    run: CliRunner, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recoup.released.FOLDER", repository)
    result = run.invoke(schemas, ["check", "--against", "v1"])
    assert (result.exit_code, result.output) == (0, f"Nothing breaks: {len(topics())} topics of v1 compared.\n")

    path = repository / "tenants.v1.schema.json"
    schema = json.loads(path.read_text())
    schema["$defs"]["Tenant"]["properties"]["nickname"] = {"type": "string"}
    path.write_text(json.dumps(schema))
    commit(repository)
    result = run.invoke(schemas, ["check", "--against", "HEAD"])
    assert result.exit_code == 1
    assert "tenants/tenant.changed.nickname: the field is gone" in result.output
    rows = json.loads(run.invoke(schemas, ["check", "--against", "HEAD", "--json"]).output)
    assert rows == [{"path": "tenants/tenant.changed.nickname", "says": "the field is gone"}]
