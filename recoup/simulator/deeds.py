"""What a customer can do: pay or fail to, dispute, promise, write, move, and go under."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal

from models.clock import Instant
from recoup.simulator.portfolio import DAY, Account, Invoice, Payment
from schemas import crm, interactions, payments
from schemas.envelope import Event
from schemas.payments import Method

SOURCE = "simulator"
PAYMENTS, CRM, INTERACTIONS = "payment-events", "crm-events", "interaction-events"

Sent = tuple[str, Account, Event]
"""Topic, whose it is, event."""

SHORT_HOLDS = 0.7
"""Of the holds: they end by themselves after a `MOMENT` (milliseconds), when the account is looked at again."""
MOMENT = (5_000, 40_000)
WAYS_TO_PAY: tuple[Method, ...] = ("card", "direct_debit", "bank_transfer", "wallet")
OUTCOMES: tuple[Literal["verified", "upheld", "withdrawn"], ...] = ("verified", "upheld", "withdrawn")
FAILURES = ("insufficient_funds", "card_expired", "do_not_honor", "mandate_cancelled")
SAYINGS = {
    "en": (
        "I have already paid this.",
        "I cannot pay before the end of the month.",
        "Who are you? Wrong person.",
        "What is this for?",
    ),
    "de": ("Das habe ich schon bezahlt.", "Vor Monatsende kann ich nicht zahlen.", "Wofür ist das?"),
}


def moment(instant: Instant) -> datetime:
    """An instant as messages hold it."""
    return datetime.fromtimestamp(instant / 1000, UTC)


class Deeds:
    """Makes the events of what customers do, and keeps the account as its customer knows it up to date."""

    def __init__(self, random: Random, run: str) -> None:
        self.random = random
        self.run = run
        """Stands in every id, so that a second run in the same stack is no duplicate of the first."""
        self.numbered = 0

    def name(self, kind: str) -> str:
        """A new id."""
        self.numbered += 1
        return f"{kind}-{self.run}-{self.numbered}"

    def envelope(self, account: Account, at: Instant) -> dict[str, Any]:
        """What every event of an account holds."""
        self.numbered += 1
        return {
            "event_id": f"{self.run}-{self.numbered}",
            "tenant_id": account.business.tenant_id,
            "account_id": account.customer.account_id,
            "occurred_at": moment(at),
            "source": SOURCE,
        }

    def pay(self, account: Account, invoice: Invoice, now: Instant) -> list[Sent]:
        """Try to pay an invoice: it fails, is a part, or settles it."""
        chance = self.random.random
        amount, payment_id = invoice.left, self.name("PAY")
        method = self.random.choice(WAYS_TO_PAY)
        if chance() < account.customer.fails:
            failed = payments.PaymentFailed(
                **self.envelope(account, now),
                payment_id=payment_id,
                amount_minor=amount,
                currency=account.currency,
                code=self.random.choice(FAILURES),
                method=method,
                invoice_ids=(invoice.invoice_id,),
            )
            return [(PAYMENTS, account, failed)]
        if amount > 1 and chance() < account.customer.part:
            amount = max(1, round(amount * self.random.uniform(0.2, 0.8)))
        invoice.left -= amount
        if not invoice.left:
            self.close(account, invoice.invoice_id)
        account.last_payment = Payment(payment_id, amount)
        allocated = chance() < 0.8
        received = payments.PaymentReceived(
            **self.envelope(account, now),
            payment_id=payment_id,
            amount_minor=amount,
            currency=account.currency,
            allocations=(payments.Allocation(invoice_id=invoice.invoice_id, amount_minor=amount),) if allocated else (),
            method=method,
        )
        return [(PAYMENTS, account, received)]

    def dispute(self, account: Account, invoice: Invoice, now: Instant) -> Sent:
        """Say that an invoice is not owed."""
        dispute_id = self.name("DIS")
        invoice.disputed = True
        account.disputes[dispute_id] = invoice.invoice_id
        opened = crm.DisputeOpened(
            **self.envelope(account, now), dispute_id=dispute_id, invoice_id=invoice.invoice_id, form="electronic"
        )
        return CRM, account, opened

    def resolve(self, account: Account, now: Instant) -> Sent:
        """The oldest dispute is settled, one way or the other."""
        dispute_id, invoice_id = next(iter(account.disputes.items()))
        del account.disputes[dispute_id]
        outcome = self.random.choices(OUTCOMES, (0.5, 0.3, 0.2))[0]
        if outcome == "upheld":
            self.close(account, invoice_id)
        elif invoice_id in account.open:
            account.open[invoice_id].disputed = False
        resolved = crm.DisputeResolved(
            **self.envelope(account, now), dispute_id=dispute_id, invoice_id=invoice_id, outcome=outcome
        )
        return CRM, account, resolved

    def promise(self, account: Account, now: Instant, channel: Any) -> tuple[list[Sent], int]:
        """Promise to pay all that is open; also the days until it is kept, if it is."""
        owed = sum(invoice.left for invoice in account.open.values() if not invoice.disputed)
        if not owed:
            return [], 0
        days = self.random.randint(1, 5)
        made = interactions.PromiseMade(
            **self.envelope(account, now),
            promise_id=self.name("PRO"),
            amount_minor=owed,
            currency=account.currency,
            due_on=(moment(now) + timedelta(days=days)).date(),
            channel=channel,
        )
        return [(INTERACTIONS, account, made)], days

    def reply(self, account: Account, now: Instant, channel: Any, contact_id: str | None = None) -> Sent:
        """Write a line."""
        sayings = SAYINGS.get(account.region.language, SAYINGS["en"])
        said = interactions.ReplyReceived(
            **self.envelope(account, now), channel=channel, text=self.random.choice(sayings), contact_id=contact_id
        )
        return INTERACTIONS, account, said

    def opt_out(self, account: Account, now: Instant, channel: Any) -> Sent:
        """Ask for no more contacts on a channel."""
        account.silent.add(channel)
        out = interactions.OptOutReceived(**self.envelope(account, now), channel=channel, text="STOP")
        return INTERACTIONS, account, out

    def complain(self, account: Account, now: Instant, channel: Any) -> Sent:
        """Complain about a contact."""
        complaint = interactions.ComplaintReceived(
            **self.envelope(account, now), complaint_id=self.name("COM"), channel=channel, category="contact"
        )
        return INTERACTIONS, account, complaint

    def get_in_touch(self, account: Account, now: Instant) -> Sent:
        """The customer writes or calls without having been asked."""
        way = self.random.random()
        if way < 0.01:
            return self.opt_out(account, now, "sms" if account.phone else "email")
        if way < 0.45 or account.phone is None:
            return self.reply(account, now, "email")
        called = interactions.CallCompleted(
            **self.envelope(account, now),
            outcome="conversation",
            direction="inbound",
            address=account.phone,
            agent=f"agent-{self.random.randint(1, 12)}",
            handle_seconds=self.random.randint(20, 900),
        )
        return INTERACTIONS, account, called

    def about(self, account: Account, now: Instant) -> Event:
        """Who the customer is."""
        region = account.region
        return crm.AccountUpdated(
            **self.envelope(account, now),
            name=f"Customer {account.customer.account_id}",
            language=region.language,
            time_zones=(region.time_zone,) if account.zone_known else (),
            country=region.country,
            state=region.state,
            city=region.city,
            segment="business" if account.customer.habit == "disputing" else "private",
        )

    def contact_points(self, account: Account, now: Instant) -> list[Event]:
        """How the customer may be reached."""
        points = [self._contact_point(account, now, "email", account.email)]
        if account.post is not None:
            points.append(self._contact_point(account, now, "letter", account.post))
        if account.phone is not None:
            points += [self._contact_point(account, now, channel, account.phone) for channel in ("sms", "call")]
            if account.sms_consent:
                points.append(self.consent(account, now, "granted"))
        return points

    def _contact_point(self, account: Account, now: Instant, channel: Any, address: str) -> Event:
        return crm.ContactPointUpdated(
            **self.envelope(account, now),
            channel=channel,
            address=address,
            verified=True,
            line_type="mobile" if channel in ("sms", "call") else None,
        )

    def consent(self, account: Account, now: Instant, state: Any) -> Event:
        """Consent to text messages, given or taken back."""
        return crm.ConsentChanged(
            **self.envelope(account, now),
            channel="sms",
            state=state,
            address=account.phone,
            direct=True,
            form="electronic",
        )

    def do_something_else(self, account: Account, now: Instant) -> list[Sent]:
        """One of the rarer things of a customer's life, if it fits."""
        envelope = self.envelope(account, now)
        match self.random.randrange(9):
            case 0:
                return self.promise(account, now, "call")[0]
            case 1 if account.last_payment is not None:
                return [self._send_back(account, account.last_payment, envelope)]
            case 2 if account.open:
                invoice = next(iter(account.open.values()))
                change = -max(1, invoice.left // 10)
                if invoice.left + change <= 0:
                    return []
                invoice.left += change
                note = payments.InvoiceAdjusted(
                    **envelope,
                    invoice_id=invoice.invoice_id,
                    adjustment_id=self.name("ADJ"),
                    amount_minor=change,
                    currency=account.currency,
                    reason="credit note",
                )
                return [(PAYMENTS, account, note)]
            case 3 if account.open:
                invoice_id = next(reversed(account.open))
                self.close(account, invoice_id)
                return [(PAYMENTS, account, payments.InvoiceVoided(**envelope, invoice_id=invoice_id))]
            case 4 if account.open:
                return [self._announce(account, next(iter(account.open.values())), now, envelope)]
            case 5:
                return [self._hold(account, now, envelope)]
            case 6 if account.customer.habit == "insolvent":
                return [(CRM, account, crm.HardshipDeclared(**envelope))]
            case 7 if account.phone is not None:
                account.sms_consent = not account.sms_consent
                return [(CRM, account, self.consent(account, now, "granted" if account.sms_consent else "revoked"))]
            case 8:
                return [(CRM, account, self.about(account, now))]
        return []

    def _send_back(self, account: Account, payment: Payment, envelope: dict[str, Any]) -> Sent:
        account.last_payment = None
        reversal = payments.PaymentReversed(
            **envelope,
            reversal_id=self.name("REV"),
            payment_id=payment.payment_id,
            amount_minor=payment.amount,
            currency=account.currency,
            kind=self.random.choice(("refund", "chargeback", "return")),
        )
        return PAYMENTS, account, reversal

    def _announce(self, account: Account, invoice: Invoice, now: Instant, envelope: dict[str, Any]) -> Sent:
        kind = self.random.choice((payments.PaymentScheduled, payments.PaymentPending))
        announced = kind(
            **envelope,
            payment_id=self.name("PAY"),
            amount_minor=invoice.left,
            currency=account.currency,
            expected_at=moment(now + 3 * DAY),
            method="bank_transfer",
            invoice_ids=(invoice.invoice_id,),
        )
        return PAYMENTS, account, announced

    def _hold(self, account: Account, now: Instant, envelope: dict[str, Any]) -> Sent:
        """Hold the account, for good or for a moment, or release it."""
        account.held = not account.held
        hold_id = f"HOLD-{account.customer.account_id}"
        if not account.held:
            return CRM, account, crm.HoldReleased(**envelope, hold_id=hold_id)
        until = moment(now + self.random.randrange(*MOMENT)) if self.random.random() < SHORT_HOLDS else None
        return CRM, account, crm.HoldPlaced(**envelope, hold_id=hold_id, until=until)

    def close(self, account: Account, invoice_id: str) -> None:
        """An invoice is out of the world, and the disputes about it with it."""
        account.open.pop(invoice_id, None)
        for dispute_id in [d for d, disputed in account.disputes.items() if disputed == invoice_id]:
            del account.disputes[dispute_id]
