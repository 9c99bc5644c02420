"""Asks a server whether it can do its work. The same questions for an embedded part and for an external one."""

import logging
import socket
from typing import Any
from urllib.parse import urlsplit

from connectors.clickhouse.settings import ClickHouseSettings
from connectors.kafka.settings import KafkaSettings
from connectors.redis.settings import RedisSettings
from schemas.errors import NotReady

PROBE = "recoup-ready"
"""The group and transactional id that are asked for; neither ever holds anything."""


def kafka(settings: KafkaSettings, seconds: float) -> None:
    """Kafka knows its brokers, and the coordinators of groups and of transactions answer.

    Asking for the coordinators also creates their internal topics, so that the first worker need not wait for them.
    Raises NotReady with the reason.
    """
    _any_listens(settings.bootstrap_servers, seconds)
    from confluent_kafka import KafkaException, TopicPartition  # noqa: PLC0415 - the clients load slowly

    from connectors.kafka.clients import admin, consumer, transactional_producer  # noqa: PLC0415

    quiet: dict[str, Any] = {"logger": logging.getLogger("recoup.ready")}  # only a poll would print anything
    try:
        metadata = admin(settings).list_topics(timeout=seconds)
        if not metadata.brokers:
            raise NotReady(f"Kafka at {settings.bootstrap_servers} names no broker yet")
        producer = transactional_producer(settings, PROBE, 10_000, **quiet)
        producer.init_transactions(seconds)
        group = consumer(settings, PROBE, **quiet)
        try:
            topic = next(iter(metadata.topics), "__consumer_offsets")
            group.committed([TopicPartition(topic, 0)], timeout=seconds)
        finally:
            group.close()
    except KafkaException as error:
        raise NotReady(f"Kafka at {settings.bootstrap_servers} does not answer yet: {error.args[0].str()}") from error


def redis(settings: RedisSettings, seconds: float) -> None:
    """Redis answers PING, has loaded its data, and accepts writes. Raises NotReady with the reason."""
    import redis as client  # noqa: PLC0415

    from connectors.redis.client import connect  # noqa: PLC0415

    connection = connect(settings.model_copy(update={"timeout_seconds": seconds}))
    try:
        connection.ping()
        role = connection.info("replication")
        if role.get("role") != "master":
            raise NotReady(f"Redis at {_host(settings.url)} is a replica: writes would be refused; name its primary")
    except client.exceptions.RedisError as error:
        raise NotReady(f"Redis at {_host(settings.url)} does not answer yet: {error}") from error
    finally:
        connection.close()


def clickhouse(settings: ClickHouseSettings, seconds: float) -> None:
    """ClickHouse lets us in and answers SELECT 1. Raises NotReady with the reason."""
    import urllib3  # noqa: PLC0415

    address = urlsplit(settings.url)
    tls: dict[str, Any] = {}
    if address.scheme == "https":
        tls = {"ca_certs": settings.ca_cert, "cert_file": settings.client_cert, "key_file": settings.client_cert_key}
    try:
        with urllib3.PoolManager(1, timeout=seconds, retries=False, **tls) as pool:
            answer = pool.request(
                "POST",
                settings.url,
                body=b"SELECT 1",
                headers={
                    "X-ClickHouse-User": settings.username,
                    "X-ClickHouse-Key": settings.password.get_secret_value(),
                },
            )
    except urllib3.exceptions.HTTPError as error:
        raise NotReady(f"ClickHouse at {_host(settings.url)} does not answer yet: {type(error).__name__}") from error
    if answer.status != 200 or answer.data.strip() != b"1":
        said = answer.data[:200].decode(errors="replace").strip()
        raise NotReady(f"ClickHouse at {_host(settings.url)} answers {answer.status}: {said}")


def _any_listens(servers: str, seconds: float) -> None:
    """Fail fast while nobody listens, before clients with threads of their own are made."""
    reasons = []
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds):
                return
        except (OSError, ValueError) as error:
            reasons.append(f"{server}: {error}")
    raise NotReady(f"Kafka does not answer yet: {'; '.join(reasons)}")


def without_password(address: str) -> str:
    """An address as it may be shown: without the user and password that a URL can hold."""
    return address.rpartition("@")[2] if "@" in address else address


def _host(url: str) -> str:
    """An address without the password that it may hold."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
