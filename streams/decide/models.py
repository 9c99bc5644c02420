"""The models in force, as the control topic releases them: a new one is checked and loaded while the old one serves.

A batch asks once for what is in force, so that old and new never mix in it. A release that cannot be trusted is refused
with its reason, and what served before goes on serving, also in a worker that starts afterwards: a signed release names
the models before it. One whose model the store did not give is tried again until it does.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import faust
import msgspec
import structlog
from faust.web import Request, Response, View

from connectors.kafka.control import read_whole
from connectors.model_store.signing import check_signature, read_key
from connectors.model_store.store import Store
from connectors.model_store.verify import Loaded, verify_model, verify_release
from models.propensity.serving import Model, Released, Role
from schemas.control import ModelReleased
from schemas.envelope import EARLIEST
from schemas.errors import ModelRefused
from streams import metrics
from streams.settings import Installation

RELEASES = "model-releases"
AGAIN_SECONDS = 30.0
"""A model that the store did not give is asked for again after so long."""

log = structlog.get_logger()

_decode = msgspec.json.Decoder(ModelReleased).decode


class Standing(msgspec.Struct):
    """How the newest release for a tenant and role stands in this worker."""

    tenant: str
    role: Role
    model: str
    """Empty = none: the baseline, or no challenger."""
    state: str
    """`serving` or `refused`."""
    says: str = ""
    release: str = ""
    """Event id of the release."""
    serves: str = ""
    """The model that serves instead of a refused one; empty = what serves without a release."""


class Verdict(msgspec.Struct, frozen=True):
    """What a release comes to."""

    loaded: Loaded | None
    """The model that it puts in force; of a refused one, the newest before it that may score, where that is asked."""
    refusal: ModelRefused | None = None
    signed: bool = True
    """By who may release; else nothing that it says counts."""


class Models:
    """Follows the releases; its state is what batches are scored with."""

    def __init__(self, installation: Installation) -> None:
        self.kafka = installation.kafka
        self.store = Store(installation.models, installation.home)
        self.standings: dict[tuple[str, str], Standing] = {}
        self._released: dict[tuple[str, str], Model | None] = {}
        self._since: dict[tuple[str, str], datetime] = {}
        self._newest: dict[tuple[str, str], bytes] = {}
        self._missing: dict[tuple[str, str], ModelReleased] = {}
        """Releases whose model the store did not give: it may be away for a while, or the model on its way."""
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="models")

    def in_force(self) -> Released:
        """What is released now; the answer does not change when a release comes."""
        return self._released

    async def start(self) -> None:
        """Load what is in force when the worker starts; raises NotReady when the topic cannot be read."""
        for key, value in read_whole(self.kafka, RELEASES).items():
            await self.take(key, value)

    async def take(self, key: bytes, value: bytes | None) -> None:
        """Take one message of the topic. A model is loaded on a thread of its own: no batch waits for it."""
        if not value:
            self._withdraw(key)
            return
        try:
            release = _decode(value)
        except msgspec.MsgspecError as error:
            metrics.MODELS_REFUSED.labels("undecodable").inc()
            log.warning("model release refused", reason="undecodable", says=str(error))
            return
        place = (release.tenant_id, release.role)
        if self._is_old(release) or value == self._newest.get(place):
            return  # the history of the topic, read again
        self._newest[place] = value
        self._settle(release, await self._verdict(release))

    async def try_again(self) -> None:
        """Take the releases again whose model the store did not give."""
        for place, release in [*self._missing.items()]:
            verdict = await self._verdict(release)
            if self._missing.get(place) is release:  # it has not been withdrawn or overtaken meanwhile
                self._settle(release, verdict)

    async def _verdict(self, release: ModelReleased) -> Verdict:
        alone = (release.tenant_id, release.role) not in self._released
        judge = partial(self._judge, release, alone=alone)
        return await asyncio.get_running_loop().run_in_executor(self._loading, judge)

    def _settle(self, release: ModelReleased, verdict: Verdict) -> None:
        place = (release.tenant_id, release.role)
        if self._is_old(release):
            return  # the worker, as it starts, has taken a newer one meanwhile
        if verdict.signed:  # else a forged one that is dated far ahead would keep out all that follow
            self._since[place] = release.occurred_at
            self._missing.pop(place, None)
        if verdict.refusal is None or verdict.loaded is not None:
            model = None if verdict.loaded is None else _model_of(verdict.loaded)
            self._released = {**self._released, place: model}  # a new one: a batch may hold the old
        if verdict.refusal is None:
            self.standings[place] = Standing(*place, release.model, "serving", release=release.event_id)
            log.info("model in force", tenant=release.tenant_id, role=release.role, model=release.model or "none")
            return
        if verdict.signed and verdict.refusal.reason == "missing":
            self._missing[place] = release
        self._refuse(release, verdict.refusal)

    def _is_old(self, release: ModelReleased) -> bool:
        return release.occurred_at < self._since.get((release.tenant_id, release.role), EARLIEST)

    def _judge(self, release: ModelReleased, *, alone: bool) -> Verdict:
        """Whether a release may be taken; runs on the loading thread.

        Args:
            alone: nothing that could go on serving was released before, as far as this worker knows.
        """
        try:
            return Verdict(verify_release(release, self.store))
        except ModelRefused as refusal:
            if not self._is_signed(release):
                return Verdict(None, refusal, signed=False)
            return Verdict(self._newest_before(release) if alone else None, refusal)

    def _is_signed(self, release: ModelReleased) -> bool:
        try:
            check_signature(release, read_key(self.store.settings, self.store.home))
        except (ModelRefused, OSError):
            return False
        return True

    def _newest_before(self, release: ModelReleased) -> Loaded | None:
        """The newest model that was in force before a release, and may still score."""
        for model_id in release.previous:
            try:
                manifest = self.store.manifest(model_id)
                before = msgspec.structs.replace(
                    release,
                    model=model_id,
                    features_hash=manifest.features_hash,
                    target=manifest.target,
                    moment=manifest.moment,
                    override="was in force before",
                )
                return verify_model(model_id, self.store, release=before)
            except Exception as error:  # noqa: BLE001 - whatever a folder holds, the worker goes on with what is left
                log.warning("model before passed over", model=model_id, says=str(error))
        return None

    def _refuse(self, release: ModelReleased, refusal: ModelRefused) -> None:
        place = (release.tenant_id, release.role)
        metrics.MODELS_REFUSED.labels(refusal.reason).inc()
        before = self._released.get(place)
        serves = "" if before is None else before.model_id
        self.standings[place] = Standing(*place, release.model, "refused", str(refusal), release.event_id, serves)
        log.warning("model release refused", tenant=release.tenant_id, role=release.role, model=release.model,
                  reason=refusal.reason, says=str(refusal), serves=serves or "what serves without a release")  # fmt: skip

    def _withdraw(self, key: bytes) -> None:
        """There is no release any more: what serves without one serves, as in a worker that starts now."""
        tenant, _, role = key.decode(errors="replace").rpartition("|")
        place = (tenant, role)
        self._newest.pop(place, None)
        self._missing.pop(place, None)
        self.standings.pop(place, None)
        if place in self._released:
            self._released = {its: model for its, model in self._released.items() if its != place}
            log.info("model release withdrawn", tenant=tenant, role=role)


def _model_of(loaded: Loaded) -> Model:
    manifest = loaded.manifest
    return Model(
        model_id=manifest.model_id,
        target=manifest.target,
        moment=manifest.moment,
        horizon_days=manifest.horizon_days,
        scorer=loaded.scorer,
    )


def follow_models(app: faust.App, models: Models) -> None:
    """Take each release as it comes, and show at `/models` how the newest ones stand."""
    topic = app.topic(RELEASES, value_serializer="raw", key_serializer="raw", internal=False)

    @app.agent(topic, name="models")
    async def take_release(stream: Any) -> None:
        async for key, value in stream.items():
            await models.take(key or b"", value)

    @app.timer(AGAIN_SECONDS)  # type: ignore[untyped-decorator]
    async def try_again() -> None:
        await models.try_again()

    @app.page("/models")
    async def show(web: View, _request: Request) -> Response:
        return web.json([msgspec.to_builtins(standing) for standing in models.standings.values()])
