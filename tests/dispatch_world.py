"""Providers, logs and a dispatch worker on a real Redis: what the dispatch tests act in."""

import asyncio
import random
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Protocol

import msgspec
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from connectors.channels.channel import Channel, Delivery, Message
from connectors.kafka import clients
from connectors.kafka.publisher import Publisher, Record
from connectors.kafka.reading import read_to_end
from connectors.kafka.settings import KafkaSettings
from connectors.redis.attempts import Attempts
from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from connectors.redis.suppression import SuppressionList
from models.account import state
from models.account.course import Planned
from models.clock import SetClock
from models.compliance.rule_gate import RuleGate
from recoup.settings import Settings
from schemas.contacts import ContactRequested
from schemas.envelope import Channel as Kind
from schemas.envelope import Event, account_key
from schemas.errors import NotSent
from streams.dispatch import asking, job, outcome
from streams.dispatch.asking import Asking
from streams.dispatch.backoff import Backoff
from streams.dispatch.check import Cleared
from streams.dispatch.job import Dispatch
from streams.dispatch.providers import Providers
from streams.dispatch.sending import Sending
from streams.lease import Lease, Part
from streams.settings import DispatchSettings, StreamSettings
from streams.take_over import TakeOver
from tests.contact_world import NOON, TENANT, known


class Cut(BaseException):
    """The process dies here."""


class Provider:
    """Takes every contact once for its key, and counts."""

    name = "provider"
    idempotent = True
    most_seconds = 5.0

    def __init__(self, name: str = "provider") -> None:
        self.name = name
        self.contacted: list[str] = []
        self.said: list[str] = []
        self.asked = 0

    async def send(self, message: Message) -> Delivery:
        self.asked += 1
        if not self.idempotent or message.key not in self.contacted:
            self.contacted.append(message.key)
            self.said.append(message.text)
        return Delivery("sent", provider_id=f"{self.name}-{message.key}")

    async def close(self) -> None: ...


class Forgetful(Provider):
    """Does not know keys: each call contacts the customer."""

    idempotent = False


class CutAfter(Provider):
    """Dies after the channel has taken the contact."""

    def __init__(self, channel: Provider) -> None:
        super().__init__(channel.name)
        self.channel = channel
        self.idempotent = channel.idempotent

    async def send(self, message: Message) -> Delivery:
        await self.channel.send(message)
        raise Cut


class Refusing(Provider):
    """Refuses every contact."""

    def __init__(self, code: str = "bad_address") -> None:
        super().__init__("refusing")
        self.code = code

    async def send(self, message: Message) -> Delivery:
        return Delivery("failed", code=self.code)


class Slow(Forgetful):
    """Answers when it is told to, or never."""

    most_seconds = 0.05

    def __init__(self) -> None:
        super().__init__("slow")
        self.answer = asyncio.Event()
        self.reached = asyncio.Event()

    async def send(self, message: Message) -> Delivery:
        self.reached.set()
        await self.answer.wait()
        return await super().send(message)


class AwayFor(Provider):
    """Cannot be reached for some calls."""

    def __init__(self, calls: int, name: str = "away", retry_after: float | None = None) -> None:
        super().__init__(name)
        self.calls = calls
        self.retry_after = retry_after

    async def send(self, message: Message) -> Delivery:
        self.asked += 1
        self.calls -= 1
        if self.calls >= 0:
            raise NotSent("no connection", code="connect", retry_after=self.retry_after)
        self.asked -= 1
        return await super().send(message)


def plainly(request: ContactRequested, cleared: Cleared) -> Message | str:
    """What the template may say, as the message; a template named `broken` does not render."""
    if request.template == "broken":
        return "template:missing_variable"
    return Message(
        key=request.idempotency_key,
        contact_id=request.contact_id,
        tenant_id=request.tenant_id,
        account_id=request.account_id,
        channel=request.channel,
        address=request.address,
        template=request.template,
        text=cleared.variables.get("amount", ""),
    )


TOPICS = {"REQUESTS": job, "AUDIT_LOGS": job, "INTERACTIONS": outcome, "CUSTOMER_EVENTS": outcome}


class Log(Protocol):
    """Where requests come from and outcomes go to."""

    requests: str

    def add(self, value: bytes, key: bytes) -> None: ...
    def messages(self, topic: str) -> list[Any]: ...
    async def publisher(self) -> Publisher: ...
    def group(self) -> Any: ...
    async def committed(self, partitions: list[TopicPartition], deadline: float) -> list[TopicPartition]: ...
    async def close(self) -> None: ...


class Memory:
    """A log that no broker keeps; a transaction is one call."""

    requests = "contact-requests"

    def __init__(self) -> None:
        self.kept: defaultdict[str, list[Any]] = defaultdict(list)
        self.offsets: dict[str, TopicPartition] = {}

    def add(self, value: bytes | None, key: bytes | None, topic: str = requests, headers: Any = None) -> None:
        self.kept[topic].append(Kept(topic, len(self.kept[topic]), key, value, headers))

    def messages(self, topic: str) -> list[Any]:
        return self.kept[topic]

    async def publisher(self) -> Publisher:
        publisher: Any = self
        return publisher  # type: ignore[no-any-return]  # as far as a job needs one

    async def publish(self, records: Iterable[Record], offsets: list[TopicPartition], group: Any) -> None:
        for topic, key, value, headers in records:
            self.add(value, key, topic, headers)
        self.offsets |= {place.topic: place for place in offsets}

    def group(self) -> Any:
        return None

    async def committed(self, partitions: list[TopicPartition], deadline: float) -> list[TopicPartition]:
        return [self.offsets.get(place.topic, TopicPartition(place.topic, 0, -1001)) for place in partitions]

    async def close(self) -> None: ...


class Kept:
    """A message as a consumer gives it."""

    def __init__(self, topic: str, offset: int, key: bytes | None, value: bytes | None, headers: Any) -> None:
        self.fields = topic, offset, key, value, headers

    def topic(self) -> str:
        return self.fields[0]

    def offset(self) -> int:
        return self.fields[1]

    def key(self) -> bytes | None:
        return self.fields[2]

    def value(self) -> bytes | None:
        return self.fields[3]

    def headers(self) -> Any:
        return self.fields[4]

    def partition(self) -> int:
        return 0

    def timestamp(self) -> tuple[int, int]:
        return 1, NOON


class Kafka:
    """Topics of one test on a real broker."""

    def __init__(self, settings: KafkaSettings, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = settings
        self.name = name
        self.requests = f"{name}.contact-requests"
        self.names = {"contact-requests": self.requests}
        for constant, module in TOPICS.items():
            topic = getattr(module, constant)
            self.names[topic] = f"{name}.{topic}"
            if constant != "REQUESTS":  # the decoder knows it by its name
                monkeypatch.setattr(module, constant, self.names[topic])
        self.names["contact-requests.dlq"] = f"{self.requests}.dlq"
        topics = [NewTopic(topic, 1) for topic in self.names.values()]
        self.admin = clients.admin(settings)
        for made in self.admin.create_topics(topics).values():
            made.result()
        self.producer = clients.producer(settings)
        self.consumer = clients.consumer(settings, name)
        self.publishers: list[Publisher] = []

    def add(self, value: bytes, key: bytes) -> None:
        self.producer.produce(self.requests, value, key)

    def messages(self, topic: str) -> list[Any]:
        assert self.producer.flush(10) == 0
        return list(read_to_end(self.settings, [TopicPartition(self.names.get(topic, topic), 0)]))

    async def publisher(self) -> Publisher:
        publisher = Publisher(self.settings, self.name, 10_000, 10.0)
        await publisher.start()
        self.publishers.append(publisher)
        return publisher

    def group(self) -> Any:
        return self.consumer.consumer_group_metadata()

    async def committed(self, partitions: list[TopicPartition], deadline: float) -> list[TopicPartition]:
        return self.consumer.committed(partitions, 10)

    async def close(self) -> None:
        for publisher in self.publishers:
            await publisher.close()
        self.consumer.close()


class World:
    """A log, a Redis prefix and workers of one test."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, *, real: bool = False) -> None:
        self.name = f"t{secrets.token_hex(4)}"
        self.settings = settings.redis.model_copy(update={"prefix": self.name})
        self.log: Log = Kafka(settings.kafka, self.name, monkeypatch) if real else Memory()
        monkeypatch.setattr(asking, "GRACE_SECONDS", 0.05)
        self.redis = connect_async(self.settings)
        self.provider = Provider()
        self.decided = Ledger(self.redis, self.name, "decide")
        self.ledger = Ledger(self.redis, self.name, "dispatch", together=True)
        self.attempts = Attempts(self.redis, self.name)
        self.suppressions = SuppressionList(self.redis, self.settings)
        self.clock = SetClock(NOON)
        self.tenants = {"acme": TENANT}

    async def knows(self, account_id: str, *more: Event, planned: Sequence[Planned] = ()) -> None:
        """Decide has stored the account's state, with these contacts decided on."""
        found = state.decode(state.fold(None, [*known(account_id), *more]))
        found.course.planned = list(planned)
        blob = state.encode(found)
        await self.redis.hset(self.decided.key(0, "states"), account_key("acme", account_id).decode(), blob)

    async def worker(self, *providers: Channel, **dispatch: Any) -> Dispatch:
        """A dispatch worker; a later one takes the place of those before it."""
        self.publisher = await self.log.publisher()
        channels: Mapping[Kind, Sequence[Channel]] = {"email": providers or (self.provider,)}
        settings = StreamSettings(sink_deadline_seconds=5.0, dispatch=DispatchSettings(**dispatch))
        asking = Asking(
            decided=self.decided,
            attempts=self.attempts,
            suppressions=self.suppressions,
            providers=Providers(channels, self.clock, settings.dispatch),
            render=plainly,
            tenants=self.tenants,
            gate=RuleGate(),
            clock=self.clock,
            backoff=Backoff(settings.dispatch.retry_first_ms, settings.dispatch.retry_most_ms, random.Random(1)),
            settings=settings,
        )
        return Dispatch(ledger=self.ledger, sending=Sending(asking), publisher=self.publisher, settings=settings)

    async def part(self, *values: ContactRequested | bytes) -> Part:
        """These requests, through the log, to a new owner of the partition."""
        for value in values:
            key = account_key(value.tenant_id, value.account_id) if isinstance(value, ContactRequested) else b"acme|x"
            self.log.add(msgspec.json.encode(value) if isinstance(value, ContactRequested) else value, key)
        return await self.read()

    async def read(self) -> Part:
        """What a new owner of the partition finds."""
        lease = Lease(unit=0, group=self.log.group(), positions={})
        take_over = TakeOver(self.ledger, self.publisher, topics=[self.log.requests], stable_within=10.0, heads=dict)
        take_over.source = SimpleNamespace(consumer=self)  # type: ignore[assignment]
        await take_over([lease])
        return self.turn(lease)

    def turn(self, lease: Lease) -> Part:
        """What the same owner finds next."""
        start, requests = dict(lease.positions), self.log.requests
        messages = [message for message in self.log.messages(requests) if message.offset() >= start[requests]]
        end = {requests: messages[-1].offset() + 1} if messages else start
        lease.positions = end
        return Part(lease=lease, start=start, end=end, messages=messages)

    async def committed(self, partitions: list[TopicPartition], deadline: float) -> list[TopicPartition]:
        """As the source's consumer says it."""
        return await self.log.committed(partitions, deadline)

    async def low_watermarks(self, partitions: list[TopicPartition]) -> dict[tuple[str, int], int]:
        """Likewise."""
        return {(place.topic, place.partition): 0 for place in partitions}

    def told(self, topic: str = "interaction-events") -> list[dict[str, Any]]:
        """What everybody can see on a topic."""
        return [msgspec.json.decode(message.value() or b"") for message in self.log.messages(topic)]

    def dead(self) -> list[dict[str, bytes]]:
        """The headers of the dead letters."""
        return [dict(message.headers() or []) for message in self.log.messages(f"{self.log.requests}.dlq")]

    async def next_offset(self) -> int:
        """The offset at which the next worker would go on."""
        (found,) = await self.log.committed([TopicPartition(self.log.requests, 0)], 10)
        return found.offset

    async def parked(self) -> dict[str, int]:
        """The requests that wait, each with the milliseconds until its next try."""
        found = await self.redis.zrange(self.ledger.key(0, "reviews"), 0, -1, withscores=True)
        states = await self.redis.hkeys(self.ledger.key(0, "states"))
        waits = {key.decode(): int(at) - self.clock.now() for key, at in found}
        assert sorted(waits) == sorted(key.decode() for key in states)
        return waits

    async def close(self) -> None:
        await self.log.close()
        await self.redis.aclose()  # type: ignore[attr-defined]
