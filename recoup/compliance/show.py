"""The rules for people and programs: what each says, where and whom it binds, when it is evaluated, and its source."""

import msgspec

from models.compliance.packs import packs
from schemas.rules import Pack, Rule


class Shown(msgspec.Struct, frozen=True):
    """One rule of a pack."""

    pack: Pack
    id: str
    says: str
    where: str
    binds: str
    evaluated: str
    in_force: str
    source: str
    reviewed: bool


def shown(only: Pack | None = None) -> list[Shown]:
    """Every rule of the packs, or of one, in their order; raises BadInput when a pack is wrong."""
    return [_shown(pack, rule) for pack, rules in packs().items() if only in (None, pack) for rule in rules]


def _shown(pack: Pack, rule: Rule) -> Shown:
    return Shown(
        pack=pack,
        id=rule.id,
        says=rule.says,
        where=_where(rule),
        binds=_binds(rule),
        evaluated={"send": "when sending", "template": "on templates", "process": "by a process"}[rule.evaluated],
        in_force=_in_force(rule),
        source=rule.source,
        reviewed=rule.reviewed,
    )


def _where(rule: Rule) -> str:
    where = rule.where
    if where.country is None:
        return "everywhere"
    place = where.country
    if where.states:
        place += " " + ", ".join(where.states)
    if where.except_states:
        place += " but " + ", ".join(where.except_states)
    return place + (" " + where.city.replace("_", " ") if where.city else "")


def _binds(rule: Rule) -> str:
    binds = rule.binds
    parts = [" or ".join(role.replace("_", " ") for role in binds.roles) or "anyone"]
    parts += [" or ".join(binds.debt_classes) + " debts"] if binds.debt_classes else []
    if binds.more_days_past_due_than is not None:
        parts.append(f"over {binds.more_days_past_due_than} days past due")
    if binds.not_secured_by:
        parts.append("not secured by " + " or ".join(what.replace("_", " ") for what in binds.not_secured_by))
    return ", ".join(parts)


def _in_force(rule: Rule) -> str:
    spans = []
    if rule.opt_in:
        spans.append("where a tenant turns it on")
    if rule.effective_from is not None:
        spans.append(f"from {rule.effective_from}")
    if rule.effective_to is not None:
        spans.append(f"to {rule.effective_to}")
    return ", ".join(spans) or "always"
