"""A ledger goes through the whole pipeline on its own clock, and every row of it is accounted for."""

import csv
import json
import math
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from connectors.clickhouse.client import connect
from connectors.clickhouse.history import LandedHistory
from connectors.clickhouse.timeline import tenant_of
from models.account.standing import standing_of
from models.actions.schedule import Plan
from models.calendar import instant
from models.features.history import History
from models.features.rows import fingerprints, focus_of, matrix, observe
from models.propensity.serving import BASELINE
from recoup.cli.main import recoup as command_line
from recoup.settings import Settings
from recoup.training.warehouse import _Landed
from schemas.errors import BadInput
from schemas.scores import PropensityScored
from tests.conftest import guarded_stack
from tests.notebook_run import answer_of, run

ROOT = Path(__file__).parents[2]
HEADER = "customer,invoice,amount,issued,due,paid,disputed"
MAPPING = """
tenant_id: bakery
currency: EUR
dates: "%d.%m.%Y"
time_zone: Europe/Berlin
account: {id: customer}
invoice: {id: invoice, amount: amount, issued_at: issued, due_at: due}
payment: {paid_at: paid}
dispute: {when: {disputed: "yes"}}
"""

HURRY = {"RECOUP_STREAMS__DECIDE__LINGER_MS": "5"}
"""A replay waits for every bucket of simulated time to be decided on: there is nothing to gather more of."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the module's own stack is, which every replay starts anew."""
    for stack in guarded_stack(tmp_path_factory.mktemp("replay")):
        yield stack.home


def ledger(folder: Path) -> tuple[Path, Path, int, int]:
    """A ledger with a repeated row and two bad ones; its path, the mapping's, and its good invoices and cents paid."""
    rows, paid_cents = [], 0
    for number in range(48):
        issued = date(2020, 1, 6) + timedelta(days=number)
        due = issued + timedelta(days=10)
        paid = due + timedelta(days=number % 5 * 4 - 4)
        settled = number % 9 != 0
        cents = 1_000 + 137 * number
        paid_cents += cents * settled
        rows.append(
            f"c{number % 7},i{number},{cents // 100}.{cents % 100:02},{issued:%d.%m.%Y},{due:%d.%m.%Y},"
            f"{paid.strftime('%d.%m.%Y') if settled else ''},{'yes' if number % 11 == 0 else 'no'}"
        )
    rows.append(rows[1])
    rows += ["c1,i100,10.00,31.02.2020,01.03.2020,,no", "c1,i101,ten,01.02.2020,01.03.2020,,no"]
    (folder / "ledger.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join([HEADER, "", *rows, ""]).encode())
    (folder / "mapping.yaml").write_text(MAPPING)
    return folder / "ledger.csv", folder / "mapping.yaml", 48, paid_cents


def recoup(home: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """The command line, in a process of its own."""
    command = [sys.executable, "-m", "recoup.cli.main", *map(str, arguments)]
    environment = os.environ | HURRY | {"RECOUP_HOME": str(home), "COLUMNS": "200"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def summary(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def compared(home: Path, tenant_id: str) -> int:
    """How many scores there are; the features of each are those that training makes of the warehouse, to the last bit."""
    settings = Settings(home=home)
    database = settings.clickhouse.database
    client = connect(settings.clickhouse)
    tenant = tenant_of(client, database, tenant_id)
    assert tenant is not None
    calendar = Plan(tenant)
    scores: defaultdict[str, list[PropensityScored]] = defaultdict(list)
    query = f"SELECT payload FROM {database}.propensity_scores WHERE valid ORDER BY occurred_at, _offset"  # noqa: S608
    for (payload,) in client.query(query, column_formats={"payload": "bytes"}).result_rows:
        score = msgspec.json.decode(payload, type=PropensityScored)
        scores[score.account_id].append(score)
    count, other = 0, []
    for account in _Landed(LandedHistory(client, database), tolerance=300_000).accounts([tenant_id]):
        history = History(account.arrivals, calendar, sys.maxsize, Counter())
        for score in scores.pop(account.account_id):
            at = instant(score.occurred_at)
            history.fold_until(at)
            standing = standing_of(history.facts, at, calendar.today(at).overdue_before)
            focus = focus_of(standing, BASELINE.moment, BASELINE.target)
            x = matrix([observe(history.facts, history.course, standing, focus, at, calendar.zone)])
            logged = np.array([math.nan if value is None else value for value in score.features])
            same = fingerprints(x)[0] == score.features_id and np.array_equal(x[0], logged, equal_nan=True)
            if not same or (focus and focus[1]) != score.invoice_id:
                other.append(score.decision_id)
            count += 1
    assert (other, dict(scores)) == ([], {})
    return count


def test_a_file_that_is_not_fit_stops_before_anything_is_started(tmp_path):
    path, mapping, *_ = ledger(tmp_path)
    done = recoup(tmp_path / "home", "replay", "--csv", path, "--mapping", mapping)
    assert done.returncode == 2
    assert 'ledger.csv line 52, column issued: "31.02.2020" is not a date of the form %d.%m.%Y.' in done.stderr
    assert "line 53, column amount" in done.stderr
    assert "nothing has been sent" in done.stderr
    assert not (tmp_path / "home" / "endpoints.json").exists()


def test_two_replays_of_a_ledger_decide_the_same_and_each_row_is_accounted_for(home, tmp_path):
    path, mapping, invoices, paid = ledger(tmp_path)
    replay = ("replay", "--csv", path, "--mapping", mapping, "--skip-bad", "--json")
    first = summary(recoup(home, *replay, "--clean", "--until", "2020-04-10"))
    assert first["reconciled"] is True
    assert first["differences"] == []
    assert (first["invoices"], first["accounts"], first["paid_minor"]) == (invoices, 7, paid)
    assert first["dropped_by_reason"] == {"duplicate": 2}, "the repeated row: its invoice and its payment"
    assert first["dead_lettered"] == 2
    assert first["events"] == first["applied"] + first["dropped"] + first["dead_lettered"]
    assert first["decisions"] > invoices, "every invoice was decided on, and its reviews fired"
    assert first["landed"]["contact-requests"] > 0
    assert first["landed"]["payment-events.dlq"] == 2

    refused = recoup(home, *replay)
    assert refused.returncode == 2
    assert "A replay needs an empty stack" in refused.stderr

    live = recoup(home, "simulate", "--seconds", "1")
    assert live.returncode == 2
    assert "replays a ledger on its own clock" in live.stderr

    second = summary(recoup(home, *replay, "--clean", "--until", "2020-04-10", "--workers", "2"))
    assert second["decisions_digest"] == first["decisions_digest"]
    assert second["manifest_digest"] == first["manifest_digest"]
    assert second["decisions"] == first["decisions"]
    assert compared(home, "bakery") == first["decisions"]


def test_a_replayed_account_can_be_explained(home):
    explain = partial(CliRunner(env={"RECOUP_HOME": str(home), "COLUMNS": "200"}).invoke, command_line)
    told = explain(["explain", "bakery", "c0", "--json"])
    assert told.exit_code == 0, told.output
    story = json.loads(told.stdout)
    decisions = [chapter["decision"] for chapter in story["timeline"] if chapter["decision"]]
    assert [decision["number"] for decision in decisions] == list(range(1, len(decisions) + 1))
    assert all(decision["reasons"] for decision in decisions)
    assert story["time_zone"] == "Europe/Berlin"
    owed = {invoice["invoice_id"] for invoice in story["standing"]["invoices"]}
    assert owed == {"i0"}, "it was never paid"
    assert "because" in explain(["explain", "bakery", "c0"]).stdout
    assert isinstance(explain(["explain", "bakery", "nobody"]).exception, BadInput)


def test_the_real_ledger_is_replayed_to_the_cent(home):
    folder = Path(os.environ.get("RECOUP_DATA", ROOT.parent / "shared" / "data")) / "ibm_late_payment"
    found = sorted(folder.glob("*.csv"))
    if not found:
        pytest.skip(f"the IBM late-payment ledger is not in {folder}; RECOUP_DATA names the folder above it")
    mapping = ROOT / "config/mappings/ibm_late_payment.yaml"
    said = summary(recoup(home, "replay", "--csv", found[0], "--mapping", mapping, "--clean", "--json"))
    with found[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert said["reconciled"] is True
    assert said["invoices"] == len(rows) == 2466
    assert said["accounts"] == 100
    assert said["paid_minor"] == sum(Decimal(row["InvoiceAmount"]) for row in rows) * 100
    assert (said["dropped"], said["dead_lettered"]) == (0, 0)
    assert compared(home, "ibm") == said["decisions"] > 1_000
    # What its notebook says, out of the warehouse it has just landed in.
    answer = answer_of(run("6", home))
    assert "2,466 invoices of 100 customers" in answer
    assert "off by **15." in answer
