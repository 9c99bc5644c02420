"""agent-metrics and audit-logs: how the workers do, and who did what."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.envelope import Event, Name

Count = Annotated[int, Meta(ge=0)]
Measure = Annotated[float, Meta(ge=0)]


class AgentMetrics(Event, frozen=True, kw_only=True, tag="agent.metrics"):
    """What one worker (`source`) has done in the last `seconds`."""

    tenant_id: Literal[""] = ""
    account_id: Literal[""] = ""
    job: Name
    slot: Annotated[int, Meta(ge=0)]
    seconds: Measure
    partitions: Count = 0
    events: Count = 0
    applied: Count = 0
    dropped: Count = 0
    dead_lettered: Count = 0
    scores: Count = 0
    decisions: Count = 0
    contacts: Count = 0
    rows: Count = 0
    batches: Count = 0
    lag: Count = 0
    """Messages in its partitions that it has not yet read."""
    batch_ms_p50: Measure | None = None
    batch_ms_p99: Measure | None = None
    event_to_result_ms_p50: Measure | None = None
    event_to_result_ms_p99: Measure | None = None
    memory_bytes: Count = 0
    cpu_seconds: Measure = 0.0


class AuditEntry(Event, frozen=True, kw_only=True, tag="audit.recorded"):
    """A link of a hash chain; each writer has one chain per partition it owns.

    `hash` is the SHA-256 of the message's own bytes with `hash` left empty; `previous` is the hash of the link before.
    """

    tenant_id: Name
    """`*` = several tenants."""

    action: Literal[
        "decision", "send", "override", "access", "tenant", "rules", "model", "policy", "pause", "resume", "dead_letter"
    ]
    actor: Name
    """The job, or the person's user name."""
    subject: Name
    """The id of what was acted on."""
    sequence: Count
    previous: Name
    hash: Name
    account_id: str = ""
    details: dict[str, str] = msgspec.field(default_factory=dict)
    chain: Name = ""
    """Who writes it, such as `decide-3` or `control`."""
    records: tuple[Name, ...] = ()
    """BLAKE2b-128 of each message that is recorded, byte for byte, in the order of their publication."""
