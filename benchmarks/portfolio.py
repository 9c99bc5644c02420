"""A seeded stream of account events with the mix of a collections portfolio: 40 % money, 30 % CRM, 30 % interactions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from schemas import crm, interactions, payments
from schemas.control import Limits, Strategy, Tenant
from schemas.envelope import Channel, Event, account_key
from schemas.strategies import Step

START = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
TENANT = Tenant(
    tenant_id="bench",
    name="Benchmark",
    currencies=("USD",),
    time_zone="America/New_York",
    country="US",
    state="TX",
    live_since=None,
    strategy=Strategy(
        name="bench",
        steps=(
            Step(id="reminder", at_days=-3, channel="email", template="reminder"),
            Step(id="overdue-1", at_days=1, channel="email", template="overdue_first"),
            Step(id="overdue-2", at_days=5, channel="sms", template="overdue_short"),
            Step(id="overdue-3", at_days=12, channel="email", template="overdue_second"),
            Step(id="to-person", at_days=45, action="hand_to_person"),
        ),
    ),
    limits=Limits(min_hours_between_contacts=24, max_contacts_per_7_days=3),
)
TOPIC_OF = {
    payments.__name__: "payment-events",
    crm.__name__: "crm-events",
    interactions.__name__: "interaction-events",
}
"""The module of an event's Struct -> its topic."""
BATCH = 5_000
"""Events over half as many accounts: what one poll of decide holds at most."""
WARM_HOURS = 12.0
"""Of the portfolio's time, in one batch before the clock starts; afterwards a minute."""

Ready = tuple[str, bytes, bytes]
"""Topic, key, value."""

encode = msgspec.json.Encoder().encode
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")


class Portfolio:
    """Accounts of one tenant, and the events that happen to them as time passes."""

    def __init__(self, accounts: int, start: datetime = START, seed: int = 1) -> None:
        self.tenant_id = TENANT.tenant_id
        self.random = Random(seed)
        self.accounts = [f"acc-{number:06d}" for number in range(accounts)]
        self.now = start
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
            city=random.choice(("Brooklyn", "Albany")),
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


def messages(accounts: int, warm: int, measured: int, until: datetime) -> tuple[list[Ready], list[Ready]]:
    """A portfolio's past, `warm` events an account, and what is measured; the last of it happens at `until`.

    What is measured comes in batches of BATCH events over half as many accounts.
    """
    batch = min(BATCH, 2 * accounts)
    before = -(-accounts * warm // batch)
    past = timedelta(hours=WARM_HOURS) * before + timedelta(minutes=-(-measured // batch))
    portfolio = Portfolio(accounts, until - past)
    first = [ready(event) for event in portfolio.first()]
    for _ in range(before):
        first += [ready(event) for event in portfolio.events(batch, batch // 2, WARM_HOURS * 3_600)]
    rest: list[Ready] = []
    while len(rest) < measured:
        rest += [ready(event) for event in portfolio.events(batch, batch // 2, 60)]
    return first, rest


def ready(event: Event) -> Ready:
    """An event as it is sent."""
    return TOPIC_OF[type(event).__module__], account_key(event.tenant_id, event.account_id), encode(event)
