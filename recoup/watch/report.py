"""What is said of the models in force. It names features, shares and groups, and never an account."""

from datetime import datetime
from typing import Literal

import msgspec

from models.propensity.drift import Drift, Level
from models.propensity.fairness import Group
from models.propensity.matured import Calibration


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison. `first` and `end` are None where it is the training data."""

    source: Literal["scores", "training"]
    first: datetime | None
    end: datetime | None
    scores: int
    """That were made in this time; 0 for the training data."""
    accounts: int
    """How many were compared, with one score each."""


class Fairness(msgspec.Struct, frozen=True):
    """Selection by attributes that are no features."""

    share: float
    """Of the accounts, by their newest scores, that count as the best."""
    threshold: float
    """The least score among them."""
    best: tuple[Group, ...]
    """Selected = at or above the threshold."""
    contacted: tuple[Group, ...]
    """Selected = a contact was requested within the window."""


class Watched(msgspec.Struct, frozen=True):
    """One model and one tenant."""

    tenant_id: str
    model: str
    role: str
    target: str
    level: Level
    """`too_few`: there is nothing to compare yet."""
    says: str
    advice: str
    reference: Side
    current: Side
    other_features: int
    """Scores of both windows without feature values, or with those of another list of features: left out."""
    drifts: tuple[Drift, ...]
    """Of each feature that can be compared, and of the `score`."""
    calibration: Calibration
    fairness: Fairness


class Told(msgspec.Struct, frozen=True):
    """The `model.drifted` events of this look."""

    sent: int = 0
    already: int = 0
    """Told before on the same day."""
    off: bool = False
    """--no-emit"""


class Report(msgspec.Struct, frozen=True):
    """Every model in force."""

    at: datetime
    drifted: bool
    models: tuple[Watched, ...]
    told: Told = Told(off=True)
