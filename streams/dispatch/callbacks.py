"""The pages that providers call: each true callback becomes its event once, and everything else is refused and recorded.

A callback is answered with 200 only after Kafka has its event; until then its sender may tell it again, and the event's id
is the same. What is refused leaves a dead letter of interaction-events: the form as it came if it was signed, nothing of it
if it was not, for then anybody may have sent it, and nothing of what was told before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import faust
import msgspec
import structlog
from confluent_kafka import KafkaException, Producer
from faust.web import Request, Response, View
from redis.exceptions import RedisError

from connectors.channels import callbacks
from connectors.channels.callbacks import REPLAYED, UNKNOWN_CONTACT, WRONG_SIGNATURE, Told
from connectors.channels.settings import TwilioSettings
from connectors.channels.twilio import ANSWER_PATH, STATUS_PATH
from connectors.kafka.publisher import Record
from connectors.redis.deliveries import Deliveries
from models.clock import Clock, Instant
from schemas.control import Tenant
from schemas.dead_letters import dead_letter_headers
from schemas.decode import Refusal
from schemas.envelope import Event, account_key
from schemas.errors import NotReady
from schemas.registry import dead_letter_topic
from streams import metrics
from streams.dispatch.outcome import INTERACTIONS

PROVIDER = "twilio"
PAGES = "/twilio"
"""Where the worker serves them; a proxy leads `callback_url` here."""
PUBLISH_SECONDS = 10.0
UNSIGNED_A_MINUTE = 60
"""Dead letters of callbacks that are forged or told before: more are only counted, for anybody can send them, the latter
once they have seen one."""

SILENCE = b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
"""TwiML: nothing is answered to a text here; what is, is decided elsewhere."""

log = structlog.get_logger()
encode = msgspec.json.Encoder().encode
Publish = Callable[[Sequence[Record]], Awaitable[None]]


class Called(msgspec.Struct, frozen=True):
    """What a page is called with."""

    headers: Mapping[str, str]
    """Names in any case."""
    query: Mapping[str, str]
    raw_query: str
    """As it was called, for the signature is over that."""
    body: bytes


class Desk:
    """Takes callbacks of one Twilio account.

    Args:
        tenants: by id; whose number an answer came to.
        publish: returns when Kafka has the records; raises NotReady when it does not take them.
    """

    def __init__(
        self,
        *,
        settings: TwilioSettings,
        deliveries: Deliveries,
        tenants: Mapping[str, Tenant],
        publish: Publish,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.deliveries = deliveries
        self.tenants = tenants
        self.publish = publish
        self.clock = clock
        self._minute: Instant = 0
        self._unsigned = 0

    async def status(self, called: Called) -> int:
        """What became of a contact; the HTTP status that is answered."""
        return await self._take(called, STATUS_PATH, self._of_status)

    async def answer(self, called: Called) -> int:
        """What somebody has written; the HTTP status that is answered."""
        return await self._take(called, ANSWER_PATH, self._of_answer)

    async def _take(
        self, called: Called, path: str, read: Callable[[Called, Told], Awaitable[list[Event] | Refusal]]
    ) -> int:
        try:
            form = callbacks.form_of(called.body)
            if isinstance(form, Refusal):
                return await self._refuse(form, None)
            if (forged := self._forged(called, path, form)) is not None:
                return await self._refuse(forged, None)
            told = callbacks.read(form, self.settings.account_sid, self.clock.now())
            if isinstance(told, Refusal):
                return await self._refuse(told, called.body)
            if await self.deliveries.is_told(told.telling):
                # Mostly its 200 was lost. What it told is an event already: a second copy of it is no help.
                return await self._refuse(Refusal(REPLAYED, "it was told before"), None)
            events = await read(called, told)
            if isinstance(events, Refusal):
                return await self._refuse(events, called.body)
            await self.publish([_record(event) for event in events])
            await self.deliveries.tell(told.telling)
        except (RedisError, NotReady) as error:
            log.warning("callback put off", provider=PROVIDER, error=type(error).__name__)
            metrics.CALLBACKS.labels(PROVIDER, "put_off").inc()
            return 503
        metrics.CALLBACKS.labels(PROVIDER, "told" if events else "nothing_new").inc()
        return 200

    def _forged(self, called: Called, path: str, form: Sequence[tuple[str, str]]) -> Refusal | None:
        query = f"?{called.raw_query}" if called.raw_query else ""
        url = f"{self.settings.callback_url}{path}{query}"
        token = self.settings.auth_token.get_secret_value()
        return callbacks.verified(url, form, called.headers.get("X-Twilio-Signature"), token)

    async def _of_status(self, called: Called, told: Told) -> list[Event] | Refusal:
        contacted = await self.deliveries.contacted(called.query.get("contact", ""))
        if contacted is None:
            return Refusal(UNKNOWN_CONTACT, "no such contact was handed over in the last 30 days", "contact")
        return callbacks.events_of(told, contacted)

    async def _of_answer(self, _called: Called, told: Told) -> list[Event] | Refusal:
        reached = await self.deliveries.reached_at(told.fields.get("From", ""))
        if not reached:
            what = "a STOP" if told.fields.get("OptOutType", "").upper() == "STOP" else "an answer"
            return Refusal(UNKNOWN_CONTACT, f"{what} of whom nobody has contacted in the last five years", "From")
        numbers = {tenant_id: tenant.sender.number for tenant_id, tenant in self.tenants.items()}
        return callbacks.answers(told, reached, callbacks.numbers_of(numbers, told.fields.get("To")))

    async def _refuse(self, refusal: Refusal, signed: bytes | None) -> int:
        """Count it, leave a dead letter, and say no: 403 to who may not, 404 to who means nobody, 400 to the rest.

        Args:
            signed: the form, when the account's token has signed it and it has not been told before.
        """
        metrics.CALLBACKS.labels(PROVIDER, refusal.reason).inc()
        log.warning("callback refused", provider=PROVIDER, reason=refusal.reason, detail=refusal.detail)
        if signed is not None or self._may_record():
            await self.publish([self._dead_letter(refusal, signed or b"")])
        return {WRONG_SIGNATURE: 403, REPLAYED: 403, UNKNOWN_CONTACT: 404}.get(refusal.reason, 400)

    def _may_record(self) -> bool:
        minute = self.clock.now() // 60_000
        if minute != self._minute:
            self._minute, self._unsigned = minute, 0
        self._unsigned += 1
        return self._unsigned <= UNSIGNED_A_MINUTE

    def _dead_letter(self, refusal: Refusal, body: bytes) -> Record:
        now = self.clock.now()
        headers = dead_letter_headers(
            topic=INTERACTIONS,
            partition=-1,  # it has never been a message
            offset=-1,
            timestamp_ms=now,
            original_headers=[("provider", PROVIDER.encode())],
            refusal=refusal,
            first_seen_ms=now,
            attempt=1,
        )
        return dead_letter_topic(INTERACTIONS), None, body, headers


def serve_callbacks(app: faust.App, desk: Desk) -> None:
    """Serve the pages, where a proxy leads what Twilio calls."""

    @app.page(f"{PAGES}{STATUS_PATH}")
    class Status(View):
        """What became of a contact."""

        async def post(self, request: Request) -> Response:
            return self.bytes(b"", content_type="text/plain", status=await desk.status(await _called(request)))

    @app.page(f"{PAGES}{ANSWER_PATH}")
    class Answer(View):
        """What somebody has written."""

        async def post(self, request: Request) -> Response:
            return self.bytes(SILENCE, content_type="text/xml", status=await desk.answer(await _called(request)))


def publishing(producer: Producer, seconds: float = PUBLISH_SECONDS) -> Publish:
    """A way to publish from the event loop that returns when the broker has the records."""

    def send(records: Sequence[Record]) -> None:
        refused: list[str] = []

        def answered(error: Any, _message: Any) -> None:
            if error is not None:
                refused.append(error.name())

        try:
            for topic, key, value, headers in records:
                producer.produce(topic, value, key, headers=[*headers] if headers else None, on_delivery=answered)
        except (BufferError, KafkaException) as error:
            raise NotReady(f"Kafka takes no callbacks now ({type(error).__name__}).") from error
        if producer.flush(seconds) or refused:
            raise NotReady(f"Kafka did not take what a callback told ({', '.join(refused) or 'no answer'}).")

    lock = asyncio.Lock()

    async def publish(records: Sequence[Record]) -> None:
        if not records:
            return
        async with lock:  # calls of one client stay apart
            await asyncio.to_thread(send, records)

    return publish


def _record(event: Event) -> Record:
    return INTERACTIONS, account_key(event.tenant_id, event.account_id), encode(event), None


async def _called(request: Request) -> Called:
    of_aiohttp: Any = request  # Faust's contract lacks what aiohttp's request has
    url = of_aiohttp.rel_url
    return Called(of_aiohttp.headers, url.query, url.raw_query_string, await request.read())
