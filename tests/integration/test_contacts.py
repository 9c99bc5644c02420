"""The stop button while Kafka is away: in force, and recorded as soon as it can be."""

import json
import secrets

import pytest
from click.testing import CliRunner

from connectors.redis.chain import ControlChain
from connectors.redis.client import connect
from recoup.cli.main import recoup as command_line
from recoup.settings import Settings


@pytest.mark.slow  # the record is offered to a broker that is not there for ten seconds
def test_it_is_pressed_although_kafka_is_away(settings: Settings):
    redis = settings.redis.model_copy(update={"prefix": f"t{secrets.token_hex(4)}"})
    env = {
        "RECOUP_HOME": str(settings.home),
        "RECOUP_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "RECOUP_REDIS__PREFIX": redis.prefix,
    }
    pressed = CliRunner(env=env).invoke(command_line, ["contacts", "pause", "--tenant", "acme", "--json"])
    assert pressed.exit_code == 0, pressed.output
    assert json.loads(pressed.stdout.splitlines()[0])["changed"]
    assert "Kafka is away" in pressed.stderr
    status = CliRunner(env=env).invoke(command_line, ["contacts", "status", "--json"])
    assert [stop["tenant_id"] for stop in json.loads(status.stdout)["stopped"]] == ["acme"]
    client = connect(redis)
    assert ControlChain(client, redis.prefix).waiting() == 1
    client.close()


def test_what_is_not_in_doubt_cannot_be_resolved(settings: Settings):
    env = {"RECOUP_HOME": str(settings.home), "RECOUP_REDIS__PREFIX": f"t{secrets.token_hex(4)}"}
    done = CliRunner(env=env).invoke(command_line, ["contacts", "resolve", "c1", "--found", "sent"])
    assert "not among the contacts in doubt" in str(done.exception)
    nothing = CliRunner(env=env).invoke(command_line, ["contacts", "unknown"])
    assert nothing.stdout == "No contact is in doubt.\n"
