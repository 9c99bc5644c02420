"""Turn each contact request into at most one contact, and tell how it ended, exactly once."""

import asyncio
from collections.abc import Iterable
from typing import Any

import faust
from confluent_kafka import TopicPartition

from connectors.channels.sandbox import Sandbox
from connectors.kafka.control import read_whole
from connectors.kafka.publisher import Publisher
from connectors.redis.attempts import Attempts
from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from connectors.redis.mode import stack_mode
from models.clock import Clock, WallClock
from models.compliance.house import HouseGate
from schemas.control import Tenant
from schemas.errors import NotReady
from streams.app import TENANTS, crashing_agent, create_app, follow_tenants, serve_health, take
from streams.channel import BatchChannel
from streams.dispatch.job import JOB, REQUESTS, Dispatch
from streams.lease import Lease
from streams.settings import Installation
from streams.source import BatchSource

GROUP = "recoup-dispatch"
QUEUED_POLLS = 1
CHANNELS = ("email", "sms", "call", "voicemail", "letter")


def build(installation: Installation, *, slot: int, web_port: int, clock: Clock | None = None) -> faust.App:
    """The dispatch worker of one slot, ready to be run by `faust.Worker`."""
    streams = installation.streams
    app = create_app(JOB, slot, installation, web_port)
    tenants: dict[str, Tenant] = {}
    redis = connect_async(installation.redis)
    publisher = Publisher(
        installation.kafka, f"{GROUP}-{slot}", streams.transaction_timeout_ms, streams.sink_deadline_seconds
    )
    sandbox = Sandbox(redis, installation.redis.prefix)
    job = Dispatch(
        decided=Ledger(redis, installation.redis.prefix, "decide"),
        attempts=Attempts(redis, installation.redis.prefix),
        channels=dict.fromkeys(CHANNELS, sandbox),
        publisher=publisher,
        tenants=tenants,
        gate=HouseGate(),
        clock=clock or WallClock(),
        settings=streams,
    )
    batches = BatchChannel(app, maxsize=QUEUED_POLLS)

    async def before_start() -> None:
        if stack_mode(installation.redis) == "replay":
            raise NotReady("This stack replays a ledger: nothing is sent to anybody, so dispatch does not run here.")
        for key, value in read_whole(installation.kafka, TENANTS).items():
            take(tenants, key, value)
        await publisher.start()

    async def take_over(leases: Iterable[Lease]) -> None:
        """Go on at the committed offsets; at the first message kept where there are none."""
        owned = {int(str(lease.unit)): lease for lease in leases}
        partitions = [TopicPartition(REQUESTS, partition) for partition in owned]
        stable_within = 2 * streams.transaction_timeout_ms / 1000
        first = await source.consumer.low_watermarks(partitions)
        for found in await source.consumer.committed(partitions, stable_within):
            position = found.offset if found.offset >= 0 else first[REQUESTS, found.partition]
            owned[found.partition].positions = {REQUESTS: position}

    source = BatchSource(
        batches,
        kafka=installation.kafka,
        settings=streams,
        group=GROUP,
        instance=f"{GROUP}-{slot}",
        topics=[REQUESTS],
        unit_of=lambda topic, partition: partition,
        take_over=take_over,
        batch_size=streams.dispatch.batch_size,
        before_start=before_start,
        before_leave=publisher.close,
        job=JOB,
    )
    app.service(source)  # type: ignore[arg-type]  # Faust takes an instance as well
    follow_tenants(app, tenants)
    serve_health(app, JOB, source)

    @crashing_agent(app, batches, JOB)  # type: ignore[untyped-decorator]
    async def dispatch(stream: Any) -> None:
        async for poll in stream:
            async with source.in_flight(poll) as flight:
                await asyncio.shield(job.settle(flight.parts))

    return app
