"""Messages of one topic to the rows of its table: one row for each message, whatever is wrong with it."""

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors.clickhouse.tables import DEAD_LETTERS, OCCURRED_AT, TYPE, Column, Table, table_of
from schemas.dead_letters import CONNECT, Headers
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import EARLIEST, Control, Event, type_of

ANY_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)
"""Whether an event lies in the future depends on when it is asked, so it is no property of the row."""


class Record(Protocol):
    """What a row needs of a Kafka message."""

    def value(self) -> bytes | None: ...
    def key(self) -> bytes | None: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def timestamp(self) -> tuple[int, int]: ...
    def headers(self) -> Headers | None: ...


Groups = list[tuple[type[msgspec.Struct], list[Any]]]
"""Types, each with its events."""


Arrivals = npt.NDArray[np.int64]


class Rows(msgspec.Struct, frozen=True):
    """Rows ready to be sent."""

    body: bytes
    """An Arrow stream of exactly one record batch: cut into several, the server would not know it by its token."""
    count: int
    refused: int
    """How many break their topic's contract: `valid = 0`, no values, only the bytes as they came."""
    arrived: Arrivals
    """When each message arrived in Kafka, in epoch milliseconds."""


class RowReader:
    """Reads the messages of one topic."""

    def __init__(self, topic: str) -> None:
        self.table: Table = table_of(topic)
        self._schema = self.table.schema
        self._decode = _dead_letter if self.table.name == DEAD_LETTERS else _event(topic)

    def __call__(self, messages: Sequence[Record]) -> Rows:
        """One row for each message. Rows of one type stand together: their order is the table's affair."""
        events = list(map(self._decode, messages))
        kinds = list(map(type, events))
        if len(set(kinds)) > 1:
            order = sorted(range(len(events)), key=list(map(id, kinds)).__getitem__)
            events, messages = [events[i] for i in order], [messages[i] for i in order]
        groups = [(kind, list(group)) for kind, group in itertools.groupby(events, type)]
        arrays = [_column(column, groups) for column in self.table.columns]
        arrived = np.array([message.timestamp()[1] for message in messages], dtype=np.int64)
        arrays += [
            pa.array([message.value() or b"" for message in messages], pa.binary()),
            pa.array([message.key() or b"" for message in messages], pa.binary()),
            pa.array([message.partition() for message in messages], pa.uint32()),
            pa.array([message.offset() for message in messages], pa.uint64()),
            pa.array(arrived),
            _refusals(groups),
        ]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._schema) as stream:
            stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        refused = sum(len(group) for kind, group in groups if kind is Refusal)
        return Rows(body=sink.getvalue().to_pybytes(), count=len(events), refused=refused, arrived=arrived)


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """What the headers and the key of a dead letter say."""

    tenant_id: str
    account_id: str
    reason: str
    field: str
    detail: str
    source_topic: str
    source_partition: int | None
    source_offset: int | None
    attempt: int | None
    first_seen: int | None


def _event(topic: str) -> Callable[[Record], Any]:
    decode = TopicDecoder(topic)
    return lambda message: decode(message.value(), message.key(), ANY_TIME, message.headers())


def _dead_letter(message: Record) -> DeadLetter | Refusal:
    said = dict(message.headers() or ())
    if "reason" not in said:
        return Refusal("missing_field", "a dead letter without a reason", "reason")
    tenant_id, _, account_id = _text(message.key() or b"").partition("|")
    return DeadLetter(
        tenant_id=tenant_id,
        account_id=account_id,
        reason=_text(said["reason"]),
        field=_text(said.get("field", b"")),
        detail=_text(said.get(f"{CONNECT}exception.message", b"")),
        source_topic=_text(said.get(f"{CONNECT}topic", b"")),
        source_partition=_number(said.get(f"{CONNECT}partition")),
        source_offset=_number(said.get(f"{CONNECT}offset")),
        attempt=_number(said.get("attempt")),
        first_seen=_number(said.get("first_seen")),
    )


def _text(raw: bytes) -> str:
    return (raw or b"").decode(errors="replace")  # a header may be null, whatever the types say


def _number(raw: bytes | None) -> int | None:
    return int(raw) if raw is not None and raw.isascii() and raw.isdigit() and len(raw) < 19 else None


def _column(column: Column, groups: Groups) -> pa.Array:
    pieces = [_piece(column, kind, events) for kind, events in groups] or [column.kind.absent(0)]
    return pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces)


def _piece(column: Column, kind: type[msgspec.Struct], events: list[Any]) -> pa.Array:
    if column.kind is TYPE and issubclass(kind, Event):
        return pa.repeat(type_of(kind), len(events))
    if kind is Refusal or column.name not in kind.__struct_fields__:
        return column.kind.absent(len(events))
    values = list(map(attrgetter(column.name), events))
    if column.kind is OCCURRED_AT and issubclass(kind, Control):
        values = [None if value == EARLIEST else value for value in values]  # a setting need not say since when
    return column.kind.array(values)


def _refusals(groups: Groups) -> pa.Array:
    return pa.concat_arrays(
        [
            pa.array([event.reason for event in events], pa.string()) if kind is Refusal else pa.repeat("", len(events))
            for kind, events in groups
        ]
        or [pa.array([], pa.string())]
    )
