"""The templates that come with Recoup, and the commands that put them in force."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from connectors.templates.files import read_folder
from connectors.templates.registry import key_of
from recoup.cli.templates import templates as command
from recoup.templates import check, plan, preview, unready
from recoup.tenants import read_folder as read_tenants
from schemas.errors import BadInput
from tests.contact_world import NOON

CONFIG = Path("config")
FILES = read_folder(CONFIG / "templates")
TEXTS = [file.template for file in FILES]
TENANTS = read_tenants(CONFIG / "tenants")


class Noon:
    def now(self) -> int:
        return NOON


def test_every_template_that_comes_along_may_be_registered_for_everybody():
    assert check(FILES, TENANTS) == []


def test_every_step_of_the_tenants_that_come_along_can_be_said():
    assert unready(TENANTS, TEXTS) == []


@pytest.mark.parametrize("tenant", sorted(TENANTS))
@pytest.mark.parametrize("its", TEXTS, ids=lambda its: f"{its.template}-{its.channel}-{its.language}")
def test_every_template_reads_without_a_gap_for_every_tenant(its, tenant):
    message = preview(
        TEXTS,
        TENANTS[tenant],
        template=its.template,
        channel=its.channel,
        language=its.language,
        data={"name": "", "amount": "12.00 EUR, 7 JPY", "invoices": "2"},
        clock=Noon(),
    )
    assert message.language == its.language
    said = f"{message.subject or ''}\n{message.text}"
    assert "  " not in said
    assert " ," not in said
    assert " ." not in said
    assert "{" not in said
    assert its.channel != "sms" or len(message.text) <= 480, "an SMS has at most three parts"


def test_a_step_without_its_words_is_told():
    acme = TENANTS["acme"]
    without = [its for its in TEXTS if its.template != "overdue_short"]
    assert unready({"acme": acme}, without) == [
        "tenant acme, step overdue-2: sms overdue_short: there is no such template in en."
    ]
    nameless = msgspec.structs.replace(acme, sender=msgspec.structs.replace(acme.sender, postal_address=()))
    assert (
        "prints {{ postal_address }}, and the tenant's `sender` does not have it"
        in unready({"acme": nameless}, TEXTS)[0]
    )


def test_only_what_differs_is_published():
    in_force = {key_of(its): msgspec.structs.replace(its, registered_by="me", event_id="e1") for its in TEXTS}
    assert plan(TEXTS, in_force) == []
    first, *rest = TEXTS
    assert [change.kind for change in plan(rest, in_force)] == ["extra"]
    del in_force[key_of(first)]
    assert [(change.kind, change.template) for change in plan(TEXTS, in_force)] == [("add", first.template)]
    second = TEXTS[1]
    in_force = {key_of(its): its for its in TEXTS} | {key_of(second): msgspec.structs.replace(second, text="x")}
    assert [(change.kind, change.key) for change in plan(TEXTS, in_force)] == [("change", key_of(second))]


def test_a_tenant_that_is_not_known_has_no_templates(tmp_path: Path):
    path = tmp_path / "nobody" / "reminder" / "sms.en.txt"
    path.parent.mkdir(parents=True)
    path.write_text("Hello")
    (said,) = check(read_folder(tmp_path), TENANTS)
    assert said == f"{path}: there is no tenant nobody; there are acme, nordlicht."


def test_the_check_says_what_is_wrong_and_ends_with_2(tmp_path: Path):
    path = tmp_path / "acme" / "reminder" / "sms.en.txt"
    path.parent.mkdir(parents=True)
    path.write_text("---\npurpose: collection\n---\n{{ business_name }}\n{{ balance }} {{ opt_out }}\n")
    result = CliRunner().invoke(command, ["check", str(tmp_path)])
    assert result.exit_code == 2
    assert f"{path}, line 5: text: unknown variable `balance`" in result.output
    path.write_text("{{ business_name }}: {{ amount }} {{ mini_miranda }} {{ opt_out }}")
    assert CliRunner().invoke(command, ["check", str(tmp_path), "--tenant", "acme"]).exit_code == 0


def test_a_preview_shows_what_the_customer_would_read():
    chosen = ["preview", "overdue_first", "--tenant", "acme", "--channel", "email"]
    result = CliRunner().invoke(command, [*chosen, "--language", "es-US"])
    assert result.exit_code == 0
    assert result.output.startswith("email in es, to alex@customer.example\nSubject: ")
    assert "Acme Energy" in result.output


def test_a_preview_takes_variables_and_refuses_others(tmp_path: Path):
    path = tmp_path / "data.json"
    path.write_text('{"amount": "5.00 EUR"}')
    chosen = ["preview", "overdue_first", "--tenant", "nordlicht", "--channel", "email", "--data", str(path)]
    assert "5,00\xa0€" in CliRunner().invoke(command, chosen).output
    path.write_text('{"amuont": "5.00 EUR"}')
    refused = CliRunner().invoke(command, chosen)
    assert isinstance(refused.exception, BadInput)
    assert "no variable `amuont`" in str(refused.exception)


def test_a_preview_of_what_is_not_there_says_what_was_looked_for():
    chosen = ["preview", "overdue_first", "--tenant", "acme", "--channel", "voicemail", "--language", "es-US"]
    refused = CliRunner().invoke(command, chosen)
    assert "no template overdue_first for voicemail in es-US, es, en" in str(refused.exception)
