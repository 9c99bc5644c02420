"""Turn each contact request into at most one contact, and tell how it ended, exactly once."""

import asyncio
import random
from functools import partial
from typing import Any

import faust

from connectors.channels.providers import open_channels
from connectors.channels.twilio import Twilio
from connectors.kafka.clients import producer
from connectors.kafka.control import read_whole
from connectors.kafka.publisher import Publisher
from connectors.redis.attempts import Attempts
from connectors.redis.client import connect_async
from connectors.redis.deliveries import Deliveries
from connectors.redis.ledger import Ledger
from connectors.redis.mode import stack_mode
from connectors.redis.suppression import SuppressionList
from connectors.templates.registry import Templates
from models.clock import Clock, WallClock
from models.compliance.rule_gate import RuleGate
from schemas.control import Tenant
from schemas.errors import NotReady
from streams.agent_metrics import tell_metrics
from streams.app import TENANTS, crashing_agent, create_app, follow_tenants, serve_health, take
from streams.chain_heads import audit_heads
from streams.channel import BatchChannel
from streams.dispatch.asking import Asking
from streams.dispatch.backoff import Backoff
from streams.dispatch.callbacks import Desk, publishing, serve_callbacks
from streams.dispatch.job import JOB, REQUESTS, Dispatch
from streams.dispatch.providers import Providers
from streams.dispatch.rendering import FromTemplates
from streams.dispatch.sending import Sending
from streams.lease import Lease
from streams.settings import Installation
from streams.source import BatchSource
from streams.take_over import TakeOver
from streams.templates import TEMPLATES, follow_templates
from streams.templates import take as take_template

GROUP = "recoup-dispatch"
QUEUED_POLLS = 1
TURN_WITHIN_SECONDS = 1.0
"""What waits in one partition is looked at this often while another is behind: an opt-out is confirmed within minutes."""


def build(installation: Installation, *, slot: int, web_port: int, clock: Clock | None = None) -> faust.App:
    """The dispatch worker of one slot, ready to be run by `faust.Worker`."""
    clock = clock or WallClock()
    streams = installation.streams
    app = create_app(JOB, slot, installation, web_port)
    tenants: dict[str, Tenant] = {}
    templates = Templates()
    redis = connect_async(installation.redis)
    prefix = installation.redis.prefix
    publisher = Publisher(
        installation.kafka, f"{GROUP}-{slot}", streams.transaction_timeout_ms, streams.sink_deadline_seconds
    )
    ledger = Ledger(redis, prefix, JOB, together=True)
    hash_key = installation.redis.suppression_key
    channels = open_channels(
        installation.channels, redis=redis, prefix=prefix, home=installation.home, clock=clock, hash_key=hash_key
    )
    providers = Providers(channels, clock, streams.dispatch)
    asking = Asking(
        decided=Ledger(redis, prefix, "decide"),
        attempts=Attempts(redis, prefix),
        suppressions=SuppressionList(redis, installation.redis),
        providers=providers,
        render=FromTemplates(templates, clock),
        tenants=tenants,
        gate=RuleGate(),
        clock=clock,
        backoff=Backoff(streams.dispatch.retry_first_ms, streams.dispatch.retry_most_ms, random.Random()),  # noqa: S311 - jitter
        settings=streams,
    )
    sending = Sending(asking)
    job = Dispatch(ledger=ledger, sending=sending, publisher=publisher, settings=streams)
    take_over = TakeOver(
        ledger,
        publisher,
        topics=[REQUESTS],
        stable_within=2 * streams.transaction_timeout_ms / 1000,
        heads=partial(audit_heads, installation.kafka),
        mends="recoup contacts recover",
    )
    batches = BatchChannel(app, maxsize=QUEUED_POLLS)

    def something_is_due(lease: Lease) -> bool:
        due: bool = lease.claim.next_review <= clock.now()
        return due

    async def before_start() -> None:
        if stack_mode(installation.redis) == "replay":
            raise NotReady("This stack replays a ledger: nothing is sent to anybody, so dispatch does not run here.")
        for key, value in read_whole(installation.kafka, TENANTS).items():
            take(tenants, key, value)
        for key, value in read_whole(installation.kafka, TEMPLATES).items():
            take_template(templates, key, value)
        await publisher.start()

    async def before_leave() -> None:
        await sending.finish(streams.drain_seconds)
        for provider in providers.every():
            await provider.channel.close()
        await publisher.close()

    source = BatchSource(
        batches,
        kafka=installation.kafka,
        settings=streams,
        group=GROUP,
        instance=f"{GROUP}-{slot}",
        topics=[REQUESTS],
        unit_of=lambda topic, partition: partition,
        take_over=take_over,
        wants_turn=something_is_due,
        turn_within=TURN_WITHIN_SECONDS,
        batch_size=streams.dispatch.batch_size,
        before_start=before_start,
        before_leave=before_leave,
        job=JOB,
    )
    take_over.source = source
    app.service(source)  # type: ignore[arg-type]  # Faust takes an instance as well
    follow_tenants(app, tenants)
    follow_templates(app, templates)
    serve_health(app, JOB, source, clock)
    tell_metrics(app, JOB, slot, source, installation, clock)
    if installation.channels.twilio.callback_url:
        desk = Desk(
            settings=installation.channels.twilio,
            deliveries=Deliveries(redis, prefix, Twilio.name, hash_key),
            tenants=tenants,
            publish=publishing(producer(installation.kafka)),
            clock=clock,
        )
        serve_callbacks(app, desk)

    @crashing_agent(app, batches, JOB)  # type: ignore[untyped-decorator]
    async def dispatch(stream: Any) -> None:
        async for poll in stream:
            async with source.in_flight(poll) as flight:
                await asyncio.shield(job.settle(flight.parts))

    return app
