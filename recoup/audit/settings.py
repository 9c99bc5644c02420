"""What is recorded when a person changes what decides: tenants and their rules, models, policies."""

from collections.abc import Iterable, Mapping

from models.audit import Act
from models.clock import WallClock
from recoup.audit.acts import act_of, record, record_all
from recoup.settings import Settings
from recoup.tenants import Change, Field, fields_of
from schemas.control import ModelReleased, PolicyReleased, Tenant

RULES = frozenset(
    {"compliance", "limits", "country", "state", "collector_role", "debt_class", "time_zone", "live_since"}
)
"""First parts of the fields of a tenant that say when a contact is allowed, or which rules bind it."""
MOST = 500
"""Characters of a value that are recorded."""


def record_tenants(settings: Settings, changes: Iterable[Change], wanted: Mapping[str, Tenant], *, prune: bool) -> None:
    """Record each tenant that was published or removed; what it says of rules is an act of its own.

    Args:
        wanted: the tenants that were published, by id.
    """
    clock, acts = WallClock(), list[Act]()
    for change in changes:
        if change.kind == "extra" and not prune:
            continue
        fields, who = change.fields, change.tenant_id
        if change.kind == "add":
            fields = tuple(Field(name, None, value) for name, value in fields_of(wanted[who]).items())
        rules = {field.name: _said(field) for field in fields if field.name.partition(".")[0] in RULES}
        others = [field.name for field in fields if field.name not in rules]
        if rules:
            acts.append(act_of("rules", who, who, rules, clock))
        if others or not rules:
            kind = "remove" if change.kind == "extra" else change.kind
            details = {"change": kind} | ({"fields": ", ".join(others)[:MOST]} if others else {})
            acts.append(act_of("tenant", who, who, details, clock))
    if acts:
        record_all(settings, acts)


def _said(field: Field) -> str:
    """Both sides, the new one whole if it can be: it is what is in force."""
    after = str(field.wanted)[:MOST]
    return f"{str(field.published)[: max(MOST - len(after), MOST // 10)]} -> {after}"


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
