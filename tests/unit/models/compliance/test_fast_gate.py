"""The gate in force answers as the exact judge does, whatever is known, and about several contacts as about each."""

import datetime as dt
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.account.course import Planned
from models.account.profile import ContactPoint
from models.account.state import Facts
from models.calendar import HOUR, instant
from models.compliance.exact import judge
from models.compliance.gate import Situation
from models.compliance.live import case_of, rules_for
from models.compliance.rule_gate import RuleGate
from schemas.control import Limits, Tenant
from schemas.rules import Compliance
from tests.compliance_oracle.generate import one
from tests.unit.models.compliance.situations import facts_of, situation_of, tenant_of

TENANTS = (
    tenant_of(),
    tenant_of(limits=Limits(min_hours_between_contacts=24, max_contacts_per_7_days=3)),
    tenant_of(tenant_id="b", country="US", state="MA", collector_role="third_party", limits=Limits()),
    tenant_of(tenant_id="c", country="US", state="DC", compliance=Compliance(rules_on=("HR-1",), packs_off=("us-ma",))),
    tenant_of(tenant_id="d", country="GB", time_zone="Europe/London", limits=Limits(max_contacts_per_7_days=0)),
)
CHANNELS = ("email", "sms", "call", "voicemail", "letter")
PURPOSES = ("collection", "transactional", "validation_notice", "opt_out_confirmation")
KEPT = RuleGate()
"""Kept over all examples, as a worker keeps it over all batches."""


def exact(situation: Any) -> Any:
    return judge(rules_for(situation.tenant), case_of(situation))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**48),
    st.sampled_from(TENANTS),
    st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(CHANNELS), st.sampled_from(PURPOSES)), max_size=3),
)
def test_the_fast_gate_is_the_exact_judge(seed: int, tenant: Tenant, planned: list[tuple[int, str, str]]):
    line = one(Random(seed), "x")
    facts = facts_of(line)
    base = situation_of(line, facts, tenant)
    coming = [Planned(f"p{n}", base.at - ago, channel, purpose) for n, (ago, channel, purpose) in enumerate(planned)]
    asked = [base, *(situation_of(line, facts, tenant, channel=channel, planned=coming) for channel in CHANNELS)]
    answers = KEPT.judge_all(asked)
    assert answers == [exact(situation) for situation in asked]
    assert answers == [RuleGate().judge(situation) for situation in asked]


@pytest.mark.parametrize(("kind", "denied"), [("landline", False), ("mobile", True), (None, True)])
@pytest.mark.parametrize("purpose", ["collection", "transactional"])
def test_a_full_limit_leaves_out_the_lines_and_contacts_that_it_is_not_about(
    kind: str | None, purpose: str, *, denied: bool
):
    tenant = tenant_of(tenant_id="w", country="US", state="WA", collector_role="third_party")
    facts, at = Facts(), instant(dt.datetime(2026, 3, 10, 20, tzinfo=dt.UTC))
    facts.crm.points["call|1"] = point = ContactPoint("call", "1", 1, line_type=kind)
    today = [Planned(f"p{n}", at - n * HOUR, "call", purpose) for n in range(2)]
    situation = Situation(at=at, channel="call", tenant=tenant, facts=facts, point=point, planned=today)
    verdict = RuleGate().judge(situation)
    assert verdict == exact(situation)
    assert ("WA-2" in verdict.denied_by) is (denied and purpose == "collection")


@pytest.mark.parametrize("told", [{"suppressed": ("wrong_party",)}, {"suppressed": ("opt_out:all",)}, {"point": None}])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_what_other_accounts_know_of_a_contact_point_is_weighed(told: dict[str, Any], seed: int):
    line = one(Random(seed), "x")
    situation = situation_of(line, facts_of(line), TENANTS[0], **told)
    assert KEPT.judge(situation) == exact(situation)
