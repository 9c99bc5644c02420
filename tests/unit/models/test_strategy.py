"""A strategy's file is refused with its name, the field and what may stand there; what is in force is found by tenant."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from models.actions.in_force import decider_of
from models.actions.next_best import NextBest
from models.actions.schedule import Schedule
from models.actions.strategy import SCHEDULE, check_for, policy_of, strategy_from, version_of
from models.tenants import tenant_from
from schemas.errors import BadInput
from schemas.strategies import Step
from tests.unit.models.events import STEPS, tenant

CONFIG = Path(__file__).parents[3] / "config"
SHIPPED = {"household": "acme", "business": "nordlicht"}

GOOD: dict[str, Any] = {
    "name": "good",
    "segments": [{"name": "large", "when": {"at_stake_minor": {"at_least": 100}}}],
    "actions": [
        {
            "id": "mail",
            "action": "contact",
            "channel": "email",
            "template": "first",
            "cost": {"USD": 1, "EUR": 1},
            "effect": {"log_odds": 0.2, "sd": 0.1},
            "complaint": 0.001,
        },
        {"id": "person", "action": "hand_to_person", "staff_minutes": 10, "effect": {"log_odds": 0.5, "sd": 0.2}},
    ],
    "prices": {"minute": {"USD": 60, "EUR": 50}, "complaint": {"USD": 4000, "EUR": 4000}},
}
LEARNED: dict[str, Any] = {"at": "2026-01-01T00:00:00Z", "source": "x"}


def read(text: str) -> Any:
    return yaml.safe_load((CONFIG / text).read_text("utf-8"))


@pytest.mark.parametrize(("name", "owner"), SHIPPED.items())
def test_a_shipped_strategy_fits_its_tenant(name: str, owner: str) -> None:
    strategy = strategy_from(read(f"strategies/{name}.yaml"), name)
    check_for(strategy, tenant_from(read(f"tenants/{owner}.yaml"), owner), name)
    assert strategy.explore.share == 0.05
    assert strategy.name == name


def changed(path: str, value: Any) -> dict[str, Any]:
    content = copy.deepcopy(GOOD)
    place: Any = content
    *way, end = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in way:
        place = place[step]
    place[end] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("actoins", [], "A strategy has: actions"),
        ("actions/0/hour", "9", "field `actions[0]`: Object contains unknown field `hour`"),
        ("actions/0/channel", None, "field `actions[0].channel`: `contact` needs a channel: call, voicemail"),
        ("actions/0/channel", "fax", "field `actions[0].channel`: Invalid enum value 'fax'"),
        ("actions/0/template", None, "field `actions[0].template`: `contact` needs a template"),
        ("actions/0/to_days", 0, "field `actions[0].to_days`: the last day lies before the first"),
        ("actions/0/action", "pre_due_reminder", "`actions[0].to_days`: a reminder before the due day ends on day 0"),
        ("actions/0/id", "person", "field `actions[0].id`: `person` is used twice"),
        ("actions/0/after", ["letter"], "field `actions[0].after`: there is no `letter`; there are: person"),
        ("actions/0/segments", ["small"], "field `actions[0].segments`: there is no `small`; there are: large"),
        ("actions/0/by_segment", {"x": {"log_odds": 1, "sd": 0}}, "`actions[0].by_segment`: there is no `x`"),
        ("actions/0/hours", [{"start": "10:00", "end": "09:00"}], "`actions[0].hours[0]`: the end is not after the start"),
        ("actions/0/effect", {"log_odds": 99, "sd": 0}, "field `actions[0].effect.log_odds`: Expected `float` <= 10"),
        ("actions/0/cost", {"XXX": 1}, "Invalid enum value 'XXX'"),
        ("actions/1/complaint", 0.1, "field `actions[1].complaint`: `hand_to_person` contacts nobody"),
        ("actions/1/action", "credit_hold", "field `actions[1].debt_class`: credit is held from businesses only"),
        ("actions", [], "field `actions`: a strategy of policy `nba` chooses among actions"),
        ("policy", "none", "field `actions`: a strategy of policy `none` chooses nothing"),
        ("policy", "bandit", "field `policy`: Invalid enum value 'bandit'"),
        ("steps", [{"id": "a", "at_days": 1}], "field `steps`: only a strategy of policy `schedule` has steps"),
        ("segments/0/when", {"age": {"below": 3}}, "`segments[0].when.age`: there is no such field; segments may ask for"),
        ("segments/0/when", {"country": {"below": 3}}, "it is a text: say which with `is: [...]`"),
        ("segments/0/when", {"score": {"is": ["a"]}}, "it is a number: say `at_least`, `below` or both"),
        ("segments/0/when", {"score": {}}, "it is a number: say `at_least`, `below` or both"),
        ("segments/0/when", {"score": {"at_least": 0.5, "below": 0.5}}, "no number is at least the one and below the other"),
        ("explore", {"share": 1.5}, "field `explore.share`: Expected `float` <= 1"),
        ("learned", LEARNED | {"horizon_days": 14}, "it was learned for 14 days"),
        (
            "learned",
            LEARNED | {"horizon_days": 30, "effects": [{"action": "sms", "log_odds": 0, "sd": 1}]},
            "field `learned.effects[0].action`: there is no action `sms`",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(path: str, value: Any, says: str) -> None:
    strategy_from(copy.deepcopy(GOOD), "good.yaml")
    with pytest.raises(BadInput) as error:
        strategy_from(changed(path, value), "bad.yaml")
    assert str(error.value).startswith("bad.yaml: ")
    assert says in str(error.value)


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(BadInput, match="expected a mapping"):
        strategy_from(["nba"], "bad.yaml")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("actions/0/cost", "field `actions[0].cost`: there is none in EUR, for the tenant acme"),
        ("prices/complaint", "field `prices.complaint`: there is none in EUR, and the action `mail` needs it"),
        ("prices/minute", "field `prices.minute`: there is none in EUR, and the action `person` needs it"),
    ],
)
def test_a_tenant_needs_prices_in_each_of_its_currencies(path: str, says: str) -> None:
    strategy = strategy_from(changed(path, {"USD": 1}), "s.yaml")
    check_for(strategy, tenant(currencies=("USD",)), "s.yaml")
    with pytest.raises(BadInput) as error:
        check_for(strategy, tenant(), "s.yaml")
    assert says in str(error.value)


def test_a_version_is_of_the_content_alone() -> None:
    one, other = strategy_from(GOOD, "a"), strategy_from(dict(reversed([*GOOD.items()])), "b")
    assert version_of(one) == version_of(other)
    assert policy_of(one) == f"nba:good@{version_of(one)[:8]}"
    assert version_of(msgspec.structs.replace(one, caution=2.0)) != version_of(one)


def test_a_tenants_own_strategy_goes_before_that_of_all_and_the_schedule_is_what_is_left() -> None:
    good, of = strategy_from(GOOD, "a"), tenant()
    other = msgspec.structs.replace(good, name="other")
    assert isinstance(decider_of(of, {}).policy, Schedule)
    assert decider_of(of, {}).policy.name == "schedule:test"
    assert decider_of(of, {"*": other}).policy.name == policy_of(other)
    assert decider_of(of, {"*": other, "acme": good}).policy.name == policy_of(good)
    assert isinstance(decider_of(of, {"contoso": good}).policy, Schedule)
    assert isinstance(decider_of(of, {"acme": good}).policy, NextBest)


def test_a_released_schedule_has_its_own_steps_or_the_tenants() -> None:
    of = tenant()
    assert decider_of(of, {"acme": SCHEDULE}).plan.days == [step.at_days for step in STEPS]
    mine = msgspec.structs.replace(SCHEDULE, steps=(Step(id="a", at_days=9, channel="email", template="x"),))
    assert decider_of(of, {"acme": mine}).plan.days == [9]
    assert decider_of(of, {"acme": mine}).policy.name == policy_of(mine)


def test_a_tenant_that_has_changed_is_made_ready_anew() -> None:
    good = strategy_from(GOOD, "a")
    one, other = tenant(), tenant(time_zone="Europe/Berlin")
    assert decider_of(one, {"*": good}) is decider_of(one, {"*": good})
    assert decider_of(other, {"*": good}).plan.zone.name == "Europe/Berlin"
