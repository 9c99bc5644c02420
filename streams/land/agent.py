"""Land every message of every topic in its ClickHouse table, as exactly one row."""

from typing import Any

import faust

from connectors.clickhouse.ownership import Ownership
from connectors.clickhouse.server import Server
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.tables import landed_topics
from models.clock import Clock, WallClock
from streams.agent_metrics import tell_metrics
from streams.app import crashing_agent, create_app, follow_tenants, serve_health
from streams.channel import BatchChannel
from streams.land.blocks import cut_partition
from streams.land.job import JOB, Land
from streams.land.take_over import TakeOver
from streams.settings import Installation
from streams.source import BatchSource

GROUP = "recoup-land"
QUEUED_POLLS = 2


def build(installation: Installation, *, slot: int, web_port: int, clock: Clock | None = None) -> faust.App:
    """The land worker of one slot, ready to be run by `faust.Worker`."""
    clock = clock or WallClock()
    streams = installation.streams
    app = create_app(JOB, slot, installation, web_port)
    server = Server(installation.clickhouse, deadline=streams.sink_deadline_seconds)
    sink = Sink(server)
    take_over = TakeOver(
        Ownership(server),
        sink,
        installation.kafka,
        f"{GROUP}-{slot}",
        stable_within=2 * streams.transaction_timeout_ms / 1000,
    )
    batches = BatchChannel(app, maxsize=QUEUED_POLLS)
    job = Land(sink=sink, clock=clock, settings=streams)
    source = BatchSource(
        batches,
        kafka=installation.kafka,
        settings=streams,
        group=GROUP,
        instance=f"{GROUP}-{slot}",
        topics=landed_topics(),
        unit_of=lambda topic, partition: (topic, partition),
        take_over=take_over,
        cut=cut_partition,
        wants_turn=job.wants_turn,
        before_start=job.warm_up,
        before_leave=job.flush,
        batch_size=streams.land.batch_size,
        linger_ms=streams.land.linger_ms,
        consumer_options={
            "fetch_min_bytes": streams.land.fetch_min_bytes,
            "fetch_wait_max_ms": streams.land.fetch_wait_ms,
        },
        job=JOB,
    )
    take_over.source = job.upstream = source
    app.service(source)  # type: ignore[arg-type]  # Faust takes an instance as well
    follow_tenants(app, {})  # Faust runs only with a topic of its own to follow
    serve_health(app, JOB, source, clock, lambda: job.oldest)
    tell_metrics(app, JOB, slot, source, installation, clock)

    @crashing_agent(app, batches, JOB)  # type: ignore[untyped-decorator]
    async def land(stream: Any) -> None:
        async for poll in stream:
            await job.room()  # outside: a rebalance must not wait for a ClickHouse that is away
            async with source.in_flight(poll) as flight:
                job.take(flight.parts)

    return app
