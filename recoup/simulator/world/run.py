"""One policy let loose on one population: the real core decides, the world answers, and the log tells it all.

Only accounts with events or a due review are stepped, hour by hour, all of an hour in one batch. A contact leaves in the
hour in which it was decided; its reports are heard in the next, as from a real dispatch and a real provider.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import msgspec
import numpy as np

from models.account.state import fold
from models.actions.announce import DECISIONS, REQUESTS
from models.calendar import DAY, HOUR
from models.clock import Instant
from models.core import Outcome, Work
from recoup.simulator.world import habits
from recoup.simulator.world.answers import Answers
from recoup.simulator.world.house import BARE, House
from recoup.simulator.world.life import PERSON_DAYS, Life
from recoup.simulator.world.opening import START, Opening
from recoup.simulator.world.population import Population
from recoup.simulator.world.tally import Tally
from schemas.actions import NextBestAction
from schemas.contacts import ContactRequested
from schemas.envelope import Event
from schemas.errors import RecoupError

HOURS = 24
NO_REVIEW = np.iinfo(np.int64).max
ACTION = b'"action":"'
"""The first of it in a decision is the chosen one; the candidates follow."""
TO_PERSON, CREDIT_HOLD, OFFER_PLAN = b"hand_to_person", b"credit_hold", b"offer_plan"

request_of = msgspec.json.Decoder(ContactRequested).decode
decision_of = msgspec.json.Decoder(NextBestAction).decode


class Decides(Protocol):
    """The real core with a policy in force."""

    def __call__(self, work: list[Work]) -> Outcome: ...


class Log(Protocol):
    """Is told all that happens, in its order."""

    def heard(self, customer: int, event: Event) -> None: ...

    def contacted(self, customer: int, contact: ContactRequested, at: Instant) -> None: ...

    def decided(self, customer: int, decision: NextBestAction) -> None: ...


class Refused(RecoupError):
    """The core has refused an event of the world: one of them is wrong."""


class World:
    """A population with its opening states, ready to be run under several policies."""

    def __init__(self, population: Population, start: Instant = START, house: House = BARE) -> None:
        """`start` is a midnight in UTC."""
        self.population = population
        self.start = start
        self.house = house
        self.opening = Opening(population, start)
        self.blobs = [fold(None, self.opening.events(customer)) for customer in range(population.size)]
        ids = population.tenant_ids
        self.who = [(ids[population.tenant[c]], population.account_id(c)) for c in range(population.size)]

    def run(
        self, decides: Decides, days: int, *, progress: Callable[[int], None] | None = None, log: Log | None = None
    ) -> Tally:
        """So many days under a policy.

        Args:
            progress: told of each day that is over.
            log: told of the opening events first.

        Raises:
            Refused: the core does not take an event of the world.
        """
        return Run(self, decides, days, log).whole(progress)


class Run:
    """One run; `blobs` and `life` may be looked at when it is over."""

    def __init__(
        self, world: World, decides: Decides, days: int, log: Log | None, *, until: Instant | None = None
    ) -> None:
        """`until`: no hour after this one, if the last day is not to be a whole one."""
        self.world, self.decides, self.days, self.log, self.until = world, decides, days, log, until
        self.life = Life(world.population, world.opening, days, world.house)
        self.answers = Answers(self.life)
        self.blobs = list(world.blobs)
        self.keys = [f"{tenant}|{account}" for tenant, account in world.who]
        # Everybody is looked at in the first hours of the first day.
        self.reviews = world.start + (np.arange(world.population.size, dtype=np.int64) % HOURS) * HOUR
        self.moments = world.population.moment
        self.deciding: list[int] = (self.moments + world.house.decides_after).tolist()
        """By customer, how long after the full hour it is decided."""
        self.actions: Counter[str] = Counter()
        self.denied: Counter[str] = Counter()

    def whole(self, progress: Callable[[int], None] | None) -> Tally:
        """All days; what they came to."""
        if self.log is not None:
            for customer in range(self.world.population.size):
                for event in self.world.opening.events(customer):
                    self.log.heard(customer, event)
        with _rarely_collected():
            for day in range(self.days):
                self.life.begin(day)
                for hour in range(HOURS):
                    now = self.world.start + day * DAY + hour * HOUR
                    if self.until is None or now <= self.until:
                        self._hour(now)
                self.life.end(day)
                if progress is not None:
                    progress(day + 1)
        tally = self.life.tally
        tally.actions, tally.denied = dict(self.actions), dict(self.denied)
        return tally

    def next_reviews(self) -> list[Instant | None]:
        """By customer, when the account is looked at next; None = not by itself."""
        return [None if at == NO_REVIEW else at for at in self.reviews.tolist()]

    def _hour(self, now: Instant) -> None:
        heard: dict[int, list[tuple[Event, int]]] = {}
        log = self.log
        for customer, event in self.life.due(now):
            heard.setdefault(customer, []).append((event, 0))
            if log is not None:
                log.heard(customer, event)
        due = np.nonzero(self.reviews <= now + self.moments)[0].tolist()
        if not heard and not due:
            return
        who, keys, blobs, deciding = self.world.who, self.keys, self.blobs, self.deciding
        customers = sorted({*heard, *due})
        late = set(due)
        work = [
            Work(keys[c], *who[c], blobs[c], heard.get(c, []), now + deciding[c], c in late) for c in customers
        ]  # fmt: skip
        outcome = self.decides(work)
        self._keep(customers, outcome)
        for customer, messages in zip(customers, outcome.messages, strict=True):
            action = b""
            for topic, _, value in messages:
                if topic == DECISIONS:
                    action = self._decision(customer, value)
                elif topic == REQUESTS:
                    self._contact(customer, value, now, offers_plan=action == OFFER_PLAN)

    def _keep(self, customers: list[int], outcome: Outcome) -> None:
        blobs = self.blobs
        for customer, (_, blob) in zip(customers, outcome.states, strict=True):
            blobs[customer] = blob
        self.reviews[customers] = [NO_REVIEW if at is None else at for _, at in outcome.reviews]
        for refused in outcome.refused:
            if refused:
                raise Refused(f"The core refused an event of the world: {refused[0][1]}.")
        self.actions.update(outcome.decided)
        self.denied.update(outcome.denied)
        self.life.tally.steps += outcome.scored

    def _contact(self, customer: int, value: bytes, now: Instant, *, offers_plan: bool) -> None:
        contact = request_of(value)
        if self.log is not None:
            self.log.contacted(customer, contact, now)
        self.answers.hear(customer, contact, now, offers_plan=offers_plan)

    def _decision(self, customer: int, value: bytes) -> bytes:
        """The action that was chosen, its effects on the account beside a contact done."""
        life = self.life
        start = value.index(ACTION) + len(ACTION)
        action = value[start : value.index(b'"', start)]
        if action == TO_PERSON and life.helped_until[customer] < life.day:
            life.helped_until[customer] = life.day + PERSON_DAYS
            life.tally.count("to_person", customer)
            life.tally.cost[customer] += habits.PERSON_MINUTES * habits.MINUTE
        elif action == CREDIT_HOLD:
            life.held_until[customer] = life.day + PERSON_DAYS
        if self.log is not None:
            self.log.decided(customer, decision_of(value))
        return action


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Without garbage collection: the run makes no cycles, and to look for them among a million objects costs a third."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
