"""Account states made again from the topics: facts from the source topics, courses from our own published decisions."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka import clients, reading
from connectors.kafka.settings import KafkaSettings
from connectors.redis.ledger import Entry, Ledger, Progress
from connectors.redis.suppression import SuppressionList
from models.audit import START, Head
from models.core import rebuild_state
from models.suppression import Suppression
from schemas.actions import NextBestAction
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import Event
from schemas.errors import LedgerBehindLog, RecoupError
from schemas.registry import SOURCE_TOPICS, dead_letter_topic
from streams.chain_heads import audit_heads
from streams.decide.intake import utc
from streams.take_over import METADATA

DECISIONS = "next-best-actions"
FOREVER = utc(253_370_764_800_000)

Older = Callable[[str, int, int], Iterable[tuple[int, bytes | None, bytes | None]]]
"""(topic, partition, offset) -> offset, key and value of what retention has removed before that offset, oldest first."""


class Rebuilt(msgspec.Struct):
    """One partition as the topics tell it."""

    partition: int
    epoch: int
    batch: int
    offsets: dict[str, int]
    states: dict[str, bytes]
    reviews: dict[str, int]
    counters: dict[str, int]
    audit: Head = START
    """The last link of its audit chain in the log."""
    suppressions: list[Suppression] = []


def committed_batches(kafka: KafkaSettings, group: str) -> dict[int, tuple[int, int, dict[str, int]]]:
    """Partition -> (epoch, batch, offsets) as the group's committed offsets say.

    Raises:
        LedgerBehindLog: an offset was committed by somebody else.
    """
    admin = clients.admin(kafka)
    answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], require_stable=True)[
        group
    ].result()
    found: dict[int, tuple[int, int, dict[str, int]]] = {}
    for place in answer.topic_partitions:
        match = METADATA.fullmatch(place.metadata or "")
        if place.offset < 0:
            continue
        if match is None:
            raise LedgerBehindLog(
                f"{place.topic}[{place.partition}]: the committed offset was not written by Recoup. Reset the group's"
                " offsets to nothing to start over from the topics' beginning."
            )
        _, _, offsets = found.setdefault(place.partition, (int(match[1]), int(match[2]), {}))
        offsets[place.topic] = place.offset
    return found


def refuse_while_running(admin: AdminClient, group: str) -> None:
    """Raises RecoupError when a worker of the group is alive: it would write between the lines."""
    description = admin.describe_consumer_groups([group])[group].result()
    if description.state not in (ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD):
        raise RecoupError(
            f"{len(description.members)} workers of {group} are running. Stop them first: a rebuild replaces what they write."
        )


def rebuild(kafka: KafkaSettings, group: str, older: Older | None = None) -> Iterator[Rebuilt]:
    """Fold every partition again, one after the other, up to its committed offsets.

    Messages that were refused when they were first read are known from the dead letters and left out again.
    """
    refused = _refused(kafka)
    heads = audit_heads(kafka)
    for partition, (epoch, batch, offsets) in sorted(committed_batches(kafka, group).items()):
        rebuilt = _rebuild_partition(kafka, partition, epoch, batch, offsets, refused, older)
        rebuilt.audit = heads.get(f"decide-{partition}", START)
        yield rebuilt


def _rebuild_partition(
    kafka: KafkaSettings,
    partition: int,
    epoch: int,
    batch: int,
    offsets: dict[str, int],
    refused: set[tuple[str, int, int]],
    older: Older | None,
) -> Rebuilt:
    events: defaultdict[str, list[Event]] = defaultdict(list)
    counters: dict[str, int] = defaultdict(int)
    for topic in SOURCE_TOPICS:
        decode = TopicDecoder(topic)
        for offset, key, value in _messages(kafka, topic, partition, offsets[topic], older):
            if (topic, partition, offset) in refused:
                continue
            event = decode(value, key, FOREVER)  # contradicted headers are among the dead letters
            if not isinstance(event, Refusal) and key is not None:
                events[key.decode()].append(event)
    decisions: defaultdict[str, list[NextBestAction]] = defaultdict(list)
    decode_decision = TopicDecoder(DECISIONS)
    for message in reading.read_to_end(kafka, [TopicPartition(DECISIONS, partition)]):
        decision = decode_decision(message.value(), message.key(), FOREVER)
        if isinstance(decision, NextBestAction):
            decisions[(message.key() or b"").decode()].append(decision)
    states, reviews = {}, {}
    suppressions: list[Suppression] = []
    for account in sorted(events.keys() | decisions.keys()):
        folded = rebuild_state(events[account], decisions[account])
        states[account] = folded.blob
        suppressions += folded.suppressions
        counters["applied"] += folded.applied
        for reason in folded.dropped:
            counters["dropped:" + reason] += 1
        if folded.review_at is not None:
            reviews[account] = folded.review_at
    for topic, at, _ in refused:
        counters["dead_lettered"] += topic in SOURCE_TOPICS and at == partition
    return Rebuilt(
        partition=partition,
        epoch=epoch,
        batch=batch,
        offsets=offsets,
        states=states,
        reviews=reviews,
        counters=counters,
        suppressions=suppressions,
    )


def _messages(
    kafka: KafkaSettings, topic: str, partition: int, end: int, older: Older | None
) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    first = reading.first_kept(kafka, [TopicPartition(topic, partition)])[topic, partition]
    if first > 0:
        if older is None:
            raise RecoupError(
                f"{topic}[{partition}] begins at offset {first}: retention has removed what came before. Rebuild with"
                " `--from-warehouse`, which reads the older messages from ClickHouse."
            )
        yield from older(topic, partition, first)
    for message in reading.read_until(kafka, [TopicPartition(topic, partition, end)]):
        yield message.offset(), message.key(), message.value()


def _refused(kafka: KafkaSettings) -> set[tuple[str, int, int]]:
    """Where each dead letter came from."""
    partitions = reading.partitions_of(kafka, [dead_letter_topic(topic) for topic in SOURCE_TOPICS])
    return {origin for message in reading.read_to_end(kafka, partitions) if (origin := _origin(message))}


def _origin(message: Any) -> tuple[str, int, int] | None:
    headers = dict(message.headers() or [])
    topic = headers.get("__connect.errors.topic", b"").decode()
    if not topic:
        return None
    return (
        topic,
        int(headers["__connect.errors.partition"]),
        int(headers["__connect.errors.offset"]),
    )


async def store(ledger: Ledger, listed: SuppressionList, rebuilt: Rebuilt) -> None:
    """Put a rebuilt partition in the place of what Redis holds of it, under a new epoch.

    Contact points that nobody may use are only added to their lists: other partitions have told of some of them.
    """
    await listed.add(rebuilt.suppressions)
    await ledger.replace(
        Entry(
            partition=rebuilt.partition,
            progress=Progress(epoch=rebuilt.epoch, batch=rebuilt.batch, offsets={}, next_review=float("inf")),
            offsets=rebuilt.offsets,
            outbox=[],
            states=rebuilt.states,
            reviews=rebuilt.reviews,
            counters=rebuilt.counters,
            audit=rebuilt.audit,
        )
    )
