"""A policy is judged by what has landed in a real ClickHouse as by a file of the same decisions."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from connectors.clickhouse.client import connect
from connectors.clickhouse.migrate import migrate
from models.calendar import DAY, instant, utc
from models.evaluation.bootstrap import RESAMPLES
from recoup.cli.main import recoup
from recoup.evaluation.run import candidate_of, evaluate, milliseconds
from recoup.evaluation.warehouse import material_of
from recoup.learning import warehouse
from recoup.learning.lesson import teach
from recoup.learning.story import Gathered
from recoup.settings import Settings
from schemas.errors import BadInput
from schemas.strategies import ActionSpec, ActionStrategy, Effect
from tests.unit.models.logged import START, portfolio

END = START + 60 * DAY
ACCOUNTS = 1_000


class Landed:
    """A database of the test's own: decisions and payments, among them everything that must change nothing."""

    def __init__(self, settings: Settings) -> None:
        own = settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"})
        self.settings = settings.model_copy(update={"clickhouse": own})
        migrate(own)
        self.client = connect(own)
        self.decided = portfolio(ACCOUNTS, steps=2)
        decisions = [self.decision(its.decision) for its in self.decided]
        self.insert("next_best_actions", [*decisions, decisions[0], {**decisions[1], "payload": "{", "valid": False}])
        money = [
            self.payment(its.decision.account_id, piece.at, piece.amount)
            for its in self.decided
            for piece in its.received
        ]
        self.insert("payment_events", [*money, *money[:100]])  # told twice
        self.insert("payment_events", [self.payment("stranger", END - DAY, 999)])

    def decision(self, decision: Any) -> dict[str, Any]:
        return {
            "type": "next_best_action.chosen",
            "tenant_id": decision.tenant_id,
            "account_id": decision.account_id,
            "occurred_at": decision.occurred_at,
            "decision_id": decision.decision_id,
            "decision_no": decision.decision_no,
            "payload": msgspec.json.encode(decision).decode(),
            "valid": True,
        }

    def payment(self, account_id: str, at: int, amount: int, *, reverses: int = 0) -> dict[str, Any]:
        """A payment, or the reversal of the one that came at `reverses`."""
        kind = "payment.reversed" if reverses else "payment.received"
        return {
            "type": kind,
            "tenant_id": "nordlicht",
            "account_id": account_id,
            "occurred_at": utc(at),
            "payment_id": f"{account_id}-{reverses or at}",
            "reversal_id": f"{account_id}-{reverses}-back" if reverses else "",
            "currency": "EUR",
            "amount_minor": amount,
            "payload": "{}",
            "valid": True,
        }

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        whole = [{"_offset": offset, "_arrived_at": utc(END), **row} for offset, row in enumerate(rows)]
        self.client.insert(table, [list(row.values()) for row in whole], column_names=list(whole[0]))

    def judged(self, policy: str, **options: Any) -> Any:
        asked = candidate_of(policy, 14)
        question = {"tenant": "nordlicht", "since": 0, "until": None, **options}
        found = material_of(self.settings, asked.policy, milliseconds(14), **question)
        return evaluate(asked, found, "decisions.jsonl", resamples=RESAMPLES)


@pytest.fixture(scope="module")
def landed(settings: Settings) -> Iterator[Landed]:
    landed = Landed(settings)
    yield landed
    landed.client.command(f"DROP DATABASE {landed.settings.clickhouse.database}")
    landed.client.close()


def test_the_warehouse_says_what_a_file_of_the_same_decisions_says(landed: Landed, tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    with path.open("w") as file:
        for its in landed.decided:
            received = [
                {"amount_minor": piece.amount, "currency": "EUR", "at": utc(piece.at).isoformat()}
                for piece in its.received
            ]
            message = json.loads(msgspec.json.encode(its.decision))
            file.write(json.dumps(message | {"outcome": {"received": received}}) + "\n")
    done = CliRunner().invoke(recoup, ["evaluate", "--policy", "none", "--log", str(path), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(msgspec.json.encode(landed.judged("none"))) == json.loads(done.stdout)


def test_the_warehouse_teaches_what_the_same_decisions_teach(landed: Landed) -> None:
    email = ActionSpec(
        id="email", action="contact", channel="email", template="overdue_first", effect=Effect(log_odds=0.2, sd=0.5)
    )
    strategy = ActionStrategy(name="test", horizon_days=14, actions=(email,))
    told = Gathered(strategy)
    for its in landed.decided:
        told.take(its)
    told.until = END
    found = warehouse.landed(landed.settings, strategy, "nordlicht")
    assert found.until == END
    one, other = teach(strategy, [told], utc(END), "log"), teach(strategy, [found], utc(END), "log")
    assert one.learned == other.learned
    assert one.learned.effects[0].log_odds > 0.5  # one in ten pays without, three in ten with


def test_a_reversal_within_the_window_is_taken_off(landed: Landed) -> None:
    before = landed.judged("logged").results[0].judgement.logged.value
    paid = [(its.decision.account_id, piece) for its in landed.decided for piece in its.received][:50]
    landed.insert(
        "payment_events",
        [landed.payment(account, piece.at + DAY, piece.amount, reverses=piece.at) for account, piece in paid],
    )
    after = landed.judged("logged").results[0].judgement.logged.value
    assert before - after == pytest.approx(sum(piece.amount for _, piece in paid) / ACCOUNTS)


def test_decisions_are_chosen_by_their_date_and_windows_that_have_not_ended_are_left_out(landed: Landed) -> None:
    begun = {its.decision.account_id: its.decision for its in reversed(landed.decided)}  # each account's first one
    whole = sum(instant(first.occurred_at) <= START + 4 * DAY for first in begun.values())
    early = landed.judged("logged", until=START + 18 * DAY).results[0]
    assert (early.judgement.diagnostics.decisions, early.left_out) == (2 * whole, {"not_ended": ACCOUNTS - whole})
    late = landed.judged("logged", since=START + 5 * DAY).results[0].judgement.diagnostics
    assert late.decisions == sum(instant(its.decision.occurred_at) >= START + 5 * DAY for its in landed.decided)
    with pytest.raises(BadInput, match="whose window of 90 days has ended"):
        evaluate(
            candidate_of("none", 90),
            material_of(
                landed.settings,
                candidate_of("none", 90).policy,
                milliseconds(90),
                tenant=None,
                since=0,
                until=None,
            ),
            "the warehouse",
        )


def test_an_unknown_tenant_is_named(landed: Landed) -> None:
    with pytest.raises(BadInput, match="Nothing of the tenant `nobody` has landed"):
        landed.judged("none", tenant="nobody")
