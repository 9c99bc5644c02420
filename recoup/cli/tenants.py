"""`recoup tenants`: the tenant files checked, compared with what is in force, and published."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from recoup.tenants import Change

FOLDER = click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))


@click.group()
def tenants() -> None:
    """Check tenant files and publish them."""


@tenants.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="The tenants as one JSON array.")
def check(folder: Path | None, as_json: bool) -> None:
    """Read every file of FOLDER (config/tenants) and say what is wrong; exit code 2 when something is.

    \b
    Example:  recoup tenants check
    """
    import msgspec

    from recoup.settings import Settings
    from recoup.tenants import read_folder

    found = read_folder(folder or Settings().tenants_dir)
    if as_json:
        click.echo(msgspec.json.encode(list(found.values())).decode())
        return
    for tenant in found.values():
        click.echo(f"ok  {tenant.tenant_id}  {tenant.name}: {', '.join(tenant.currencies)}, {tenant.strategy.name}")


@tenants.command()
@FOLDER
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--prune", is_flag=True, help="Also remove tenants that are published and have no file.")
@click.option("--json", "as_json", is_flag=True, help="The changes as one JSON array.")
def apply(folder: Path | None, dry_run: bool, prune: bool, as_json: bool) -> None:
    """Publish the tenants of FOLDER (config/tenants) that differ. Running workers take each change at once.

    \b
    Example:  recoup tenants apply --dry-run
    """
    import msgspec

    from models.clock import WallClock
    from recoup.addresses import require
    from recoup.audit.acts import recorded
    from recoup.audit.settings import of_tenants
    from recoup.settings import Settings
    from recoup.tenants import plan, publish, published, read_folder

    settings = Settings()
    require(settings, *(("kafka",) if dry_run else ("kafka", "redis")))
    wanted = read_folder(folder or settings.tenants_dir)
    changes = plan(wanted, published(settings.kafka))
    if not dry_run:
        acts = of_tenants(changes, wanted, prune=prune)
        recorded(settings, acts, lambda: publish(settings.kafka, wanted, changes, WallClock(), prune=prune))
    if as_json:
        click.echo(msgspec.json.encode(changes).decode())
        return
    for change in changes:
        _show(change, prune)
    done = [change for change in changes if prune or change.kind != "extra"]
    if not done:
        click.echo("What is published is as the files say.")
    else:
        click.echo(f"{len(done)} {'would be' if dry_run else 'were'} published.")


@tenants.command("list")
@click.option("--json", "as_json", is_flag=True, help="The tenants as one JSON array.")
def list_tenants(as_json: bool) -> None:
    """Show the tenants in force.

    \b
    Example:  recoup tenants list
    """
    import msgspec

    from recoup.addresses import require
    from recoup.settings import Settings
    from recoup.tenants import published

    settings = Settings()
    require(settings, "kafka")
    found = published(settings.kafka)
    if as_json:
        click.echo(msgspec.json.encode(list(found.values())).decode())
        return
    if not found:
        click.echo("No tenant is published. `recoup tenants apply` publishes those of the files.")
    for tenant in found.values():
        since = tenant.live_since
        live = f"live since {since:%Y-%m-%d %H:%M %Z}" if since else "not live: folds, never decides"
        click.echo(f"{tenant.tenant_id}  {tenant.name}")
        click.echo(f"    {live}; {', '.join(tenant.currencies)}; {tenant.time_zone}; {tenant.collector_role}")
        for step in tenant.strategy.steps:
            click.echo(
                f"    {step.at_days:+4d} d  {step.id}: {step.action} {step.channel or ''} {step.template or ''}".rstrip()
            )


def _show(change: "Change", prune: bool) -> None:
    sign = {"add": "+", "change": "~", "extra": "-" if prune else "?"}[change.kind]
    note = "  (published and has no file; --prune removes it)" if change.kind == "extra" and not prune else ""
    click.echo(f"{sign} {change.tenant_id}{note}")
    for field in change.fields:
        click.echo(f"    {field.name}: {_said(field.published)} -> {_said(field.wanted)}")


def _said(value: object) -> str:
    return "(default)" if value is None else str(value)
