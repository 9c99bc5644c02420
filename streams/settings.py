"""How the stream jobs behave: sizes, deadlines and limits, each with the reason for its default."""

from pathlib import Path
from typing import Annotated, Protocol

from pydantic import BaseModel, Field

from connectors.channels.settings import ChannelSettings
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.kafka.settings import KafkaSettings
from connectors.model_store.settings import ModelSettings
from connectors.redis.settings import RedisSettings


class DecideSettings(BaseModel, extra="forbid"):
    """The decide job."""

    batch_size: int = 5_000
    """Messages in one poll at most: under a backlog, how late a decision is against how much a batch costs."""
    linger_ms: int = 40
    """From one poll to the next, unless one is full: how late a decision is against how many transactions the
    broker has to see to."""
    dlq_share: float = 0.5
    """A partition's share of refused messages, over its last `dlq_window`, past which the worker stops."""
    dlq_window: int = 1_000
    dlq_run: int = 500
    """Refused messages of one partition in a row, past which the worker stops."""
    future_tolerance_seconds: int = 300
    """An event may be dated this far ahead of the clock."""


class LandSettings(BaseModel, extra="forbid"):
    """The land job."""

    batch_size: int = 10_000
    """Messages in one poll at most; blocks are collected over many polls."""
    linger_ms: int = 20
    """From one poll to the next, unless one is full: a block that is due closes with the next."""
    fetch_min_bytes: int = 500_000
    fetch_wait_ms: int = 100
    """The broker answers a fetch when it has so much, or after so long. Blocks are collected for longer anyway, and
    answers for single messages of seventy partitions keep the broker busy."""
    block_rows: int = 50_000
    """A block closes at so many rows. 20,000 are a third slower: ClickHouse merges more parts (benchmarks/land)."""
    block_seconds: float = 0.5
    """A block of what sources send closes at this age; an insert costs ClickHouse much the same however few its rows are."""
    own_block_seconds: float = 2.0
    """A block of any other topic closes at this age: of what Recoup itself says. These are most of the inserts and have
    most of the views. At 1 s an event's row waits for them where processors are scarce (benchmarks/latency)."""
    block_bytes: int = 100_000_000
    waiting_rows: int = 150_000
    """Rows of closed blocks that wait for ClickHouse before the job takes no more polls."""
    insert_threads: int = 4
    """Blocks of different partitions that are inserted at once."""


class BreakerSettings(BaseModel, extra="forbid"):
    """When a provider that fails is no longer asked, and for how long."""

    failures: int = Field(default=5, ge=1)
    """So many in a row open it."""
    share: float = Field(default=0.5, gt=0, le=1)
    """Of the last `window` answers; so many failures open it although some succeed in between."""
    window: int = Field(default=20, ge=1)
    open_ms: int = Field(default=10_000, ge=1)
    """Until the first probe; twice as long after each probe that fails."""
    most_open_ms: int = Field(default=300_000, ge=1)
    probe_ms: int = Field(default=1_000, ge=1)
    """How long others wait while a probe is on its way."""


class DispatchSettings(BaseModel, extra="forbid"):
    """The dispatch job."""

    batch_size: int = Field(default=200, ge=1)
    """Requests in one poll at most, new ones and parked ones of each partition."""
    poll_seconds: float = Field(default=1.0, gt=0)
    """What has not been sent by then goes on beside the next poll: a slow provider holds nobody up, and a rebalance does
    not wait for it."""
    sends_at_once: int = Field(default=32, ge=1)
    """To one provider, by one worker."""
    breaker: BreakerSettings = BreakerSettings()
    provider_rates: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Provider -> contacts a second that all workers together hand to it; without an entry there is no limit."""
    tenant_rates: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Tenant -> contacts a second; `*` = each tenant without an entry."""
    retry_first_ms: int = Field(default=5_000, ge=1)
    """About how long after a try that surely sent nothing the next one is; each time twice as long."""
    retry_most_ms: int = Field(default=600_000, ge=1)
    paused_ms: int = Field(default=10_000, ge=1)
    """How often contacts that are stopped are looked at again: so long after `resume` they go."""
    reasks: int = Field(default=8, ge=0)
    """How often a provider that knows keys is asked again, under the same key, what became of a contact."""


class StreamSettings(BaseModel, extra="forbid"):
    """What all jobs share."""

    session_timeout_seconds: float = 10.0
    """A silent worker's partitions move after this. The default of 45 s held the next worker up for 55 s."""
    transaction_timeout_ms: int = 10_000
    drain_seconds: float = 5.0
    """How long a stop or a rebalance waits for the transaction in flight."""
    sink_deadline_seconds: float = 60.0
    """How long a sink that fails is retried before the worker gives up and exits."""
    metrics_seconds: float = Field(default=10.0, ge=0)
    """How often a worker tells on agent-metrics what it has done; 0 = never."""
    web_bind: str = "127.0.0.1"
    """Where /ready and /metrics are answered; 0.0.0.0 only in a network of one's own, such as a container's."""
    decide: DecideSettings = DecideSettings()
    land: LandSettings = LandSettings()
    dispatch: DispatchSettings = DispatchSettings()


class Installation(Protocol):
    """What a job needs to know of the installation that it runs in."""

    @property
    def home(self) -> Path: ...
    @property
    def kafka(self) -> KafkaSettings: ...
    @property
    def redis(self) -> RedisSettings: ...
    @property
    def clickhouse(self) -> ClickHouseSettings: ...
    @property
    def models(self) -> ModelSettings: ...
    @property
    def channels(self) -> ChannelSettings: ...
    @property
    def streams(self) -> StreamSettings: ...
