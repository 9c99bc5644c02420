"""Bytes of a topic to a Struct, or to a named reason why not; nothing that a producer sends makes it raise.

A good message costs one pass of msgspec and four comparisons. Only a bad one is looked at again, to say what is wrong
with it. A refusal names the field and what was expected there, never a value: it may be personal data.
"""

import datetime as dt
import re
from typing import Any, Union

import msgspec

from schemas.cloudevents import Headers, contradicted
from schemas.currencies import CURRENCIES
from schemas.dates import FIRST_YEAR, LAST_YEAR, dates_in, misdated
from schemas.envelope import EARLIEST, Event
from schemas.registry import DEAD_LETTER_SUFFIX, Topic, topic_named
from schemas.replay import ReplayMarker

REASONS = (
    "empty_value",
    "oversize",
    "not_utf8",
    "not_json",
    "not_an_object",
    "unknown_type",
    "unknown_version",
    "missing_field",
    "wrong_field",
    "negative_money",
    "non_integer_money",
    "unknown_currency",
    "key_mismatch",
    "absurd_time",
    "future_time",
    # Found after decoding, by what knows the tenants, the account or the stack.
    "unknown_tenant",
    "currency_mismatch",
    "replay_in_live_stack",
    # Callbacks of providers, which are no messages yet.
    "wrong_signature",
    "replayed_callback",
    "unreadable_callback",
    "unknown_contact",
)
"""Every reason that a message can be refused for."""

_PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>\w+)`")
_PLACE = re.compile(r"\[[^]]*\]")
_STEP = re.compile(r"\[[^]]*\]|[^.\[]+")
_EXPECTED = re.compile(r"^(Expected |Invalid RFC3339)")


class Refusal(msgspec.Struct, frozen=True):
    """Why a message is not taken: a reason of REASONS, and what to mend."""

    reason: str
    detail: str
    field: str | None = None


class _Unregistered(Event, frozen=True, kw_only=True, tag="unregistered"):
    """A type of no topic."""


class TopicDecoder:
    """Decodes the messages of one topic."""

    def __init__(self, topic: str, max_bytes: int | None = None) -> None:
        """Larger messages than `max_bytes` (by default what the registry allows on the topic) are refused."""
        self.topic: Topic = topic_named(topic.removesuffix(DEAD_LETTER_SUFFIX))
        self.max_bytes = self.topic.max_message_bytes if max_bytes is None else max_bytes
        structs = tuple(spec.struct for spec in self.topic.types.values())
        # A Struct that stands alone may leave its `type` out; one of two may not.
        self._decode = msgspec.json.Decoder(Union[(*structs, _Unregistered)]).decode
        self._kinds = {spec.struct: (spec.version, dates_in(spec.struct)) for spec in self.topic.types.values()}
        self._key_fields = tuple(self.topic.key.split("|"))
        self._by_account = self._key_fields == ("tenant_id", "account_id")

    def __call__(
        self, value: bytes | None, key: bytes | None, latest: dt.datetime, headers: Headers | None = None
    ) -> Event | Refusal:
        """The message as its Struct, or why it is refused.

        `latest`: nothing may have occurred after it. `headers`: those of CloudEvents must not contradict the message.
        """
        try:
            if len(value) <= self.max_bytes:  # type: ignore[arg-type]
                # msgspec skips unknown fields without asking whether they are UTF-8, so the whole text is.
                event: Event = self._decode(value.decode())  # type: ignore[union-attr]
                kind = type(event)
                version, dates = self._kinds[kind]
                if (
                    kind is not ReplayMarker
                    and version == event.schema_version
                    and EARLIEST <= event.occurred_at <= latest
                    and key
                    == (f"{event.tenant_id}|{event.account_id}".encode() if self._by_account else self.key_of(event))
                    and (not dates or misdated(event, dates) is None)
                    and (not headers or contradicted(headers, event) is None)
                ):
                    return event
        except Exception:  # noqa: BLE001, S110 - whatever is wrong is named below
            pass
        return self._look_again(value, key, latest, headers or ())

    def key_of(self, event: Event) -> bytes | None:
        """The key that the message must have; a replay marker has none."""
        if type(event) is ReplayMarker:
            return None
        return "|".join([getattr(event, name) for name in self._key_fields]).encode()

    def _look_again(
        self, value: bytes | None, key: bytes | None, latest: dt.datetime, headers: Headers
    ) -> Event | Refusal:
        if not value:
            return Refusal("empty_value", "the message has no value")
        if len(value) > self.max_bytes:
            return Refusal("oversize", f"{len(value)} bytes, at most {self.max_bytes} are taken")
        try:
            parsed = msgspec.json.decode(value.decode())
        except UnicodeDecodeError as error:
            return Refusal("not_utf8", f"byte {error.start} is not UTF-8")
        except msgspec.DecodeError as error:
            return Refusal("not_json", str(error))
        except RecursionError:
            return Refusal("not_json", "nested too deeply")
        if not isinstance(parsed, dict):
            return Refusal("not_an_object", "the message is JSON, but not an object")
        return self._wrong_kind(parsed) or self._wrong_content(value, parsed, key, latest, headers)

    def _wrong_kind(self, parsed: dict[str, Any]) -> Refusal | None:
        if "type" not in parsed:
            return Refusal("missing_field", "a required field is missing", "type")
        kind = parsed["type"]
        if not isinstance(kind, str):
            return Refusal("wrong_field", "expected a string", "type")
        if kind not in self.topic.types:
            return Refusal("unknown_type", f"see schemas/topics/{self.topic.name}.yaml for the types", "type")
        version, taken = parsed.get("schema_version", 1), self.topic.types[kind].version
        if type(version) is int and version >= 1 and version != taken:
            return Refusal("unknown_version", f"version {taken} is taken", "schema_version")
        return None

    def _wrong_content(
        self, value: bytes, parsed: dict[str, Any], key: bytes | None, latest: dt.datetime, headers: Headers
    ) -> Event | Refusal:
        try:
            event: Event = self._decode(value.decode())
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            return _wrong_field(str(error), parsed)
        if key != self.key_of(event):
            wanted = "none, for it belongs to all accounts" if type(event) is ReplayMarker else self.topic.key
            return Refusal("key_mismatch", f"the key must be {wanted}", "key")
        if event.occurred_at < EARLIEST:
            return Refusal("absurd_time", f"before {FIRST_YEAR}", "occurred_at")
        if event.occurred_at > latest:
            return Refusal("future_time", "later than the clock allows", "occurred_at")
        if (field := misdated(event, self._kinds[type(event)][1])) is not None:
            return Refusal("absurd_time", f"not in the years {FIRST_YEAR} to {LAST_YEAR}", field)
        if (header := contradicted(headers, event)) is not None:
            return Refusal("wrong_field", "the CloudEvents header is missing or contradicts the message", header)
        return event


def _wrong_field(message: str, parsed: dict[str, Any]) -> Refusal:
    """Make a reason out of what msgspec says, without any value that it quotes."""
    path = found["path"] if (found := _PATH.search(message)) else ""
    if missing := _MISSING.match(message):
        return Refusal("missing_field", "a required field is missing", ".".join(filter(None, [path, missing["name"]])))
    name = _PLACE.sub("", path.rpartition(".")[2])
    sent = _at(parsed, path)
    if name.endswith("_minor"):
        if type(sent) is int and sent <= 0:
            return Refusal("negative_money", "expected at least 1 minor unit", path)
        if type(sent) in (float, str):
            return Refusal("non_integer_money", "expected an integer of minor units", path)
    if name in ("currency", "currencies") and type(sent) is str and sent not in CURRENCIES:
        return Refusal("unknown_currency", "not a currency of ISO 4217", path)
    wanted = _PATH.sub("", message)
    detail = wanted[0].lower() + wanted[1:] if _EXPECTED.match(wanted) else "not one of the values allowed here"
    return Refusal("wrong_field", detail, path or None)


def _at(parsed: Any, path: str) -> Any:
    """What was sent at a path such as `allocations[1].amount_minor`; None when the path is not that precise."""
    for step in _STEP.findall(path):
        try:
            parsed = parsed[int(step[1:-1])] if step.startswith("[") else parsed[step]
        except (LookupError, TypeError, ValueError):
            return None
    return parsed
