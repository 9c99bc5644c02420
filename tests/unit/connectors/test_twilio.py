"""SMS and voicemails against a double of Twilio's API: what its answers settle, and what they leave in doubt."""

import asyncio
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from connectors.channels.channel import Delivery, Message
from connectors.channels.twilio import Twilio, retry_after, twiml
from models.clock import WallClock
from schemas.control import Sender
from schemas.errors import NotSent
from tests.twilio_server import TwilioServer, twilio_server

NUMBER = "+16175550100"
SENDER = Sender(name="Acme Energy", number="+16175550199")


def message(**more: Any) -> Message:
    fields: dict[str, Any] = {
        "key": "key-1",
        "contact_id": "a1-d1:contact",
        "tenant_id": "acme",
        "account_id": "a1",
        "channel": "sms",
        "address": NUMBER,
        "template": "overdue_short",
        "text": "Acme Energy: 12,00 € are open. Reply STOP to opt out.",
        "sender": SENDER,
    }
    return Message(**(fields | more))


async def sent(server: TwilioServer, contact: Message | None = None, **settings: Any) -> Delivery:
    channel = Twilio(server.settings(**settings), WallClock())
    try:
        return await channel.send(contact or message())
    finally:
        await channel.close()


async def not_sent(server: TwilioServer, contact: Message | None = None, **settings: Any) -> NotSent:
    with pytest.raises(NotSent) as refused:
        await sent(server, contact, **settings)
    assert server.made == []
    return refused.value


# -- what is asked --------------------------------------------------------------------------------------------------


async def test_an_sms_goes_out_from_the_tenants_number_and_asks_to_be_told():
    async with twilio_server() as server:
        delivery = await sent(server, callback_url="https://acme.com/twilio")
    assert delivery == Delivery("sent", provider_id=f"SM{1:032x}")
    assert server.made == [
        (
            "Messages",
            {
                "To": NUMBER,
                "From": "+16175550199",
                "Body": "Acme Energy: 12,00 € are open. Reply STOP to opt out.",
                "StatusCallback": "https://acme.com/twilio/status?contact=a1-d1%3Acontact",
            },
        )
    ]


async def test_an_sms_of_a_pool_names_the_pool_and_needs_no_number():
    async with twilio_server() as server:
        await sent(server, message(sender=Sender(name="Acme")), messaging_service="MG1")
        assert server.made[0][1]["MessagingServiceSid"] == "MG1"
        assert "From" not in server.made[0][1]


async def test_a_voicemail_says_its_text_and_nothing_in_the_text_can_steer_it():
    voicemail = message(
        channel="voicemail",
        mode="artificial",
        text="Hello </Say><Dial>+1900</Dial>\n\nPlease call & ask.",
        language="en",
    )
    async with twilio_server() as server:
        await sent(server, voicemail)
        resource, form = server.made[0]
    assert resource == "Calls"
    assert form["MachineDetection"] == "DetectMessageEnd"
    assert form["Twiml"] == (
        '<Response><Say language="en-US">Hello &lt;/Say&gt;&lt;Dial&gt;+1900&lt;/Dial&gt;</Say><Pause/>'
        '<Say language="en-US">Please call &amp; ask.</Say></Response>'
    )


def test_a_language_with_its_country_is_spoken_as_it_is():
    assert '<Say language="es-US">' in twiml(message(language="es-US"))


def test_a_control_character_does_not_break_what_is_said():
    said = ET.fromstring(twiml(message(text="Good\x07 day\x00 & goodbye\ufffe")))  # noqa: S314 - ours
    assert [paragraph.text for paragraph in said] == ["Good day & goodbye"]


async def test_a_machine_makes_no_call_that_a_person_shall_make():
    async with twilio_server() as server:
        for channel in ("call", "voicemail"):
            assert await sent(server, message(channel=channel)) == Delivery("failed", code="not_offered:live")
        assert server.requests == 0


async def test_a_machine_never_tells_everything_to_whatever_answers_a_call():
    async with twilio_server() as server:
        call = message(channel="call", mode="artificial")
        assert await sent(server, call) == Delivery("failed", code="not_offered:call")
        assert server.requests == 0


async def test_a_tenant_without_a_number_sends_nothing():
    async with twilio_server() as server:
        assert await sent(server, message(sender=Sender(name="Acme"))) == Delivery("failed", code="no_sender")
        assert server.requests == 0


async def test_a_key_with_fewer_rights_is_used_instead_of_the_accounts_token():
    async with twilio_server() as server:
        refused = await not_sent(server, api_key="SK1", api_key_secret="a-secret")
    assert (refused.code, refused.scope) == ("auth:20003", "provider")


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, 21610, "opted_out:21610"),
        (400, 21211, "bad_address:21211"),
        (400, 21614, "bad_address:21614"),
        (400, 30003, "unreachable:30003"),
        (400, 21617, "refused:21617"),
    ],
)
async def test_a_refusal_for_good_is_a_failed_delivery(status: int, code: int, said: str):
    async with twilio_server() as server:
        server.refuse(status, code)
        assert await sent(server) == Delivery("failed", code=said)


async def test_an_opt_out_that_twilio_holds_can_be_told_from_other_refusals():
    async with twilio_server() as server:
        server.refuse(400, 21610)
        assert (await sent(server)).reason == "opted_out"


async def test_a_message_that_failed_as_it_was_made_has_failed():
    async with twilio_server() as server:
        server.reply = 201, {}, b'{"sid": "SM1", "status": "failed", "error_code": 21610}'
        assert await sent(server) == Delivery("failed", provider_id="SM1", code="opted_out:21610")


@pytest.mark.parametrize(
    ("status", "code", "headers", "said", "scope", "wait"),
    [
        (429, 20429, {"Retry-After": "7"}, "busy:20429", "provider", 7.0),
        (429, 20429, {}, "busy:20429", "provider", 5.0),
        (400, 21611, {}, "busy:21611", "contact", 5.0),
        (401, 20003, {}, "auth:20003", "provider", None),
        (404, 20404, {}, "auth:20404", "provider", None),
        (400, 21606, {}, "sender_refused:21606", "contact", None),
    ],
)
async def test_a_refusal_for_now_says_when_and_how_far(
    status: int, code: int, headers: dict[str, str], said: str, scope: str, wait: float | None
):
    async with twilio_server() as server:
        server.refuse(status, code, **headers)
        refused = await not_sent(server)
    assert (refused.code, refused.scope, refused.retry_after) == (said, scope, wait)
    assert "+15005550001" not in str(refused)


@pytest.mark.parametrize(
    ("status", "said"), [(429, "busy:429"), (400, "auth:400"), (403, "auth:403"), (407, "auth:407"), (302, "auth:302")]
)
async def test_a_refusal_that_is_not_twilios_sent_nothing(status: int, said: str):
    async with twilio_server() as server:
        server.reply = status, {"Content-Type": "text/html"}, b"<html>no</html>"
        assert (await not_sent(server)).code == said


# -- doubt ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>log in</html>", "interrupted:not_json 200"),
        (201, b"", "interrupted:not_json 201"),
        (201, b'{"sid": null}', "interrupted:not_json 201"),
        (201, b"[1]", "interrupted:not_json 201"),
        (201, b"\xff\xfe", "interrupted:not_json 201"),
        (500, b"<html>oops</html>", "interrupted:500"),
        (503, b'{"code": 20503, "message": "later"}', "interrupted:20503"),
        (408, b"", "interrupted:408"),
    ],
)
async def test_an_answer_that_settles_nothing_leaves_a_doubt(status: int, body: bytes, said: str):
    async with twilio_server() as server:
        server.reply = status, {}, body
        assert await sent(server) == Delivery("unknown", code=said)


async def test_a_connection_that_breaks_after_the_request_leaves_a_doubt_and_is_not_tried_again():
    async with twilio_server() as server:
        server.fault = "drop"
        delivery = await sent(server)
        assert server.requests == 1
    assert (delivery.status, delivery.reason) == ("unknown", "interrupted")


async def test_an_answer_that_does_not_come_leaves_a_doubt():
    async with twilio_server() as server:
        server.fault = "hang"
        assert await sent(server, answer_seconds=0.05) == Delivery("unknown", code="no_answer")


async def test_a_server_that_is_not_there_got_nothing():
    async with twilio_server() as server:
        refused = await not_sent(server, base_url="http://127.0.0.1:1")
    assert (refused.code, refused.scope) == ("connect:ConnectError", "provider")


async def test_a_send_that_is_cancelled_leaves_the_channel_usable():
    async with twilio_server() as server:
        server.fault = "hang"
        channel = Twilio(server.settings(), WallClock())
        sending = asyncio.create_task(channel.send(message()))
        await server.asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        server.fault = None
        assert (await channel.send(message())).status == "sent"
        await channel.close()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("3", 3.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("86400000", 3_600.0),
        ("9" * 400, 3_600.0),
        ("Thu, 01 Jan 2970 00:00:01 GMT", 3_600.0),
        ("Thu, 01 Jan 99999999999999999999 00:00:01 GMT", None),
    ],
)
def test_a_server_says_when_to_come_back_in_seconds_or_by_date(said: str, seconds: float | None):
    assert retry_after({"retry-after": said}, now=60.0) == seconds
