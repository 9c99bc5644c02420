"""What a person does with the system is recorded under their name, also when Kafka is away for a while."""

import contextlib
from collections import deque
from datetime import UTC, datetime

import msgspec

from connectors.kafka import reading
from connectors.kafka.sending import Sender
from connectors.redis.chain import CHAIN, ControlChain
from connectors.redis.client import connect
from models.audit import Act, decode
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

    Without Kafka it waits in Redis, and goes before the next act that is recorded.

    Args:
        action: one of those of `schemas.operations.AuditEntry`.
        details: never personal data.

    Raises:
        redis.exceptions.RedisError: Redis is away, so nothing was recorded.
    """
    client = connect(settings.redis)
    try:
        chain = ControlChain(client, settings.redis.prefix)
        at = (clock or WallClock()).now()
        actor = person.name() or "unknown"
        chain.add(Act(action=action, actor=actor, subject=subject, at=at, tenant_id=tenant_id, details=details or {}))
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

    return chain.publish(publish)


def newest(settings: Settings, *, action: str | None, since: datetime | None, limit: int) -> list[AuditEntry]:
    """What people did, newest first.

    Raises:
        NotReady: Kafka stopped answering.
    """
    found: deque[AuditEntry] = deque(maxlen=limit)
    for message in reading.read_to_end(settings.kafka, reading.partitions_of(settings.kafka, [TOPIC])):
        value = message.value() or b""
        if IS_CONTROL not in value:
            continue
        with contextlib.suppress(msgspec.MsgspecError):
            entry = decode(value)
            if entry.chain != CHAIN or (action and entry.action != action):
                continue
            if since is None or entry.occurred_at >= since.replace(tzinfo=UTC):
                found.append(entry)
    return [*reversed(found)]
