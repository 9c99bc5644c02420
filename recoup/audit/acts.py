"""What a person does is recorded under their name before it takes effect, also when Kafka is away for a while."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from confluent_kafka import KafkaException

from connectors.kafka import reading
from connectors.kafka.sending import Sender
from connectors.redis.chain import CHAIN, ControlChain
from connectors.redis.client import connect
from models.audit import START, Act, Head, decode
from models.clock import WallClock
from recoup import person
from recoup.settings import Settings
from schemas.errors import NotReady
from schemas.operations import AuditEntry

T = TypeVar("T")

TOPIC = "audit-logs"
IS_CONTROL = f'"chain":"{CHAIN}"'.encode()
"""Among the links of all chains these are few."""


def act_of(action: str, subject: str, *, tenant_id: str = "*", details: dict[str, str] | None = None) -> Act:
    """An act of whoever runs this command.

    Args:
        action: one of those of `schemas.operations.AuditEntry`.
        details: never personal data.
    """
    actor, at = person.name() or "unknown", WallClock().now()
    return Act(action=action, actor=actor, subject=subject, at=at, tenant_id=tenant_id, details=details or {})


def record(settings: Settings, act: Act) -> bool:
    """Record an act that has taken effect; whether it is in the audit log already.

    Without Kafka it waits in Redis, and goes before the next act that is recorded.

    Raises:
        redis.exceptions.RedisError: Redis is away, so nothing was recorded.
    """
    return recorded(settings, [act], lambda: None)[1]


def recorded(settings: Settings, acts: Sequence[Act], effect: Callable[[], T]) -> tuple[T, bool]:
    """Record acts, then do them, so that none is done and not recorded; what came of it, and whether the log has them.

    When the effect raises, a second act of each says with `failed` by what: it was not done, or not all of it. A process
    that dies in between leaves acts that were recorded and may not have been done.

    Raises:
        redis.exceptions.RedisError: Redis is away, so nothing was recorded, and nothing done.
    """
    client = connect(settings.redis)
    try:
        chain = ControlChain(client, settings.redis.prefix)
        chain.add(*acts)
        try:
            came_of_it = effect()
        except BaseException as error:
            failed = {"failed": type(error).__name__}
            chain.add(*(msgspec.structs.replace(act, details=act.details | failed) for act in acts))
            raise
        finally:
            with contextlib.suppress(NotReady):
                publish_waiting(settings, chain)
        return came_of_it, chain.waiting() == 0
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
