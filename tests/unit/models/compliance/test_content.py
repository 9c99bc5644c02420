"""What a template must say before it is registered: every rule about content, with and without what it demands."""

from typing import Any

import pytest

from models.compliance.content import Lack, Scope, TemplateContent, lacking, scope_of
from models.compliance.packs import packs
from schemas.rules import Compliance, Content
from tests.unit.models.compliance.situations import tenant_of

AGENCY = Scope(country="US", collector_role="third_party", debt_class="consumer")
CREDITOR = Scope(country="US", state="OH", collector_role="creditor", debt_class="consumer")
BROOKLYN = Scope(country="US", state="NY", city="Brooklyn", collector_role="creditor", debt_class="consumer")
VOICEMAIL = {"business_name", "reply_request", "agent_name", "phone"}


def lacks(scope: Scope, always: set[str], **more: Any) -> list[Lack]:
    return lacking(TemplateContent(always=frozenset(always), **{"channel": "email"} | more), scope)


@pytest.mark.parametrize(
    ("rule", "scope", "template", "good", "bad"),
    [
        ("RF-6", AGENCY, {"channel": "sms"}, {"opt_out"}, set()),
        ("RF-11", AGENCY, {"channel": "voicemail"}, VOICEMAIL, VOICEMAIL - {"phone"}),
        ("RF-11", AGENCY, {"channel": "voicemail"}, VOICEMAIL | {"salutation"}, VOICEMAIL | {"amount"}),
        (
            "RF-12",
            AGENCY,
            {"purpose": "validation_notice"},
            {"validation_information", "validation_period_ends"},
            {"validation_information"},
        ),
        ("RF-15", AGENCY, {}, {"amount"}, {"amount", "legal_action"}),
        ("RF-16", AGENCY, {"channel": "sms", "purpose": "validation_notice"}, {"download_link"}, set()),
        ("RF-17", AGENCY, {"occasion": "initial"}, {"mini_miranda"}, {"from_debt_collector"}),
        ("RF-17", AGENCY, {"occasion": "later"}, {"from_debt_collector"}, set()),
        ("RF-17", AGENCY, {"occasion": "any"}, {"mini_miranda"}, {"from_debt_collector"}),
        (
            "TC-4",
            CREDITOR,
            {"channel": "sms", "purpose": "opt_out_confirmation"},
            {"business_name"},
            {"business_name", "amount"},
        ),
        ("TC-5", CREDITOR, {"channel": "call", "mode": "artificial"}, {"business_name", "opt_out"}, {"business_name"}),
        ("CS-1", CREDITOR, {}, {"opt_out", "postal_address"}, {"opt_out"}),
        ("NYC-1", BROOKLYN, {"channel": "sms"}, {"opt_out"}, set()),
    ],
)
def test_a_template_has_what_a_rule_demands_or_the_rule_is_named(
    rule: str, scope: Scope, template: dict[str, Any], good: set[str], bad: set[str]
):
    assert rule not in {lack.rule for lack in lacks(scope, good, **template)}
    found = [lack for lack in lacks(scope, bad, **template) if lack.rule == rule]
    assert found
    assert all("{{" in lack.says for lack in found)


def test_every_rule_about_content_is_tested_above():
    asked = {
        rule.id
        for rules in packs().values()
        for rule in rules
        if any(isinstance(one, Content) for one in rule.requires)
    }
    assert asked == {"RF-6", "RF-11", "RF-12", "RF-15", "RF-16", "RF-17", "TC-4", "TC-5", "CS-1", "NYC-1"}


def test_what_is_printed_in_some_case_only_is_not_enough_and_still_too_much():
    template = TemplateContent(channel="sms", always=frozenset(), sometimes=frozenset({"opt_out", "legal_action"}))
    assert {lack.rule for lack in lacking(template, AGENCY)} >= {"RF-6", "RF-15"}


def test_a_place_that_is_not_known_may_be_any():
    assert "NYC-1" in {lack.rule for lack in lacks(Scope(country="US"), set())}
    assert lacks(Scope(country="DE", debt_class="business"), {"amount"}) == []


def test_a_pack_that_is_off_demands_nothing():
    tenant = tenant_of(
        country="US", collector_role="third_party", compliance=Compliance(packs_off=("us-federal", "us-nyc"))
    )
    assert lacks(scope_of(tenant), set()) == []
