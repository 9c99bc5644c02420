"""A business under load: its accounts are invoiced, promise, dispute, are called, and pay in part, in whole or back."""

import itertools
import random
import threading
import time
from collections import defaultdict
from typing import Any

import msgspec

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from models.calendar import DAY, utc
from models.clock import WallClock

PAYMENTS, CRM, INTERACTIONS = "payment-events", "crm-events", "interaction-events"


class Business:
    """Makes events of a tenant's accounts, each by the clock."""

    def __init__(self, tenant_id: str, accounts: int) -> None:
        self.tenant_id = tenant_id
        self.accounts = accounts
        self.random = random.Random(11)
        self.numbers = itertools.count(1)
        self.invoices: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        self.payments: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)

    def event(self, account_id: str | None = None) -> tuple[str, dict[str, Any]]:
        """The next event, of some account, and its topic."""
        account_id = account_id or f"a{self.random.randrange(self.accounts)}"
        number = next(self.numbers)
        envelope = {
            "event_id": f"e{number}", "tenant_id": self.tenant_id, "account_id": account_id, "source": "test",
            "occurred_at": utc(WallClock().now()),
        }  # fmt: skip
        make = self._invoice
        if self.invoices[account_id]:
            kinds = (self._invoice, self._payment, self._back, self._person, self._trouble, self._talk)
            (make,) = self.random.choices(kinds, (3, 4, 1, 1, 1, 2))
        topic, fields = make(account_id, f"n{number}")
        return topic, envelope | fields

    def _invoice(self, account_id: str, name: str) -> tuple[str, dict[str, Any]]:
        cents = self.random.randrange(10_00, 900_00)
        self.invoices[account_id].append((name, cents))
        issued = WallClock().now() - self.random.randrange(60 * DAY)
        return PAYMENTS, {
            "type": "invoice.issued", "invoice_id": name, "amount_minor": cents, "currency": "USD",
            "occurred_at": utc(issued), "due_at": utc(issued + 30 * DAY),
            "delivery": self.random.choice(["electronic", "paper"]),
        }  # fmt: skip

    def _payment(self, account_id: str, name: str) -> tuple[str, dict[str, Any]]:
        invoice, cents = self.random.choice(self.invoices[account_id])
        paid = cents if self.random.random() < 0.6 else cents // 3
        self.payments[account_id].append((name, paid))
        money = {"payment_id": name, "amount_minor": paid, "currency": "USD"}
        return PAYMENTS, {
            "type": "payment.received", "allocations": [{"invoice_id": invoice, "amount_minor": paid}], **money
        }  # fmt: skip

    def _back(self, account_id: str, name: str) -> tuple[str, dict[str, Any]]:
        if not self.payments[account_id]:
            return self._payment(account_id, name)
        payment, cents = self.payments[account_id].pop()
        money = {"payment_id": payment, "amount_minor": cents, "currency": "USD"}
        return PAYMENTS, {"type": "payment.reversed", "reversal_id": name, "kind": "chargeback", **money}

    def _person(self, account_id: str, name: str) -> tuple[str, dict[str, Any]]:
        if self.random.random() < 0.5:
            return CRM, {"type": "account.updated", "language": "en", "segment": name}
        return CRM, {"type": "contact_point.updated", "channel": "email", "address": f"{account_id}@customer.example"}

    def _trouble(self, account_id: str, name: str) -> tuple[str, dict[str, Any]]:
        if self.random.random() < 0.3:
            return CRM, {"type": "hardship.declared"}
        invoice, _ = self.random.choice(self.invoices[account_id])
        return CRM, {"type": "dispute.opened", "dispute_id": name, "invoice_id": invoice}

    def _talk(self, account_id: str, name: str) -> tuple[str, dict[str, Any]]:
        if self.random.random() < 0.5:
            outcome = self.random.choice(["conversation", "voicemail", "no_answer"])
            return INTERACTIONS, {"type": "call.completed", "outcome": outcome}
        invoice, cents = self.random.choice(self.invoices[account_id])
        due_on = f"{utc(WallClock().now() + 5 * DAY):%Y-%m-%d}"
        promise = {"promise_id": name, "amount_minor": cents, "currency": "USD", "due_on": due_on}
        return INTERACTIONS, {"type": "promise.made", "invoice_ids": [invoice], **promise}


class Stream(threading.Thread):
    """Sends events at a steady rate until it is ended."""

    def __init__(self, kafka: KafkaSettings, business: Business, per_second: float) -> None:
        super().__init__(daemon=True)
        self.business = business
        self.per_second = per_second
        self.producer = clients.producer(kafka)
        self.sent = 0
        self.held_up = 0.0
        """Seconds that it was behind its rate at most: the machine itself stood still for so long."""
        self._ended = threading.Event()
        self._progress = threading.Condition()

    def send(self, account_id: str | None = None) -> None:
        """Send one event, of some account."""
        topic, event = self.business.event(account_id)
        self.producer.produce(
            topic, msgspec.json.encode(event), f"{self.business.tenant_id}|{event['account_id']}".encode()
        )
        self.producer.poll(0)
        with self._progress:
            self.sent += 1
            self._progress.notify_all()

    def run(self) -> None:
        """Until it is ended."""
        began, first = time.monotonic(), self.sent
        while not self._ended.is_set():
            late = time.monotonic() - began - (self.sent - first) / self.per_second
            if late < 0:
                self._ended.wait(-late)
            else:
                self.held_up = max(self.held_up, late)
                self.send()

    def wait_for(self, more: int) -> None:
        """Wait until so many more have been sent."""
        wanted = self.sent + more
        with self._progress:
            assert self._progress.wait_for(lambda: self.sent >= wanted, 30)

    def end(self) -> None:
        """Send no more; all of it is in Kafka."""
        self._ended.set()
        self.join()
        assert self.producer.flush(15) == 0
