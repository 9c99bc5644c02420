"""The tenant of a ledger: live before its first day, with its own file's strategy or an ordinary one."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from models.calendar import DAY, utc
from models.clock import Instant
from models.tenants import tenant_from
from recoup.replay.mapping import Mapping
from recoup.tenants import read_file
from recoup.yaml_file import read_yaml
from schemas.control import Tenant

DEFAULT = Path(__file__).with_name("tenant.yaml")


def base_tenant(mapping: Mapping, folder: Path) -> Tenant:
    """The tenant as its file says, or the ordinary one; with the mapping's time zone.

    Raises:
        BadInput: the file is wrong.
    """
    own = folder / f"{mapping.tenant_id}.yaml"
    if own.exists():
        tenant = read_file(own)
    else:
        tenant = msgspec.structs.replace(
            tenant_from(read_yaml(DEFAULT), DEFAULT.name), tenant_id=mapping.tenant_id, name=mapping.tenant_id
        )
    return msgspec.structs.replace(tenant, time_zone=mapping.time_zone or tenant.time_zone)


def live_from(tenant: Tenant, first: Instant, currencies: Iterable[str]) -> Tenant:
    """The tenant with the currencies of its ledger, live since the day before the ledger's first."""
    merged = tuple(dict.fromkeys([*sorted(currencies), *tenant.currencies]))
    return msgspec.convert(
        msgspec.to_builtins(msgspec.structs.replace(tenant, live_since=utc(first - DAY))) | {"currencies": merged},
        Tenant,
    )
