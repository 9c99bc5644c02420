"""A replay whose workers are killed decides what an undisturbed one decides, and leaves the same states byte for byte."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from recoup.settings import Settings
from recoup.stack.workers import running_workers
from streams.decide.agent import JOB
from tests.chaos import oracle
from tests.conftest import guarded_stack

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

MOMENTS = int(os.environ.get("CHAOS_MOMENTS", "3"))
DAYS = 120
DAYS_PER_SECOND = 12.0
"""Slow enough that the ledger lasts through the first moments; later ones hit what is still being landed."""
MAPPING = """
tenant_id: bakery
currency: EUR
dates: iso
time_zone: Europe/Berlin
account: {id: customer}
invoice: {id: invoice, amount: amount, issued_at: issued, due_at: due}
payment: {paid_at: paid}
"""


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    for stack in guarded_stack(tmp_path_factory.mktemp("replays")):
        yield stack.home


def ledger(folder: Path) -> list[str]:
    """Arguments that name a ledger of 40 customers and its mapping."""
    rows = ["customer,invoice,amount,issued,due,paid"]
    for number in range(600):
        issued = date(2020, 1, 6) + timedelta(days=number * DAYS // 600)
        due = issued + timedelta(days=10)
        paid = due + timedelta(days=number % 7 * 5 - 5)
        rows.append(f"c{number % 40},i{number},{10 + number}.00,{issued},{due},{paid if number % 8 else ''}")
    (folder / "ledger.csv").write_text("\n".join(rows) + "\n")
    (folder / "mapping.yaml").write_text(MAPPING)
    return ["--csv", str(folder / "ledger.csv"), "--mapping", str(folder / "mapping.yaml")]


def replay(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "recoup.cli.main", "replay", "--clean", "--json", "--workers", "2", *arguments]
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        env=os.environ | {"RECOUP_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> dict[str, Any]:
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    summary: dict[str, Any] = json.loads(said.splitlines()[-1])
    assert summary["reconciled"] is True, summary["differences"]
    return summary


def states(home: Path) -> dict[str, bytes]:
    """Every account's state, facts and course."""
    settings = Settings(home=home)

    async def read() -> dict[str, bytes]:
        client = connect_async(settings.redis)
        try:
            kept = Ledger(client, settings.redis.prefix, JOB)
            return {a: blob for p in range(oracle.PARTITIONS) for a, blob in (await kept.states(p)).items()}
        finally:
            await client.aclose()  # type: ignore[attr-defined]

    return asyncio.run(read())


def kill_one(home: Path, which: str) -> bool:
    """Kill a worker of the replay; False when none of that name answers at the moment."""
    for worker in running_workers(home):
        if worker["name"] == which and worker.get("ready"):
            os.kill(int(str(worker["pid"])), signal.SIGKILL)
            return True
    return False


def test_a_replay_whose_workers_are_killed_ends_like_an_undisturbed_one(home: Path, tmp_path: Path) -> None:
    arguments = ledger(tmp_path)
    undisturbed = ended(replay(home, *arguments))
    wanted = states(home)
    assert len(wanted) == 40
    assert undisturbed["decisions"] > 600

    disturbed = replay(home, *arguments, "--speed", str(DAYS_PER_SECOND * min(1.0, 3 / MOMENTS)))
    dice, victims = random.Random(MOMENTS), list[str]()
    for kills in range(MOMENTS):
        moment = time.monotonic() + dice.uniform(0.3, 2.0)
        # In turns, since a worker that fails eight times in a row stays down.
        victims = victims or dice.sample(("decide-0", "decide-1", "land-0"), 3)
        which = victims.pop()
        while time.monotonic() < moment or not kill_one(home, which):
            assert disturbed.poll() is None, f"the replay ended after {kills} kills"
            time.sleep(0.05)
    again = ended(disturbed)

    assert again["decisions_digest"] == undisturbed["decisions_digest"]
    assert again["decisions"] == undisturbed["decisions"]
    assert states(home) == wanted
