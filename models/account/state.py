"""One account as a fold: of events, which alone change its facts, and of our decisions, which alone change its course.

The facts are three folds that never look at each other, one for each source topic. The order within a topic is fixed by
its log, so the facts are the same bytes whatever way the topics interleave and however events are batched. What needs
two topics (opt-out against consent, promise against payment) is worked out when it is asked for.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from models.account import crm, interactions, payments
from models.account.course import Course
from models.account.interactions import InteractionFacts
from models.account.ledger import PaymentFacts
from models.account.outcome import NOT_FOLDED, Answer
from models.account.profile import CrmFacts
from schemas.envelope import Event

VERSION = 1
"""Raised when a field changes its meaning. New fields go to the end of their Struct, with a default, and need no new
version: this code reads states with fewer fields and, on the way back from an upgrade, with more."""

UPGRADES: dict[int, Callable[[list[Any]], list[Any]]] = {}
"""Version -> what turns a decoded state of that version into one of the next."""


class Facts(msgspec.Struct, array_like=True, gc=False):
    """What the events say."""

    payments: PaymentFacts = msgspec.field(default_factory=PaymentFacts)
    crm: CrmFacts = msgspec.field(default_factory=CrmFacts)
    interactions: InteractionFacts = msgspec.field(default_factory=InteractionFacts)


class AccountState(msgspec.Struct, array_like=True, gc=False):
    """All that is known and decided about one account."""

    version: int = VERSION
    facts: Facts = msgspec.field(default_factory=Facts)
    course: Course = msgspec.field(default_factory=Course)


encode: Callable[[AccountState], bytes] = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(AccountState).decode
_facts_of = msgspec.msgpack.Encoder().encode


def decode(blob: bytes | None) -> AccountState:
    """The state in a blob, brought up to this version; nothing stored = a new account.

    Raises:
        msgspec.DecodeError: the blob is damaged.
    """
    if not blob:
        return AccountState()
    if len(blob) > 1 and blob[1] != VERSION and blob[1] < 0x80:  # the second byte of the array is the version
        return upgrade(blob)
    return _decode(blob)


def upgrade(blob: bytes) -> AccountState:
    """A state that another version wrote; what a newer one has appended is left out."""
    values: list[Any] = msgspec.msgpack.decode(blob)
    while (step := UPGRADES.get(values[0])) is not None:
        values = step(values)
    values[0] = VERSION
    return msgspec.convert(values, AccountState)


def facts_bytes(blob: bytes | None) -> bytes:
    """The facts of a state, comparable byte for byte between runs."""
    return _facts_of(decode(blob).facts)


_FOLDS: dict[type, tuple[str, Callable[[Any, Event], Answer]]] = {
    **{kind: ("payments", payments.fold) for kind in (*payments.BY_NATURAL_KEY, *payments.BY_EVENT_ID)},
    **{kind: ("crm", crm.fold) for kind in crm.HANDLERS},
    **{kind: ("interactions", interactions.fold) for kind in interactions.HANDLERS},
}


def apply(facts: Facts, event: Event) -> Answer:
    """Fold one event into the facts, in place. Total: every type of the registry is answered, none raises."""
    found = _FOLDS.get(type(event))
    if found is None:
        return NOT_FOLDED
    part, fold = found
    return fold(getattr(facts, part), event)


def fold(blob: bytes | None, events: Iterable[Event]) -> bytes:
    """The state after some more events, its course untouched."""
    state = decode(blob)
    for event in events:
        apply(state.facts, event)
    return encode(state)
