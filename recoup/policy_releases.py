"""Which strategy decides for whom: read from the control topic, planned, signed, and published whole."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from connectors.kafka.control import read_whole
from connectors.kafka.releasing import publish_release
from connectors.kafka.settings import KafkaSettings
from connectors.model_store.policy_signing import check_policy_signature, sign_policy
from connectors.model_store.settings import ModelSettings
from connectors.model_store.signing import make_key, read_key
from models.actions.strategy import policy_of, strategy_from
from models.calendar import instant, utc
from models.clock import Clock, Instant
from recoup import person
from recoup.worker_answers import Answer, Asked, answers
from recoup.yaml_file import read_yaml
from schemas.control import PolicyReleased, Tenant
from schemas.errors import BadInput, ModelRefused
from schemas.strategies import ActionStrategy

TOPIC = "policy-releases"
SOURCE = "policies release"
ALL = "*"
MOST_PREVIOUS = 5
PUBLISH_SECONDS = 15.0

Role = Literal["policy", "shadow"]
InForce = dict[tuple[str, str], PolicyReleased]
"""By tenant and role."""

_decode = msgspec.json.Decoder(PolicyReleased).decode


def read_strategy(path: Path) -> ActionStrategy:
    """The strategy of a file.

    Raises:
        BadInput: what is wrong, and where.
    """
    return strategy_from(read_yaml(path), str(path))


def published(kafka: KafkaSettings, deadline: float = PUBLISH_SECONDS) -> InForce:
    """The newest releases, without those that cannot be read; raises NotReady when the topic cannot be (seconds)."""
    return found_in(read_whole(kafka, TOPIC, deadline))


def found_in(messages: Mapping[bytes, bytes]) -> InForce:
    """The releases among messages, by key; one under another's key is an older one that was sent again, and none."""
    found: InForce = {}
    for key, value in messages.items():
        with contextlib.suppress(msgspec.MsgspecError):
            release = _decode(value)
            if key == _key(release):
                found[release.tenant_id, release.role] = release
    return found


def _key(release: PolicyReleased) -> bytes:
    return f"{release.tenant_id}|{release.role}".encode()


def signed(releases: InForce, settings: ModelSettings, home: Path) -> InForce:
    """Those that were signed with the key here: what another one says of the way back would be signed with the next."""
    key = read_key(settings, home)
    found: InForce = {}
    for place, release in releases.items():
        with contextlib.suppress(ModelRefused):
            check_policy_signature(release, key)
            found[place] = release
    return found


def concerned(tenants: Mapping[str, Tenant], in_force: InForce, tenant: str, role: Role) -> list[Tenant]:
    """The tenants that a release decides for: the one named, or all that have none of their own."""
    if tenant != ALL:
        return [tenants[tenant]]
    own = {name for (name, its), release in in_force.items() if its == role and release.strategy is not None}
    return [found for name, found in tenants.items() if name not in own]


def deciding(in_force: InForce, tenant: str, role: Role) -> ActionStrategy | None:
    """The strategy that decides for a tenant: its own, else that of all tenants; None = its own schedule does."""
    for whose in (tenant, ALL):
        release = in_force.get((whose, role))
        if release is not None and release.strategy is not None:
            return release.strategy
    return None


def plan(in_force: InForce, strategy: ActionStrategy, tenant: str, role: Role) -> PolicyReleased:
    """The release of a strategy; what is in force now becomes the way back."""
    before = in_force.get((tenant, role))
    previous: tuple[ActionStrategy, ...] = ()
    if before is not None:
        others = () if before.strategy is None or before.strategy == strategy else (before.strategy,)
        previous = (*others, *before.previous)[:MOST_PREVIOUS]
    return _release(strategy, tenant, role, previous)


def plan_rollback(in_force: InForce, tenant: str, role: Role) -> PolicyReleased:
    """The way back to the strategy that was in force before; without any, none of its own.

    Raises:
        BadInput: nothing is in force for this tenant and role.
    """
    now = in_force.get((tenant, role))
    if now is None or now.strategy is None:
        raise BadInput(f"There is no {role} in force for the tenant {tenant}, so there is no way back.")
    before = now.previous[0] if now.previous else None
    return _release(before, tenant, role, now.previous[1:])


def _release(
    strategy: ActionStrategy | None, tenant: str, role: Role, previous: tuple[ActionStrategy, ...]
) -> PolicyReleased:
    if strategy is None:
        return PolicyReleased(tenant_id=tenant, role=role, policy="", previous=previous)
    held = strategy.hold_out
    return PolicyReleased(
        tenant_id=tenant,
        role=role,
        policy=policy_of(strategy),
        strategy=strategy,
        explore_share=strategy.explore.share,
        hold_out_share=0.0 if held is None else held.share,
        experiment="" if held is None else held.experiment,
        ends_at=None if held is None else held.ends_at,
        previous=previous,
    )


def stamp(release: PolicyReleased, now: Instant, before: PolicyReleased | None = None) -> PolicyReleased:
    """The release with its time, which is later than that of the one before, whatever the clock here says.

    Workers pass an older release over, and clocks of two machines differ.

    Args:
        before: what is in force for the same tenant and role.
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
    kafka: KafkaSettings,
    models: ModelSettings,
    home: Path,
    release: PolicyReleased,
    clock: Clock,
    before: PolicyReleased | None = None,
) -> PolicyReleased:
    """Stamp a release and send it; what was sent. Raises NotReady when the broker did not take it."""
    return send(kafka, models, home, stamp(release, clock.now(), before))


def send(kafka: KafkaSettings, models: ModelSettings, home: Path, stamped: PolicyReleased) -> PolicyReleased:
    """Sign a release that has its time and send it; what was sent.

    Raises:
        NotReady: the broker did not take it.
    """
    signed_release = sign_policy(stamped, make_key(models, home))
    publish_release(kafka, TOPIC, signed_release, _key(stamped))
    return signed_release


def said_of(home: Path, release: PolicyReleased, seconds: float) -> list[Answer]:
    """What the decide workers that run here make of a release; waits for so many seconds at most."""
    asked = Asked("/policies", "policy", release.policy, release.tenant_id, release.role, release.event_id)
    return answers(home, asked, seconds)


def check_ends(strategy: ActionStrategy, clock: Clock) -> None:
    """Raise BadInput when a hold-out would end before it begins."""
    held = strategy.hold_out
    if held is not None and instant(held.ends_at) <= clock.now():
        raise BadInput(
            f"The hold-out `{held.experiment}` of {strategy.name} has ended on {held.ends_at:%Y-%m-%d}: it would hold nobody"
            " out. Name a later `hold_out.ends_at`, or leave `hold_out` out."
        )
