"""A trained model for benchmarks: step functions of twenty features that vary, as gradient boosting makes them."""

import numpy as np

from connectors.model_store.store import Store
from models.clock import WallClock
from models.features.catalogue import FEATURES_HASH
from models.propensity import scorecard
from models.propensity.manifest import FORMAT, SCORECARD, Data, Manifest
from models.propensity.scorecard import Scorecard
from recoup.model_releases import ALL, plan, publish
from recoup.settings import Settings

FEATURES = (
    "amount", "paid_share", "terms_days", "days_to_due", "open_invoices", "overdue_invoices", "oldest_days_overdue",
    "open_amount", "overdue_share", "closed_invoices", "on_time_rate", "mean_days_late", "sd_days_late", "mean_slack",
    "mean_days_to_pay", "recent_on_time_rate", "recent_slack", "last_slack", "days_since_payment", "contacts",
)  # fmt: skip
EDGES = 24


def card() -> Scorecard:
    """The same in every run; what it says about anybody means nothing."""
    random = np.random.default_rng(4)
    edges = [sorted(set(np.round(random.uniform(0, 60, EDGES), 3).tolist())) for _ in FEATURES]
    bins = [len(of_feature) + 2 for of_feature in edges]
    return Scorecard(
        features=list(FEATURES),
        edges=edges,
        texts=[
            [f"{name} in bin {place}" for place in range(count)] for name, count in zip(FEATURES, bins, strict=True)
        ],
        bias=0.5,
        days_bias=[5.0, 20.0, 60.0],
        days=[random.normal(0, 2, (count, 3)).round(3).tolist() for count in bins],
        points=[random.normal(0, 0.4, count).round(3).tolist() for count in bins],
    )


def release(settings: Settings) -> str:
    """Put the model in force for all tenants; its id. Workers that start afterwards serve it from their first batch."""
    store = Store(settings.models, settings.home)
    manifest = Manifest(
        format=FORMAT,
        target="paid_within:30",
        moment="every:7d",
        horizon_days=30,
        features=FEATURES,
        features_hash=FEATURES_HASH,
        candidate="benchmark",
        data=Data(kind="ledger", name="made up", sha256="0" * 64, rows=0),
        metrics={},
        versions={},
        code="",
    )
    model_id = store.put(manifest, {SCORECARD: scorecard.encode(card())}).model_id
    publish(settings.kafka, store, plan(store, {}, model_id, ALL, "champion"), WallClock())
    return model_id
