"""What every channel promises, asked of each of them."""

import asyncio
import io
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rich.console

from connectors.channels.channel import Channel, Message
from connectors.channels.console import Console
from connectors.channels.letters import Letters
from connectors.channels.settings import LetterSettings
from connectors.channels.smtp import Smtp
from connectors.channels.twilio import Twilio
from connectors.redis.client import connect_async
from connectors.redis.deliveries import Deliveries
from connectors.redis.settings import RedisSettings
from models.clock import WallClock
from recoup.settings import Settings
from schemas.control import Sender
from schemas.errors import NotSent
from tests.smtp_server import mail_server
from tests.twilio_server import twilio_server

SENDER = Sender(
    name="Acme Energy",
    postal_address=("1 Main Street", "Boston MA 02101"),
    email="billing@acme.com",
    number="+16175550199",
)
SECRET = "nobody-else-may-read-this"


class World(msgspec.Struct):
    """A provider with what is behind it."""

    channel: Channel
    good: Message
    """A contact that it takes."""
    arrived: Callable[[], Awaitable[int]]
    """How many contacts there are behind it."""
    away: Channel
    """The same provider with nothing behind it."""


def message(**more: Any) -> Message:
    fields: dict[str, Any] = {
        "key": "key-1",
        "contact_id": "a1-d1:contact",
        "tenant_id": "acme",
        "account_id": "a1",
        "channel": "email",
        "address": "someone@customer.de",
        "template": "reminder",
        "subject": "Your invoice",
        "text": f"Dear customer,\n\n12.00 GBP are open. {SECRET}",
        "sender": SENDER,
    }
    return Message(**(fields | more))


async def console(settings: Settings, _folder: Path) -> AsyncIterator[World]:
    client = connect_async(settings.redis)
    nowhere = connect_async(RedisSettings(url="redis://127.0.0.1:1/0", timeout_seconds=0.2))
    channel = Console(client, f"test-{secrets.token_hex(4)}", show="nothing")

    async def arrived() -> int:
        return len(await channel.accepted())

    yield World(channel, message(), arrived, Console(nowhere, "test", show="nothing"))
    await client.aclose()  # type: ignore[attr-defined]
    await nowhere.aclose()  # type: ignore[attr-defined]


async def smtp(_settings: Settings, _folder: Path) -> AsyncIterator[World]:
    async with mail_server() as server:

        async def arrived() -> int:
            return len(server.arrived)

        away = server.settings(port=1)
        yield World(Smtp(server.settings(), WallClock()), message(), arrived, Smtp(away, WallClock()))


async def twilio_sms(_settings: Settings, _folder: Path) -> AsyncIterator[World]:
    async for world in twilio(message(channel="sms", address="+16175550100", subject=None)):
        yield world


async def twilio_voicemail(_settings: Settings, _folder: Path) -> AsyncIterator[World]:
    async for world in twilio(message(channel="voicemail", address="+16175550100", subject=None, mode="artificial")):
        yield world


async def twilio(good: Message) -> AsyncIterator[World]:
    async with twilio_server() as server:

        async def arrived() -> int:
            return len(server.made)

        channel, away = (
            Twilio(server.settings(), WallClock()),
            Twilio(server.settings(base_url="http://127.0.0.1:1"), WallClock()),
        )
        yield World(channel, good, arrived, away)
        await channel.close()
        await away.close()


async def letter(_settings: Settings, folder: Path) -> AsyncIterator[World]:
    (folder / "a file").write_text("")

    async def arrived() -> int:
        return len(list(folder.glob("letters/acme/*.json")))  # noqa: ASYNC240 - a test's own folder

    good = message(channel="letter", address="Jane Doe\n1 Elm Street\nBoston MA 02101")
    away = Letters(LetterSettings(store=str(folder / "a file")), folder, WallClock())
    yield World(Letters(LetterSettings(), folder, WallClock()), good, arrived, away)


@pytest.fixture(params=[console, smtp, twilio_sms, twilio_voicemail, letter], ids=lambda provider: provider.__name__)
async def world(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> AsyncIterator[World]:
    async for made in request.param(settings, tmp_path):
        yield made


async def test_a_contact_is_taken_under_an_id_of_the_provider(world: World):
    delivery = await world.channel.send(world.good)
    assert delivery.status == "sent"
    assert delivery.provider_id
    assert len(delivery.provider_id) <= 200
    assert await world.arrived() == 1


async def test_only_who_knows_keys_contacts_nobody_again_and_answers_the_same(world: World):
    first = await world.channel.send(world.good)
    again = await world.channel.send(world.good)
    assert await world.arrived() == (1 if world.channel.idempotent else 2)
    if world.channel.idempotent:
        assert again == first


async def test_another_key_is_another_contact(world: World):
    first = await world.channel.send(world.good)
    other = await world.channel.send(msgspec.structs.replace(world.good, key="key-2", contact_id="a1-d2:contact"))
    assert other.provider_id != first.provider_id
    assert await world.arrived() == 2


async def test_contacts_at_once_do_not_get_mixed_up(world: World):
    several = [msgspec.structs.replace(world.good, key=f"key-{n}", contact_id=f"a{n}:contact") for n in range(8)]
    deliveries = await asyncio.gather(*map(world.channel.send, several))
    assert len({delivery.provider_id for delivery in deliveries}) == await world.arrived() == 8


@pytest.mark.parametrize("address", ["nobody", "+1617", "a b@customer.de", "\n"])
async def test_a_contact_point_that_is_none_fails_as_such_and_reaches_nobody(world: World, address: str):
    delivery = await world.channel.send(msgspec.structs.replace(world.good, address=address))
    assert (delivery.status, delivery.reason) == ("failed", "bad_address")
    assert await world.arrived() == 0


async def test_only_a_channel_that_reaches_nobody_takes_addresses_kept_for_tests(world: World):
    kept = {"email": "c-1@acme.example", "sms": "+9990000000001", "voicemail": "+9990000000001"}.get(world.good.channel)
    if kept is None:  # no postal address is kept for tests: any that is one is taken
        assert (await world.channel.send(world.good)).status == "sent"
        return
    delivery = await world.channel.send(msgspec.structs.replace(world.good, address=kept))
    assert delivery.status == ("sent" if isinstance(world.channel, Console) else "failed")


async def test_a_contact_of_another_kind_is_not_made(world: World):
    wrong = {"email": ("sms", "+16175550100")}.get(world.good.channel, ("email", "someone@customer.de"))
    delivery = await world.channel.send(msgspec.structs.replace(world.good, channel=wrong[0], address=wrong[1]))
    if isinstance(world.channel, Console):  # it takes every kind
        assert delivery.status == "sent"
        return
    assert (delivery.status, delivery.reason) == ("failed", "not_offered")
    assert await world.arrived() == 0


async def test_a_provider_that_is_away_says_that_nothing_was_sent_and_nothing_personal(world: World):
    with pytest.raises(NotSent) as refused:
        await world.away.send(world.good)
    assert refused.value.scope == "provider"
    assert 0 < len(refused.value.code) <= 200
    for said in (str(refused.value), refused.value.code):
        assert SECRET not in said
        assert world.good.address not in said


async def test_a_channel_has_a_name_that_fits_an_event_and_ends_in_its_time(world: World):
    assert 0 < len(world.channel.name) <= 200
    assert world.channel.most_seconds > 0


# -- the console's own promises ------------------------------------------------------------------------------------------


async def test_the_console_shows_what_it_accepted_once_and_newest_first(settings: Settings):
    client = connect_async(settings.redis)
    channel = Console(client, f"test-{secrets.token_hex(4)}", show="nothing")
    for account, key in (("a1", "k1"), ("a2", "k2"), ("a1", "k1")):
        await channel.send(message(account_id=account, key=key))
    accepted = await channel.accepted()
    assert [entry["account_id"] for entry in accepted] == ["a2", "a1"]
    assert accepted[0]["address"] == "someone@customer.de"
    assert accepted[0]["text"].startswith("Dear customer")
    assert 0 < await client.ttl(channel.prefix + "key:k1") <= 30 * 86_400
    await client.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("show", ["line", "message", "nothing"])
async def test_the_console_prints_a_contact_once_and_personal_data_only_when_told_to(settings: Settings, show: Any):
    client = connect_async(settings.redis)
    printed = io.StringIO()
    printer = rich.console.Console(file=printed, width=200)
    channel = Console(client, f"test-{secrets.token_hex(4)}", show=show, printer=printer)
    for _ in range(2):
        await channel.send(message())
    said = printed.getvalue()
    assert (SECRET in said, "someone@customer.de" in said) == (show == "message", show == "message")
    assert said.count("a1-d1:contact") == (0 if show == "nothing" else 1)
    await client.aclose()  # type: ignore[attr-defined]


# -- what a provider that tells later is remembered by --------------------------------------------------------------------


async def test_a_contact_is_written_down_before_it_is_handed_over_and_without_its_address(settings: Settings):
    client = connect_async(settings.redis)
    prefix = f"test-{secrets.token_hex(4)}"
    deliveries = Deliveries(client, prefix, "twilio")
    async with twilio_server() as server:
        channel = Twilio(server.settings(callback_url="https://acme.com/twilio"), WallClock(), deliveries)
        server.fault = "drop"
        sms = message(channel="sms", address="+16175550100", subject=None)
        assert (await channel.send(sms)).status == "unknown"
        await channel.close()
    contacted = await deliveries.contacted("a1-d1:contact")
    assert contacted is not None
    assert (contacted.tenant_id, contacted.account_id, contacted.channel) == ("acme", "a1", "sms")
    assert await deliveries.reached_at("+16175550100") == [contacted]
    assert await deliveries.reached_at("+16175550111") == []
    keys = sorted(await client.keys(f"{prefix}:*"))
    assert len(keys) == 2
    assert not any(b"6175550100" in key for key in keys)
    of_contact, of_number = [await client.ttl(key) for key in keys]
    assert 0 < of_contact <= 30 * 86_400
    assert 4 * 365 * 86_400 < of_number <= 5 * 365 * 86_400  # a STOP counts whenever it comes
    assert not await deliveries.is_told("SM1:delivered")
    await deliveries.tell("SM1:delivered")
    assert await deliveries.is_told("SM1:delivered")
    await client.aclose()  # type: ignore[attr-defined]


async def test_a_contact_that_cannot_be_written_down_is_not_handed_over():
    client = connect_async(RedisSettings(url="redis://127.0.0.1:1/0", timeout_seconds=0.2))
    async with twilio_server() as server:
        channel = Twilio(server.settings(), WallClock(), Deliveries(client, "test", "twilio"))
        with pytest.raises(NotSent) as refused:
            await channel.send(message(channel="sms", address="+16175550100", subject=None))
        assert refused.value.code.startswith("redis:")
        assert server.requests == 0
        await channel.close()
    await client.aclose()  # type: ignore[attr-defined]
