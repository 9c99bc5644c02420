"""What is known about one contact and its account at one moment: the log, cut off there, in the order of happening."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

PHONE = ("call", "voicemail", "sms")
VOICE = ("call", "voicemail")
ELECTRONIC = ("sms", "email")

Fact = dict[str, Any]


@dataclass
class Attempt:
    """One contact that was made or came in. `talked_at` = when the conversation ended, if there was one."""

    at: dt.datetime
    channel: str
    debt: str | None = None
    inbound: bool = False
    outcome: str | None = None
    purpose: str = "collection"
    mode: str = "live"
    address: str | None = None
    talked_at: dt.datetime | None = None


@dataclass
class Case:
    """One contact, asked about at one moment."""

    at: dt.datetime
    channel: str
    mode: str
    purpose: str
    debt: str | None
    address: str | None
    workplace: bool
    verified: bool
    line_type: str | None
    account: dict[str, Any]
    zones: list[ZoneInfo]
    facts: list[Fact]
    attempts: list[Attempt] = field(default_factory=list)

    def of(self, *types: str) -> list[Fact]:
        """The facts of these types, oldest first."""
        return [fact for fact in self.facts if fact["type"] in types]

    def about(self, debt: str | None) -> bool:
        """Whether something about that debt bears on this contact; absent = the whole account."""
        return debt is None or self.debt is None or debt == self.debt

    def here(self, address: str | None) -> bool:
        """Whether something about that address bears on this contact; absent = every address."""
        return not address or same_address(address, self.address)

    def day(self, zone: ZoneInfo) -> dt.date:
        return day_of(self.at, zone)


def when(value: Any) -> dt.datetime:
    """An instant with its offset, from RFC 3339."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC)
    return dt.datetime.fromisoformat(str(value).upper()).astimezone(dt.UTC)


def day_of(at: dt.datetime, zone: ZoneInfo) -> dt.date:
    return at.astimezone(zone).date()


def same_address(one: str | None, other: str | None) -> bool:
    return _plain(one) == _plain(other)


def _plain(address: str | None) -> str:
    text = (address or "").strip().lower()
    return text if "@" in text or re.search(r"[a-z]", text) else re.sub(r"[^0-9+]", "", text)


def read(case: dict[str, Any]) -> Case:
    """The case of one input line, with everything after its moment left out."""
    at = when(case["at"])
    contact = case["contact"]
    point = contact.get("contact_point") or {}
    facts = [dict(fact, at=when(fact["occurred_at"])) for fact in case.get("facts") or ()]
    facts = sorted((fact for fact in facts if fact["at"] <= at), key=lambda fact: fact["at"])
    account = _account(case.get("account") or {}, facts, contact.get("debt_id"))
    point = {name: value for name, value in point.items() if value is not None}
    address = point.get("address")
    points = [
        fact for fact in facts if fact["type"] == "contact_point.updated" and same_address(fact["address"], address)
    ]
    lines = [
        fact.get("line_type")
        for fact in facts
        if fact["type"] == "contact_point.updated"
        or (fact["type"] == "contact_point.checked" and fact.get("line_type"))
        if same_address(fact["address"], address)
    ]
    return Case(
        at=at,
        channel=contact["channel"],
        mode=contact.get("mode") or "live",
        purpose=contact.get("purpose") or "collection",
        debt=contact.get("debt_id"),
        address=address,
        workplace=bool({**(points[-1] if points else {}), **point}.get("workplace")),
        verified=bool({**(points[-1] if points else {}), **point}.get("verified")),
        line_type=(lines[-1] if lines else None) or point.get("line_type"),
        account=account,
        zones=_zones(account.get("time_zones")),
        facts=facts,
        attempts=_attempts(case.get("history") or (), facts, at),
    )


def _account(given: dict[str, Any], facts: list[Fact], debt: str | None) -> dict[str, Any]:
    """What is known of the account: as given, then as updated, then as the debt itself was placed."""
    known = dict(given)
    for fact in facts:
        if fact["type"] == "account.updated":
            known.update({name: value for name, value in fact.items() if value is not None})
    for fact in facts:
        if fact["type"] == "debt.placed" and debt is not None and fact["debt_id"] == debt:
            known.update({name: fact[name] for name in ("collector_role", "debt_class") if fact.get(name)})
    return known


def _zones(names: Any) -> list[ZoneInfo]:
    try:
        return [ZoneInfo(name) for name in dict.fromkeys(names or ())]
    except (KeyError, ValueError, OSError):
        return []


def _attempts(history: Any, facts: list[Fact], at: dt.datetime) -> list[Attempt]:
    """Every contact up to now, each once, however many reports there are of it."""
    found = [
        Attempt(
            at=when(item["at"]),
            channel=item["channel"],
            debt=item.get("debt_id"),
            inbound=item.get("direction") == "inbound",
            outcome=item.get("outcome"),
            purpose=item.get("purpose") or "collection",
            mode=item.get("mode") or "live",
            address=item.get("address"),
            talked_at=when(item["at"]),
        )
        for item in history
    ]
    named: dict[str, Attempt] = {}
    for fact in facts:
        outcome = {
            "contact.sent": "sent",
            "contact.delivered": "sent",
            "contact.opened": "sent",
            "contact.clicked": "sent",
            "contact.bounced": "sent",
            "contact.failed": "failed",
            "call.completed": fact.get("outcome"),
        }.get(fact["type"])
        if outcome is None:
            continue
        name = fact.get("contact_id") or f"#{len(named)}"
        attempt = named.get(name)
        if attempt is None:
            attempt = named[name] = Attempt(fact["at"], fact.get("channel") or "call")
            attempt.purpose = fact.get("purpose") or "collection"
            attempt.mode = fact.get("mode") or "live"
            attempt.inbound = fact.get("direction") == "inbound"
        attempt.debt = attempt.debt or fact.get("debt_id")
        attempt.address = attempt.address or fact.get("address")
        if fact["type"] == "contact.sent":
            attempt.at = fact["at"] if attempt.outcome == "failed" else attempt.at
            attempt.purpose = fact.get("purpose") or "collection"
            attempt.mode = fact.get("mode") or "live"
        if attempt.outcome in {None, "sent", "failed"} or fact["type"] == "call.completed":
            attempt.outcome = outcome
        attempt.talked_at = fact["at"] if fact["type"] == "call.completed" else None
    found += named.values()
    return sorted((attempt for attempt in found if attempt.at <= at), key=lambda attempt: attempt.at)
