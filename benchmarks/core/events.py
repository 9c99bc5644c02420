"""A seeded stream of account events with the mix of a collections portfolio: 40 % money, 30 % CRM, 30 % interactions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from schemas import crm, interactions, payments
from schemas.envelope import Channel, Event

START = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")


class Portfolio:
    """Accounts of one tenant, and the events that happen to them as time passes."""

    def __init__(self, tenant_id: str, accounts: int, seed: int = 1) -> None:
        self.tenant_id = tenant_id
        self.random = Random(seed)
        self.accounts = [f"acc-{number:06d}" for number in range(accounts)]
        self.now = START
        self.number = 0
        self.open: dict[str, list[tuple[str, int]]] = {account: [] for account in self.accounts}
        self.sent: dict[str, str] = {}

    def events(self, count: int, accounts: int, seconds: float) -> list[Event]:
        """So many events of so many different accounts, within so many seconds."""
        chosen = self.random.sample(self.accounts, accounts)
        events = []
        for place in range(count):
            self.now += timedelta(seconds=seconds / count)
            self.number += 1
            events.append(self._event(chosen[place % accounts]))
        return events

    def first(self) -> Iterator[Event]:
        """What is known of every account from the beginning."""
        for account in self.accounts:
            self.number += 1
            yield self._profile(account)
            self.number += 1
            yield self._point(account, "email")

    def _envelope(self, account: str) -> dict[str, Any]:
        return {
            "event_id": f"evt-{self.number:012d}",
            "tenant_id": self.tenant_id,
            "account_id": account,
            "occurred_at": self.now,
            "source": "benchmark",
        }

    def _event(self, account: str) -> Event:
        kind = self.random.random()
        if kind < 0.4:
            return self._money(account)
        return self._crm(account) if kind < 0.7 else self._interaction(account)

    def _money(self, account: str) -> Event:
        random, envelope, owed = self.random, self._envelope(account), self.open[account]
        if not owed or (random.random() < 0.5 and len(owed) < 4):
            invoice, amount = f"inv-{self.number:09d}", random.randrange(1_000, 90_000)
            owed.append((invoice, amount))
            due = self.now + timedelta(days=random.choice((-25, -4, 1, 14, 30)))
            return payments.InvoiceIssued(
                **envelope, invoice_id=invoice, amount_minor=amount, currency="USD", due_at=due
            )
        payment = f"pay-{self.number:09d}"
        if random.random() < 0.08:
            return payments.PaymentFailed(
                **envelope, payment_id=payment, amount_minor=owed[0][1], currency="USD", code="insufficient_funds"
            )
        invoice, amount = owed.pop(0)
        if random.random() < 0.1 and amount > 2:
            owed.insert(0, (invoice, amount - amount // 2))
            amount //= 2
        named = () if random.random() < 0.2 else (payments.Allocation(invoice_id=invoice, amount_minor=amount),)
        return payments.PaymentReceived(
            **envelope, payment_id=payment, amount_minor=amount, currency="USD", allocations=named
        )

    def _profile(self, account: str) -> Event:
        random = self.random
        return crm.AccountUpdated(
            **self._envelope(account),
            name=f"Customer {account}",
            segment=random.choice(("household", "small_business")),
            language="en",
            time_zones=(random.choice(ZONES),),
            country="US",
            state=random.choice(("MA", "NY", "WA", "TX")),
        )

    def _point(self, account: str, channel: Channel) -> Event:
        address = f"{account}@example.com" if channel == "email" else f"+1617555{account[-4:]}"
        return crm.ContactPointUpdated(**self._envelope(account), channel=channel, address=address, verified=True)

    def _crm(self, account: str) -> Event:
        kind = self.random.random()
        if kind < 0.45:
            return self._profile(account)
        if kind < 0.75:
            channels: tuple[Channel, ...] = ("email", "sms", "call")
            return self._point(account, self.random.choice(channels))
        if kind < 0.92:
            granted = self.random.random() < 0.9
            envelope = self._envelope(account)
            return crm.ConsentChanged(**envelope, channel="sms", state="granted" if granted else "revoked")
        if kind < 0.96 and self.open[account]:
            invoice = self.open[account][0][0]
            return crm.DisputeOpened(**self._envelope(account), dispute_id=f"dis-{invoice}", invoice_id=invoice)
        return crm.HoldReleased(**self._envelope(account), hold_id=f"hold-{account}")

    def _interaction(self, account: str) -> Event:
        random, envelope = self.random, self._envelope(account)
        kind, known = random.random(), self.sent.get(account)
        if kind < 0.4 or known is None:
            self.sent[account] = contact = f"con-{self.number:012d}"
            return interactions.ContactSent(
                **envelope,
                contact_id=contact,
                decision_id=f"dec-{self.number:012d}",
                channel=random.choice(("email", "sms")),
                address=f"{account}@example.com",
                template="overdue_first",
            )
        if kind < 0.7:
            return interactions.ContactDelivered(**envelope, contact_id=known, channel="email")
        if kind < 0.82:
            return interactions.ContactOpened(**envelope, contact_id=known, channel="email")
        if kind < 0.92:
            return interactions.CallCompleted(**envelope, outcome=random.choice(("no_answer", "conversation")))
        if kind < 0.98:
            return interactions.ReplyReceived(**envelope, channel="email", text="I will look at it next week")
        day = (self.now + timedelta(days=7)).date()
        return interactions.PromiseMade(
            **envelope, promise_id=f"pro-{self.number}", amount_minor=5_000, currency="USD", due_on=day
        )
