"""Live situations out of lines of `recoup compliance check`: the account block and the history become events."""

import datetime as dt
from typing import Any

from models.account.profile import ContactPoint
from models.account.state import Facts
from models.calendar import instant
from models.compliance.gate import Situation
from recoup.compliance.case_file import _event, normal
from schemas.control import Limits, Tenant

OUTCOMES_OF_CALLS = ("conversation", "third_party", "voicemail", "no_answer", "not_connected", "wrong_party")


def tenant_of(**fields: Any) -> Tenant:
    """A tenant that says nothing about its customers, whose limits stay out of the way unless given."""
    defaults: dict[str, Any] = {
        "tenant_id": "acme",
        "name": "Acme",
        "currencies": ("USD",),
        "time_zone": "America/New_York",
        "limits": Limits(min_hours_between_contacts=0, max_contacts_per_7_days=1000),
    }
    return Tenant(**defaults | fields)


def facts_of(line: dict[str, Any]) -> Facts:
    """What a line tells, up to its moment, folded as an account's events."""
    at = dt.datetime.fromisoformat(line["at"])
    account = {name: value for name, value in (line.get("account") or {}).items() if value}
    raw = [{"type": "account.updated", "occurred_at": "2000-01-01T00:00:00Z", **account}, *(line.get("facts") or ())]
    raw += [_told(item, place) for place, item in enumerate(line.get("history") or ())]
    events = [_event(one, place) for place, one in enumerate(raw)]
    facts = Facts()
    for event in sorted(events, key=lambda event: event.occurred_at):
        if event.occurred_at <= at:
            facts.apply(event)
    return facts


def _told(item: dict[str, Any], place: int) -> dict[str, Any]:
    """The event that tells of a contact in a line's history."""
    common = {"occurred_at": item["at"], "contact_id": f"h{place}", "debt_id": item.get("debt_id")}
    common |= {"purpose": item.get("purpose") or "collection", "mode": item.get("mode") or "live"}
    if item.get("outcome") in OUTCOMES_OF_CALLS and item["channel"] in ("call", "voicemail"):
        return {
            "type": "call.completed",
            "outcome": item["outcome"],
            "direction": item.get("direction") or "outbound",
            **common,
        }
    kind = "contact.failed" if item.get("outcome") == "failed" else "contact.sent"
    return {"type": kind, "channel": item["channel"], **common}


def situation_of(line: dict[str, Any], facts: Facts, tenant: Tenant, **more: Any) -> Situation:
    """The contact of a line on a live account."""
    contact = line["contact"]
    said = contact.get("contact_point") or {}
    channel = more.pop("channel", contact["channel"])
    point = ContactPoint(
        "call" if channel == "voicemail" else channel,
        normal(said.get("address") or "x"),
        workplace=bool(said.get("workplace")),
        verified=bool(said.get("verified")),
    )
    fields: dict[str, Any] = {
        "debt_id": contact.get("debt_id"),
        "purpose": contact.get("purpose") or "collection",
        "mode": contact.get("mode") or "live",
        "point": point,
    }
    return Situation(
        at=instant(dt.datetime.fromisoformat(line["at"])), channel=channel, tenant=tenant, facts=facts, **fields | more
    )
