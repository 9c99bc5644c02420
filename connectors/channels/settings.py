"""Which providers carry which contacts, and how they are reached: what cannot work is refused at start."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator

from schemas.envelope import Channel

Provider = Literal["console", "smtp", "twilio", "letter"]

OFFERS: dict[Provider, tuple[Channel, ...]] = {
    "console": ("email", "sms", "call", "voicemail", "letter"),
    "smtp": ("email",),
    "twilio": ("sms", "voicemail"),
    "letter": ("letter",),
}
"""Provider -> the channels that it can serve."""

SECTION = "RECOUP_CHANNELS__"


class ConsoleSettings(BaseModel, extra="forbid"):
    """Contacts nobody, and prints what it would have sent."""

    show: Literal["line", "message", "nothing"] = "line"
    """`line` holds nothing personal; `message` prints address and text too, for a developer's own screen."""


class SmtpSettings(BaseModel, extra="forbid"):
    """A mail server that takes e-mail for sending on."""

    host: str = ""
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`tls` = from the first byte on, mostly at port 465; `none` is refused but for a server on the same machine."""
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: str | None = None
    """Certificates (PEM) to trust instead of the system's."""
    ready_seconds: float = Field(default=10.0, gt=0)
    """Until the server is ready to take the message; nothing has left by then."""
    answer_seconds: float = Field(default=20.0, gt=0)
    """From the message's first byte to the server's word that it has it; past it, it is unknown."""


class TwilioSettings(BaseModel, extra="forbid"):
    """SMS and voicemails by Twilio, or by what speaks its protocol."""

    account_sid: str = Field(default="", pattern="^(AC[0-9a-fA-F]{32})?$")
    auth_token: SecretStr = SecretStr("")
    """Of the account; callbacks are signed with it."""
    api_key: str = ""
    api_key_secret: SecretStr = SecretStr("")
    """A key with fewer rights to send with, instead of the account's token."""
    base_url: str = Field(default="https://api.twilio.com", pattern="^https?://[^/]+$")
    """Plain http only to this machine; so likewise `callback_url`."""
    messaging_service: str = ""
    """Sends from its own pool of numbers; empty = from the tenant's `sender.number`."""
    callback_url: str = Field(default="", pattern="^(https?://.+[^/])?$")
    """Where Twilio reaches dispatch's pages from outside, such as https://example.com/twilio; empty = it tells nothing
    of what becomes of a contact."""
    ring_seconds: int = Field(default=25, ge=5, le=600)
    connect_seconds: float = Field(default=5.0, gt=0)
    answer_seconds: float = Field(default=10.0, gt=0)
    """From the request's first byte to its answer; past it, it is unknown whether it was taken."""


class LetterSettings(BaseModel, extra="forbid"):
    """Letters as PDF files for whoever prints and posts them: in a folder, or S3 and what speaks its protocol."""

    store: str = Field(default="", max_length=150)
    """A folder, or s3://bucket/prefix; empty = `<home>/letters`."""
    s3_endpoint: str = Field(default="", pattern="^(https?://[^/]+)?$")
    """http[s]://host:port of a server that is not Amazon's."""
    s3_region: str = ""
    s3_access_key: str = ""
    """Empty = whatever the environment gives: variables, a profile, the machine's role."""
    s3_secret_key: SecretStr = SecretStr("")
    page: Literal["A4", "Letter"] = "A4"


class ChannelSettings(BaseModel, extra="forbid"):
    """The providers of each channel: the first is asked first, the next when it surely has sent nothing.

    A channel without a provider is off: its contacts fail with `no_channel`.
    """

    email: tuple[Provider, ...] = ("console",)
    sms: tuple[Provider, ...] = ("console",)
    call: tuple[Provider, ...] = ("console",)
    voicemail: tuple[Provider, ...] = ("console",)
    letter: tuple[Provider, ...] = ("console",)
    console: ConsoleSettings = ConsoleSettings()
    smtp: SmtpSettings = SmtpSettings()
    twilio: TwilioSettings = TwilioSettings()
    letters: LetterSettings = LetterSettings()

    def providers(self) -> dict[Channel, tuple[Provider, ...]]:
        """Channel -> its providers, in the order in which they are asked."""
        return {
            "email": self.email,
            "sms": self.sms,
            "call": self.call,
            "voicemail": self.voicemail,
            "letter": self.letter,
        }

    @model_validator(mode="after")
    def _fits(self) -> "ChannelSettings":
        faults = [*self._misplaced(), *self._incomplete()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _misplaced(self) -> Iterator[str]:
        for channel, providers in self.providers().items():
            if len(set(providers)) != len(providers):
                yield f"{SECTION}{channel.upper()} names a provider twice"
            for provider in providers:
                if channel not in OFFERS[provider]:
                    fitting = ", ".join(name for name, offered in OFFERS.items() if channel in offered)
                    yield f"{SECTION}{channel.upper()}: {provider} makes no such contacts; there are {fitting}"

    def _incomplete(self) -> Iterator[str]:
        used = {provider for providers in self.providers().values() for provider in providers}
        if "smtp" in used:
            yield from self._without_server()
        if "twilio" in used:
            yield from self._without_account()
        if "letter" in used and self.letters.store.startswith("s3://") and not self.letters.store[5:].strip("/"):
            yield f"{SECTION}LETTERS__STORE names no bucket; expected s3://bucket/prefix"

    def _without_server(self) -> Iterator[str]:
        smtp = self.smtp
        if not smtp.host:
            yield f"smtp is to send and {SECTION}SMTP__HOST is missing"
        if bool(smtp.username) != bool(smtp.password.get_secret_value()):
            yield f"{SECTION}SMTP__USERNAME and {SECTION}SMTP__PASSWORD belong together"
        if smtp.username and smtp.security == "none":
            yield f"{SECTION}SMTP__SECURITY=none would send the password for all to read; set starttls or tls"
        elif smtp.security == "none" and smtp.host and not _is_this_machine(smtp.host):
            yield f"{SECTION}SMTP__SECURITY=none would send every message for all to read; set starttls or tls"

    def _without_account(self) -> Iterator[str]:
        twilio = self.twilio
        if not twilio.account_sid:
            yield f"twilio is to send and {SECTION}TWILIO__ACCOUNT_SID is missing"
        if bool(twilio.api_key) != bool(twilio.api_key_secret.get_secret_value()):
            yield f"{SECTION}TWILIO__API_KEY and {SECTION}TWILIO__API_KEY_SECRET belong together"
        token = twilio.auth_token.get_secret_value()
        if not token and not twilio.api_key:
            yield f"twilio is to send and {SECTION}TWILIO__AUTH_TOKEN is missing"
        if not token and twilio.callback_url:
            yield f"callbacks are signed with {SECTION}TWILIO__AUTH_TOKEN, which is missing"
        for name, url in (("BASE_URL", twilio.base_url), ("CALLBACK_URL", twilio.callback_url)):
            if url.startswith("http://") and not _is_this_machine(urlsplit(url).hostname or ""):
                yield f"{SECTION}TWILIO__{name} would send numbers and texts for all to read; begin it with https://"


def _is_this_machine(host: str) -> bool:
    """Whether what goes to a host leaves no network card: `localhost` or a loopback address."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
