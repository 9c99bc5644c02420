"""The life of a population under one policy: what customers do by themselves, day by day, and what they have heard.

Everything that is drawn comes from `draws`, addressed by customer, day and purpose; what differs between two policies
is only what customers have heard, and what follows from it.
"""

import datetime as dt
import heapq
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calendar import DAY, HOUR, utc
from models.clock import Instant
from recoup.simulator.world import habits
from recoup.simulator.world.deeds import Deeds, Part
from recoup.simulator.world.draws import Uniforms
from recoup.simulator.world.fate import befall
from recoup.simulator.world.habits import NAMES, STRONGEST
from recoup.simulator.world.house import BARE, House
from recoup.simulator.world.opening import Opening, invoice_of
from recoup.simulator.world.population import NEVER, Population
from recoup.simulator.world.purposes import Purpose
from recoup.simulator.world.tally import Tally
from schemas.envelope import Event

Act = Callable[[Instant], list[Event]]
Happened = tuple[int, Event]
"""Customer and event."""

PAYDAYS = (1, 2, 3, 15, 16, 25, 26, 28)
"""Days of the month on which money is there; consumers pay a little more then."""
PAYDAY = 0.35
WEEKEND = {True: -1.8, False: -0.2}
"""Log-odds, for businesses and consumers."""
HALF = 0.5 ** (1 / habits.HALF_LIFE_DAYS)
FORGETS = float(np.exp(-1 / habits.MEMORY_DAYS))
INSTALMENTS, EVERY_DAYS = 6, 14
PERSON_DAYS = 30


class Life:
    """All customers' lives. Arrays are by customer, or by customer and invoice."""

    def __init__(self, population: Population, opening: Opening, days: int, house: House = BARE) -> None:
        size = population.size
        self.population, self.opening, self.draws = population, opening, population.draws
        self.house = house
        self.start = opening.start
        self.start_date = utc(opening.start).date()
        self.deeds = Deeds(population)
        self.tally = Tally(population, days)
        self.day = 0
        self.left = np.where(population.issue_day < 0, population.amount, 0)
        """Minor units unpaid of what has been issued."""
        self.disputed = np.zeros((size, population.invoices), dtype=bool)
        self.written_off = np.zeros((size, population.invoices), dtype=bool)
        self.moved = np.zeros(size)
        """Log-odds that recent contacts add."""
        self.remembers = np.zeros(size)
        """Recent contacts, as they are remembered."""
        self.angry = np.zeros(size)
        self.helped_until = np.full(size, -1)
        self.held_until = np.full(size, -1)
        """Credit hold."""
        self.gone = np.zeros(size, dtype=bool)
        """Bankrupt or dead: pays no more by itself."""
        self.in_plan = np.zeros(size, dtype=bool)
        self.hard = np.zeros(size, dtype=bool)
        """Has declared hardship."""
        self.promised = np.zeros(size, dtype=bool)
        self._due: list[tuple[Instant, int, int, Act]] = []
        self._numbered = 0
        self._codes: dict[str, int] = {name: number for number, name in enumerate(NAMES)}

    # -- time ----------------------------------------------------------------------------------------------------------

    def later(self, at: Instant, customer: int, act: Act) -> None:
        """Something will happen; acts of one instant come in the order in which they were foreseen."""
        self._numbered += 1
        heapq.heappush(self._due, (at, self._numbered, customer, act))

    def tell(self, at: Instant, customer: int, *events: Event) -> None:
        """These events will be heard of at an instant."""
        told = list(events)
        self.later(at, customer, lambda _: told)

    def due(self, now: Instant) -> list[Happened]:
        """What has happened by now."""
        happened: list[Happened] = []
        due = self._due
        while due and due[0][0] <= now:
            at, _, customer, act = heapq.heappop(due)
            happened += [(customer, event) for event in act(at)]
        return happened

    def begin(self, day: int) -> None:
        """A day begins: what was heard fades, and everybody's luck of the day is drawn."""
        self.day = day
        self.moved *= HALF
        self.remembers *= FORGETS
        self._issue(day)
        if self.house.written_off_after is not None:
            self._write_off(day, self.house.written_off_after)
        self._pay(day)
        self._dispute(day)
        befall(self, day)

    def end(self, day: int) -> None:
        """A day ends: what is overdue is counted."""
        population, tally = self.population, self.tally
        due = population.due_day
        cents = (self.left * (due < day)).sum(axis=1) * population.rate
        tally.overdue_cents += cents
        tally.overdue_by_day[day] = cents.sum()
        tally.became_due += (population.amount * (due == day)).sum(axis=1) * population.rate
        if day == 0:
            tally.became_due += (population.amount * (due < 0)).sum(axis=1) * population.rate

    def _at(self, customer: int, day: int, purpose: int) -> Instant:
        """An hour of the customer's waking day, in UTC whole hours."""
        return self.start + day * DAY + HOUR * (7 + int(15 * self.draws.one(customer, day, purpose)))

    # -- invoices and money --------------------------------------------------------------------------------------------

    def _issue(self, day: int) -> None:
        for customer, place in np.argwhere(self.population.issue_day == day).tolist():
            at = self.start + day * DAY + HOUR * (6 + customer % 10)
            self.later(at, customer, self._issuing(customer, place))

    def _issuing(self, customer: int, place: int) -> Act:
        def act(at: Instant) -> list[Event]:
            self.left[customer, place] = self.population.amount[customer, place]
            return [self.opening.invoice(customer, place, at)]

        return act

    def _write_off(self, day: int, after: int) -> None:
        old = (self.left > 0) & ~self.disputed & (self.population.due_day < day - after)
        for customer, place in np.argwhere(old & ~self.in_plan[:, None]).tolist():
            self.later(self.start + day * DAY + 20 * HOUR, customer, self._writing_off(customer, place))

    def _writing_off(self, customer: int, place: int) -> Act:
        def act(at: Instant) -> list[Event]:
            if not self.left[customer, place] or self.disputed[customer, place]:
                return []
            self.left[customer, place] = 0
            self.written_off[customer, place] = True
            return [self.deeds.written_off(customer, at, invoice_of(customer, place))]

        return act

    def willing(self, day: int) -> Uniforms:
        """The probability of every customer to pay today."""
        population = self.population
        payable = (self.left > 0) & ~self.disputed
        oldest = np.where(payable, population.due_day, NEVER).min(axis=1)
        past = day - oldest
        odds = np.where(past < -2, population.early, np.where(past <= 5, population.due, population.late))
        odds -= np.where(past > 5, population.fades * np.log(np.maximum(past, 7) / 7.0), 0.0)
        odds += np.minimum(self.moved, STRONGEST) - self.angry
        odds += np.where(self.helped_until >= day, habits.PERSON, 0.0)
        odds += np.where(self.held_until >= day, habits.CREDIT_HOLD, 0.0)
        date = self.start_date + dt.timedelta(days=day)
        if date.weekday() >= 5:
            odds += np.where(population.business, WEEKEND[True], WEEKEND[False])
        if date.day in PAYDAYS:
            odds += np.where(population.business, 0.0, PAYDAY)
        able = (past >= -8) & (oldest < NEVER) & ~self.gone & ~self.in_plan
        willing: Uniforms = np.where(able, 1 / (1 + np.exp(-odds)), 0.0)
        return willing

    def _pay(self, day: int) -> None:
        pays = self.draws.uniform(day, Purpose.PAYS) < self.willing(day)
        for customer in np.nonzero(pays)[0].tolist():
            self.later(self._at(customer, day, Purpose.PAYS_AT), customer, self.paying(customer))

    def payable(self, customer: int, ahead: int = 3) -> list[Part]:
        """What the customer would pay now: all that is due within some days and not disputed."""
        until = self.day + ahead
        rows = zip(
            self.left[customer].tolist(),
            self.population.due_day[customer].tolist(),
            self.disputed[customer].tolist(),
            strict=True,
        )
        found = [
            (due, place, left) for place, (left, due, disputed) in enumerate(rows)
            if left and not disputed and due <= until
        ]  # fmt: skip
        found.sort()
        return [(invoice_of(customer, place), left) for _, place, left in found]

    def paying(self, customer: int) -> Act:
        """The customer tries to pay what is due: it bounces, is a part, or settles all."""

        def act(at: Instant) -> list[Event]:
            if self.gone[customer]:
                return []
            parts = self.payable(customer) or self.payable(customer, ahead=10)
            draws, population = self.draws, self.population
            if not parts:
                return []
            if draws.one(customer, self.day, Purpose.BOUNCES) < population.bounces[customer]:
                return [self.deeds.bounced(customer, at, parts)]
            if draws.one(customer, self.day, Purpose.PAYS_PART) < population.part[customer]:
                share = 0.2 + 0.6 * draws.one(customer, self.day, Purpose.PAYS_HOW_MUCH)
                parts = first_of(parts, max(1, round(share * sum(amount for _, amount in parts))))
            return self.take(customer, at, parts)

        return act

    def take(self, customer: int, at: Instant, parts: list[Part]) -> list[Event]:
        """Money comes; some of it will go back."""
        event = self.deeds.paid(customer, at, parts)
        self._book(customer, parts, 1)
        if not self.payable(customer):
            self.tally.count("cures", customer)
        if self.draws.one(customer, self.day, Purpose.GOES_BACK) < self.population.goes_back[customer]:
            days = 3 + int(17 * self.draws.one(customer, self.day, Purpose.GOES_BACK_AFTER))

            def act(then: Instant) -> list[Event]:
                self._book(customer, parts, -1)
                return [self.deeds.sent_back(customer, then, event.payment_id, event.amount_minor)]

            self.later(at + days * DAY, customer, act)
        return [event]

    def _book(self, customer: int, parts: list[Part], sign: int) -> None:
        tally, rate, day = self.tally, float(self.population.rate[customer]), self.day
        for name, amount in parts:
            place = int(name.rpartition("-")[2])
            if not self.written_off[customer, place]:
                self.left[customer, place] -= sign * amount
            cents = sign * amount * rate
            tally.received[customer] += cents
            tally.received_by_day[day] += cents
            tally.late_cents[customer] += cents * max(0, day - int(self.population.due_day[customer, place]))

    # -- disputes ------------------------------------------------------------------------------------------------------

    def _dispute(self, day: int) -> None:
        for customer, place in np.argwhere(self.population.dispute_day == day).tolist():
            self.later(self._at(customer, day, Purpose.LIFE_AT), customer, self.disputing(customer, place))

    def disputing(self, customer: int, place: int) -> Act:
        """The customer says that an invoice is not owed; weeks later it is settled."""

        def act(at: Instant) -> list[Event]:
            if not self.left[customer, place] or self.disputed[customer, place] or self.gone[customer]:
                return []
            self.disputed[customer, place] = True
            self.tally.count("disputes", customer)
            dispute = f"DIS-{invoice_of(customer, place)}-{self.day}"
            days = 10 + int(25 * self.draws.one(customer, place, Purpose.RESOLVED_AFTER))
            if self.helped_until[customer] >= self.day:
                days = 5
            self.later(at + days * DAY, customer, self._resolving(customer, place, dispute))
            return [self.deeds.disputed(customer, at, dispute, invoice_of(customer, place))]

        return act

    def _resolving(self, customer: int, place: int, dispute: str) -> Act:
        def act(at: Instant) -> list[Event]:
            u = self.draws.one(customer, place, Purpose.OUTCOME)
            self.disputed[customer, place] = False
            name, left = invoice_of(customer, place), int(self.left[customer, place])
            if u < 0.3:
                self.left[customer, place] = 0
                credit = [self.deeds.credited(customer, at, name, left)] if left else []
                return [*credit, self.deeds.resolved(customer, at, dispute, "upheld")]
            return [self.deeds.resolved(customer, at, dispute, "withdrawn" if u > 0.8 else "verified")]

        return act

    # -- promises and plans --------------------------------------------------------------------------------------------

    def promise(self, customer: int, at: Instant, days: int, channel: Any) -> list[Event]:
        """The customer promises to pay all that is due, and does so or does not."""
        parts = self.payable(customer)
        if not parts or self.promised[customer] or self.in_plan[customer]:
            return []
        self.promised[customer] = True
        self.tally.count("promises", customer)
        keeps = self.draws.one(customer, self.day, Purpose.PROMISE_KEPT) < self.population.keeps[customer]

        def act(then: Instant) -> list[Event]:
            self.promised[customer] = False
            due = self.payable(customer)
            if not due or self.gone[customer] or not keeps:
                return []
            self.tally.count("promises_kept", customer)
            return self.take(customer, then, due)

        # On the promised day, early enough that it is that day in every zone of the world.
        on = self.start + (self.day + days) * DAY + 12 * HOUR
        self.later(max(on, at + HOUR), customer, act)
        return [self.deeds.promised(customer, at, sum(amount for _, amount in parts), days, channel)]

    def take_plan(self, customer: int, at: Instant) -> list[Event]:
        """The customer takes a plan over all that is due, and pays its instalments until one fails twice running."""
        total = sum(amount for _, amount in self.payable(customer))
        if total < INSTALMENTS or self.in_plan[customer]:
            return []
        self.in_plan[customer] = True
        self.tally.count("plans", customer)
        amounts = [total // INSTALMENTS] * (INSTALMENTS - 1)
        amounts.append(total - sum(amounts))
        events = self.deeds.plan(customer, at, amounts, EVERY_DAYS)
        plan_id = events[0].plan_id  # type: ignore[attr-defined]

        def instalment(number: int, *, missed: bool) -> Act:
            def act(then: Instant) -> list[Event]:
                luck = self.draws.one(customer, self.day, Purpose.INSTALMENT)
                kept = not self.gone[customer] and luck < self.population.keeps_plan[customer]
                parts = first_of(self.payable(customer), amounts[number]) if kept else []
                paid = self.take(customer, then, parts) if parts else []
                if not kept and missed:
                    self.in_plan[customer] = False
                    return [self.deeds.plan_ended(customer, then, plan_id, completed=False)]
                if number == INSTALMENTS - 1:
                    self.in_plan[customer] = False
                    return [*paid, self.deeds.plan_ended(customer, then, plan_id, completed=kept)]
                self.later(then + EVERY_DAYS * DAY, customer, instalment(number + 1, missed=not kept))
                return paid

            return act

        self.later(at + EVERY_DAYS * DAY, customer, instalment(0, missed=False))
        return events

    # -- the rest of life ----------------------------------------------------------------------------------------------

    def having(self, shares: dict[str, float]) -> NDArray[np.float64]:
        """A probability by habit as one by customer; habits that are not named have none."""
        by_habit = np.zeros(len(NAMES))
        for name, share in shares.items():
            by_habit[self._codes[name]] = share
        of_customers: NDArray[np.float64] = by_habit[self.population.habit]
        return of_customers


def first_of(parts: list[Part], amount: int) -> list[Part]:
    """The part of what is payable that an amount pays, oldest due first."""
    taken: list[Part] = []
    for name, left in parts:
        if amount <= 0:
            break
        taken.append((name, min(left, amount)))
        amount -= left
    return taken
