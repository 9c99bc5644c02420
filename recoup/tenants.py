"""The tenants of the files beside those that are published: read, compared, and published to every worker."""

from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from connectors.kafka import clients
from connectors.kafka.control import read_whole
from connectors.kafka.settings import KafkaSettings
from models.calendar import utc
from models.clock import Clock
from models.tenants import tenant_from
from schemas.control import Tenant, decode_tenant
from schemas.errors import BadInput, NotReady

TOPIC = "tenants"
SOURCE = "tenants apply"
ENVELOPE = ("event_id", "occurred_at", "source")
"""Says who published and when; no part of the comparison."""
PUBLISH_SECONDS = 15.0


class Field(msgspec.Struct, frozen=True):
    """A field that differs; None = absent."""

    name: str
    published: Any
    wanted: Any


class Change(msgspec.Struct, frozen=True):
    """One tenant that is published otherwise than its file says. `extra` = published, and there is no file."""

    kind: Literal["add", "change", "extra"]
    tenant_id: str
    fields: tuple[Field, ...] = ()


def read_folder(folder: Path) -> dict[str, Tenant]:
    """The tenants of a folder, one in each `<tenant_id>.yaml`.

    Raises:
        BadInput: a file is no YAML, or no valid tenant, or is named after another; every bad file is told.
    """
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}. Name it, or set RECOUP_TENANTS_DIR.")
    tenants: dict[str, Tenant] = {}
    faults: list[str] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            tenant = read_file(path)
        except BadInput as fault:
            faults.append(str(fault))
            continue
        tenants[tenant.tenant_id] = tenant
    if faults:
        raise BadInput("\n".join(faults))
    if not tenants:
        raise BadInput(f"There is no tenant in {folder}: expected one <tenant_id>.yaml for each.")
    return tenants


def read_file(path: Path) -> Tenant:
    """The tenant of one file.

    Raises:
        BadInput: what is wrong, and where.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: byte {error.start} is not UTF-8.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise BadInput(f"{path}{where}: not YAML: {getattr(error, 'problem', None) or 'unreadable'}.") from error
    tenant = tenant_from(content, str(path))
    if tenant.tenant_id != path.stem:
        raise BadInput(f"{path}: holds the tenant `{tenant.tenant_id}`; its name would be {tenant.tenant_id}.yaml.")
    return tenant


def published(kafka: KafkaSettings) -> dict[str, Tenant]:
    """The tenants in force, by id; raises NotReady when the topic cannot be read."""
    return {key.decode(): decode_tenant(value) for key, value in read_whole(kafka, TOPIC).items()}


def plan(wanted: dict[str, Tenant], in_force: dict[str, Tenant]) -> list[Change]:
    """What differs, in the order of the ids."""
    changes: list[Change] = []
    for tenant_id in sorted(wanted.keys() | in_force.keys()):
        if tenant_id not in in_force:
            changes.append(Change("add", tenant_id))
        elif tenant_id not in wanted:
            changes.append(Change("extra", tenant_id))
        elif fields := _differing(in_force[tenant_id], wanted[tenant_id]):
            changes.append(Change("change", tenant_id, fields))
    return changes


def _differing(old: Tenant, new: Tenant) -> tuple[Field, ...]:
    before, after = fields_of(old), fields_of(new)
    names = sorted(before.keys() | after.keys())
    return tuple(
        Field(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def fields_of(tenant: Tenant) -> dict[str, Any]:
    """A tenant's fields with a path each, such as `limits.min_hours_between_contacts`; lists are one value."""
    flat: dict[str, Any] = {}

    def flatten(values: dict[str, Any], path: str) -> None:
        for name, value in values.items():
            if isinstance(value, dict):
                flatten(value, f"{path}{name}.")
            elif path or name not in ENVELOPE:
                flat[path + name] = value

    flatten(msgspec.to_builtins(tenant), "")
    for step in flat.pop("strategy.steps", ()):
        flat[f"strategy.steps.{step['id']}"] = msgspec.json.encode(step).decode()
    return flat


def publish(
    kafka: KafkaSettings, wanted: dict[str, Tenant], changes: list[Change], clock: Clock, *, prune: bool = False
) -> int:
    """Publish the tenants that differ, and with `prune` remove those without a file; how many messages.

    Raises:
        NotReady: the broker did not take them all.
    """
    producer = clients.producer(kafka)
    refused: list[str] = []

    def taken(error: Any, message: Any) -> None:  # noqa: ARG001
        if error is not None:
            refused.append(error.name())

    now = clock.now()
    sent = 0
    for change in changes:
        if change.kind == "extra" and not prune:
            continue
        value = None
        if change.kind != "extra":
            stamp = {"event_id": f"{change.tenant_id}-{now}", "occurred_at": utc(now), "source": SOURCE}
            value = msgspec.json.encode(msgspec.structs.replace(wanted[change.tenant_id], **stamp))
        producer.produce(TOPIC, value, change.tenant_id.encode(), on_delivery=taken)
        sent += 1
    left = producer.flush(PUBLISH_SECONDS)
    if left or refused:
        raise NotReady(
            f"Kafka did not take {left + len(refused)} of {sent} tenants ({', '.join(set(refused)) or 'no answer'})."
            " `recoup doctor` looks at the stack; `recoup topics apply` creates missing topics."
        )
    return sent
