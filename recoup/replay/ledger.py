"""A CSV ledger as events in the order of their time, every row accounted for.

A row that cannot be read is an error that names its line and column; or, when bad rows are to be skipped, a message
that the pipeline refuses, so that it lands in the dead letters with its reason.
"""

import datetime as dt
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from models.calendar import utc
from models.clock import Instant
from recoup.replay.accounts import Accounts
from recoup.replay.cells import Cells
from recoup.replay.csv_file import Row, read_rows
from recoup.replay.mapping import Mapping
from recoup.replay.rows import Draft, Fault, RowReader, Told
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import account_key
from schemas.errors import BadInput

PAYMENTS, CRM = "payment-events", "crm-events"
TOPIC_OF = {
    "account.updated": CRM,
    "contact_point.updated": CRM,
    "invoice.issued": PAYMENTS,
    "dispute.opened": CRM,
    "payment.received": PAYMENTS,
    "dispute.resolved": CRM,
}
"""The types that a ledger makes, in the order in which those of one instant happen."""
RANK = {kind: rank for rank, kind in enumerate(TOPIC_OF)}

ANY_TIME = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
SHOWN_FAULTS = 10

encode = msgspec.json.Encoder().encode


class Sent(msgspec.Struct, frozen=True, order=True):
    """One message, in the order in which it is sent."""

    at: Instant
    rank: int
    event_id: str
    topic: str
    key: bytes
    value: bytes
    known_at: Instant = 0
    """When it became known; a replay goes by `at`."""
    dated: bool = True
    """The ledger says when it happened; else `at` is taken for granted."""


class Ledger(msgspec.Struct):
    """A whole ledger, read and checked."""

    messages: list[Sent]
    """Sorted."""
    rows: int
    invoices: int
    """Different ones, without those that are refused."""
    accounts: int
    paid_minor: dict[str, int]
    """Currency -> what was paid, each payment once."""
    currencies: set[str]
    faults: list[Fault]
    repeated: int
    """Rows that say again, word for word, what an earlier one said."""


def read_ledger(
    path: Path,
    mapping: Mapping,
    mapping_name: str,
    cells: Cells,
    *,
    source: str = "replay",
    history: bool = False,
    skip_bad: bool = False,
) -> Ledger:
    """Read a ledger whole.

    Args:
        cells: reads the cells, on the ledger's clock.
        source: who says so.
        history: the events are folded and never decided on.
        skip_bad: turn rows that cannot be read into messages that will be refused.

    Raises:
        BadInput: the file cannot be read, or a row and `skip_bad` is not set.
    """
    collector = Collector(mapping, cells, source, history=history)
    for row in read_rows(path, mapping, mapping_name):
        collector.take(row)
    ledger = collector.ledger()
    if ledger.faults and not skip_bad:
        raise BadInput(
            report(path, ledger, "nothing has been sent. Mend the file, or pass --skip-bad to dead-letter such rows")
        )
    if not ledger.messages:
        raise BadInput(f"{path}: holds a header and no rows.")
    return ledger


def report(path: Path, ledger: Ledger, advice: str) -> str:
    """The first faults of a ledger, each with its line and column, and what to do."""
    faults = sorted(ledger.faults, key=lambda fault: fault.line)
    lines = [f"{path.name} line {fault.line}, column {fault.column}: {fault.says}." for fault in faults[:SHOWN_FAULTS]]
    if len(faults) > SHOWN_FAULTS:
        lines.append(f"... and {len(faults) - SHOWN_FAULTS} more.")
    lines.append(f"{ledger.rows} rows were read; {advice}.")
    return "\n  ".join(lines)


class Collector:
    """Turns rows into messages, asks the contract about each, and adds up what it will take."""

    def __init__(self, mapping: Mapping, cells: Cells, source: str, *, history: bool) -> None:
        self.mapping = mapping
        self.read = RowReader(mapping, cells)
        self.now = cells.now
        self.envelope: dict[str, Any] = {"tenant_id": mapping.tenant_id, "source": source}
        if history:
            self.envelope["history"] = True
        self.decoders = {topic: TopicDecoder(topic) for topic in (PAYMENTS, CRM)}
        self.accounts = Accounts(mapping)
        self.sent: list[Sent] = []
        self.undated: list[Sent] = []
        self.invoices: set[str] = set()
        self.accounts_with_events: set[str] = set()
        self.paid: dict[str, tuple[str, int]] = {}
        self.currencies: set[str] = set()
        self.columns = {field: column for column, field in mapping.columns().items()}

    def take(self, row: Row) -> Told:
        """Take one row, and say what it tells."""
        told = self.read(row)
        if told.account_id and told.drafts:
            first = told.drafts[0]
            self.accounts.see(row, told.account_id, first.at, told.name, first.known_at)
        for draft in told.drafts:
            self._send(row.line, draft, told.account_id, draft.name or told.name)
        return told

    def ledger(self) -> Ledger:
        """All that was taken."""
        for change in self.accounts.changes():
            draft = Draft(change.kind, change.fields, change.at, known_at=change.known_at)
            self._send(change.line, draft, change.account_id, change.name)
        first = min((sent.at for sent in self.sent), default=self.now)
        messages = self.sent + [msgspec.structs.replace(sent, at=first) for sent in self.undated]
        messages.sort()
        paid: dict[str, int] = {}
        for currency, minor in self.paid.values():
            paid[currency] = paid.get(currency, 0) + minor
        return Ledger(
            messages=messages,
            rows=self.read.rows,
            invoices=len(self.invoices),
            accounts=len(self.accounts_with_events),
            paid_minor=paid,
            currencies=self.currencies or {self.mapping.currency},
            faults=self.read.faults,
            repeated=self.read.repeated,
        )

    def _send(self, line: int, draft: Draft, account_id: str, name: str) -> None:
        """Encode a draft, ask the contract whether the pipeline will take it, and keep it."""
        event_id = event_id_of(self.mapping.tenant_id, name, draft.kind)
        message = {"type": draft.kind, "event_id": event_id, **self.envelope, "account_id": account_id, **draft.fields}
        if draft.at is not None:
            message["occurred_at"] = utc(draft.at)
        if draft.faulty:
            message["ledger_line"] = line
        topic, key, value = TOPIC_OF[draft.kind], account_key(self.mapping.tenant_id, account_id), encode(message)
        refusal = self.decoders[topic](value, key, ANY_TIME)
        if not isinstance(refusal, Refusal):
            self._count(draft, account_id)
        elif not draft.faulty and account_id:
            field = refusal.field or "(all)"
            column = self.columns.get(
                "account.id" if field == "account_id" else f"invoice.{field.removeprefix('invoice_')}"
            )
            self.read.faults.append(Fault(line, column or field, refusal.detail))
        at = draft.at or 0
        sent = Sent(at, RANK[draft.kind], event_id, topic, key, value, draft.known_at or at, draft.dated)
        (self.undated if draft.at is None else self.sent).append(sent)

    def _count(self, draft: Draft, account_id: str) -> None:
        fields = draft.fields
        self.accounts_with_events.add(account_id)
        if draft.kind == "invoice.issued":
            self.invoices.add(fields["invoice_id"])
            self.currencies.add(fields["currency"])
        elif draft.kind == "payment.received":
            self.paid[fields["payment_id"]] = fields["currency"], fields["amount_minor"]
            self.currencies.add(fields["currency"])


def event_id_of(tenant_id: str, name: str, kind: str) -> str:
    """The same for the same row in every reading."""
    return blake2b(f"{tenant_id}|{name}|{kind}".encode(), digest_size=16).hexdigest()
