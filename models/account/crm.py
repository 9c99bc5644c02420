"""Who the customer is and what bars a contact, folded from crm-events alone, so that no other topic's order can matter.

Whatever order events come in, each field holds what the latest event says about it: latest by `occurred_at`, then by
event id.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from models.account import bars
from models.account.outcome import APPLIED, DUPLICATE, Answer
from models.account.profile import (
    CONSENTS,
    EXTRA_CALLS,
    PARTIES,
    POINTS,
    PROFILE_FIELDS,
    Check,
    Consent,
    ContactPoint,
    CrmFacts,
    ExtraCalls,
    Party,
    Preference,
    drop_lightest,
)
from models.account.seen import EVENTS, fingerprint, remember, stamp
from models.calendar import instant
from schemas.crm import (
    AccountUpdated,
    ConsentChanged,
    ContactPointChecked,
    ContactPointUpdated,
    ContactPreferenceChanged,
    PartyLinked,
)
from schemas.envelope import Event, Hours

_said = attrgetter(*PROFILE_FIELDS)
_LANGUAGE = PROFILE_FIELDS.index("language")


# -- who they are ------------------------------------------------------------------------------------------------------


def _updated(facts: CrmFacts, event: AccountUpdated, written: int) -> None:
    stamps = _stamps(facts)
    profile = facts.profile
    for place, value in enumerate(_said(event)):
        if value is not None and written > stamps[place]:
            stamps[place] = written
            setattr(profile, PROFILE_FIELDS[place], value)


def _stamps(facts: CrmFacts) -> list[int]:
    if not facts.written:
        facts.written = [0] * len(PROFILE_FIELDS)
    return facts.written


def _party(facts: CrmFacts, event: PartyLinked, written: int) -> None:
    known = facts.parties.get(event.party_id)
    if known is None or written > known.stamp:
        facts.parties[event.party_id] = Party(written, event.role, event.linked)
        if len(facts.parties) > PARTIES:
            drop_lightest(facts.parties, lambda party: (party.linked, party.stamp))


def _point(facts: CrmFacts, event: ContactPointUpdated, written: int) -> None:
    key = f"{event.channel}|{event.address}"
    known = facts.points.get(key)
    if known is not None and known.stamp >= written:
        return
    facts.points[key] = ContactPoint(
        channel=event.channel,
        address=event.address,
        stamp=written,
        verified=event.verified,
        workplace=event.workplace,
        removed=event.removed,
        role=event.role,
        party_id=event.party_id,
        line_type=event.line_type,
        contact_point_id=event.contact_point_id,
    )
    if event.contact_point_id is not None:
        for other, point in list(facts.points.items()):
            # The same contact point under an older address.
            if point.contact_point_id == event.contact_point_id and point.channel == event.channel and other != key:
                older = min(other, key, key=lambda name: (facts.points[name].stamp, name))
                facts.points[older].removed = True
    if len(facts.points) > POINTS:
        drop_lightest(facts.points, lambda point: (not point.removed, point.stamp))


def _checked(facts: CrmFacts, event: ContactPointChecked, written: int) -> None:
    known = facts.checks.get(event.address)
    if known is None:
        known = facts.checks[event.address] = Check(0, None)
    if event.result == "not_reassigned":
        known.theirs = max(known.theirs, written)
    elif event.result == "reassigned":
        known.anothers = max(known.anothers, written)
    if written > known.stamp:
        known.stamp, known.result, known.line_type = written, event.result, event.line_type
    if len(facts.checks) > POINTS:
        drop_lightest(facts.checks, lambda check: (check.anothers > check.theirs, check.stamp))


# -- what they want ----------------------------------------------------------------------------------------------------


def _consent(facts: CrmFacts, event: ConsentChanged, written: int) -> None:
    if event.scope == "extra_calls":
        _extra_calls(facts, event, written)
        return
    key = f"{event.channel}|{event.address or ''}|{event.scope}"
    if event.debt_id:
        key += f"|{event.debt_id}"
    known = facts.consents.get(key)
    if known is None or written > known.stamp:
        facts.consents[key] = Consent(written, event.state == "granted", event.direct, event.form == "oral")
        if len(facts.consents) > CONSENTS:
            drop_lightest(facts.consents, lambda consent: (not consent.granted, consent.stamp))


def _extra_calls(facts: CrmFacts, event: ConsentChanged, written: int) -> None:
    if event.channel not in ("call", "voicemail", "all"):
        return  # the limit is one of calls
    said = ExtraCalls(written, event.state == "granted", event.direct, event.debt_id, event.address)
    facts.extra_calls = sorted([*facts.extra_calls, said], key=lambda known: known.stamp)[-EXTRA_CALLS:]


def _preference(facts: CrmFacts, event: ContactPreferenceChanged, written: int) -> None:
    said = Preference(written, event.refused, _spans(event.convenient), _spans(event.inconvenient))
    for channel in event.channels or ("",):
        known = facts.preferences.get(channel)
        if known is None or written > known.stamp:
            facts.preferences[channel] = said
    if event.workplace_refused is not None and written > facts.workplace_stamp:
        facts.workplace_refused, facts.workplace_stamp = event.workplace_refused, written
    if event.workplace_refused is not None:
        for channel in event.channels or ("",):
            if written > abs(facts.work.get(channel, 0)):
                facts.work[channel] = -written if event.workplace_refused else written
    stamps = _stamps(facts)
    if event.language is not None and written > stamps[_LANGUAGE]:
        stamps[_LANGUAGE], facts.profile.language = written, event.language


def _spans(hours: tuple[Hours, ...]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple((span.start, span.end, tuple(span.days)) for span in hours)


Handler = Callable[[CrmFacts, Any, int], None]

HANDLERS: dict[type, Handler] = {
    AccountUpdated: _updated,
    PartyLinked: _party,
    ContactPointUpdated: _point,
    ContactPointChecked: _checked,
    ContactPreferenceChanged: _preference,
    ConsentChanged: _consent,
    **bars.HANDLERS,
}


def fold(facts: CrmFacts, event: Event, handler: Handler) -> Answer:
    """Fold one event of crm-events. A dropped one leaves the facts as they were."""
    mark = fingerprint(event.event_id)
    if mark in facts.events:
        return DUPLICATE
    facts.events = remember(facts.events, mark, EVENTS)
    handler(facts, event, stamp(instant(event.occurred_at), mark))
    return APPLIED
