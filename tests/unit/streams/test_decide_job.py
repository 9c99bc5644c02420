"""While a batch is on its way the next is stepped on its states, and is written only when the first is out."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from connectors.redis.ledger import Entry, Progress
from models.account import state as account_state
from models.clock import SetClock
from models.suppression import Suppression
from schemas.control import Tenant
from schemas.errors import NotReady
from schemas.interactions import OptOutReceived
from schemas.payments import AccountBalanceAsserted
from schemas.registry import SOURCE_TOPICS
from streams import metrics
from streams.decide.job import Decide
from streams.lease import Lease, Part
from streams.settings import StreamSettings
from tests.unit.models.events import MONDAY, envelope, issued, tenant

encode = msgspec.json.Encoder().encode
KEY = b"acme|a1"


class Messages:
    """One message at a time, as a part of partition 0."""

    def __init__(self, epoch: int = 1, batch: int = 0) -> None:
        start = dict.fromkeys(SOURCE_TOPICS, 0)
        claim = Progress(epoch=epoch, batch=batch, offsets={}, next_review=float("inf"), handled=start)
        self.lease = Lease(unit=0, group="group", positions=start, claim=claim)

    def part(self, event: Any, topic: str = "payment-events") -> Part:
        start = self.lease.positions
        self.lease.positions = end = start | {topic: start[topic] + 1}
        message = Message(encode(event), start[topic], topic)
        return Part(lease=self.lease, start=start, end=end, messages=[message])


class Message:
    def __init__(self, value: bytes, offset: int, topic: str) -> None:
        self._value = value
        self._offset = offset
        self._topic = topic

    def __len__(self) -> int:
        return len(self._value)

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return KEY

    def value(self) -> bytes:
        return self._value

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return 1, 0


class Remembered:
    """A ledger and a publisher in one that write down what happens in which order."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.blobs: dict[bytes, bytes] = {}
        self.reviews: dict[str, int | None] = {}
        self.fenced = False
        self.may_write = asyncio.Event()
        self.may_publish = asyncio.Event()
        self.may_write.set()
        self.may_publish.set()
        self.second_read = asyncio.Event()
        self.failure: Exception | None = None

    async def read(self, wanted: Iterable[tuple[int, Sequence[bytes]]]) -> list[list[bytes | None]]:
        if "read" in self.happened:
            self.second_read.set()
        self.happened.append("read")
        return [[self.blobs.get(key) for key in keys] for _, keys in wanted]

    async def due(self, partition: int, now: int, most: int) -> list[tuple[str, int]]:
        return [(account, at) for account, at in self.reviews.items() if at is not None and at <= now]

    async def write(self, entries: Sequence[Entry]) -> list[Entry]:
        await self.may_write.wait()
        for entry in entries:
            self.happened.append("refused" if self.fenced else f"wrote {entry.progress.batch + 1}")
            if not self.fenced:
                entry.progress.batch += 1
                self.blobs |= {account.encode(): blob for account, blob in entry.states.items()}
                self.reviews |= dict(entry.reviews)
                agreed = [at for at in self.reviews.values() if at is not None]
                entry.progress.next_review = min(agreed, default=float("inf"))
        return [] if self.fenced else list(entries)

    async def add(self, suppressions: Sequence[Suppression]) -> None:
        self.happened += [f"{told.kind} {told.address}" for told in suppressions]

    async def publish(self, records: Any, offsets: Any, group: Any) -> None:
        await self.may_publish.wait()
        if self.failure is not None:
            raise self.failure
        self.happened.append("published")

    def invoices(self) -> set[str]:
        return set(account_state.decode(self.blobs[KEY]).facts.payments.invoices)


def job(remembered: Any, tenants: Any) -> Decide:
    clock = SetClock(int(MONDAY.timestamp() * 1000))
    return Decide(
        ledger=remembered,
        publisher=remembered,
        tenants=tenants,
        clock=clock,
        settings=StreamSettings(),
        suppressions=remembered,
    )


@pytest.fixture
def tenants() -> dict[str, Tenant]:
    return {"acme": tenant()}


async def test_a_batch_is_stepped_on_states_that_are_still_being_written(tenants):
    remembered, messages = Remembered(), Messages()
    decide = job(remembered, tenants)
    remembered.may_write.clear()
    await decide.settle([messages.part(issued("i1"))])
    second = asyncio.ensure_future(decide.settle([messages.part(issued("i2"))]))
    await asyncio.wait_for(remembered.second_read.wait(), 5)
    assert "wrote 1" not in remembered.happened
    remembered.may_write.set()
    last = await second
    assert last is not None
    await last
    assert remembered.invoices() == {"i1", "i2"}
    assert remembered.happened == ["read", "read", "wrote 1", "published", "wrote 2", "published"]


async def test_a_batch_is_not_written_before_the_one_before_it_is_out(tenants):
    remembered, messages = Remembered(), Messages()
    decide = job(remembered, tenants)
    remembered.may_publish.clear()
    await decide.settle([messages.part(issued("i1"))])
    second = asyncio.ensure_future(decide.settle([messages.part(issued("i2"))]))
    await asyncio.wait_for(remembered.second_read.wait(), 5)
    done, _ = await asyncio.wait({second}, timeout=0.1)
    assert not done
    assert "wrote 2" not in remembered.happened
    remembered.may_publish.set()
    last = await second
    assert last is not None
    await last
    assert remembered.happened[-2:] == ["wrote 2", "published"]


async def test_a_balance_that_is_asserted_otherwise_is_counted(tenants):
    remembered, messages = Remembered(), Messages()
    decide = job(remembered, tenants)
    before = metrics.BALANCE_MISMATCHES._value.get()
    asserted = [AccountBalanceAsserted(**envelope(0), amount_minor=cents, currency="USD") for cents in (100, 99)]
    for event in (issued("i1", 100), *asserted):
        last = await decide.settle([messages.part(event)])
        assert last is not None
        await last
    assert metrics.BALANCE_MISMATCHES._value.get() == before + 1


async def test_a_contact_point_is_listed_before_the_state_that_knows_why_is_written(tenants):
    remembered, messages = Remembered(), Messages()
    decide = job(remembered, tenants)
    opted_out = OptOutReceived(**envelope(0), channel="sms", address="+16175550100")
    for part in (messages.part(opted_out, "interaction-events"), messages.part(issued("i1"))):
        last = await decide.settle([part])
        assert last is not None
        await last
    told = [what for what in remembered.happened if what not in ("read", "published")]
    assert told == ["opt_out:sms +16175550100", "wrote 1", "wrote 2"]


async def test_nothing_follows_a_batch_that_was_refused(tenants):
    """The next batch was stepped on states that nobody will ever see."""
    remembered, messages = Remembered(), Messages()
    decide = job(remembered, tenants)
    remembered.fenced = True
    remembered.may_write.clear()
    await decide.settle([messages.part(issued("i1"))])
    second = asyncio.ensure_future(decide.settle([messages.part(issued("i2"))]))
    await asyncio.wait_for(remembered.second_read.wait(), 5)
    remembered.may_write.set()
    last = await second
    assert last is not None
    await last
    assert not messages.lease.held
    assert remembered.happened == ["read", "read", "refused"]


async def test_nothing_follows_a_batch_whose_lease_was_lost_before_it_was_out(tenants):
    """Redis would be two batches ahead of Kafka, which no take-over can mend."""
    remembered, messages = Remembered(), Messages()
    decide = job(remembered, tenants)
    remembered.may_write.clear()
    await decide.settle([messages.part(issued("i1"))])
    second = asyncio.ensure_future(decide.settle([messages.part(issued("i2"))]))
    await asyncio.wait_for(remembered.second_read.wait(), 5)
    messages.lease.held = False
    remembered.may_write.set()
    last = await second
    assert last is not None
    await last
    assert "wrote 2" not in remembered.happened
    assert "published" not in remembered.happened


async def test_what_fails_in_the_background_fails_the_next_batch(tenants):
    remembered, messages = Remembered(), Messages()
    decide = job(remembered, tenants)
    remembered.failure = NotReady("the broker is away")
    first = await decide.settle([messages.part(issued("i1"))])
    with pytest.raises(NotReady):
        await decide.settle([messages.part(issued("i2"))])
    assert first is not None
    assert isinstance(first.exception(), NotReady)
    assert "wrote 2" not in remembered.happened


async def test_a_partition_that_comes_back_is_stepped_on_what_others_have_written_meanwhile(tenants):
    remembered, ours, theirs = Remembered(), Messages(), Messages(epoch=2, batch=1)
    decide = job(remembered, tenants)
    last = await decide.settle([ours.part(issued("i1"))])
    assert last is not None
    await last
    last = await job(remembered, tenants).settle([theirs.part(issued("i2"))])
    assert last is not None
    await last
    last = await decide.settle([Messages(epoch=3, batch=2).part(issued("i3"))])
    assert last is not None
    await last
    assert remembered.invoices() == {"i1", "i2", "i3"}


async def test_a_review_comes_due_though_nothing_has_followed_the_batch_that_set_it(tenants):
    remembered, messages = Remembered(), Messages()
    decide = job(remembered, tenants)
    last = await decide.settle([messages.part(issued("i1"))])
    assert last is not None
    await last
    review_at = remembered.reviews[KEY.decode()]
    assert review_at is not None
    decide.clock = SetClock(review_at + 1)
    here = messages.lease.positions
    last = await decide.settle([Part(lease=messages.lease, start=here, end=here, messages=[])])
    assert last is not None
    await last
    assert remembered.happened[-2:] == ["wrote 2", "published"]
