"""The rule packs: read once from `rules/*.yaml`, checked field by field, and chosen by a tenant.

What is wrong in a pack is found when it is read and says the file, the rule, the field and what may stand there.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, get_args

import msgspec
import yaml

from models.calendar import zone
from models.compliance.hours import clock_time
from schemas.envelope import Hours
from schemas.errors import BadInput
from schemas.rules import Compliance, Content, Daytime, ExtraCalls, Limit, Pack, Requirement, Rule

Rules = tuple[Rule, ...]

PACKS: tuple[Pack, ...] = get_args(Pack)
OWN = "tenant:"
"""What the ids of a tenant's own rules begin with."""

_PATH = re.compile(r"^(?P<what>.*?) - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_FIELDS = ", ".join(field.encode_name for field in msgspec.structs.fields(Rule))


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The shape of a pack. Its rules are read one by one, so that an error can name the rule."""

    pack: Pack
    says: str
    rules: list[dict[str, Any]]


@cache
def packs() -> dict[Pack, Rules]:
    """Every pack by its name, in their order; raises BadInput when one is wrong."""
    folder = files("models.compliance") / "rules"
    found = {name: read_pack((folder / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml") for name in PACKS}
    twice = _twice(rule.id for rules in found.values() for rule in rules)
    if twice is not None:
        raise BadInput(f"models/compliance/rules: two packs have a rule `{twice}`; an id stands for one rule.")
    return found


def read_pack(text: str, file: str) -> Rules:
    """The rules of a pack's YAML; `file` is its name, for errors."""
    try:
        content = msgspec.convert(yaml.safe_load(text), _File)
    except yaml.YAMLError as error:
        raise BadInput(f"{file}: not YAML: {error}") from error
    except msgspec.ValidationError as error:
        where, what = _placed(error)
        raise BadInput(f"{file}: {where}{what}. A pack has: pack, says, rules.") from error
    if content.pack != file.removesuffix(".yaml"):
        raise BadInput(f"{file}: field `pack`: `{content.pack}` does not stand in a file of its name.")
    rules = tuple(rule_from(raw, file) for raw in content.rules)
    twice = _twice(rule.id for rule in rules)
    if twice is not None:
        raise BadInput(f"{file}: rule `{twice}` is there twice; an id stands for one rule.")
    return rules


def rule_from(raw: dict[str, Any], file: str) -> Rule:
    """One rule out of its YAML; raises BadInput that names the file, the rule and the field."""
    name = raw.get("id", "without an id")
    try:
        rule = msgspec.convert(raw, Rule)
    except msgspec.ValidationError as error:
        where, what = _placed(error)
        raise BadInput(f"{file}: rule `{name}`: {where}{what}. A rule has: {_FIELDS}.") from error
    for field, says in contradictions(rule):
        raise BadInput(f"{file}: rule `{name}`: field `{field}`: {says}.")
    return rule


def _placed(error: msgspec.ValidationError) -> tuple[str, str]:
    found = _PATH.match(str(error))
    return (f"field `{found['path']}`: ", found["what"]) if found else ("", str(error))


def _twice(ids: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            return name
        seen.add(name)
    return None


def contradictions(rule: Rule) -> Iterator[tuple[str, str]]:
    """What a rule says that cannot be, each with its field."""
    first, last = rule.effective_from, rule.effective_to
    if first is not None and last is not None and last < first:
        yield (
            "effective_to",
            f"{last} is before effective_from, {first}; the last date of a rule is not before its first",
        )
    if rule.where.country is None and (rule.where.states or rule.where.except_states or rule.where.city):
        yield "where.country", "a state or city needs its country, such as US"
    if rule.evaluated == "send" and not rule.requires:
        yield "requires", "a rule that is evaluated at send time requires something; else it is of a process"
    for place, requirement in enumerate(rule.requires):
        where = f"requires[{place}]"
        if rule.evaluated != "send" and not isinstance(requirement, Content):
            yield where, f"`{kind_of(requirement)}` is asked of a contact; say `evaluated: send`, or require `content`"
        if isinstance(requirement, Daytime):
            yield from impossible_hours(requirement.spans, f"{where}.spans")
            if requirement.zone is not None and zone(requirement.zone) is None:
                yield f"{where}.zone", f"`{requirement.zone}` is no IANA time zone, such as America/New_York"
        if isinstance(requirement, Limit) and not requirement.per:
            yield f"{where}.per", "what is it a limit of? Any of person, debt, account"


def kind_of(requirement: Requirement) -> str:
    """The name of a kind of requirement, as a pack writes it."""
    return str(type(requirement).__struct_config__.tag)


def impossible_hours(spans: tuple[Hours, ...], where: str) -> Iterator[tuple[str, str]]:
    """Spans that end before they start, or overlap on a day."""
    for place, span in enumerate(spans):
        if clock_time(span.start) >= clock_time(span.end):
            yield f"{where}[{place}]", "the end is not after the start; a span over midnight is two spans"
        if span.start == "24:00":
            yield f"{where}[{place}].start", "24:00 is the end of a day; the next one starts at 00:00"
        for other in spans[:place]:
            common = not span.days or not other.days or set(span.days) & set(other.days)
            if common and span.start < other.end and other.start < span.end:
                yield (
                    f"{where}[{place}]",
                    f"overlaps {other.start}-{other.end} of the same day; spans of a day stand apart",
                )


@lru_cache(maxsize=1_024)
def rules_of(compliance: Compliance) -> Rules:
    """The rules that are in force for a tenant, whatever their dates: its packs and its own."""
    chosen = [rule for name, rules in packs().items() if name not in compliance.packs_off for rule in rules]
    return (*(rule for rule in chosen if not rule.opt_in or rule.id in compliance.rules_on), *compliance.rules)


def rule_named(name: str) -> Rule | None:
    """The rule of the packs with that id."""
    return _by_id().get(name)


@cache
def _by_id() -> dict[str, Rule]:
    return {rule.id: rule for rules in packs().values() for rule in rules}


def unknown_choices(compliance: Compliance) -> Iterator[tuple[str, str]]:
    """What a tenant chose that is not there, each with its field."""
    off = sorted(rule.id for rule in _by_id().values() if rule.opt_in)
    for place, name in enumerate(compliance.rules_on):
        if name not in off:
            yield f"rules_on[{place}]", f"`{name}` is no rule that is off by default; those are: {', '.join(off)}"
    for place, rule in enumerate(compliance.rules):
        where = f"rules[{place}]"
        if not rule.id.startswith(OWN):
            yield f"{where}.id", f"`{rule.id}` must begin with `{OWN}`; the other ids are those of the packs"
        if rule.evaluated != "send" or rule.opt_in:
            yield f"{where}.evaluated", "a tenant's own rule is evaluated at send time and is on; leave both fields out"
        if any(isinstance(requirement, ExtraCalls) for requirement in rule.requires):
            yield f"{where}.requires", "`extra_calls` lets more through; a tenant's own rule can only deny more"
        yield from ((f"{where}.{field}", says) for field, says in contradictions(rule))
    twice = _twice(rule.id for rule in compliance.rules)
    if twice is not None:
        yield "rules", f"`{twice}` is there twice; an id stands for one rule"
