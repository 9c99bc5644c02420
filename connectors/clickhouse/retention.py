"""How long landed rows are kept, and where: what brings the tables to what the settings ask for.

Time counts from when rows landed. Counted from when events occurred, a ledger of 2012 would be deleted as soon as it has
landed. Only tables that land a topic lose or move rows; aggregates keep what they have counted.
"""

import re

from clickhouse_connect.driver.client import Client

from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.statements import Name, literal, statement
from connectors.clickhouse.tables import tables
from schemas.errors import BadInput

DEFAULT_POLICY = "default"

_TTL = re.compile(r"\bTTL (toDateTime\(_block_at\) .+?)(?= SETTINGS\b| COMMENT\b|$)")
_POLICY = re.compile(r"\bstorage_policy = '([^']+)'")

Policies = dict[str, list[str]]
"""Storage policy -> its volumes, the one that rows land on first."""


def retention(client: Client, settings: ClickHouseSettings) -> dict[str, list[str]]:
    """The statements that are missing, by table; none when the tables are as the settings ask.

    Raises:
        BadInput: the settings name a table, a storage policy or a volume that there is not.
    """
    policies: Policies = {}
    for policy, volume in client.query(statement("storage_policies")).result_rows:
        policies.setdefault(policy, []).append(volume)
    check(settings, policies)
    found: dict[str, list[str]] = {}
    for name in tables():
        about = client.query(statement("table", name_of_database=settings.database, name=name)).result_rows
        if missing := changes(settings, name, str(about[0][2]) if about else ""):
            found[name] = missing
    return found


def check(settings: ClickHouseSettings, policies: Policies) -> None:
    """Refuse settings that the server cannot follow; raises BadInput."""
    if unknown := sorted(settings.ttl_days_of.keys() - tables().keys()):
        raise BadInput(
            f"RECOUP_CLICKHOUSE__TTL_DAYS_OF names {unknown[0]}, and no topic lands there. Tables: {', '.join(tables())}."
        )
    if not settings.cold_after_days:
        return
    policy, volume = settings.storage_policy, settings.cold_volume
    # A table may only change to a policy that has the volumes of its old one, by their names.
    here = policies.get(DEFAULT_POLICY, [])
    if (
        policy == DEFAULT_POLICY
        or volume not in set(policies.get(policy, [])) - set(here)
        or policies[policy][:1] != here
    ):
        there = "; ".join(f"{name} ({', '.join(volumes)})" for name, volumes in policies.items())
        raise BadInput(
            f"RECOUP_CLICKHOUSE__COLD_AFTER_DAYS needs a storage policy {policy!r} with the volumes default and {volume}, in"
            f" this order. The server has: {there}. deploy/clickhouse/storage.xml is an example with S3; the local stack's"
            " embedded engine has one disk."
        )


def changes(settings: ClickHouseSettings, name: str, engine: str) -> list[str]:
    """What brings one table to the settings; `engine` is how it was made, empty = it is not there yet."""
    place = f"ALTER TABLE {Name(settings.database)}.{Name(name)}"
    found: list[str] = []
    policy = _POLICY.search(engine)
    if settings.cold_after_days and (policy[1] if policy else DEFAULT_POLICY) != settings.storage_policy:
        found.append(f"{place} MODIFY SETTING storage_policy = {literal(settings.storage_policy)}")
    now, wanted = _TTL.search(engine), ttl(settings, name)
    if (now[1] if now else "") != wanted:
        found.append(f"{place} MODIFY TTL {wanted}" if wanted else f"{place} REMOVE TTL")
    return found


def ttl(settings: ClickHouseSettings, name: str) -> str:
    """A table's TTL as the server writes it down; empty = rows stay where they are."""
    days, cold = settings.ttl_days_of.get(name, settings.ttl_days), settings.cold_after_days
    parts = []
    if cold and (not days or cold < days):
        parts.append(f"{_after(cold)} TO VOLUME {literal(settings.cold_volume)}")
    if days:
        parts.append(_after(days))
    return ", ".join(parts)


def _after(days: int) -> str:
    return f"toDateTime(_block_at) + toIntervalDay({days})"
