"""The templates of the files beside those that are in force: read, checked against the rules, compared, and published."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from connectors.channels.channel import Message
from connectors.kafka.control import read_whole
from connectors.kafka.sending import Sender
from connectors.kafka.settings import KafkaSettings
from connectors.templates.check import faults
from connectors.templates.files import TemplateFile
from connectors.templates.registry import Templates, decode_template, key_of, languages
from connectors.templates.rendering import render
from connectors.templates.variables import SENDERS, Contact, sender_values
from models.account.profile import CrmFacts, Profile
from models.calendar import utc
from models.clock import Clock
from models.compliance.content import Scope, scope_of
from schemas.contacts import ContactRequested
from schemas.control import Tenant
from schemas.envelope import Channel
from schemas.errors import BadInput
from schemas.templates import EVERYBODY, TemplateRegistered, template_key

TOPIC = "templates"
SOURCE = "templates register"
STAMPS = ("event_id", "occurred_at", "source", "registered_by")
"""Says who published and when; no part of the comparison."""


class Change(msgspec.Struct, frozen=True):
    """One template that is in force otherwise than its file says. `extra` = in force, and there is no file."""

    kind: Literal["add", "change", "extra"]
    tenant_id: str
    template: str
    channel: str
    language: str

    @property
    def key(self) -> bytes:
        return template_key(self.tenant_id, self.template, self.channel, self.language)


def check(files: list[TemplateFile], tenants: Mapping[str, Tenant]) -> list[str]:
    """Everything that keeps these files from being registered, each with its file and line.

    Args:
        tenants: whose rules bind their own templates; everybody's templates must do for every tenant anywhere.

    Raises:
        BadInput: a rule pack is wrong.
    """
    return [said for file in files for said in _faults(file, tenants)]


def _faults(file: TemplateFile, tenants: Mapping[str, Tenant]) -> Iterator[str]:
    its = file.template
    if its.tenant_id == EVERYBODY:
        scope = Scope()
    elif its.tenant_id in tenants:
        scope = scope_of(tenants[its.tenant_id])
    else:
        yield f"{file.path}: there is no tenant {its.tenant_id}; there are {', '.join(sorted(tenants)) or 'none'}."
        return
    for fault in faults(its, scope):
        yield f"{file.place(fault.part, fault.line)}: {fault.part}: {fault.says.rstrip('.')}."


def unready(tenants: Mapping[str, Tenant], templates: list[TemplateRegistered]) -> list[str]:
    """The steps of the tenants that cannot be said: without a template, or with one that prints what they leave empty."""
    held = Templates()
    for template in templates:
        held.put(template)
    return [said for tenant in tenants.values() for said in _unready(tenant, held)]


def _unready(tenant: Tenant, held: Templates) -> Iterator[str]:
    known = sender_values(tenant)
    for step in tenant.strategy.steps:
        if step.template is None or step.channel is None:
            continue
        found = held.find(tenant, step.template, step.channel, None)
        where = f"tenant {tenant.tenant_id}, step {step.id}: {step.channel} {step.template}"
        if found is None:
            yield f"{where}: there is no such template in {', '.join(languages(None, tenant.language))}."
            continue
        for name in sorted((found.needs & SENDERS.keys()) - known.keys()):
            yield f"{where}: prints {{{{ {name} }}}}, and the tenant's `sender` does not have it."


SAMPLE = {"name": "Alex Doe", "amount": "123.45 USD", "invoice_id": "INV-1042", "invoices": "1", "due_on": "2026-03-03"}
"""What a preview says of a customer who does not exist."""
SAMPLE_ADDRESSES = {"email": "alex@customer.example", "letter": "1 Example Street, Boston MA 02101"}
SAMPLE_NUMBER = "+9990000000042"


def preview(
    templates: list[TemplateRegistered],
    tenant: Tenant,
    *,
    template: str,
    channel: Channel,
    language: str | None,
    data: Mapping[str, str],
    clock: Clock,
) -> Message:
    """A contact that nobody gets, in the words of the template that would be chosen.

    Args:
        data: the variables of a contact request; what is not given is made up.

    Raises:
        BadInput: there is no such template, or it cannot be rendered.
    """
    held = Templates()
    for its in templates:
        if (its.template, its.channel) == (template, channel):
            held.put(its)
    found = held.find(tenant, template, channel, language)
    if found is None:
        tried = ", ".join(languages(language, tenant.language))
        raise BadInput(
            f"There is no template {template} for {channel} in {tried}, neither {tenant.tenant_id}'s nor everybody's."
        )
    if unknown := sorted(data.keys() - SAMPLE.keys()):
        raise BadInput(f"A contact request has no variable `{unknown[0]}`; it has {', '.join(SAMPLE)}.")
    now = clock.now()
    request = ContactRequested(
        event_id="preview",
        tenant_id=tenant.tenant_id,
        account_id="preview",
        occurred_at=utc(now),
        source="templates preview",
        decision_id="preview",
        contact_id="preview",
        channel=channel,
        address=SAMPLE_ADDRESSES.get(channel, SAMPLE_NUMBER),
        template=template,
        not_before=utc(now),
        expires_at=utc(now),
        idempotency_key="preview",
        purpose=found.registered.purpose,
        mode=found.registered.mode,
        language=language,
    )
    variables = SAMPLE | dict(data)
    crm = CrmFacts(profile=Profile(name=variables["name"] or None))
    said = render(held, Contact(request, tenant, crm, variables, now))
    if isinstance(said, str):
        raise BadInput(
            f"{template} ({channel}, {found.registered.language}) cannot be rendered for {tenant.tenant_id}: {said}."
        )
    return said


def published(kafka: KafkaSettings) -> dict[bytes, TemplateRegistered]:
    """The templates in force, by key; raises NotReady when the topic cannot be read."""
    return {key: decode_template(value) for key, value in read_whole(kafka, TOPIC).items()}


def plan(wanted: list[TemplateRegistered], in_force: Mapping[bytes, TemplateRegistered]) -> list[Change]:
    """What differs, in the order of the keys.

    Args:
        in_force: of the same tenants as `wanted`.
    """
    files = {key_of(template): template for template in wanted}
    changes: list[Change] = []
    for key in sorted(files.keys() | in_force.keys()):
        if key not in in_force:
            changes.append(_change("add", files[key]))
        elif key not in files:
            changes.append(_change("extra", in_force[key]))
        elif _bare(files[key]) != _bare(in_force[key]):
            changes.append(_change("change", files[key]))
    return changes


def publish(
    kafka: KafkaSettings,
    wanted: list[TemplateRegistered],
    changes: list[Change],
    clock: Clock,
    *,
    by: str,
    prune: bool = False,
) -> int:
    """Publish the templates that differ, and with `prune` end those without a file; how many messages.

    Args:
        by: who registers them.

    Raises:
        NotReady: the broker did not take them all.
    """
    files = {key_of(template): template for template in wanted}
    sender, now, sent = Sender(kafka), clock.now(), 0
    for change in changes:
        if change.kind == "extra":
            if not prune:
                continue
            sender.send(TOPIC, None, change.key)
        else:
            stamp = {
                "event_id": f"{change.tenant_id}-{change.template}-{change.channel}-{change.language}-{now}",
                "occurred_at": utc(now),
                "source": SOURCE,
                "registered_by": by,
            }
            value = msgspec.json.encode(msgspec.structs.replace(files[change.key], **stamp))
            sender.send(TOPIC, value, change.key)
        sent += 1
    sender.flush()
    return sent


def refuse(said: list[str]) -> None:
    """Raise BadInput when there are faults."""
    if said:
        raise BadInput("\n".join(said))


def _change(kind: Literal["add", "change", "extra"], template: TemplateRegistered) -> Change:
    return Change(kind, template.tenant_id, template.template, template.channel, template.language)


def _bare(template: TemplateRegistered) -> TemplateRegistered:
    defaults = {field.name: field.default for field in msgspec.structs.fields(TemplateRegistered)}
    return msgspec.structs.replace(template, **{name: defaults[name] for name in STAMPS})
