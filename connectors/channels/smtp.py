"""E-mail through a mail server, each message at most once: a break after its first byte is told as doubt.

A mail server knows no idempotency keys: one that is sent twice arrives twice. So the dialogue is cut in two. Up to the
command DATA nothing can have left, and every fault there is either a refusal for good or `NotSent`. From DATA on, only
the server's own answer settles what became of the message.
"""

import asyncio
import re
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import SMTPUTF8
from email.utils import formatdate
from hashlib import blake2b

import aiosmtplib
from email_validator import ValidatedEmail, validate_email

from connectors.channels.channel import (
    BAD_ADDRESS,
    INTERRUPTED,
    NO_ANSWER,
    NO_SENDER,
    NOT_OFFERED,
    REFUSED,
    Delivery,
    Message,
)
from connectors.channels.settings import SmtpSettings
from models.addresses import reachable, unsubscribe_address
from models.clock import Clock
from schemas.errors import BadInput, NotSent

GREYLISTED_SECONDS = 300.0
"""A server that puts a recipient off wants to be asked again after some minutes."""
NOT_AVAILABLE = 421
"""RFC 5321: the server closes the connection, whatever the command was."""
BYE_SECONDS = 1.0
DEAD_MAILBOX = re.compile(r"^5\.(1\.[1236]|2\.1)\b")
"""RFC 3463: there is no such mailbox or domain, or the mailbox is disabled."""
ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")


class Smtp:
    """Sends e-mail through one server, a connection for each message."""

    name = "smtp"
    idempotent = False

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.most_seconds = settings.ready_seconds + settings.answer_seconds + BYE_SECONDS
        self._tls = _context(settings)

    async def send(self, message: Message) -> Delivery:
        """Hand one e-mail to the server; raises NotSent when it surely did not take it and may later."""
        if message.channel != "email":
            return Delivery("failed", code=NOT_OFFERED)
        if not reachable("email", message.sender.email, tests=True):
            return Delivery("failed", code=NO_SENDER)
        if not reachable("email", message.address):
            return Delivery("failed", code=BAD_ADDRESS)
        recipient, sender = _parsed(message.address), _parsed(message.sender.email)
        built = compose(message, sender, recipient, self.clock.now())
        client = self._client()
        try:
            refusal = await self._made_ready(client, sender, recipient)
            return refusal or await self._hand_over(client, built)
        finally:
            client.close()

    async def close(self) -> None:
        """Every message has had its own connection."""

    def _client(self) -> aiosmtplib.SMTP:
        settings = self.settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password.get_secret_value() or None,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls,
            timeout=settings.ready_seconds,
        )

    async def _made_ready(
        self, client: aiosmtplib.SMTP, sender: ValidatedEmail, recipient: ValidatedEmail
    ) -> Delivery | None:
        """Bring the dialogue to where the message may follow; a delivery = it is refused for good."""
        try:
            async with asyncio.timeout(self.settings.ready_seconds):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
                if (options := _options(sender, recipient)) and not client.supports_extension("smtputf8"):
                    return Delivery("failed", code=f"{NOT_OFFERED}:smtputf8")
                await client.mail(_written(sender), options=options, encoding="utf-8" if options else "ascii")
                await client.rcpt(_written(recipient), encoding="utf-8" if options else "ascii")
        except aiosmtplib.SMTPRecipientRefused as error:
            if error.code < 500:
                raise _put_off(error, self.name) from None  # what the server said may quote the address
            return Delivery("failed", code=_said(_dead(error), error))
        except aiosmtplib.SMTPSenderRefused as error:
            raise _put_off(error, self.name) from None  # what the server said may quote the address
        except aiosmtplib.SMTPResponseException as error:
            code = _said("auth" if isinstance(error, aiosmtplib.SMTPAuthenticationError) else "greeting", error)
            raise NotSent(f"The mail server does not let us in ({code}).", code=code) from None
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            # Time-outs are OSErrors; so are faults of TLS. A host that can be none is a UnicodeError.
            raise _away(type(error).__name__) from None
        if not client.is_connected:
            raise _away("SMTPServerDisconnected")
        return None

    async def _hand_over(self, client: aiosmtplib.SMTP, built: EmailMessage) -> Delivery:
        """Send the message itself. From here on a fault that is no answer leaves it in doubt."""
        try:
            async with asyncio.timeout(self.settings.answer_seconds):
                await client.data(built.as_bytes(), timeout=self.settings.answer_seconds)
        except aiosmtplib.SMTPDataError as error:
            if 400 <= error.code < 500:
                raise _put_off(error, self.name) from None  # what the server said may quote the address
            if error.code >= 500:
                return Delivery("failed", code=_said(REFUSED, error))
            return Delivery("unknown", code=_said(INTERRUPTED, error))
        except TimeoutError:  # aiosmtplib's own among them
            return Delivery("unknown", code=NO_ANSWER)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Delivery("unknown", code=f"{INTERRUPTED}:{type(error).__name__}")
        await _say_goodbye(client)
        return Delivery("sent", provider_id=str(built["Message-ID"]))


def compose(message: Message, sender: ValidatedEmail, recipient: ValidatedEmail, now: int) -> EmailMessage:
    """The e-mail as it travels.

    Args:
        now: epoch milliseconds, for the header Date.
    """
    built = EmailMessage(policy=SMTPUTF8 if _options(sender, recipient) else SMTP_POLICY)
    built["From"] = Address(_line(message.sender.name), sender.local_part, sender.ascii_domain)
    built["To"] = Address("", recipient.local_part, recipient.ascii_domain)
    built["Subject"] = _line(message.subject or "")
    built["Date"] = formatdate(now / 1000)
    built["Message-ID"] = message_id(message.key, sender.ascii_domain)
    built["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices in return
    for name, value in unsubscribing(message):
        built[name] = value
    built.set_content(message.text)
    if message.html is not None:
        built.add_alternative(message.html, subtype="html")
    built["Content-Language"] = message.language  # the content's own headers replace any that was there before
    return built


def message_id(key: str, domain: str) -> str:
    """The same for the same contact: who gets it twice after all can tell."""
    return f"<{blake2b(key.encode(), digest_size=16).hexdigest()}@{domain}>"


def unsubscribing(message: Message) -> list[tuple[str, str]]:
    """The headers that give a mail program its button to opt out (RFC 2369, RFC 8058).

    An https address takes one click only when it says who opts out: it holds `{contact_id}`.
    """
    where = message.sender.unsubscribe or f"mailto:{message.sender.email}"
    address = unsubscribe_address(where, message.contact_id)
    if where.startswith("mailto:"):
        joined = "&" if "?" in address else "?"
        subject = "" if "subject=" in address else f"{joined}subject=unsubscribe"
        return [("List-Unsubscribe", f"<{address}{subject}>")]
    headers = [("List-Unsubscribe", f"<{address}>")]
    if "{contact_id}" in where:
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return headers


def _away(kind: str) -> NotSent:
    return NotSent(f"The mail server cannot be reached, or left ({kind}).", code=f"connect:{kind}")


def _put_off(error: aiosmtplib.SMTPResponseException, name: str) -> NotSent:
    """A refusal for now: of the server as a whole, or of this one message."""
    closing = error.code == NOT_AVAILABLE
    code = _said("sender_refused" if isinstance(error, aiosmtplib.SMTPSenderRefused) else "busy", error)
    return NotSent(
        f"{name}: the mail server does not take this message now ({code}).",
        code=code,
        scope="provider" if closing else "contact",
        retry_after=None if closing else GREYLISTED_SECONDS,
    )


def _dead(error: aiosmtplib.SMTPResponseException) -> str:
    return BAD_ADDRESS if DEAD_MAILBOX.match(error.message) else REFUSED


def _said(word: str, error: aiosmtplib.SMTPResponseException) -> str:
    """Our word and the server's codes; what else it says may quote the address."""
    enhanced = ENHANCED.match(error.message)
    return f"{word}:{error.code}" + (f" {enhanced[1]}" if enhanced else "")


def _parsed(address: str) -> ValidatedEmail:
    return validate_email(address, check_deliverability=False, test_environment=True)


def _written(address: ValidatedEmail) -> str:
    """As mail servers read it: its domain in ASCII, and all of it where its name is."""
    return address.ascii_email or address.normalized


def _options(sender: ValidatedEmail, recipient: ValidatedEmail) -> list[str]:
    return [] if sender.ascii_email and recipient.ascii_email else ["SMTPUTF8"]


def _line(text: str) -> str:
    """A header's value is one line."""
    return " ".join(text.split())


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    """The message is sent whatever comes of this."""
    try:
        await client.quit(timeout=BYE_SECONDS)
    except (aiosmtplib.SMTPException, OSError):
        return


def _context(settings: SmtpSettings) -> ssl.SSLContext | None:
    if settings.security == "none":
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(
            f"RECOUP_CHANNELS__SMTP__CA_FILE={settings.ca_file} cannot be read as certificates ({type(error).__name__})."
        ) from error
