"""Turn each batch of account events into states, scores and decisions, exactly once."""

import asyncio
from functools import partial
from typing import Any

import faust

from connectors.kafka.control import read_whole
from connectors.kafka.publisher import Publisher
from connectors.redis.caps import Caps
from connectors.redis.client import connect_async
from connectors.redis.feeds import Feeds
from connectors.redis.ledger import Ledger
from connectors.redis.mode import stack_mode
from connectors.redis.suppression import SuppressionList
from models.clock import Clock, WallClock
from schemas.control import Tenant
from schemas.registry import SOURCE_TOPICS, topic_named
from streams.agent_metrics import tell_metrics
from streams.app import TENANTS, crashing_agent, create_app, follow_tenants, serve_health, take
from streams.chain_heads import audit_heads
from streams.channel import BatchChannel
from streams.decide.buckets import Buckets
from streams.decide.conditions import Surroundings
from streams.decide.job import Decide
from streams.decide.models import Models, follow_models
from streams.decide.policies import Policies, follow_policies
from streams.lease import Lease
from streams.settings import Installation
from streams.source import BatchSource, cut_whole
from streams.take_over import TakeOver

JOB = "decide"
GROUP = "recoup-decide"
QUEUED_POLLS = 2


def build(installation: Installation, *, slot: int, web_port: int, clock: Clock | None = None) -> faust.App:
    """The decide worker of one slot, ready to be run by `faust.Worker`."""
    clock = clock or WallClock()
    streams = installation.streams
    app = create_app(JOB, slot, installation, web_port)
    tenants: dict[str, Tenant] = {}
    redis = connect_async(installation.redis)
    ledger = Ledger(redis, installation.redis.prefix, JOB)
    publisher = Publisher(
        installation.kafka, f"{GROUP}-{slot}", streams.transaction_timeout_ms, streams.sink_deadline_seconds
    )
    replay = stack_mode(installation.redis) == "replay"
    models, policies = Models(installation), Policies(installation)
    prefix, partitions = installation.redis.prefix, topic_named(SOURCE_TOPICS[0]).partitions
    surroundings = Surroundings(Feeds(redis, prefix), Caps(redis, prefix), tenants, policies.in_force, partitions)
    job = Decide(
        ledger=ledger,
        publisher=publisher,
        tenants=tenants,
        clock=clock,
        settings=streams,
        released=models.in_force,
        strategies=policies.in_force,
        surroundings=None if replay else surroundings,
        replay=replay,
        suppressions=None if replay else SuppressionList(redis, installation.redis),
    )
    take_over = TakeOver(
        ledger,
        publisher,
        topics=SOURCE_TOPICS,
        stable_within=2 * streams.transaction_timeout_ms / 1000,
        heads=partial(audit_heads, installation.kafka),
    )
    batches = BatchChannel(app, maxsize=QUEUED_POLLS)

    def review_is_due(lease: Lease) -> bool:
        due: bool = lease.claim.next_review <= clock.now()
        return due

    async def before_start() -> None:
        for key, value in read_whole(installation.kafka, TENANTS).items():
            take(tenants, key, value)
        await models.start()
        policies.start()
        await publisher.start()  # first of all: it ends what a worker that died in this slot had left open

    source = BatchSource(
        batches,
        kafka=installation.kafka,
        settings=streams,
        group=GROUP,
        instance=f"{GROUP}-{slot}",
        topics=list(SOURCE_TOPICS),
        unit_of=lambda topic, partition: partition,
        take_over=take_over,
        cut=Buckets().cut if replay else cut_whole,
        wants_turn=(lambda lease: False) if replay else review_is_due,
        batch_size=streams.decide.batch_size,
        linger_ms=streams.decide.linger_ms,
        before_start=before_start,
        before_leave=publisher.close,
        job=JOB,
    )
    take_over.source = source
    app.service(source)  # type: ignore[arg-type]  # Faust takes an instance as well
    follow_tenants(app, tenants)
    follow_models(app, models)
    follow_policies(app, policies)
    serve_health(app, JOB, source, clock)
    tell_metrics(app, JOB, slot, source, installation, clock)

    @crashing_agent(app, batches, JOB)  # type: ignore[untyped-decorator]
    async def decide(stream: Any) -> None:
        async for poll in stream:
            async with source.in_flight(poll) as flight:
                flight.ends_with(await asyncio.shield(job.settle(flight.parts)))

    return app
