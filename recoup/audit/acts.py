"""What a person does with the system is recorded under their name, also when Kafka is away for a while."""

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec
from confluent_kafka import KafkaException

from connectors.kafka import reading
from connectors.kafka.sending import Sender
from connectors.redis.chain import CHAIN, ControlChain
from connectors.redis.client import connect
from models.audit import START, Act, Head, decode
from models.clock import Clock, WallClock
from recoup import person
from recoup.settings import Settings
from schemas.errors import NotReady
from schemas.operations import AuditEntry

TOPIC = "audit-logs"
IS_CONTROL = f'"chain":"{CHAIN}"'.encode()
"""Among the links of all chains these are few."""


def record(
    settings: Settings,
    action: str,
    subject: str,
    *,
    tenant_id: str = "*",
    details: dict[str, str] | None = None,
    clock: Clock | None = None,
) -> bool:
    """Record an act of whoever runs this command; whether it is in the audit log already.

    Args:
        action: one of those of `schemas.operations.AuditEntry`.
        details: never personal data.

    Raises:
        redis.exceptions.RedisError: Redis is away, so nothing was recorded.
    """
    return record_all(settings, [act_of(action, subject, tenant_id, details or {}, clock or WallClock())])


def act_of(action: str, subject: str, tenant_id: str, details: dict[str, str], clock: Clock) -> Act:
    """An act of whoever runs this command."""
    actor = person.name() or "unknown"
    return Act(action=action, actor=actor, subject=subject, at=clock.now(), tenant_id=tenant_id, details=details)


def record_all(settings: Settings, acts: Iterable[Act]) -> bool:
    """Record acts in their order; whether they are in the audit log already.

    Without Kafka they wait in Redis, and go before the next act that is recorded.

    Raises:
        redis.exceptions.RedisError: Redis is away, so nothing was recorded.
    """
    client = connect(settings.redis)
    try:
        chain = ControlChain(client, settings.redis.prefix)
        for act in acts:
            chain.add(act)
        with contextlib.suppress(NotReady):
            publish_waiting(settings, chain)
        return chain.waiting() == 0
    finally:
        client.close()


def publish_waiting(settings: Settings, chain: ControlChain) -> int:
    """Publish the acts that wait in Redis; how many.

    Raises:
        NotReady: Kafka did not take them.
    """
    sender = Sender(settings.kafka, message_timeout_ms=10_000)

    def publish(key: bytes, message: bytes) -> None:
        sender.send(TOPIC, message, key)
        sender.flush()

    return chain.publish(publish, lambda: _last_in_log(settings))


def _control_links(settings: Settings) -> Iterator[AuditEntry]:
    """The links of people's acts, oldest first; one that was sent again stands there twice."""
    for message in reading.read_to_end(settings.kafka, reading.partitions_of(settings.kafka, [TOPIC])):
        value = message.value() or b""
        if IS_CONTROL not in value:
            continue
        with contextlib.suppress(msgspec.MsgspecError):  # `recoup audit verify` names it
            entry = decode(value)
            if entry.chain == CHAIN:
                yield entry


def _last_in_log(settings: Settings) -> Head:
    """Where the chain ends in the log, for a Redis that does not know."""
    last = START
    try:
        for entry in _control_links(settings):
            if entry.sequence > last.sequence:
                last = Head(entry.sequence, entry.hash)
    except KafkaException as error:
        raise NotReady(f"Kafka does not say where the audit log ends ({error.args[0].name()}).") from error
    return last


def newest(settings: Settings, *, action: str | None, since: datetime | None, limit: int) -> list[AuditEntry]:
    """What people did, newest first.

    Raises:
        NotReady: Kafka stopped answering.
    """
    found: deque[AuditEntry] = deque(maxlen=limit)
    last = ""
    for entry in _control_links(settings):
        if entry.hash == last:
            continue  # sent again after a crash
        last = entry.hash
        if action and entry.action != action:
            continue
        if since is None or entry.occurred_at >= since.replace(tzinfo=UTC):
            found.append(entry)
    return [*reversed(found)]
