"""`recoup topics` against a real broker: what is missing is made, what drifted is mended, partitions stay."""

import json
import secrets
from collections.abc import Callable

import msgspec
import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from connectors.kafka import topics as kafka_topics
from connectors.kafka.clients import admin, producer
from connectors.kafka.topics import Wanted, apply, plan, wanted
from recoup.cli.topics import topics as command
from recoup.settings import Settings
from schemas.errors import NotReady

KEPT = {"cleanup.policy": "delete", "retention.ms": "60000"}
Registry = Callable[[list[Wanted]], list[Wanted]]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Makes a list of topics the registry, under names that no other test uses."""

    def use(asked: list[Wanted]) -> list[Wanted]:
        prefix = f"t{secrets.token_hex(4)}."
        own = [msgspec.structs.replace(topic, name=prefix + topic.name) for topic in asked]
        monkeypatch.setattr(kafka_topics, "wanted", lambda: own)
        return own

    return use


def create(settings: Settings, topic: NewTopic) -> None:
    client = admin(settings.kafka)  # dropped, it takes its requests with it
    client.create_topics([topic])[topic.topic].result()


def partitions_of(settings: Settings, topic: str) -> int:
    return len(admin(settings.kafka).list_topics(timeout=10).topics[topic].partitions)


def test_the_whole_registry_is_created_and_then_nothing_differs(settings: Settings, registry: Registry) -> None:
    own = registry(wanted())
    changes = apply(settings.kafka)
    assert {change.topic for change in changes} == {topic.name for topic in own}
    assert {change.kind for change in changes} == {"create"}
    assert plan(settings.kafka) == []
    assert apply(settings.kafka) == []
    for topic in own:
        assert partitions_of(settings, topic.name) == topic.partitions


def test_a_dry_run_changes_nothing(settings: Settings, registry: Registry) -> None:
    (own,) = registry([Wanted("dry", 2, KEPT, fixed=False)])
    first = apply(settings.kafka, dry_run=True)
    assert [change.kind for change in first] == ["create"]
    assert apply(settings.kafka, dry_run=True) == first
    assert own.name not in admin(settings.kafka).list_topics(timeout=10).topics


def test_a_drifted_setting_is_mended_and_others_are_left_alone(settings: Settings, registry: Registry) -> None:
    (own,) = registry([Wanted("drifted", 1, KEPT, fixed=False)])
    by_hand = NewTopic(own.name, 1, 1, config={"retention.ms": "1000", "segment.bytes": "1048576"})
    create(settings, by_hand)
    (change,) = apply(settings.kafka)
    assert (change.kind, change.says) == ("alter", "retention.ms 1000 -> 60000")
    assert plan(settings.kafka) == []
    assert kafka_topics._configs(admin(settings.kafka), [own.name])[own.name]["segment.bytes"] == "1048576"


def test_an_account_topics_partitions_are_never_changed_and_nothing_else_is_then(
    settings: Settings, registry: Registry
) -> None:
    fixed, other = registry([Wanted("accounts", 3, KEPT, fixed=True), Wanted("other", 1, KEPT, fixed=False)])
    create(settings, NewTopic(fixed.name, 2, 1))
    with pytest.raises(NotReady, match="has 2 partitions, the registry says 3"):
        apply(settings.kafka)
    there = admin(settings.kafka).list_topics(timeout=10).topics
    assert len(there[fixed.name].partitions) == 2
    assert other.name not in there


def test_another_topic_grows(settings: Settings, registry: Registry) -> None:
    (own,) = registry([Wanted("growing", 2, KEPT, fixed=False)])
    create(settings, NewTopic(own.name, 1, 1, config=KEPT))
    (change,) = apply(settings.kafka)
    assert change.kind == "grow"
    assert partitions_of(settings, own.name) == 2


def test_a_dead_letter_topic_takes_the_largest_message_of_its_source_with_headers(
    settings: Settings, registry: Registry
) -> None:
    own = {topic.name.partition(".")[2]: topic for topic in registry(wanted())}
    apply(settings.kafka)
    source, refused = own["crm-events"], own["crm-events.dlq"]
    largest = int(source.config["max.message.bytes"])
    client = producer(settings.kafka, message_max_bytes=2 * largest, compression_type="none")

    def send(topic: str, size: int, headers: list[tuple[str, str | bytes | None]]) -> bool:
        taken: list[bool] = []
        client.produce(topic, b"x" * size, headers=headers, on_delivery=lambda error, _: taken.append(error is None))
        assert client.flush(20) == 0
        return taken == [True]

    overhead = 200
    assert send(source.name, largest - overhead, [])
    assert not send(source.name, largest, [])
    assert send(refused.name, largest - overhead, [("reason", b"y" * 32_000)])


def test_an_old_ledgers_time_stamps_do_not_delete_it(settings: Settings, registry: Registry) -> None:
    own = {topic.name.partition(".")[2]: topic for topic in registry(wanted())}
    apply(settings.kafka)
    topic = own["payment-events"].name
    client = producer(settings.kafka)
    client.produce(topic, b"{}", partition=0, timestamp=1_330_000_000_000)
    assert client.flush(20) == 0
    reader = Consumer(
        {"bootstrap.servers": settings.kafka.bootstrap_servers, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    try:
        reader.subscribe([topic])
        message = reader.poll(30)
        assert message is not None
        assert message.timestamp()[1] > 1_700_000_000_000, "the broker's clock, and not that of 2012"
    finally:
        reader.close()


def test_the_command_shows_a_diff_then_applies_it(
    settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(settings.home))
    (own,) = registry([Wanted("shown", 2, {"cleanup.policy": "delete", "retention.ms": "172800000"}, fixed=True)])
    run = CliRunner()
    line = f"+ {own.name} (2 partitions, 2d)\n"
    assert run.invoke(command, ["apply", "--dry-run"]).output == line
    assert run.invoke(command, ["list"]).output.startswith(f"missing  {own.name}\n")
    assert run.invoke(command, ["apply"]).output == line
    assert run.invoke(command, ["apply"]).output == "Kafka is as the registry says.\n"
    row = json.loads(run.invoke(command, ["list", "--json"]).output)
    assert (row["topic"], row["state"], row["changes"]) == (own.name, "ok", [])
    assert json.loads(run.invoke(command, ["apply", "--json"]).output) == []


def test_the_command_exits_with_1_when_a_difference_must_stay(
    settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(settings.home))
    (own,) = registry([Wanted("stays", 2, KEPT, fixed=True)])
    create(settings, NewTopic(own.name, 1, 1))
    result = CliRunner().invoke(command, ["apply", "--dry-run"])
    assert result.exit_code == 1
    assert result.output.startswith(f"! {own.name} has 1 partition,")
