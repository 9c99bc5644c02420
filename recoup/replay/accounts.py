"""What a ledger's rows say about the customers, as the changes that it comes to in the order of time."""

from collections.abc import Iterator
from typing import Any

import msgspec

from models.clock import Instant
from recoup.replay.csv_file import Row
from recoup.replay.mapping import Mapping

PROFILE = ("name", "segment", "language", "country", "state", "city", "zip", "time_zone")
CHANNELS = {"email": ("email",), "phone": ("call", "sms"), "address": ("letter",)}
"""A column -> the channels that its address serves."""

PLACEHOLDER = "replay:{account_id}"
"""Stands for an address in a ledger that names none. A replay sends nothing, and no provider would take it."""


class Change(msgspec.Struct, frozen=True):
    """One event about an account."""

    account_id: str
    kind: str
    at: Instant
    name: str
    """What makes it different from the account's other changes of the kind."""
    line: int
    fields: dict[str, Any]
    known_at: Instant | None = None


class Sighting(msgspec.Struct, frozen=True, order=True):
    """What one row says about its account."""

    at: Instant
    name: str
    line: int
    cells: tuple[str, ...]
    known_at: Instant | None = None


class Accounts:
    """Collects what rows say about accounts."""

    def __init__(self, mapping: Mapping) -> None:
        columns = mapping.account
        self.columns = {name: getattr(columns, name) for name in (*PROFILE, *CHANNELS) if getattr(columns, name)}
        self.meanings = mapping.values
        self.assumed = mapping.assume_reachable and not mapping.names_addresses
        self._seen: dict[str, list[Sighting]] = {}

    def see(self, row: Row, account_id: str, at: Instant | None, name: str, known_at: Instant | None = None) -> None:
        """Take down what a row says, if it is known when."""
        if at is None:
            return
        cells = tuple(self._value(row, column) for column in self.columns.values())
        sightings = self._seen.setdefault(account_id, [])
        if not sightings or any(cells):
            sightings.append(Sighting(at, name, row.line, cells, known_at))

    def changes(self) -> Iterator[Change]:
        """Every change, account by account; what a row leaves empty is unchanged."""
        for account_id, sightings in self._seen.items():
            known: dict[str, str] = {}
            for sighting in sorted(sightings):
                said = {name: cell for name, cell in zip(self.columns, sighting.cells, strict=True) if cell}
                news = {name: cell for name, cell in said.items() if known.get(name) != cell}
                if news or not known:
                    yield from self._change(account_id, sighting, news, first=not known)
                known |= news or {"": ""}

    def _change(self, account_id: str, sighting: Sighting, news: dict[str, str], *, first: bool) -> Iterator[Change]:
        def change(kind: str, name: str, fields: dict[str, Any]) -> Change:
            event = f"{account_id}-{sighting.name}-{name}"
            return Change(account_id, kind, sighting.at, event, sighting.line, fields, sighting.known_at)

        profile: dict[str, Any] = {name: news[name] for name in PROFILE if name in news}
        if zone := profile.pop("time_zone", None):
            profile["time_zones"] = [zone]
        if profile:
            yield change("account.updated", "profile", profile)
        for name, channels in CHANNELS.items():
            address = news.get(name) or (PLACEHOLDER.format(account_id=account_id) if first and self.assumed else None)
            if address:
                for channel in channels:
                    yield change("contact_point.updated", channel, {"channel": channel, "address": address})

    def _value(self, row: Row, column: str) -> str:
        cell = row.get(column)
        meanings = self.meanings.get(column)
        return meanings.get(cell, cell) if meanings else cell
