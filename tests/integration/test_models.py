"""A model goes into force and out of it again through Kafka, under the eyes of the workers' own check."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.kafka import clients, topics
from connectors.kafka.settings import KafkaSettings
from connectors.model_store.store import Store
from connectors.model_store.verify import verify_release
from models.clock import WallClock
from recoup import tenants
from recoup.cli.main import recoup as command_line
from recoup.model_releases import TOPIC, published
from recoup.settings import Settings
from schemas.control import ModelReleased, Tenant
from schemas.errors import BadInput
from tests.trained_model import put

TENANT = "models-test"


@pytest.fixture
def kafka(settings: Settings) -> Iterator[KafkaSettings]:
    """A tenant of its own, which nothing is left of."""
    kafka = settings.kafka
    topics.apply(kafka)
    tenant = Tenant(tenant_id=TENANT, name="Models", currencies=("USD",), time_zone="UTC")
    tenants.publish(kafka, {TENANT: tenant}, [tenants.Change("add", TENANT)], WallClock())
    yield kafka
    producer = clients.producer(kafka)
    producer.produce("tenants", None, TENANT.encode())
    for role in ("champion", "challenger"):
        producer.produce(TOPIC, None, f"{TENANT}|{role}".encode())
    assert producer.flush(15) == 0


def test_a_release_and_the_way_back_travel_signed(kafka, settings):
    store = Store(settings.models, settings.home)
    one, two = put(store, bias=0.25), put(store, bias=0.75)

    def run(*arguments: str) -> Any:
        environment = {"RECOUP_HOME": str(settings.home)}
        done = CliRunner(env=environment).invoke(command_line, ["models", *arguments, "--json"], catch_exceptions=False)
        return json.loads(done.stdout)

    def in_force(role: str = "champion") -> ModelReleased:
        release = published(kafka)[TENANT, role]
        loaded = verify_release(release, store)  # what a worker does
        assert (loaded.manifest.model_id if loaded else "") == release.model
        return release

    run("release", one[:8], "--tenant", TENANT)
    said = run("release", two, "--tenant", TENANT)
    assert (said["released"]["model"], said["released"]["previous"], said["workers"]) == (two, [one], [])
    run("release", one, "--tenant", TENANT, "--shadow")
    assert (in_force().model, in_force("challenger").model) == (two, one)
    places = {row["model_id"]: [place["role"] for place in row["in_force"]] for row in run("list")}
    assert (places[one], places[two]) == (["challenger"], ["champion"])

    run("rollback", "--tenant", TENANT)
    assert (in_force().model, in_force().previous) == (one, ())
    with pytest.raises(BadInput, match=f"published are: .*{TENANT}"):
        run("release", one, "--tenant", "nobody")
