"""Leaves Redis and the committed offsets as decide and dispatch would have left them at the end of a past."""

from collections import defaultdict
from collections.abc import Mapping

from confluent_kafka import TopicPartition

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from connectors.redis.client import connect_async
from connectors.redis.ledger import Entry, Ledger, Progress
from connectors.redis.suppression import SuppressionList
from models.actions.announce import REQUESTS
from models.clock import Instant
from recoup.demo.past.telling import Telling
from recoup.settings import Settings
from schemas.registry import SOURCE_TOPICS
from streams.decide import agent as decide
from streams.decide.rebuild import Rebuilt, store
from streams.dispatch import agent as dispatch
from streams.dispatch.job import JOB as DISPATCH
from streams.take_over import offsets_to_commit

EPOCH, BATCH = 0, 1
"""As if all of the past had been one batch."""

States = Mapping[str, tuple[bytes, Instant | None]]
"""Account key -> its state, and when it is looked at again."""


async def hand_over(settings: Settings, states: States, telling: Telling) -> None:
    """Store what is known, then commit how far that goes; neither job may run meanwhile."""
    redis = connect_async(settings.redis)
    try:
        decided = Ledger(redis, settings.redis.prefix, decide.JOB)
        listed = SuppressionList(redis, settings.redis)
        committed: list[TopicPartition] = []
        for rebuilt in rebuilt_of(states, telling):
            await store(decided, listed, rebuilt)
            committed += offsets_to_commit(rebuilt.partition, rebuilt.offsets, EPOCH, BATCH)
        _commit(settings.kafka, decide.GROUP, committed)
        sent = Ledger(redis, settings.redis.prefix, DISPATCH, together=True)
        committed = []
        for partition, offset in telling.behind().items():
            offsets = {REQUESTS: offset}
            progress = Progress(epoch=EPOCH, batch=BATCH, offsets={}, next_review=float("inf"))
            await sent.replace(Entry(partition=partition, progress=progress, offsets=offsets, outbox=[]))
            committed += offsets_to_commit(partition, offsets, EPOCH, BATCH)
        _commit(settings.kafka, dispatch.GROUP, committed)
    finally:
        await redis.aclose()  # type: ignore[attr-defined]


def rebuilt_of(states: States, telling: Telling) -> list[Rebuilt]:
    """Each partition of decide's as a rebuild from the topics would find it."""
    accounts: defaultdict[int, dict[str, bytes]] = defaultdict(dict)
    reviews: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for key, (blob, review_at) in states.items():
        partition = telling.partition_of[key.encode()]
        accounts[partition][key] = blob
        if review_at is not None:
            reviews[partition][key] = review_at
    ends = {topic: telling.ends(topic) for topic in SOURCE_TOPICS}
    return [
        Rebuilt(
            partition=partition,
            epoch=EPOCH,
            batch=BATCH,
            offsets={topic: ends[topic][partition] for topic in SOURCE_TOPICS},
            states=accounts[partition],
            reviews=reviews[partition],
            counters=telling.counters(partition),
            audit=telling.heads[partition],
            suppressions=[] if partition else telling.suppressions,
        )
        for partition in range(telling.partitions)
    ]


def _commit(kafka: KafkaSettings, group: str, offsets: list[TopicPartition]) -> None:
    consumer = clients.consumer(kafka, group)
    try:
        consumer.commit(offsets=offsets, asynchronous=False)
    finally:
        consumer.close()
