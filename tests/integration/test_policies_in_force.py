"""A released strategy decides in a running worker from its next batch on, and the way back leads to the schedule."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from connectors.kafka import clients, topics
from connectors.kafka.reading import partitions_of, read_to_end
from models.actions.strategy import policy_of
from models.calendar import DAY, utc
from models.clock import WallClock
from recoup import tenants
from recoup.cli.main import recoup as command_line
from recoup.policy_releases import read_strategy
from recoup.settings import Settings
from recoup.stack.workers import Workers
from schemas.actions import NextBestAction
from schemas.control import Limits, Strategy, Tenant
from schemas.envelope import Hours
from schemas.payments import InvoiceIssued
from schemas.strategies import Step

TENANT = Tenant(
    tenant_id="policies-in-force",
    name="Policies in force",
    currencies=("USD",),
    time_zone="UTC",
    country="DE",
    debt_class="business",
    live_since=utc(1_577_836_800_000),
    limits=Limits(contact_hours=(Hours(start="00:00", end="24:00"),)),  # else a day begins when they do
    strategy=Strategy(name="one step", steps=(Step(id="overdue", at_days=1, channel="email", template="overdue"),)),
)
FILE = """
name: whole
actions:
  - {id: person, action: hand_to_person, effect: {log_odds: 2, sd: 0.1}}
freshness_hours: 1
unapplied_share: 0.5
"""
decode = msgspec.json.Decoder(NextBestAction).decode


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


class World:
    """One worker, and what is told of it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.file = folder / "whole.yaml"
        self.file.write_text(FILE)
        self.producer = clients.producer(settings.kafka)

    def policies(self, *command: str) -> dict[str, Any]:
        run = CliRunner(env={"RECOUP_HOME": str(self.settings.home)})
        done = run.invoke(command_line, ["policies", *command, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def invoice(self, account_id: str) -> NextBestAction:
        """An invoice ten days past due, and the decision that it leads to."""
        now = WallClock().now()
        event = InvoiceIssued(
            event_id=f"issued-{account_id}",
            tenant_id=TENANT.tenant_id,
            account_id=account_id,
            occurred_at=utc(now),
            source="test",
            invoice_id="i",
            amount_minor=500_00,
            currency="USD",
            issued_at=utc(now - 40 * DAY),
            due_at=utc(now - 10 * DAY),
        )
        key = f"{TENANT.tenant_id}|{account_id}".encode()
        self.producer.produce("payment-events", msgspec.json.encode(event), key)
        assert self.producer.flush(15) == 0
        found: NextBestAction = until(lambda: self.decided(key))
        return found

    def decided(self, key: bytes) -> NextBestAction | None:
        kafka = self.settings.kafka
        messages = read_to_end(kafka, partitions_of(kafka, ["next-best-actions"]))
        return next((decode(message.value() or b"") for message in messages if message.key() == key), None)


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[World]:
    kafka = settings.kafka
    topics.apply(kafka)
    tenants.publish(kafka, {TENANT.tenant_id: TENANT}, [tenants.Change("add", TENANT.tenant_id)], WallClock())
    world = World(settings, tmp_path)
    with Workers(settings.home) as workers:
        workers.start("decide")
        workers.wait_ready()
        yield world
    for topic, key in (("tenants", TENANT.tenant_id), ("policy-releases", f"{TENANT.tenant_id}|policy")):
        world.producer.produce(topic, None, key.encode())
    assert world.producer.flush(15) == 0


def test_a_strategy_is_released_and_taken_back_while_the_worker_runs(world: World) -> None:
    assert world.invoice("before").policy == "schedule:one step"

    said = world.policies("release", str(world.file), "--tenant", TENANT.tenant_id)
    assert [worker["state"] for worker in said["workers"]] == ["serving"]
    decision = world.invoice("under-the-strategy")
    assert decision.policy == policy_of(read_strategy(world.file)) == said["released"]["policy"]
    # The event itself is what makes the feed fresh.
    assert (decision.action, decision.reasons, decision.step) == ("hand_to_person", ("worth_it",), "person")
    assert decision.context is not None
    assert decision.context.days_past_due == 10
    assert decision.at_stake_minor == 500_00

    world.policies("rollback", "--tenant", TENANT.tenant_id)
    assert world.invoice("after").policy == "schedule:one step"
