"""Rebuilds or verifies every partition's states, and says what it found."""

from collections.abc import Callable, Iterable
from typing import Any

from connectors.clickhouse.client import connect as connect_clickhouse
from connectors.kafka import clients
from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from connectors.redis.suppression import SuppressionList
from recoup.settings import Settings
from streams.decide.agent import GROUP, JOB
from streams.decide.rebuild import Older, rebuild, refuse_while_running, store


async def rebuild_all(
    settings: Settings, *, dry_run: bool, from_warehouse: bool, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Rebuild every partition from the topics; with `dry_run` compare with Redis instead of replacing.

    Returns:
        {"partitions", "accounts", "different"}: `different` counts accounts whose stored bytes are not the rebuilt ones.

    Raises:
        RecoupError: a worker is running, or messages are missing.
    """
    refuse_while_running(clients.admin(settings.kafka), GROUP)
    redis = connect_async(settings.redis)
    ledger = Ledger(redis, settings.redis.prefix, JOB)
    listed = SuppressionList(redis, settings.redis)
    older = _older(settings) if from_warehouse else None
    report = {"partitions": 0, "accounts": 0, "different": 0}
    for rebuilt in rebuild(settings.kafka, GROUP, older):
        stored = await ledger.states(rebuilt.partition)
        different = sum(stored.get(a) != rebuilt.states.get(a) for a in stored.keys() | rebuilt.states.keys())
        report["partitions"] += 1
        report["accounts"] += len(rebuilt.states)
        report["different"] += different
        if not dry_run:
            await store(ledger, listed, rebuilt)
        tell(
            f"partition {rebuilt.partition}: {len(rebuilt.states)} accounts up to batch {rebuilt.batch},"
            f" {different} {'differ from' if dry_run else 'differed from'} what Redis holds"
        )
    await ledger.client.aclose()  # type: ignore[attr-defined]
    return report


def _older(settings: Settings) -> Older:
    """Reads the raw messages that the warehouse kept."""
    client = connect_clickhouse(settings.clickhouse)

    def rows(topic: str, partition: int, before: int) -> Iterable[tuple[int, bytes | None, bytes | None]]:
        table = topic.replace("-", "_")
        found = client.query(
            f"SELECT _offset, tenant_id, account_id, payload FROM {table} FINAL"  # noqa: S608 - a name of the registry
            " WHERE _partition = {partition:UInt16} AND _offset < {before:UInt64} AND valid ORDER BY _offset",
            parameters={"partition": partition, "before": before},
        )
        for offset, tenant, account, payload in found.result_rows:
            yield offset, f"{tenant}|{account}".encode(), payload.encode()

    return rows
