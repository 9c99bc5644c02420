"""What Twilio tells us, verified and read: pure, so that a forged, old or unreadable callback never becomes an event.

Twilio signs the address that it calls and every parameter that it posts with the account's token
(https://www.twilio.com/docs/usage/security#validating-requests). Event ids are made of what Twilio calls the message, so
the same callback told twice is one event.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from connectors.redis.deliveries import Contacted
from models.calendar import DAY, MINUTE, utc
from models.clock import Instant
from schemas.decode import Refusal
from schemas.envelope import Event
from schemas.interactions import (
    CallCompleted,
    ContactBounced,
    ContactDelivered,
    ContactFailed,
    ContactOpened,
    OptOutReceived,
    ReplyReceived,
)

SOURCE = "twilio"
WRONG_SIGNATURE, REPLAYED = "wrong_signature", "replayed_callback"
UNREADABLE, UNKNOWN_CONTACT = "unreadable_callback", "unknown_contact"

MOST_BYTES = 64 * 1024
MOST_FIELDS = 200
OLDEST = 2 * DAY
"""Twilio gives a callback up after hours; what says that it is older is sent by somebody else, again."""
SKEW = 5 * MINUTE

DEAD_NUMBERS = frozenset({"21211", "21614", "30005", "30006"})
"""Unknown number, and landline: the contact point is dead. 30003 = switched off or out of reach, for now."""
OPTED_OUT = "21610"
IN_PROGRESS = frozenset(
    {"accepted", "scheduled", "queued", "sending", "sent", "initiated", "ringing", "in-progress", "answered"}
)
"""Says nothing that is not known: the contact is on its way."""


class Told(msgspec.Struct, frozen=True):
    """One callback that was read."""

    sid: str
    status: str
    """Of a message or call; `received` = somebody has written to us."""
    at: Instant
    fields: dict[str, str]

    @property
    def telling(self) -> str:
        """The same for the same callback, whenever it comes."""
        return f"{self.sid}:{self.status}"


def signature(url: str, fields: Sequence[tuple[str, str]], token: str) -> str:
    """The header X-Twilio-Signature of a callback: HMAC-SHA1 of its address and its fields, sorted, in base64."""
    several: dict[str, set[str]] = {}
    for name, value in fields:
        several.setdefault(name, set()).add(value)
    signed = url + "".join(name + value for name in sorted(several) for value in sorted(several[name]))
    return base64.b64encode(hmac.new(token.encode(), _bytes(signed), hashlib.sha1).digest()).decode()


def _bytes(said: str) -> bytes:
    """As it came: what is no UTF-8 in a header or a query is a text with surrogates here."""
    return said.encode(errors="surrogateescape")


def form_of(body: bytes) -> list[tuple[str, str]] | Refusal:
    """The fields of a posted form."""
    if len(body) > MOST_BYTES:
        return Refusal(UNREADABLE, f"it has {len(body)} bytes; a callback has at most {MOST_BYTES}")
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError is one
        return Refusal(UNREADABLE, "it is no form (application/x-www-form-urlencoded)")


def verified(url: str, fields: Sequence[tuple[str, str]], said: str | None, token: str) -> Refusal | None:
    """Why a callback is not Twilio's; None = it is. Takes as long whatever is wrong with the signature.

    Args:
        url: as Twilio was told it, with the query that it called.
        said: the header X-Twilio-Signature.
    """
    if not token or not hmac.compare_digest(signature(url, fields, token).encode(), _bytes(said or "")):
        return Refusal(WRONG_SIGNATURE, "its signature is not of this address, these fields and our account's token")
    return None


def read(fields: Sequence[tuple[str, str]], account_sid: str, now: Instant) -> Told | Refusal:
    """A verified callback.

    Args:
        now: epoch milliseconds; also when it happened, where the callback does not say.
    """
    said = dict(fields)
    if said.get("AccountSid", account_sid) != account_sid:
        return Refusal(UNREADABLE, "it is of another account", "AccountSid")
    sid = said.get("MessageSid") or said.get("SmsSid") or said.get("CallSid") or ""
    if not (sid.isalnum() and len(sid) <= 64):
        return Refusal(UNREADABLE, "it names no message or call", "MessageSid")
    status = said.get("MessageStatus") or said.get("CallStatus") or ("received" if "Body" in said else "")
    if not status:
        return Refusal(UNREADABLE, "it has no status", "MessageStatus")
    at = now
    if "Timestamp" in said:
        try:
            at = round(parsedate_to_datetime(said["Timestamp"]).timestamp() * 1000)
        except (ValueError, OverflowError):
            return Refusal(UNREADABLE, "its time is none (RFC 2822)", "Timestamp")
        if not now - OLDEST <= at <= now + SKEW:
            return Refusal(REPLAYED, "it is older than any that Twilio still sends, or of tomorrow", "Timestamp")
    return Told(sid, status, min(at, now), said)


# -- what became of a contact -------------------------------------------------------------------------------------------


def events_of(told: Told, contacted: Contacted) -> list[Event] | Refusal:
    """What a status says about a contact; none = nothing that is not known."""
    status = told.status
    if status in IN_PROGRESS:
        return []
    if told.sid.startswith("CA"):
        return _of_call(told, contacted)
    code = told.fields.get("ErrorCode", "")
    match status:
        case "delivered":
            return [ContactDelivered(**_contact(told, contacted))]
        case "read":
            return [ContactOpened(**_contact(told, contacted))]
        case "undelivered":
            return [
                ContactBounced(
                    **_contact(told, contacted), permanent=code in DEAD_NUMBERS, code=_code("undelivered", code)
                )
            ]
        case "failed" | "canceled":
            found: list[Event] = [ContactFailed(**_contact(told, contacted), code=_code(status, code))]
            return [*found, *opt_outs(told, [contacted], told.fields.get("To"))] if code == OPTED_OUT else found
        case _:
            return Refusal(UNREADABLE, "its status is none that Twilio documents", "MessageStatus")


def _of_call(told: Told, contacted: Contacted) -> list[Event] | Refusal:
    answered_by = told.fields.get("AnsweredBy", "")
    match told.status:
        case "completed" if answered_by.startswith("machine"):
            return [_call(told, contacted, "voicemail")]
        case "completed" if answered_by == "fax":
            return [_call(told, contacted, "not_connected")]
        case "completed":  # a recorded message was heard: no conversation, which is between people
            return [ContactDelivered(**_contact(told, contacted))]
        case "no-answer":
            return [_call(told, contacted, "no_answer")]
        case "busy":
            return [_call(told, contacted, "not_connected")]
        case "failed" | "canceled":
            code = told.fields.get("ErrorCode") or told.fields.get("SipResponseCode", "")
            return [ContactFailed(**_contact(told, contacted), code=_code(told.status, code))]
        case _:
            return Refusal(UNREADABLE, "its status is none that Twilio documents", "CallStatus")


def _call(told: Told, contacted: Contacted, outcome: Any) -> CallCompleted:
    seconds = told.fields.get("CallDuration", "")
    return CallCompleted(
        **_envelope(told, contacted),
        outcome=outcome,
        mode=contacted.mode,  # type: ignore[arg-type]
        purpose=contacted.purpose,  # type: ignore[arg-type]
        contact_id=contacted.contact_id,
        handle_seconds=float(seconds) if seconds.isdecimal() else None,
    )


# -- what somebody has written ------------------------------------------------------------------------------------------


def answers(told: Told, reached: Sequence[Contacted], tenants_of_number: Sequence[str]) -> list[Event]:
    """What an incoming text says, to the accounts that it may be about.

    A STOP that Twilio has acted on ends texts of every tenant that reached the number, for that is what Twilio does. Any
    other text is a reply to the tenant whose number it came to, or else to the latest contact; START and HELP among them:
    whether a START is consent again is for a person, or for who reads replies.

    Args:
        reached: the latest contact of each tenant to the number, newest first; not empty.
        tenants_of_number: who sends from the number that was written to.
    """
    address = told.fields.get("From")
    if told.fields.get("OptOutType", "").upper() == "STOP":
        return [*opt_outs(told, reached, address)]
    its = next((one for one in reached if one.tenant_id in tenants_of_number), reached[0])
    text = told.fields.get("Body", "")
    return [
        ReplyReceived(
            **_envelope(told, its), channel="sms", text=text[:10_000], address=address, contact_id=its.contact_id
        )
    ]


def opt_outs(told: Told, reached: Sequence[Contacted], address: str | None) -> list[OptOutReceived]:
    """The opt-out from texts, on an account of each tenant."""
    return [
        OptOutReceived(
            **(_envelope(told, its) | {"event_id": f"{SOURCE}-{told.sid}-opt_out-{its.tenant_id}"}),
            channel="sms",
            address=address,
            received_by="sms",
        )
        for its in reached
    ]


def _contact(told: Told, contacted: Contacted) -> dict[str, Any]:
    return _envelope(told, contacted) | {
        "contact_id": contacted.contact_id,
        "channel": contacted.channel,
        "address": told.fields.get("To") or None,
    }


def _envelope(told: Told, contacted: Contacted) -> dict[str, Any]:
    return {
        "event_id": f"{SOURCE}-{told.sid}-{told.status}",
        "tenant_id": contacted.tenant_id,
        "account_id": contacted.account_id,
        "occurred_at": utc(told.at),
        "source": SOURCE,
    }


def _code(word: str, code: str) -> str:
    return f"{word}:{code}" if code.isdecimal() and len(code) <= 10 else word


def numbers_of(senders: Mapping[str, str], number: str | None) -> list[str]:
    """The tenants that send from a number.

    Args:
        senders: tenant -> its number.
    """
    return [tenant_id for tenant_id, its in senders.items() if number and its == number]
