"""propensity-scores: how likely an account is to pay, and what the number rests on."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.envelope import Event, Id, Name, Probability

Days = Annotated[float, Meta(ge=0)]


class PropensityScored(Event, frozen=True, kw_only=True, tag="propensity.scored"):
    """The calibrated probability that the account pays within the horizon."""

    decision_id: Id
    horizon_days: Annotated[int, Meta(ge=1, le=3650)]
    probability: Probability
    model: Name
    """Id of the model: the hash of its contents."""
    features_id: Name
    """Names the feature values that were scored: the same values, the same name."""
    role: Literal["champion", "challenger"] = "champion"
    """A challenger scores beside the champion and decides nothing."""
    target: Name = ""
    """What the probability is of: `paid_by_due`, or `paid_within:30` (days from the score)."""
    invoice_id: Id | None = None
    """The invoice that the score is about; absent = none is open that it could be about."""
    band: Name = ""
    uncertainty: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Standard deviation of the probability, were it learned from the account's own invoices alone."""
    expected_days: Days | None = None
    """Median days until the invoice is paid; of the baseline, expected days late."""
    days_low: Days | None = None
    """One in ten pays sooner."""
    days_high: Days | None = None
    """One in ten pays later."""
    reasons: tuple[Name, ...] = ()
    """What moved the score most: `+ ` makes payment likelier, `- ` less likely."""
    features_hash: Name = ""
    """Names the list of features that `features` holds the values of."""
    features: tuple[float | None, ...] = ()
    """The values as they were scored, in the order of `recoup features --list`; null = not known."""
