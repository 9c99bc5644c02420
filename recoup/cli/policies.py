"""`recoup policies`: the strategies, which of them decides for whom, and the way forth and back."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recoup.cli.learn_policy import learn

if TYPE_CHECKING:
    from recoup.policy_releases import InForce, Role
    from recoup.settings import Settings
    from recoup.worker_answers import Answer
    from schemas.control import PolicyReleased, Tenant
    from schemas.strategies import ActionStrategy

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
TENANT = click.option("--tenant", required=True, help="For whom it decides; * = all without their own.")
SHADOW = click.option("--shadow", is_flag=True, help="Beside the one in force: it decides nothing.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
WAIT_SECONDS = 10.0


@click.group()
def policies() -> None:
    """Check a strategy, let it decide, and go back.

    A strategy is a file: config/strategies has two to begin with. Without a release a tenant's own schedule decides.
    """


policies.add_command(learn)


@policies.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@JSON
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """Check strategies without releasing them.

    \b
    Example:  recoup policies check config/strategies/household.yaml
    """
    import msgspec

    from models.actions.strategy import policy_of
    from recoup.policy_releases import read_strategy

    found = [(path, read_strategy(path)) for path in files]
    if as_json:
        told = [{"file": str(path), "policy": policy_of(s), "strategy": msgspec.to_builtins(s)} for path, s in found]
        click.echo(msgspec.json.encode(told).decode())
        return
    for path, strategy in found:
        click.echo(f"ok  {path}")
        _show_strategy(strategy)


@policies.command(short_help="Let a strategy decide for a tenant.")
@FILE
@TENANT
@SHADOW
@JSON
def release(file: Path, tenant: str, shadow: bool, as_json: bool) -> None:
    """Let a strategy decide for a tenant. Running workers take it with their next batch.

    The strategy travels whole and signed in the release, so a later change of the file changes nothing. Exit code 1 when a
    worker refuses it.

    \b
    Example:  recoup policies release config/strategies/household.yaml --tenant acme
    """
    from models.actions.strategy import check_for
    from models.clock import WallClock
    from recoup.policy_releases import check_ends, concerned, plan, read_strategy

    strategy = read_strategy(file)
    check_ends(strategy, WallClock())
    settings, in_force, tenants = _ready(tenant)
    for whom in concerned(tenants, in_force, tenant, _role(shadow)):
        check_for(strategy, whom, str(file))
    _send(settings, plan(in_force, strategy, tenant, _role(shadow)), in_force, as_json)


@policies.command(short_help="Go back to the strategy that was in force before.")
@TENANT
@SHADOW
@JSON
def rollback(tenant: str, shadow: bool, as_json: bool) -> None:
    """Go back to the strategy that was in force before.

    When there was none, a tenant goes back to what all tenants have, and all of them to their own schedules.

    \b
    Example:  recoup policies rollback --tenant acme
    """
    from recoup.policy_releases import plan_rollback

    settings, in_force, _ = _ready(tenant)
    _send(settings, plan_rollback(in_force, tenant, _role(shadow)), in_force, as_json)


@policies.command("list", short_help="Show which strategy decides for whom.")
@JSON
def list_policies(as_json: bool) -> None:
    """Show which strategy decides for whom, and the way back of each.

    \b
    Example:  recoup policies list
    """
    import msgspec

    from models.actions.strategy import policy_of

    in_force = _in_force(_settings())
    if as_json:
        click.echo(msgspec.json.encode(list(in_force.values())).decode())
        return
    if not in_force:
        click.echo("No strategy is released: each tenant's own schedule decides.")
    for (tenant, role), found in sorted(in_force.items()):
        since = f"since {found.occurred_at:%Y-%m-%d %H:%M}{f' by {found.released_by}' if found.released_by else ''}"
        click.echo(f"{tenant:<16} {role:<7} {found.policy or 'none of its own'}  {since}")
        for before in found.previous:
            click.echo(f"{'':<24} before: {policy_of(before)}")


@policies.command()
@TENANT
@SHADOW
@JSON
def show(tenant: str, shadow: bool, as_json: bool) -> None:
    """Show the strategy that decides for a tenant, as YAML that `release` takes.

    \b
    Example:  recoup policies show --tenant acme
    """
    import msgspec
    import yaml

    from recoup.policy_releases import deciding
    from schemas.errors import BadInput

    role = _role(shadow)
    found = deciding(_in_force(_settings()), tenant, role)
    if found is None:
        raise BadInput(f"No {role} is released for {tenant}. `recoup policies list` shows what is.")
    strategy = msgspec.to_builtins(found)
    click.echo(
        msgspec.json.encode(strategy).decode() if as_json else yaml.safe_dump(strategy, sort_keys=False), nl=as_json
    )


def _settings() -> "Settings":
    from recoup.addresses import require
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "kafka")
    return settings


def _ready(tenant: str) -> "tuple[Settings, InForce, dict[str, Tenant]]":
    """The settings, what is in force and the published tenants, once it is sure that the tenant is known."""
    from recoup.addresses import require
    from recoup.model_releases import check_tenant
    from recoup.tenants import published

    settings = _settings()
    require(settings, "redis")
    tenants = published(settings.kafka)
    check_tenant(tenant, tenants)
    return settings, _in_force(settings), tenants


def _in_force(settings: "Settings") -> "InForce":
    from recoup.policy_releases import published, signed

    return signed(published(settings.kafka), settings.models, settings.home)


def _role(shadow: bool) -> "Role":
    return "shadow" if shadow else "policy"


def _send(settings: "Settings", wanted: "PolicyReleased", in_force: "InForce", as_json: bool) -> None:
    """Publish a release and say what becomes of it."""
    import msgspec

    from models.clock import WallClock
    from recoup.audit.acts import recorded
    from recoup.audit.settings import of_policy
    from recoup.policy_releases import said_of, send, stamp

    stamped = stamp(wanted, WallClock().now(), in_force.get((wanted.tenant_id, wanted.role)))
    act = of_policy(stamped)
    released, _ = recorded(settings, [act], lambda: send(settings.kafka, settings.models, settings.home, stamped))
    said = said_of(settings.home, released, WAIT_SECONDS)
    if as_json:
        click.echo(msgspec.json.encode({"released": released, "workers": said}).decode())
    else:
        _show_release(released, said)
    if any(answer.state == "refused" for answer in said):
        raise SystemExit(1)


def _show_release(released: "PolicyReleased", said: "list[Answer]") -> None:
    who = "every tenant without its own" if released.tenant_id == "*" else released.tenant_id
    click.echo(f"Released as {released.role} for {who}: {released.policy or 'none of its own'}.")
    if released.strategy is not None:
        _show_strategy(released.strategy)
    if not said:
        click.echo("No decide worker runs here; those that start will take it.")
    for answer in said:
        click.echo(f"    {answer.worker}: {answer.state}{f', {answer.says}' if answer.says else ''}")


def _show_strategy(strategy: "ActionStrategy") -> None:
    from models.actions.strategy import policy_of

    names = ", ".join(action.id for action in strategy.actions) or "none of its own"
    click.echo(click.wrap_text(f"{policy_of(strategy)}: {names}", 116, "    ", " " * 8))
    learned = strategy.learned
    if learned is None:
        click.echo("    effects as declared: nothing was learned of a log yet (`recoup policies learn`)")
    else:
        decisions = sum(effect.n for effect in learned.effects if not effect.segment)
        click.echo(f"    effects learned of {decisions:,} decisions until {learned.at:%Y-%m-%d}, {learned.source}")
    if strategy.explore.share:
        click.echo(f"    {strategy.explore.share:.0%} of the choices are drawn, to learn from")
    if strategy.hold_out is not None:
        held = strategy.hold_out
        click.echo(
            f"    {held.share:.0%} of the accounts are held out until {held.ends_at:%Y-%m-%d} ({held.experiment})"
        )
