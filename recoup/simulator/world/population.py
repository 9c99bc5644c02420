"""The customers of a simulated world as arrays: the same seed and size give the same customers, whatever is done to them."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.calendar import HOUR
from recoup.simulator.world.draws import ONCE, Draws, Uniforms
from recoup.simulator.world.habits import HABITS, SPREAD, WAYS, WRONG_NUMBER, Habit
from recoup.simulator.world.places import PLACES, Place
from recoup.simulator.world.portfolio import COMPARED, Portfolio
from recoup.simulator.world.purposes import Purpose
from recoup.tenants import read_folder
from schemas.control import Tenant
from schemas.currencies import Currency

FOLDER = Path(__file__).parent / "tenants"
TO_US_CENTS = {"USD": 1.0, "GBP": 1.27, "EUR": 1.10}
"""Of a minor unit: one fixed rate each, so that sums over tenants can be told in one currency."""

CURRENCIES: dict[str, Currency] = {"US": "USD", "GB": "GBP", "DE": "EUR"}

SECOND_OPEN = 0.12
"""Bring an invoice of the month before."""
TERMS = 21
"""Days from issue to due date."""
NEVER = 10_000

Numbers = NDArray[np.int64]


class Population:
    """Who the customers are. Shapes: (customers,), (customers, ways) or (customers, invoices)."""

    def __init__(
        self, seed: int, size: int, tenants: dict[str, Tenant] | None = None, portfolio: Portfolio = COMPARED
    ) -> None:
        self.seed = seed
        self.size = size
        self.portfolio = portfolio
        self.invoices = portfolio.invoices
        self.draws = Draws(seed, size)
        self.tenants = read_folder(FOLDER) if tenants is None else tenants
        markets = portfolio.markets
        self.tenant_ids = [name for name in markets if name in self.tenants]
        self.markets = [markets[name] for name in self.tenant_ids]
        once = self._once
        self.tenant = _chosen(once(Purpose.TENANT), [market.share for market in self.markets])
        self.business = np.array([self.tenants[name].debt_class == "business" for name in self.tenant_ids])[self.tenant]
        self.third_party = np.array([self.tenants[name].collector_role == "third_party" for name in self.tenant_ids])[
            self.tenant
        ]
        self.place = self._places(once(Purpose.PLACE))
        self.habit = np.where(
            self.business,
            _chosen(once(Purpose.HABIT), [habit.businesses for habit in HABITS]),
            _chosen(once(Purpose.HABIT), [habit.consumers for habit in HABITS]),
        )
        self._behave()
        self._owe()
        self.has_email = once(Purpose.EMAIL) < np.where(self.business, 0.98, 0.90)
        self.has_phone = once(Purpose.PHONE) < 0.86
        self.has_post = once(Purpose.POST) < 0.94
        self.wrong_number = self.has_phone & (once(Purpose.WRONG) < WRONG_NUMBER)
        self.moment = np.floor(once(Purpose.MOMENT) * HOUR * portfolio.within_the_hour).astype(np.int64)
        """The customer's own within every hour, in milliseconds."""

    def tenant_of(self, customer: int) -> Tenant:
        return self.tenants[self.tenant_ids[self.tenant[customer]]]

    def place_of(self, customer: int) -> Place:
        return PLACES[self.place[customer]]

    def number_of(self, customer: int) -> int:
        return self.portfolio.first_number + customer

    def account_id(self, customer: int) -> str:
        return f"C{self.number_of(customer):06d}"

    def _once(self, purpose: int) -> Uniforms:
        return self.draws.uniform(ONCE, purpose)

    def _places(self, u: Uniforms) -> Numbers:
        place = np.zeros(self.size, dtype=np.int64)
        for number, market in enumerate(self.markets):
            shares = [p.share if p.country in market.countries else 0.0 for p in PLACES]
            mine = self.tenant == number
            place[mine] = _chosen(u[mine], shares)
        return place

    def _of_habit(self, name: str) -> Uniforms:
        values: Uniforms = np.array([getattr(habit, name) for habit in HABITS])[self.habit]
        return values

    def _around(self, name: str, purpose: int) -> Uniforms:
        """A log-odds of the habit, the customer's own."""
        return self._of_habit(name) + SPREAD * self.draws.normal(ONCE, purpose)

    def _factor(self, purpose: int) -> Uniforms:
        """About one, log-normal."""
        return np.exp(SPREAD * self.draws.normal(ONCE, purpose))

    def _odds(self, name: str, purpose: int) -> Uniforms:
        """A probability of the habit, moved on the scale of log-odds."""
        p = np.clip(self._of_habit(name), 1e-4, 1 - 1e-4)
        return 1 / (1 + np.exp(-(np.log(p / (1 - p)) + SPREAD * self.draws.normal(ONCE, purpose))))

    def _behave(self) -> None:
        self.early = self._around("early", Purpose.EARLY_N)
        self.due = self._around("due", Purpose.DUE_N)
        self.late = self._around("late", Purpose.LATE_N)
        self.fades = self._of_habit("fades")
        self.moved = np.stack(
            [
                np.array([habit.moved[way] for habit in HABITS])[self.habit] * self._factor(Purpose.MOVED_N + 2 * way)
                for way in range(len(WAYS))
            ],
            axis=1,
        )
        self.tires = self._factor(Purpose.TIRES_N)
        self.touchy = self._of_habit("touchy") * self._factor(Purpose.TOUCHY_N)
        self.promises = self._odds("promises", Purpose.PROMISES_N)
        self.keeps = self._odds("keeps", Purpose.KEEPS_N)
        self.takes_plan = self._odds("takes_plan", Purpose.PLAN_N)
        self.part = self._odds("part", Purpose.PART_N)
        self.keeps_plan = self._of_habit("keeps_plan")
        self.bounces = self._of_habit("bounces")
        self.goes_back = self._of_habit("reversed")
        hours = np.where(self.business, 10.5, 17.5) + np.where(self.business, 1.5, 3.0) * self.draws.normal(
            ONCE, Purpose.HOUR_N
        )
        self.best_hour = np.clip(hours, 8.0, 20.5)

    def _owe(self) -> None:
        """The invoices of the whole run; whether and when they are paid is for the run to see."""
        shape = self.size, self.invoices
        self.due_day = np.full(shape, NEVER, dtype=np.int64)
        self.amount = np.zeros(shape, dtype=np.int64)
        self.dispute_day = np.full(shape, NEVER, dtype=np.int64)
        first, last = self.portfolio.first_due
        due = first + np.floor(self._once(Purpose.FIRST_DUE) * (last - first + 1)).astype(np.int64)
        second = self._once(Purpose.SECOND) < SECOND_OPEN
        again = np.array([market.again for market in self.markets])[self.tenant]
        follows = np.ones(self.size, dtype=bool)
        middle = np.array([market.amount for market in self.markets])[self.tenant]
        disputes = self._of_habit("disputes")
        for place in range(self.invoices):
            if place == self.invoices - 1:
                day, there = due - 30, second
            else:
                day, there = due + 30 * place, follows
                follows = follows & (self.draws.uniform(place, Purpose.AGAIN) < again)
            logarithm = middle[:, 0] + middle[:, 1] * self.draws.normal(place, Purpose.AMOUNT_N)
            major = np.clip(np.exp(logarithm), 15.0, 50_000.0)
            self.due_day[:, place] = np.where(there, day, NEVER)
            self.amount[:, place] = np.where(there, np.round(major * 100), 0).astype(np.int64)
            doubts = there & (self.draws.uniform(place, Purpose.DISPUTES) < disputes)
            after = np.floor(25 * self.draws.uniform(place, Purpose.DISPUTE_DAY)).astype(np.int64)
            self.dispute_day[:, place] = np.where(doubts, np.maximum(day - 10 + after, 0), NEVER)
        self.issue_day = np.where(self.due_day == NEVER, NEVER, self.due_day - TERMS)
        self.currency: list[Currency] = [CURRENCIES[PLACES[place].country] for place in self.place]
        self.rate = np.array([TO_US_CENTS[currency] for currency in self.currency])


def habit_of(population: Population, customer: int) -> Habit:
    """The customer's habit."""
    return HABITS[population.habit[customer]]


def _chosen(u: Uniforms, shares: Sequence[float]) -> Numbers:
    """The place that each number falls on, as often as its share."""
    edges = np.cumsum(shares) / math.fsum(shares)
    return np.minimum(np.searchsorted(edges, u, side="right"), len(shares) - 1).astype(np.int64)
