"""Raw messages of one poll into work for the core: decoded, grouped by account, refused ones set aside."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from models.clock import Instant
from models.core import Work
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import Event
from schemas.replay import ReplayMarker
from streams.lease import Part

PAYMENTS = "payment-events"


class Intake(msgspec.Struct):
    """One part, decoded."""

    part: Part
    accounts: dict[bytes, list[tuple[Event, int]]]
    """Account key -> its events in log order, each with its message's place in the part."""
    refused: list[tuple[int, Refusal]]
    fed: frozenset[str] = frozenset()
    """Tenants of whom payment events are among the messages."""
    flush: bool = False
    """The last marker of a replay is among the messages: this part is written even if nothing else is in it."""


def decode(part: Part, decoders: Mapping[str, TopicDecoder], latest: datetime, *, replay: bool) -> Intake:
    """Decode a part's messages; a refused one disturbs no other."""
    accounts: dict[bytes, list[tuple[Event, int]]] = {}
    refused: list[tuple[int, Refusal]] = []
    paying: set[bytes] = set()
    flush = False
    for place, message in enumerate(part.messages):
        key, topic = message.key(), message.topic()
        event = decoders[topic](message.value(), key, latest, message.headers())
        if isinstance(event, Refusal):
            refused.append((place, event))
        elif type(event) is ReplayMarker:
            flush = event.last
            if not replay:
                refused.append((place, Refusal("replay_in_live_stack", "a replay marker in a live stack", "type")))
        else:
            accounts.setdefault(key or b"", []).append((event, place))
            if topic == PAYMENTS:
                paying.add(key or b"")
    fed = frozenset({key.partition(b"|")[0] for key in paying})
    return Intake(part=part, accounts=accounts, refused=refused, fed=frozenset(map(bytes.decode, fed)), flush=flush)


def as_work(
    intake: Intake, blobs: Mapping[bytes, bytes | None], due: Mapping[bytes, Instant], now: Instant
) -> list[Work]:
    """The live case: every changed account and every account whose review is due, once, at the present instant."""
    keys = list(intake.accounts) + [key for key in due if key not in intake.accounts]
    return [work_of(key, blobs[key], intake.accounts.get(key, []), now) for key in keys]


def as_timed_work(
    intake: Intake, blobs: Mapping[bytes, bytes | None], due: Mapping[bytes, Instant]
) -> tuple[list[Work], Callable[[Mapping[str, bytes]], list[Work]]]:
    """The replay's case: reviews and events of a bucket merged by time.

    Returns:
        The work of the reviews, each at its own instant with what happened until then; and a function that makes the
        work of what happened afterwards out of the states that the first left.
    """
    first: list[Work] = []
    rest: dict[bytes, list[tuple[Event, int]]] = {}
    for key in sorted(intake.accounts.keys() | due.keys()):
        events = sorted(intake.accounts.get(key, []), key=in_event_time)
        if key in due:
            until = due[key]
            before = [pair for pair in events if instant_of(pair[0]) <= until]
            events = events[len(before) :]
            first.append(work_of(key, blobs[key], before, until))
        if events:
            rest[key] = events

    def second(states: Mapping[str, bytes]) -> list[Work]:
        return [
            work_of(key, states.get(key.decode(), blobs[key]), events, instant_of(events[-1][0]))
            for key, events in rest.items()
        ]

    return first, second


def work_of(key: bytes, blob: bytes | None, events: list[tuple[Event, int]], now: Instant) -> Work:
    """The work of one account; its name is in the key."""
    text = key.decode()
    tenant_id, _, account_id = text.partition("|")
    return Work(key=text, tenant_id=tenant_id, account_id=account_id, blob=blob, events=events, now=now)


def in_event_time(pair: tuple[Event, int]) -> tuple[datetime, int]:
    """Sorts by the time of the event; the replayer has written each topic in its final order already."""
    return pair[0].occurred_at, pair[1]


def instant_of(event: Event) -> Instant:
    """When an event happened, in epoch milliseconds."""
    return round(event.occurred_at.timestamp() * 1000)


def utc(instant: Instant) -> datetime:
    """An instant as a date and time."""
    return datetime.fromtimestamp(instant / 1000, UTC)
