"""E-mail against a real mail server: what left, what surely did not, and what nobody knows."""

import asyncio
from email.message import EmailMessage
from typing import Any

import pytest

from connectors.channels.channel import Delivery, Message
from connectors.channels.settings import SmtpSettings
from connectors.channels.smtp import Smtp, message_id, unsubscribing
from models.clock import WallClock
from schemas.control import Sender
from schemas.errors import BadInput, NotSent
from tests.smtp_server import DROP, HANG, PASSWORD, USER, MailServer, Step, authority, mail_server

SENDER = Sender(name="Acme Energy", email="billing@acme.com", unsubscribe="https://acme.com/off?c={contact_id}")


def message(**more: Any) -> Message:
    fields: dict[str, Any] = {
        "key": "key-1",
        "contact_id": "a1-d1:contact",
        "tenant_id": "acme",
        "account_id": "a1",
        "channel": "email",
        "address": "someone@customer.de",
        "template": "reminder",
        "subject": "Ihre Rechnung: 12,00 €",
        "text": "Guten Tag,\n\n12,00 € sind offen.\n.\nDas war ein Punkt.",
        "html": "<p>12,00&nbsp;€ sind offen.</p>",
        "language": "de",
        "sender": SENDER,
    }
    return Message(**(fields | more))


async def sent(server: MailServer, contact: Message | None = None, **settings: Any) -> Delivery:
    return await Smtp(server.settings(**settings), WallClock()).send(contact or message())


async def not_sent(server: MailServer, contact: Message | None = None, **settings: Any) -> NotSent:
    with pytest.raises(NotSent) as refused:
        await sent(server, contact, **settings)
    assert server.arrived == []
    return refused.value


# -- what arrives ---------------------------------------------------------------------------------------------------


async def test_what_arrives_is_what_was_rendered_as_text_and_html():
    async with mail_server() as server:
        delivery = await sent(server)
        (arrived,) = server.arrived
    assert delivery == Delivery("sent", provider_id=arrived["Message-ID"])
    assert arrived["Subject"] == "Ihre Rechnung: 12,00 €"
    assert arrived["From"] == "Acme Energy <billing@acme.com>"
    assert arrived["To"] == "someone@customer.de"
    assert arrived["Content-Language"] == "de"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["Date"]
    assert body(arrived, "plain") == "Guten Tag,\n\n12,00 € sind offen.\n.\nDas war ein Punkt.\n"
    assert body(arrived, "html") == "<p>12,00&nbsp;€ sind offen.</p>\n"
    assert (server.envelopes[0].mail_from, server.envelopes[0].rcpt_tos) == (
        "billing@acme.com",
        ["someone@customer.de"],
    )


def body(arrived: EmailMessage, kind: str) -> str:
    part = arrived.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


async def test_the_same_contact_has_the_same_message_id_and_another_one_another():
    assert message_id("key-1", "acme.com") == message_id("key-1", "acme.com")
    assert message_id("key-1", "acme.com") != message_id("key-2", "acme.com")
    async with mail_server() as server:
        await sent(server)
        await sent(server)
    assert server.arrived[0]["Message-ID"] == server.arrived[1]["Message-ID"] == message_id("key-1", "acme.com")


async def test_nothing_in_a_contact_can_add_a_header():
    wicked = message(
        subject="Invoice\r\nBcc: other@customer.de", sender=Sender(name="A\nX-Evil: 1", email="billing@acme.com")
    )
    async with mail_server() as server:
        await sent(server, wicked)
        (arrived,) = server.arrived
    assert arrived["Subject"] == "Invoice Bcc: other@customer.de"
    assert arrived["Bcc"] is None
    assert arrived["X-Evil"] is None
    assert server.envelopes[0].rcpt_tos == ["someone@customer.de"]


async def test_a_domain_with_an_umlaut_travels_in_ascii_and_a_name_with_one_by_smtputf8():
    async with mail_server() as server:
        await sent(server, message(address="wer@bücher.de"))
        await sent(server, message(address="bücher@bücher.de"))
    assert [envelope.rcpt_tos for envelope in server.envelopes] == [["wer@xn--bcher-kva.de"], ["bücher@bücher.de"]]
    assert "SMTPUTF8" in server.envelopes[1].mail_options


@pytest.mark.parametrize(
    ("where", "headers"),
    [
        (
            "https://acme.com/off?c={contact_id}",
            {
                "List-Unsubscribe": "<https://acme.com/off?c=a1-d1:contact>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        ),
        ("https://acme.com/off", {"List-Unsubscribe": "<https://acme.com/off>"}),
        ("mailto:off@acme.com", {"List-Unsubscribe": "<mailto:off@acme.com?subject=unsubscribe>"}),
        ("mailto:off@acme.com?subject=stop", {"List-Unsubscribe": "<mailto:off@acme.com?subject=stop>"}),
        ("", {"List-Unsubscribe": "<mailto:billing@acme.com?subject=unsubscribe>"}),
    ],
)
def test_a_mail_program_is_told_how_to_opt_out(where: str, headers: dict[str, str]):
    sender = Sender(name="Acme", email="billing@acme.com", unsubscribe=where)
    assert dict(unsubscribing(message(sender=sender))) == headers


def test_whose_opt_out_it_is_can_neither_end_the_address_nor_the_header():
    (address, _) = unsubscribing(message(contact_id="a>, <https://b\r\nBcc: c"))
    assert address == ("List-Unsubscribe", "<https://acme.com/off?c=a%3E%2C%20%3Chttps:%2F%2Fb%0D%0ABcc:%20c>")


# -- the way there --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_it_logs_in_over_tls_only_to_a_server_that_it_can_trust(tls: Any, tmp_path):
    trusted = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(trusted))
    async with mail_server(tls=tls, login=True) as server:
        good = {"security": tls, "ca_file": str(trusted), "username": USER, "password": PASSWORD}
        assert (await sent(server, **good)).status == "sent"
        assert server.encrypted == [True]
        server.arrived.clear()
        wrong = await not_sent(server, **(good | {"password": "wrong"}))
        assert (wrong.code, wrong.scope) == ("auth:535 5.7.8", "provider")
        stranger = await not_sent(server, **(good | {"ca_file": None}))
        assert stranger.code.startswith("connect:")


async def test_a_server_without_tls_does_not_get_the_message_when_tls_is_asked_for():
    async with mail_server() as server:
        assert (await not_sent(server, security="starttls")).code.startswith("connect:")


async def test_nothing_left_for_a_host_that_can_be_none():
    """Its name fails in Python's own IDNA codec, before any server is looked up."""
    channel = Smtp(SmtpSettings(host="mail..customer.de"), WallClock())
    with pytest.raises(NotSent) as refused:
        await channel.send(message())
    assert refused.value.code == "connect:UnicodeError"


def test_certificates_that_cannot_be_read_are_refused_at_once():
    with pytest.raises(BadInput, match=r"CA_FILE=nowhere\.pem"):
        Smtp(SmtpSettings(host="mail", ca_file="nowhere.pem"), WallClock())


# -- what surely did not leave --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "reply", "code", "scope"),
    [
        ("connect", DROP, "connect", "provider"),
        ("MAIL", "451 4.3.0 Try again", "sender_refused:451 4.3.0", "contact"),
        ("MAIL", "550 5.7.1 Not you", "sender_refused:550 5.7.1", "contact"),
        ("MAIL", DROP, "connect", "provider"),
        ("RCPT", "450 4.2.0 Greylisted", "busy:450 4.2.0", "contact"),
        ("RCPT", "421 4.3.2 Shutting down", "busy:421 4.3.2", "provider"),
        ("RCPT", DROP, "connect", "provider"),
        ("DATA", "452 4.3.1 Disk full", "busy:452 4.3.1", "contact"),
        ("DATA", "421 Going down", "busy:421", "provider"),
    ],
)
async def test_a_refusal_for_now_may_be_tried_again(step: Step, reply: str, code: str, scope: str):
    async with mail_server() as server:
        server.answers[step] = reply
        refused = await not_sent(server)
    assert refused.code.startswith(code)
    assert refused.scope == scope
    assert (refused.retry_after is not None) == (scope == "contact")


@pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT"])
async def test_a_server_that_hangs_before_it_has_the_message_has_nothing(step: Step):
    async with mail_server() as server:
        server.answers[step] = HANG
        assert (await not_sent(server, ready_seconds=0.05)).code == "connect:TimeoutError"


# -- what is refused for good ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "reply", "code"),
    [
        ("RCPT", "550 5.1.1 No such user someone@customer.de", "bad_address:550 5.1.1"),
        ("RCPT", "550 5.2.1 Disabled", "bad_address:550 5.2.1"),
        ("RCPT", "554 5.7.1 Policy", "refused:554 5.7.1"),
        ("RCPT", "550 someone@customer.de unknown", "refused:550"),
        ("DATA", "554 5.6.0 Spam", "refused:554 5.6.0"),
    ],
)
async def test_a_refusal_for_good_is_a_failed_delivery_that_quotes_no_address(step: Step, reply: str, code: str):
    async with mail_server() as server:
        server.answers[step] = reply
        assert await sent(server) == Delivery("failed", code=code)
        assert server.arrived == []


async def test_a_tenant_without_an_address_of_its_own_sends_no_e_mail():
    async with mail_server() as server:
        assert await sent(server, message(sender=Sender(name="Acme"))) == Delivery("failed", code="no_sender")


# -- doubt ----------------------------------------------------------------------------------------------------------


async def test_a_connection_that_breaks_after_the_message_was_sent_leaves_a_doubt():
    async with mail_server() as server:
        server.answers["DATA"] = DROP
        delivery = await sent(server)
    assert (delivery.status, delivery.reason) == ("unknown", "interrupted")


async def test_a_server_that_is_slow_to_say_that_it_has_the_message_leaves_a_doubt():
    async with mail_server() as server:
        server.answers["DATA"] = HANG
        assert await sent(server, answer_seconds=0.05) == Delivery("unknown", code="no_answer")


async def test_a_send_that_is_cancelled_gives_its_connection_back():
    async with mail_server() as server:
        server.answers["DATA"] = HANG
        sending = asyncio.create_task(sent(server))
        await server.asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        server.answers.clear()
        assert (await sent(server)).status == "sent"
