"""Contact requests on a real broker and a real Redis: each is sent once, and told once, whatever cuts it short."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from connectors.channels.channel import Channel, Delivery
from connectors.channels.sandbox import Sandbox
from connectors.kafka import clients
from connectors.kafka.publisher import Publisher
from connectors.kafka.reading import read_to_end
from connectors.redis.attempts import Attempts
from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from models.account import state
from models.clock import SetClock
from models.compliance.house import HouseGate
from recoup.settings import Settings
from schemas.contacts import ContactRequested
from schemas.envelope import Event, account_key
from schemas.errors import NotReady, SinkUnavailable
from schemas.interactions import OptOutReceived
from streams.dispatch import job, outcome
from streams.dispatch.job import Dispatch
from streams.lease import Lease, Part
from streams.settings import DispatchSettings, StreamSettings
from tests.contact_world import NOON, TENANT, envelope, known, requested

DECIDE = "decide"


class Forgetful:
    """A provider that does not know keys: each call contacts the customer."""

    name = "forgetful"
    idempotent = False

    def __init__(self) -> None:
        self.contacted: list[str] = []

    async def send(self, request: ContactRequested, idempotency_key: str) -> Delivery:
        self.contacted.append(idempotency_key)
        return Delivery("sent", provider_id=f"f{len(self.contacted)}")


class Cut(Exception):
    """The process dies here."""


class CutAfter:
    """Dies once, after the channel has taken the contact."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.name = channel.name
        self.idempotent = channel.idempotent

    async def send(self, request: ContactRequested, idempotency_key: str) -> Delivery:
        await self.channel.send(request, idempotency_key)
        raise Cut


class Refusing:
    """Refuses every contact."""

    name = "refusing"
    idempotent = True

    async def send(self, request: ContactRequested, idempotency_key: str) -> Delivery:
        return Delivery("failed", code="invalid_address")


class Slow:
    """Never answers."""

    name = "slow"
    idempotent = False

    async def send(self, request: ContactRequested, idempotency_key: str) -> Delivery:
        await asyncio.Event().wait()
        raise AssertionError


class AwayFor:
    """Cannot be reached for some calls."""

    name = "away"
    idempotent = True

    def __init__(self, calls: int, channel: Channel) -> None:
        self.calls = calls
        self.channel = channel

    async def send(self, request: ContactRequested, idempotency_key: str) -> Delivery:
        self.calls -= 1
        if self.calls >= 0:
            raise NotReady("no connection")
        return await self.channel.send(request, idempotency_key)


class World:
    """Topics, a Redis prefix and workers of one test."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kafka = settings.kafka
        self.name = f"t{secrets.token_hex(4)}"
        self.requests = f"{self.name}.contact-requests"
        self.outcomes = f"{self.name}.interaction-events"
        monkeypatch.setattr(outcome, "INTERACTIONS", self.outcomes)
        self.redis = connect_async(settings.redis)
        self.sandbox = Sandbox(self.redis, self.name)
        self.ledger = Ledger(self.redis, self.name, DECIDE)
        self.clock = SetClock(NOON)
        self.publishers: list[Publisher] = []
        self.admin = clients.admin(self.kafka)
        topics = [NewTopic(topic, 1) for topic in (self.requests, f"{self.requests}.dlq", self.outcomes)]
        for made in self.admin.create_topics(topics).values():
            made.result()
        self.consumer = clients.consumer(self.kafka, self.name)

    async def knows(self, account_id: str, *more: Event) -> None:
        """Decide has stored the account's state."""
        blob = state.fold(None, [*known(account_id), *more])
        await self.redis.hset(self.ledger.key(0, "states"), account_key("acme", account_id).decode(), blob)

    async def worker(self, channel: Channel | None = None, **dispatch: Any) -> Dispatch:
        """A dispatch worker; a later one takes the place of those before it."""
        publisher = Publisher(self.kafka, self.name, 10_000, 10.0)
        await publisher.start()
        self.publishers.append(publisher)
        return Dispatch(
            decided=self.ledger,
            attempts=Attempts(self.redis, self.name),
            channels={"email": channel or self.sandbox},
            publisher=publisher,
            tenants={"acme": TENANT},
            gate=HouseGate(),
            clock=self.clock,
            settings=StreamSettings(sink_deadline_seconds=5.0, dispatch=DispatchSettings(**dispatch)),
        )

    def part(self, *values: ContactRequested | bytes) -> Part:
        """These requests, through Kafka."""
        producer = clients.producer(self.kafka)
        for value in values:
            key = account_key(value.tenant_id, value.account_id) if isinstance(value, ContactRequested) else b"acme|x"
            encoded = msgspec.json.encode(value) if isinstance(value, ContactRequested) else value
            producer.produce(self.requests, encoded, key)
        assert producer.flush(10) == 0
        return self.read()

    def read(self) -> Part:
        messages = list(read_to_end(self.kafka, [TopicPartition(self.requests, 0)]))
        start = {self.requests: 0}
        lease = Lease(unit=0, group=self.consumer.consumer_group_metadata(), positions=start)
        return Part(lease=lease, start=start, end={self.requests: messages[-1].offset() + 1}, messages=messages)

    def told(self) -> list[dict[str, Any]]:
        """The outcomes that everybody can see."""
        found = read_to_end(self.kafka, [TopicPartition(self.outcomes, 0)])
        return [msgspec.json.decode(message.value() or b"") for message in found]

    def dead(self) -> list[dict[str, bytes]]:
        """The headers of the dead letters."""
        found = read_to_end(self.kafka, [TopicPartition(f"{self.requests}.dlq", 0)])
        return [dict(message.headers() or []) for message in found]

    def committed(self) -> int:
        """The offset at which the next worker would go on."""
        return self.consumer.committed([TopicPartition(self.requests, 0)], 10)[0].offset

    async def accepted(self) -> list[str]:
        """The accounts whose contacts the sandbox has accepted."""
        return [entry["account_id"] for entry in reversed(await self.sandbox.accepted())]

    async def close(self) -> None:
        for publisher in self.publishers:
            await publisher.close()
        self.consumer.close()
        await self.redis.aclose()  # type: ignore[attr-defined]


@pytest.fixture
async def world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    world = World(settings, monkeypatch)
    yield world
    await world.close()


async def test_a_request_is_sent_and_told_with_its_offset(world: World):
    await world.knows("a1")
    part = world.part(requested("a1"))
    await (await world.worker()).settle([part])
    (told,) = world.told()
    assert told["type"] == "contact.sent"
    assert told["event_id"] == outcome.outcome_id("a1-d1:contact")
    assert told["contact_id"] == "a1-d1:contact"
    assert told["provider"] == "sandbox"
    assert await world.accepted() == ["a1"]
    assert world.committed() == part.end[world.requests]


async def test_a_customer_who_opted_out_since_the_decision_is_left_alone(world: World):
    await world.knows("a1", OptOutReceived(**envelope("a1", 9), channel="email"))
    await (await world.worker()).settle([world.part(requested("a1"))])
    (told,) = world.told()
    assert (told["type"], told["code"]) == ("contact.failed", "denied:RF-7")
    assert await world.accepted() == []


async def test_a_late_request_expires(world: World):
    await world.knows("a1")
    world.clock.instant = NOON + 86_400_000
    await (await world.worker()).settle([world.part(requested("a1"))])
    (told,) = world.told()
    assert (told["type"], told["code"]) == ("contact.failed", "expired")
    assert await world.accepted() == []


async def test_a_channel_that_is_not_there_fails_the_contact(world: World):
    await world.knows("a1")
    worker = await world.worker()
    worker.channels = {}
    await worker.settle([world.part(requested("a1"))])
    assert [told["code"] for told in world.told()] == ["no_channel"]


async def test_a_refusal_by_the_provider_is_told_as_a_failure(world: World):
    await world.knows("a1")
    await (await world.worker(Refusing())).settle([world.part(requested("a1"))])
    (told,) = world.told()
    assert (told["type"], told["code"]) == ("contact.failed", "invalid_address")


async def test_a_bad_request_is_dead_lettered_and_disturbs_no_other(world: World):
    await world.knows("a1")
    await (await world.worker()).settle([world.part(b"{not json", requested("a1"), b"")])
    assert [told["type"] for told in world.told()] == ["contact.sent"]
    assert sorted(headers["reason"] for headers in world.dead()) == [b"empty_value", b"not_json"]


async def test_a_request_that_comes_twice_is_sent_and_told_once(world: World):
    await world.knows("a1")
    await (await world.worker()).settle([world.part(requested("a1"), requested("a1"))])
    assert len(world.told()) == 1
    assert await world.accepted() == ["a1"]


async def test_a_worker_that_dies_after_the_hand_over_neither_repeats_nor_forgets_it(world: World):
    await world.knows("a1")
    part = world.part(requested("a1"))
    with pytest.raises(Cut):
        await (await world.worker(CutAfter(world.sandbox))).settle([part])
    assert world.told() == []
    await (await world.worker()).settle([world.read()])
    assert [told["type"] for told in world.told()] == ["contact.sent"]
    assert await world.accepted() == ["a1"]


async def test_where_the_provider_knows_no_keys_the_doubt_is_told_and_nobody_is_contacted_twice(world: World):
    await world.knows("a1")
    provider = Forgetful()
    with pytest.raises(Cut):
        await (await world.worker(CutAfter(provider))).settle([world.part(requested("a1"))])
    await (await world.worker(provider)).settle([world.read()])
    (told,) = world.told()
    assert (told["type"], told["handover"]) == ("contact.sent", "unknown")
    assert provider.contacted == ["a1-d1:contact"]


async def test_what_was_begun_is_told_as_sent_even_if_the_customer_opts_out_before_the_restart(world: World):
    await world.knows("a1")
    with pytest.raises(Cut):
        await (await world.worker(CutAfter(world.sandbox))).settle([world.part(requested("a1"))])
    await world.knows("a1", OptOutReceived(**envelope("a1", 9), channel="email"))
    await (await world.worker()).settle([world.read()])
    assert [told["type"] for told in world.told()] == ["contact.sent"]


async def test_an_outcome_that_was_written_down_is_published_unchanged_by_the_next_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    await world.knows("a1")
    first = await world.worker()

    async def dies(*_: Any) -> None:
        raise Cut

    monkeypatch.setattr(first.publisher, "publish", dies)
    with pytest.raises(Cut):
        await first.settle([world.part(requested("a1"))])
    world.clock.instant += 60_000
    await (await world.worker()).settle([world.read()])
    (told,) = world.told()
    assert told["occurred_at"] == "2026-03-10T12:00:00Z"
    assert await world.accepted() == ["a1"]


async def test_a_provider_that_does_not_answer_is_told_as_unknown_and_not_asked_again(world: World):
    await world.knows("a1")
    await (await world.worker(Slow(), send_seconds=0.05)).settle([world.part(requested("a1"))])
    assert [(told["type"], told["handover"]) for told in world.told()] == [("contact.sent", "unknown")]


async def test_a_provider_that_is_away_for_a_moment_is_asked_again(world: World):
    await world.knows("a1")
    await (await world.worker(AwayFor(2, world.sandbox))).settle([world.part(requested("a1"))])
    assert await world.accepted() == ["a1"]


async def test_a_provider_that_stays_away_stops_the_worker_with_nothing_told(world: World):
    await world.knows("a1")
    worker = await world.worker(AwayFor(10_000, world.sandbox))
    worker.settings = StreamSettings(sink_deadline_seconds=0.2)
    with pytest.raises(SinkUnavailable):
        await worker.settle([world.part(requested("a1"))])
    assert world.told() == []


async def test_outcomes_of_a_lost_partition_are_left_to_its_new_owner(world: World):
    await world.knows("a1")
    lost = world.part(requested("a1"))
    lost.lease.held = False
    await (await world.worker()).settle([lost])
    assert world.told() == []
    assert world.committed() < 0
    await (await world.worker()).settle([world.read()])
    assert len(world.told()) == 1
    assert await world.accepted() == ["a1"]


async def test_many_contacts_are_handed_over_side_by_side(world: World):
    accounts = [f"a{number}" for number in range(40)]
    for account in accounts:
        await world.knows(account)
    await (await world.worker()).settle([world.part(*[requested(account) for account in accounts])])
    assert sorted(await world.accepted()) == sorted(accounts)
    assert {told["account_id"] for told in world.told()} == set(accounts)


def test_the_topics_are_those_of_the_registry():
    assert (job.REQUESTS, outcome.INTERACTIONS) == ("contact-requests", "interaction-events")
