"""Who changes which rules bind a tenant, or switches a pack off, stands in the audit log with both values."""

from typing import Any

import msgspec
import pytest

from recoup.audit import settings as recording
from recoup.audit.settings import record_tenants
from recoup.settings import Settings
from recoup.tenants import plan
from schemas.control import Tenant

SHOP: dict[str, Any] = {
    "type": "tenant.changed", "tenant_id": "shop", "name": "Shop", "currencies": ["EUR"], "time_zone": "Europe/Berlin",
    "event_id": "-", "occurred_at": "2026-03-02T12:00:00Z", "source": "test",
}  # fmt: skip


def tenant(**fields: Any) -> Tenant:
    return msgspec.convert(SHOP | fields, Tenant)


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """What was recorded: action and details."""
    found: list[tuple[str, dict[str, str]]] = []

    def record(_settings: Settings, action: str, _subject: str, *, tenant_id: str, details: dict[str, str]) -> bool:
        assert tenant_id == "shop"
        found.append((action, details))
        return True

    monkeypatch.setattr(recording, "record", record)
    return found


def applied(before: Tenant | None, after: Tenant | None, *, prune: bool = False) -> None:
    old, new = ({} if its is None else {"shop": its} for its in (before, after))
    record_tenants(Settings(), plan(new, old), new, prune=prune)


def test_a_new_tenant_that_has_a_pack_off_from_the_beginning_is_recorded_with_it(acts):
    applied(None, tenant(compliance={"packs_off": ["uk"]}))
    (rules, whole) = acts
    assert rules == ("rules", {"time_zone": "None -> Europe/Berlin", "compliance.packs_off": "None -> ('uk',)"})
    assert whole[0] == "tenant"


@pytest.mark.parametrize("field", ["collector_role", "debt_class", "country", "state"])
def test_what_decides_which_rules_bind_is_a_change_of_rules(acts, field):
    value = {"collector_role": "third_party", "debt_class": "business"}.get(field, "US")
    applied(tenant(), tenant(**{field: value}))
    assert acts == [("rules", {field: f"None -> {value}"})]


def test_of_long_values_what_is_in_force_now_is_recorded(acts):
    many = [f"HR-{number}" for number in range(100)]
    applied(tenant(compliance={"rules_on": many}), tenant(compliance={"rules_on": ["HR-1"]}))
    ((_, details),) = acts
    assert details["compliance.rules_on"].endswith("-> ('HR-1',)")
    assert len(details["compliance.rules_on"]) < 600


def test_another_field_is_recorded_by_its_name(acts):
    applied(tenant(), tenant(name="Another"))
    assert acts == [("tenant", {"change": "change", "fields": "name"})]


def test_a_tenant_without_a_file_is_recorded_when_it_is_removed(acts):
    applied(tenant(), None)
    assert acts == []
    applied(tenant(), None, prune=True)
    assert acts == [("tenant", {"change": "extra"})]
