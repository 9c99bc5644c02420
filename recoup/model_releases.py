"""Which model scores whom: read from the control topic, planned, checked as a worker would, signed, and published."""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from connectors.kafka.control import read_whole
from connectors.kafka.releasing import publish_release
from connectors.kafka.settings import KafkaSettings
from connectors.model_store.signing import check_signature, make_key, read_key, sign
from connectors.model_store.store import Store
from connectors.model_store.verify import verify_model
from models.calendar import instant, utc
from models.clock import Clock, Instant
from models.features.catalogue import BY_NAME
from models.propensity.manifest import Manifest
from recoup import person
from recoup.worker_answers import Answer, Asked
from recoup.worker_answers import answers as worker_answers
from schemas.control import ModelReleased, Tenant
from schemas.errors import BadInput, ModelRefused

TOPIC = "model-releases"
SOURCE = "models release"
ALL = "*"
"""The tenant of a release for every tenant without its own."""
MOST_PREVIOUS = 10
PUBLISH_SECONDS = 15.0

Role = Literal["champion", "challenger"]
InForce = dict[tuple[str, str], ModelReleased]
"""By tenant and role."""

_decode = msgspec.json.Decoder(ModelReleased).decode


class Rollback(msgspec.Struct, frozen=True):
    """Back to the newest model in force before that may still score."""

    release: ModelReleased
    passed_over: dict[str, str]
    """Models that were in force before and may no longer score, and why."""


def published(kafka: KafkaSettings, deadline: float = PUBLISH_SECONDS) -> InForce:
    """The newest releases, without those that cannot be read; raises NotReady when the topic cannot be (seconds)."""
    found: InForce = {}
    for key, value in read_whole(kafka, TOPIC, deadline).items():
        with contextlib.suppress(msgspec.MsgspecError):
            release = _decode(value)
            if key == _key(release):  # else an older one that was sent again under another's key
                found[release.tenant_id, release.role] = release
    return found


def _key(release: ModelReleased) -> bytes:
    return f"{release.tenant_id}|{release.role}".encode()


def signed(releases: InForce, store: Store) -> InForce:
    """Those that were signed with the key here: what another one says of the way back would be signed with the next."""
    key = read_key(store.settings, store.home)
    found: InForce = {}
    for place, release in releases.items():
        with contextlib.suppress(ModelRefused):
            check_signature(release, key)
            found[place] = release
    return found


def check_tenant(tenant: str, known: Iterable[str]) -> None:
    """Raise BadInput for a tenant that is not published."""
    if tenant != ALL and tenant not in known:
        raise BadInput(
            f"There is no tenant {tenant}; published are: {', '.join(sorted(known)) or 'none'}. `{ALL}` is every tenant"
            " without a model of its own; `recoup tenants apply` publishes tenants."
        )


def strange_currencies(manifest: Manifest, tenants: Mapping[str, Tenant], tenant: str) -> dict[str, list[str]]:
    """Tenants that the model is to score, each with its currencies that the model has seen no amounts in."""
    if not manifest.currencies or not any(BY_NAME[name].unit == "major units" for name in manifest.features):
        return {}
    concerned = [tenants[tenant]] if tenant in tenants else list(tenants.values())
    found: dict[str, list[str]] = {
        t.tenant_id: [str(name) for name in t.currencies if name not in manifest.currencies] for t in concerned
    }
    return {tenant_id: names for tenant_id, names in found.items() if names}


def plan(
    store: Store, in_force: InForce, model_id: str, tenant: str, role: Role, override: str | None = None
) -> ModelReleased:
    """The release of a model, checked as a worker checks it but for the signature.

    Raises:
        ModelRefused: no worker would take it.
    """
    manifest = store.manifest(model_id)
    before = in_force.get((tenant, role))
    release = ModelReleased(
        tenant_id=tenant,
        role=role,
        model=model_id,
        location=store.location(model_id),
        features_hash=manifest.features_hash,
        target=manifest.target,
        moment=manifest.moment,
        override=override or None,
        previous=_previous(before, model_id),
    )
    verify_model(model_id, store, release=release)
    return release


def plan_rollback(store: Store, in_force: InForce, tenant: str, role: Role) -> Rollback:
    """The way back: the newest of the models before that may still score.

    Without any, none of its own: a tenant gets what all tenants have, and all of them the baseline.

    Raises:
        BadInput: nothing is in force for this tenant and role.
    """
    now = in_force.get((tenant, role))
    if now is None or not now.model:
        raise BadInput(f"There is no {role} in force for the tenant {tenant}, so there is no way back.")
    passed_over: dict[str, str] = {}
    why = f"was in force before; rolled back from {now.model}"
    for place, model_id in enumerate(now.previous):
        try:
            has_leaks = bool(store.manifest(model_id).leaks)
            release = plan(store, {}, model_id, tenant, role, why if has_leaks else None)
        except ModelRefused as refusal:
            passed_over[model_id] = str(refusal)
            continue
        return Rollback(msgspec.structs.replace(release, previous=now.previous[place + 1 :]), passed_over)
    return Rollback(ModelReleased(tenant_id=tenant, role=role, model=""), passed_over)


def _previous(before: ModelReleased | None, model_id: str) -> tuple[str, ...]:
    if before is None:
        return ()
    if before.model in ("", model_id):  # the baseline is the end of every way back; a second release changes nothing
        return before.previous
    return (before.model, *before.previous)[:MOST_PREVIOUS]


def stamp(release: ModelReleased, now: Instant, before: ModelReleased | None = None) -> ModelReleased:
    """The release with its time, which is later than that of the one before, whatever the clock here says.

    Workers pass an older release over, and clocks of two machines differ.
    """
    at = now if before is None else max(now, instant(before.occurred_at) + 1)
    return msgspec.structs.replace(
        release,
        event_id=f"{release.tenant_id}-{release.role}-{at}",
        occurred_at=utc(at),
        source=SOURCE,
        released_by=person.name(),
    )


def publish(
    kafka: KafkaSettings, store: Store, release: ModelReleased, clock: Clock, before: ModelReleased | None = None
) -> ModelReleased:
    """Stamp a release and send it; what was sent.

    Args:
        before: what is in force for the same tenant and role.

    Raises:
        NotReady: the broker did not take it.
    """
    return send(kafka, store, stamp(release, clock.now(), before))


def send(kafka: KafkaSettings, store: Store, stamped: ModelReleased) -> ModelReleased:
    """Sign a release that has its time and send it; what was sent.

    Raises:
        NotReady: the broker did not take it.
    """
    signed = sign(stamped, make_key(store.settings, store.home))
    publish_release(kafka, TOPIC, signed, _key(signed))
    return signed


def answers(home: Path, release: ModelReleased, seconds: float) -> list[Answer]:
    """What the decide workers that run here make of a release; waits for so many seconds at most."""
    asked = Asked("/models", "model", release.model, release.tenant_id, release.role, release.event_id)
    return worker_answers(home, asked, seconds)
