"""Lets the demo's tenants do business up to now, and leaves topics, states and chains as if Recoup had run all the while.

The world and the core are those that policies are compared with; what the core says is published as decide publishes it.
A contact counts as sent in the hour in which it was asked for. Those of the last hour are left for dispatch to send.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from models.calendar import DAY, HOUR
from models.clock import Instant
from models.compliance.rule_gate import RuleGate
from models.core import Outcome, Work, step
from recoup import policy_releases, tenants
from recoup.demo.past.dated import dated_by_their_sender
from recoup.demo.past.handover import hand_over
from recoup.demo.past.telling import ARRIVES_AFTER, Telling
from recoup.settings import Settings
from recoup.simulator.world.house import House
from recoup.simulator.world.population import CURRENCIES, Population
from recoup.simulator.world.portfolio import Market, Portfolio
from recoup.simulator.world.run import Run, World
from schemas.control import Tenant
from schemas.registry import ACCOUNT_TOPICS
from schemas.strategies import ActionStrategy

MARKETS = {
    "acme": Market(share=0.68, countries=("US",), amount=(5.0, 0.6), again=0.97),
    "nordlicht": Market(share=0.32, countries=("DE", "GB"), amount=(6.9, 0.9), again=0.95),
}
"""The example tenants; others have no past. Contracts go on: nearly every month has another invoice."""
FIRST_NUMBER = 1_000_000
"""The accounts that stream live have smaller numbers, and so other addresses."""
MONTH = 30
HOUSE = House(
    agents=tuple(f"agent-{number}" for number in range(1, 9)),
    link_in_mails=True,
    written_off_after=100,
    decides_after=900,
    sends_after=2_400,
)
BACKFILL = HOUR
"""A row that lands so long after its message arrived is left out where it is told how long a row takes."""
LOADED = 6 * HOUR
"""Before the first day: what is known of every account was loaded then."""

Say = Callable[[str], None]


class Past(msgspec.Struct, frozen=True):
    """What was made."""

    days: int
    accounts: int = 0
    events: int = 0
    """Of the source topics: what decide would have read."""
    messages: dict[str, int] = {}
    """By topic."""
    contacts: int = 0
    """Contact requests that dispatch has behind it."""
    ended_at: Instant = 0
    seconds: float = 0.0


NO_PAST = Past(0)


class Asked(msgspec.Struct, frozen=True):
    """What past is wanted. It ends with the `last_hour` before `now`."""

    days: int
    accounts: int
    seed: int
    now: Instant


def make_past(settings: Settings, asked: Asked, *, say: Say, go_on: Callable[[], None] = lambda: None) -> Past:
    """A past of the example tenants; none when no days are asked for, or none of these tenants is published.

    Decide and dispatch must not run: they go on from where this ends.

    Args:
        go_on: asked after each day; raises when it is to end.

    Raises:
        NotReady: a server does not answer, or Kafka has not taken everything.
    """
    began = time.monotonic()
    published = {name: its for name, its in tenants.published(settings.kafka).items() if has_past(its)}
    if not asked.days or not published:
        return NO_PAST
    accounts = asked.accounts
    releases = policy_releases.published(settings.kafka)
    strategies = {
        name: found for name in published if (found := policy_releases.deciding(releases, name, "policy")) is not None
    }
    until = last_hour(asked.now)
    start = until // DAY * DAY - (asked.days - 1) * DAY
    with dated_by_their_sender(settings.kafka, (*ACCOUNT_TOPICS, "audit-logs")):
        telling = Telling(settings.kafka, asked.seed)
        say(f"making a past of {asked.days} days for {accounts:,} accounts of {' and '.join(sorted(published))}")

        def over(day: int) -> None:
            go_on()
            if day % MONTH == 0 and day < asked.days:
                say(f"the past: day {day} of {asked.days}, {telling.events():,} events")

        maker = Maker(population_of(published, asked), start, until, strategies, telling)
        maker.make(asked.days, over)
        telling.finish()
    asyncio.run(hand_over(settings, maker.states(), telling))
    events = telling.events()
    past = Past(
        days=asked.days,
        accounts=accounts,
        events=events,
        messages=telling.messages(),
        contacts=sum(telling.behind().values()),
        ended_at=until + HOUR,
        seconds=round(time.monotonic() - began, 1),
    )
    say(f"the past is made: {events:,} events, {sum(past.messages.values()) - events:,} messages about them")
    return past


def last_hour(now: Instant) -> Instant:
    """The hour that a past ends with: its last message has arrived over an hour before `now`.

    A row that lands so late is a backfill (`pipeline_minutes`); of a fresher past it would look as if landing were slow.
    """
    ends_after = HOUR + HOUSE.decides_after + ARRIVES_AFTER[1]
    return (now - BACKFILL - ends_after) // HOUR * HOUR


def has_past(tenant: Tenant) -> bool:
    """Whether a tenant is one of the examples, and still sends invoices in its customers' currencies."""
    market = MARKETS.get(tenant.tenant_id)
    return market is not None and {CURRENCIES[country] for country in market.countries} <= set(tenant.currencies)


def population_of(published: dict[str, Tenant], asked: Asked) -> Population:
    """The customers of the published example tenants, with an invoice in every month of the past."""
    portfolio = Portfolio(
        markets={name: market for name, market in MARKETS.items() if name in published},
        first_number=FIRST_NUMBER,
        invoices=asked.days // MONTH + 4,
        first_due=(-12, min(95, max(0, asked.days - 40))),
        paid_until=8,
        new_after=24,
        within_the_hour=True,
    )
    return Population(asked.seed, asked.accounts, published, portfolio)


class Maker:
    """One run of the world, told as it goes.

    Args:
        until: the last full hour in which anything happens.
        strategies: by tenant; one without any follows its own schedule.
    """

    def __init__(
        self,
        population: Population,
        start: Instant,
        until: Instant,
        strategies: dict[str, ActionStrategy],
        telling: Telling,
    ) -> None:
        self.population = population
        self.tenants = population.tenants
        self.until = until
        self.strategies = strategies
        self.telling = telling
        self.gate = RuleGate()
        self.world = World(population, start, HOUSE)
        self.run: Run

    def make(self, days: int, over: Callable[[int], None]) -> None:
        """All of it; `over` is told of each day that is."""
        self._open()
        self.run = Run(self.world, self._decide, days, None, until=self.until)

        def end(day: int) -> None:
            self.telling.end_of_day(min(self.world.start + day * DAY, self.until + HOUR))
            over(day)

        self.run.whole(end)

    def _open(self) -> None:
        """What was known before the first day, folded and no more: nobody was decided on before it."""
        idle = {name: msgspec.structs.replace(tenant, live_since=None) for name, tenant in self.tenants.items()}
        opening, start = self.world.opening, self.world.start
        work = [
            Work(
                f"{tenant}|{account}", tenant, account, None, [(event, 0) for event in opening.events(customer)], start
            )
            for customer, (tenant, account) in enumerate(self.world.who)
        ]
        self.telling.open(work, step(work, idle, "live", self.gate), start - LOADED)

    def _decide(self, work: list[Work]) -> Outcome:
        outcome = step(work, self.tenants, "live", self.gate, strategies=self.strategies)
        last = work[0].now >= self.until + HOUSE.decides_after
        self.telling.tell(work, outcome, HOUSE.decides_after, by_dispatch=last)
        return outcome

    def states(self) -> dict[str, tuple[bytes, Any]]:
        """Account -> its state, and when it is looked at again (epoch milliseconds; None = not by itself)."""
        run = self.run
        return {key: (blob, at) for key, blob, at in zip(run.keys, run.blobs, run.next_reviews(), strict=True) if blob}
