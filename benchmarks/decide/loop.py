"""The hand-written contestant: one thread, confluent-kafka and Redis, the same core, the same chained write and transaction."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from confluent_kafka import TopicPartition

from connectors.kafka import clients
from connectors.kafka.control import read_whole
from connectors.redis.client import connect_async
from connectors.redis.ledger import Entry, Ledger
from models.clock import WallClock
from models.core import step
from recoup.settings import Settings
from schemas.control import decode_tenant
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import Event
from schemas.registry import SOURCE_TOPICS
from streams.decide.intake import work_of
from streams.lease import Message
from streams.take_over import offsets_to_commit


async def main() -> None:
    """Consume for ever; the benchmark ends the process."""
    settings = Settings()
    tenants = {key.decode(): decode_tenant(value) for key, value in read_whole(settings.kafka, "tenants").items()}
    decoders = {topic: TopicDecoder(topic) for topic in SOURCE_TOPICS}
    ledger = Ledger(connect_async(settings.redis), settings.redis.prefix, "decide")
    producer = clients.transactional_producer(settings.kafka, "bench-loop", 10_000)
    producer.init_transactions()
    consumer = clients.consumer(settings.kafka, "bench-loop", queued_min_messages=50_000)
    consumer.subscribe(list(SOURCE_TOPICS))
    progress = {partition: await ledger.claim(partition, 0) for partition in range(8)}
    ends: dict[int, dict[str, int]] = {partition: dict.fromkeys(SOURCE_TOPICS, 0) for partition in range(8)}
    clock = WallClock()
    while True:
        messages: list[Message] = consumer.consume(5_000, 0.02)  # type: ignore[assignment]  # none is an error
        if not messages:
            continue
        latest = datetime.now(UTC) + timedelta(minutes=5)
        accounts: dict[int, dict[bytes, list[tuple[Event, int]]]] = defaultdict(dict)
        for place, message in enumerate(messages):
            event = decoders[message.topic()](message.value(), message.key(), latest, message.headers())
            assert not isinstance(event, Refusal)
            accounts[message.partition()].setdefault(message.key() or b"", []).append((event, place))
            ends[message.partition()][message.topic()] = message.offset() + 1
        blobs = await ledger.read([(partition, list(keys)) for partition, keys in accounts.items()])
        now = clock.now()
        works = [
            [work_of(key, blob, events, now) for (key, events), blob in zip(keys.items(), found, strict=True)]
            for keys, found in zip(accounts.values(), blobs, strict=True)
        ]
        outcome = step([work for part in works for work in part], tenants, "live")
        entries, at = [], 0
        for partition, part in zip(accounts, works, strict=True):
            here = slice(at, at + len(part))
            at += len(part)
            entries.append(
                Entry(
                    partition=partition,
                    progress=progress[partition],
                    offsets=dict(ends[partition]),
                    outbox=[(*message, None) for some in outcome.messages[here] for message in some],
                    states=dict(pair for pair in outcome.states[here] if pair[1]),
                    reviews=dict(outcome.reviews[here]),
                    counters={"applied": sum(len(work.events) for work in part)},
                )
            )
        await ledger.write(entries)
        producer.begin_transaction()
        offsets: list[TopicPartition] = []
        for entry in entries:
            for topic, key, value, _ in entry.outbox:
                producer.produce(topic, value, key)
            offsets += offsets_to_commit(entry.partition, entry.offsets, entry.progress.epoch, entry.progress.batch)
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
        producer.commit_transaction()


if __name__ == "__main__":
    asyncio.run(main())
