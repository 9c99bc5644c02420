"""dispatch's ledger made again from the topics, when Redis has lost it or was restored: nothing is sent twice for it.

A request that was taken and has no outcome may have been sent: Redis alone knew. It ends as `unknown`, for a person,
unless its time had not come yet; then it simply waits for it.
"""

from collections.abc import Callable, Container

import msgspec
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from connectors.kafka import clients, reading
from connectors.redis.attempts import Attempt, Attempts
from connectors.redis.client import connect_async
from connectors.redis.ledger import Entry, Ledger, Progress
from models.audit import START
from models.calendar import instant
from models.clock import Clock, Instant, WallClock
from recoup.settings import Settings
from schemas.contacts import ContactRequested
from schemas.decode import TopicDecoder
from streams.chain_heads import audit_heads
from streams.decide.rebuild import FOREVER, refuse_while_running
from streams.dispatch import parking
from streams.dispatch.agent import GROUP
from streams.dispatch.job import JOB, REQUESTS
from streams.dispatch.outcome import INTERACTIONS, SOURCE, outcome_id
from streams.dispatch.parking import Parked
from streams.take_over import METADATA, offsets_to_commit


class Report(msgspec.Struct):
    """What was found."""

    partitions: int = 0
    waiting: int = 0
    """Requests that wait for their time."""
    in_doubt: int = 0
    """Requests without an outcome that may have been sent."""


class Outcome(msgspec.Struct):
    """As much of an interaction event as tells whose outcome it is."""

    event_id: str
    source: str


async def recover(settings: Settings, tell: Callable[[str], None], clock: Clock | None = None) -> Report:
    """Make every partition's ledger again, at the offset that its group has committed.

    Raises:
        RecoupError: a dispatch worker is running.
        NotReady: Kafka or Redis stopped answering.
    """
    admin = clients.admin(settings.kafka)
    refuse_while_running(admin, GROUP)
    told, heads = _told(settings), audit_heads(settings.kafka)
    client = connect_async(settings.redis)
    ledger = Ledger(client, settings.redis.prefix, JOB, together=True)
    attempts = Attempts(client, settings.redis.prefix)
    now = (clock or WallClock()).now()
    report = Report()
    for place in _committed(settings):
        partition, offset = place.partition, place.offset
        open_requests = _without_outcome(settings, partition, offset, told)
        kept, begun = _sort_out(
            open_requests, await attempts.known([r.idempotency_key for _, _, r in open_requests]), now
        )
        await attempts.ended(begun)  # as begun: who takes it up finds no provider that could say more
        batch = _batch(place)
        progress = Progress(epoch=batch[0], batch=batch[1], offsets={}, next_review=float("inf"))
        await ledger.replace(
            Entry(
                partition=partition,
                progress=progress,
                offsets={REQUESTS: offset},
                outbox=[],
                states={key: parking.encode(parked) for key, (parked, _) in kept.items()},
                reviews={key: at for key, (_, at) in kept.items()},
                audit=heads.get(f"{JOB}-{partition}", START),
            )
        )
        _commit(settings, offsets_to_commit(partition, {REQUESTS: offset}, *batch))
        report.partitions += 1
        report.in_doubt += len(begun)
        report.waiting += len(kept) - len(begun)
        tell(f"partition {partition}: {len(kept) - len(begun)} requests wait, {len(begun)} are in doubt")
    await client.aclose()  # type: ignore[attr-defined]
    return report


def _sort_out(
    requests: list[tuple[int, bytes, ContactRequested]], known: Container[str], now: Instant
) -> tuple[dict[str, tuple[Parked, Instant]], dict[str, Attempt]]:
    """Every request as it is parked, with its next try; and those of which it must be said that they were begun."""
    kept: dict[str, tuple[Parked, Instant]] = {}
    begun: dict[str, Attempt] = {}
    for offset, value, request in requests:
        key, opens = request.idempotency_key, instant(request.not_before)
        if opens > now:
            kept[key] = Parked(value, offset, parking.TOO_EARLY), opens
            continue
        kept[key] = Parked(value, offset, parking.SENDING), now
        if key not in known:
            begun[key] = Attempt(now, offset=offset)
    return kept, begun


def _told(settings: Settings) -> set[str]:
    """The ids of all outcomes."""
    decode = msgspec.json.Decoder(Outcome).decode
    partitions = reading.partitions_of(settings.kafka, [INTERACTIONS])
    found: set[str] = set()
    for message in reading.read_to_end(settings.kafka, partitions):
        try:
            event = decode(message.value() or b"")
        except msgspec.MsgspecError:
            continue  # somebody else's, and refused: outcomes are ours
        if event.source == SOURCE:
            found.add(event.event_id)
    return found


def _committed(settings: Settings) -> list[TopicPartition]:
    admin = clients.admin(settings.kafka)
    answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)], require_stable=True)[
        GROUP
    ].result()
    return [place for place in answer.topic_partitions if place.topic == REQUESTS and place.offset >= 0]


def _batch(place: TopicPartition) -> tuple[int, int]:
    """Epoch and batch of a committed offset; the first ones when an earlier release has committed it."""
    found = METADATA.fullmatch(place.metadata or "")
    return (int(found[1]), int(found[2])) if found else (1, 1)


def _commit(settings: Settings, offsets: list[TopicPartition]) -> None:
    admin = clients.admin(settings.kafka)
    asked = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP, offsets)])
    asked[GROUP].result()


def _without_outcome(
    settings: Settings, partition: int, end: int, told: set[str]
) -> list[tuple[int, bytes, ContactRequested]]:
    """The requests before an offset whose outcome nobody has heard of, each key once."""
    decode = TopicDecoder(REQUESTS)
    found: dict[str, tuple[int, bytes, ContactRequested]] = {}
    for message in reading.read_until(settings.kafka, [TopicPartition(REQUESTS, partition, end)]):
        request = decode(message.value(), message.key(), FOREVER)
        if isinstance(request, ContactRequested) and outcome_id(request.idempotency_key) not in told:
            found.setdefault(request.idempotency_key, (message.offset(), message.value() or b"", request))
    return [*found.values()]
