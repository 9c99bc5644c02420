"""What has landed in ClickHouse as rows to learn from: each event known from the moment that it reached us."""

import itertools
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import msgspec

from connectors.clickhouse.client import connect
from connectors.clickhouse.history import LandedHistory
from connectors.clickhouse.timeline import tenant_of
from models.actions.schedule import Plan
from models.calendar import utc
from models.clock import Instant
from models.features.history import Arrival
from models.tenants import tenant_from
from recoup.replay.tenant import DEFAULT
from recoup.settings import Settings
from recoup.tenants import read_file
from recoup.training.dataset import Account, Dataset, Show, Source, collect
from recoup.training.question import Question
from recoup.yaml_file import read_yaml
from schemas.actions import NextBestAction
from schemas.control import Tenant
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import account_key
from schemas.errors import BadInput

UNREADABLE = "messages that this version does not take, or from the future"
REPLAY = (
    "the warehouse holds a replay: events are taken to have been known when they happened, and a dispute without a date"
    " from its invoice's date on. `--ledger` with the replay's file knows better"
)


def dataset_of(question: Question, settings: Settings, show: Show, tenant_id: str | None = None) -> Dataset:
    """The rows of one tenant, or of all.

    Raises:
        BadInput: there is nothing of the tenant, or nothing to learn from.
        NotReady: ClickHouse does not answer.
    """
    client = connect(settings.clickhouse, answer_seconds=600.0)
    try:
        history = LandedHistory(client, settings.clickhouse.database)
        extents = [extent for extent in history.extents() if tenant_id in (None, extent.tenant_id)]
        if not extents:
            of_whom = f"of the tenant `{tenant_id}`" if tenant_id else "in the tables of events"
            raise BadInput(f"There is nothing {of_whom} in ClickHouse. `recoup status` says what runs and what landed.")
        sources = {}
        for extent in extents:
            published = tenant_of(client, settings.clickhouse.database, extent.tenant_id)
            tenant = published or _tenant(extent.tenant_id, settings.tenants_dir)
            sources[extent.tenant_id] = Source(Plan(tenant), extent.until)
        landed = _Landed(history, settings.streams.decide.future_tolerance_seconds * 1000)
        total = sum(extent.accounts for extent in extents)
        dataset = collect(landed.accounts(list(sources)), sources, question, total, show)
    finally:
        client.close()
    if landed.unreadable:
        dataset.left_out[UNREADABLE] = landed.unreadable
    if history.replayed:
        dataset.warnings.append(REPLAY)
    return dataset


def _tenant(tenant_id: str, folder: Path) -> Tenant:
    """A tenant that was never published, as its file says; or an ordinary one."""
    own = folder / f"{tenant_id}.yaml"
    if own.exists():
        return read_file(own)
    return msgspec.structs.replace(tenant_from(read_yaml(DEFAULT), DEFAULT.name), tenant_id=tenant_id)


class _Landed:
    """Turns rows of the tables into accounts, one after the other.

    Args:
        history: the tables.
        tolerance: milliseconds by which an event may be ahead of its arrival; decide refuses others, and land keeps them.
    """

    def __init__(self, history: LandedHistory, tolerance: int) -> None:
        self.history = history
        self.tolerance = tolerance
        self.unreadable = 0
        self._decoders: dict[str, TopicDecoder] = {}

    def accounts(self, tenants: list[str]) -> Iterator[Account]:
        """Every account of some tenants, one in memory at a time."""
        for tenant_id in tenants:
            for account_id, rows in itertools.groupby(self.history.messages(tenant_id), key=itemgetter(0)):
                key = account_key(tenant_id, account_id)
                arrivals = [
                    arrival
                    for _, at, topic, payload in rows
                    if (arrival := self._arrival(at, topic, key, payload)) is not None
                ]
                happened = [arrival.event for arrival in arrivals if not isinstance(arrival.event, NextBestAction)]
                yield Account(tenant_id, account_id, arrivals, happened)

    def _arrival(self, at: Instant, topic: str, key: bytes, payload: bytes) -> Arrival | None:
        decode = self._decoders.get(topic)
        if decode is None:
            decode = self._decoders[topic] = TopicDecoder(topic)
        event = decode(payload, key, utc(at + self.tolerance))
        if isinstance(event, Refusal):
            self.unreadable += 1
            return None
        return Arrival(at, event)
