"""Templates on their way through Kafka: registered by the command, held by who reads the topic, ended by a prune."""

import json
from pathlib import Path

from click.testing import CliRunner

from connectors.kafka import topics
from connectors.kafka.control import read_whole
from connectors.templates.registry import Templates
from recoup.cli.templates import templates as command
from recoup.settings import Settings
from recoup.templates import TOPIC
from streams.templates import take
from tests.contact_world import TENANT


def recoup(settings: Settings, *arguments: str) -> str:
    done = CliRunner(env={"RECOUP_HOME": str(settings.home)}).invoke(command, [*arguments])
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.stdout


def held(settings: Settings) -> Templates:
    found = Templates()
    for key, value in read_whole(settings.kafka, TOPIC).items():
        take(found, key, value)
    return found


def test_templates_are_registered_listed_changed_and_ended(settings: Settings, tmp_path: Path):
    topics.apply(settings.kafka)
    path = tmp_path / "acme" / "kept_for_this_test" / "sms.en.txt"
    path.parent.mkdir(parents=True)
    path.write_text("{{ business_name }}: {{ amount }} {{ mini_miranda }} {{ opt_out }}")
    only = (str(tmp_path), "--tenant", "acme")
    assert "1 would be registered" in recoup(settings, "register", *only, "--dry-run")
    assert held(settings).find(TENANT, "kept_for_this_test", "sms", "en") is None
    recoup(settings, "register", *only)
    found = held(settings).find(TENANT, "kept_for_this_test", "sms", "en-GB")
    assert found is not None
    assert found.registered.text == path.read_text()
    assert recoup(settings, "register", *only) == "What is in force is as the files say.\n"
    (listed,) = json.loads(recoup(settings, "list", "--tenant", "acme", "--json"))
    assert (listed["template"], listed["source"]) == ("kept_for_this_test", "templates register")
    path.write_text("{{ business_name }} - {{ amount }} {{ mini_miranda }} {{ opt_out }}")
    assert recoup(settings, "register", *only).startswith("~ acme  kept_for_this_test  sms  en")
    path.unlink()
    assert "in force and has no file" in recoup(settings, "register", *only)
    recoup(settings, "register", *only, "--prune")
    assert held(settings).find(TENANT, "kept_for_this_test", "sms", "en") is None
