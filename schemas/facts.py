"""customer-events: conclusions about an account that other systems want to hear of."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.envelope import Amount, Currency, Day, Event, Id, Money, Name


class InvoiceOverdue(Event, frozen=True, kw_only=True, tag="invoice.overdue"):
    """An invoice is unpaid after its due date."""

    invoice_id: Id
    open_minor: Amount
    currency: Currency
    days_past_due: Annotated[int, Meta(ge=0)]


class AccountCured(Event, frozen=True, kw_only=True, tag="account.cured"):
    """An account that was overdue owes nothing overdue any more."""

    days_past_due: Annotated[int, Meta(ge=0)] | None = None
    """Of the oldest invoice, before it was cured."""


class PromiseKept(Event, frozen=True, kw_only=True, tag="promise.kept"):
    """What was promised has arrived in time."""

    promise_id: Id
    amount_minor: Amount
    currency: Currency
    due_on: Day


class PromiseBroken(Event, frozen=True, kw_only=True, tag="promise.broken"):
    """The promised day has passed without the promised amount."""

    promise_id: Id
    amount_minor: Amount
    currency: Currency
    due_on: Day
    paid_minor: Money = 0


class AccountEscalated(Event, frozen=True, kw_only=True, tag="account.escalated"):
    """The automatic steps are exhausted, or a person must look."""

    reason: Name
    decision_id: Id | None = None
    to: Name | None = None


class CreditHoldAdvised(Event, frozen=True, kw_only=True, tag="account.credit_hold_advised"):
    """A business that owes is to get no further credit until it has paid; who delivers decides."""

    decision_id: Id
    open_minor: Amount
    currency: Currency
    days_past_due: Annotated[int, Meta(ge=0)]


class ModelDrifted(Event, frozen=True, kw_only=True, tag="model.drifted"):
    """A feature or the score no longer looks like the training data. About a tenant, so it names no account."""

    model: Name
    feature: Name
    statistic: Literal["psi", "ks", "chi2", "calibration"]
    value: float
    threshold: float
    n: Annotated[int, Meta(ge=0)]
    account_id: Literal[""] = ""
