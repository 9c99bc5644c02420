"""`recoup models`: the trained models, which of them scores whom, and the way forth and back."""

from typing import TYPE_CHECKING, Any

import click

from recoup.cli.watch import watch

if TYPE_CHECKING:
    from connectors.model_store.store import Listed, Store
    from models.propensity.manifest import Manifest
    from recoup.model_releases import InForce, Role
    from recoup.settings import Settings
    from recoup.worker_answers import Answer
    from schemas.control import ModelReleased

TENANT = click.option("--tenant", default="*", show_default=True, help="Whom it scores; * = all without their own.")
SHADOW = click.option(
    "--shadow", is_flag=True, help="As the challenger: it scores beside the champion, decides nothing."
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
WAIT_SECONDS = 10.0
LOOK_SECONDS = 5.0
FIGURES = {"AUC": "auc", "baseline": "baseline_auc", "Brier": "brier", "base rate's": "brier_base", "ECE": "ece"}


@click.group()
def models() -> None:
    """Show the trained models, release one, watch it, and go back."""


@models.command("list", short_help="Show the models in the store, and which are in force.")
@JSON
def list_models(as_json: bool) -> None:
    """Show the models in the store, the newest first, and where each is in force.

    \b
    Example:  recoup models list
    """
    import msgspec

    from recoup.settings import Settings

    settings = Settings()
    listed = _store(settings).list()
    in_force = _in_force(settings)
    if as_json:
        click.echo(msgspec.json.encode([_row(item, in_force) for item in listed]).decode())
        return
    if not listed:
        click.echo("There is no model yet. `recoup train` makes one.")
    for item in listed:
        _show_row(item, in_force)


@models.command()
@click.argument("model_id", metavar="ID")
@JSON
def show(model_id: str, as_json: bool) -> None:
    """Show what a model says of itself. The first digits of ID are enough.

    \b
    Example:  recoup models show 3b1f
    """
    from models.propensity import manifest as manifests
    from recoup.settings import Settings

    settings = Settings()
    store = _store(settings)
    manifest = store.manifest(store.find(model_id))
    if as_json:
        click.echo(manifests.encode(manifest).decode(), nl=False)
        return
    _show_manifest(manifest, store, _in_force(settings))


@models.command(short_help="Check a model as the workers do, and let it score.")
@click.argument("model_id", metavar="ID")
@TENANT
@SHADOW
@click.option("--override", metavar="WHY", help="Release it in spite of leaks; the reason is recorded.")
@JSON
def release(model_id: str, tenant: str, shadow: bool, override: str | None, as_json: bool) -> None:
    """Check a model as the workers do, and let it score. Running workers take it without stopping.

    Exit code 1 when it is refused, here or by a worker. The first digits of ID are enough.

    \b
    Example:  recoup models release 3b1f --tenant acme --shadow
    """
    from recoup.model_releases import plan, strange_currencies
    from recoup.tenants import published

    settings, role = _ready(tenant), _role(shadow)
    store = _store(settings)
    in_force = _signed(settings, store)
    wanted = plan(store, in_force, store.find(model_id), tenant, role, override)
    for other, currencies in strange_currencies(
        store.manifest(wanted.model), published(settings.kafka), tenant
    ).items():
        click.echo(
            f"Note: {other} also bills in {', '.join(currencies)}, of which the model knows no amounts; it reads them as if"
            " they were in its own currency. Train one for that tenant, or without amounts.",
            err=True,
        )
    _send(settings, store, wanted, in_force, as_json, {})


@models.command(short_help="Go back to the model that was in force before.")
@TENANT
@SHADOW
@JSON
def rollback(tenant: str, shadow: bool, as_json: bool) -> None:
    """Go back to the model that was in force before.

    When there was none, a tenant goes back to what all tenants have, and all of them to the baseline.

    \b
    Example:  recoup models rollback --tenant acme
    """
    from recoup.model_releases import plan_rollback

    settings, role = _ready(tenant), _role(shadow)
    store = _store(settings)
    in_force = _signed(settings, store)
    back = plan_rollback(store, in_force, tenant, role)
    _send(settings, store, back.release, in_force, as_json, back.passed_over)


def _ready(tenant: str) -> "Settings":
    """The settings, once it is sure that Kafka's address and the tenant are known."""
    from recoup.addresses import require
    from recoup.model_releases import ALL, check_tenant
    from recoup.settings import Settings
    from recoup.tenants import published

    settings = Settings()
    require(settings, "kafka", "redis")
    if tenant != ALL:
        check_tenant(tenant, published(settings.kafka))
    return settings


def _role(shadow: bool) -> "Role":
    return "challenger" if shadow else "champion"


def _store(settings: "Settings") -> "Store":
    from connectors.model_store.store import Store

    return Store(settings.models, settings.home)


def _signed(settings: "Settings", store: "Store") -> "InForce":
    from recoup.model_releases import published, signed

    return signed(published(settings.kafka), store)


def _in_force(settings: "Settings") -> "InForce | None":
    """What is in force and signed with the key here; None, with a word on it, when Kafka cannot be asked."""
    from recoup.addresses import require
    from recoup.model_releases import published, signed
    from schemas.errors import NotReady

    try:
        require(settings, "kafka")
        return signed(published(settings.kafka, LOOK_SECONDS), _store(settings))
    except NotReady as error:
        click.echo(f"What is in force is not known: {error}", err=True)
        return None


def _send(
    settings: "Settings",
    store: "Store",
    wanted: "ModelReleased",
    in_force: "InForce",
    as_json: bool,
    passed_over: dict[str, str],
) -> None:
    """Publish a release and say what becomes of it; exit code 1 when a worker refuses it."""
    import msgspec

    from models.clock import WallClock
    from recoup.audit.acts import recorded
    from recoup.audit.settings import of_model
    from recoup.model_releases import answers, send, stamp

    stamped = stamp(wanted, WallClock().now(), in_force.get((wanted.tenant_id, wanted.role)))
    released, _ = recorded(settings, [of_model(stamped)], lambda: send(settings.kafka, store, stamped))
    said = answers(settings.home, released, WAIT_SECONDS)
    if as_json:
        told: dict[str, Any] = {"released": msgspec.to_builtins(released), "workers": said}
        click.echo(msgspec.json.encode(told | {"passed_over": passed_over}).decode())
    else:
        _show_release(released, said, passed_over)
    if any(answer.state == "refused" for answer in said):
        raise SystemExit(1)


def _show_release(released: "ModelReleased", said: "list[Answer]", passed_over: dict[str, str]) -> None:
    for model_id, why in passed_over.items():
        click.echo(f"Passed over {model_id}, which was in force before. {why}")
    who = "every tenant without its own" if released.tenant_id == "*" else released.tenant_id
    what = f"{released.model} ({released.target} at {released.moment})" if released.model else _nothing(released)
    click.echo(f"Released as {released.role} for {who}: {what}.")
    if released.override:
        click.echo(f"    in spite of leaks: {released.override}")
    if released.previous:
        click.echo(f"    `recoup models rollback` goes back to {released.previous[0]}")
    if not said:
        click.echo("No decide worker runs here; those that start will take it.")
    for answer in said:
        click.echo(f"    {answer.worker}: {answer.state}{f', {answer.says}' if answer.says else ''}")


def _nothing(released: "ModelReleased") -> str:
    if released.tenant_id != "*":
        return "no model of its own, so what every tenant has"
    return "no model, so the baseline scores" if released.role == "champion" else "none"


def _row(item: "Listed", in_force: "InForce | None") -> dict[str, Any]:
    row: dict[str, Any] = {"model_id": item.model_id, "refused": item.refused or None}
    places = _places(item.model_id, in_force)
    row["in_force"] = None if places is None else [{"tenant": tenant, "role": role} for tenant, role in places]
    if item.manifest is not None:
        manifest = item.manifest
        row |= {name: getattr(manifest, name) for name in ("target", "moment", "candidate", "created_at", "author")}
        row |= {"data": manifest.data, "leaks": manifest.leaks, "warnings": manifest.warnings}
        row |= {name: manifest.metrics.get(name) for name in FIGURES.values()}
    return row


def _places(model_id: str, in_force: "InForce | None") -> list[tuple[str, str]] | None:
    if in_force is None:
        return None
    return sorted(place for place, release in in_force.items() if release.model == model_id)


def _show_row(item: "Listed", in_force: "InForce | None") -> None:
    if item.manifest is None:
        click.echo(f"{item.model_id}  cannot be used: {item.refused}")
        return
    manifest = item.manifest
    click.echo(f"{item.model_id}  {manifest.target} at {manifest.moment}, {_figures(manifest)}")
    click.echo(f"    {manifest.candidate} trained on {_trained_on(manifest)}{'; HAS LEAKS' if manifest.leaks else ''}")
    for tenant, role in _places(item.model_id, in_force) or ():
        click.echo(f"    in force as {role} of {'every tenant without its own' if tenant == '*' else tenant}")


def _figures(manifest: "Manifest") -> str:
    auc, baseline, ece = (_number(manifest.metrics.get(name)) for name in ("auc", "baseline_auc", "ece"))
    return f"AUC {auc} (baseline {baseline}), ECE {ece}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value == int(value) and value > 1 else f"{value:.3f}"


def _trained_on(manifest: "Manifest") -> str:
    data = manifest.data
    return f"{data.name}, {data.rows:,} rows, {_day(data.first_at)} to {_day(data.last_at)}"


def _day(at: int) -> str:
    from models.calendar import utc

    return f"{utc(at):%Y-%m-%d}" if at else "?"


def _show_manifest(manifest: "Manifest", store: "Store", in_force: "InForce | None") -> None:
    from models.propensity.manifest import REPORT

    click.secho(manifest.model_id, bold=True)
    made = f"{_day(manifest.created_at)}{f' by {manifest.author}' if manifest.author else ''}"
    about = {
        "foretells": f"{manifest.target} at {manifest.moment}, horizon {manifest.horizon_days} d",
        "made": f"{made}, {manifest.candidate}, code {manifest.code}",
        "trained on": f"{_trained_on(manifest)} ({manifest.data.kind}, SHA-256 {manifest.data.sha256[:16]})",
        "split": f"trained until {_day(manifest.data.train_until)}, tested from {_day(manifest.data.test_from)}",
        "metrics": ", ".join(f"{name} {_number(value)}" for name, value in manifest.metrics.items()),
        "features": f"{', '.join(manifest.features)} (catalogue {manifest.features_hash})",
        "versions": ", ".join(f"{name} {version}" for name, version in manifest.versions.items()),
        "files": ", ".join(manifest.files),
    }
    for name, says in about.items():
        click.echo(click.wrap_text(says, 116, f"{name:<12}", " " * 12))
    for name, notes in (("LEAK", manifest.leaks), ("warning", manifest.warnings)):
        for note in notes:
            click.echo(click.wrap_text(note, 116, f"{name:<12}", " " * 12))
    for tenant, role in _places(manifest.model_id, in_force) or ():
        click.echo(f"{'in force':<12}as {role} of {'every tenant without its own' if tenant == '*' else tenant}")
    if REPORT in manifest.files:
        click.echo(f"{'report':<12}{store.files.where}/{manifest.model_id}/{REPORT}")


models.add_command(watch)
