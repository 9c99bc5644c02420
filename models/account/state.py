"""One account as a fold: of events, which alone change its facts, and of our decisions, which alone change its course.

The facts are three folds that never look at each other, one for each source topic. The order within a topic is fixed by
its log, so the facts are the same bytes whatever way the topics interleave and however events are batched. What needs
two topics (opt-out against consent, promise against payment) is worked out when it is asked for.

A fold is decoded when it is first asked for and encoded when it has changed; what nobody touches stays bytes.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from models.account import crm, interactions, payments
from models.account.course import Course
from models.account.interactions import InteractionFacts
from models.account.ledger import PaymentFacts
from models.account.outcome import APPLIED, NOT_FOLDED, Answer
from models.account.profile import Bars, CrmFacts
from schemas.envelope import Event

VERSION = 1
"""Raised when a field changes its meaning. New fields go to the end of their Struct, with a default, and need no new
version: this code reads states with fewer fields and, on the way back from an upgrade, with more."""

UPGRADES: dict[int, Callable[[list[Any]], list[Any]]] = {}
"""Version -> what turns a decoded state of that version into one of the next."""

encode_part: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
_payments = msgspec.msgpack.Decoder(PaymentFacts).decode
_bars = msgspec.msgpack.Decoder(Bars).decode
_crm = msgspec.msgpack.Decoder(CrmFacts).decode
_interactions = msgspec.msgpack.Decoder(InteractionFacts).decode


class Facts:
    """What the events say, one fold for each source topic."""

    __slots__ = ("_bars", "_bytes", "_crm", "_interactions", "_payments", "changed")

    def __init__(self, payments: bytes = b"", crm: bytes = b"", interactions: bytes = b"") -> None:
        self._bytes = [payments, crm, interactions]
        """Each fold as it is stored; empty when it has changed, or was never stored."""
        self.changed = False
        self._payments: PaymentFacts | None = None
        self._crm: CrmFacts | None = None
        self._bars: Bars | None = None
        self._interactions: InteractionFacts | None = None

    @property
    def payments(self) -> PaymentFacts:
        """What is owed and was paid."""
        found = self._payments
        if found is None:
            stored = self._bytes[0]
            found = self._payments = _payments(stored) if stored else PaymentFacts()
        return found

    @property
    def crm(self) -> CrmFacts:
        """Who the customer is, and what bars a contact."""
        found = self._crm
        if found is None:
            stored = self._bytes[1]
            found = self._crm = _crm(stored) if stored else CrmFacts()
        return found

    @property
    def bars(self) -> Bars:
        """The part of `crm` that bars a debt from being chased, without decoding the rest."""
        found = self._crm or self._bars
        if found is None:
            stored = self._bytes[1]
            found = self._bars = _bars(stored) if stored else Bars()
        return found

    @property
    def interactions(self) -> InteractionFacts:
        """What was sent and said."""
        found = self._interactions
        if found is None:
            stored = self._bytes[2]
            found = self._interactions = _interactions(stored) if stored else InteractionFacts()
        return found

    def apply(self, event: Event) -> Answer:
        """Fold one event in, in place. Total: every type of the registry is answered, none raises."""
        route = _ROUTES.get(type(event))
        if route is None:
            return NOT_FOLDED
        part, fold, handler = route
        facts = self.payments if part == 0 else self.crm if part == 1 else self.interactions
        answer = fold(facts, event, handler)
        if answer is APPLIED:
            self._bytes[part] = b""
            self.changed = True
        return answer

    def encoded(self) -> list[bytes]:
        """The three folds as bytes: equal facts are equal bytes."""
        stored = self._bytes
        if not stored[0]:
            stored[0] = encode_part(self.payments)
        if not stored[1]:
            stored[1] = encode_part(self.crm)
        if not stored[2]:
            stored[2] = encode_part(self.interactions)
        return stored


class Stored(msgspec.Struct, array_like=True, gc=False):
    """A state as its blob holds it: each fold as bytes within, so that those that are not needed are stepped over."""

    version: int
    payments: bytes
    crm: bytes
    interactions: bytes
    course: Course


class AccountState:
    """All that is known and decided about one account."""

    __slots__ = ("course", "facts")

    def __init__(self, facts: Facts | None = None, course: Course | None = None) -> None:
        self.facts = facts or Facts()
        self.course = course or Course()


_stored = msgspec.msgpack.Decoder(Stored).decode
_HEADER = b"\x95" + bytes([VERSION])
"""What every blob of this version begins with: an array of five items, the first of them the version."""


def open_state(blob: bytes | None) -> AccountState:
    """The state in a blob, brought up to this version; nothing stored = a new account. Folds are decoded when needed.

    Raises:
        msgspec.DecodeError: the blob is damaged.
    """
    if not blob:
        return AccountState()
    if not blob.startswith(_HEADER):
        blob = upgrade(blob)
    stored = _stored(blob)
    return AccountState(Facts(stored.payments, stored.crm, stored.interactions), stored.course)


def decode(blob: bytes | None) -> AccountState:
    """`open_state` with every fold decoded, so that damage is found here and not later."""
    state = open_state(blob)
    _ = state.facts.payments, state.facts.crm, state.facts.interactions
    return state


def encode(state: AccountState) -> bytes:
    """The state as a blob."""
    return join(state.facts.encoded(), state.course)


def join(facts: list[bytes], course: Course) -> bytes:
    """A blob of encoded facts and a course."""
    return encode_part(Stored(VERSION, facts[0], facts[1], facts[2], course))


def upgrade(blob: bytes) -> bytes:
    """The blob of a state that another version wrote; what a newer one has appended is left out.

    Raises:
        msgspec.MsgspecError: the blob is no state.
    """
    values = msgspec.msgpack.decode(blob)
    if not isinstance(values, list) or len(values) < len(Stored.__struct_fields__):
        raise msgspec.DecodeError("The blob is no account state.")
    while (step := UPGRADES.get(values[0])) is not None:
        values = step(values)
    stored = msgspec.convert(values[:5], Stored)
    facts = [_payments(stored.payments), _crm(stored.crm), _interactions(stored.interactions)]
    return join([encode_part(part) for part in facts], stored.course)


def facts_bytes(blob: bytes | None) -> bytes:
    """The facts of a state, comparable byte for byte between runs."""
    return b"".join(open_state(blob).facts.encoded())


Route = tuple[int, Callable[[Any, Event, Any], Answer], Callable[..., Any]]
"""Which part of the facts an event is folded into, how, and what folds its type."""

_ROUTES: dict[type, Route] = {
    **{kind: (0, payments.fold, handler) for kind, handler in payments.BY_NATURAL_KEY.items()},
    **{kind: (0, payments.fold_by_event_id, handler) for kind, handler in payments.BY_EVENT_ID.items()},
    **{kind: (1, crm.fold, handler) for kind, handler in crm.HANDLERS.items()},
    **{kind: (2, interactions.fold, handler) for kind, handler in interactions.HANDLERS.items()},
}


def fold(blob: bytes | None, events: Iterable[Event]) -> bytes:
    """The state after some more events, its course untouched."""
    state = open_state(blob)
    for event in events:
        state.facts.apply(event)
    return encode(state)
