"""Lets an analyst of one tenant read that tenant's rows and nothing else: a role, row policies, grants and limits.

Every table and view that says whose rows it holds gets a row policy of its own and only then a grant. What is not
granted cannot be read, so a table that a later migration makes is closed until access is applied again.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.catalogue import Relation, catalogue
from connectors.clickhouse.client import code_of, connect, explain
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.statements import Name, Sql, Value, statement
from schemas.errors import BadInput, NotReady

PROFILE = "recoup_analyst"
OF_NO_TENANT = frozenset({"agent_metrics"})
"""Has the column, as every landed table has, and never a tenant in it."""
EMBEDDED = "(chDB)"
"""How the local endpoint signs its errors."""
NOT_ALLOWED = {497, 514}
"""The user may not, or the server keeps its users where nothing can be added."""

State = Literal["granted", "not granted", "no policy", "withheld", "too much"]


class Coverage(msgspec.Struct, frozen=True):
    """How one table or view stands to a tenant's role."""

    name: str
    state: State
    """`not granted`: it should be readable and is not. `withheld`: it says of no row whose it is, so nobody gets it.
    `no policy`, `too much`: it can be read without the condition that keeps other tenants' rows back."""


class Access(msgspec.Struct, frozen=True):
    """What the server grants the analysts of one tenant."""

    tenant: str
    role: str
    users: list[str]
    coverage: list[Coverage]

    @property
    def leaks(self) -> list[str]:
        """What can be read with other tenants' rows in it."""
        return [one.name for one in self.coverage if one.state in ("no policy", "too much")]

    @property
    def missing(self) -> list[str]:
        """What should be readable and is not."""
        return [one.name for one in self.coverage if one.state == "not granted"]


def role_of(tenant: str) -> str:
    """The role of a tenant's analysts; their row policies have the same name."""
    return f"recoup_{tenant}"


def readable(relations: list[Relation]) -> list[Relation]:
    """What analysts of a tenant may read: what says whose rows it holds. Feeders would show what they were made of."""
    return [one for one in relations if one.of_tenants and one.kind != "feeder" and one.name not in OF_NO_TENANT]


def statements(relations: list[Relation], database: str, tenant: str) -> list[str]:
    """The SQL that gives a tenant's role what it may read, each statement repeatable; conditions come before grants."""
    role, profile = Name(role_of(tenant)), Name(PROFILE)
    found = [
        statement("access/profile", profile=profile),
        statement("access/profile_settings", profile=profile),
        statement("access/role", role=role),
        statement("access/role_profile", role=role, profile=profile),
    ]
    granted = readable(relations)
    for relation in granted:
        place: dict[str, Value] = {"database": Name(database), "table": Name(relation.name)}
        found += [
            statement("access/service_policy", **place),
            statement("access/policy", policy=role, role=role, **place),
            statement("access/policy_condition", policy=role, role=role, tenant=tenant, **place),
        ]
    grants = ", ".join(f"SELECT ON {Name(database)}.{Name(relation.name)}" for relation in granted)
    found.append(statement("access/grant", grants=Sql(grants), role=role))
    return [text.strip() for text in found]


def user_statements(tenant: str, user: str, password: str | None) -> list[str]:
    """The SQL that makes somebody an analyst of a tenant. Without a password a new user cannot log in."""
    name, role = Name(user), Name(role_of(tenant))
    if password is None:
        made = statement("access/user_locked", user=name)
    else:
        salt = secrets.token_hex(16)
        # The server is told the digest, so that no password stands in its query log.
        digest = hashlib.sha256((password + salt).encode()).hexdigest()
        made = statement("access/user", user=name, hash=digest, salt=salt)
    return [made.strip(), statement("access/user_role", user=name, role=role).strip()]


def planned(settings: ClickHouseSettings, tenant: str) -> list[str]:
    """The statements for the tables that there are now; changes nothing.

    Raises:
        NotReady: ClickHouse does not answer, or there are no tables.
    """
    with connect(settings) as client:
        return statements(_catalogue(client, settings.database), settings.database, tenant)


def is_user(settings: ClickHouseSettings, user: str) -> bool:
    """Whether the server knows a user of that name."""
    with connect(settings) as client:
        return bool(client.query(statement("access/users_named", user=user)).result_rows)


def apply(
    settings: ClickHouseSettings,
    planned: list[str],
    *,
    on_statement: Callable[[int], None] = lambda _: None,
) -> None:
    """Run the statements in order.

    Raises:
        NotReady: the server has no users and roles, or ours may not manage them; it says which, and what to do.
    """
    with connect(settings) as client:
        for number, sql in enumerate(planned):
            try:
                client.command(sql)
            except ClickHouseError as error:
                raise NotReady(_advice(settings, error, sql)) from error
            on_statement(number + 1)


def shown(settings: ClickHouseSettings, tenant: str) -> Access:
    """What the server grants now.

    Raises:
        NotReady: ClickHouse does not answer, there are no tables, or ours may not look.
    """
    role = role_of(tenant)
    with connect(settings) as client:
        relations = _catalogue(client, settings.database)
        try:
            grants = [(of, table, kind) for of, table, kind in _rows(client, "grants_of", role=role)]
            named = {"name_of_database": settings.database, "policy": role, "role": role}
            policies = {str(table): str(condition) for table, condition in _rows(client, "policies_of", **named)}
            users = [name for (name,) in _rows(client, "users_of", role=role)]
        except ClickHouseError as error:
            raise NotReady(_advice(settings, error, "reading what is granted")) from error
    return Access(tenant, role, users, coverage(relations, settings.database, tenant, grants, policies))


def coverage(
    relations: list[Relation],
    database: str,
    tenant: str,
    grants: list[tuple[str, str, str]],
    policies: dict[str, str],
) -> list[Coverage]:
    """How each table and view stands.

    Args:
        relations: what there is.
        database: where.
        tenant: whose role it is.
        grants: (database, table, privilege) of the role; empty = all of them.
        policies: table -> condition of the role's policy.
    """
    may = {one.name for one in readable(relations)}
    wide = any(where in ("", database) and not table for where, table, _ in grants)
    granted = {table for where, table, _ in grants if where == database}
    wanted = f"tenant_id = '{tenant}'"
    found: list[Coverage] = []
    for relation in relations:
        state: State = "withheld"
        if wide or relation.name in granted:
            holds = _plain(policies.get(relation.name, "")) == wanted
            state = "granted" if holds and relation.name in may else "no policy" if relation.name in may else "too much"
        elif relation.name in may:
            state = "not granted"
        found.append(Coverage(relation.name, state))
    return found


def _rows(client: Client, query: str, **values: Value) -> Sequence[Sequence[Any]]:
    return client.query(statement(f"access/{query}", **values)).result_rows


def _catalogue(client: Client, database: str) -> list[Relation]:
    if not (relations := catalogue(client, database)):
        raise NotReady(f"The database {database} has no tables: run `recoup migrate`.")
    return relations


def _plain(condition: str) -> str:
    """A condition as it was written: the server may put it in brackets."""
    return condition.strip().removeprefix("(").removesuffix(")")


def _advice(settings: ClickHouseSettings, error: ClickHouseError, sql: str) -> str:
    if EMBEDDED in str(error):
        return (
            f"ClickHouse at {settings.url} is the local stack's embedded engine, which has one user and no roles:"
            " nothing was changed. Whoever can reach it reads every tenant. Point RECOUP_CLICKHOUSE__URL at a"
            " ClickHouse server and run this again, or see with `recoup access apply --print` what it would run."
        )
    if code_of(error) in NOT_ALLOWED:
        return (
            f"ClickHouse at {settings.url} does not let {settings.username} manage users and roles"
            f" ({explain(error)}). Give that user access management (access_management in its users.xml, or"
            " CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT=1 of the container), or have an administrator run what"
            " `recoup access apply --print` shows."
        )
    return (
        f"ClickHouse at {settings.url} refused ({explain(error)}): {sql.splitlines()[0][:120]}\nWhat came before it is in"
        " force; grants come last. Mend the cause and run this again."
    )


def check_user(settings: ClickHouseSettings, user: str) -> None:
    """Refuse the pipeline's own user: the analysts' limits would stop it from landing.

    Raises:
        BadInput: it is that one.
    """
    if user in (settings.username, "default"):
        raise BadInput(
            f"{user!r} is a user that the pipeline or the server works with, and an analyst may write nothing. Name"
            " another one."
        )
