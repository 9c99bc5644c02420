"""What is recorded when a person changes what decides: tenants and their rules, models, policies."""

from collections.abc import Iterable

from recoup.audit.acts import record
from recoup.settings import Settings
from recoup.tenants import Change
from schemas.control import ModelReleased, PolicyReleased

RULES = ("compliance", "limits")
"""Fields of a tenant that say when a contact is allowed."""
MOST = 500
"""Characters of a value that are recorded."""


def record_tenants(settings: Settings, changes: Iterable[Change], *, prune: bool) -> None:
    """Record each tenant that was published or removed; a change of its rules is one of its own."""
    for change in changes:
        if change.kind == "extra" and not prune:
            continue
        rules = {f.name: f for f in change.fields if f.name.startswith(RULES)}
        others = {f.name: f for f in change.fields if f.name not in rules}
        if rules:
            said = {name: f"{field.published} -> {field.wanted}"[:MOST] for name, field in rules.items()}
            record(settings, "rules", change.tenant_id, tenant_id=change.tenant_id, details=said)
        if others or not rules:
            details = {"change": change.kind} | ({"fields": ", ".join(others)[:MOST]} if others else {})
            record(settings, "tenant", change.tenant_id, tenant_id=change.tenant_id, details=details)


def record_model(settings: Settings, released: ModelReleased) -> None:
    """Record a release; one that was let through in spite of a check is an override."""
    details = {"role": released.role, "release": released.event_id, "model": released.model or "none"}
    if released.override:
        details["why"] = released.override[:MOST]
    action = "override" if released.override else "model"
    record(settings, action, released.model or "none", tenant_id=released.tenant_id, details=details)


def record_policy(settings: Settings, released: PolicyReleased) -> None:
    """Record which strategy decides from now on."""
    details = {"role": released.role, "release": released.event_id}
    record(settings, "policy", released.policy or "none", tenant_id=released.tenant_id, details=details)
