"""From a simulated log to the learned section of a strategy's file, and back into a decision."""

import datetime as dt
import json

import pytest
import yaml
from click.testing import CliRunner

from models.actions.strategy import strategy_from
from recoup.cli.policies import policies
from recoup.cli.simulate import simulate
from recoup.learning.exploring import explored, explorer
from recoup.learning.lesson import teach, with_learned
from recoup.learning.story import examples_of, read_log
from recoup.learning.telling import page, verdict
from recoup.policy_releases import read_strategy
from recoup.simulator.comparison.policies import NBA_FILE
from schemas.errors import BadInput
from schemas.strategies import Learned


@pytest.fixture(scope="module")
def strategy():
    return read_strategy(NBA_FILE)


@pytest.fixture(scope="module")
def logs(strategy):
    return explored(strategy, accounts=220, days=55, seeds=(141,), share=0.5, progress=lambda *_: None)


def test_the_exploring_policy_mostly_waits_and_logs_exact_probabilities(strategy, logs):
    examples = examples_of(logs)
    assert (examples.action == -1).mean() > 0.5
    assert examples.probability.sum(axis=1) == pytest.approx(1, abs=1e-9)
    assert (examples.chosen > 0).all()
    assert set(examples.paid[(examples.paid > 0) & (examples.paid < 1)]) or examples.paid.max() == 1
    assert explorer(strategy, 0.5).learned is None


def test_decisions_whose_outcome_is_not_known_yet_are_left_out(strategy, logs):
    last = max(row.at for story in logs[0].stories.values() for row in story.rows)
    assert last > logs[0].until - strategy.horizon_days * 86_400_000
    assert len(examples_of(logs).action) < sum(len(story.rows) for story in logs[0].stories.values())


def test_a_lesson_is_written_into_the_file_and_leaves_the_rest_as_it_was(strategy, logs):
    lesson = teach(strategy, logs, dt.datetime(2026, 11, 1, tzinfo=dt.UTC), "simulated")
    before = NBA_FILE.read_text()
    text = with_learned(before, lesson.learned)
    assert text.count("\nlearned:") == 1
    assert text.splitlines()[0] == before.splitlines()[0]
    again = strategy_from(yaml.safe_load(text), "again.yaml")
    assert again.learned is not None
    assert again.learned.source == "simulated"
    assert again.actions == strategy.actions
    assert with_learned(text, lesson.learned) == text
    assert "<svg" in page(lesson, "x") or not lesson.deciles
    assert verdict(lesson)


def test_a_learned_section_in_the_middle_of_a_file_is_replaced():
    old = Learned(at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), source="a", horizon_days=30)
    text = with_learned("name: x\nlearned:\n  source: old\n  # said\n# about caution\ncaution: 1\n", old)
    assert "old" not in text
    assert text.startswith("name: x\n# about caution\ncaution: 1\nlearned:")


def test_the_command_learns_from_a_written_log(tmp_path):
    log, to, report = tmp_path / "log.jsonl", tmp_path / "learned.yaml", tmp_path / "lesson.html"
    ran = ["--policy", "random", "--accounts", "150", "--days", "50", "--seed", "142", "--seeds", "1", "--json"]
    assert CliRunner().invoke(simulate, [*ran, "--log", str(log)]).exit_code == 0
    found = read_log(log, read_strategy(NBA_FILE))
    assert len(found) == 1
    done = CliRunner().invoke(
        policies, ["learn", str(NBA_FILE), "--log", str(log), "--to", str(to), "--report", str(report), "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["decisions"] > 50
    assert read_strategy(to).learned is not None
    assert "<html" in report.read_text()


def test_a_log_without_a_choice_is_refused(tmp_path, strategy):
    log = tmp_path / "log.jsonl"
    log.write_text('{"policy": "none", "seed": 1}\n')
    with pytest.raises(BadInput, match="explore"):
        examples_of(read_log(log, strategy))
    log.write_text("not json\n")
    with pytest.raises(BadInput, match="line 1"):
        read_log(log, strategy)


def test_the_log_that_judges_read_teaches_the_same_as_the_run_itself(tmp_path, strategy):
    log = tmp_path / "log.jsonl"
    ran = ["--policy", "random", "--accounts", "120", "--days", "45", "--seed", "143", "--seeds", "1", "--json"]
    assert CliRunner().invoke(simulate, [*ran, "--log", str(log)]).exit_code == 0
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    money: dict[str, list[dict[str, object]]] = {}
    for line in lines:
        event = line.get("heard") or {}
        if event.get("type") in ("payment.received", "payment.reversed"):
            sign = 1 if event["type"] == "payment.received" else -1
            piece = {
                "amount_minor": sign * event["amount_minor"],
                "currency": event["currency"],
                "at": event["occurred_at"],
            }
            money.setdefault(event["account_id"], []).append(piece)
    told = []
    for line in lines:
        if decision := line.get("decided"):
            came = [p for p in money.get(decision["account_id"], []) if p["at"] > decision["occurred_at"]]
            money[decision["account_id"]] = []
            told.append(json.dumps(decision | {"outcome": {"received": came}}))
    judged = tmp_path / "judged.jsonl"
    judged.write_text("\n".join(told))
    one, other = examples_of(read_log(log, strategy)), read_log(judged, strategy)
    assert len(examples_of(other).action) > 0.5 * len(one.action)
    assert abs(examples_of(other).paid.mean() - one.paid.mean()) < 0.1
