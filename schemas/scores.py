"""propensity-scores: how likely an account is to pay, and what the number rests on."""

from typing import Annotated

from msgspec import Meta

from schemas.envelope import Event, Id, Name, Probability


class PropensityScored(Event, frozen=True, kw_only=True, tag="propensity.scored"):
    """The calibrated probability that the account pays within the horizon."""

    decision_id: Id
    horizon_days: Annotated[int, Meta(ge=1, le=3650)]
    probability: Probability
    model: Name
    features_id: Name
    """Hash of the feature values that were scored."""
    expected_days: Annotated[float, Meta(ge=0)] | None = None
    reasons: tuple[Name, ...] = ()
