"""Who changes which rules bind a tenant, or switches a pack off, stands in the audit log with both values."""

from typing import Any

import msgspec
import pytest

from recoup.audit.settings import of_tenants
from recoup.tenants import plan
from schemas.control import Tenant

SHOP: dict[str, Any] = {
    "type": "tenant.changed", "tenant_id": "shop", "name": "Shop", "currencies": ["EUR"], "time_zone": "Europe/Berlin",
    "event_id": "-", "occurred_at": "2026-03-02T12:00:00Z", "source": "test",
}  # fmt: skip


def tenant(**fields: Any) -> Tenant:
    return msgspec.convert(SHOP | fields, Tenant)


def applied(before: Tenant | None, after: Tenant | None, *, prune: bool = False) -> list[tuple[str, dict[str, str]]]:
    """What is recorded: action and details."""
    old, new = ({} if its is None else {"shop": its} for its in (before, after))
    acts = of_tenants(plan(new, old), new, prune=prune)
    assert all((act.subject, act.tenant_id) == ("shop", "shop") for act in acts)
    return [(act.action, act.details) for act in acts]


def test_a_new_tenant_that_has_a_pack_off_from_the_beginning_is_recorded_with_it():
    acts = applied(None, tenant(compliance={"packs_off": ["uk"]}))
    (rules, whole) = acts
    assert rules == ("rules", {"time_zone": "None -> Europe/Berlin", "compliance.packs_off": "None -> ('uk',)"})
    assert whole[0] == "tenant"


@pytest.mark.parametrize("field", ["collector_role", "debt_class", "country", "state"])
def test_what_decides_which_rules_bind_is_a_change_of_rules(field):
    value = {"collector_role": "third_party", "debt_class": "business"}.get(field, "US")
    acts = applied(tenant(), tenant(**{field: value}))
    assert acts == [("rules", {field: f"None -> {value}"})]


def test_of_long_values_what_is_in_force_now_is_recorded():
    many = [f"HR-{number}" for number in range(100)]
    acts = applied(tenant(compliance={"rules_on": many}), tenant(compliance={"rules_on": ["HR-1"]}))
    ((_, details),) = acts
    assert details["compliance.rules_on"].endswith("-> ('HR-1',)")
    assert len(details["compliance.rules_on"]) < 600


def test_another_field_is_recorded_by_its_name():
    acts = applied(tenant(), tenant(name="Another"))
    assert acts == [("tenant", {"change": "change", "fields": "name"})]


def test_a_tenant_without_a_file_is_recorded_when_it_is_removed():
    assert applied(tenant(), None) == []
    assert applied(tenant(), None, prune=True) == [("tenant", {"change": "remove"})]
