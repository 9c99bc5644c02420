"""The policies in force, as the control topic releases them: a strategy travels whole in its release, signed.

A batch asks once for what is in force, so that two strategies of one tenant never mix in it. A release that cannot be
trusted is refused with its reason, and what was in force before stays.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import faust
import msgspec
import structlog
from faust.web import Request, Response, View

from connectors.kafka.control import read_whole
from connectors.model_store.policy_signing import check_policy_signature
from connectors.model_store.signing import read_key
from schemas.control import PolicyReleased
from schemas.envelope import EARLIEST
from schemas.errors import ModelRefused
from schemas.strategies import ActionStrategy
from streams import metrics
from streams.settings import Installation

RELEASES = "policy-releases"
POLICY = "policy"

log = structlog.get_logger()

_decode = msgspec.json.Decoder(PolicyReleased).decode


class _Named(msgspec.Struct):
    """What can still be read of a release whose strategy a newer Recoup has written."""

    event_id: str = ""
    policy: str = ""


class Standing(msgspec.Struct):
    """How the newest release for a tenant and role stands in this worker."""

    tenant: str
    role: str
    policy: str
    """Empty = none of its own."""
    state: str
    """`serving` or `refused`."""
    says: str = ""
    release: str = ""
    """Event id of the release."""


class Policies:
    """Follows the releases of policies; its state is what batches are decided with."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.standings: dict[tuple[str, str], Standing] = {}
        self._strategies: Mapping[str, ActionStrategy] = {}
        self._since: dict[tuple[str, str], datetime] = {}

    def in_force(self) -> Mapping[str, ActionStrategy]:
        """Tenant -> the strategy that decides; `*` = of every tenant without its own. Never changed in place."""
        return self._strategies

    def start(self) -> None:
        """Take what is in force when the worker starts; raises NotReady when the topic cannot be read."""
        for key, value in read_whole(self.installation.kafka, RELEASES).items():
            self.take(key, value)

    def take(self, key: bytes, value: bytes | None) -> None:
        """Take one message of the topic."""
        if not value:
            self._withdraw(key)
            return
        try:
            release = _decode(value)
        except msgspec.MsgspecError as error:
            self._refuse_unread(key, value, error)
            return
        place = (release.tenant_id, release.role)
        if release.occurred_at < self._since.get(place, EARLIEST):
            return  # the history of the topic, read again
        try:
            check_policy_signature(release, read_key(self.installation.models, self.installation.home))
        except ModelRefused as refusal:
            self._refuse(release, refusal)
            return
        self._since[place] = release.occurred_at
        self._put(release)

    def _put(self, release: PolicyReleased) -> None:
        place = (release.tenant_id, release.role)
        if release.role == POLICY:
            others = {tenant: found for tenant, found in self._strategies.items() if tenant != release.tenant_id}
            if release.strategy is not None:
                others[release.tenant_id] = release.strategy
            self._strategies = others  # a new one: a batch may hold the old
        self.standings[place] = Standing(*place, release.policy, "serving", release=release.event_id)
        log.info("policy in force", tenant=release.tenant_id, role=release.role, policy=release.policy or "none")

    def _refuse(self, release: PolicyReleased, refusal: ModelRefused) -> None:
        metrics.POLICIES_REFUSED.labels(refusal.reason).inc()
        place = (release.tenant_id, release.role)
        self.standings[place] = Standing(*place, release.policy, "refused", str(refusal), release.event_id)
        log.warning("policy release refused", tenant=release.tenant_id, role=release.role, policy=release.policy,
                  reason=refusal.reason, says=str(refusal))  # fmt: skip

    def _refuse_unread(self, key: bytes, value: bytes, error: msgspec.MsgspecError) -> None:
        """Of what cannot be read the key alone says whom it is for."""
        metrics.POLICIES_REFUSED.labels("undecodable").inc()
        tenant, _, role = key.decode(errors="replace").rpartition("|")
        try:
            named = msgspec.json.decode(value, type=_Named)
        except msgspec.MsgspecError:
            named = _Named()
        says = f"The release cannot be read: {error}. Is this worker of an older version than who released it?"
        self.standings[tenant, role] = Standing(tenant, role, named.policy, "refused", says, named.event_id)
        log.warning("policy release refused", tenant=tenant, role=role, policy=named.policy, reason="undecodable",
                  says=str(error))  # fmt: skip

    def _withdraw(self, key: bytes) -> None:
        """There is no release any more: the tenant's own schedule, or what all tenants have, decides."""
        tenant, _, role = key.decode(errors="replace").rpartition("|")
        self.standings.pop((tenant, role), None)
        if role == POLICY and tenant in self._strategies:
            self._strategies = {its: found for its, found in self._strategies.items() if its != tenant}
            log.info("policy release withdrawn", tenant=tenant, role=role)


def follow_policies(app: faust.App, policies: Policies) -> None:
    """Take each release as it comes, and show at `/policies` how the newest ones stand."""
    topic = app.topic(RELEASES, value_serializer="raw", key_serializer="raw", internal=False)

    @app.agent(topic, name="policies")
    async def take_release(stream: Any) -> None:
        async for key, value in stream.items():
            policies.take(key or b"", value)

    @app.page("/policies")
    async def show(web: View, _request: Request) -> Response:
        return web.json([msgspec.to_builtins(standing) for standing in policies.standings.values()])
