"""What every channel promises, asked of each of them."""

import secrets
from collections.abc import AsyncIterator

import pytest

from connectors.channels.channel import Channel
from connectors.channels.sandbox import Sandbox
from connectors.redis.client import connect_async
from connectors.redis.settings import RedisSettings
from recoup.settings import Settings
from schemas.errors import NotReady
from tests.contact_world import ADDRESS, requested


@pytest.fixture(params=[Sandbox])
async def channel(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Channel]:
    client = connect_async(settings.redis)
    yield request.param(client, f"test-{secrets.token_hex(4)}")
    await client.aclose()  # type: ignore[attr-defined]


async def test_a_contact_is_taken_under_an_id_of_the_provider(channel: Channel):
    delivery = await channel.send(requested("a1"), "key-1")
    assert delivery.status == "sent"
    assert delivery.provider_id


async def test_the_same_key_contacts_nobody_again_and_answers_the_same(channel: Channel):
    first = await channel.send(requested("a1"), "key-1")
    again = await channel.send(requested("a1"), "key-1")
    assert again == first


async def test_another_key_is_another_contact(channel: Channel):
    first = await channel.send(requested("a1"), "key-1")
    other = await channel.send(requested("a2"), "key-2")
    assert other.provider_id != first.provider_id


async def test_a_channel_has_a_name_that_fits_an_event(channel: Channel):
    assert 0 < len(channel.name) <= 200


# -- the sandbox's own promises ------------------------------------------------------------------------------------------


async def test_the_sandbox_shows_what_it_accepted_once_and_newest_first(settings: Settings):
    client = connect_async(settings.redis)
    sandbox = Sandbox(client, f"test-{secrets.token_hex(4)}")
    for account, key in (("a1", "k1"), ("a2", "k2"), ("a1", "k1")):
        await sandbox.send(requested(account), key)
    accepted = await sandbox.accepted()
    assert [entry["account_id"] for entry in accepted] == ["a2", "a1"]
    assert accepted[0]["address"] == ADDRESS
    assert accepted[0]["variables"] == '{"amount":"12.00 GBP"}'
    assert 0 < await client.ttl(sandbox.prefix + "key:k1") <= 30 * 86_400
    await client.aclose()  # type: ignore[attr-defined]


async def test_a_sandbox_without_its_redis_says_that_nothing_was_sent():
    client = connect_async(RedisSettings(url="redis://127.0.0.1:1/0", timeout_seconds=0.2))
    with pytest.raises(NotReady):
        await Sandbox(client, "test").send(requested("a1"), "key-1")
    await client.aclose()  # type: ignore[attr-defined]
