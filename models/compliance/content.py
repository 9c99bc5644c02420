"""What a template must say before it may be registered: asked of the variables that it prints, never of its prose.

A statement that the law demands is a variable of the template, such as `{{ opt_out }}` or `{{ mini_miranda }}`; its
wording belongs to the sender and is put in when the contact is sent. A template in which a branch may leave a variable
out does not have it: whoever reads the template names only the variables that are always printed as `always`.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from models.compliance.packs import Rules, rules_of
from models.compliance.places import is_new_york_city
from schemas.control import Tenant
from schemas.envelope import Channel, CollectorRole, ContactMode, DebtClass, Purpose
from schemas.rules import Compliance, Content, Rule

Occasion = Literal["initial", "later", "any"]


class TemplateContent(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a template without rendering it."""

    channel: Channel
    purpose: Purpose = "collection"
    mode: ContactMode = "live"
    occasion: Occasion = "any"
    """`initial` = the first contact about a debt, `later` = never the first, `any` = must do for both."""
    always: frozenset[str]
    """Variables that it prints whatever happens."""
    sometimes: frozenset[str] = frozenset()
    """Those that it prints in some case only."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where, by whom and about which debts a template may be used. None = it may be any, so every such rule binds."""

    country: str | None = None
    state: str | None = None
    city: str | None = None
    collector_role: CollectorRole | None = None
    debt_class: DebtClass | None = None
    compliance: Compliance = Compliance()


class Lack(msgspec.Struct, frozen=True):
    """What a template lacks, or says though it must not."""

    rule: str
    says: str


def scope_of(tenant: Tenant) -> Scope:
    """How a tenant uses its templates: its customers may live in any state or city of its country."""
    return Scope(
        country=tenant.country,
        collector_role=tenant.collector_role,
        debt_class=tenant.debt_class,
        compliance=tenant.compliance,
    )


def lacking(template: TemplateContent, scope: Scope) -> list[Lack]:
    """Everything that keeps a template from being registered, in the order of the rules; empty = it may be.

    Raises:
        BadInput: a rule pack is wrong.
    """
    return list(_lacking(template, scope, rules_of(scope.compliance)))


def _lacking(template: TemplateContent, scope: Scope, rules: Rules) -> Iterator[Lack]:
    for rule in rules:
        if not _may_bind(rule, scope):
            continue
        for requirement in rule.requires:
            if isinstance(requirement, Content) and _is_about(requirement, template):
                for says in _missing(requirement, template):
                    yield Lack(rule.id, says)


def _may_bind(rule: Rule, scope: Scope) -> bool:
    where, binds = rule.where, rule.binds
    if where.country is not None and scope.country not in (None, where.country):
        return False
    if scope.state is not None and (
        (where.states and scope.state not in where.states) or scope.state in where.except_states
    ):
        return False
    if where.city is not None and scope.city is not None and is_new_york_city(scope.city, None) is False:
        return False
    if binds.roles and scope.collector_role is not None and scope.collector_role not in binds.roles:
        return False
    return not (binds.debt_classes and scope.debt_class is not None and scope.debt_class not in binds.debt_classes)


def _is_about(requirement: Content, template: TemplateContent) -> bool:
    return (
        (not requirement.channels or template.channel in requirement.channels)
        and (not requirement.purposes or template.purpose in requirement.purposes)
        and (not requirement.modes or template.mode in requirement.modes)
        and ("any" in (requirement.occasion, template.occasion) or requirement.occasion == template.occasion)
    )


def _missing(requirement: Content, template: TemplateContent) -> Iterator[str]:
    for group in requirement.needs:
        if not template.always.intersection(group):
            yield "must print " + " or ".join(f"{{{{ {name} }}}}" for name in group) + ", whatever happens"
    printed = template.always | template.sometimes
    for name in sorted(printed.intersection(requirement.never)):
        yield f"must not print {{{{ {name} }}}}"
    if requirement.only:
        for name in sorted(printed.difference(requirement.only)):
            yield f"must not print {{{{ {name} }}}}; it may print nothing but {', '.join(requirement.only)}"
