"""What is known of every account before the run begins: who they are, how they may be reached, what they owe and paid."""

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import Any

from models.calendar import DAY, HOUR, instant, utc
from models.clock import Instant
from recoup.simulator.world.population import NEVER, TERMS, Population, habit_of
from schemas import crm, interactions, payments
from schemas.envelope import Channel, Event, Hours

START_DATE = dt.date(2026, 9, 14)
"""A Monday. The clocks go back within the run, in Europe and in the United States, and NYC-1 is in force."""
START: Instant = instant(dt.datetime.combine(START_DATE, dt.time(), tzinfo=dt.UTC))
SOURCE = "world"

CONSENTS = {"sms": 0.72, "email": 0.60}
"""Given directly by the customer; most rules ask it of texts alone, Washington D.C. and New York City of e-mail too."""
FRESH_CONSENT = 0.4
"""Dated within the last weeks; of the others' numbers SCRUBBED are looked up in the reassigned-numbers database."""
SCRUBBED = 0.75
NOTICE_SENT = 0.9
"""Of the placed debts: the validation notice went out by letter when the debt was placed."""
INCONVENIENT, REFUSES_CALLS, WORK_PHONE = 0.03, 0.015, 0.02


class Opening:
    """The opening events of a population, each customer's from a generator of their own."""

    def __init__(self, population: Population, start: Instant = START) -> None:
        self.population = population
        self.start = start
        self._moments = population.moment.tolist()

    def events(self, customer: int) -> list[Event]:
        """In the order in which they happened to be told."""
        random = Random(f"{self.population.seed}:{customer}:opening")
        told = [*self._past(customer, random)]
        told += self._about(customer, random)
        told += self._points(customer, random)
        if self.population.third_party[customer]:
            told += self._placed(customer, random)
        told += self._owed(customer)
        return told

    def envelope(self, customer: int, what: str, at: Instant) -> dict[str, Any]:
        """What every event of an account holds."""
        population = self.population
        account = population.account_id(customer)
        return {
            "event_id": f"{account}:{what}",
            "tenant_id": population.tenant_ids[population.tenant[customer]],
            "account_id": account,
            "occurred_at": utc(at + self._moments[customer]),
            "source": SOURCE,
        }

    def _past(self, customer: int, random: Random) -> Iterator[Event]:
        """Invoices that were paid in the year before, as late as this customer pays."""
        population, habit = self.population, habit_of(self.population, customer)
        portfolio = population.portfolio
        if population.third_party[customer] or population.due_day[customer, 0] > portfolio.new_after:
            return
        mean, spread = habit.past_late
        count = min(12, round(random.expovariate(1 / habit.past_paid)))
        typical = float(population.amount[customer][population.amount[customer] > 0].mean())
        for number in range(count):
            name, amount = f"{population.account_id(customer)}-P{number}", round(typical * random.uniform(0.6, 1.5))
            due = self.start - DAY * (portfolio.paid_until + 25 * (count - number) + random.randrange(5))
            late = min(max(random.gauss(mean, spread), -10.0), 55.0)
            paid = min(due + round(late * DAY), self.start - DAY)
            currency = population.currency[customer]
            yield payments.InvoiceIssued(
                **self.envelope(customer, f"past:{number}", due - TERMS * DAY), history=True, invoice_id=name,
                amount_minor=amount, currency=currency, due_at=utc(due),
            )  # fmt: skip
            yield payments.PaymentReceived(
                **self.envelope(customer, f"past-paid:{number}", paid), history=True, payment_id=f"{name}-paid",
                amount_minor=amount, currency=currency, method="bank_transfer",
                allocations=(payments.Allocation(invoice_id=name, amount_minor=amount),),
            )  # fmt: skip

    def _about(self, customer: int, random: Random) -> Iterator[Event]:
        place = self.population.place_of(customer)
        yield crm.AccountUpdated(
            **self.envelope(customer, "about", self.start - 90 * DAY), name=f"Customer {customer}", language=place.language,
            time_zones=place.time_zones, country=place.country, state=place.state, city=place.city, zip=place.zip,
            segment="business" if self.population.business[customer] else "household",
            vip=True if random.random() < 0.01 else None,
        )  # fmt: skip
        if random.random() < INCONVENIENT:
            yield crm.ContactPreferenceChanged(
                **self.envelope(customer, "prefers", self.start - 40 * DAY),
                inconvenient=(Hours(start="08:00", end="12:00"),),
            )
        if random.random() < REFUSES_CALLS:
            yield crm.ContactPreferenceChanged(
                **self.envelope(customer, "no-calls", self.start - 39 * DAY),
                channels=("call", "voicemail"),
                refused=True,
            )

    def _points(self, customer: int, random: Random) -> Iterator[Event]:
        population, known = self.population, self.start - 90 * DAY
        number = population.number_of(customer)
        tenant = population.tenant_ids[population.tenant[customer]]
        if population.has_email[customer]:
            email = email_of(number, tenant)
            yield self._point(customer, "email", email, known)
            if random.random() < CONSENTS["email"]:
                yield self._consent(customer, "email", email, random)
        if population.has_post[customer]:
            city = population.place_of(customer).city or "Anytown"
            yield self._point(customer, "letter", f"{number} Example Street, {city}", known)
        if not population.has_phone[customer]:
            return
        phone = phone_of(number)
        yield self._point(customer, "call", phone, known, workplace=random.random() < WORK_PHONE)
        yield self._point(customer, "sms", phone, known)
        if random.random() < CONSENTS["sms"]:
            yield self._consent(customer, "sms", phone, random)
        if random.random() < SCRUBBED and not population.wrong_number[customer]:
            yield self.scrubbed(customer, self.start - DAY * random.randrange(1, 30))

    def scrubbed(self, customer: int, at: Instant) -> Event:
        """The number was looked up and belongs to nobody else."""
        phone = phone_of(self.population.number_of(customer))
        return crm.ContactPointChecked(
            **self.envelope(customer, f"scrubbed:{at}", at), address=phone, result="not_reassigned", channel="sms",
            line_type="mobile", database="rnd",
        )  # fmt: skip

    def _point(self, customer: int, channel: Channel, address: str, at: Instant, *, workplace: bool = False) -> Event:
        return crm.ContactPointUpdated(
            **self.envelope(customer, f"point:{channel}", at), channel=channel, address=address, verified=True,
            workplace=workplace, line_type="mobile" if channel in ("sms", "call") else None,
        )  # fmt: skip

    def _consent(self, customer: int, channel: Any, address: str, random: Random) -> Event:
        days = random.randrange(1, 20) if random.random() < FRESH_CONSENT else random.randrange(60, 88)
        return crm.ConsentChanged(
            **self.envelope(customer, f"consent:{channel}", self.start - days * DAY), channel=channel, state="granted",
            address=address, direct=True, form="written",
        )  # fmt: skip

    def _placed(self, customer: int, random: Random) -> Iterator[Event]:
        placed = self.start + int(self.population.issue_day[customer, 0]) * DAY
        debt, told = debt_of(customer), min(placed, self.start - DAY)
        defaulted = utc(told - DAY * random.randrange(120, 700)).date()
        yield crm.DebtPlaced(
            **self.envelope(customer, "placed", told), debt_id=debt, original_creditor="Northern Stores",
            defaulted_on=defaulted, secured_by="nothing",
            amount_minor=int(self.population.amount[customer, 0]), currency="USD",
        )  # fmt: skip
        if random.random() < NOTICE_SENT:
            yield interactions.ContactSent(
                **self.envelope(customer, "notice", told + HOUR), contact_id=f"{debt}:notice", channel="letter",
                purpose="validation_notice", debt_id=debt, template="validation_notice",
            )  # fmt: skip

    def _owed(self, customer: int) -> Iterator[Event]:
        for place, day in enumerate(self.population.issue_day[customer].tolist()):
            if day < 0 and day != NEVER:
                yield self.invoice(customer, place, self.start + day * DAY)

    def invoice(self, customer: int, place: int, at: Instant) -> Event:
        """An invoice is issued."""
        population = self.population
        return payments.InvoiceIssued(
            **self.envelope(customer, f"invoice:{place}", at), invoice_id=invoice_of(customer, place),
            amount_minor=int(population.amount[customer, place]), currency=population.currency[customer],
            due_at=utc(self.start + int(population.due_day[customer, place]) * DAY + 12 * HOUR),
            debt_id=debt_of(customer) if population.third_party[customer] else None,
        )  # fmt: skip


def invoice_of(customer: int, place: int) -> str:
    """The id of an invoice."""
    return f"INV-{customer:06d}-{place}"


def debt_of(customer: int) -> str:
    """The id of a placed debt."""
    return f"D{customer:06d}"


def email_of(number: int, tenant_id: str) -> str:
    """An address that reaches nobody."""
    return f"customer-{number}@{tenant_id}.example"


def phone_of(number: int) -> str:
    """A well-formed number of no country."""
    return f"+999{number:010d}"
