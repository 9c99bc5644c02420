"""The one place that builds Kafka clients, so that every one of them shares addresses, security and partitioner."""

from typing import Any

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from connectors.kafka.settings import KafkaSettings

PARTITIONER = "murmur2_random"
"""The Java client's default, so that any client sends an account to the same partition."""

READ_COMMITTED = "read_committed"


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Settings of librdkafka for reaching the cluster, without any that depend on the kind of client."""
    options = settings.model_dump(exclude={"replication_factor"}, exclude_none=True)
    config = {name.replace("_", "."): value for name, value in options.items()}
    for secret in ("sasl.password", "ssl.key.password"):
        if secret in config:
            config[secret] = config[secret].get_secret_value()
    # A local name that resolves to ::1 first costs a refused connection on every start.
    config["broker.address.family"] = "v4" if settings.bootstrap_servers.startswith("127.") else "any"
    # A broker that comes back is found again within a second; the default of 10 s is longer than its restart.
    config["reconnect.backoff.max.ms"] = 1_000
    return config


def producer(settings: KafkaSettings, **options: Any) -> Producer:
    """An idempotent producer; extra options are librdkafka's, with `_` for `.`."""
    return Producer(
        connection(settings)
        | {
            "partitioner": PARTITIONER,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "queue.buffering.max.messages": 1_000_000,
        }
        | _dotted(options)
    )


def transactional_producer(settings: KafkaSettings, transactional_id: str, timeout_ms: int, **options: Any) -> Producer:
    """A producer for exactly-once output. A second one with the same id fences the first.

    `retry.backoff.ms` of 5 makes a transaction cost 7 ms; with the default of 100 it costs 101 ms,
    because the first attempt to add a partition always meets the previous transaction's end.
    """
    return producer(
        settings,
        **{"transactional_id": transactional_id, "transaction_timeout_ms": timeout_ms, "retry_backoff_ms": 5} | options,
    )


def consumer(settings: KafkaSettings, group: str, **options: Any) -> Consumer:
    """A consumer that commits nothing by itself and reads only committed messages."""
    return Consumer(
        connection(settings)
        | {
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": READ_COMMITTED,
            "partition.assignment.strategy": "range",
            "fetch.wait.max.ms": 20,
            # What has been fetched is full again and again under a backlog; the default looks a second later, and the
            # job had worked it off long before.
            "fetch.queue.backoff.ms": 20,
        }
        | _dotted(options)
    )


def admin(settings: KafkaSettings) -> AdminClient:
    """A client for topics, groups and their settings. It raises what fails, so it need not log it a hundred times."""
    return AdminClient(connection(settings) | {"log_level": 2})


def _dotted(options: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "."): value for name, value in options.items()}
