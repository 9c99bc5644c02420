"""Publishes one release on a control topic and returns when the broker has it."""

from typing import Any

import msgspec

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from schemas.envelope import Control
from schemas.errors import NotReady

SECONDS = 15.0


def publish_release(kafka: KafkaSettings, topic: str, release: Control, key: bytes) -> None:
    """Send a signed release.

    Raises:
        NotReady: the broker did not take it.
    """
    refused: list[str] = []

    def taken(error: Any, _message: Any) -> None:
        if error is not None:
            refused.append(error.name())

    producer = clients.producer(kafka)
    producer.produce(topic, msgspec.json.encode(release), key, on_delivery=taken)
    if producer.flush(SECONDS) or refused:
        raise NotReady(
            f"Kafka did not take the release ({', '.join(refused) or 'no answer'}). `recoup doctor` looks at the stack;"
            " `recoup topics apply` creates missing topics."
        )
