"""`model.drifted` events: one for each thing that has drifted and each day (UTC), under the same id however often told."""

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from connectors.kafka.sending import Sender
from connectors.kafka.settings import KafkaSettings
from models.calendar import instant, utc
from models.clock import Instant
from recoup.watch.report import Report, Watched
from schemas.envelope import account_key
from schemas.facts import ModelDrifted

TOPIC = "customer-events"
SOURCE = "models watch"
SCORE = "score"
"""What the name of the feature is when it is the score itself that drifted."""


def events_of(report: Report) -> list[ModelDrifted]:
    """What has drifted, as events. The score's calibration is one of its statistics; its value is the gap."""
    return [event for watched in report.models for event in _events(watched, instant(report.at))]


def tell(settings: KafkaSettings, events: list[ModelDrifted]) -> None:
    """Publish events.

    Raises:
        NotReady: Kafka has not taken all of them; telling them again repeats none, for their ids are the same.
    """
    if not events:
        return
    sender = Sender(settings)
    for event in events:
        sender.send(TOPIC, msgspec.json.encode(event), account_key(event.tenant_id, event.account_id))
    sender.flush()


def _events(watched: Watched, at: Instant) -> Iterator[ModelDrifted]:
    for drift in watched.drifts:
        if drift.drifted:
            yield ModelDrifted(
                event_id=_id(watched, drift.feature, drift.statistic, at),
                tenant_id=watched.tenant_id,
                occurred_at=utc(at),
                source=SOURCE,
                model=watched.model,
                feature=drift.feature,
                statistic=drift.statistic,
                value=drift.value,
                threshold=drift.threshold,
                n=drift.n_current,
            )
    calibration = watched.calibration
    if calibration.drifted and calibration.gap is not None:
        yield ModelDrifted(
            event_id=_id(watched, SCORE, "calibration", at),
            tenant_id=watched.tenant_id,
            occurred_at=utc(at),
            source=SOURCE,
            model=watched.model,
            feature=SCORE,
            statistic="calibration",
            value=round(calibration.gap, 6),
            threshold=calibration.threshold,
            n=calibration.n,
        )


def _id(watched: Watched, feature: str, statistic: str, at: Instant) -> str:
    named = "|".join((watched.tenant_id, watched.model, feature, statistic, f"{utc(at):%Y-%m-%d}"))
    return f"drift-{sha256(named.encode()).hexdigest()[:32]}"
