"""`recoup access`: what an analyst of one tenant may read in ClickHouse."""

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from connectors.clickhouse.access import Access

PASSWORD = "RECOUP_ACCESS_PASSWORD"  # noqa: S105 - the name of a variable


@click.group()
def access() -> None:
    """Let analysts of one tenant read that tenant's rows and no others."""


@access.command("apply")
@click.option("--tenant", required=True, help="Whose rows the role may read.")
@click.option("--user", help="Also make this user an analyst of the tenant; a new one needs a password.")
@click.option("--print", "only_print", is_flag=True, help="Show the SQL, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="End with how things stand, as one line of JSON.")
def apply_access(tenant: str, user: str | None, only_print: bool, as_json: bool) -> None:
    """Make the tenant's role, its row policies, grants and limits, as the tables are now.

    Doing it again changes nothing; do so after `recoup migrate` has made a table or a view. A new user's password is
    asked for, or taken from RECOUP_ACCESS_PASSWORD.

    \b
    Example:  recoup access apply --tenant acme --user anna
              recoup access apply --tenant acme --user anna --print | clickhouse-client --multiquery
    """
    from connectors.clickhouse import access as of_clickhouse
    from recoup.cli.waiting import waiting
    from recoup.settings import Settings

    settings = Settings().clickhouse
    _check(tenant)
    if user is not None:
        of_clickhouse.check_user(settings, user)
    statements = of_clickhouse.planned(settings, tenant)
    if only_print:
        statements += of_clickhouse.user_statements(tenant, user, None) if user else []
        click.echo("".join(f"{sql};\n" for sql in statements), nl=False)
        if user:
            click.echo(f"-- A new user cannot log in yet: ALTER USER `{user}` IDENTIFIED BY '...' HOST ANY;")
        return
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done = number

    with waiting("applying", lambda: f"{done} of {len(statements)} statements"):
        of_clickhouse.apply(settings, statements, on_statement=count)
    if user is not None:
        password = None if of_clickhouse.is_user(settings, user) else _password(user)
        of_clickhouse.apply(settings, of_clickhouse.user_statements(tenant, user, password))
    _tell(of_clickhouse.shown(settings, tenant), as_json=as_json)


@access.command()
@click.option("--tenant", required=True, help="Whose role.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def show(tenant: str, as_json: bool) -> None:
    """Show what the tenant's analysts may read. Exit 1 when a table is not covered, or can be read beyond the tenant.

    \b
    Example:  recoup access show --tenant acme
    """
    from connectors.clickhouse import access as of_clickhouse
    from recoup.settings import Settings

    _check(tenant)
    _tell(of_clickhouse.shown(Settings().clickhouse, tenant), as_json=as_json)


def _tell(found: "Access", *, as_json: bool) -> None:
    import msgspec

    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        granted = sum(one.state == "granted" for one in found.coverage)
        click.echo(f"role {found.role}: {', '.join(found.users) or 'nobody has it'}")
        click.echo(f"  reads {granted} tables and views, with tenant_id = '{found.tenant}'")
        for state in ("no policy", "too much", "not granted", "withheld"):
            if names := [one.name for one in found.coverage if one.state == state]:
                click.echo(click.wrap_text(f"{state}: {', '.join(names)}", 100, "  ", "    "))
    if found.leaks:
        click.echo("Other tenants' rows can be read: apply access again, or take such grants back.", err=True)
    elif found.missing:
        click.echo(f"Run `recoup access apply --tenant {found.tenant}`.", err=True)
    if found.leaks or found.missing:
        raise SystemExit(1)


def _check(tenant: str) -> None:
    from schemas.errors import BadInput

    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,62}", tenant):
        raise BadInput(f"{tenant!r} is no tenant: tenants are lower case, such as acme.")


def _password(user: str) -> str:
    import os
    import sys

    from schemas.errors import BadInput

    if given := os.environ.get(PASSWORD):
        return given
    if not sys.stdin.isatty():
        raise BadInput(f"{user} is new and needs a password: set {PASSWORD}, or run this on a terminal.")
    asked: str = click.prompt(f"Password of {user}", hide_input=True, confirmation_prompt=True)
    return asked
