"""A CSV ledger as rows to learn from: the same reading as a replay's, each event known from the day that it was."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from models.actions.schedule import Plan
from models.clock import Instant
from models.features.history import Arrival
from recoup.replay.cells import Cells
from recoup.replay.csv_file import Row, read_rows
from recoup.replay.ledger import ANY_TIME, Collector, Sent, report
from recoup.replay.mapping import FeatureColumn, Mapping, read_mapping
from recoup.replay.rows import NEVER
from recoup.replay.tenant import base_tenant
from recoup.training.columns import encode
from recoup.training.dataset import Account, Dataset, Show, Source, collect
from recoup.training.question import Question
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import Event
from schemas.errors import BadInput

BAD_ROWS = "rows of the file that cannot be read"
BAD_INVOICES = "messages about invoices of such rows"
SOURCE = "train"


class Request(msgspec.Struct, frozen=True):
    """What is asked for."""

    csv: Path
    mapping: Path
    question: Question
    columns: tuple[str, ...] = ()
    """Columns of the ledger to learn from, beside those that the mapping names."""
    skip_bad: bool = False


def dataset_of(request: Request, tenants_dir: Path, now: Instant, show: Show) -> Dataset:
    """The rows of a ledger.

    Raises:
        BadInput: the mapping or the file cannot be used, a row cannot be read (unless such are to be left out), or there
            is nothing to learn from.
    """
    mapping = mapping_of(request)
    tenant = base_tenant(mapping, tenants_dir)
    cells = Cells(mapping, tenant.time_zone, now)
    reading = _Reading(mapping, cells)
    reading.read(request, show)
    accounts = reading.accounts()
    if not accounts:
        rows = reading.collector.read.rows
        raise BadInput(
            f"{request.csv}: {f'none of its {rows:,} rows can be read' if rows else 'holds a header and no rows'}."
        )
    data_end = max(arrival.at for account in accounts for arrival in account.arrivals)
    source = Source(Plan(tenant), data_end)
    dataset = collect(accounts, {mapping.tenant_id: source}, request.question, len(accounts), show)
    dataset.left_out.update({reason: count for reason, count in reading.left_out.items() if count})
    _append_columns(dataset, mapping, reading.own_cells, cells)
    return dataset


def mapping_of(request: Request) -> Mapping:
    """The mapping, with the further columns that are asked for.

    Raises:
        BadInput: it names nothing to learn from, or a column that is known too late.
    """
    mapping = read_mapping(request.mapping)
    if mapping.invoice is None or mapping.payment is None:
        missing = "payment" if mapping.invoice else "invoice"
        raise BadInput(f"{request.mapping}: names no `{missing}` columns, so there is nothing to learn from.")
    for name, feature in mapping.features.items():
        if feature.known_at == "later":
            raise BadInput(
                f"{request.mapping}: `features.{name}`: the column {feature.column} is only known later than the decision,"
                " so no model can have it then. Leave it out."
            )
    asked = {column: FeatureColumn(column=column) for column in request.columns}
    return msgspec.structs.replace(mapping, features=mapping.features | asked, assume_reachable=False)


class _Reading:
    """The ledger, read whole."""

    def __init__(self, mapping: Mapping, cells: Cells) -> None:
        self.mapping = mapping
        self.collector = Collector(mapping, cells, SOURCE, history=True)
        self.own_cells: dict[str, tuple[str, ...]] = {}
        """Invoice -> the cells of the columns to learn from, of the row that names it first."""
        self.left_out = {BAD_ROWS: 0, BAD_INVOICES: 0}
        self._spoilt: set[str] = set()
        self._decoders: dict[str, TopicDecoder] = {}

    def read(self, request: Request, show: Show) -> None:
        """Read every row; of a bad one, nothing about its invoice is kept."""
        total = _lines(request.csv)
        for row in read_rows(request.csv, self.mapping, str(request.mapping)):
            self._take(row)
            if self.collector.read.rows % 5_000 == 0:
                show("reading", min(1.0, row.line / max(1, total)), f"{self.collector.read.rows:,} rows")
        ledger = self.collector.ledger()
        if ledger.faults and not request.skip_bad:
            raise BadInput(report(request.csv, ledger, "mend the file, or pass --skip-bad to leave such rows out"))
        self.messages = ledger.messages

    def _take(self, row: Row) -> None:
        collector = self.collector
        faults, sent = len(collector.read.faults), len(collector.sent)
        told = collector.take(row)
        if len(collector.read.faults) > faults:
            del collector.sent[sent:]
            collector.undated.clear()
            self.left_out[BAD_ROWS] += 1
            if told.invoice_id:
                self._spoilt.add(told.invoice_id)
        elif self.mapping.features and told.invoice_id not in self.own_cells:
            meanings = self.mapping.values
            self.own_cells[told.invoice_id] = tuple(
                meanings.get(feature.column, {}).get(cell := row.get(feature.column), cell)
                for feature in self.mapping.features.values()
            )

    def accounts(self) -> list[Account]:
        """Every account, its events in the order in which they became known."""
        found: defaultdict[bytes, list[tuple[Sent, Event]]] = defaultdict(list)
        for sent in self.messages:
            event = self._decode(sent)
            if isinstance(event, Refusal):
                continue  # of a row that is counted
            if self._spoilt and not self._spoilt.isdisjoint(_invoices(event)):
                self.left_out[BAD_INVOICES] += 1
                continue
            found[sent.key].append((sent, event))
        return [_account(pairs) for pairs in found.values()]

    def _decode(self, sent: Sent) -> Event | Refusal:
        decode = self._decoders.get(sent.topic)
        if decode is None:
            decode = self._decoders[sent.topic] = TopicDecoder(sent.topic)
        return decode(sent.value, sent.key, ANY_TIME)


def _account(pairs: list[tuple[Sent, Event]]) -> Account:
    # Sorting is stable: what became known in one instant stays in the order in which it happened.
    known = sorted(pairs, key=lambda pair: pair[0].known_at)
    first = pairs[0][1]
    return Account(
        tenant_id=first.tenant_id,
        account_id=first.account_id,
        arrivals=[Arrival(sent.known_at, event) for sent, event in known if sent.known_at != NEVER],
        happened=[event for sent, event in pairs if sent.dated],
    )


def _invoices(event: Any) -> list[str]:
    """The invoices that an event of a ledger is about."""
    invoice_id = getattr(event, "invoice_id", None)
    if invoice_id is not None:
        return [invoice_id]
    return [allocation.invoice_id for allocation in getattr(event, "allocations", ())]


def _append_columns(dataset: Dataset, mapping: Mapping, own_cells: dict[str, tuple[str, ...]], cells: Cells) -> None:
    """Put the ledger's own columns behind the features."""
    if not mapping.features:
        return
    examples = dataset.examples
    rows = [own_cells[invoice_id] for invoice_id in examples.invoice_id.tolist()]
    parts = [examples.x]
    names: list[str] = []
    sections = {column: field.partition(".")[0] for column, field in mapping.columns().items()}
    for (name, feature), texts in zip(mapping.features.items(), zip(*rows, strict=True), strict=True):
        encoded = encode(name, feature, texts, examples.at, examples.account_id.tolist(), cells)
        parts.append(encoded.values)
        names += encoded.names
        if sections.get(feature.column) in ("payment", "dispute"):
            dataset.known_after.update(encoded.names)  # the mapping itself says that it tells of what came later
        dataset.warnings += encoded.warnings
        dataset.notes += encoded.notes
    examples.x = np.concatenate(parts, axis=1)
    examples.columns = (*examples.columns, *names)
    examples.ledger_columns = tuple(names)


def _lines(path: Path) -> int:
    """How many lines a file has, for the progress; 0 when it cannot be read."""
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return 0
