"""Whether a released model may score here: signed, whole, fitting, fast, and free of leaks or let through with a reason."""

import time

import msgspec
import numpy as np
from numpy.typing import NDArray

from connectors.model_store.signing import check_signature, read_key
from connectors.model_store.store import Store
from models.features.catalogue import NAMES
from models.propensity.manifest import Manifest
from models.propensity.scorecard import Scorecard, Scorer
from schemas.control import ModelReleased
from schemas.errors import ModelRefused

BATCH = 1_000
TRIES = 5
"""The fastest of so many batches counts: what else the machine does can only add to it."""
MISSING_SHARE = 0.1
NEW_SHARE = 0.1


class Loaded(msgspec.Struct, frozen=True, eq=False):
    """A model that may score."""

    manifest: Manifest
    scorer: Scorer
    us_per_row: float
    """CPU that a row costs, reasons included, in batches of 1,000."""


def verify_release(release: ModelReleased, store: Store) -> Loaded | None:
    """The model of a release, ready to score; None when the release says that none is in force from now on.

    Several threads may call it at once.

    Raises:
        ModelRefused: it may not score, and why; nothing else is raised.
    """
    try:
        check_signature(release, read_key(store.settings, store.home))
        if not release.model:
            return None
        return verify_model(release.model, store, release=release)
    except ModelRefused:
        raise
    except Exception as error:  # whatever a folder holds, the worker goes on with the old model
        raise ModelRefused("corrupt", f"checking it failed: {type(error).__name__}: {error}.") from error


def verify_model(model_id: str, store: Store, *, release: ModelReleased) -> Loaded:
    """The same without the signature, for who is about to sign."""
    manifest, card = store.load(model_id)
    _compare(release, manifest)
    if manifest.leaks and not release.override:
        leaks = "; ".join(leak.rstrip(".") for leak in manifest.leaks)
        raise ModelRefused(
            "leaks",
            f"it knows what it should not: {leaks}. Train without it, or say with --override why it may score all the same.",
        )
    scorer = Scorer(card, NAMES)
    cost, limit = us_per_row(scorer, card), store.settings.slow_us_per_row
    if cost > limit:
        raise ModelRefused(
            "slow",
            f"a row costs {cost:.1f} us of CPU, and {limit:g} are allowed (RECOUP_MODELS__SLOW_US_PER_ROW).",
        )
    return Loaded(manifest, scorer, cost)


def _compare(release: ModelReleased, manifest: Manifest) -> None:
    """Refuse a release that speaks of another model than its id leads to."""
    for name in ("features_hash", "target", "moment"):
        said, has = getattr(release, name), getattr(manifest, name)
        if said != has:
            raise ModelRefused("mismatch", f"it was released with the {name} {said or '(none)'}, and has {has}.")


def us_per_row(scorer: Scorer, card: Scorecard) -> float:
    """CPU of this thread that scoring a row costs, in microseconds; on made-up rows that reach all bins."""
    rows = _rows(card)
    spent: list[int] = []
    for _ in range(TRIES):
        began = time.thread_time_ns()
        scorer.score(rows)
        spent.append(time.thread_time_ns() - began)
    return min(spent) / 1_000 / BATCH


def _rows(card: Scorecard) -> NDArray[np.float64]:
    random = np.random.default_rng(7)
    rows: NDArray[np.float64] = random.uniform(0.0, 10.0, (BATCH, len(NAMES)))
    for name, edges in zip(card.features, card.edges, strict=True):
        if edges:
            margin = 1.0 + (edges[-1] - edges[0]) / 10
            rows[:, NAMES.index(name)] = random.uniform(edges[0] - margin, edges[-1] + margin, BATCH)
    rows[random.random(rows.shape) < MISSING_SHARE] = np.nan
    new = random.random(BATCH) < NEW_SHARE
    for name in ("closed_invoices", "overdue_invoices"):
        rows[new, NAMES.index(name)] = 0.0
    return rows
