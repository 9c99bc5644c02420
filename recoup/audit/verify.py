"""Reads every chain of the audit log again, and compares it with what it records and with where its writers say it ends."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import msgspec
from confluent_kafka import TopicPartition
from redis.exceptions import RedisError

from connectors.clickhouse.client import connect as connect_clickhouse
from connectors.clickhouse.statements import Name, statement
from connectors.kafka import reading
from connectors.redis.chain import CHAIN, ControlChain
from connectors.redis.client import connect
from connectors.redis.ledger import decode_head
from models.audit import Head, Verifier
from recoup.audit.compare import Compared, Rows, compare
from recoup.settings import Settings
from schemas.errors import NotReady
from schemas.registry import topic_named

AUDIT_LOGS = "audit-logs"
DECISIONS = "next-best-actions"
DISPATCH = "dispatch"
OUTCOMES = ("interaction-events", "customer-events")
"""Where dispatch tells what became of a send."""
CATCH_UP_SECONDS = 15.0
"""What Redis holds is in the log within a transaction's time; a worker that was killed in between publishes it when it
is started again."""

TOLD_EVERY = 100_000

Progress = Callable[[str, int], None]
"""Told what is being read, and how many of it have been."""


class Read(msgspec.Struct):
    """What was read, and what is wrong with it."""

    source: str
    verifier: Verifier
    decisions: Compared = msgspec.field(default_factory=Compared)
    sends: Compared = msgspec.field(default_factory=Compared)
    """Messages about sends."""
    heads_known: bool = True
    removed: list[str] = []
    """Chains of which no link is kept any more: all are older than retention."""

    @property
    def sound(self) -> bool:
        differ = any(its.unrecorded or its.vanished for its in (self.decisions, self.sends))
        return not (self.verifier.faults or differ)


class _Source(msgspec.Struct, frozen=True):
    """As much of a message as tells who wrote it."""

    source: str = ""


_source = msgspec.json.Decoder(_Source).decode


def verify_topic(settings: Settings, progress: Progress) -> Read:
    """Verify what the topics hold.

    Raises:
        NotReady: Kafka stopped answering.
    """
    found = Read("topic", Verifier())
    messages = _Messages(settings, progress)  # up to here, and heads after it:
    heads = _heads(settings)  # who wrote one of these had written its link to Redis before
    found.heads_known = heads is not None
    positions = _read_links(settings, found.verifier, None, progress)
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while _behind(found.verifier, heads or {}) and time.monotonic() < deadline:
        positions = _read_links(settings, found.verifier, positions, progress)
    now = _heads(settings, on_their_way=True)  # after the links, for the same reason
    if now is not None:
        found.verifier.bound(now)
    kept_whole = _kept_whole(settings, [AUDIT_LOGS])
    for chain, head in (heads or {}).items():
        if kept_whole or chain in found.verifier.chains:
            found.verifier.expect(chain, head)
        else:
            found.removed.append(chain)
    until, since = messages.until_then, messages.since
    found.decisions = _decisions(found.verifier, partial(until, [DECISIONS]), partial(since, [DECISIONS]))
    found.sends = _sends(found.verifier, partial(until, OUTCOMES), partial(since, OUTCOMES))
    # Asked last, for retention goes on: what it has taken away cannot be missed.
    found.decisions.known = _kept_whole(settings, [AUDIT_LOGS, DECISIONS])
    found.sends.known = _kept_whole(settings, [AUDIT_LOGS, *OUTCOMES])
    for compared in (found.decisions, found.sends):
        if not compared.known:
            compared.unrecorded = compared.vanished = 0
    return found


def verify_warehouse(settings: Settings, progress: Progress) -> Read:
    """Verify what has landed in ClickHouse; where writers say that their chains end is not asked, for land may be behind."""
    found = Read("warehouse", Verifier(), heads_known=False)
    client = connect_clickhouse(settings.clickhouse)
    database = Name(settings.clickhouse.database)

    def payloads(topics: Sequence[str], partitions: Sequence[int]) -> Rows:
        for topic in topics:
            table = Name(topic.replace("-", "_"))
            query = statement("payloads_in_order", database=database, table=table, partitions=tuple(partitions))
            with client.query_rows_stream(query, column_formats={"payload": "bytes"}) as rows:
                for count, (partition, offset, payload) in enumerate(rows, 1):
                    if topic == AUDIT_LOGS:
                        found.verifier.read(payload, f"{AUDIT_LOGS}[{partition}]@{offset}")
                    yield topic, partition, payload
                    _tell(progress, topic, count)

    deque(payloads([AUDIT_LOGS], [0]), maxlen=0)
    found.decisions = _decisions(found.verifier, partial(payloads, [DECISIONS]), None)
    found.sends = _sends(found.verifier, partial(payloads, OUTCOMES), None)
    return found


Of = Callable[[Sequence[int]], Rows]
"""The messages of some partitions."""


def _decisions(verifier: Verifier, rows: Of, later: Of | None) -> Compared:
    return compare(verifier, "decide", "decision", topic_named(DECISIONS).partitions, rows, later=later)


def _sends(verifier: Verifier, rows: Of, later: Of | None) -> Compared:
    partitions = topic_named(OUTCOMES[0]).partitions
    return compare(verifier, "dispatch", "send", partitions, rows, is_ours=is_of_dispatch, later=later)


def is_of_dispatch(message: bytes) -> bool:
    """Whether a message says that dispatch has written it; providers and other systems tell of contacts as well."""
    try:
        return _source(message).source == DISPATCH
    except msgspec.MsgspecError:
        return False


def _kept_whole(settings: Settings, topics: Sequence[str]) -> bool:
    """Whether retention has removed nothing yet."""
    return not any(reading.first_kept(settings.kafka, reading.partitions_of(settings.kafka, topics)).values())


class _Messages:
    """Decisions and outcomes in Kafka: those that are there now, and those that come after them."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings, self.progress = settings, progress
        places = reading.partitions_of(settings.kafka, [DECISIONS, *OUTCOMES])
        self.ends = {place: end for place, (_, end) in reading.watermarks(settings.kafka, places).items()}
        self.reached = dict.fromkeys(self.ends, 0)

    def until_then(self, topics: Sequence[str], partitions: Sequence[int]) -> Rows:
        """Those of some topics and partitions that were there at the beginning."""
        ends = [
            TopicPartition(topic, partition, end)
            for (topic, partition), end in self.ends.items()
            if topic in topics and partition in partitions
        ]
        return self._read(topics[0], reading.read_until(self.settings.kafka, ends))

    def since(self, topics: Sequence[str], partitions: Sequence[int]) -> Rows:
        """Those that came after what was read of them."""
        starts = [
            TopicPartition(topic, partition, offset)
            for (topic, partition), offset in self.reached.items()
            if topic in topics and partition in partitions
        ]
        return self._read(topics[0], reading.read_from(self.settings.kafka, starts))

    def _read(self, what: str, messages: Iterable[Any]) -> Rows:
        for count, message in enumerate(messages, 1):
            place = message.topic(), message.partition()
            self.reached[place] = message.offset() + 1
            yield *place, message.value() or b""
            _tell(self.progress, what, count)


def _tell(progress: Progress, what: str, count: int) -> None:
    if count % TOLD_EVERY == 0:
        progress(what, count)


def _heads(settings: Settings, *, on_their_way: bool = False) -> dict[str, Head] | None:
    """Where each writer says that its chain ends; None when Redis does not answer.

    Args:
        on_their_way: the link that Kafka may have taken already, in place of the last that it is known to have.
    """
    client = connect(settings.redis)
    try:
        heads: dict[str, Head] = {}
        for partition in range(topic_named(DECISIONS).partitions):
            stored = client.hget(f"{settings.redis.prefix}:{{decide:{partition}}}:progress", "audit")
            if stored:
                heads[f"decide-{partition}"] = decode_head(stored)
            stored = client.hget(f"{settings.redis.prefix}:{{dispatch}}:{partition}:progress", "audit")
            if stored:
                heads[f"dispatch-{partition}"] = decode_head(stored)
        control = ControlChain(client, settings.redis.prefix)
        heads[CHAIN] = control.furthest() if on_their_way else control.head()
        return {chain: head for chain, head in heads.items() if head.sequence}
    except RedisError:
        return None
    finally:
        client.close()


def _behind(verifier: Verifier, heads: dict[str, Head]) -> bool:
    return any(
        chain not in verifier.chains or verifier.chains[chain].head.sequence < head.sequence
        for chain, head in heads.items()
    )


def _read_links(
    settings: Settings, verifier: Verifier, positions: list[TopicPartition] | None, progress: Progress
) -> list[TopicPartition]:
    """Read links from the positions on, or all; the positions after them."""
    partitions = reading.partitions_of(settings.kafka, [AUDIT_LOGS])
    if not partitions:
        raise NotReady(f"There is no topic {AUDIT_LOGS}. `recoup topics apply` creates what is missing.")
    reached = dict.fromkeys([p.partition for p in partitions], 0)
    reached |= {p.partition: p.offset for p in positions or ()}
    starts = [TopicPartition(AUDIT_LOGS, partition, offset) for partition, offset in reached.items()]
    messages: Iterable[Any] = reading.read_from(settings.kafka, starts)
    for count, message in enumerate(messages, 1):
        place = f"{message.topic()}[{message.partition()}]@{message.offset()}"
        verifier.read(message.value() or b"", place)
        reached[message.partition()] = message.offset() + 1
        _tell(progress, "links", count)
    return [TopicPartition(AUDIT_LOGS, partition, offset) for partition, offset in reached.items()]
