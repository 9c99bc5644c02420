"""The rule packs: complete, checked field by field, and chosen by a tenant who may only add to them."""

from collections import Counter
from typing import Any

import pytest
import yaml

from models.compliance.gate import Situation
from models.compliance.packs import PACKS, packs, read_pack, rules_of
from models.compliance.rule_gate import RuleGate
from models.tenants import tenant_from
from schemas.errors import BadInput
from schemas.rules import Compliance
from tests.unit.models.compliance.situations import facts_of, situation_of, tenant_of

RULE: dict[str, Any] = {
    "id": "X-1",
    "says": "Something.",
    "where": {"country": "US"},
    "requires": [{"kind": "hours", "spans": [{"start": "08:00", "end": "21:00"}]}],
    "source": "a law",
}
TENANT: dict[str, Any] = {"tenant_id": "t", "name": "T", "currencies": ["USD"], "time_zone": "UTC"}
SUNDAY = {
    "id": "tenant:sundays",
    "says": "Nothing on Sundays.",
    "requires": [
        {
            "kind": "hours",
            "spans": [
                {
                    "start": "00:00",
                    "end": "24:00",
                    "days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
                }
            ],
        }
    ],
    "source": "our own",
}


def test_every_rule_has_one_id_a_source_and_a_place_to_be_evaluated():
    rules = [rule for pack in packs().values() for rule in pack]
    assert len(rules) == len({rule.id for rule in rules}) == 58
    assert Counter(rule.evaluated for rule in rules) == {"send": 34, "process": 18, "template": 6}
    assert all(rule.requires for rule in rules if rule.evaluated != "process")
    assert tuple(packs()) == PACKS


def written(**fields: Any) -> str:
    rule = {name: value for name, value in (RULE | fields).items() if value is not ...}
    return yaml.safe_dump({"pack": "house", "says": "A pack.", "rules": [rule]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules: [", ["not YAML"]),
        ("pack: house\nsays: x\nrule: []\n", ["house.yaml", "rules"]),
        ("pack: carrier\nsays: x\nrules: []\n", ["field `pack`", "carrier"]),
        (written(sorce="a law"), ["rule `X-1`", "sorce", "source"]),
        (written(source=...), ["rule `X-1`", "source"]),
        (written(where={"state": "MA"}), ["field `where`", "state"]),
        (written(where={"states": ["MA"]}), ["where.country"]),
        (written(binds={"roles": ["lawyer"]}), ["binds.roles", "lawyer"]),
        (written(requires=[]), ["field `requires`"]),
        (written(requires=[{"kind": "magic"}]), ["requires[0]", "magic"]),
        (written(requires=[{"kind": "limit", "most": 1, "days": 31, "per": ["debt"]}]), ["requires[0].days", "30"]),
        (written(requires=[{"kind": "limit", "most": 1, "days": 7, "per": []}]), ["requires[0].per"]),
        (written(requires=[{"kind": "hours", "spans": [{"start": "25:00", "end": "21:00"}]}]), ["spans[0].start"]),
        (
            written(requires=[{"kind": "hours", "spans": [{"start": "21:00", "end": "08:00"}]}]),
            ["spans[0]", "midnight"],
        ),
        (
            written(
                requires=[
                    {
                        "kind": "hours",
                        "spans": [
                            {"start": "08:00", "end": "12:00"},
                            {"start": "11:00", "end": "21:00", "days": ["sunday"]},
                        ],
                    }
                ]
            ),
            ["spans[1]", "overlaps 08:00-12:00"],
        ),
        (
            written(requires=[{"kind": "hours", "zone": "Mars", "spans": [{"start": "08:00", "end": "21:00"}]}]),
            ["requires[0].zone", "Mars"],
        ),
        (written(effective_from="2026-02-30"), ["effective_from"]),
        (written(effective_from="2026-03-01", effective_to="2026-02-01"), ["effective_to", "before"]),
        (written(evaluated="process"), ["requires[0]", "evaluated: send"]),
        (written(id="X 1"), ["field `id`"]),
        (
            yaml.safe_dump({"pack": "house", "says": "x", "rules": [RULE, RULE]}),
            ["X-1", "twice"],
        ),
    ],
)
def test_what_is_wrong_in_a_pack_is_named(text: str, words: list[str]):
    with pytest.raises(BadInput) as refused:
        read_pack(text, "house.yaml")
    assert "house.yaml" in str(refused.value)
    assert all(word in str(refused.value) for word in words), str(refused.value)


@pytest.mark.parametrize(
    ("compliance", "words"),
    [
        ({"packs_off": ["us-ny"]}, ["packs_off[0]", "us-ny", "us-nyc"]),
        ({"rules_on": ["HR-2"]}, ["rules_on[0]", "HR-2", "HR-1"]),
        ({"rules": [SUNDAY | {"id": "RF-1"}]}, ["rules[0].id", "tenant:"]),
        ({"rules": [SUNDAY | {"opt_in": True}]}, ["rules[0].evaluated"]),
        ({"rules": [SUNDAY, SUNDAY]}, ["tenant:sundays", "twice"]),
        ({"rules": [SUNDAY | {"requires": [{"kind": "extra_calls", "days": 7}]}]}, ["only deny more"]),
        ({"rules": [SUNDAY | {"hours": 1}]}, ["tenant:sundays", "hours"]),
        ({"packs": []}, ["compliance", "packs"]),
    ],
)
def test_a_choice_that_is_not_there_is_refused(compliance: dict[str, Any], words: list[str]):
    with pytest.raises(BadInput) as refused:
        tenant_from({**TENANT, "compliance": compliance}, "t.yaml")
    assert all(word in str(refused.value) for word in ["t.yaml", *words]), str(refused.value)


def test_a_state_that_is_none_is_refused():
    with pytest.raises(BadInput, match="ISO 3166-2"):
        tenant_from({**TENANT, "country": "US", "state": "XX"}, "t.yaml")


def situation(compliance: Compliance, at: str) -> Situation:
    account = {"country": "US", "state": "MA", "time_zones": ["America/New_York"], "debt_class": "consumer"}
    calls = [{"at": f"2026-03-{day:02}T12:00:00-05:00", "channel": "call", "outcome": "no_answer"} for day in (1, 2)]
    line = {"at": at, "contact": {"channel": "call"}, "account": account, "history": calls}
    return situation_of(line, facts_of(line), tenant_of(compliance=compliance))


def test_a_pack_that_is_off_denies_nothing_and_a_rule_of_the_tenant_denies_more():
    own = tenant_from({**TENANT, "compliance": {"rules": [SUNDAY], "packs_off": ["us-ma"]}}, "t.yaml").compliance
    gate = RuleGate()
    assert gate.judge(situation(Compliance(), "2026-03-03T12:00:00-05:00")).denied_by == ("MA-1",)
    assert gate.judge(situation(own, "2026-03-03T12:00:00-05:00")).allowed
    sunday = gate.judge(situation(own, "2026-03-08T12:00:00-04:00"))
    assert sunday.denied_by == ("tenant:sundays",)
    assert sunday.reasons == ("Nothing on Sundays.",)


def test_a_house_rule_that_is_off_by_default_is_turned_on_by_its_id():
    assert "HR-1" not in {rule.id for rule in rules_of(Compliance())}
    assert "HR-1" in {rule.id for rule in rules_of(Compliance(rules_on=("HR-1",)))}
