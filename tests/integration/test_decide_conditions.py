"""Caps hold for all workers together, and a feed is as fresh as the worker that saw it last knows."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.redis.caps import Cap, Caps
from connectors.redis.client import connect_async
from connectors.redis.feeds import Feeds
from models.actions.choice import Conditions
from models.calendar import HOUR, SECOND, instant
from recoup.settings import Settings
from schemas.strategies import ActionSpec, ActionStrategy, Effect
from streams.decide.conditions import Surroundings
from streams.decide.intake import Intake
from streams.lease import Part
from tests.unit.models.events import day, tenant

NOW = instant(day(1)) + 15 * HOUR
MAIL = ActionSpec(id="mail", action="contact", channel="email", template="a", effect=Effect(log_odds=1, sd=0))
PARTITIONS = 8


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Any]:
    client: Any = connect_async(settings.redis)
    yield client
    await client.aclose()


def worker(redis: Any, prefix: str, **fields: Any) -> Surroundings:
    strategy = ActionStrategy(name="test", actions=(MAIL,), **fields)
    known = {"acme": tenant()}
    return Surroundings(Feeds(redis, prefix), Caps(redis, prefix), known, lambda: {"*": strategy}, PARTITIONS)


def batch(*parts: Any, fed: bool = False) -> list[Intake]:
    """So many parts with one account each."""
    return [
        Intake(part=part, accounts={b"acme|a": []}, refused=[], fed=frozenset({"acme"} if fed else ()))
        for part in parts
    ]


PART: Any = Part(lease=None, start={}, end={}, messages=[])  # type: ignore[arg-type]  # nobody looks into it
EMAIL = ("acme", "email")


async def test_workers_together_never_use_more_than_the_cap(redis: Any) -> None:
    prefix = uuid.uuid4().hex
    one, other = (worker(redis, prefix, caps={"email": 10}) for _ in range(2))
    mine = await one.before(batch(*[PART] * 4), [], NOW)
    theirs = await other.before(batch(*[PART] * 4), [], NOW)
    assert (mine.caps[EMAIL], theirs.caps[EMAIL]) == (5, 3)
    await one.after({EMAIL: 2})  # three were used
    await other.after({EMAIL: 0})  # all three were used
    left = await one.before(batch(*[PART] * PARTITIONS), [], NOW)
    assert left.caps[EMAIL] == 4
    await one.after({EMAIL: 0})
    assert (await other.before(batch(PART), [], NOW)).caps[EMAIL] == 0
    assert (await other.before(batch(PART), [], NOW + 24 * HOUR)).caps[EMAIL] > 0


async def test_a_cap_of_one_is_for_whoever_comes_first(redis: Any) -> None:
    prefix = uuid.uuid4().hex
    one, other = (worker(redis, prefix, caps={"email": 1}) for _ in range(2))
    assert (await one.before(batch(PART), [], NOW)).caps == {EMAIL: 1}
    assert (await other.before(batch(PART), [], NOW)).caps == {EMAIL: 0}


async def test_what_a_dead_worker_set_aside_is_gone_for_the_day(redis: Any) -> None:
    caps = Caps(redis, uuid.uuid4().hex)
    cap = Cap("acme", "email", 20_000, 4)
    assert await caps.set_aside([cap], 0.5) == {cap: 2}
    assert await caps.set_aside([cap], 1.0) == {cap: 2}
    assert 0 < await redis.ttl(caps.key(cap)) <= 3 * 86_400


async def test_what_is_given_back_to_a_counter_that_redis_lost_raises_no_cap(redis: Any) -> None:
    caps = Caps(redis, uuid.uuid4().hex)
    cap = Cap("acme", "email", 20_000, 4)
    assert await caps.set_aside([cap], 1.0) == {cap: 4}
    await redis.delete(caps.key(cap))
    await caps.give_back({cap: 4})
    assert not await redis.exists(caps.key(cap))
    assert await caps.set_aside([cap], 0.5) == {cap: 2}
    await caps.give_back({cap: 4})  # some of it belongs to the counter that was lost
    assert await caps.set_aside([cap], 1.0) == {cap: 4}
    assert 0 < await redis.ttl(caps.key(cap)) <= 3 * 86_400


async def test_a_feed_is_as_fresh_as_any_worker_has_seen(redis: Any) -> None:
    prefix = uuid.uuid4().hex
    one, other = (worker(redis, prefix, freshness_hours=1) for _ in range(2))
    assert (await other.before(batch(PART), [], NOW - SECOND)).feeds == {}
    assert (await one.before(batch(PART, fed=True), [], NOW)).feeds == {"acme": NOW}
    assert (await other.before(batch(PART), [], NOW + SECOND)).feeds == {}  # asked a moment ago
    assert (await other.before(batch(PART), [], NOW + 6 * SECOND)).feeds == {"acme": NOW}
    feeds = Feeds(redis, prefix)
    assert await feeds.see({"acme": NOW - 1}) == {"acme": NOW}  # an older one changes nothing


async def test_a_strategy_that_asks_for_neither_costs_nothing(redis: Any) -> None:
    assert await worker(redis, uuid.uuid4().hex).before(batch(PART, fed=True), [], NOW) == Conditions()
