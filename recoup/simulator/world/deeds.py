"""The events of what customers of the world do; nothing here decides whether they do it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

from models.calendar import utc
from models.clock import Instant
from recoup.simulator.world.opening import SOURCE, debt_of, phone_of
from recoup.simulator.world.population import Population
from schemas import crm, interactions, payments
from schemas.envelope import Event

PAYS_BY: tuple[payments.Method, ...] = ("bank_transfer", "card", "direct_debit", "wallet")
FAILURES = ("insufficient_funds", "card_expired", "do_not_honor", "mandate_cancelled")
SAYINGS = {
    "en": (
        "I cannot pay before the end of the month.",
        "Thanks, I will pay on Friday.",
        "What is this invoice for?",
        "I have already paid this.",
    ),
    "de": (
        "Vor Monatsende kann ich nicht zahlen.",
        "Danke, ich zahle am Freitag.",
        "Wofür ist diese Rechnung?",
        "Das habe ich schon bezahlt.",
    ),
}

Part = tuple[str, int]
"""Invoice and minor units."""


class Deeds:
    """Makes events, each with an id of its own."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.numbered = 0
        self._who = [
            (population.tenant_ids[population.tenant[customer]], population.account_id(customer))
            for customer in range(population.size)
        ]
        self._moments = population.moment.tolist()
        self._debt = [debt_of(c) if placed else None for c, placed in enumerate(population.third_party.tolist())]

    def envelope(self, customer: int, at: Instant) -> dict[str, Any]:
        """What every event of an account holds."""
        self.numbered += 1
        tenant, account = self._who[customer]
        return {
            "event_id": f"w{self.numbered}",
            "tenant_id": tenant,
            "account_id": account,
            "occurred_at": utc(at + self._moments[customer]),
            "source": SOURCE,
        }

    def paid(self, customer: int, at: Instant, parts: Sequence[Part]) -> payments.PaymentReceived:
        """Money has come, for these invoices."""
        envelope = self.envelope(customer, at)
        return payments.PaymentReceived(
            **envelope,
            payment_id=f"PAY-{self.numbered}",
            amount_minor=sum([amount for _, amount in parts]),
            currency=self.population.currency[customer],
            allocations=tuple([payments.Allocation(invoice_id=name, amount_minor=amount) for name, amount in parts]),
            method=PAYS_BY[customer % len(PAYS_BY)],
        )

    def bounced(self, customer: int, at: Instant, parts: Sequence[Part]) -> Event:
        """A payment was tried and failed."""
        envelope = self.envelope(customer, at)
        return payments.PaymentFailed(
            **envelope,
            payment_id=f"PAY-{self.numbered}",
            amount_minor=sum([amount for _, amount in parts]),
            currency=self.population.currency[customer],
            code=FAILURES[customer % len(FAILURES)],
            method=PAYS_BY[customer % len(PAYS_BY)],
            invoice_ids=tuple([name for name, _ in parts]),
        )

    def sent_back(self, customer: int, at: Instant, payment_id: str, amount: int) -> Event:
        """The money of a payment has gone back."""
        envelope = self.envelope(customer, at)
        return payments.PaymentReversed(
            **envelope,
            reversal_id=f"REV-{self.numbered}",
            payment_id=payment_id,
            amount_minor=amount,
            currency=self.population.currency[customer],
            kind="chargeback",
        )

    def written_off(self, customer: int, at: Instant, invoice_id: str) -> Event:
        """The rest of an invoice was given up."""
        return payments.InvoiceWrittenOff(**self.envelope(customer, at), invoice_id=invoice_id, reason="not recovered")

    def credited(self, customer: int, at: Instant, invoice_id: str, amount: int) -> Event:
        """A credit note over what was left of an invoice."""
        envelope = self.envelope(customer, at)
        return payments.InvoiceAdjusted(
            **envelope,
            invoice_id=invoice_id,
            adjustment_id=f"ADJ-{self.numbered}",
            amount_minor=-amount,
            currency=self.population.currency[customer],
            reason="dispute upheld",
        )

    def plan(self, customer: int, at: Instant, amounts: Sequence[int], every_days: int) -> list[Event]:
        """A plan is offered and taken; the first instalment is due after one period."""
        offered = self.envelope(customer, at)
        plan_id, first = f"PLAN-{self.numbered}", utc(at).date()
        instalments = tuple(
            payments.Instalment(amount_minor=amount, due_on=first + dt.timedelta(days=every_days * number))
            for number, amount in enumerate(amounts, start=1)
        )
        currency = self.population.currency[customer]
        return [
            payments.PlanOffered(**offered, plan_id=plan_id, currency=currency, instalments=instalments),
            payments.PlanAccepted(**self.envelope(customer, at), plan_id=plan_id, currency=currency),
        ]

    def plan_ended(self, customer: int, at: Instant, plan_id: str, *, completed: bool) -> Event:
        kind: type[Any] = payments.PlanCompleted if completed else payments.PlanBroken
        event: Event = kind(**self.envelope(customer, at), plan_id=plan_id)
        return event

    def promised(self, customer: int, at: Instant, amount: int, days: int, channel: Any) -> Event:
        """The customer has promised to pay."""
        envelope = self.envelope(customer, at)
        return interactions.PromiseMade(
            **envelope,
            promise_id=f"PRO-{self.numbered}",
            amount_minor=amount,
            currency=self.population.currency[customer],
            due_on=utc(at).date() + dt.timedelta(days=days),
            channel=channel,
        )

    def disputed(self, customer: int, at: Instant, dispute_id: str, invoice_id: str) -> Event:
        return crm.DisputeOpened(
            **self.envelope(customer, at), dispute_id=dispute_id, invoice_id=invoice_id, form="electronic",
            debt_id=self._debt[customer],
        )  # fmt: skip

    def resolved(
        self, customer: int, at: Instant, dispute_id: str, outcome: Literal["verified", "upheld", "withdrawn"]
    ) -> Event:
        return crm.DisputeResolved(**self.envelope(customer, at), dispute_id=dispute_id, outcome=outcome)

    def opted_out(self, customer: int, at: Instant, channel: Any) -> Event:
        """By text the customer answers STOP; elsewhere somebody writes it down."""
        if channel == "sms":
            return interactions.ReplyReceived(
                **self.envelope(customer, at), channel="sms", text="STOP",
                address=phone_of(self.population.number_of(customer)),
            )  # fmt: skip
        return interactions.OptOutReceived(**self.envelope(customer, at), channel=channel)

    def complained(self, customer: int, at: Instant, channel: Any) -> Event:
        return interactions.ComplaintReceived(**self.envelope(customer, at), channel=channel, category="contact")

    def said(self, customer: int, at: Instant, channel: Any, which: float, contact_id: str | None = None) -> Event:
        """The customer writes a line."""
        sayings = SAYINGS[self.population.place_of(customer).language]
        text = sayings[min(int(which * len(sayings)), len(sayings) - 1)]
        return interactions.ReplyReceived(
            **self.envelope(customer, at), channel=channel, text=text, contact_id=contact_id
        )

    def called(
        self, contact: Any, customer: int, at: Instant, outcome: interactions.CallOutcome, agent: str | None = None,
        seconds: float | None = None,
    ) -> Event:  # fmt: skip
        return interactions.CallCompleted(
            **self.envelope(customer, at), outcome=outcome, contact_id=contact.contact_id, address=contact.address,
            decision_id=contact.decision_id, debt_id=contact.debt_id, mode=contact.mode, purpose=contact.purpose,
            agent=agent, handle_seconds=seconds,
        )  # fmt: skip

    def left(self, contact: Any, customer: int, at: Instant) -> interactions.ContactSent:
        """A requested contact has left, as dispatch reports it."""
        return interactions.ContactSent(
            **self.envelope(customer, at), contact_id=contact.contact_id, channel=contact.channel,
            decision_id=contact.decision_id, address=contact.address, debt_id=contact.debt_id, purpose=contact.purpose,
            mode=contact.mode, template=contact.template, invoice_ids=contact.invoice_ids, provider=SOURCE,
        )  # fmt: skip

    def reported(self, kind: type[Any], contact: Any, customer: int, at: Instant) -> Event:
        """Delivered, opened or bounced."""
        event: Event = kind(
            **self.envelope(customer, at), contact_id=contact.contact_id, channel=contact.channel,
            decision_id=contact.decision_id, address=contact.address,
        )  # fmt: skip
        return event

    def happened(self, of: type[Any], customer: int, at: Instant, **fields: Any) -> Event:
        """One of the rarer things of a customer's life."""
        event: Event = of(**self.envelope(customer, at), **fields)
        return event
