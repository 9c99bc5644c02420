"""The topics of the cluster made equal to the registry, except for what would move accounts to other partitions.

The number of partitions of an account topic is part of where each account's state lives. It is compared and reported,
never changed.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Literal

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are exported, without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from connectors.kafka.clients import admin
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady
from schemas.registry import (
    ACCOUNT_TOPICS,
    BROKER_MAX_BYTES,
    DEAD_LETTER_MAX_BYTES,
    DEAD_LETTER_RETENTION_MS,
    FOREVER,
    Topic,
    dead_letter_topic,
    topics,
)

TIMEOUT_SECONDS = 15.0
_DAY_MS = 86_400_000


class Wanted(msgspec.Struct, frozen=True):
    """How a topic should be on the broker."""

    name: str
    partitions: int
    config: dict[str, str]
    fixed: bool
    """The number of partitions must never change."""


class Change(msgspec.Struct, frozen=True):
    """One difference between the registry and the cluster. `refuse` = it must not, or cannot, be made."""

    kind: Literal["create", "alter", "grow", "refuse"]
    topic: str
    says: str
    config: dict[str, str] = msgspec.field(default_factory=dict)
    partitions: int = 0

    def __str__(self) -> str:
        sign = {"create": "+", "alter": "~", "grow": "~", "refuse": "!"}[self.kind]
        return f"{sign} {self.topic} {self.says}"


def wanted() -> list[Wanted]:
    """Every topic that the registry asks for, dead letters included."""
    return [one for topic in topics().values() for one in _of(topic)]


def plan(settings: KafkaSettings) -> list[Change]:
    """What differs between the registry and the cluster; empty = nothing. Raises NotReady when it does not answer."""
    if not settings.bootstrap_servers:
        raise NotReady("No Kafka is known. Start the local stack (`recoup up`) or set RECOUP_KAFKA__BOOTSTRAP_SERVERS.")
    client = admin(settings)
    asked = wanted()
    with _asking(settings):
        listed = client.list_topics(timeout=TIMEOUT_SECONDS).topics
        configs = _configs(client, [topic.name for topic in asked if topic.name in listed])
    changes: list[Change] = []
    for topic in asked:
        if topic.name not in listed:
            changes.append(_creation(topic))
        else:
            changes += _differences(topic, len(listed[topic.name].partitions), configs[topic.name])
    return changes


def apply(settings: KafkaSettings, *, dry_run: bool = False) -> list[Change]:
    """Make the changes of `plan` and return them.

    Raises:
        NotReady: the cluster does not answer or refuses; or a change must not be made, and then none was.
    """
    changes = plan(settings)
    if dry_run or not changes:
        return changes
    if refused := [str(change) for change in changes if change.kind == "refuse"]:
        raise NotReady("Nothing was changed in Kafka:\n  " + "\n  ".join(refused))
    created = [
        NewTopic(change.topic, change.partitions, settings.replication_factor, config=change.config)
        for change in changes
        if change.kind == "create"
    ]
    grown = [NewPartitions(change.topic, change.partitions) for change in changes if change.kind == "grow"]
    altered = [_alteration(change) for change in changes if change.kind == "alter"]
    client = admin(settings)
    with _asking(settings):
        if created:
            _wait(client.create_topics(created, operation_timeout=TIMEOUT_SECONDS))
        if grown:
            _wait(client.create_partitions(grown, operation_timeout=TIMEOUT_SECONDS))
        if altered:
            _wait(client.incremental_alter_configs(altered, request_timeout=TIMEOUT_SECONDS))
    return changes


def _of(topic: Topic) -> Iterable[Wanted]:
    yield Wanted(
        topic.name,
        topic.partitions,
        _config(topic.cleanup, topic.retention_ms, BROKER_MAX_BYTES),
        fixed=topic.name in ACCOUNT_TOPICS,
    )
    if topic.dead_letters:
        yield Wanted(
            dead_letter_topic(topic.name),
            1,
            _config("delete", DEAD_LETTER_RETENTION_MS, DEAD_LETTER_MAX_BYTES),
            fixed=False,
        )


def _config(cleanup: str, retention_ms: int, max_bytes: int) -> dict[str, str]:
    return {
        "cleanup.policy": cleanup,
        "retention.ms": str(retention_ms),
        "max.message.bytes": str(max_bytes),
        # By the producer's time stamps, retention would delete a ledger of 2012 as soon as it is replayed.
        "message.timestamp.type": "LogAppendTime",
    }


def _creation(topic: Wanted) -> Change:
    kept = "compacted" if topic.config["cleanup.policy"] == "compact" else _days(topic.config["retention.ms"])
    return Change("create", topic.name, f"({_counted(topic.partitions)}, {kept})", topic.config, topic.partitions)


def _counted(partitions: int) -> str:
    return f"{partitions} partition{'s' if partitions != 1 else ''}"


def _days(retention_ms: str) -> str:
    return "forever" if retention_ms == str(FOREVER) else f"{int(retention_ms) // _DAY_MS}d"


def _differences(topic: Wanted, partitions: int, config: dict[str, str]) -> Iterable[Change]:
    if partitions != topic.partitions:
        yield _other_partitions(topic, partitions)
    changed = {name: value for name, value in topic.config.items() if config.get(name) != value}
    if changed:
        says = ", ".join(f"{name} {config.get(name)} -> {value}" for name, value in changed.items())
        yield Change("alter", topic.name, says, changed)


def _other_partitions(topic: Wanted, partitions: int) -> Change:
    if topic.fixed:
        return Change(
            "refuse",
            topic.name,
            f"has {_counted(partitions)}, the registry says {topic.partitions}: the number of an account topic's "
            "partitions never changes, because it says where each account's state lives. Put the old number back into "
            "schemas/topics/, or start with new topics and run `recoup rebuild`.",
        )
    if partitions > topic.partitions:
        return Change(
            "refuse",
            topic.name,
            f"has {_counted(partitions)}, the registry says {topic.partitions}: Kafka cannot take partitions away. "
            "Put the number into schemas/topics/, or delete the topic.",
        )
    return Change("grow", topic.name, f"{partitions} -> {topic.partitions} partitions", partitions=topic.partitions)


def _alteration(change: Change) -> ConfigResource:
    return ConfigResource(
        ResourceType.TOPIC,
        change.topic,
        incremental_configs=[
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in change.config.items()
        ],
    )


def _configs(client: AdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    answers = client.describe_configs(asked, request_timeout=TIMEOUT_SECONDS)
    return {
        resource.name: {name: entry.value for name, entry in future.result().items()}
        for resource, future in answers.items()
    }


def _wait(futures: dict[Any, Future[Any]]) -> None:
    for future in futures.values():
        future.result()


@contextmanager
def _asking(settings: KafkaSettings) -> Iterator[None]:
    """Turns the cluster's failures into one clear error."""
    try:
        yield
    except KafkaException as error:
        raise NotReady(
            f"Kafka at {settings.bootstrap_servers}: {error.args[0].str()}. Is it running? `recoup status` says."
        ) from error
