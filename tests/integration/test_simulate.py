"""Tenants and simulated portfolios on a real broker: what is said to be sent is there, and nobody mixes with a replay."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from connectors.kafka import clients, topics
from connectors.kafka.control import read_whole
from connectors.kafka.counts import count_messages
from connectors.redis.client import connect
from models.clock import WallClock
from recoup import tenants
from recoup.cli.simulate import simulate
from recoup.cli.tenants import tenants as command
from recoup.settings import Settings
from recoup.simulator.deeds import moment
from recoup.simulator.feed import Feed
from recoup.simulator.portfolio import BUSINESSES
from recoup.simulator.stack import businesses_of, require_live
from recoup.simulator.stream import Shares, Simulation
from recoup.stack.stack import Stack
from schemas.errors import BadInput, NotReady
from schemas.interactions import ContactSent
from schemas.registry import SOURCE_TOPICS
from tests.conftest import running_stack

FOLDER = Path(__file__).parents[2] / "config" / "tenants"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A stack of our own: simulated events go to the topics of the registry, which others read."""
    stacks: Iterator[Stack] = running_stack(tmp_path_factory.mktemp("simulate"))
    for stack in stacks:
        settings = Settings(home=stack.home)
        topics.apply(settings.kafka)
        yield settings


@pytest.fixture
def as_user(live: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("RECOUP_HOME", str(live.home))
    return live


def held(settings: Settings) -> dict[str, int]:
    counted = count_messages(settings.kafka, SOURCE_TOPICS)
    return {topic: sum(partitions.values()) for topic, partitions in counted.items()}


def feed(settings: Settings, rate: float | None = None, accounts: int = 300, seed: int = 1) -> Feed:
    clock = WallClock()
    simulation = Simulation(seed, accounts, BUSINESSES, start=clock.now(), shares=Shares(bad=0.05))
    return Feed(settings.kafka, simulation, rate=rate, clock=clock)


# -- tenants ---------------------------------------------------------------------------------------------------------------


def test_tenants_are_published_compared_and_pruned(as_user: Settings, tmp_path: Path):
    run = CliRunner()
    assert "2 would be published" in run.invoke(command, ["apply", "--dry-run", str(FOLDER)]).output
    assert tenants.published(as_user.kafka) == {}
    assert "2 were published" in run.invoke(command, ["apply", str(FOLDER)]).output
    assert "as the files say" in run.invoke(command, ["apply", str(FOLDER)]).output
    listed = run.invoke(command, ["list", "--json"])
    assert [tenant["tenant_id"] for tenant in json.loads(listed.stdout)] == ["acme", "nordlicht"]

    (tmp_path / "acme.yaml").write_text(
        (FOLDER / "acme.yaml").read_text().replace("name: Acme Energy", "name: Acme Power")
    )
    told = run.invoke(command, ["apply", str(tmp_path)]).output
    assert "name: Acme Energy -> Acme Power" in told
    assert "? nordlicht" in told
    assert tenants.published(as_user.kafka)["acme"].name == "Acme Power"
    assert "nordlicht" in tenants.published(as_user.kafka)

    run.invoke(command, ["apply", "--prune", str(tmp_path)])
    assert list(tenants.published(as_user.kafka)) == ["acme"]
    run.invoke(command, ["apply", str(FOLDER)])
    assert list(tenants.published(as_user.kafka)) == ["acme", "nordlicht"]


def test_a_control_topic_is_read_to_its_newest_values(live: Settings):
    producer = clients.producer(live.kafka)
    topic = "policy-releases"
    for value in (b"1", b"2", b"3"):
        producer.produce(topic, value, b"kept")
        producer.produce(topic, value, b"removed")
    producer.produce(topic, None, b"removed")
    producer.flush(10)
    assert read_whole(live.kafka, topic) == {b"kept": b"3"}


def test_an_empty_control_topic_is_read_too(live: Settings):
    assert read_whole(live.kafka, "model-releases") == {}


def test_a_control_topic_that_is_missing_is_named_with_what_to_do(live: Settings):
    with pytest.raises(NotReady, match="recoup topics apply"):
        read_whole(live.kafka, "no-such-topic")


# -- the simulator ---------------------------------------------------------------------------------------------------------


def test_every_message_that_is_counted_is_in_its_topic(live: Settings):
    before = held(live)
    tally = feed(live).run(events=5_000)
    after = held(live)
    assert tally.total == 5_000
    assert {topic: after[topic] - before[topic] for topic in after} == dict(tally.delivered)


def test_bad_messages_and_duplicates_are_counted_with_the_rest(live: Settings):
    before = held(live)
    tally = feed(live, rate=2_000).run(seconds=1.0)
    assert sum(held(live).values()) - sum(before.values()) == tally.total
    assert sum(tally.bad.values()) > 0
    assert tally.duplicates > 0


def test_a_rate_is_kept(live: Settings):
    tally = feed(live, rate=500).run(seconds=2.0)
    assert 900 <= tally.total <= 1_100


def test_it_can_be_stopped_at_any_time(live: Settings):
    endless = feed(live, rate=200)
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(endless.run().total))
    thread.start()
    endless.stop()
    thread.join(30)
    assert not thread.is_alive()
    assert done == [endless.tally.total]


def test_customers_hear_the_contacts_that_are_sent(live: Settings):
    """The contact goes through the topic; its customer's answer comes back through it."""
    listening = feed(live, rate=1_000, accounts=20, seed=11)
    producer = clients.producer(live.kafka)

    def contact(_: object) -> None:
        if len(listening.simulation.trade.accounts) == 20 and not listening.tally.contacts_heard:
            for account in listening.simulation.trade.accounts:
                sent = ContactSent(
                    event_id=f"c-{account.customer.account_id}",
                    tenant_id=account.business.tenant_id,
                    account_id=account.customer.account_id,
                    occurred_at=moment(WallClock().now()),
                    source="dispatch",
                    contact_id=f"c-{account.customer.account_id}",
                    channel="email",
                )
                producer.produce("interaction-events", msgspec.json.encode(sent), account.key)
            producer.flush(10)
            listening.progress = stop_when_answered

    def stop_when_answered(_: object) -> None:
        if listening.tally.contacts_heard == 20 and any(listening.tally.answers.values()):
            listening.stop()

    listening.progress = contact
    tally = listening.run(seconds=60)
    assert tally.contacts_heard == 20
    assert sum(tally.answers.values()) > 0


def test_the_command_sends_what_it_says_and_writes_the_truth(as_user: Settings, tmp_path: Path):
    tenants_published = tenants.published(as_user.kafka)
    if not tenants_published:
        CliRunner().invoke(command, ["apply", str(FOLDER)])
    before = sum(held(as_user).values())
    truth = tmp_path / "truth.jsonl"
    options = ["--max", "--events", "2000", "--accounts", "50", "--truth", str(truth), "--json"]
    told = CliRunner().invoke(simulate, options)
    assert told.exit_code == 0, told.output
    summary = json.loads(told.stdout.splitlines()[-1])
    assert summary["produced"] == sum(summary["delivered"].values()) == 2_000
    assert sum(held(as_user).values()) - before == 2_000
    customers = [json.loads(line) for line in truth.read_text().splitlines()]
    assert len(customers) == 50
    assert {customer["tenant_id"] for customer in customers} == {"acme", "nordlicht"}
    assert all(0 <= customer["pays_later"] <= 1 for customer in customers)


def test_a_tenant_that_is_not_published_is_refused(live: Settings):
    with pytest.raises(BadInput, match="stranger"):
        businesses_of(live, ("stranger",))


def test_a_stack_that_replays_is_refused(live: Settings):
    client = connect(live.redis)
    client.set(f"{live.redis.prefix}:mode", b'{"mode":"replay"}')
    try:
        with pytest.raises(BadInput, match="replays a ledger"):
            require_live(live)
    finally:
        client.delete(f"{live.redis.prefix}:mode")
    require_live(live)
