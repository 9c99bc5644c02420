"""The simulated portfolio as a stream of ready messages, with the faults of real feeds among them."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from random import Random

import msgspec

from models.clock import Instant
from recoup.simulator.answers import Answers
from recoup.simulator.customers import Customer
from recoup.simulator.deeds import Sent
from recoup.simulator.faults import spoil
from recoup.simulator.portfolio import BUSINESSES, Business, account_at
from recoup.simulator.trade import Trade
from schemas.interactions import ContactSent

encode = msgspec.json.Encoder().encode

Ready = tuple[str, bytes | None, bytes]
"""Topic, key, value."""

OPENING_SHARE = 0.5
"""Of the turns, until every account is open: the next one is opened; in the others those that are open do business."""
REMEMBERED = 1_000
"""A duplicate repeats one of so many last messages."""
HELD_BACK = 200
"""A late message comes up to so many messages after its time."""
START: Instant = 1_767_607_200_000
"""2026-01-05T10:00:00Z: when `events` begins unless told otherwise."""
PACE_MS = 2
"""Between two turns of `events`."""


class Shares(msgspec.Struct, frozen=True):
    """How much of the stream is at fault."""

    bad: float = 0.005
    """Messages that must be refused, of every kind of refusal; they come on top of the good ones."""
    duplicate: float = 0.01
    late: float = 0.01
    """Out of order: held back while others pass."""


class Simulation:
    """A portfolio that lives, turn by turn.

    The same seed, accounts, businesses, start and turns give the same messages; only what customers answer to contacts
    depends on which contacts are heard, and when.
    """

    def __init__(
        self,
        seed: int,
        accounts: int,
        businesses: Sequence[Business] = BUSINESSES,
        *,
        start: Instant = START,
        shares: Shares | None = None,
    ) -> None:
        run = blake2b(f"{seed}:{start}".encode(), digest_size=4).hexdigest()
        self.random = Random(f"{seed}:stream")
        self.shares = shares or Shares()
        self.accounts = accounts
        self.trade = Trade(seed, businesses, run)
        self.answers = Answers(self.trade)
        self.duplicates = 0
        self.late = 0
        self.bad: Counter[str] = Counter()
        """Bad messages by the reason for which they must be refused."""
        self._past: list[Ready] = []
        self._held: list[tuple[int, int, Ready]] = []
        self._made = 0

    def hear(self, contact: ContactSent) -> None:
        """A contact that Recoup has sent; its customer may answer in a later turn."""
        self.answers.hear(contact)

    def turn(self, now: Instant) -> list[Ready]:
        """What happens next, dated by `now`; empty on a quiet day."""
        trade = self.trade
        opened = len(trade.accounts)
        if not opened or (opened < self.accounts and trade.random.random() < OPENING_SHARE):
            sent = trade.open_account(now)
        else:
            sent = trade.visit(now)
        sent += self.answers.due(now)
        ready: list[Ready] = []
        for event in sent:
            self._make_ready(event, ready)
        while self._held and self._held[0][0] <= self._made:
            ready.append(heapq.heappop(self._held)[2])
        return ready

    def rest(self) -> list[Ready]:
        """What is still held back at the end."""
        ready = [held[2] for held in sorted(self._held)]
        self._held = []
        return ready

    def _make_ready(self, sent: Sent, ready: list[Ready]) -> None:
        topic, account, event = sent
        message: Ready = (topic, account.key, encode(event))
        self._made += 1
        chance = self.random.random()
        shares = self.shares
        if chance < shares.late:
            self.late += 1
            heapq.heappush(self._held, (self._made + self.random.randint(1, HELD_BACK), self._made, message))
            return
        ready.append(message)
        self._remember(message)
        chance -= shares.late
        if chance < shares.duplicate:
            self.duplicates += 1
            ready.append(self.random.choice(self._past))
        elif chance < shares.duplicate + shares.bad:
            self._spoil(message, ready)

    def _spoil(self, message: Ready, ready: list[Ready]) -> None:
        topic, key, value = message
        reason, bad_key, bad_value = spoil(self.random, key or b"", value)
        self.bad[reason] += 1
        ready.append((topic, bad_key, bad_value))

    def _remember(self, message: Ready) -> None:
        if len(self._past) < REMEMBERED:
            self._past.append(message)
        else:
            self._past[self._made % REMEMBERED] = message


def events(
    seed: int,
    accounts: int,
    n: int,
    businesses: Sequence[Business] = BUSINESSES,
    *,
    start: Instant = START,
    shares: Shares | None = None,
) -> Iterator[Ready]:
    """The first `n` messages of a portfolio that nobody contacts. The same call gives the same bytes."""
    simulation = Simulation(seed, accounts, businesses, start=start, shares=shares)

    def all_messages() -> Iterator[Ready]:
        now = start
        while True:
            yield from simulation.turn(now)
            now += PACE_MS

    return islice(all_messages(), n)


def truth(seed: int, accounts: int, businesses: Sequence[Business] = BUSINESSES) -> Iterator[Customer]:
    """Every customer's true habit and probabilities, which no message ever tells."""
    return (account_at(seed, number, businesses).customer for number in range(accounts))
