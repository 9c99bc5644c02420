"""One batch: read, step, write, publish. The order is the delivery guarantee.

While one batch is being written and published the next one is read and stepped, on the states that the first is
writing. It is written only when the first is out: Redis is never more than one batch ahead of Kafka.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from connectors.kafka.publisher import Publisher
from connectors.redis.ledger import Entry, Ledger, Record
from connectors.redis.suppression import SuppressionList
from models.actions.announce import DECISIONS
from models.actions.choice import Conditions
from models.actions.in_force import Strategies
from models.audit import MOST_RECORDS, Act, digest, key_of, link
from models.clock import Clock, Instant
from models.compliance.rule_gate import RuleGate
from models.core import NO_CONDITIONS, Mode, Outcome, Work, step
from models.propensity.serving import Released
from models.suppression import Suppression
from schemas.control import Tenant
from schemas.decode import Refusal, TopicDecoder
from schemas.errors import LedgerBehindLog
from schemas.registry import SOURCE_TOPICS
from streams import metrics
from streams.dead_letters import dead_letter
from streams.decide.conditions import Surroundings
from streams.decide.dlq_limit import DlqLimit
from streams.decide.intake import Intake, as_timed_work, as_work, decode, utc
from streams.lease import Lease, Part, arrived_at
from streams.settings import StreamSettings
from streams.sinks import Outgoing, publish_held, until_redis_answers
from streams.take_over import offsets_to_commit

Answer = TypeVar("Answer")

AUDIT_LOGS = "audit-logs"
DAY = 86_400_000
DEAD_LETTERED = "dead_lettered:"
"""Begins the name of a counter of refused events; the reason follows."""


class Decide:
    """The decide job's work on one poll, apart from where polls come from.

    Args:
        tenants: by id; read anew for every batch, so that a change takes effect with the next one.
        released: the models in force; asked once a batch, likewise.
        strategies: those in force, likewise.
        surroundings: says what decisions rest on besides the accounts; None = on nothing, as in a replay.
        replay: buckets with a time of their own instead of live batches.
        suppressions: where it is told which contact points nobody may use; dispatch asks it. None = nowhere.
    """

    def __init__(  # noqa: PLR0913 - what it works with, by name
        self,
        *,
        ledger: Ledger,
        publisher: Publisher,
        tenants: Mapping[str, Tenant],
        clock: Clock,
        settings: StreamSettings,
        released: Callable[[], Released] = dict,
        strategies: Callable[[], Strategies] = dict,
        surroundings: Surroundings | None = None,
        replay: bool = False,
        suppressions: SuppressionList | None = None,
    ) -> None:
        self.ledger = ledger
        self.publisher = publisher
        self.tenants = tenants
        self.clock = clock
        self.settings = settings
        self.released = released
        self.strategies = strategies
        self.gate = RuleGate()  # one for all batches: it keeps what it has worked out
        self.surroundings = surroundings
        self.replay = replay
        self.suppressions = suppressions
        self._suppressed: deque[Suppression] = deque()
        self._caps_left: Mapping[tuple[str, str], int] = {}
        decide = settings.decide
        self.limit = DlqLimit(decide.dlq_share, decide.dlq_window, decide.dlq_run)
        self.decoders = {topic: TopicDecoder(topic) for topic in SOURCE_TOPICS}
        self._core = ThreadPoolExecutor(1, thread_name_prefix="step")
        self._landing: asyncio.Future[None] | None = None
        self._unwritten: dict[Lease, Mapping[str, bytes]] = {}
        """The states of the batch that is on its way to Redis. By lease: when a partition comes back under another one,
        somebody else may have written newer ones meanwhile."""

    async def settle(self, parts: list[Part]) -> "asyncio.Future[None] | None":
        """Take the parts of one poll from messages to states and outbox.

        Returns:
            What is left to do: to write them and to publish the outbox.

        Raises:
            SinkUnavailable: Redis or Kafka stayed away past the deadline.
            LedgerBehindLog: the chain of batches is broken.
            DlqLimitReached: too much was refused.
        """
        if self.replay and self._landing is not None:
            await asyncio.shield(self._landing)  # a review that one bucket sets may be due in the next
        if self._landing is not None and self._landing.done():
            self._landing.result()  # what failed lets nothing follow
            self._unwritten = {}  # Redis has all of it, reviews too
        began = time.perf_counter()
        intakes = [self._decode(part) for part in parts]
        due: dict[int, dict[bytes, Instant]] = {
            intake.part.lease.unit: await self._due(intake.part) for intake in intakes
        }
        busy = [i for i in intakes if i.part.messages or due[i.part.lease.unit]]
        intakes = [i for i in busy if not self._nothing_to_do(i, due[i.part.lease.unit])]
        if not intakes:
            return self._landing
        blobs = await self._read(intakes, due)
        read = time.perf_counter()
        conditions = await self._conditions(intakes, due)
        loop = asyncio.get_running_loop()
        entries = await loop.run_in_executor(self._core, self._entries, intakes, blobs, due, conditions)
        await self._give_back()
        stepped = time.perf_counter()
        if self._landing is not None:
            await asyncio.shield(self._landing)
        for name, seconds in (
            ("read", read - began), ("step", stepped - read), ("wait", time.perf_counter() - stepped)
        ):  # fmt: skip
            metrics.BATCH_SECONDS.labels("decide", name).observe(seconds)
        self._unwritten = {i.part.lease: e.states for i, e in zip(intakes, entries, strict=True)}
        self._landing = asyncio.ensure_future(self._land([intake.part for intake in intakes], entries))
        return self._landing

    # -- in ------------------------------------------------------------------------------------------------------------

    def _decode(self, part: Part) -> Intake:
        handled = part.lease.claim.handled
        if part.start != handled:
            raise LedgerBehindLog(
                f"Partition {part.lease.unit}: a batch between {handled} and {part.start} never arrived. This is a fault of"
                " Recoup; the worker stops, and the next start goes on from the last one written."
            )
        part.lease.claim.handled = part.end
        if self.replay:
            latest = utc((part.until or 0) + DAY)
        else:
            latest = utc(self.clock.now() + self.settings.decide.future_tolerance_seconds * 1000)
        return decode(part, self.decoders, latest, replay=self.replay)

    async def _due(self, part: Part) -> dict[bytes, Instant]:
        """The accounts whose review is due, each with the instant it was due at."""
        now = self.clock.now() if part.until is None else part.until
        progress = part.lease.claim
        if progress.next_review > now:
            return {}
        most = self.settings.decide.batch_size if part.until is None else 1_000_000_000
        found = await self._redis(lambda: self.ledger.due(part.lease.unit, now, most))
        decided = self._unwritten.get(part.lease, {})  # their reviews may be those that the last batch has held
        return {account.encode(): instant for account, instant in found if self.replay or account not in decided}

    def _nothing_to_do(self, intake: Intake, due: dict[bytes, Instant]) -> bool:
        """A bucket with nothing in it but its markers need not be written; the next batch moves the offsets on."""
        return self.replay and not (due or intake.accounts or intake.refused or intake.flush)

    async def _read(
        self, intakes: list[Intake], due: dict[int, dict[bytes, Instant]]
    ) -> list[dict[bytes, bytes | None]]:
        wanted: list[tuple[int, list[bytes]]] = []
        for intake in intakes:
            unit = intake.part.lease.unit
            wanted.append((unit, list(intake.accounts.keys() | due[unit].keys() if due[unit] else intake.accounts)))
        found = await self._redis(lambda: self.ledger.read(wanted))
        read: list[dict[bytes, bytes | None]] = []
        for intake, (_, keys), blobs in zip(intakes, wanted, found, strict=True):
            states: dict[bytes, bytes | None] = dict(zip(keys, blobs, strict=True))
            if newer := self._unwritten.get(intake.part.lease):
                states |= {key: newer[name] for key in keys if (name := key.decode()) in newer}
            read.append(states)
        return read

    async def _conditions(self, intakes: list[Intake], due: dict[int, dict[bytes, Instant]]) -> Conditions:
        """What this batch's decisions rest on besides the accounts."""
        surroundings, now = self.surroundings, self.clock.now()
        if surroundings is None:
            return Conditions()
        return await self._redis(lambda: surroundings.before(intakes, due.values(), now))

    async def _give_back(self) -> None:
        surroundings, left = self.surroundings, self._caps_left
        if surroundings is not None:
            await self._redis(lambda: surroundings.after(left))

    # -- step ----------------------------------------------------------------------------------------------------------

    def _entries(
        self,
        intakes: list[Intake],
        blobs: list[dict[bytes, bytes | None]],
        due: dict[int, dict[bytes, Instant]],
        conditions: Conditions,
    ) -> list[Entry]:
        """One pass of the core over all parts, and what it says sorted by partition."""
        drafts = [Draft(intake) for intake in intakes]
        models = self.released()
        self._caps_left = conditions.caps
        if self.replay:
            self._step_in_time(drafts, blobs, due, models)
        else:
            now = self.clock.now()
            works = [as_work(d.intake, b, due[d.unit], now) for d, b in zip(drafts, blobs, strict=True)]
            self._step(drafts, works, "live", models, conditions)
        return [draft.entry(due[draft.unit], self.clock.now(), self.limit) for draft in drafts]

    def _step_in_time(
        self,
        drafts: "list[Draft]",
        blobs: list[dict[bytes, bytes | None]],
        due: dict[int, dict[bytes, Instant]],
        models: Released,
    ) -> None:
        timed = [as_timed_work(d.intake, b, due[d.unit]) for d, b in zip(drafts, blobs, strict=True)]
        self._step(drafts, [first for first, _ in timed], "replay", models)
        self._step(drafts, [second(d.states) for (_, second), d in zip(timed, drafts, strict=True)], "replay", models)

    def _step(
        self,
        drafts: "list[Draft]",
        works: list[list[Work]],
        mode: Mode,
        models: Released,
        conditions: Conditions = NO_CONDITIONS,
    ) -> None:
        everything = [work for part in works for work in part]
        if not everything:
            return
        tenants = dict(self.tenants)  # the loop may change them meanwhile
        strategies = self.strategies()
        outcome = step(
            everything, tenants, mode, self.gate, models, strategies, conditions
        )  # fmt: skip
        self._caps_left = outcome.caps_left
        at = 0
        for draft, part in zip(drafts, works, strict=True):
            draft.take(outcome, at, at + len(part), part)
            at += len(part)
        self._suppressed += outcome.suppressions
        metrics.SCORED.inc(outcome.scored)
        for action, times in outcome.decided.items():
            metrics.DECISIONS.labels(action).inc(times)
        metrics.CONTACTS_ALLOWED.inc(outcome.contacts)
        metrics.BALANCE_MISMATCHES.inc(outcome.mismatches)
        for rule, times in outcome.denied.items():
            metrics.CONTACTS_DENIED.labels(rule).inc(times)

    # -- out -----------------------------------------------------------------------------------------------------------

    async def _land(self, parts: list[Part], entries: list[Entry]) -> None:
        """Write and publish one batch."""
        began = time.perf_counter()
        leases = {part.lease.unit: part.lease for part in parts}
        await self._suppress()
        # A lease that was lost may have left its last batch unpublished: a second one must not follow it.
        held = [entry for entry in entries if leases[entry.partition].held]
        written = await self._redis(lambda: self.ledger.write(held))
        wrote = time.perf_counter()
        metrics.BATCH_SECONDS.labels("decide", "write").observe(wrote - began)
        for entry in held:
            if entry not in written:  # somebody else has it; the next batch rests on states that nobody will see
                leases[entry.partition].held = False
        outgoing = [
            Outgoing(
                lease=leases[entry.partition],
                records=entry.outbox,
                offsets=offsets_to_commit(entry.partition, entry.offsets, entry.progress.epoch, entry.progress.batch),
            )
            for entry in written
        ]
        published = await publish_held(self.publisher, outgoing, self.settings.sink_deadline_seconds)
        if published:
            metrics.BATCH_SECONDS.labels("decide", "publish").observe(time.perf_counter() - wrote)
            units = {out.lease.unit for out in published}
            self._count([entry for entry in written if entry.partition in units])
            self._observe([part for part in parts if part.lease.unit in units])

    async def _suppress(self) -> None:
        """Before the states that know of it are written: told twice does no harm, not told at all would."""
        told = [self._suppressed.popleft() for _ in range(len(self._suppressed))]
        if told and (suppressions := self.suppressions) is not None:
            await self._redis(lambda: suppressions.add(told))

    def _redis(self, call: Callable[[], Awaitable[Answer]]) -> Awaitable[Answer]:
        return until_redis_answers(call, self.settings.sink_deadline_seconds)

    def _count(self, entries: list[Entry]) -> None:
        for entry in entries:
            for outcome, times in entry.counters.items():
                if not outcome.startswith(DEAD_LETTERED):  # those are counted by topic and reason
                    metrics.EVENTS.labels("decide", outcome).inc(times)

    def _observe(self, parts: list[Part]) -> None:
        now = self.clock.now()
        for part in parts:
            # Up to eight messages a part tell the latency; all of them would cost a microsecond each.
            for message in part.messages[:: max(1, len(part.messages) // 8)]:
                metrics.EVENT_TO_DECISION.observe(max(0, now - arrived_at(message)) / 1000)
        metrics.LAST_PROGRESS.labels("decide").set(now / 1000)


class Draft:
    """What the core says about one part, on its way to a ledger entry."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.unit = intake.part.lease.unit
        self.states: dict[str, bytes] = {}
        self.reviews: dict[str, Instant | None] = {}
        self.outbox: list[Record] = []
        self.refused: list[tuple[int, Refusal]] = list(intake.refused)
        self.counters: Counter[str] = Counter()

    def take(self, outcome: Outcome, start: int, end: int, works: list[Work]) -> None:
        """Take over what a step said about this part's work, the items from `start` to `end`."""
        self.states.update(pair for pair in outcome.states[start:end] if pair[1])
        self.reviews.update(outcome.reviews[start:end])
        self.outbox += [(topic, key, value, None) for told in outcome.messages[start:end] for topic, key, value in told]
        applied = sum([len(work.events) for work in works])
        for refusals in outcome.refused[start:end]:
            self.refused += refusals
            applied -= len(refusals)
        for drops in outcome.dropped[start:end]:
            for reason in drops:
                self.counters["dropped:" + reason] += 1
            applied -= len(drops)
        self.counters["applied"] += applied

    def entry(self, due: Mapping[bytes, Instant], now: Instant, limit: DlqLimit) -> Entry:
        """The ledger entry of this part."""
        part = self.intake.part
        self.refused.sort(key=lambda pair: pair[0])
        limit.check(self.unit, len(part.messages), [place for place, _ in self.refused])
        for place, refusal in self.refused:
            self.outbox.append(dead_letter(part, place, refusal, now))
            self.counters[DEAD_LETTERED + refusal.reason] += 1
            metrics.REFUSED.labels(part.messages[place].topic(), refusal.reason).inc()
        for account in due:
            self.reviews.setdefault(account.decode(), None)
        self._audit(now)
        return Entry(
            partition=self.unit,
            progress=part.lease.claim,
            offsets=part.end,
            outbox=self.outbox,
            states=self.states,
            reviews=self.reviews,
            counters={name: times for name, times in self.counters.items() if times},
            audit=part.lease.claim.audit,
        )

    def _audit(self, now: Instant) -> None:
        """Record every decision of the batch in the partition's chain."""
        part = self.intake.part
        claim = part.lease.claim
        records = [digest(value) for topic, _, value, _ in self.outbox if topic == DECISIONS and value is not None]
        for first in range(0, len(records), MOST_RECORDS):
            some = records[first : first + MOST_RECORDS]
            at = part.until if part.until is not None else now
            act = Act(action="decision", actor="decide", subject=f"partition {self.unit}", at=at, records=some)
            message, claim.audit = link(claim.audit, f"decide-{self.unit}", act)
            self.outbox.append((AUDIT_LOGS, key_of(act), message, None))
