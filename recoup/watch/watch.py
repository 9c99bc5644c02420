"""Looks at the models in force: what they see now against before, what came of their scores, whom they select.

Everything comes from ClickHouse. An account counts once a window, for many scores of one account are no sample, and at most
ACCOUNTS of them are compared: with so many, chance alone makes a PSI of 0.001.
"""

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse.client import connect
from connectors.clickhouse.scores import Sample, Scored, ScoreTables, Window
from connectors.clickhouse.timeline import tenant_of
from models.calendar import DAY, Zone, instant, utc, zone
from models.clock import Instant
from models.features.catalogue import FEATURES_HASH, NAMES
from models.propensity.drift import Drift, count, counted, drifts, worst
from models.propensity.fairness import Tally, groups
from models.propensity.manifest import Bins, Manifest
from models.propensity.matured import Calibration
from recoup.settings import Settings
from recoup.watch.outcomes import calibration_of, days_of
from recoup.watch.report import Fairness, Report, Side, Told, Watched
from recoup.watch.telling import SCORE, events_of, tell
from recoup.watch.words import advice, says
from schemas.errors import BadInput

ACCOUNTS = 20_000
"""Compared at most, of each window."""
JUDGED_ACCOUNTS = 5_000
"""Whose invoices are folded at most: the gap of so many is known to about a percentage point."""
LONGEST_HORIZON = 120 * DAY
"""How much further back than both windows a score may be made to be judged within them; more if it foretells more."""
BEST_SHARE = 0.2
OF_THE_CALENDAR = frozenset({"due_weekday", "due_month_day"})
"""Not compared: a week's invoices fall due on some days of a month only, so these would drift every week."""
GROWING = frozenset({"account_age"})
"""Not compared with the window before: the same accounts are older now, which says nothing. With training it does."""

Trained = Callable[[str], Manifest | None]
"""Model id -> what it says of itself; None where it is in no store."""


class Asked(msgspec.Struct, frozen=True):
    """What to look at. Spans are in milliseconds."""

    now: Instant
    since: Instant
    """Length of the current window, which ends now."""
    reference: Instant = 30 * DAY
    """Length of the window before it."""
    tenant: str = ""
    """Empty = every one."""
    model: str = ""
    """Empty = every one."""
    against_training: bool = False
    """Compare with what training saw, where that is known, and not with the window before. See `_training`."""


def watch(settings: Settings, asked: Asked, *, emit: bool, trained: Trained = lambda _: None) -> Report:
    """Look at every model that scored, and tell what has drifted.

    Args:
        emit: publish `model.drifted` events, those that have not landed yet.
        trained: finds a model's manifest; only asked when the training data are to be compared with.

    Raises:
        BadInput: there are no scores to look at.
        NotReady: a server does not answer.
    """
    client = connect(settings.clickhouse)
    try:
        look = _Look(ScoreTables(client, settings.clickhouse.database), asked, trained)
        models = tuple(map(look.at, look.scored))
        report = Report(at=utc(asked.now), drifted=any(model.level == "drifted" for model in models), models=models)
        return msgspec.structs.replace(report, told=_tell(settings, look.tables, report)) if emit else report
    finally:
        client.close()


class _Look:
    """One look at the tables."""

    def __init__(self, tables: ScoreTables, asked: Asked, trained: Trained) -> None:
        self.tables = tables
        self.asked = asked
        self.trained = trained
        self.since = asked.now - asked.since
        self.first = self.since - asked.reference
        self.scored = self._scored()

    def at(self, scored: Scored) -> Watched:
        """Look at one model."""
        now = self._window(scored, self.since, self.asked.now)
        manifest = self.trained(scored.model) if self.asked.against_training else None
        reference, known = self._before(scored) if manifest is None else _training(manifest)
        sample = self.tables.sample(now, ACCOUNTS, manifest.moment if manifest else "")
        current = Side("scores", utc(now.first), utc(now.end), scored.current, len(sample.scores))
        found = tuple(_drifts(known, sample))
        calibration = self._calibration(scored)
        level = worst([*(drift.level for drift in found), "drifted" if calibration.drifted else "too_few"])
        return Watched(
            tenant_id=scored.tenant_id,
            model=scored.model,
            role=scored.role,
            target=scored.target,
            level=level,
            says=says(level, found, calibration, reference.accounts, current.accounts),
            advice=advice(level, found, calibration),
            reference=reference,
            current=current,
            other_features=scored.other_features,
            drifts=found,
            calibration=calibration,
            fairness=self._fairness(now),
        )

    def _before(self, scored: Scored) -> tuple[Side, Mapping[str, Bins]]:
        """The window before the current one."""
        window = self._window(scored, self.first, self.since)
        sample = self.tables.sample(window, ACCOUNTS)
        side = Side("scores", utc(window.first), utc(window.end), scored.reference, len(sample.scores))
        return side, {name: counted(values) for name, values in _columns(sample).items() if name not in GROWING}

    def _scored(self) -> list[Scored]:
        asked = self.asked
        everything = self.tables.models(self.first, self.since, asked.now, tenant=asked.tenant, model=asked.model)
        found = [scored for scored in everything if scored.current]
        if not found:
            raise BadInput(self._nothing())
        return found

    def _nothing(self) -> str:
        asked = self.asked
        of = (f" of the tenant `{asked.tenant}`" if asked.tenant else "") + (
            f" by the model `{asked.model}`" if asked.model else ""
        )
        count, newest = self.tables.newest(asked.tenant, asked.model)
        if not count:
            return (
                f"ClickHouse holds no scores{of}, so there is nothing to watch."
                " They land while workers run: `recoup worker decide`, `recoup worker land`."
            )
        return (
            f"There are no scores{of} since {utc(self.since):%Y-%m-%d %H:%M} UTC; the newest of {count:,} was made"
            f" {utc(newest):%Y-%m-%d %H:%M}. A longer --since reaches further back."
        )

    def _window(self, scored: Scored, first: Instant, end: Instant) -> Window:
        return Window(scored.tenant_id, scored.model, first, end)

    def _calibration(self, scored: Scored) -> Calibration:
        longest = max(LONGEST_HORIZON, days_of(scored.target) * DAY)
        window = self._window(scored, self.first - longest, self.asked.now)
        scores = self.tables.to_judge(window, JUDGED_ACCOUNTS)
        events = self.tables.events(window, JUDGED_ACCOUNTS, self.asked.now)
        where = _zone(self.tables, scored.tenant_id)
        return calibration_of(scores, events, where, settled_from=self.first, settled_to=self.asked.now)

    def _fairness(self, now: Window) -> Fairness:
        threshold = self.tables.threshold(now, BEST_SHARE) or 0.0
        rows = self.tables.selected(now, threshold)
        return Fairness(
            share=BEST_SHARE,
            threshold=threshold,
            best=tuple(groups(Tally(row.attribute, row.value, row.n, row.best) for row in rows)),
            contacted=tuple(groups(Tally(row.attribute, row.value, row.n, row.contacted) for row in rows)),
        )


def _training(manifest: Manifest) -> tuple[Side, Mapping[str, Bins]]:
    """What training saw, as far as its features are those of today.

    It says whether the model is asked about what it has learned, and it is no alarm: training takes a row of every
    invoice at its moment, while live an account is scored when something happens, about one of its invoices. That alone
    moves features such as `open_invoices`.
    """
    seen = manifest.reference
    features = seen.features if manifest.features_hash == FEATURES_HASH else {}
    return Side("training", None, None, 0, sum(seen.score.counts)), {**features, SCORE: seen.score}


def _zone(tables: ScoreTables, tenant_id: str) -> Zone:
    """Where the tenant's due dates end; UTC when it has not been published, or IANA does not know its zone."""
    tenant = tenant_of(tables.client, tables.database.name, tenant_id)
    found = zone(tenant.time_zone) if tenant else None
    return found or Zone("UTC")


def _columns(sample: Sample) -> dict[str, NDArray[np.float64]]:
    """Each feature's values, then the scores."""
    columns = {name: values for name, values in zip(NAMES, sample.features.T, strict=True) if len(values)}
    return {name: values for name, values in columns.items() if name not in OF_THE_CALENDAR} | {SCORE: sample.scores}


def _drifts(reference: Mapping[str, Bins], sample: Sample) -> list[Drift]:
    columns = _columns(sample)
    current = {name: count(columns[name], known.edges) for name, known in reference.items() if name in columns}
    return drifts(reference, current)


def _tell(settings: Settings, tables: ScoreTables, report: Report) -> Told:
    """Publish what has not landed yet of today's events."""
    events = events_of(report)
    today = instant(report.at) // DAY * DAY
    landed = set().union(*(tables.told(tenant, today) for tenant in {event.tenant_id for event in events}))
    new = [event for event in events if event.event_id not in landed]
    tell(settings.kafka, new)
    return Told(sent=len(new), already=len(events) - len(new))
