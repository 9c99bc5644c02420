"""What leaves says the amounts of the moment it leaves, in the words of the template in force."""

from connectors.templates.registry import Templates
from models.clock import SetClock
from models.compliance.rule_gate import RuleGate
from schemas.templates import TemplateRegistered
from streams.dispatch.check import Cleared, Looked, inspect
from streams.dispatch.rendering import FromTemplates
from tests.contact_world import ADDRESS, NOON, TENANT, blob_of, known, paid, requested

WORDS = "{{ amount }} is open since {{ due_on }}. {{ business_name }} {{ opt_out }}"


def said(template: str = "reminder", **more):
    templates = Templates()
    templates.put(TemplateRegistered(tenant_id="*", template="reminder", channel="email", language="en", text=WORDS))
    request = requested("a1", invoice_ids=("i1",), template=template, **more)
    cleared = inspect(request, {"acme": TENANT}, RuleGate(), NOON, Looked(blob_of(*known("a1"), paid("a1", 500))))
    assert isinstance(cleared, Cleared)
    return FromTemplates(templates, SetClock(NOON))(request, cleared)


def test_the_message_says_what_is_open_now():
    message = said(variables={"amount": "12.00 GBP", "due_on": "2026-02-28"})
    assert message.text.startswith("£7.00 is open since February 28, 2026. Acme ")
    assert (message.key, message.address, message.sender.name) == ("a1-d1:contact", ADDRESS, "Acme")


def test_a_template_that_is_not_in_force_says_nothing():
    assert said(template="other") == "no_template"
