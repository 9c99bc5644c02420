"""The lists of contact points that nobody may use, on a real Redis."""

import secrets
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from connectors.redis.client import connect_async
from connectors.redis.settings import RedisSettings
from connectors.redis.suppression import SuppressionList
from models.suppression import Suppression, kinds_for
from recoup.settings import Settings

NUMBER = "+447700900123"


@pytest.fixture
async def listed(settings: Settings) -> AsyncIterator[SuppressionList]:
    own = settings.redis.model_copy(update={"prefix": f"t{secrets.token_hex(4)}"})
    client = connect_async(own)
    yield SuppressionList(client, own)
    await client.aclose()  # type: ignore[attr-defined]


def opted_out(at: int, address: str = NUMBER, tenant: str = "acme") -> Suppression:
    return Suppression(tenant, address, "opt_out:sms", at)


async def test_the_latest_word_holds_in_whatever_order_it_is_told(listed: SuppressionList):
    for at in (5, 9, 7):
        await listed.add([opted_out(at), Suppression("acme", NUMBER, "wrong_party", 1)])
    assert await listed.kinds("acme", NUMBER, kinds_for("sms")) == {"opt_out:sms": 9, "wrong_party": 1}
    assert await listed.kinds("acme", NUMBER, kinds_for("email")) == {"wrong_party": 1}


async def test_it_is_the_tenants_own(listed: SuppressionList):
    await listed.add([opted_out(5)])
    assert await listed.kinds("other", NUMBER, kinds_for("sms")) == {}
    assert await listed.kinds("acme", "+447700900124", kinds_for("sms")) == {}


async def test_spelling_does_not_tell_two_addresses_apart(listed: SuppressionList):
    await listed.add([opted_out(5, "Someone@Customer.example"), opted_out(6, "+44 7700 900123")])
    assert await listed.kinds("acme", "someone@customer.example", kinds_for("sms")) == {"opt_out:sms": 5}
    assert await listed.kinds("acme", NUMBER, kinds_for("sms")) == {"opt_out:sms": 6}


async def test_many_are_told_at_once(listed: SuppressionList):
    numbers = [f"+4477009{number:05d}" for number in range(5_000)]
    await listed.add([opted_out(5, number) for number in numbers])
    assert await listed.client.hlen(listed.prefix + "acme") == 5_000


def test_no_address_stands_in_it_and_a_key_keeps_it_from_being_tried_out():
    fields = [
        SuppressionList(connect_async(settings), settings).field("acme", NUMBER, "wrong_party")
        for settings in (
            RedisSettings(url="redis://127.0.0.1:1/0"),
            RedisSettings(url="redis://127.0.0.1:1/0", suppression_key=SecretStr("one")),
            RedisSettings(url="redis://127.0.0.1:1/0", suppression_key=SecretStr("other")),
        )
    ]
    assert len(set(fields)) == 3
    assert all(NUMBER.strip("+") not in field for field in fields)
