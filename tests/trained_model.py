"""A small model that scores, for tests that keep, release and serve one."""

from typing import Any

import msgspec

from connectors.model_store.store import Store
from models.features.catalogue import FEATURES_HASH
from models.propensity import scorecard
from models.propensity.manifest import FORMAT, Bins, Data, Manifest, Reference
from models.propensity.scorecard import Scorecard

FEATURES = ("on_time_rate", "overdue_invoices")


def card(features: tuple[str, ...] = FEATURES, bias: float = 0.0) -> Scorecard:
    """A step function with three bins a feature, and that of what is missing."""
    return Scorecard(
        features=list(features),
        edges=[[0.5, 1.0] for _ in features],
        texts=[[f"{name} {place}" for place in ("low", "middle", "high", "unknown")] for name in features],
        bias=bias,
        days_bias=[5.0, 20.0, 60.0],
        days=[[[0.0, 0.0, 0.0]] * 4 for _ in features],
        points=[[-1.0, 0.0, 1.0, 0.0] for _ in features],
    )


def manifest(features: tuple[str, ...] = FEATURES, **changes: Any) -> Manifest:
    """What such a model says of itself, without its files and its id."""
    whole = Manifest(
        format=FORMAT,
        created_at=1_767_225_600_000,
        author="analyst",
        target="paid_by_due",
        moment="issue",
        horizon_days=30,
        features=features,
        features_hash=FEATURES_HASH,
        candidate="points",
        data=Data(kind="ledger", name="ledger.csv", sha256="0" * 64, rows=100, first_at=1_356_998_400_000),
        metrics={"n_train": 70, "auc": 0.889, "baseline_auc": 0.87, "ece": 0.024, "days_to_pay_mae": None},
        warnings=("few rows",),
        reference=Reference({"on_time_rate": Bins((0.5,), (40, 55, 5))}, Bins((0.5,), (50, 50, 0))),
        versions={"python": "3.11", "recoup": "0.1.0"},
        code="0.1.0",
    )
    return msgspec.structs.replace(whole, **changes)


def put(store: Store, features: tuple[str, ...] = FEATURES, bias: float = 0.0, **changes: Any) -> str:
    """Save such a model; its id."""
    files = {"scorecard.json": scorecard.encode(card(features, bias)), "report.html": b"<p>report</p>"}
    return store.put(manifest(features, **changes), files).model_id
