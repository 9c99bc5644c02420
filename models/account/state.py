"""One account as a fold: of events, which alone change its facts, and of our decisions, which alone change its course.

The facts are three folds that never look at each other, one for each source topic. The order within a topic is fixed by
its log, so the facts are the same bytes whatever way the topics interleave and however events are batched. What needs
two topics (opt-out against consent, promise against payment) is worked out when it is asked for.

A fold is decoded when it is first asked for and encoded when it has changed; what nobody touches stays bytes.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from models.account import arrangements, crm, interactions, payments, replies
from models.account.course import Course
from models.account.interactions import Contacts, InteractionFacts
from models.account.ledger import PaymentFacts
from models.account.outcome import APPLIED, NOT_FOLDED, Answer
from models.account.profile import Bars, CrmFacts
from models.account.upgrades import UPGRADES
from schemas.envelope import Event

VERSION = 2
"""Raised when a field changes its meaning or its place. New fields go to the end of their Struct, with a default, and
need no new version: this code reads states with fewer fields and, when a release is taken back, with more. A state of a
newer version is refused: it would be misread."""


class Stored(msgspec.Struct, array_like=True, gc=False):
    """A state as its blob holds it: each fold as bytes within, so that those that are not needed are stepped over."""

    version: int = VERSION
    payments: bytes = b""
    crm: bytes = b""
    interactions: bytes = b""
    course: Course = msgspec.field(default_factory=Course)


_encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
_stored = msgspec.msgpack.Decoder(Stored).decode
_HEADER = b"\x95" + bytes([VERSION])
"""What every blob of this version begins with: an array of five items, the first of them the version."""

_payments = msgspec.msgpack.Decoder(PaymentFacts).decode
_crm = msgspec.msgpack.Decoder(CrmFacts).decode
_bars = msgspec.msgpack.Decoder(Bars).decode
_contacts = msgspec.msgpack.Decoder(Contacts).decode
_interactions = msgspec.msgpack.Decoder(InteractionFacts).decode


class Facts:
    """What the events say, one fold for each source topic, each decoded when it is first asked for.

    All but `payments`, what is owed and was paid: everybody asks for it.
    """

    __slots__ = ("_bars", "_contacts", "_crm", "_interactions", "_stored", "payments")

    def __init__(self, stored: Stored | None = None) -> None:
        """`stored` is kept up to date by `encoded`; a fold in it that has changed is empty until then."""
        self._stored = Stored() if stored is None else stored
        owed = self._stored.payments
        self.payments: PaymentFacts = _payments(owed) if owed else PaymentFacts()
        self._crm: CrmFacts | None = None
        self._bars: Bars | None = None
        self._contacts: Contacts | None = None
        self._interactions: InteractionFacts | None = None

    @property
    def crm(self) -> CrmFacts:
        """Who the customer is, and what bars a contact."""
        if self._crm is None:
            stored = self._stored.crm
            self._crm = self._bars = _crm(stored) if stored else CrmFacts()
        return self._crm

    @property
    def bars(self) -> Bars:
        """The part of `crm` that bars a debt from being chased, without the rest of it being decoded."""
        if self._bars is None:
            stored = self._stored.crm
            self._bars = _bars(stored) if stored else Bars()
        return self._bars

    @property
    def interactions(self) -> InteractionFacts:
        """What was sent and said."""
        if self._interactions is None:
            stored = self._stored.interactions
            self._interactions = self._contacts = _interactions(stored) if stored else InteractionFacts()
        return self._interactions

    @property
    def contacts(self) -> Contacts:
        """The part of `interactions` that scores and promises rest on, without the rest of it being decoded."""
        if self._contacts is None:
            stored = self._stored.interactions
            self._contacts = _contacts(stored) if stored else Contacts()
        return self._contacts

    def apply(self, event: Event) -> Answer:
        """Fold one event in, in place. Total: every type of the registry is answered, none raises."""
        route = _ROUTES.get(type(event))
        if route is None:
            return NOT_FOLDED
        name, fold, handler = route
        answer = fold(getattr(self, name), event, handler)
        if answer is APPLIED:
            setattr(self._stored, name, b"")
        return answer

    def encoded(self) -> Stored:
        """The folds as bytes: equal facts are equal bytes."""
        stored = self._stored
        if not stored.payments:
            stored.payments = _encode(self.payments)
        if not stored.crm:
            stored.crm = _encode(self.crm)
        if not stored.interactions:
            stored.interactions = _encode(self.interactions)
        return stored


class AccountState:
    """All that is known and decided about one account."""

    __slots__ = ("course", "facts")

    def __init__(self, facts: Facts | None = None, course: Course | None = None) -> None:
        self.facts = facts or Facts()
        self.course = course or Course()


def open_stored(blob: bytes | None) -> Stored:
    """The state in a blob, brought up to this version, its folds not decoded; nothing stored = a new account.

    Raises:
        msgspec.MsgspecError: the blob is damaged.
    """
    if not blob:
        return Stored()
    return _stored(blob if blob.startswith(_HEADER) else upgrade(blob))


def close_stored(stored: Stored, course: Course) -> bytes:
    """The blob of encoded facts and a course."""
    stored.course = course
    return _encode(stored)


def decode(blob: bytes | None) -> AccountState:
    """The state in a blob, with every fold decoded, so that damage is found here and not later.

    Raises:
        msgspec.MsgspecError: the blob is damaged.
    """
    stored = open_stored(blob)
    facts = Facts(stored)
    _ = facts.payments, facts.crm, facts.interactions
    return AccountState(facts, stored.course)


def encode(state: AccountState) -> bytes:
    """The state as a blob."""
    return close_stored(state.facts.encoded(), state.course)


def upgrade(blob: bytes) -> bytes:
    """The blob of a state that an older version wrote, or the next release of this one, whose new fields are left out.

    Raises:
        msgspec.MsgspecError: the blob is no state, or a newer version than this wrote it.
    """
    values = msgspec.msgpack.decode(blob)
    if not isinstance(values, list) or len(values) < len(Stored.__struct_fields__) or type(values[0]) is not int:
        raise msgspec.DecodeError("The blob is no account state.")
    if values[0] > VERSION:
        raise msgspec.DecodeError(
            f"The account state is of version {values[0]}, this release reads up to {VERSION}. A newer release has"
            " written it: start that one again, or make the states again with `recoup rebuild`."
        )
    while values[0] != VERSION:
        step = UPGRADES.get(values[0])
        if step is None:
            raise msgspec.DecodeError(f"There is no way from version {values[0]} of the account state to {VERSION}.")
        values = step(values)
    stored = msgspec.convert([VERSION, *values[1:5]], Stored)
    facts = Facts(stored)
    parts = facts.payments, facts.crm, facts.interactions
    stored.payments, stored.crm, stored.interactions = map(_encode, parts)
    return _encode(stored)


def facts_bytes(blob: bytes | None) -> bytes:
    """The facts of a state, comparable byte for byte between runs."""
    stored = Facts(open_stored(blob)).encoded()
    return stored.payments + stored.crm + stored.interactions


Route = tuple[str, Callable[[Any, Event, Any], Answer], Callable[..., Any]]
"""Which part of the facts an event is folded into, how, and what folds its type."""

_ROUTES: dict[type, Route] = {
    **{kind: ("payments", payments.fold, handler) for kind, handler in payments.HANDLERS.items()},
    **{kind: ("payments", arrangements.fold, handler) for kind, handler in arrangements.HANDLERS.items()},
    **{kind: ("crm", crm.fold, handler) for kind, handler in crm.HANDLERS.items()},
    **{kind: ("interactions", interactions.fold, handler) for kind, handler in interactions.HANDLERS.items()},
    **{kind: ("interactions", interactions.fold, handler) for kind, handler in replies.HANDLERS.items()},
}


def fold(blob: bytes | None, events: Iterable[Event]) -> bytes:
    """The state after some more events, its course untouched."""
    stored = open_stored(blob)
    facts = Facts(stored)
    for event in events:
        facts.apply(event)
    return close_stored(facts.encoded(), stored.course)
