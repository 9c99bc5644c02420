"""Tenant files are read whole or refused with the place of the fault, and compared field by field."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from recoup.cli.tenants import tenants as command
from recoup.tenants import plan, read_file, read_folder
from schemas.errors import BadInput

ACME = """
tenant_id: acme
name: Acme
currencies: [USD]
time_zone: America/New_York
live_since: 2026-01-01T00:00:00Z
strategy:
  name: gentle
  steps:
    - {id: reminder, at_days: -3, channel: email, template: reminder}
"""


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_the_files_of_the_project_are_valid():
    found = read_folder(Path(__file__).parents[2] / "config" / "tenants")
    assert {"acme", "nordlicht"} <= found.keys()
    assert all(tenant.live_since is not None for tenant in found.values())


def test_a_folder_is_read_whole(tmp_path: Path):
    folder = written(tmp_path, acme=ACME, contoso=ACME.replace("acme", "contoso"))
    assert list(read_folder(folder)) == ["acme", "contoso"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tenant_id: [", "acme.yaml, line 1, column 13: not YAML"),
        (ACME.replace("USD", "XXX"), "field `currencies[0]`"),
        (ACME.replace("America/New_York", "America/Nowhere"), "field `time_zone`"),
        (ACME.replace("tenant_id: acme", "tenant_id: other"), "its name would be other.yaml"),
        (ACME + "colour: red\n", "unknown field `colour`"),
        ("- a list\n", "expected a mapping"),
        ("", "expected a mapping"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, said: str):
    with pytest.raises(BadInput) as refused:
        read_file(written(tmp_path, acme=text) / "acme.yaml")
    assert said in str(refused.value)
    assert "acme.yaml" in str(refused.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    (tmp_path / "acme.yaml").write_bytes(b"name: \xff")
    with pytest.raises(BadInput, match="byte 6 is not UTF-8"):
        read_file(tmp_path / "acme.yaml")


def test_every_bad_file_of_a_folder_is_told_at_once(tmp_path: Path):
    folder = written(tmp_path, acme=ACME.replace("USD", "XXX"), contoso="[]", good=ACME.replace("acme", "good"))
    with pytest.raises(BadInput) as refused:
        read_folder(folder)
    assert "acme.yaml" in str(refused.value)
    assert "contoso.yaml" in str(refused.value)
    assert "good.yaml" not in str(refused.value)


@pytest.mark.parametrize("folder", ["missing", "."])
def test_a_folder_without_tenants_is_refused(tmp_path: Path, folder: str):
    with pytest.raises(BadInput):
        read_folder(tmp_path / folder)


def test_the_plan_names_what_differs(tmp_path: Path):
    changed = ACME.replace("at_days: -3", "at_days: -5") + "limits: {max_contacts_per_7_days: 2}\n"
    before = read_folder(written(tmp_path, acme=ACME, old=ACME.replace("acme", "old")))
    (tmp_path / "old.yaml").unlink()
    after = read_folder(written(tmp_path, acme=changed, new=ACME.replace("acme", "new")))
    found = plan(after, before)
    assert [(change.kind, change.tenant_id) for change in found] == [
        ("change", "acme"),
        ("add", "new"),
        ("extra", "old"),
    ]
    assert [(field.name, field.published, field.wanted) for field in found[0].fields] == [
        ("limits.max_contacts_per_7_days", None, 2),
        (
            "strategy.steps.reminder",
            '{"id":"reminder","at_days":-3,"channel":"email","template":"reminder"}',
            '{"id":"reminder","at_days":-5,"channel":"email","template":"reminder"}',
        ),
    ]


def test_who_published_a_tenant_makes_no_difference(tmp_path: Path):
    wanted = read_folder(written(tmp_path, acme=ACME))
    in_force = {name: msgspec.structs.replace(tenant, event_id="x", source="y") for name, tenant in wanted.items()}
    assert plan(wanted, in_force) == []


def test_check_says_what_it_found(tmp_path: Path):
    told = CliRunner().invoke(command, ["check", str(written(tmp_path, acme=ACME))])
    assert told.exit_code == 0
    assert "ok  acme  Acme: USD, gentle" in told.output


def test_check_as_json(tmp_path: Path):
    told = CliRunner().invoke(command, ["check", str(written(tmp_path, acme=ACME)), "--json"])
    assert [tenant["tenant_id"] for tenant in msgspec.json.decode(told.stdout)] == ["acme"]


def test_check_fails_on_a_bad_file(tmp_path: Path):
    told = CliRunner().invoke(command, ["check", str(written(tmp_path, acme="[]"))])
    assert isinstance(told.exception, BadInput)
    assert told.exception.exit_code == 2
