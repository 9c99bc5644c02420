"""Who starts over goes on with the audit chains that the log holds."""

from types import SimpleNamespace
from typing import Any

from connectors.redis.ledger import Progress
from models.audit import START, Head
from streams.lease import Lease
from streams.take_over import TakeOver

KNOWN, IN_LOG = Head(4, "d"), Head(7, "g")


class Ledger:
    """Partition 0 is known, the others were lost."""

    job = "decide"

    def __init__(self) -> None:
        self.told: dict[int, Head] = {}

    async def claim(self, partition: int, _epoch_seen: int) -> Progress:
        audit = KNOWN if partition == 0 else START
        return Progress(1, 0, {}, float("inf"), audit=audit, audit_known=partition == 0)

    async def follow(self, partition: int, progress: Progress, head: Head) -> None:
        self.told[partition] = progress.audit = head


async def _committed(partitions: list[Any], _deadline: float) -> list[Any]:
    return partitions


async def _watermarks(_partitions: list[Any]) -> dict[tuple[str, int], int]:
    return {}


async def taken(ledger: Ledger, asked: list[str], *partitions: int) -> list[Head]:
    """Where the chains of these partitions end for their new owner."""

    def heads() -> dict[str, Head]:
        asked.append("the log")
        return {"decide-0": IN_LOG, "decide-1": IN_LOG, "dispatch-2": IN_LOG}

    take_over = TakeOver(ledger, None, topics=["t"], stable_within=1.0, heads=heads)  # type: ignore[arg-type]
    consumer = SimpleNamespace(committed=_committed, low_watermarks=_watermarks)
    take_over.source = SimpleNamespace(consumer=consumer)  # type: ignore[assignment]
    leases = [Lease(unit=partition, group=None, positions={}) for partition in partitions]
    await take_over(leases)
    return [lease.claim.audit for lease in leases]


async def test_a_chain_that_redis_has_lost_goes_on_after_its_last_link_in_the_log():
    ledger, asked = Ledger(), list[str]()
    assert await taken(ledger, asked, 0, 1, 2) == [KNOWN, IN_LOG, START]
    assert ledger.told == {1: IN_LOG, 2: START}, "Redis is told, so that the next owner need not read the log"
    assert asked == ["the log"]


async def test_a_chain_that_redis_knows_is_not_looked_up():
    asked: list[str] = []
    assert await taken(Ledger(), asked, 0) == [KNOWN]
    assert asked == []
