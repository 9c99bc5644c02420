"""`recoup evaluate` judges a candidate from a file, refuses what the log cannot tell with an exit code of its own."""

import datetime as dt
import json

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks.evaluation.public import shared
from models.calendar import DAY, utc
from recoup.cli.main import recoup
from tests.unit.models.logged import EMAIL, START, WAIT, decision, option, portfolio
from tests.unit.models.shared_data import or_skip


def run(*arguments):
    return CliRunner().invoke(recoup, ["evaluate", *map(str, arguments)])


def line(decided):
    received = [
        {"amount_minor": piece.amount, "currency": piece.currency, "at": utc(piece.at).isoformat()}
        for piece in decided.received
    ]
    message = json.loads(msgspec.json.encode(decided.decision))
    return json.dumps(message | {"outcome": {"received": received}})


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "decisions.jsonl"
    path.write_text("\n".join(map(line, portfolio(1_000, steps=2))) + "\n")
    return path


def test_a_candidate_is_judged_from_a_file(log):
    done = run("--policy", "none", "--log", log, "--json")
    assert done.exit_code == 0, done.output
    (result,) = json.loads(done.stdout)["results"]
    estimates = {its["estimator"]: its for its in result["judgement"]["estimates"]}
    assert set(estimates) == {"dr", "snips", "ips", "dm"}
    assert estimates["dr"]["low"] < 2_000 < estimates["dr"]["high"]
    assert result["judgement"]["verdict"] == "worse"
    assert result["currency"] == "EUR"


def test_the_same_question_has_the_same_answer(log):
    first, second = (run("--policy", "random", "--log", log, "--json").stdout for _ in range(2))
    assert first == second


def test_people_are_told_in_words_and_a_picture(log, tmp_path):
    page = tmp_path / "report.html"
    done = run("--policy", "none", "--log", log, "--report", page)
    assert done.exit_code == 0
    assert "WORSE" in done.stdout
    assert "none would have brought" in done.stdout
    assert "effective sample" in done.stdout
    written = page.read_text()
    assert written.count("<img src='data:image/png;base64,") == 1
    assert "verdict worse" in written


def test_a_shorter_window_makes_other_episodes(log):
    done = run("--policy", "logged", "--log", log, "--window", 3, "--json")
    assert json.loads(done.stdout)["results"][0]["judgement"]["diagnostics"]["longest"] == 1


def test_windows_that_go_on_behind_the_last_date_are_left_out_whole(log):
    asked = f"{utc(START + 18 * DAY):%Y-%m-%d}"
    begun = {its.decision.account_id: its.decision for its in reversed(portfolio(1_000, steps=2))}
    last = utc(START + 18 * DAY).replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=14)
    whole = sum(first.occurred_at <= last for first in begun.values())
    done = run("--policy", "logged", "--log", log, "--until", asked, "--json")
    (result,) = json.loads(done.stdout)["results"]
    assert 0 < whole < 1_000
    assert result["judgement"]["diagnostics"]["decisions"] == 2 * whole
    assert result["left_out"] == {"not_ended": 1_000 - whole}


def test_a_log_that_never_explored_is_refused_with_the_reason(tmp_path):
    path, page = tmp_path / "schedule.jsonl", tmp_path / "report.html"
    sent = (option(WAIT, 0.0), option(EMAIL, 1.0))
    rule = {"chosen": EMAIL, "actions": sent, "policy": "schedule:household", "context": None}
    rows = [json.loads(msgspec.json.encode(decision(f"a{number}", **rule))) for number in range(300)]
    paid = {"received": [{"amount_minor": 100, "currency": "EUR"}]}
    path.write_text("\n".join(json.dumps(row | {"outcome": paid}) for row in rows))
    done = run("--policy", "none", "--log", path, "--report", page)
    assert done.exit_code == 3
    assert "REFUSED" in done.stdout
    assert "never explored" in " ".join(done.stdout.split())
    assert "never explored" in page.read_text()
    as_json = run("--policy", "none", "--log", path, "--json")
    assert as_json.exit_code == 3
    (result,) = json.loads(as_json.stdout)["results"]
    assert "no_exploration" in [its["reason"] for its in result["judgement"]["refused"]]
    assert result["judgement"]["estimates"] == []
    assert run("--policy", "logged", "--log", path).exit_code == 0


def strategy_file(tmp_path, template, policy="nba"):
    path = tmp_path / f"{template}.yaml"
    path.write_text(
        f"name: bold\npolicy: {policy}\n"
        + (
            "actions:\n  - {id: mail, action: contact, channel: email, template: "
            + template
            + ", effect: {log_odds: 1.0, sd: 0.1}}\nexplore: {share: 0.2}\nwindow: {payment_days: 9}\n"
            if policy == "nba"
            else ""
        )
    )
    return path


def test_a_strategy_is_judged_from_its_file(log, tmp_path):
    done = run("--policy", strategy_file(tmp_path, "overdue_first"), "--log", log, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["policy"], report["window_days"]) == ("bold", 9)
    assert report["results"][0]["judgement"]["verdict"] == "better"


def test_a_strategy_with_actions_that_the_log_never_had_is_refused(log, tmp_path):
    done = run("--policy", strategy_file(tmp_path, "brand_new"), "--log", log, "--json")
    assert done.exit_code == 3
    (result,) = json.loads(done.stdout)["results"]
    assert "unknown_actions" in [its["reason"] for its in result["judgement"]["refused"]]
    assert "contact email brand_new" in result["says"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not json", "line 1: JSON is malformed"),
        ('{"type": "next_best_action.chosen"}', "line 1: "),
        ("", "no decision in it"),
    ],
)
def test_a_log_that_cannot_be_read_is_bad_input(tmp_path, content, says):
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    done = run("--policy", "none", "--log", path)
    assert done.exit_code != 0
    assert says in str(done.exception)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"outcome": None}, "outcome"),
        ({"outcome": {"receive": []}}, "unknown field `receive`"),
        ({"outcome": {"received": [{"amount_minor": 1, "currency": "EUX"}]}}, "currency"),
        (
            {"outcome": {"received": [{"amount_minor": 1, "currency": "EUR", "at": utc(START).isoformat()}]}},
            "before the",
        ),
    ],
)
def test_a_line_that_is_wrong_is_named_without_what_it_holds(tmp_path, change, says):
    message = json.loads(msgspec.json.encode(decision()))
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(message | {"outcome": {}}) + "\n" + json.dumps(message | change))
    done = run("--policy", "none", "--log", path)
    assert "line 2: " in str(done.exception)
    assert says in str(done.exception)


def test_a_decision_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "twice.jsonl"
    row = json.dumps(json.loads(msgspec.json.encode(decision())) | {"outcome": {}})
    path.write_text(f"{row}\n{row}\n")
    assert "the decision of line 1 once more" in str(run("--policy", "none", "--log", path).exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--policy", "none"], "--from-warehouse or --log"),
        (["--log", "LOG"], "Give --policy"),
        (["--policy", "none", "--log", "LOG", "--from-warehouse"], "--from-warehouse or --log"),
        (["--policy", "clever", "--log", "LOG"], "`clever` is no policy"),
        (["--policy", "none", "--log", "LOG", "--tenant", "nobody"], "none was a choice"),
        (["--policy", "none", "--log", "LOG", "--since", "2030-01-01"], "none was a choice"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(log, arguments, says):
    done = run(*(str(log) if its == "LOG" else its for its in arguments))
    assert done.exit_code != 0
    assert says in done.output + str(done.exception)


def test_a_schedule_as_candidate_is_refused_as_an_option(log, tmp_path):
    done = run("--policy", strategy_file(tmp_path, "old", "schedule"), "--log", log)
    assert "recoup simulate" in str(done.exception)


def trial(path, rows=2_000, *, leak=False):
    lines = ["group,age,town,answered,later"]
    for number in range(rows):
        mailed, age = number % 2, (number // 2) % 40
        answered = int((number * 7919) % 100 < 20 + (age - 20) * mailed)
        lines.append(f"{'mail' if mailed else 'none'},{age},t{number % 3},{answered},{mailed * leak + number % 5}")
    path.write_text("\n".join(lines))
    return path


def uplift(path, *options):
    return run(
        "uplift", "--data", path, "--treatment", "group=mail", "--control", "none", "--outcome", "answered", *options
    )


def test_an_experiment_is_judged_and_drawn(tmp_path):
    picture, page = tmp_path / "qini.png", tmp_path / "qini.html"
    done = uplift(trial(tmp_path / "t.csv"), "--report", picture, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["targeting"]["verdict"] == "choose"
    assert set(found["targeting"]["models"]) == {"t", "class_transformation", "response"}
    assert found["columns"] == ["age", "town=t0", "town=t1", "town=t2", "later"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "T-learner" in uplift(trial(tmp_path / "t.csv"), "--report", page).stdout
    assert "verdict choose" in page.read_text()


def test_a_column_that_was_measured_after_the_treatment_is_noticed(tmp_path):
    path = trial(tmp_path / "t.csv", leak=True)
    assert "--ignore later" in str(uplift(path).exception)
    assert uplift(path, "--ignore", "later").exit_code == 0


def test_a_line_of_an_experiment_with_too_few_or_too_many_fields_is_named(tmp_path):
    path = trial(tmp_path / "t.csv", 60)
    text = path.read_text()
    for line in ("mail,1", "mail,1,2,3,4,5,6,7,8,9"):
        path.write_text(f"{text}\n{line}\n")
        assert "t.csv line 62: expected" in str(uplift(path).exception)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--treatment", "group"], "COLUMN=VALUE"),
        (["--treatment", "nothing=1"], "no column `nothing`"),
        (["--control", "nobody"], "no row has `nobody`"),
        (["--outcome", "town"], "not a number in every row"),
    ],
)
def test_an_experiment_that_cannot_be_read_says_why(tmp_path, options, says):
    done = uplift(trial(tmp_path / "t.csv", 200), *options)
    assert done.exit_code != 0
    assert says in done.output + str(done.exception)


def test_the_leak_in_hillstroms_file_is_noticed():
    data = or_skip(shared, "hillstrom/hillstrom.csv")
    done = run(
        "uplift", "--data", data, "--treatment", "segment=Womens E-Mail", "--control", "No E-Mail", "--outcome", "visit"
    )
    assert "`conversion`" in str(done.exception)
