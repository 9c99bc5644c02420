"""SMS and voicemails through Twilio's REST API, each at most once: what its answer does not settle is told as doubt.

Twilio documents no idempotency key for creating messages or calls (its `I-Twilio-Idempotency-Token` marks the webhooks
that it sends). A request that was written is therefore never written again: without an answer, with a server's error or
with an answer that makes no sense it is `unknown`. What surely was refused is told by Twilio's error code, see
https://www.twilio.com/docs/api/errors.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

import httpx
import msgspec
from redis.exceptions import RedisError

from connectors.channels.channel import (
    BAD_ADDRESS,
    INTERRUPTED,
    NO_ANSWER,
    NO_SENDER,
    NOT_OFFERED,
    OPTED_OUT,
    REFUSED,
    Delivery,
    Message,
)
from connectors.channels.settings import TwilioSettings
from connectors.redis.deliveries import Contacted, Deliveries
from models.addresses import reachable
from models.clock import Clock
from schemas.errors import NotSent

API = "2010-04-01"
STATUS_PATH, ANSWER_PATH = "/status", "/answer"
"""Below `callback_url`: what became of a contact, and what customers write to our numbers."""
IDLE_SECONDS = 2.0
"""A connection is not used again after so long: one that the other side closes while we write leaves a doubt."""

OPTED_OUT_CODES = frozenset({21610})
BAD_ADDRESS_CODES = frozenset({21211, 21214, 21217, 21219, 21614, 13223, 13224})
"""The number called or written to is none, or takes nothing of this kind."""
UNREACHABLE_CODES = frozenset({30003, 30005, 30006})
"""The handset is off or gone: mostly told by a status callback, as a bounce."""
SENDER_CODES = frozenset({21210, 21212, 21603, 21606, 21659, 21660, 21661})
"""Our own number or pool is wrong: the contact may leave through another provider."""
BUSY_CODES = frozenset({20429, 14107, 21611})
"""Too many requests, or the number's queue is full."""
BUSY_SECONDS = 5.0
"""Until it is asked again, where the answer does not say."""
MOST_BUSY_SECONDS = 3_600.0
"""Whatever the answer says: a slip in a header must not shut a provider off until its worker is restarted."""

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not have: a call whose text holds one ends with a machine's apology."""

SPOKEN = {"en": "en-US", "de": "de-DE", "es": "es-MX", "fr": "fr-FR", "it": "it-IT", "nl": "nl-NL", "pt": "pt-PT"}
"""Languages of texts that name no country -> voices."""


class Answer(msgspec.Struct):
    """What Twilio says of a new message or call, or of why there is none."""

    sid: str | None = None
    status: str | int | None = None
    code: int | None = None
    error_code: int | None = None


class Twilio:
    """Sends SMS and leaves voicemails in one Twilio account.

    It makes no `call`: what is said stands in the request, so a machine that answers would record all of it for whoever
    listens, although only a voicemail's text may be left behind (12 CFR 1006.2(j), and third-party disclosure). That
    needs a page that sees who has answered before anything is said.

    Args:
        deliveries: where contacts are written down before they are asked for, so that callbacks find them.
    """

    name = "twilio"
    idempotent = False

    def __init__(self, settings: TwilioSettings, clock: Clock, deliveries: Deliveries | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self.deliveries = deliveries
        self.most_seconds = 2 * settings.connect_seconds + 2 * settings.answer_seconds
        user, secret = settings.account_sid, settings.auth_token
        if settings.api_key:
            user, secret = settings.api_key, settings.api_key_secret
        self.client = httpx.AsyncClient(
            base_url=f"{settings.base_url}/{API}/Accounts/{settings.account_sid}",
            auth=(user, secret.get_secret_value()),
            timeout=httpx.Timeout(
                settings.answer_seconds, connect=settings.connect_seconds, pool=settings.connect_seconds
            ),
            limits=httpx.Limits(keepalive_expiry=IDLE_SECONDS),
            trust_env=False,
        )

    async def send(self, message: Message) -> Delivery:
        """Hand one contact to Twilio; raises NotSent when it surely did not take it and may later."""
        if message.channel not in ("sms", "call", "voicemail"):
            return Delivery("failed", code=NOT_OFFERED)
        if message.channel != "sms" and message.mode == "live":  # a machine speaks here: an artificial voice
            return Delivery("failed", code=f"{NOT_OFFERED}:live")
        if message.channel == "call":  # whoever answers, or whatever, hears everything
            return Delivery("failed", code=f"{NOT_OFFERED}:call")
        if not reachable(message.channel, message.address):
            return Delivery("failed", code=BAD_ADDRESS)
        by_pool = message.channel == "sms" and self.settings.messaging_service
        if not by_pool and not message.sender.number:
            return Delivery("failed", code=NO_SENDER)
        await self._write_down(message)
        resource, form = (
            ("Messages", self._sms(message)) if message.channel == "sms" else ("Calls", self._voicemail(message))
        )
        try:
            response = await self.client.post(f"/{resource}.json", data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:  # before the request
            kind = type(error).__name__
            raise NotSent(f"Twilio cannot be reached ({kind}).", code=f"connect:{kind}") from error
        except httpx.TimeoutException:
            return Delivery("unknown", code=NO_ANSWER)
        except (httpx.HTTPError, httpx.StreamError) as error:
            return Delivery("unknown", code=f"{INTERRUPTED}:{type(error).__name__}")
        return self._outcome(response)

    async def close(self) -> None:
        await self.client.aclose()

    async def _write_down(self, message: Message) -> None:
        if self.deliveries is None:
            return
        contacted = Contacted(
            message.tenant_id,
            message.account_id,
            message.contact_id,
            message.channel,
            self.clock.now(),
            message.purpose,
            message.mode,
        )
        try:
            await self.deliveries.remember(contacted, message.address)
        except RedisError as error:
            kind = type(error).__name__
            raise NotSent(f"The contact cannot be written down in Redis ({kind}).", code=f"redis:{kind}") from error

    # -- what is asked ----------------------------------------------------------------------------------------------

    def _sms(self, message: Message) -> dict[str, str]:
        form = {"To": message.address, "Body": message.text}
        if self.settings.messaging_service:
            form["MessagingServiceSid"] = self.settings.messaging_service
        else:
            form["From"] = message.sender.number
        if self.settings.callback_url:
            form["StatusCallback"] = self._status_url(message)
        return form

    def _voicemail(self, message: Message) -> dict[str, str]:
        form = {
            "To": message.address,
            "From": message.sender.number,
            "Twiml": twiml(message),
            "Timeout": str(self.settings.ring_seconds),
            "MachineDetection": "DetectMessageEnd",
        }
        if self.settings.callback_url:
            form |= {"StatusCallback": self._status_url(message), "StatusCallbackEvent": "completed"}
        return form

    def _status_url(self, message: Message) -> str:
        """Where Twilio tells what became of it: the query is signed along, so nobody else can name a contact."""
        return f"{self.settings.callback_url}{STATUS_PATH}?{urlencode({'contact': message.contact_id})}"

    # -- what is answered -------------------------------------------------------------------------------------------

    def _outcome(self, response: httpx.Response) -> Delivery:
        """What an answer settles: 2xx = taken when it names what was made, 4xx = refused, all else is doubt."""
        answer = _read(response)
        status = response.status_code
        if 200 <= status < 300:
            return _taken(answer, status)
        if status >= 500 or status == 408:
            return Delivery("unknown", code=f"{INTERRUPTED}:{_code(answer) or status}")
        code = _code(answer)
        if status == 429 or code in BUSY_CODES:
            raise NotSent(
                f"Twilio takes no more for now ({code or status}).",
                code=f"busy:{code or status}",
                scope="contact" if code == 21611 else "provider",
                retry_after=retry_after(response.headers, self.clock.now() / 1000) or BUSY_SECONDS,
            )
        if status in (401, 403, 404) or status < 400 or code is None:
            raise NotSent(
                f"Twilio, or what stands at RECOUP_CHANNELS__TWILIO__BASE_URL, does not let us in ({code or status}).",
                code=f"auth:{code or status}",
            )
        if code in SENDER_CODES:
            raise NotSent(
                f"Twilio does not send from the tenant's number or the pool ({code}).",
                code=f"sender_refused:{code}",
                scope="contact",
            )
        return Delivery("failed", code=f"{_word(code)}:{code}")


def twiml(message: Message) -> str:
    """What is said once somebody or something answers; a pause stands between paragraphs.

    To an answering machine it is said when the tone has been heard.
    """
    language = SPOKEN.get(message.language, message.language)
    said = [
        f"<Say language={quoteattr(language)}>{escape(' '.join(paragraph.split()))}</Say>"
        for paragraph in NOT_XML.sub(" ", message.text).split("\n\n")
        if paragraph.strip()
    ]
    return f"<Response>{'<Pause/>'.join(said)}</Response>"


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a server asks us to wait, an hour at most (RFC 9110, 10.2.3: a number, or a date); None = it is silent.

    Args:
        now: seconds since the epoch.
    """
    said = headers.get("retry-after", "").strip()
    if said.isdecimal():
        return min(float(said), MOST_BUSY_SECONDS)
    try:
        return min(max(0.0, parsedate_to_datetime(said).timestamp() - now), MOST_BUSY_SECONDS)
    except (ValueError, OverflowError):
        return None


def _read(response: httpx.Response) -> Answer | None:
    """The answer; None when it is no JSON of Twilio's."""
    try:
        return msgspec.json.decode(response.content, type=Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _code(answer: Answer | None) -> int | None:
    return None if answer is None else answer.code or answer.error_code


def _taken(answer: Answer | None, status: int) -> Delivery:
    if answer is None or not answer.sid:
        return Delivery("unknown", code=f"{INTERRUPTED}:not_json {status}")
    if answer.status in ("failed", "canceled", "undelivered"):
        code = _code(answer)
        return Delivery("failed", provider_id=answer.sid, code=f"{_word(code)}:{code}" if code else REFUSED)
    return Delivery("sent", provider_id=answer.sid)


def _word(code: int | None) -> str:
    if code in OPTED_OUT_CODES:
        return OPTED_OUT
    if code in BAD_ADDRESS_CODES:
        return BAD_ADDRESS
    return "unreachable" if code in UNREACHABLE_CODES else REFUSED
