"""payment-events: invoices and the money that arrives, fails or comes back. The only source of balances."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.envelope import Amount, Currency, Day, Event, Id, Money, Name, Text, Timestamp

Delivery = Literal["electronic", "paper"]
"""How an invoice reached the customer."""

Method = Literal["card", "direct_debit", "bank_transfer", "cash", "cheque", "wallet", "other"]


class Allocation(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The part of a payment that pays one invoice."""

    invoice_id: Id
    amount_minor: Amount


class Instalment(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One part of a payment plan."""

    amount_minor: Amount
    due_on: Day


class InvoiceIssued(Event, frozen=True, kw_only=True, tag="invoice.issued"):
    """An invoice or instalment is owed. No `issued_at` = when it occurred; no `debt_id` = the account's one debt."""

    invoice_id: Id
    amount_minor: Amount
    currency: Currency
    due_at: Timestamp
    issued_at: Timestamp | None = None
    debt_id: Id | None = None
    delivery: Delivery | None = None


class InvoiceAdjusted(Event, frozen=True, kw_only=True, tag="invoice.adjusted"):
    """A credit note (negative) or a debit note (positive) on an invoice."""

    invoice_id: Id
    adjustment_id: Id
    amount_minor: Money
    currency: Currency
    reason: Text | None = None


class InvoiceVoided(Event, frozen=True, kw_only=True, tag="invoice.voided"):
    """The invoice should never have been issued; what was paid on it becomes credit on account."""

    invoice_id: Id
    reason: Text | None = None


class InvoiceWrittenOff(Event, frozen=True, kw_only=True, tag="invoice.written_off"):
    """The creditor has given the rest of the invoice up."""

    invoice_id: Id
    reason: Text | None = None


class PaymentScheduled(Event, frozen=True, kw_only=True, tag="payment.scheduled"):
    """The customer has ordered a payment for later; it is waited for."""

    payment_id: Id
    amount_minor: Amount
    currency: Currency
    expected_at: Timestamp | None = None
    method: Method | None = None
    invoice_ids: tuple[Id, ...] = ()


class PaymentPending(Event, frozen=True, kw_only=True, tag="payment.pending"):
    """A payment is on its way and not yet certain; it is waited for."""

    payment_id: Id
    amount_minor: Amount
    currency: Currency
    expected_at: Timestamp | None = None
    method: Method | None = None
    invoice_ids: tuple[Id, ...] = ()


class PaymentReceived(Event, frozen=True, kw_only=True, tag="payment.received"):
    """Money has arrived. No allocations = oldest due first; what is not allocated is credit on account."""

    payment_id: Id
    amount_minor: Amount
    currency: Currency
    allocations: tuple[Allocation, ...] = ()
    method: Method | None = None


class PaymentFailed(Event, frozen=True, kw_only=True, tag="payment.failed"):
    """An attempt to pay did not succeed; `code` is the processor's, such as `insufficient_funds`."""

    payment_id: Id
    amount_minor: Amount
    currency: Currency
    code: Name
    method: Method | None = None
    retry_at: Timestamp | None = None
    invoice_ids: tuple[Id, ...] = ()


class PaymentReversed(Event, frozen=True, kw_only=True, tag="payment.reversed"):
    """Money of an earlier payment has gone back; what it paid is open again."""

    reversal_id: Id
    payment_id: Id
    amount_minor: Amount
    currency: Currency
    kind: Literal["refund", "chargeback", "return"]
    reason: Text | None = None


class PlanOffered(Event, frozen=True, kw_only=True, tag="plan.offered"):
    """A payment plan was put to the customer."""

    plan_id: Id
    currency: Currency
    instalments: Annotated[tuple[Instalment, ...], Meta(min_length=1, max_length=600)]
    debt_id: Id | None = None
    invoice_ids: tuple[Id, ...] = ()
    expires_at: Timestamp | None = None


class PlanAccepted(Event, frozen=True, kw_only=True, tag="plan.accepted"):
    """The customer has agreed to a plan. No instalments = those of the offer."""

    plan_id: Id
    currency: Currency | None = None
    instalments: Annotated[tuple[Instalment, ...], Meta(max_length=600)] = ()
    debt_id: Id | None = None
    invoice_ids: tuple[Id, ...] = ()


class PlanInstalmentDue(Event, frozen=True, kw_only=True, tag="plan.instalment_due"):
    """The date of an instalment has come; `instalment` counts from 1."""

    plan_id: Id
    instalment: Annotated[int, Meta(ge=1, le=600)]
    amount_minor: Amount
    currency: Currency
    due_on: Day


class PlanBroken(Event, frozen=True, kw_only=True, tag="plan.broken"):
    """The plan is off; the whole debt may be chased again."""

    plan_id: Id
    reason: Text | None = None


class PlanCompleted(Event, frozen=True, kw_only=True, tag="plan.completed"):
    """Every instalment of the plan was paid."""

    plan_id: Id


class SettlementOffered(Event, frozen=True, kw_only=True, tag="settlement.offered"):
    """Less than the debt would be taken as payment in full, if it arrives by `due_on`."""

    settlement_id: Id
    amount_minor: Amount
    currency: Currency
    due_on: Day
    debt_id: Id | None = None
    invoice_ids: tuple[Id, ...] = ()


class SettlementAccepted(Event, frozen=True, kw_only=True, tag="settlement.accepted"):
    """The customer has agreed to a settlement."""

    settlement_id: Id
    amount_minor: Amount
    currency: Currency
    due_on: Day
    debt_id: Id | None = None
    invoice_ids: tuple[Id, ...] = ()


class AccountBalanceAsserted(Event, frozen=True, kw_only=True, tag="account.balance_asserted"):
    """What the billing system says is owed in a currency (negative = credit); compared with ours, never taken over."""

    amount_minor: Money
    currency: Currency
    open_invoices: Annotated[int, Meta(ge=0)] | None = None
