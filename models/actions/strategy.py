"""A strategy's file turned into the strategy, or into an error that names the file, the field and what may stand there."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec

from models.actions.options import CONTACTS
from models.actions.policy import price
from models.compliance.hours import clock_time
from schemas.actions import Context
from schemas.control import Strategy, Tenant
from schemas.errors import BadInput
from schemas.strategies import ActionSpec, ActionStrategy, Condition, PolicyKind, Segment, Step

_PATH = re.compile(r"^(?P<what>.*?) - at `\$\.?(?P<path>.*)`$")

KINDS: tuple[str, ...] = get_args(PolicyKind)
STEP_ACTIONS = ("contact", "hand_to_person")
"""What a step of a schedule may do."""

_CONTEXT = get_type_hints(Context)
TEXTS = ("currency", *(name for name, kind in _CONTEXT.items() if kind is str))
NUMBERS = ("score", "at_stake_minor", *(name for name, kind in _CONTEXT.items() if kind is int))
"""The fields that segments may ask for."""

SCHEDULE = ActionStrategy(name="schedule", policy="schedule")
RANDOM = ActionStrategy(name="random", policy="random")
NONE = ActionStrategy(name="none", policy="none")


def strategy_from(content: Any, file: str) -> ActionStrategy:
    """The strategy that a file's parsed YAML describes.

    Args:
        content: a mapping with the fields of `schemas.strategies.ActionStrategy`.
        file: its name, for errors.

    Raises:
        BadInput: something is missing, unknown, of the wrong kind or contradicts itself.
    """
    if not isinstance(content, dict):
        raise BadInput(f"{file}: expected a mapping with name, policy, actions, prices ...")
    try:
        strategy = msgspec.convert(content, ActionStrategy)
    except msgspec.ValidationError as error:
        found = _PATH.match(str(error))
        where, what = (found["path"], found["what"]) if found else ("", str(error))
        raise BadInput(f"{file}: {f'field `{where}`: ' if where else ''}{what}.{_known_fields(what)}") from error
    check(strategy, file)
    return strategy


def _known_fields(what: str) -> str:
    if "unknown field" not in what:
        return ""
    return f" A strategy has: {', '.join(sorted(ActionStrategy.__struct_fields__))}."


def check(strategy: ActionStrategy, file: str) -> None:
    """Raise BadInput when a strategy contradicts itself."""
    for where, what in contradictions(strategy):
        raise BadInput(f"{file}: field `{where}`: {what}.")


def check_for(strategy: ActionStrategy, tenant: Tenant, file: str) -> None:
    """Raise BadInput when a strategy cannot be a tenant's: it must have prices in every currency of the tenant."""
    for where, what in _misfits(strategy, tenant):
        raise BadInput(f"{file}: field `{where}`: {what}, for the tenant {tenant.tenant_id}.")


def version_of(strategy: ActionStrategy) -> str:
    """The strategy's content as a hash of 64 hexadecimal digits: equal strategies, equal versions."""
    return hashlib.sha256(msgspec.json.encode(strategy, order="deterministic")).hexdigest()


def policy_of(strategy: ActionStrategy) -> str:
    """How decisions name the policy that made them, such as `nba:household@3f2a91c0`."""
    return f"{strategy.policy}:{strategy.name}@{version_of(strategy)[:8]}"


def schedule_of(strategy: ActionStrategy, tenant: Tenant) -> Strategy:
    """The steps of a strategy of policy `schedule`: its own, else the tenant's."""
    return Strategy(name=strategy.name, steps=strategy.steps) if strategy.steps else tenant.strategy


# -- what contradicts itself -------------------------------------------------------------------------------------------


def contradictions(strategy: ActionStrategy) -> Iterator[tuple[str, str]]:
    """Each field that cannot stand as it does, and why."""
    if strategy.steps and strategy.policy != "schedule":
        yield "steps", "only a strategy of policy `schedule` has steps; the others have actions"
    yield from impossible_steps(strategy.steps, "steps")
    if strategy.policy in ("nba", "random") and not strategy.actions:
        yield "actions", f"a strategy of policy `{strategy.policy}` chooses among actions; name at least one"
    if strategy.policy in ("schedule", "none") and strategy.actions:
        yield "actions", f"a strategy of policy `{strategy.policy}` chooses nothing; leave them out"
    yield from _impossible_segments(strategy.segments)
    names = Counter(spec.id for spec in strategy.actions)
    segments = {segment.name for segment in strategy.segments}
    for place, spec in enumerate(strategy.actions):
        where = f"actions[{place}]"
        if names[spec.id] > 1:
            yield f"{where}.id", f"`{spec.id}` is used twice; an action is remembered by its id"
        yield from _impossible_action(spec, where)
        for field, named, known in (
            ("after", spec.after, set(names) - {spec.id}),
            ("segments", spec.segments, segments),
            ("by_segment", tuple(spec.by_segment), segments),
        ):
            for name in named:
                if name not in known:
                    yield f"{where}.{field}", f"there is no `{name}`; there are: {', '.join(sorted(known)) or 'none'}"
    yield from _unlearnable(strategy, set(names), segments)


def impossible_steps(steps: tuple[Step, ...], where: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the steps of a schedule."""
    ids = Counter(step.id for step in steps)
    for place, step in enumerate(steps):
        here = f"{where}[{place}]"
        if ids[step.id] > 1:
            yield f"{here}.id", f"`{step.id}` is used twice; a step is remembered by its id"
        if step.action not in STEP_ACTIONS:
            yield f"{here}.action", f"expected one of {', '.join(STEP_ACTIONS)}"
        if step.action == "contact" and step.channel is None:
            yield f"{here}.channel", "a contact needs a channel: call, voicemail, sms, email or letter"
        if step.action == "contact" and step.template is None:
            yield f"{here}.template", "a contact needs a template"
        if place and step.at_days <= steps[place - 1].at_days:
            yield f"{here}.at_days", "steps are in the order of their days, one a day at most"


def _impossible_segments(segments: tuple[Segment, ...]) -> Iterator[tuple[str, str]]:
    names = Counter(segment.name for segment in segments)
    for place, segment in enumerate(segments):
        where = f"segments[{place}]"
        if names[segment.name] > 1:
            yield f"{where}.name", f"`{segment.name}` is used twice"
        for field, condition in segment.when.items():
            yield from _impossible_condition(f"{where}.when.{field}", field, condition)


def _impossible_condition(where: str, field: str, condition: Condition) -> Iterator[tuple[str, str]]:
    low, high = condition.at_least, condition.below
    if field not in (*TEXTS, *NUMBERS):
        yield where, f"there is no such field; segments may ask for {', '.join(sorted((*TEXTS, *NUMBERS)))}"
    elif field in TEXTS and (not condition.one_of or low is not None or high is not None):
        yield where, "it is a text: say which with `is: [...]`, and nothing else"
    elif field in NUMBERS and (condition.one_of or (low is None and high is None)):
        yield where, "it is a number: say `at_least`, `below` or both, and nothing else"
    elif low is not None and high is not None and low >= high:
        yield where, "no number is at least the one and below the other"


def _impossible_action(spec: ActionSpec, where: str) -> Iterator[tuple[str, str]]:
    if spec.action in CONTACTS:
        if spec.channel is None:
            yield f"{where}.channel", f"`{spec.action}` needs a channel: call, voicemail, sms, email or letter"
        if spec.template is None:
            yield f"{where}.template", f"`{spec.action}` needs a template"
    else:
        for field in ("channel", "template", "hours", "complaint", "opt_out"):
            if getattr(spec, field):
                yield f"{where}.{field}", f"`{spec.action}` contacts nobody; leave it out"
    if spec.from_days > spec.to_days:
        yield f"{where}.to_days", "the last day lies before the first"
    if spec.action == "pre_due_reminder" and spec.to_days > 0:
        yield f"{where}.to_days", "a reminder before the due day ends on day 0 at the latest"
    if spec.action == "credit_hold" and spec.debt_class != "business":
        yield f"{where}.debt_class", "credit is held from businesses only; say `debt_class: business`"
    for number, span in enumerate(spec.hours):
        if clock_time(span.start) >= clock_time(span.end):
            yield f"{where}.hours[{number}]", "the end is not after the start; a span over midnight is two spans"


def _unlearnable(strategy: ActionStrategy, actions: set[str], segments: set[str]) -> Iterator[tuple[str, str]]:
    learned = strategy.learned
    if learned is None:
        return
    if learned.horizon_days != strategy.horizon_days:
        yield (
            "learned.horizon_days",
            f"it was learned for {learned.horizon_days} days, the strategy looks {strategy.horizon_days} ahead",
        )
    for place, effect in enumerate(learned.effects):
        if effect.action not in actions:
            yield f"learned.effects[{place}].action", f"there is no action `{effect.action}`"
        if effect.segment and effect.segment not in segments:
            yield f"learned.effects[{place}].segment", f"there is no segment `{effect.segment}`"


# -- what does not fit a tenant ----------------------------------------------------------------------------------------


def _misfits(strategy: ActionStrategy, tenant: Tenant) -> Iterator[tuple[str, str]]:
    if strategy.policy == "schedule" and not strategy.steps and not tenant.strategy.steps:
        yield "steps", "there are none, and the tenant has none of its own"
    prices = strategy.prices
    for currency in tenant.currencies:
        for place, spec in enumerate(strategy.actions):
            if spec.cost and price(spec.cost, currency) is None:
                yield f"actions[{place}].cost", f"there is none in {currency}"
            for field, used, costs in (
                ("minute", spec.staff_minutes, prices.minute),
                ("complaint", spec.complaint, prices.complaint),
                ("opt_out", spec.opt_out, prices.opt_out),
            ):
                if used and price(costs, currency) is None:
                    yield f"prices.{field}", f"there is none in {currency}, and the action `{spec.id}` needs it"
