"""`recoup templates`: what contacts say, checked against the rules, shown, and put in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from recoup.settings import Settings
    from recoup.templates import Change
    from schemas.control import Tenant

FOLDER = click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
TENANT = click.option("--tenant", help="Only the templates of one tenant; '*' = those of all without their own.")


@click.group()
def templates() -> None:
    """Check what contacts say, show it, and put it in force."""


@templates.command()
@FOLDER
@TENANT
@click.option("--json", "as_json", is_flag=True, help="The faults as one JSON array.")
def check(folder: Path | None, tenant: str | None, as_json: bool) -> None:
    """Read the files of FOLDER (config/templates) and say what is wrong; exit code 2 when something is.

    A variable that nobody supplies, a language without its statements, and what the tenant's rules want said are faults,
    and so is a step of a tenant that no template fits.

    \b
    Example:  recoup templates check
    """
    import json
    import sys

    from connectors.templates.files import read_folder
    from recoup.settings import Settings
    from recoup.templates import check as faults_of
    from recoup.templates import unready

    settings = Settings()
    tenants = _tenants(settings)
    files = read_folder(folder or settings.templates_dir, tenant)
    faults = faults_of(files, tenants)
    if tenant is None and not faults:
        faults = unready(tenants, [file.template for file in files])
    if as_json:
        click.echo(json.dumps(faults))
    else:
        for said in faults:
            click.echo(said)
        if not faults:
            click.echo(f"{len(files)} templates are as they should be.")
    if faults:
        sys.exit(2)


@templates.command()
@FOLDER
@TENANT
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--prune", is_flag=True, help="Also end templates that are in force and have no file.")
@click.option("--json", "as_json", is_flag=True, help="The changes as one JSON array.")
def register(folder: Path | None, tenant: str | None, dry_run: bool, prune: bool, as_json: bool) -> None:
    """Put the templates of FOLDER (config/templates) in force that differ. Running workers take each at once.

    Nothing is registered when a single one is wrong.

    \b
    Example:  recoup templates register --tenant '*'
    """
    import msgspec

    from connectors.templates.files import read_folder
    from models.clock import WallClock
    from recoup import person
    from recoup.addresses import require
    from recoup.settings import Settings
    from recoup.templates import check as faults_of
    from recoup.templates import plan, publish, published, refuse

    settings = Settings()
    require(settings, "kafka")
    files = read_folder(folder or settings.templates_dir, tenant)
    refuse(faults_of(files, _tenants(settings)))
    wanted = [file.template for file in files]
    owners = {template.tenant_id for template in wanted} | ({tenant} if tenant else set())
    in_force = {key: its for key, its in published(settings.kafka).items() if its.tenant_id in owners}
    changes = plan(wanted, in_force)
    if not dry_run:
        publish(settings.kafka, wanted, changes, WallClock(), by=person.name(), prune=prune)
    if as_json:
        click.echo(msgspec.json.encode(changes).decode())
        return
    for change in changes:
        _show(change, prune)
    done = [change for change in changes if prune or change.kind != "extra"]
    click.echo(
        f"{len(done)} {'would be' if dry_run else 'were'} registered."
        if done
        else "What is in force is as the files say."
    )


@templates.command("list")
@TENANT
@click.option("--json", "as_json", is_flag=True, help="The templates as one JSON array.")
def list_templates(tenant: str | None, as_json: bool) -> None:
    """Show the templates in force.

    \b
    Example:  recoup templates list --tenant acme
    """
    import msgspec

    from recoup.addresses import require
    from recoup.settings import Settings
    from recoup.templates import published

    settings = Settings()
    require(settings, "kafka")
    found = [its for _, its in sorted(published(settings.kafka).items()) if tenant in (None, its.tenant_id)]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    if not found:
        click.echo("No template is in force. `recoup templates register` registers those of the files.")
    for its in found:
        by = f", by {its.registered_by}" if its.registered_by else ""
        click.echo(
            f"{its.tenant_id:<12} {its.template:<22} {its.channel:<9} {its.language:<6} {its.purpose}"
            f"  {its.occurred_at:%Y-%m-%d %H:%M}{by}"
        )


@templates.command()
@click.argument("template")
@click.option("--tenant", "tenant_id", required=True, help="Whose contact it is.")
@click.option(
    "--channel",
    required=True,
    type=click.Choice(["email", "sms", "call", "voicemail", "letter"]),
    help="How it is sent.",
)
@click.option("--language", help="What the customer speaks (BCP 47); the tenant's default when it is left out.")
@click.option(
    "--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Variables, as a JSON object."
)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Of the files; config/templates.")
@click.option("--in-force", is_flag=True, help="What is in force on the stack instead of the files.")
@click.option("--json", "as_json", is_flag=True, help="The message as one JSON object.")
def preview(
    template: str,
    tenant_id: str,
    channel: Any,
    language: str | None,
    data: Path | None,
    folder: Path | None,
    in_force: bool,
    as_json: bool,
) -> None:
    """Show what a customer would read, in the language that would be chosen; nothing is sent.

    \b
    Example:  recoup templates preview overdue_first --tenant acme --channel email --language es-US
    """
    import msgspec

    from connectors.templates.files import read_folder
    from models.clock import WallClock
    from recoup.addresses import require
    from recoup.settings import Settings
    from recoup.templates import preview as rendered
    from recoup.templates import published
    from schemas.errors import BadInput

    settings = Settings()
    tenants = _tenants(settings)
    if tenant_id not in tenants:
        raise BadInput(f"There is no tenant {tenant_id}; there are {', '.join(sorted(tenants)) or 'none'}.")
    if in_force:
        require(settings, "kafka")
        known = list(published(settings.kafka).values())
    else:
        known = [file.template for file in read_folder(folder or settings.templates_dir)]
    message = rendered(
        known,
        tenants[tenant_id],
        template=template,
        channel=channel,
        language=language,
        data=_variables(data),
        clock=WallClock(),
    )
    if as_json:
        click.echo(msgspec.json.encode(message).decode())
        return
    click.echo(f"{message.channel} in {message.language}, to {' / '.join(message.address.splitlines())}")
    if message.subject:
        click.echo(f"Subject: {message.subject}")
    click.echo(f"\n{message.text}")


def _tenants(settings: "Settings") -> "dict[str, Tenant]":
    from recoup.tenants import read_folder

    return read_folder(settings.tenants_dir)


def _variables(path: Path | None) -> dict[str, str]:
    import msgspec

    from schemas.errors import BadInput

    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise BadInput(
            f'{path}: expected a JSON object of texts, such as {{"amount": "12.00 EUR"}}: {error}.'
        ) from error


def _show(change: "Change", prune: bool) -> None:
    sign = {"add": "+", "change": "~", "extra": "-" if prune else "?"}[change.kind]
    note = "  (in force and has no file; --prune ends it)" if change.kind == "extra" and not prune else ""
    click.echo(f"{sign} {change.tenant_id}  {change.template}  {change.channel}  {change.language}{note}")
