"""Public logs with known answers, from the folder that RECOUP_DATA names; nothing is fetched."""

import csv
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.evaluation.log import Log, Numbers
from models.evaluation.uplift import Flags

ROOT = Path(__file__).parents[2]
ITEMS = {"men": 34, "women": 46}


class Bandit(NamedTuple):
    """The Open Bandit log of the random policy, and what is known of the Bernoulli Thompson sampling (BTS) policy."""

    log: Log
    bts: Numbers
    """Probabilities of the BTS policy in the contexts of the random log."""
    truth: float
    """What the BTS policy earned when it decided itself."""


class Campaign(NamedTuple):
    """Hillstrom's e-mail experiment: one segment against no e-mail."""

    x: Numbers
    treated: Flags
    visit: Numbers


def shared(name: str) -> Path:
    """A file of the shared data.

    Raises:
        FileNotFoundError: it is not there.
    """
    folder = Path(os.environ.get("RECOUP_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / name).exists():
        raise FileNotFoundError(f"{name} is not in {folder}; RECOUP_DATA names the folder that holds it")
    return folder / name


def open_bandit(campaign: str) -> Bandit:
    """A campaign of the Open Bandit Dataset, 10,000 impressions of either policy.

    The BTS policy looks at no user, and in its own log the share of each item at a position is its probability there,
    averaged over the week. (The `propensity_score` of that log is the probability of the item that was shown: averaged by
    item it is not a distribution, because an item is shown more often while it is likely.)
    """
    random, bts = (
        _impressions(shared(f"open_bandit/{policy}/{campaign}/{campaign}.csv")) for policy in ("random", "bts")
    )
    items, n = ITEMS[campaign], len(random)
    shares = np.zeros((3, items))
    np.add.at(shares, (bts[:, 0].astype(int), bts[:, 1].astype(int)), 1.0)
    shares /= shares.sum(axis=1, keepdims=True)
    position = random[:, 0].astype(int)
    log = Log(
        account=np.arange(n),
        episode=np.arange(n),
        action=random[:, 1].astype(np.int64),
        logged=np.full((n, items), 1.0 / items),
        reward=random[:, 2],
        x=np.eye(3)[position],
    )
    return Bandit(log, shares[position], float(bts[:, 2].mean()))


def _impressions(path: Path) -> Numbers:
    """Position from 0, item and click of every impression."""
    with path.open(newline="") as file:
        rows = [(int(row["position"]) - 1, int(row["item_id"]), int(row["click"])) for row in csv.DictReader(file)]
    return np.asarray(rows, dtype=np.float64)


def hillstrom(segment: str) -> Campaign:
    """The customers of one segment and those without e-mail."""
    with shared("hillstrom/hillstrom.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["segment"] in (segment, "No E-Mail")]
    columns = [[float(row[name]) for row in rows] for name in ("recency", "history", "mens", "womens", "newbie")]
    for name in ("zip_code", "channel", "history_segment"):
        columns += [[float(row[name] == value) for row in rows] for value in sorted({row[name] for row in rows})]
    return Campaign(
        np.asarray(columns).T,
        np.array([row["segment"] == segment for row in rows]),
        np.array([float(row["visit"]) for row in rows]),
    )
