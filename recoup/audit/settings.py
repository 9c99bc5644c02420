"""What is recorded when a person changes what decides: tenants and their rules, models, policies."""

from collections.abc import Iterable, Mapping

from models.audit import Act
from recoup.audit.acts import act_of
from recoup.tenants import Change, Field, fields_of
from schemas.control import ModelReleased, PolicyReleased, Tenant

RULES = frozenset(
    {"compliance", "limits", "country", "state", "collector_role", "debt_class", "time_zone", "live_since"}
)
"""First parts of the fields of a tenant that say when a contact is allowed, or which rules bind it."""
MOST = 500
"""Characters of a value that are recorded."""


def of_tenants(changes: Iterable[Change], wanted: Mapping[str, Tenant], *, prune: bool) -> list[Act]:
    """An act for each tenant that is published or removed; what it says of rules is one of its own.

    Args:
        wanted: the tenants that are to be in force, by id.
    """
    acts: list[Act] = []
    for change in changes:
        if change.kind == "extra" and not prune:
            continue
        fields, who = change.fields, change.tenant_id
        if change.kind == "add":
            fields = tuple(Field(name, None, value) for name, value in fields_of(wanted[who]).items())
        rules = {field.name: _said(field) for field in fields if field.name.partition(".")[0] in RULES}
        others = [field.name for field in fields if field.name not in rules]
        if rules:
            acts.append(act_of("rules", who, tenant_id=who, details=rules))
        if others or not rules:
            kind = "remove" if change.kind == "extra" else change.kind
            details = {"change": kind} | ({"fields": ", ".join(others)[:MOST]} if others else {})
            acts.append(act_of("tenant", who, tenant_id=who, details=details))
    return acts


def _said(field: Field) -> str:
    """Both sides, the new one whole if it can be: it is what is in force."""
    after = str(field.wanted)[:MOST]
    return f"{str(field.published)[: max(MOST - len(after), MOST // 10)]} -> {after}"


def of_model(release: ModelReleased) -> Act:
    """The release of a model; one that was let through in spite of a check is an override."""
    details = {"role": release.role, "release": release.event_id, "model": release.model or "none"}
    if release.override:
        details["why"] = release.override[:MOST]
    action = "override" if release.override else "model"
    return act_of(action, release.model or "none", tenant_id=release.tenant_id, details=details)


def of_policy(release: PolicyReleased) -> Act:
    """Which strategy is to decide from now on."""
    details = {"role": release.role, "release": release.event_id}
    return act_of("policy", release.policy or "none", tenant_id=release.tenant_id, details=details)
