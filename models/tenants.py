"""A tenant's file turned into the tenant, or into an error that names the file, the field and what may stand there."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from models.actions.strategy import impossible_steps
from models.addresses import valid_email, valid_number
from models.calendar import zone
from models.compliance.hours import clock_time
from models.compliance.packs import PACKS, rule_from, unknown_choices
from models.compliance.places import state_code
from schemas.control import Sender, Tenant
from schemas.errors import BadInput

_PATH = re.compile(r"^(?P<what>.*?) - at `\$\.?(?P<path>.*)`$")
SHORT_CODE = re.compile("[0-9]{5,6}")
"""Numbers that carriers give to senders of many texts."""
_FIELDS = frozenset(field.encode_name for field in msgspec.structs.fields(Tenant)) - {
    "event_id",
    "account_id",
    "occurred_at",
    "source",
    "schema_version",
    "history",
}


def tenant_from(content: Any, file: str) -> Tenant:
    """The tenant that a file's parsed YAML describes.

    Args:
        content: a mapping with the fields of `schemas.control.Tenant`, without the envelope.
        file: its name, for errors.

    Raises:
        BadInput: something is missing, unknown, of the wrong kind or contradicts itself.
    """
    if not isinstance(content, dict):
        raise BadInput(f"{file}: expected a mapping with tenant_id, name, currencies, time_zone ...")
    unknown = sorted(str(name) for name in content if name not in _FIELDS)
    if unknown:
        raise BadInput(f"{file}: unknown field `{unknown[0]}`. A tenant has: {', '.join(sorted(_FIELDS))}.")
    _check_rules(content.get("compliance"), file)
    try:
        tenant = msgspec.convert(content, Tenant)
    except msgspec.ValidationError as error:
        found = _PATH.match(str(error))
        where, what = (found["path"], found["what"]) if found else ("", str(error))
        raise BadInput(f"{file}: {f'field `{where}`: ' if where else ''}{what}.") from error
    for where, what in _contradictions(tenant):
        raise BadInput(f"{file}: field `{where}`: {what}.")
    return tenant


def _check_rules(compliance: Any, file: str) -> None:
    """Rules and packs are read one by one, so that an error names the rule and what may stand there."""
    if not isinstance(compliance, dict):
        return
    for place, name in enumerate(compliance.get("packs_off") or ()):
        if name not in PACKS:
            raise BadInput(
                f"{file}: field `compliance.packs_off[{place}]`: there is no rule pack `{name}`."
                f" There are: {', '.join(PACKS)}."
            )
    for raw in compliance.get("rules") or ():
        if isinstance(raw, dict):
            rule_from(raw, file)


def _contradictions(tenant: Tenant) -> Iterator[tuple[str, str]]:
    if zone(tenant.time_zone) is None:
        yield "time_zone", f"`{tenant.time_zone}` is no IANA time zone, such as Europe/Berlin"
    if tenant.country is not None and not re.fullmatch("[A-Z]{2}", tenant.country):
        yield "country", "expected two capital letters (ISO 3166-1), such as US"
    if tenant.country == "US" and tenant.state is not None and state_code(tenant.state, "US") is None:
        yield "state", "expected the two letters of a state (ISO 3166-2), such as MA"
    if len(set(tenant.currencies)) != len(tenant.currencies):
        yield "currencies", "names a currency twice"
    yield from impossible_steps(tenant.strategy.steps, "strategy.steps")
    if not tenant.limits.contact_hours:
        yield "limits.contact_hours", "permits no contact at all; name at least one span"
    for place, span in enumerate(tenant.limits.contact_hours):
        if clock_time(span.start) >= clock_time(span.end):
            yield f"limits.contact_hours[{place}]", "the end is not after the start; a span over midnight is two spans"
    yield from _unreachable(tenant.sender)
    yield from ((f"compliance.{where}", what) for where, what in unknown_choices(tenant.compliance))


def _unreachable(sender: Sender) -> Iterator[tuple[str, str]]:
    """What the tenant sends from; addresses kept for tests pass, for the console takes them."""
    if sender.email and not valid_email(sender.email, tests=True):
        yield "sender.email", "expected one e-mail address"
    if sender.number and not (valid_number(sender.number, tests=True) or SHORT_CODE.fullmatch(sender.number)):
        yield "sender.number", "expected a telephone number in E.164, such as +4930123456, or a short code"
    if sender.unsubscribe and not re.match("^(https://|mailto:)[^<>\\s]+$", sender.unsubscribe):
        yield "sender.unsubscribe", "expected an address that begins with https:// or mailto:"
    if any(not line.isprintable() for line in (sender.name, sender.agent, *sender.postal_address)):
        yield "sender", "holds a control character or line break; each line of `postal_address` is an item"
