"""A ledger through the whole pipeline on its own clock, from an empty stack to a verdict that every row is accounted for."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from connectors.clickhouse.migrate import migrate
from connectors.kafka import topics
from connectors.redis.mode import start_replay
from models.calendar import Zone, utc
from models.clock import Clock, Instant
from recoup import tenants
from recoup.replay.audit import Audit, Verdict
from recoup.replay.buckets import Bucket, cut
from recoup.replay.cells import Cells
from recoup.replay.feed import Fed, Feed
from recoup.replay.ledger import Ledger, read_ledger
from recoup.replay.manifest import Manifest, manifest_of
from recoup.replay.mapping import Mapping, read_mapping
from recoup.replay.tenant import base_tenant, live_from
from recoup.settings import Settings
from recoup.stack.stack import Stack
from recoup.stack.workers import Workers, running_workers
from schemas.control import Tenant
from schemas.errors import BadInput, NotReady

DECIDE, LAND = "decide", "land"
SILENT = {"RECOUP_STREAMS__METRICS_SECONDS": "0"}
"""Workers tell nothing of themselves: every message and every row is counted."""

Say = Callable[[str], None]
Show = Callable[[str, float, str], None]
"""Told (phase, share done, what is shown beside it)."""


class Plan(msgspec.Struct, frozen=True):
    """What is asked for."""

    csv: Path
    mapping: Path
    days_per_second: float | None = None
    """None = as fast as it goes."""
    clean: bool = False
    skip_bad: bool = False
    workers: int = 1
    """Decide workers."""
    bucket_hours: int = 24
    until: str | None = None
    """A date of the ledger's time zone to go on to after its last row."""


class Result(msgspec.Struct):
    """What came of it."""

    ledger: Ledger
    tenant: Tenant
    manifest: Manifest
    fed: Fed
    verdict: Verdict
    seconds: float
    """From the first message to the last row."""
    assumed_reachable: bool


class Replay:
    """One replay of one ledger."""

    def __init__(self, plan: Plan, settings: Settings, clock: Clock, say: Say, show: Show) -> None:
        self.plan = plan
        self.settings = settings
        self.clock = clock
        self.say = say
        self.show = show
        self.mapping: Mapping = read_mapping(plan.mapping)

    def run(self) -> Result:
        """All of it. The servers stay for looking further, the workers do not.

        Raises:
            BadInput: the file, the mapping or the stack is not fit for it; nothing has been sent.
            NotReady: something did not start, or died.
        """
        tenant = base_tenant(self.mapping, self.settings.tenants_dir)
        ledger = self._read(tenant)
        tenant = live_from(tenant, ledger.messages[0].at, ledger.currencies)
        buckets = list(
            cut(ledger.messages, Zone(tenant.time_zone), hours=self.plan.bucket_hours, end=self._end(tenant))
        )
        manifest = manifest_of(
            self.plan.csv,
            self.plan.mapping,
            [tenant],
            bucket_hours=self.plan.bucket_hours,
            until=utc(buckets[-1].until).isoformat(),
        )
        stack = self._empty_stack()
        stack.up(lambda part, what: self.say(f"{part} {what}"))
        self.settings = self.settings.model_copy(update=_addresses(self.settings))
        self._provision(tenant, manifest)
        began = time.monotonic()
        with Workers(self.settings.home, lambda worker, what: self.say(f"{worker} {what}"), SILENT) as workers:
            workers.start(LAND)
            for slot in range(self.plan.workers):
                workers.start(DECIDE, slot)
            workers.wait_ready()
            began = time.monotonic()
            with Audit(self.settings) as audit:
                fed = self._feed(buckets)
                verdict = self._follow(audit, workers, ledger, fed)
        return Result(
            ledger=ledger,
            tenant=tenant,
            manifest=manifest,
            fed=fed,
            verdict=verdict,
            seconds=time.monotonic() - began,
            assumed_reachable=self.mapping.assume_reachable and not self.mapping.names_addresses,
        )

    def _read(self, tenant: Tenant) -> Ledger:
        self.show("reading", 0.0, self.plan.csv.name)
        cells = Cells(self.mapping, tenant.time_zone, self.clock.now())
        ledger = read_ledger(self.plan.csv, self.mapping, str(self.plan.mapping), cells, skip_bad=self.plan.skip_bad)
        self.say(f"{ledger.rows:,} rows read: {ledger.invoices:,} invoices of {ledger.accounts:,} accounts")
        return ledger

    def _end(self, tenant: Tenant) -> Instant | None:
        if self.plan.until is None:
            return None
        try:
            iso = msgspec.structs.replace(self.mapping, dates="iso")
            return Cells(iso, tenant.time_zone, self.clock.now()).instant(self.plan.until, "end")
        except ValueError as error:
            raise BadInput(f"--until: {error}.") from error

    def _empty_stack(self) -> Stack:
        """The stack, with nothing in it if that was asked for."""
        stack = Stack.of(self.settings)
        running = [str(worker["name"]) for worker in running_workers(self.settings.home)]
        if running:
            raise BadInput(
                f"Workers run on this stack ({', '.join(running)}) and would take part. Stop them, or replay elsewhere:"
                " RECOUP_HOME=.recoup/replay recoup replay ..."
            )
        if self.plan.clean:
            if stack.external:
                raise BadInput(
                    "--clean empties a local stack, and the settings name servers elsewhere"
                    f" ({', '.join(sorted(stack.external))}). Empty those by hand."
                )
            stack.down(wipe=True)
        return stack

    def _provision(self, tenant: Tenant, manifest: Manifest) -> None:
        """Topics, tables and the ledger's one tenant; the mode last, when it is certain that the stack is empty."""
        topics.apply(self.settings.kafka)
        migrate(self.settings.clickhouse)
        with Audit(self.settings) as audit:
            held = audit.holds_events()
        if held:
            raise BadInput(
                f"A replay needs an empty stack, and {held}. Pass --clean to delete what the local stack holds, or replay"
                " elsewhere: RECOUP_HOME=.recoup/replay recoup replay ..."
            )
        start_replay(self.settings.redis, msgspec.to_builtins(manifest))
        changes = tenants.plan({tenant.tenant_id: tenant}, {})
        tenants.publish(self.settings.kafka, {tenant.tenant_id: tenant}, changes, self.clock)

    def _feed(self, buckets: list[Bucket]) -> Fed:
        def progress(bucket: Bucket) -> None:
            self.show("sending", (bucket.number + 1) / len(buckets), f"{utc(bucket.until):%Y-%m-%d}")

        return Feed(self.settings.kafka).run(buckets, progress, self.plan.days_per_second)

    def _follow(self, audit: Audit, workers: Workers, ledger: Ledger, fed: Fed) -> Verdict:
        total = fed.events + sum(fed.markers.values())

        def look(left: int) -> None:
            for status in workers.status():
                if status.state == "failed":
                    raise NotReady(f"worker {status.name} stays down; `recoup logs worker-{status.name}` says why")
            self.show(phase, 1.0 - left / max(1, total), f"{left:,} messages left")

        phase = "deciding"
        audit.wait_decided(look)
        for slot in range(self.plan.workers):
            workers.stop(f"{DECIDE}-{slot}")
        phase, total = "landing", sum(rows for rows, _ in audit.rows().values()) + total
        audit.wait_landed(look)
        return audit.verdict(ledger, self.mapping.tenant_id, fed.markers)


def _addresses(settings: Settings) -> dict[str, object]:
    """The settings' addresses as the running stack has them."""
    fresh = Settings(home=settings.home)
    return {"kafka": fresh.kafka, "redis": fresh.redis, "clickhouse": fresh.clickhouse}
