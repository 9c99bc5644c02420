"""The states, timers, progress and outbox of each partition: written as a whole by its one owner, in an unbroken chain."""

import importlib.resources
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import msgspec
import redis.asyncio

from models.audit import START, Head
from models.audit import decode as decode_link
from schemas.errors import LedgerBehindLog

encode = msgspec.json.Encoder(order="sorted").encode
decode_offsets = msgspec.json.Decoder(dict[str, int]).decode
decode_head = msgspec.json.Decoder(Head).decode

AUDIT_LOGS = "audit-logs"
COUNTER = "n:"
"""Marks the counters among the fields of a partition's progress."""


Record = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]] | None]
"""One message of an outbox, byte for byte as it will be published: topic, key, value, headers."""

encode_outbox = msgspec.msgpack.Encoder().encode
decode_outbox = msgspec.msgpack.Decoder(list[Record]).decode


class Progress(msgspec.Struct):
    """How far the ledger of one partition has come, under the epoch of its present owner."""

    epoch: int
    batch: int
    """The number of the last batch written; 0 before the first."""
    offsets: dict[str, int]
    """Topic -> the next offset after that batch; empty before the first."""
    next_review: float
    """The instant of the first review due, in epoch milliseconds; infinity when there is none."""
    handled: dict[str, int] = {}
    """Topic -> the next offset after the last part handled, also when there was nothing to write of it."""
    audit: Head = START
    """The last link of the partition's audit chain, that of a batch on its way included."""
    audit_known: bool = True
    """False = Redis does not know it: nothing was ever written here, or all of it was lost."""


class Entry(msgspec.Struct, eq=False):
    """All that one batch of one partition changes."""

    partition: int
    progress: Progress
    """Moved on when the entry has been written."""
    offsets: dict[str, int]
    """Topic -> the next offset after this batch."""
    outbox: Sequence[Record]
    states: Mapping[str, bytes] = {}
    reviews: Mapping[str, int | None] = {}
    """Account -> the instant of its next review, or None for none."""
    counters: dict[str, int] = {}
    forgotten: Sequence[str] = ()
    """Of whom no state is kept any more."""
    audit: Head = START
    """The last link of the partition's audit chain after this batch."""


class Ledger:
    """The Redis side of one job.

    A write is refused unless the epoch is the writer's and it continues the chain: stored batch + 1 is this batch and
    the stored offsets are those that it starts from. So a lost, repeated or re-ordered batch is refused, whatever lost it.

    Args:
        together: the whole job lies in one cluster slot, so that a script may look at a partition's progress and at what
            all partitions share; else each partition lies in its own.
    """

    def __init__(self, client: "redis.asyncio.Redis[Any]", prefix: str, job: str, *, together: bool = False) -> None:
        self.client = client
        self.job = job
        self.prefix = f"{prefix}:{{{job}}}:" if together else f"{prefix}:{{{job}:"
        self._brace = "" if together else "}"
        scripts = importlib.resources.files("connectors.redis")
        self._claim = client.register_script((scripts / "claim.lua").read_text())
        self._write = client.register_script((scripts / "write.lua").read_text())

    def key(self, partition: int, what: str) -> str:
        """The Redis key of one part of one partition; the braces keep a partition's keys in one cluster slot."""
        return f"{self.prefix}{partition}{self._brace}:{what}"

    async def claim(self, partition: int, epoch_seen: int) -> Progress:
        """Become the partition's owner: older owners are refused from here on.

        Args:
            epoch_seen: the highest epoch known from elsewhere; the new one is higher.
        """
        epoch, batch, offsets, first, audit = await self._claim(
            keys=[self.key(partition, "progress"), self.key(partition, "reviews")], args=[epoch_seen]
        )
        return Progress(
            epoch=epoch,
            batch=batch,
            offsets=decode_offsets(offsets) if offsets else {},
            next_review=_instant(first),
            audit=decode_head(audit) if audit else START,
            audit_known=bool(audit),
        )

    async def follow(self, partition: int, progress: Progress, head: Head) -> None:
        """Let the audit chain go on after a link; one that Redis knows by now, for a newer owner has told it, stays."""
        await self.client.hsetnx(self.key(partition, "progress"), "audit", encode(head))
        progress.audit, progress.audit_known = head, True

    async def read(self, wanted: Iterable[tuple[int, Sequence[bytes]]]) -> list[list[bytes | None]]:
        """The stored states of accounts, partition by partition, in one round trip."""
        pipeline = self.client.pipeline(transaction=False)
        asked = [
            bool(accounts) and pipeline.hmget(self.key(p, "states"), accounts) is not None for p, accounts in wanted
        ]
        answers = iter(await pipeline.execute()) if any(asked) else iter(())
        return [next(answers) if some else [] for some in asked]

    async def due(self, partition: int, now: int, most: int) -> list[tuple[str, int]]:
        """Accounts whose review is due, earliest first, with its instant (epoch milliseconds)."""
        found = await self.client.zrangebyscore(
            self.key(partition, "reviews"), "-inf", now, start=0, num=most, withscores=True
        )
        return [(account.decode(), int(instant)) for account, instant in found]

    async def write(self, entries: Sequence[Entry]) -> list[Entry]:
        """Write each entry as a whole; returns those that were accepted and moves their progress on.

        An entry that a newer owner's epoch refuses is left out. Safe to call again after a lost answer.

        Raises:
            LedgerBehindLog: a stored batch is not the one that an entry continues.
        """
        pipeline = self.client.pipeline(transaction=False)
        for entry in entries:
            await self._write(
                keys=[self.key(entry.partition, k) for k in KEYS], args=_arguments(entry), client=pipeline
            )
        accepted = []
        for entry, (verdict, detail) in zip(entries, await pipeline.execute(), strict=True):
            if verdict == b"broken":
                raise LedgerBehindLog(
                    f"Partition {entry.partition}: batch {entry.progress.batch + 1} does not continue the stored batch"
                    f" {detail.decode()}. Redis has lost writes or was restored. Stop the workers and run `recoup rebuild`."
                )
            if verdict == b"fenced":
                continue
            progress = entry.progress
            progress.batch += 1
            progress.offsets = entry.offsets
            progress.next_review = _instant(detail)
            accepted.append(entry)
        return accepted

    async def outbox(self, partition: int) -> list[Record]:
        """What the last batch written has to publish.

        Raises:
            LedgerBehindLog: there is none.
        """
        stored = await self.client.get(self.key(partition, "outbox"))
        if stored is None:
            raise LedgerBehindLog(
                f"Partition {partition}: its outbox is missing. Stop the workers and run `recoup rebuild`."
            )
        return decode_outbox(stored)

    async def counters(self, partitions: Iterable[int]) -> dict[str, int]:
        """The sums of all counters over partitions, such as `applied` or `dropped:duplicate`."""
        sums: dict[str, int] = {}
        for partition in partitions:
            for name, value in (await self.client.hgetall(self.key(partition, "progress"))).items():
                if name.startswith(COUNTER.encode()):
                    plain = name.decode().removeprefix(COUNTER)
                    sums[plain] = sums.get(plain, 0) + int(value)
        return sums

    async def replace(self, entry: Entry) -> None:
        """Put a whole partition in the place of what is stored of it, at the batch of the entry's progress.

        The epoch rises, so that a worker that still believes to own the partition is refused. Not seen half done: the
        new states are written beside the old ones and take their place at once.
        """
        partition, progress = entry.partition, entry.progress
        names = {what: self.key(partition, what) for what in (*KEYS, "new-states", "new-reviews")}
        await self.client.unlink(names["new-states"], names["new-reviews"])
        reviews = {account: instant for account, instant in entry.reviews.items() if instant is not None}
        for some in _slices(entry.states):
            await self.client.hset(names["new-states"], mapping=some)
        for some in _slices(reviews):
            await self.client.zadd(names["new-reviews"], some)
        epoch, batch, head = await self.client.hmget(names["progress"], "epoch", "batch", "audit")
        stored, audit = int(epoch or 0), decode_head(head) if head else START
        if int(batch or 0) > progress.batch and (unpublished := await self.client.get(names["outbox"])):
            audit = _head_before(decode_outbox(unpublished), audit)
        change = self.client.pipeline(transaction=True)
        change.unlink(*(names[what] for what in KEYS))
        if entry.states:
            change.rename(names["new-states"], names["states"])
        if reviews:
            change.rename(names["new-reviews"], names["reviews"])
        fields: dict[str | bytes, Any] = {COUNTER + name: times for name, times in entry.counters.items()}
        fields |= {
            "epoch": max(stored, progress.epoch) + 1,
            "batch": progress.batch,
            "offsets": encode(entry.offsets) if entry.offsets else b"",
            "audit": encode(max(audit, entry.audit, key=lambda known: known.sequence)),
        }
        change.hset(names["progress"], mapping=fields)
        change.set(names["outbox"], encode_outbox(entry.outbox))
        await change.execute()

    async def states(self, partition: int) -> dict[str, bytes]:
        """Every stored state of a partition."""
        return {
            account.decode(): blob
            async for account, blob in self.client.hscan_iter(self.key(partition, "states"), count=2000)
        }

    async def check_partitions(self, count: int) -> None:
        """Remember the partition count with the states, and refuse another one.

        Raises:
            LedgerBehindLog: the states were built with another count.
        """
        key = f"{self.prefix}partitions{self._brace}"
        await self.client.set(key, count, nx=True)
        stored = int(await self.client.get(key) or 0)
        if stored != count:
            raise LedgerBehindLog(
                f"The account topics have {count} partitions and the states were built with {stored}: accounts would be"
                " looked for in the wrong partition. Restore the partition count, or run `recoup rebuild`."
            )


KEYS = ("progress", "states", "reviews", "outbox")


def _arguments(entry: Entry) -> list[Any]:
    progress = entry.progress
    arguments: list[Any] = [
        progress.epoch,
        progress.batch + 1,
        encode(progress.offsets) if progress.offsets else b"",
        encode(entry.offsets),
        encode_outbox(entry.outbox),
        encode(entry.audit),
        len(entry.states),
        *chain.from_iterable(entry.states.items()),
    ]
    cancelled = [account for account, instant in entry.reviews.items() if instant is None]
    arguments.append(len(entry.reviews) - len(cancelled))
    for account, instant in entry.reviews.items():
        if instant is not None:
            arguments += (instant, account)
    arguments.append(len(entry.counters))
    for name, increment in entry.counters.items():
        arguments += (COUNTER + name, increment)
    arguments.append(len(cancelled))
    arguments += cancelled
    arguments.append(len(entry.forgotten))
    arguments += entry.forgotten
    return arguments


def _head_before(outbox: Iterable[Record], audit: Head) -> Head:
    """The head of the audit chain before a batch that is given up: its links will never be in the log."""
    for topic, _, value, _ in outbox:
        if topic == AUDIT_LOGS and value is not None:
            first = decode_link(value)
            return Head(first.sequence - 1, first.previous)
    return audit


def _slices(mapping: Mapping[str, Any], size: int = 2_000) -> Iterator[dict[str | bytes, Any]]:
    items = iter(mapping.items())
    while some := list(islice(items, size)):
        yield dict[str | bytes, Any](some)


def _instant(answer: bytes) -> float:
    return float(answer) if answer else float("inf")
