"""Ways in which a message can be bad: each makes one of a good message, and says why it must be refused."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from recoup.simulator.deeds import PAYMENTS
from schemas.envelope import account_key
from schemas.registry import topic_named


class Fault(msgspec.Struct, frozen=True):
    """What is done to a good message, and the reason for which the outcome must be refused."""

    reason: str
    fields: dict[str, Any] = {}
    """Put in the place of the good ones."""
    without: str = ""
    key: Callable[[dict[str, Any], bytes], bytes] | None = None
    value: Callable[[bytes], bytes] | None = None
    """What becomes of the encoded message."""


ANYWHERE = (
    Fault("empty_value", value=lambda whole: whole[:0]),
    Fault("not_json", value=lambda whole: whole[: len(whole) // 2]),
    Fault("not_utf8", fields={"note": "@@@"}, value=lambda whole: whole.replace(b"@@@", b"\xff\xfe\xfd")),
    Fault("not_an_object", value=lambda whole: b"[" + whole + b"]"),
    Fault("unknown_type", fields={"type": "payment.imagined"}),
    Fault("unknown_version", fields={"schema_version": 99}),
    Fault("missing_field", without="event_id"),
    Fault("wrong_field", fields={"source": 7}),
    Fault("key_mismatch", key=lambda fields, key: key + b"-other"),
    Fault("absurd_time", fields={"occurred_at": "0001-01-01T00:00:00Z"}),
    Fault("future_time", fields={"occurred_at": "2199-12-31T00:00:00Z"}),
    Fault(
        "unknown_tenant",
        fields={"tenant_id": "unlisted"},
        key=lambda fields, key: account_key("unlisted", fields["account_id"]),
    ),
)
"""What any message can suffer."""

WITH_MONEY = (
    Fault("negative_money", fields={"amount_minor": -100}),
    Fault("non_integer_money", fields={"amount_minor": 12.5}),
    Fault("unknown_currency", fields={"currency": "XXX"}),
)
"""What an `invoice.issued` or a `payment.received` can."""

OVERSIZE_SHARE = 0.02
"""Of the bad messages: they are large, and a few are enough."""


def spoil(random: Random, key: bytes, value: bytes) -> tuple[str, bytes, bytes]:
    """A bad message made of a good one: the reason for which it must be refused, key and value."""
    fields: dict[str, Any] = msgspec.json.decode(value)
    fault = random.choice(_possible(fields)) if random.random() >= OVERSIZE_SHARE else _oversize()
    fields |= fault.fields
    fields.pop(fault.without, None)
    if fault.key is not None:
        key = fault.key(fields, key)
    spoilt = msgspec.json.encode(fields)
    return fault.reason, key, spoilt if fault.value is None else fault.value(spoilt)


def _possible(fields: dict[str, Any]) -> tuple[Fault, ...]:
    if fields["type"] not in ("invoice.issued", "payment.received"):
        return ANYWHERE
    if not fields.get("allocations"):
        return ANYWHERE + WITH_MONEY
    return (*ANYWHERE, *WITH_MONEY, _other_currency(fields))


def _other_currency(fields: dict[str, Any]) -> Fault:
    """The same invoice paid in a currency that it is not in, as a payment of its own."""
    own = {name: f"{fields[name]}-bad" for name in ("event_id", "payment_id")}
    return Fault("currency_mismatch", fields=own | {"currency": "NOK" if fields["currency"] == "CHF" else "CHF"})


def _oversize() -> Fault:
    return Fault("oversize", fields={"note": "x" * topic_named(PAYMENTS).max_message_bytes})
