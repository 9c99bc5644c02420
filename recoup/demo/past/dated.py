"""Topics that take their messages' times from who sends them, for as long as a past is told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are exported, without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from connectors.kafka import topics
from connectors.kafka.clients import admin
from connectors.kafka.settings import KafkaSettings
from schemas.errors import NotReady

FOREVER = str(2**63 - 1)
FOR_A_PAST = {
    "message.timestamp.type": "CreateTime",
    "retention.ms": "-1",  # else what is older than the retention would be removed before it has landed
    "segment.ms": FOREVER,  # else each week of the past would get files of its own, in every partition
}


@contextmanager
def dated_by_their_sender(kafka: KafkaSettings, names: Sequence[str]) -> Iterator[None]:
    """Let these topics keep the senders' time stamps; afterwards they are again as the registry says.

    Nothing is removed then: a partition has one segment, and retention looks at its newest message.

    Raises:
        NotReady: Kafka refuses.
    """
    client = admin(kafka)
    _alter(client, names, AlterConfigOpType.SET)
    try:
        yield
    finally:
        _alter(client, names, AlterConfigOpType.DELETE)
        topics.apply(kafka)


def _alter(client: AdminClient, names: Sequence[str], operation: AlterConfigOpType) -> None:
    asked = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(setting, value, incremental_operation=operation) for setting, value in FOR_A_PAST.items()
            ],
        )
        for name in names
    ]
    try:
        for altered in client.incremental_alter_configs(asked, request_timeout=topics.TIMEOUT_SECONDS).values():
            altered.result()
    except KafkaException as error:
        raise NotReady(
            f"Kafka does not let the demo's topics be dated ({error.args[0].name()}). `recoup doctor` looks at the stack."
        ) from error
