"""The stop button as people press it: in force at once, in every worker, under their name."""

import msgspec

from connectors.redis.doubts import DOUBTS
from connectors.redis.pauses import EVERY, Stop, StopButton
from models.clock import Clock, WallClock
from recoup import person
from recoup.audit.acts import act_of, record
from recoup.settings import Settings
from schemas.control import TenantId
from schemas.errors import BadInput
from schemas.registry import topic_named
from streams.dispatch import parking
from streams.dispatch.job import REQUESTS


class Pressed(msgspec.Struct, frozen=True):
    """What pressing the button has changed."""

    stop: Stop
    changed: bool
    """False = it was so before."""


class Status(msgspec.Struct, frozen=True):
    """What is stopped, and what waits."""

    stopped: list[Stop]
    waiting: dict[str, int]
    """Requests that wait, by reason."""
    unknown: int
    """Contacts that a person has to look into."""
    history: list[Stop]
    """The latest presses, newest first."""


def press(
    settings: Settings,
    *,
    tenant_id: str | None,
    channel: str | None,
    reason: str,
    resume: bool,
    clock: Clock | None = None,
) -> Pressed:
    """Stop contacts, or take away exactly this stop; the rest is for `record_press`.

    Unlike every other act it takes effect first and is recorded then: nothing may stand in the way of a stop. One that
    dies in between leaves a stop that Redis tells of, with who pressed it, and the audit log does not.

    Args:
        tenant_id: None or `*` = of every tenant.
        channel: None = on every channel.

    Raises:
        BadInput: this is no tenant's id; nothing has changed.
        NotReady: Redis does not answer.
    """
    stop = Stop(
        tenant_id=EVERY if tenant_id in (None, EVERY) else _tenant(tenant_id),
        channel=EVERY if channel is None else channel,
        by=person.name() or "unknown",
        at=(clock or WallClock()).now(),
        reason=reason,
        resumed=resume,
    )
    button = StopButton(settings.redis)
    try:
        changed = button.release(stop) if resume else button.press(stop)
    finally:
        button.close()
    return Pressed(stop, changed)


def _tenant(tenant_id: str | None) -> str:
    """An id that a tenant may have: an empty one, as of a shell variable that is not set, does not mean all of them."""
    try:
        return msgspec.convert(tenant_id, TenantId)
    except msgspec.ValidationError as error:
        raise BadInput(f"{tenant_id!r} is no tenant's id. Leave --tenant out to mean every tenant.") from error


def stranger(settings: Settings, stop: Stop) -> str | None:
    """What to tell who has stopped a tenant that no file knows; None = there is nothing to tell.

    It is no refusal: a tenant may be published from elsewhere, and nothing may stand in the way of a stop.
    """
    folder = settings.tenants_dir
    known = sorted({path.stem for ending in ("*.yaml", "*.yml") for path in folder.glob(ending)})
    if stop.tenant_id == EVERY or stop.tenant_id in known:
        return None
    there_are = f"there are {', '.join(known)}" if known else "there is none"
    return (
        f"No file in {folder} is of a tenant {stop.tenant_id} ({there_are}). If the name is wrong, nobody is stopped."
    )


def record_press(settings: Settings, pressed: Pressed) -> bool:
    """Record it in the audit log; False = Kafka is away, and it waits in Redis for the next act."""
    stop = pressed.stop
    details = {"channel": stop.channel, "changed": "yes" if pressed.changed else "no"}
    if stop.reason:
        details["why"] = stop.reason
    action = "resume" if stop.resumed else "pause"
    subject = f"contacts {stop.tenant_id} {stop.channel}"
    return record(settings, act_of(action, subject, tenant_id=stop.tenant_id, details=details))


def status(settings: Settings) -> Status:
    """What is stopped and what waits, as Redis says it; needs no broker.

    Raises:
        NotReady: Redis does not answer.
    """
    button = StopButton(settings.redis)
    try:
        waiting: dict[str, int] = {}
        for partition in range(topic_named(REQUESTS).partitions):
            for _, blob in button.client.hscan_iter(f"{button.slot}{partition}:states", count=1_000):
                reason = parking.decode(blob).reason
                waiting[reason] = waiting.get(reason, 0) + 1
        unknown = button.client.hlen(button.slot + DOUBTS)
        return Status(button.in_force(), dict(sorted(waiting.items())), unknown, button.history())
    finally:
        button.close()
