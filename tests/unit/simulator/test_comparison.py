import json

import msgspec
import pytest
from click.testing import CliRunner

from recoup.cli.compare_policies import seeds_from
from recoup.cli.simulate import simulate
from recoup.simulator.comparison.compare import Question, compare
from recoup.simulator.comparison.intervals import estimate
from recoup.simulator.comparison.policies import policy_named
from recoup.simulator.comparison.report import page
from schemas.errors import BadInput


@pytest.fixture(scope="module")
def found():
    policies = (policy_named("schedule"), policy_named("none"))
    return compare(Question(policies=policies, accounts=150, days=30, seeds=(101, 102)))


def test_a_mean_has_the_interval_of_students_t():
    its = estimate([1.0, 2.0, 3.0, 4.0])
    assert its.mean == 2.5
    assert its.high is not None
    assert its.high - its.mean == pytest.approx(3.182 * (5 / 3) ** 0.5 / 2, abs=1e-5)
    assert estimate([4.0]).low is None


def test_who_is_contacted_pays_more_and_costs_more(found):
    schedule, none = found.policies
    assert schedule.against is None
    assert none.against.recovered.mean < 0
    assert none.against.contacts_by_seed == {"101": -1.0, "102": -1.0}
    assert none.measures["contacts"].mean == 0
    assert schedule.measures["cost_minor"].mean > 0


def test_segments_add_up_to_all(found):
    for result in found.policies:
        for kind in ("habit", "tenant"):
            its = [segment for name, segment in result.segments.items() if name.startswith(kind + ":")]
            for measure in ("accounts", "contacts", "recovered_minor"):
                whole = sum(segment[measure].mean for segment in its)
                assert whole == pytest.approx(result.measures[measure].mean, abs=5)


def test_curves_end_where_the_measures_do(found):
    for result in found.policies:
        share = sum(m.recovered_minor / m.became_due_minor for m in result.by_seed.values()) / 2
        assert result.recovered_by_day[-1] == pytest.approx(share, abs=1e-4)


def test_the_page_has_pictures_and_no_script(found):
    html = page(found)
    assert html.count("<svg") == 4
    assert "<script" not in html
    assert "none recovers" in html


def test_seeds_are_a_count_or_a_list():
    assert seeds_from("3", 7) == (7, 8, 9)
    assert seeds_from("1,5", 7) == (1, 5)
    for wrong in ("0", "x", "1,1", "1,,2"):
        with pytest.raises(BadInput):
            seeds_from(wrong, 1)


def test_the_command_answers_in_json_without_a_stack(tmp_path):
    log, report = tmp_path / "log.jsonl", tmp_path / "report.html"
    arguments = [
        "--policy",
        "schedule",
        "--policy",
        "none",
        "--accounts",
        "40",
        "--days",
        "12",
        "--seeds",
        "1",
        "--json",
    ]
    done = CliRunner().invoke(simulate, [*arguments, "--log", str(log), "--report", str(report)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert [its["policy"] for its in told["policies"]] == ["schedule", "none"]
    assert told["policies"][0]["by_seed"]["1"]["accounts"] == 40
    lines = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
    assert {line["policy"] for line in lines} == {"schedule", "none"}
    assert any("contacted" in line for line in lines)
    assert any("decided" in line for line in lines)
    assert "<svg" in report.read_text()


def test_an_unknown_policy_is_refused_with_what_there_is():
    with pytest.raises(BadInput, match=r"There is no policy `best`: expected schedule"):
        policy_named("best")


def test_tenants_without_prices_in_a_strategy_keep_their_own_schedule(tmp_path):
    dollars = tmp_path / "dollars.yaml"
    dollars.write_text(
        "name: dollars\npolicy: nba\nactions:\n"
        "  - {id: email, action: contact, channel: email, template: t, cost: {USD: 1}, effect: {log_odds: 1, sd: 0}}\n"
    )
    policies = (policy_named("schedule"), policy_named(str(dollars)))
    schedule, other = compare(Question(policies=policies, accounts=120, days=20, seeds=(103,))).policies
    assert other.decides_for == ["brightwater", "harbor"]
    for name in ("tenant:northgate", "tenant:fernwerk"):
        assert other.segments[name] == schedule.segments[name]
    assert other.segments["tenant:brightwater"]["contacts"] != schedule.segments["tenant:brightwater"]["contacts"]


def test_a_strategy_without_a_price_for_anybody_is_refused(tmp_path):
    yen = tmp_path / "yen.yaml"
    yen.write_text(
        "name: yen\npolicy: nba\nactions:\n"
        "  - {id: email, action: contact, channel: email, template: t, cost: {JPY: 1}, effect: {log_odds: 1, sd: 0}}\n"
    )
    done = CliRunner().invoke(simulate, ["--policy", "schedule", "--policy", str(yen)])
    assert isinstance(done.exception, BadInput)
    assert "EUR, GBP, USD" in str(done.exception)
