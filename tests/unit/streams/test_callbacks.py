"""The pages that providers call, as they are called over HTTP: what is true is published once, the rest is recorded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlencode

import faust
import httpx
import msgspec
import pytest
from redis.exceptions import ConnectionError as RedisAway

from connectors.channels.callbacks import signature
from connectors.channels.settings import TwilioSettings
from connectors.redis.deliveries import Contacted
from schemas.control import Sender
from schemas.errors import NotReady
from streams.dispatch.callbacks import UNSIGNED_A_MINUTE, Called, Desk, serve_callbacks
from tests.contact_world import NOON, TENANT
from tests.twilio_server import SID, TOKEN

PUBLIC = "https://acme.com/hooks"
NUMBER, OURS = "+16175550100", "+16175550199"
DELIVERED = {"AccountSid": SID, "MessageSid": "SM1", "MessageStatus": "delivered", "To": NUMBER}
WRITTEN = {"AccountSid": SID, "MessageSid": "SM2", "From": NUMBER, "To": OURS, "Body": "I pay on Friday"}


class Noon:
    def now(self) -> int:
        return NOON


class Book:
    """What was handed over and told, in memory."""

    def __init__(self) -> None:
        self.told: set[str] = set()
        self.away = False
        self.contact = Contacted("acme", "a1", "a1-d1:contact", "sms", NOON)

    async def contacted(self, contact_id: str) -> Contacted | None:
        return self.contact if contact_id == self.contact.contact_id else None

    async def reached_at(self, address: str) -> list[Contacted]:
        return [self.contact] if address == NUMBER else []

    async def is_told(self, telling: str) -> bool:
        if self.away:
            raise RedisAway
        return telling in self.told

    async def tell(self, telling: str) -> None:
        self.told.add(telling)


class World:
    def __init__(self) -> None:
        self.book = Book()
        self.published: list[tuple[str, bytes | None, bytes | None, Any]] = []
        self.kafka_away = False
        settings = TwilioSettings(account_sid=SID, auth_token=TOKEN, callback_url=PUBLIC)
        tenant = msgspec.structs.replace(TENANT, sender=Sender(number=OURS))
        book: Any = self.book
        self.desk = Desk(
            settings=settings, deliveries=book, tenants={"acme": tenant}, publish=self.publish, clock=Noon()
        )

    async def publish(self, records: Sequence[Any]) -> None:
        if self.kafka_away:
            raise NotReady("away")
        self.published += records

    async def call(self, path: str, query: str, fields: dict[str, str], token: str = TOKEN) -> int:
        body = urlencode(fields).encode()
        url = f"{PUBLIC}{path}" + (f"?{query}" if query else "")
        headers = {"X-Twilio-Signature": signature(url, list(fields.items()), token)}
        called = Called(headers, {"contact": "a1-d1:contact"} if "a1-d1" in query else {}, query, body)
        return await (self.desk.status if path == "/status" else self.desk.answer)(called)

    async def status(self, fields: dict[str, str], **more: Any) -> int:
        return await self.call("/status", "contact=a1-d1%3Acontact", fields, **more)

    def events(self) -> list[dict[str, Any]]:
        return [
            msgspec.json.decode(value)
            for topic, _, value, _ in self.published
            if topic == "interaction-events" and value
        ]

    def dead_letters(self) -> list[tuple[bytes | None, dict[str, str]]]:
        return [
            (value, {name: said.decode() for name, said in headers})
            for topic, _, value, headers in self.published
            if topic == "interaction-events.dlq"
        ]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_true_status_becomes_an_event_of_its_account(world: World):
    assert await world.status(DELIVERED) == 200
    ((topic, key, _, headers),) = world.published
    assert (topic, key, headers) == ("interaction-events", b"acme|a1", None)
    (event,) = world.events()
    assert (event["type"], event["contact_id"]) == ("contact.delivered", "a1-d1:contact")


async def test_a_text_becomes_a_reply(world: World):
    assert await world.call("/answer", "", WRITTEN) == 200
    assert [(event["type"], event["text"]) for event in world.events()] == [("reply.received", "I pay on Friday")]


async def test_a_callback_that_was_told_before_is_refused_and_recorded(world: World):
    assert await world.status(DELIVERED) == 200
    assert await world.status(DELIVERED) == 403
    assert len(world.events()) == 1
    ((value, headers),) = world.dead_letters()
    assert (value, headers["reason"]) == (b"", "replayed_callback")


async def test_what_a_customer_wrote_is_not_kept_again_when_it_is_told_again(world: World):
    assert await world.call("/answer", "", WRITTEN) == 200
    assert await world.call("/answer", "", WRITTEN) == 403
    ((value, headers),) = world.dead_letters()
    assert NUMBER not in str((value, headers))
    assert "Friday" not in str((value, headers))


async def test_what_was_not_signed_by_our_account_is_refused_and_nothing_of_it_is_kept(world: World):
    assert await world.status(DELIVERED, token="another") == 403
    assert await world.call("/status", "contact=a2-d1", DELIVERED, token="another") == 403
    assert world.events() == []
    for value, headers in world.dead_letters():
        assert value == b""
        assert headers["reason"] == "wrong_signature"


async def test_a_signature_for_one_contact_is_none_for_another(world: World):
    body = urlencode(DELIVERED).encode()
    signed = signature(f"{PUBLIC}/status?contact=a2", list(DELIVERED.items()), TOKEN)
    called = Called({"X-Twilio-Signature": signed}, {"contact": "a1-d1:contact"}, "contact=a1-d1%3Acontact", body)
    assert await world.desk.status(called) == 403


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        (DELIVERED | {"MessageStatus": "eaten"}, 400, "unreadable_callback"),
        ({"AccountSid": SID, "MessageStatus": "delivered"}, 400, "unreadable_callback"),
        (DELIVERED | {"AccountSid": "AC9"}, 400, "unreadable_callback"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_kept_for_who_mends_it(
    world: World, fields: dict[str, str], status: int, reason: str
):
    assert await world.status(fields) == status
    ((value, headers),) = world.dead_letters()
    assert value == urlencode(fields).encode()
    assert headers["reason"] == reason
    assert NUMBER not in str(headers)
    assert await world.status(DELIVERED) == 200


async def test_a_callback_about_nobody_we_know_is_refused(world: World):
    assert await world.call("/status", "contact=a9", DELIVERED) == 404
    assert await world.call("/answer", "", WRITTEN | {"From": "+16175550111"}) == 404
    assert [headers["reason"] for _, headers in world.dead_letters()] == ["unknown_contact", "unknown_contact"]


async def test_a_stop_of_nobody_we_know_is_told_from_other_answers_without_its_number(world: World):
    stranger = WRITTEN | {"From": "+16175550111", "Body": "STOP", "OptOutType": "STOP"}
    assert await world.call("/answer", "", stranger) == 404
    ((_, headers),) = world.dead_letters()
    assert "a STOP" in str(headers)
    assert "6175550111" not in str(headers)


async def test_a_stop_ends_texts_however_long_ago_the_number_was_contacted(world: World):
    four_years = 4 * 365 * 86_400_000
    world.book.contact = msgspec.structs.replace(world.book.contact, at=NOON - four_years)
    assert await world.call("/answer", "", WRITTEN | {"Body": "STOP", "OptOutType": "STOP"}) == 200
    assert [event["type"] for event in world.events()] == ["opt_out.received"]


async def test_a_callback_that_could_not_be_published_may_come_again(world: World):
    world.kafka_away = True
    assert await world.status(DELIVERED) == 503
    world.kafka_away, world.book.away = False, True
    assert await world.status(DELIVERED) == 503
    world.book.away = False
    assert await world.status(DELIVERED) == 200
    assert len(world.events()) == 1


async def test_a_flood_of_forged_callbacks_is_counted_and_not_kept(world: World):
    for _ in range(UNSIGNED_A_MINUTE + 5):
        assert await world.status(DELIVERED, token="another") == 403
    assert len(world.dead_letters()) == UNSIGNED_A_MINUTE


# -- over HTTP ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def served(world: World, unused_port: int, tmp_path) -> AsyncIterator[httpx.AsyncClient]:
    """A worker's web server with the pages on it."""
    app = faust.App(
        "callbacks-test",
        broker="kafka://127.0.0.1:1",
        web_bind="127.0.0.1",
        web_host="127.0.0.1",
        web_port=unused_port,
        datadir=str(tmp_path),
    )
    serve_callbacks(app, world.desk)
    web: Any = app.web
    await web.start_server()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_port}", trust_env=False) as client:
        yield client
    await web.stop_server()


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_the_pages_take_what_twilio_posts(world: World, served: httpx.AsyncClient):
    url = f"{PUBLIC}/status?contact=a1-d1%3Acontact"
    headers = {"X-Twilio-Signature": signature(url, list(DELIVERED.items()), TOKEN)}
    page = "/twilio/status?contact=a1-d1%3Acontact"
    assert (await served.post(page, data=DELIVERED, headers=headers)).status_code == 200
    assert (await served.post(page, data=DELIVERED, headers=headers)).status_code == 403
    assert (await served.post(page, data=DELIVERED)).status_code == 403
    answered = {"X-Twilio-Signature": signature(f"{PUBLIC}/answer", list(WRITTEN.items()), TOKEN)}
    response = await served.post("/twilio/answer", data=WRITTEN, headers=answered)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/xml")
    assert response.text.endswith("<Response></Response>")
    assert [event["type"] for event in world.events()] == ["contact.delivered", "reply.received"]
