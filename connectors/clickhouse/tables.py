"""Every table that lands a topic, and the columns that its rows fill; `migrations/*.sql` make them."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from schemas.registry import DEAD_LETTER_SUFFIX, dead_letter_topic, topics

MICROSECONDS = pa.timestamp("us", tz="UTC")
INT64_MAX = 2**63 - 1


def _integers(values: Sequence[int | None]) -> pa.Array:
    try:
        return pa.array(values, pa.int64())
    except OverflowError:  # a number that no column can hold is in the payload only
        return pa.array([v if v is None or -INT64_MAX <= v <= INT64_MAX else None for v in values], pa.int64())


def _milliseconds(values: Sequence[Any]) -> pa.Array:
    return pc.divide(pa.array(values, MICROSECONDS).cast(pa.int64()), 1000)


class Kind(msgspec.Struct, frozen=True, eq=False):
    """How the values of one kind travel from Structs to their column."""

    arrow: pa.DataType
    sent: str
    """The type in which `input()` receives it; null becomes the default of a type that is not Nullable."""
    columns: frozenset[str]
    """The types that the column may have."""
    expression: str = "{}"
    """How the INSERT turns what was sent into the column."""
    convert: Callable[[Sequence[Any]], pa.Array] | None = None

    def array(self, values: Sequence[Any]) -> pa.Array:
        """Values, or None where there is none, as Arrow."""
        return self.convert(values) if self.convert else pa.array(values, self.arrow)

    def absent(self, count: int) -> pa.Array:
        """As many rows without a value."""
        return pa.nulls(count, self.arrow)


TEXT = Kind(pa.string(), "String", frozenset({"String", "LowCardinality(String)"}))
TYPE = msgspec.structs.replace(TEXT)
"""The event's type, which is no field of its Struct but its tag."""
INTEGER = Kind(pa.int64(), "Nullable(Int64)", frozenset({"Nullable(Int64)"}), convert=_integers)
NUMBER = Kind(pa.float64(), "Nullable(Float64)", frozenset({"Nullable(Float64)"}))
FLAG = Kind(pa.bool_(), "Bool", frozenset({"Bool"}))
TEXTS = Kind(pa.list_(pa.string()), "Array(String)", frozenset({"Array(String)"}))
NUMBERS = Kind(pa.list_(pa.float64()), "Array(Nullable(Float64))", frozenset({"Array(Nullable(Float64))"}))
DAY = Kind(pa.date32(), "Nullable(Date32)", frozenset({"Nullable(Date32)"}))
MILLISECONDS = Kind(
    pa.int64(),
    "Nullable(Int64)",
    frozenset({"Nullable(DateTime64(3, 'UTC'))"}),
    "fromUnixTimestamp64Milli({}, 'UTC')",
)
"""Epoch milliseconds."""
INSTANT = msgspec.structs.replace(MILLISECONDS, convert=_milliseconds)
"""A datetime with a time zone."""
OCCURRED_AT = msgspec.structs.replace(
    INSTANT,
    columns=frozenset({"DateTime64(3, 'UTC')"}),
    expression="fromUnixTimestamp64Milli(ifNull({}, arrived_ms), 'UTC')",
)
"""A message that does not say when it occurred has the time of its arrival: the column orders the table."""


class Column(msgspec.Struct, frozen=True, eq=False):
    """One column that is filled from the field of the same name."""

    name: str
    kind: Kind


class Own(msgspec.Struct, frozen=True, eq=False):
    """What every row has from its place in Kafka instead of from its contents."""

    name: str
    arrow: pa.DataType
    sent: str
    fills: tuple[tuple[str, str], ...]
    """Columns, each with the expression that fills it."""


OWN = (
    Own("payload", pa.binary(), "String", (("payload", "payload"),)),
    Own("message_key", pa.binary(), "String", (("_key", "message_key"),)),
    Own("message_partition", pa.uint32(), "UInt32", (("_partition", "message_partition"),)),
    Own("message_offset", pa.uint64(), "UInt64", (("_offset", "message_offset"),)),
    Own("arrived_ms", pa.int64(), "Int64", (("_arrived_at", "fromUnixTimestamp64Milli(arrived_ms, 'UTC')"),)),
    Own("refusal", pa.string(), "String", (("refusal", "refusal"), ("valid", "refusal = ''"))),
)

BLOCK = ("_topic", "_block", "_block_at")
"""The same for all rows of a block, so they are written into its INSERT."""


class Table(msgspec.Struct, frozen=True, eq=False):
    """One table: the topics that it holds, and the columns it takes from their messages."""

    name: str
    topics: tuple[str, ...]
    columns: tuple[Column, ...]
    computed: tuple[str, ...] = ()
    """More columns, which no row fills: the server works them out from `payload` when it is inserted."""

    @property
    def schema(self) -> pa.Schema:
        """What is sent, as Arrow."""
        return pa.schema([(c.name, c.kind.arrow) for c in self.columns] + [(own.name, own.arrow) for own in OWN])

    @property
    def structure(self) -> str:
        """What is sent, as `input()` wants to be told."""
        sent = [(c.name, c.kind.sent) for c in self.columns] + [(own.name, own.sent) for own in OWN]
        return ", ".join(f"`{name}` {kind}" for name, kind in sent)

    @property
    def filled(self) -> list[tuple[str, str]]:
        """The columns that rows fill, each with its expression; those of BLOCK come on top."""
        from_contents = [(c.name, c.kind.expression.format(f"`{c.name}`")) for c in self.columns]
        return from_contents + [pair for own in OWN for pair in own.fills]


def _columns(**kinds: Kind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


def _of(kind: Kind, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names)


ENVELOPE = _columns(
    event_id=TEXT,
    type=TYPE,
    tenant_id=TEXT,
    account_id=TEXT,
    occurred_at=OCCURRED_AT,
    source=TEXT,
    schema_version=INTEGER,
    history=FLAG,
)

PAYLOADS: dict[str, tuple[Column, ...]] = {
    "payment-events": (
        *_of(TEXT, "invoice_id", "payment_id", "debt_id", "plan_id", "settlement_id", "adjustment_id", "reversal_id"),
        *_of(TEXT, "currency", "method", "delivery", "kind", "code", "reason"),
        *_of(INTEGER, "amount_minor", "instalment"),
        *_of(INSTANT, "due_at", "issued_at", "expected_at"),
        *_of(DAY, "due_on"),
        *_of(TEXTS, "invoice_ids"),
    ),
    "crm-events": (
        *_of(TEXT, "debt_id", "invoice_id", "dispute_id", "hold_id", "party_id", "contact_point_id"),
        *_of(TEXT, "segment", "language", "country", "state", "collector_role", "debt_class", "role"),
        *_of(TEXT, "channel", "scope", "kind", "outcome", "result", "reason", "currency"),
        *_of(INTEGER, "amount_minor"),
        *_of(INSTANT, "until"),
    ),
    "interaction-events": (
        *_of(TEXT, "contact_id", "decision_id", "promise_id", "complaint_id", "debt_id", "provider_message_id"),
        *_of(TEXT, "channel", "template", "purpose", "mode", "provider", "code", "outcome", "direction", "agent"),
        *_of(TEXT, "received_by", "category", "reason", "currency"),
        *_of(TEXT, "reply_id", "intent", "reader"),
        *_of(INTEGER, "amount_minor"),
        *_of(NUMBER, "handle_seconds"),
        *_of(FLAG, "permanent"),
        *_of(DAY, "due_on"),
        *_of(TEXTS, "invoice_ids"),
    ),
    "ledger-postings": (
        *_of(TEXT, "cause", "caused_by", "invoice_id", "currency"),
        *_of(DAY, "placed_on", "booked_on"),
        *_of(INTEGER, "cash_minor", "on_account_minor", "recovered_minor"),
        *_of(TEXT, "contact_id", "contact_channel"),
    ),
    "propensity-scores": (
        *_of(TEXT, "decision_id", "model", "features_id", "role", "target", "invoice_id", "band", "features_hash"),
        *_of(INTEGER, "horizon_days"),
        *_of(NUMBER, "probability", "expected_days", "uncertainty", "days_low", "days_high"),
        *_of(TEXTS, "reasons"),
        *_of(NUMBERS, "features"),
    ),
    "next-best-actions": (
        *_of(TEXT, "decision_id", "contact_id", "trigger", "action", "channel", "template", "step", "purpose"),
        *_of(TEXT, "policy", "model", "arm", "segment", "currency", "experiment"),
        *_of(INTEGER, "decision_no", "at_stake_minor"),
        *_of(NUMBER, "score", "pay_wait", "hold_out", "explore"),
        *_of(INSTANT, "review_at"),
        *_of(TEXTS, "invoice_ids", "reasons", "promises_kept", "promises_broken"),
    ),
    "contact-requests": (
        *_of(TEXT, "decision_id", "contact_id", "idempotency_key", "debt_id"),
        *_of(TEXT, "channel", "template", "purpose", "mode", "language"),
        *_of(INSTANT, "not_before", "expires_at"),
        *_of(TEXTS, "invoice_ids"),
    ),
    "customer-events": (
        *_of(TEXT, "invoice_id", "promise_id", "decision_id", "currency", "reason", "to"),
        *_of(TEXT, "model", "feature", "statistic"),
        *_of(INTEGER, "open_minor", "amount_minor", "paid_minor", "days_past_due", "n"),
        *_of(NUMBER, "value", "threshold"),
        *_of(DAY, "due_on"),
    ),
    "agent-metrics": (
        *_of(TEXT, "job"),
        *_of(INTEGER, "slot", "partitions", "events", "applied", "dropped", "dead_lettered", "scores", "decisions"),
        *_of(INTEGER, "contacts", "rows", "batches", "lag", "memory_bytes"),
        *_of(NUMBER, "seconds", "batch_ms_p50", "batch_ms_p99", "event_to_result_ms_p50", "event_to_result_ms_p99"),
        *_of(NUMBER, "cpu_seconds"),
    ),
    "audit-logs": (
        *_of(TEXT, "action", "actor", "subject", "previous", "hash", "chain"),
        *_of(TEXTS, "records"),
        *_of(INTEGER, "sequence"),
    ),
    "tenants": (
        *_of(TEXT, "name", "time_zone", "country", "state", "collector_role", "debt_class"),
        *_of(INSTANT, "live_since"),
        *_of(TEXTS, "currencies"),
    ),
    "templates": (
        *_of(TEXT, "template", "channel", "language", "subject", "purpose", "mode", "occasion", "registered_by"),
    ),
    "model-releases": (
        *_of(TEXT, "role", "model", "location", "features_hash", "target", "released_by", "override"),
        *_of(TEXT, "moment", "signature"),
        *_of(TEXTS, "previous"),
    ),
    "policy-releases": (
        *_of(TEXT, "role", "policy", "location", "experiment", "released_by", "signature"),
        *_of(NUMBER, "explore_share", "hold_out_share"),
        *_of(INSTANT, "ends_at"),
    ),
}
"""Topic -> the fields of its types that are columns. The rest is in `payload`."""

COMPUTED: dict[str, tuple[str, ...]] = {"ledger-postings": ("lines",), "next-best-actions": ("candidates",)}
"""Topic -> the columns with a DEFAULT that reads them from `payload`."""

DEAD_LETTERS = "dead_letters"

DEAD_LETTER_COLUMNS = (
    *_columns(tenant_id=TEXT, account_id=TEXT, occurred_at=OCCURRED_AT),
    *_of(TEXT, "reason", "field", "detail", "source_topic"),
    *_of(INTEGER, "source_partition", "source_offset", "attempt"),
    *_of(MILLISECONDS, "first_seen"),
)
"""What the headers and the key of a dead letter say; its value is what could not be read."""


@cache
def tables() -> dict[str, Table]:
    """Every table by name: one for each topic, and one for all dead letters."""
    landed = [
        Table(table_name(topic), (topic,), ENVELOPE + columns, COMPUTED.get(topic, ()))
        for topic, columns in PAYLOADS.items()
    ]
    refused = tuple(dead_letter_topic(topic.name) for topic in topics().values() if topic.dead_letters)
    landed.append(Table(DEAD_LETTERS, refused, DEAD_LETTER_COLUMNS))
    return {table.name: table for table in landed}


def table_of(topic: str) -> Table:
    """The table that a topic lands in."""
    return tables()[table_name(topic)]


def table_name(topic: str) -> str:
    """`payment-events` -> `payment_events`; every `*.dlq` -> `dead_letters`."""
    return DEAD_LETTERS if topic.endswith(DEAD_LETTER_SUFFIX) else topic.replace("-", "_")


def landed_topics(chosen: Iterable[Table] | None = None) -> list[str]:
    """Every topic that is landed, or those of the chosen tables."""
    return sorted(topic for table in (tables().values() if chosen is None else chosen) for topic in table.topics)
