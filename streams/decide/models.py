"""The models in force, as the control topic releases them: a new one is checked and loaded while the old one serves.

A batch asks once for what is in force, so that old and new never mix in it. A release that cannot be trusted is refused
with its reason, and what served before goes on serving.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import faust
import msgspec
import structlog
from faust.web import Request, Response, View

from connectors.kafka.control import read_whole
from connectors.model_store.store import Store
from connectors.model_store.verify import Loaded, verify_release
from models.propensity.serving import Model, Released, Role
from schemas.control import ModelReleased
from schemas.envelope import EARLIEST
from schemas.errors import ModelRefused
from streams import metrics
from streams.settings import Installation

RELEASES = "model-releases"

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


class Models:
    """Follows the releases; its state is what batches are scored with."""

    def __init__(self, installation: Installation) -> None:
        self.kafka = installation.kafka
        self.store = Store(installation.models, installation.home)
        self.standings: dict[tuple[str, Role], Standing] = {}
        self._released: dict[tuple[str, str], Model | None] = {}
        self._since: dict[tuple[str, Role], datetime] = {}
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="models")

    def in_force(self) -> Released:
        """What is released now; the answer does not change when a release comes."""
        return self._released

    async def start(self) -> None:
        """Load what is in force when the worker starts; raises NotReady when the topic cannot be read."""
        for value in read_whole(self.kafka, RELEASES).values():
            await self.take(value)

    async def take(self, value: bytes | None) -> None:
        """Take one release. It is loaded on a thread of its own: no batch waits for it."""
        if not value:
            return
        try:
            release = _decode(value)
        except msgspec.MsgspecError as error:
            metrics.MODELS_REFUSED.labels("undecodable").inc()
            log.warning("model release refused", reason="undecodable", says=str(error))
            return
        place = (release.tenant_id, release.role)
        if release.occurred_at < self._since.get(place, EARLIEST):
            return  # the history of the topic, read again
        self._since[place] = release.occurred_at
        before = self._released.get(place)
        try:
            loaded = await asyncio.get_running_loop().run_in_executor(
                self._loading, verify_release, release, self.store
            )
        except ModelRefused as refusal:
            metrics.MODELS_REFUSED.labels(refusal.reason).inc()
            serves = "" if before is None else before.model_id
            self.standings[place] = Standing(*place, release.model, "refused", str(refusal), release.event_id, serves)
            log.warning("model release refused", tenant=release.tenant_id, role=release.role, model=release.model,
                      reason=refusal.reason, says=str(refusal), serves=serves or "what served before")  # fmt: skip
            return
        model = None if loaded is None else _model_of(loaded)
        self._released = {**self._released, place: model}  # a new one: a batch may hold the old
        self.standings[place] = Standing(*place, release.model, "serving", release=release.event_id)
        log.info("model in force", tenant=release.tenant_id, role=release.role, model=release.model or "none")


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
        async for value in stream:
            await models.take(value)

    @app.page("/models")
    async def show(web: View, _request: Request) -> Response:
        return web.json([msgspec.to_builtins(standing) for standing in models.standings.values()])
