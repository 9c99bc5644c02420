"""Which policy decides on a tenant's accounts: the strategy released for it, else that for all, else its own schedule."""

from collections.abc import Mapping

import msgspec

from models.actions.choice import Policy
from models.actions.next_best import NextBest
from models.actions.schedule import Plan, Schedule
from models.actions.strategy import policy_of, schedule_of
from schemas.control import Tenant
from schemas.strategies import ActionStrategy

ALL_TENANTS = "*"
Strategies = Mapping[str, ActionStrategy]
"""Tenant, or `*`, -> the strategy that was released for it."""


class Decider(msgspec.Struct, frozen=True, eq=False):
    """A tenant's calendar and its policy, both made ready."""

    plan: Plan
    policy: Policy


MOST_READY = 4_096
_ready: dict[tuple[int, str], tuple[ActionStrategy | None, Tenant, Decider]] = {}
"""By the strategy's identity and the tenant: to make one ready takes longer than a small batch."""


def decider_of(tenant: Tenant, strategies: Strategies) -> Decider:
    """What is in force for a tenant."""
    strategy = strategies.get(tenant.tenant_id) or strategies.get(ALL_TENANTS)
    key = id(strategy), tenant.tenant_id
    known = _ready.get(key)
    if known is not None and known[0] is strategy and known[1] is tenant:
        return known[2]
    if len(_ready) >= MOST_READY:
        _ready.clear()
    decider = _decider(tenant, strategy)
    _ready[key] = strategy, tenant, decider
    return decider


def _decider(tenant: Tenant, strategy: ActionStrategy | None) -> Decider:
    if strategy is None:
        plan = Plan(tenant)
        return Decider(plan, Schedule(plan))
    if strategy.policy == "schedule":
        plan = Plan(msgspec.structs.replace(tenant, strategy=schedule_of(strategy, tenant)))
        return Decider(plan, Schedule(plan, policy_of(strategy)))
    plan = Plan(tenant)
    return Decider(plan, NextBest(strategy, plan))
