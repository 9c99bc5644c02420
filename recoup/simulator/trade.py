"""The life of a portfolio: customers are taken on, invoiced, and visited day by day."""

from collections.abc import Sequence
from random import Random

from models.clock import Instant
from recoup.simulator.deeds import CRM, PAYMENTS, Deeds, Sent, moment
from recoup.simulator.portfolio import DAY, Account, Business, Invoice, account_at
from schemas import payments
from schemas.envelope import Event

NEW_INVOICE = 0.45
"""Per account and business day: many more than in life, so that a minute shows a quarter."""
MOST_OPEN = 6
"""Past so many open invoices a business writes the oldest off."""
STEP_DUE_TODAY = 0.15
"""Of the new invoices: dated so that a step of the strategy is due today."""
HISTORY = 0.3
"""Of the accounts: they bring paid invoices of the past."""


class Trade:
    """The life of a portfolio. The same seed and the same calls give the same events, apart from their dates.

    A business day has passed when every account was visited once on average, at whatever pace that is.
    """

    def __init__(self, seed: int, businesses: Sequence[Business], run: str) -> None:
        self.random = Random(f"{seed}:trade")
        self.seed = seed
        self.businesses = businesses
        self.deeds = Deeds(self.random, run)
        self.accounts: list[Account] = []
        self.by_key: dict[bytes, Account] = {}
        self.day = 0.0

    def open_account(self, now: Instant) -> list[Sent]:
        """Take the next customer on: who they are, how they may be reached, what they owe."""
        account = account_at(self.seed, len(self.accounts), self.businesses)
        self.accounts.append(account)
        self.by_key[account.key] = account
        events: list[Event] = [self.deeds.about(account, now), *self.deeds.contact_points(account, now)]
        sent: list[Sent] = [(CRM, account, event) for event in events]
        if self.random.random() < HISTORY:
            sent += [(PAYMENTS, account, event) for event in self._paid_past(account, now)]
        for _ in range(1 + (self.random.random() < 0.3)):
            sent += self._invoice(account, now, backdated=True)
        return sent

    def _paid_past(self, account: Account, now: Instant) -> list[Event]:
        """A paid invoice of the past, as early or late as this customer pays."""
        invoice_id, amount = self.deeds.name("INV"), account.amount(self.random)
        due = now - DAY * self.random.randint(90, 300)
        paid = due + round(DAY * min(self.random.uniform(*account.customer.ages), 60))
        issued = min(due - 30 * DAY, paid - DAY)
        return [
            payments.InvoiceIssued(
                **self.deeds.envelope(account, issued),
                history=True,
                invoice_id=invoice_id,
                amount_minor=amount,
                currency=account.currency,
                due_at=moment(due),
            ),
            payments.PaymentReceived(
                **self.deeds.envelope(account, paid),
                history=True,
                payment_id=self.deeds.name("PAY"),
                amount_minor=amount,
                currency=account.currency,
                allocations=(payments.Allocation(invoice_id=invoice_id, amount_minor=amount),),
                method="bank_transfer",
            ),
        ]

    def visit(self, now: Instant) -> list[Sent]:
        """One business day of one account; may be a quiet one."""
        account = self.random.choice(self.accounts)
        self.day += 1 / len(self.accounts)
        chance = self.random.random
        sent: list[Sent] = []
        if chance() < NEW_INVOICE:
            sent += self._invoice(account, now, backdated=False)
        for invoice in tuple(account.open.values()):
            if not invoice.disputed and chance() < self._willing(account, invoice, now):
                sent += self.deeds.pay(account, invoice, now)
        if account.disputes and chance() < 0.15:
            sent.append(self.deeds.resolve(account, now))
        if chance() < 0.10:
            sent.append(self.deeds.get_in_touch(account, now))
        if chance() < 0.06:
            sent += self.deeds.do_something_else(account, now)
        return sent

    def _willing(self, account: Account, invoice: Invoice, now: Instant) -> float:
        customer = account.customer
        age = now - invoice.due_at
        if age < 0:
            return customer.pays_before_due
        return customer.pays_when_due if age < 7 * DAY else customer.pays_later

    def _invoice(self, account: Account, now: Instant, *, backdated: bool) -> list[Sent]:
        random = self.random
        if len(account.open) >= MOST_OPEN:
            return [self._write_off(account, now)]
        if random.random() < STEP_DUE_TODAY:
            due = now - DAY * random.choice(account.business.step_days)
        else:
            due = now - round(DAY * random.uniform(*account.customer.ages))
        issued = min(due - 30 * DAY, now)
        invoice = Invoice(self.deeds.name("INV"), account.amount(random), due)
        account.open[invoice.invoice_id] = invoice
        event = payments.InvoiceIssued(
            **self.deeds.envelope(account, issued if backdated else now),
            invoice_id=invoice.invoice_id,
            amount_minor=invoice.left,
            currency=account.currency,
            issued_at=moment(issued),
            due_at=moment(due),
        )
        sent: list[Sent] = [(PAYMENTS, account, event)]
        if random.random() < account.customer.disputes:
            sent.append(self.deeds.dispute(account, invoice, now))
        return sent

    def _write_off(self, account: Account, now: Instant) -> Sent:
        invoice_id = next(iter(account.open))
        self.deeds.close(account, invoice_id)
        return (
            PAYMENTS,
            account,
            payments.InvoiceWrittenOff(
                **self.deeds.envelope(account, now), invoice_id=invoice_id, reason="uncollectible"
            ),
        )
