"""A real mail server on loopback (aiosmtpd) that takes, refuses, puts off, hangs or breaks off where a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from typing import Any, Literal

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from connectors.channels.settings import SmtpSettings

Step = Literal["connect", "EHLO", "MAIL", "RCPT", "DATA"]
DROP, HANG = "drop", "hang"
USER, PASSWORD = "recoup", "a-secret"


class MailServer:
    """What arrived, and how the next messages are answered.

    `answers` holds what is said at a step instead of yes: a reply such as `451 4.7.1 Later`, DROP or HANG. At DATA the
    message has been read when the answer is given.
    """

    def __init__(self) -> None:
        self.answers: dict[Step, str] = {}
        self.arrived: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.encrypted: list[bool] = []
        self.port = 0
        self.asked = asyncio.Event()
        """A step whose answer was set has been reached."""

    def settings(self, **more: Any) -> SmtpSettings:
        fields: dict[str, Any] = {"host": "localhost", "port": self.port, "security": "none"}
        return SmtpSettings(**(fields | more))

    async def answer(self, step: Step, server: SMTP, yes: str) -> str:
        said = self.answers.get(step, yes)
        if said != yes:
            self.asked.set()
        if said == HANG:
            await asyncio.Event().wait()
        if said == DROP:
            transport_of(server).abort()
            raise ConnectionResetError
        return said

    # -- the hooks that aiosmtpd calls ------------------------------------------------------------------------------

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ):
        session.host_name = hostname
        said = await self.answer("EHLO", server, "")
        return [said] if said else responses

    async def handle_MAIL(self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]):  # noqa: N802
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self.answer("MAIL", server, "250 OK")

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]):  # noqa: N802
        said = await self.answer("RCPT", server, "250 OK")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope):  # noqa: N802
        said = await self.answer("DATA", server, "250 2.0.0 OK")
        if said.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.arrived.append(message_from_bytes(content, policy=default))
            self.envelopes.append(envelope)
            self.encrypted.append(transport_of(server).get_extra_info("ssl_object") is not None)
        return said


@asynccontextmanager
async def mail_server(
    *, tls: Literal["starttls", "tls"] | None = None, login: bool = False
) -> AsyncIterator[MailServer]:
    """The server while the block runs."""
    mail = MailServer()
    context = tls_context() if tls else None

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    def connection() -> SMTP:
        server = SMTP(
            mail,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=authenticate if login else None,
            auth_required=login and tls == "starttls",
            auth_require_tls=tls == "starttls",  # it does not see that TLS was there from the first byte
        )
        if mail.answers.get("connect") == DROP:
            server.connection_made = _hang_up  # type: ignore[method-assign]
        return server

    loop = asyncio.get_running_loop()
    listener = await loop.create_server(connection, "127.0.0.1", 0, ssl=context if tls == "tls" else None, family=0)
    mail.port = listener.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        listener.close()


def transport_of(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport


def _hang_up(transport: asyncio.BaseTransport) -> None:
    assert isinstance(transport, asyncio.Transport)
    transport.abort()


@cache
def authority() -> trustme.CA:
    """Who signs the server's certificate; nobody's system trusts it."""
    return trustme.CA()


def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority().issue_cert("localhost").configure_cert(context)
    return context
