"""The chain of people's acts loses none of them and repeats none, whoever is slow, away or killed in between."""

import secrets
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis

from connectors.redis.chain import CHAIN, ControlChain
from connectors.redis.client import connect, connect_async
from connectors.redis.ledger import Entry, Ledger, Progress
from models.audit import START, Act, Head, Verifier, link
from recoup.settings import Settings
from schemas.errors import NotReady

NOON = 1_773_144_000_000


def act(number: int) -> Act:
    return Act(action="pause", actor="ada", subject=f"act {number}", at=NOON + number)


class Log:
    """What Kafka has taken; a call of `before` comes between the sending of a link and what is done after it."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.before: Any = None

    def take(self, _key: bytes, message: bytes) -> None:
        self.messages.append(message)
        if self.before is not None:
            before, self.before = self.before, None
            before()

    def told(self) -> list[str]:
        return [msgspec.json.decode(message)["subject"] for message in self.messages]

    def verified(self, head: Head) -> Verifier:
        verifier = Verifier()
        for offset, message in enumerate(self.messages):
            verifier.read(message, f"audit-logs[0]@{offset}")
        verifier.expect(CHAIN, head)
        verifier.bound({CHAIN: head})
        return verifier


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis[Any]"]:
    client = connect(settings.redis)
    yield client
    client.close()


@pytest.fixture
def chain(client: "redis.Redis[Any]") -> ControlChain:
    return ControlChain(client, f"t{secrets.token_hex(4)}")


def nowhere() -> Head:
    return START


def test_acts_are_published_in_their_order_and_once(chain: ControlChain):
    log = Log()
    for number in range(3):
        chain.add(act(number))
    assert chain.publish(log.take, nowhere) == 3
    assert chain.publish(log.take, nowhere) == 0
    assert log.told() == ["act 0", "act 1", "act 2"]
    assert log.verified(chain.head()).faults == []


def test_an_act_that_kafka_does_not_take_waits_and_goes_first(chain: ControlChain):
    def refuse(_key: bytes, _message: bytes) -> None:
        raise NotReady("away")

    log = Log()
    chain.add(act(0))
    with pytest.raises(NotReady):
        chain.publish(refuse, nowhere)
    chain.add(act(1))
    chain.publish(log.take, nowhere)
    assert log.told() == ["act 0", "act 1"]
    assert log.verified(chain.head()).faults == []


def test_one_that_was_killed_after_kafka_took_its_link_sends_the_same_bytes_again(chain: ControlChain):
    def die() -> None:
        raise KeyboardInterrupt

    log = Log()
    log.before = die
    chain.add(act(0))
    with pytest.raises(KeyboardInterrupt):
        chain.publish(log.take, nowhere)
    assert (chain.head(), chain.furthest().sequence) == (START, 1), "Kafka may have it, and nobody knows"
    chain.publish(log.take, nowhere)
    verifier = log.verified(chain.head())
    assert (verifier.faults, verifier.chains[CHAIN].repeated) == ([], 1)


def test_one_that_slept_longer_than_its_lock_takes_no_act_of_others_off(
    client: "redis.Redis[Any]", chain: ControlChain
):
    log = Log()
    other = ControlChain(client, chain.name.partition(":")[0])

    def sleep_while_another_publishes_and_dies() -> None:
        client.delete(chain.name + "lock")  # it has run out
        other.publish(log.take, nowhere)  # sends the same link again, and knows it to be in Kafka
        other.add(act(1))

    log.before = sleep_while_another_publishes_and_dies
    chain.add(act(0))
    with pytest.raises(NotReady, match="What was done is kept"):
        chain.publish(log.take, nowhere)
    assert chain.waiting() == 1
    chain.publish(log.take, nowhere)
    assert log.told() == ["act 0", "act 0", "act 1"]
    assert log.verified(chain.head()).faults == []


def test_a_redis_that_was_lost_takes_the_chain_up_where_the_log_ends_it(
    client: "redis.Redis[Any]", chain: ControlChain
):
    log = Log()
    chain.add(act(0))
    chain.publish(log.take, nowhere)
    head = chain.head()
    after = ControlChain(client, f"t{secrets.token_hex(4)}")
    after.add(act(1))
    after.publish(log.take, lambda: head)
    assert log.verified(after.head()).faults == []
    assert after.head().sequence == 2


@pytest.mark.parametrize(("committed", "goes_on_after"), [(1, 1), (2, 2)], ids=["unpublished", "published"])
async def test_a_rebuild_goes_on_after_the_last_link_that_was_published(settings: Settings, committed, goes_on_after):
    client = connect_async(settings.redis)
    ledger = Ledger(client, f"t{secrets.token_hex(4)}", "decide")
    progress = await ledger.claim(0, 0)
    heads = [START]
    for number in (1, 2):
        message, head = link(progress.audit, "decide-0", act(number))
        progress.audit = head
        heads.append(head)
        outbox = [("audit-logs", b"*|", message, None)]
        await ledger.write(
            [Entry(partition=0, progress=progress, offsets={"t": number}, outbox=outbox, audit=progress.audit)]
        )
    old = Progress(epoch=1, batch=committed, offsets={}, next_review=float("inf"))
    cut_off = heads[committed - 1]  # the log has lost its last link: that Redis has another one must stay to be seen
    await ledger.replace(Entry(partition=0, progress=old, offsets={"t": committed}, outbox=[], audit=cut_off))
    assert (await ledger.claim(0, 0)).audit == heads[goes_on_after]
    await client.aclose()  # type: ignore[attr-defined]


async def test_an_emptied_redis_is_told_once_where_a_chain_goes_on(settings: Settings):
    client = connect_async(settings.redis)
    ledger = Ledger(client, f"t{secrets.token_hex(4)}", "decide")
    before, newer = await ledger.claim(0, 0), await ledger.claim(0, 0)
    assert not before.audit_known
    assert not newer.audit_known
    await ledger.follow(0, newer, Head(7, "g"))
    await ledger.follow(0, before, Head(3, "c"))  # whose claim is over
    after = await ledger.claim(0, 0)
    assert (after.audit, after.audit_known) == (Head(7, "g"), True)
    await client.aclose()  # type: ignore[attr-defined]
