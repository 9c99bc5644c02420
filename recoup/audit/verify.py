"""Reads every chain of the audit log again, and compares it with what it records and with where its writers say it ends."""

import time
from collections.abc import Callable, Iterable, Iterator
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
from models.audit import Head, Verifier, digest
from recoup.settings import Settings
from schemas.errors import NotReady
from schemas.registry import topic_named

AUDIT_LOGS = "audit-logs"
DECISIONS = "next-best-actions"
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
    decisions: int = 0
    unrecorded: int = 0
    """Decisions that no chain records: they were changed, or somebody else has written them."""
    vanished: int = 0
    """Recorded decisions that are not among the decisions as they were: they were changed or removed."""
    vanished_known: bool = True
    """Whether all decisions are still kept, so that one can be missed."""
    sends: int = 0
    """Recorded messages about a send."""
    sends_vanished: int = 0
    """Those that are not there as they were: they were changed or removed."""
    sends_known: bool = True
    """Whether all of these are still kept, so that one can be missed."""
    heads_known: bool = True
    removed: list[str] = []
    """Chains of which no link is kept any more: all are older than retention."""

    @property
    def sound(self) -> bool:
        return not (self.verifier.faults or self.unrecorded or self.vanished or self.sends_vanished)


def verify_topic(settings: Settings, progress: Progress) -> Read:
    """Verify what the topics hold.

    Raises:
        NotReady: Kafka stopped answering.
    """
    found = Read("topic", Verifier())
    decisions, ends = _digests(settings, progress)
    heads = _heads(settings)  # after the decisions: who wrote one of these had written its link to Redis before
    found.heads_known = heads is not None
    positions = _read_links(settings, found.verifier, None, progress)
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while _behind(found.verifier, heads or {}) and time.monotonic() < deadline:
        positions = _read_links(settings, found.verifier, positions, progress)
    now = _heads(settings, on_their_way=True)  # after the links, for the same reason
    if now is not None:
        found.verifier.bound(now)
    first = reading.first_kept(settings.kafka, reading.partitions_of(settings.kafka, [AUDIT_LOGS, DECISIONS]))
    kept_whole = not first.get((AUDIT_LOGS, 0), 0)
    for chain, head in (heads or {}).items():
        if kept_whole or chain in found.verifier.chains:
            found.verifier.expect(chain, head)
        else:
            found.removed.append(chain)
    _compare(found, decisions, lambda: _digests(settings, progress, ends)[0], whole=not any(first.values()))
    outcomes = reading.partitions_of(settings.kafka, OUTCOMES)
    compare_sends(
        found,
        lambda: (message.value() or b"" for message in reading.read_to_end(settings.kafka, outcomes)),
        whole=not any(reading.first_kept(settings.kafka, outcomes).values()),
    )
    return found


def verify_warehouse(settings: Settings, progress: Progress) -> Read:
    """Verify what has landed in ClickHouse; where writers say that their chains end is not asked, for land may be behind."""
    found = Read("warehouse", Verifier(), heads_known=False)
    client = connect_clickhouse(settings.clickhouse)
    database = Name(settings.clickhouse.database)

    def payloads(table: str) -> Iterator[tuple[int, int, bytes]]:
        query = statement("payloads_in_order", database=database, table=Name(table))
        with client.query_rows_stream(query, column_formats={"payload": "bytes"}) as rows:
            yield from rows

    decisions = set()
    for count, (_, _, payload) in enumerate(payloads("next_best_actions"), 1):
        decisions.add(digest(payload))
        _tell(progress, "decisions", count)
    for count, (partition, offset, payload) in enumerate(payloads("audit_logs"), 1):
        found.verifier.read(payload, f"{AUDIT_LOGS}[{partition}]@{offset}")
        _tell(progress, "links", count)
    _compare(found, decisions, lambda: {digest(p) for _, _, p in payloads("next_best_actions")}, whole=True)
    tables = [topic.replace("-", "_") for topic in OUTCOMES]
    compare_sends(found, lambda: (payload for table in tables for _, _, payload in payloads(table)), whole=True)
    return found


def _tell(progress: Progress, what: str, count: int) -> None:
    if count % TOLD_EVERY == 0:
        progress(what, count)


def _compare(found: Read, decisions: set[str], later: Callable[[], set[str]], *, whole: bool) -> None:
    """Compare decisions with what is recorded of them.

    Args:
        later: the digests of decisions that have come since.
        whole: nothing of either topic has been removed by retention.
    """
    recorded = found.verifier.recorded.get("decision", set())
    found.decisions, found.vanished_known = len(decisions), whole
    if not whole:
        return
    found.unrecorded = len(decisions - recorded)
    missing = recorded - decisions
    if missing:
        found.vanished = len(missing - later())


def compare_sends(found: Read, messages: Callable[[], Iterable[bytes]], *, whole: bool) -> None:
    """Look for each recorded message about a send among the messages as they are.

    Args:
        messages: all of them; asked twice when one is missing, for it may have come with the last links.
        whole: none has been removed by retention.
    """
    missing = set(found.verifier.recorded.get("send", ()))
    found.sends, found.sends_known = len(missing), whole
    if not whole:
        return
    for _ in range(2):
        for message in messages() if missing else ():
            missing.discard(digest(message))
    found.sends_vanished = len(missing)


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


def _digests(
    settings: Settings, progress: Progress, starts: list[TopicPartition] | None = None
) -> tuple[set[str], list[TopicPartition]]:
    """The digests of all decisions from the positions on, and the positions after them."""
    partitions = starts or reading.partitions_of(settings.kafka, [DECISIONS])
    reached = {p.partition: max(p.offset, 0) for p in partitions}
    found: set[str] = set()
    begin = [TopicPartition(DECISIONS, partition, offset) for partition, offset in reached.items()]
    for message in reading.read_from(settings.kafka, begin):
        found.add(digest(message.value() or b""))
        reached[message.partition()] = message.offset() + 1
        _tell(progress, "decisions", len(found))
    return found, [TopicPartition(DECISIONS, partition, offset) for partition, offset in reached.items()]
