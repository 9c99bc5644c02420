"""Which model scores an account: the tenant's own release, else that for all tenants, else the baseline."""

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.propensity import baseline
from models.propensity.scorecard import Scores

Role = Literal["champion", "challenger"]
CHAMPION: Role = "champion"
CHALLENGER: Role = "challenger"
ALL_TENANTS = "*"


class Scorer(Protocol):
    """Scores matrices of all features, in the catalogue's order."""

    def score(self, x: NDArray[np.float64]) -> Scores: ...


class Model(msgspec.Struct, frozen=True, eq=False):
    """A model ready to score."""

    model_id: str
    target: str
    moment: str
    """At which it was trained: `issue`, `overdue` or `every:7d`; it and the target say which invoice a score is about."""
    horizon_days: int
    scorer: Scorer


BASELINE = Model(baseline.MODEL, baseline.TARGET, "every:1d", baseline.HORIZON_DAYS, baseline.Baseline())

Released = Mapping[tuple[str, str], Model | None]
"""(tenant, role) -> what was released for it; None = none of its own: what is released for all tenants."""


class Serving(msgspec.Struct, frozen=True, eq=False):
    """What scores the accounts of one tenant."""

    champion: Model
    challenger: Model | None = None
    """Scores beside it and decides nothing."""


BASELINE_ALONE = Serving(BASELINE)


def serving_of(released: Released, tenant_id: str) -> Serving:
    """What is in force for a tenant."""
    champion = _newest(released, tenant_id, CHAMPION) or BASELINE
    return Serving(champion, _newest(released, tenant_id, CHALLENGER))


def _newest(released: Released, tenant_id: str, role: Role) -> Model | None:
    return released.get((tenant_id, role)) or released.get((ALL_TENANTS, role))
