"""What happened in a run, account by account or line by line: for an oracle to judge, and for models to learn from."""

from typing import IO

import msgspec

from models.calendar import utc
from models.clock import Instant
from schemas.actions import NextBestAction
from schemas.contacts import ContactRequested
from schemas.envelope import Event

encode = msgspec.json.Encoder().encode


class Account(msgspec.Struct):
    """One account's story."""

    events: list[Event] = []
    """In the order in which they were heard of; the opening first."""
    contacts: list[tuple[Instant, ContactRequested, int]] = []
    """When each left, what it was, and how many of `events` had been heard by then."""
    decisions: list[tuple[NextBestAction, int]] = []
    """Each with how many of `events` had been heard when it was made."""


class Kept:
    """Keeps every account's story in memory.

    Args:
        every: keep the decisions of every so many customers' account; they are by far the largest part.
    """

    def __init__(self, customers: int, *, every: int = 1) -> None:
        self.accounts = [Account() for _ in range(customers)]
        self.every = every

    def heard(self, customer: int, event: Event) -> None:
        self.accounts[customer].events.append(event)

    def contacted(self, customer: int, contact: ContactRequested, at: Instant) -> None:
        account = self.accounts[customer]
        account.contacts.append((at, contact, len(account.events)))

    def decided(self, customer: int, decision: NextBestAction) -> None:
        if customer % self.every == 0:
            account = self.accounts[customer]
            account.decisions.append((decision, len(account.events)))


class Written:
    """Writes one JSON line for each thing that happened: {"policy", "seed", "heard" | "contacted" | "decided"}."""

    def __init__(self, file: IO[bytes], policy: str, seed: int) -> None:
        self.file = file
        self.about = {"policy": policy, "seed": seed}

    def heard(self, customer: int, event: Event) -> None:
        self._write({"heard": event})

    def contacted(self, customer: int, contact: ContactRequested, at: Instant) -> None:
        self._write({"contacted": contact, "at": utc(at)})

    def decided(self, customer: int, decision: NextBestAction) -> None:
        self._write({"decided": decision})

    def _write(self, what: dict[str, object]) -> None:
        self.file.write(encode(self.about | what))
        self.file.write(b"\n")
