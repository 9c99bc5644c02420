"""Tenant files: the shipped ones are good, bad ones say where and what is allowed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from models.actions.schedule import Plan
from models.tenants import tenant_from
from schemas.errors import BadInput

SHIPPED = sorted((Path(__file__).parents[3] / "config" / "tenants").glob("*.yaml"))

GOOD: dict[str, Any] = {
    "tenant_id": "t",
    "name": "T",
    "currencies": ["EUR"],
    "time_zone": "Europe/Berlin",
    "strategy": {"name": "s", "steps": [{"id": "a", "at_days": 1, "channel": "email", "template": "x"}]},
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_tenant_is_good_and_named_like_its_file(path):
    tenant = tenant_from(yaml.safe_load(path.read_text("utf-8")), path.name)
    assert tenant.tenant_id == path.stem
    assert tenant.live_since is not None
    assert len(Plan(tenant).steps) == len(tenant.strategy.steps) > 0


def test_there_are_tenants_in_three_currencies():
    tenants = [tenant_from(yaml.safe_load(path.read_text("utf-8")), path.name) for path in SHIPPED]
    assert len({currency for tenant in tenants for currency in tenant.currencies}) >= 3


def test_a_tenant_needs_little():
    assert tenant_from(GOOD, "t.yaml").live_since is None


def changed(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in (GOOD | fields).items() if value is not ...}


def with_step(**fields: Any) -> dict[str, Any]:
    return changed(strategy={"name": "s", "steps": [*GOOD["strategy"]["steps"], {"id": "b", "at_days": 2} | fields]})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1], ["expected a mapping"]),
        (None, ["expected a mapping"]),
        (changed(name=...), ["missing", "name"]),
        (changed(nmae="T"), ["unknown field `nmae`", "time_zone"]),
        (changed(event_id="e"), ["unknown field `event_id`"]),
        (changed(tenant_id="A|B"), ["field `tenant_id`"]),
        (changed(currencies=["EUX"]), ["field `currencies[0]`", "EUX"]),
        (changed(currencies=[]), ["field `currencies`"]),
        (changed(currencies=["EUR", "EUR"]), ["field `currencies`", "twice"]),
        (changed(time_zone="Mars"), ["field `time_zone`", "IANA"]),
        (changed(sender={"email": "billing"}), ["field `sender.email`", "e-mail address"]),
        (changed(sender={"number": "030 123456"}), ["field `sender.number`", "E.164"]),
        (changed(sender={"unsubscribe": "acme.com/off"}), ["field `sender.unsubscribe`", "https://"]),
        (changed(sender={"postal_address": ["1 Main Street\nBoston"]}), ["field `sender`", "line break"]),
        (changed(language="English"), ["field `language`"]),
        (changed(country="Germany"), ["field `country`", "two capital letters"]),
        (changed(collector_role="bank"), ["field `collector_role`"]),
        (changed(live_since="yesterday"), ["field `live_since`"]),
        (with_step(id="a", action="hand_to_person"), ["strategy.steps[", "used twice"]),
        (with_step(action="sue"), ["strategy.steps[1].action", "contact, hand_to_person"]),
        (with_step(template="x"), ["strategy.steps[1].channel", "channel"]),
        (with_step(channel="sms"), ["strategy.steps[1].template", "template"]),
        (with_step(at_days=1, action="hand_to_person"), ["strategy.steps[1].at_days", "order"]),
        (with_step(at_dayz=3), ["strategy.steps[1]", "at_dayz"]),
        (changed(limits={"contact_hours": []}), ["limits.contact_hours", "no contact at all"]),
        (
            changed(limits={"contact_hours": [{"start": "21:00", "end": "08:00"}]}),
            ["limits.contact_hours[0]", "midnight"],
        ),
        (changed(limits={"contact_hours": [{"start": "8", "end": "21:00"}]}), ["limits.contact_hours[0].start"]),
        (changed(limits={"max_contacts_per_7_days": -1}), ["limits.max_contacts_per_7_days"]),
    ],
)
def test_a_bad_file_is_refused_with_the_place_and_what_may_stand_there(content, words):
    with pytest.raises(BadInput) as refused:
        tenant_from(content, "config/tenants/t.yaml")
    message = str(refused.value)
    assert message.startswith("config/tenants/t.yaml: ")
    for word in words:
        assert word in message
