"""Who decides for each tenant now, and by what: its model, its policy, and what a person has stopped."""

import msgspec

from connectors.redis.pauses import StopButton
from recoup import model_releases, policy_releases
from recoup.settings import Settings
from recoup.tenants import published
from schemas.control import ModelReleased, PolicyReleased

BASELINE = "the baseline"
SCHEDULE = "its own schedule"


class InForce(msgspec.Struct, frozen=True):
    """What is in force for one tenant."""

    tenant_id: str
    name: str
    currencies: tuple[str, ...]
    time_zone: str
    live: bool
    model: str
    model_since: str | None
    challenger: str
    """Scores as well and decides nothing; empty = none."""
    policy: str
    policy_since: str | None
    explores: float
    """Share of the decisions that are drawn at random."""
    holds_out: float
    """Share of the accounts that are held out of contact."""


class Stopped(msgspec.Struct, frozen=True):
    """A stop that a person pressed."""

    tenant_id: str
    channel: str
    by: str
    at: int
    reason: str


def in_force(settings: Settings) -> list[InForce]:
    """Each published tenant with what decides for it.

    Raises:
        NotReady: the control topics cannot be read.
    """
    models, policies = model_releases.published(settings.kafka), policy_releases.published(settings.kafka)

    def model(tenant: str, role: model_releases.Role) -> ModelReleased | None:
        own = models.get((tenant, role))
        return own if own is not None and own.model else models.get((model_releases.ALL, role))

    def policy(tenant: str) -> PolicyReleased | None:
        own = policies.get((tenant, "policy"))
        return own if own is not None and own.policy else policies.get((policy_releases.ALL, "policy"))

    found = []
    for tenant_id, tenant in sorted(published(settings.kafka).items()):
        scores, compared, decides = model(tenant_id, "champion"), model(tenant_id, "challenger"), policy(tenant_id)
        found.append(
            InForce(
                tenant_id=tenant_id,
                name=tenant.name,
                currencies=tuple(tenant.currencies),
                time_zone=tenant.time_zone,
                live=tenant.live_since is not None,
                model=(scores.model if scores else "") or BASELINE,
                model_since=scores.occurred_at.isoformat() if scores and scores.model else None,
                challenger=compared.model if compared else "",
                policy=(decides.policy if decides else "") or SCHEDULE,
                policy_since=decides.occurred_at.isoformat() if decides and decides.policy else None,
                explores=decides.explore_share if decides else 0.0,
                holds_out=decides.hold_out_share if decides else 0.0,
            )
        )
    return found


def stopped(settings: Settings) -> list[Stopped]:
    """The stops in force, the oldest first.

    Raises:
        NotReady: Redis does not answer.
    """
    button = StopButton(settings.redis)
    try:
        return [Stopped(stop.tenant_id, stop.channel, stop.by, stop.at, stop.reason) for stop in button.in_force()]
    finally:
        button.close()
