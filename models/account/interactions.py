"""What was sent and said, folded from interaction-events alone, so that no other topic's order can matter.

Contacts are kept for the longest window that a rule looks back over, measured from the newest event of the account, and
never more than `TOUCHES` of them; of older ones it is kept how many there were, and when each debt was first spoken of
and its validation notice sent.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from models.account.outcome import APPLIED, DUPLICATE, Answer
from models.account.seen import EVENTS, fingerprint, instant_of, remember, stamp
from models.calendar import DAY, instant
from models.clock import Instant
from schemas.envelope import Event
from schemas.interactions import (
    CallCompleted,
    ContactBounced,
    ContactClicked,
    ContactDelivered,
    ContactFailed,
    ContactOpened,
    ContactSent,
)

TOUCH_DAYS = 32
"""The longest rule window is 30 dates, and a date may begin a day earlier in another zone."""
TOUCHES = 128
"""Many times what the limits let through in that time."""
WRITTEN = ("sms", "email")
WROTE = 16
DEBTS = 16
BLOCKED = 16

FAILED = "failed"
LEFT = ("sent", "unknown")
READ = ("opened", "clicked")
CONNECTED = ("conversation", "third_party", "voicemail", "no_answer", "wrong_party")
"""Outcomes of a call that was made; `not_connected` was none."""

BY_NUMBER = frozenset({"call", "voicemail", "sms"})
"""Channels that reach a telephone number: a wish that came from it is about it on each of them."""


class Touch(msgspec.Struct, array_like=True, gc=False):
    """One contact, in either direction."""

    at: Instant
    """When it left or took place; before that is known, when it was first heard of."""
    channel: str
    outcome: str
    """The latest report: sent, unknown, delivered, opened, clicked, bounced, failed, or the outcome of a call."""
    stamp: int
    """Of the latest report."""
    sent: bool = False
    """Its own report of leaving has been seen."""
    purpose: str = "collection"
    inbound: bool = False
    mode: str = "live"
    address: str | None = None
    debt_id: str | None = None
    workplace: bool | None = None
    """None = as the contact point of its address says."""


class Promise(msgspec.Struct, array_like=True, gc=False):
    """A promise to pay by the end of a day (a day number)."""

    made_at: Instant
    amount: int
    """0 = a reply promised, and named no sum or several."""
    currency: str
    """`""` = a reply named none; the amount is then in hundredths."""
    due_on: int
    cancelled_at: Instant | None = None
    known: bool = True


class Contacts(msgspec.Struct, array_like=True, gc=False):
    """How much was sent and said, and what was promised. It stands first, so that it can be read without the rest."""

    newest: Instant = 0
    made: int = 0
    """Contacts of ours that left, ever; one that is not known to have left counts."""
    answered: int = 0
    """Signs that somebody is there, ever: messages opened, links clicked, replies, conversations."""
    promises: dict[str, Promise] = {}
    last_reply_at: Instant = 0
    last_complaint_at: Instant = 0
    last_contact_at: Instant = 0
    """The latest contact of ours that was reported as sent, known or not known to have left, or call that was connected;
    one that is said to have failed later still counts. 0 = there was none."""


class InteractionFacts(Contacts, array_like=True, gc=False):
    """The fold of interaction-events."""

    touches: dict[str, Touch] = {}
    """By contact id, or the event id of a call without one."""
    opt_outs: dict[str, Instant] = {}
    """By channel and address; no address = all of the channel, channel `all` = every one."""
    blocked: dict[str, Instant] = {}
    """Addresses that turned out to be somebody else's."""
    events: bytes = b""
    unread: dict[str, Instant] = {}
    """The newest reply that a person must read, by the channel that it came by; when it may be an opt-out also by
    `channel|channel that it may end`. `models/account/claims.py` says which of them still wait."""
    read_until: dict[str, Instant] = {}
    """Up to when a person has read the replies, by channel."""
    stops: dict[str, Instant] = {}
    """The newest opt-out from calls or texts, by `channel|debt that it was about`; no debt = it named none."""
    wrote: dict[str, Instant] = {}
    """The newest text or e-mail from the customer, by `channel|address that it came from`; no address = not known."""
    spoken: dict[str, Instant] = {}
    """When a debt was first spoken of, of the contacts that are not kept any more; `""` = of those that named none."""
    noticed: dict[str, Instant] = {}
    """When its validation notice was sent, likewise."""
    stopped_by: dict[str, Instant] = {}
    """The newest opt-out that came by a channel, from whatever it was."""
    claims: dict[str, Instant] = {}
    """The newest reply that claims one of CLAIMED, or promises without a day, by `channel|intent`."""


# -- contacts ----------------------------------------------------------------------------------------------------------


def _sent(facts: InteractionFacts, event: ContactSent, at: Instant, mark: bytes) -> Answer:
    known = facts.touches.get(event.contact_id)
    if known is not None and known.sent:
        return DUPLICATE
    outcome = "unknown" if event.handover == "unknown" else "sent"
    if known is None or known.outcome not in CONNECTED:  # a call that was told of first is counted already
        facts.made += 1
    touch = _touch(facts, event.contact_id, event.channel, outcome, at, mark)
    touch.at, touch.sent = at, True
    facts.last_contact_at = max(facts.last_contact_at, at)
    touch.purpose, touch.mode = event.purpose, event.mode
    touch.address = event.address or touch.address
    touch.debt_id = event.debt_id or touch.debt_id
    return APPLIED


def _reported(outcome: str) -> Callable[[InteractionFacts, Any, Instant, bytes], Answer]:
    def report(facts: InteractionFacts, event: Any, at: Instant, mark: bytes) -> Answer:
        touch = _touch(facts, event.contact_id, event.channel, outcome, at, mark)
        facts.answered += outcome in READ
        touch.address = touch.address or event.address
        touch.debt_id = touch.debt_id or event.debt_id
        return APPLIED

    return report


def _touch(facts: InteractionFacts, name: str, channel: str, outcome: str, at: Instant, mark: bytes) -> Touch:
    """The contact with this report on it; reports may come in any order.

    That it left says less than what became of it, even when both are told for the same instant.
    """
    written = stamp(at, mark)
    touch = facts.touches.get(name)
    if touch is None:
        touch = facts.touches[name] = Touch(at, channel, outcome, written)
        return touch
    first, only_left = outcome in LEFT, touch.outcome in LEFT
    if written > touch.stamp if first is only_left else only_left:
        touch.outcome, touch.stamp = outcome, written
    if not touch.sent and at < touch.at:
        touch.at = at
    return touch


def _called(facts: InteractionFacts, event: CallCompleted, at: Instant, mark: bytes) -> Answer:
    channel = "voicemail" if event.outcome == "voicemail" else "call"
    touch = _touch(facts, event.contact_id or event.event_id, channel, event.outcome, at, mark)
    if not touch.sent:
        touch.at = at
    touch.channel = channel
    touch.inbound = event.direction == "inbound"
    facts.answered += event.outcome == "conversation"
    if not touch.inbound and event.outcome in CONNECTED:
        facts.made += not touch.sent
        facts.last_contact_at = max(facts.last_contact_at, at)
    touch.purpose, touch.mode = event.purpose, event.mode
    touch.address = event.address or touch.address
    touch.debt_id = event.debt_id or touch.debt_id
    if event.outcome == "wrong_party" and event.address:
        block(facts, event.address, at)
    return APPLIED


def block(facts: InteractionFacts, address: str, at: Instant) -> None:
    """Remember that an address is somebody else's."""
    blocked = facts.blocked
    blocked[address] = max(blocked.get(address, 0), at)
    if len(blocked) > BLOCKED:
        del blocked[min(blocked, key=lambda name: (blocked[name], name))]


def wrote(facts: InteractionFacts, channel: str, address: str | None, at: Instant) -> None:
    """Remember when the customer last wrote from an address."""
    if channel in WRITTEN:
        later(facts.wrote, f"{channel}|{address or ''}", at)
        if len(facts.wrote) > WROTE:
            del facts.wrote[min(facts.wrote, key=lambda name: (facts.wrote[name], name))]


def later(times: dict[str, Instant], name: str, at: Instant) -> None:
    """Keep the later of two times, whatever order they come in."""
    times[name] = max(times.get(name, 0), at)


Handler = Callable[[InteractionFacts, Any, Instant, bytes], Answer]

HANDLERS: dict[type, Handler] = {
    ContactSent: _sent,
    ContactDelivered: _reported("delivered"),
    ContactBounced: _reported("bounced"),
    ContactFailed: _reported(FAILED),
    ContactOpened: _reported("opened"),
    ContactClicked: _reported("clicked"),
    CallCompleted: _called,
}


def fold(facts: InteractionFacts, event: Event, handler: Handler) -> Answer:
    """Fold one event of interaction-events. A dropped one leaves the facts as they were."""
    mark = fingerprint(event.event_id)
    if mark in facts.events:
        return DUPLICATE
    at, known = instant(event.occurred_at), len(facts.touches)
    answer = handler(facts, event, at, mark)
    if answer is APPLIED:
        facts.events = remember(facts.events, mark, EVENTS)
        facts.newest = max(facts.newest, at)
        if len(facts.touches) > known:
            _forget_old(facts)
    return answer


def _bound_debts(times: dict[str, Instant]) -> None:
    """Over the limit a debt is forgotten and what was known of it taken to be about every one."""
    if len(times) > DEBTS:
        name = min((name for name in times if name), key=lambda name: (times[name], name))
        since = times.pop(name)
        times[""] = min(times.get("", since), since)


def _forget_old(facts: InteractionFacts) -> None:
    touches = facts.touches
    horizon = facts.newest - TOUCH_DAYS * DAY
    while touches:
        first = next(iter(touches))
        if touches[first].at >= horizon:
            if len(touches) <= TOUCHES:
                return
            first = min(touches, key=lambda name: (touches[name].at, name))
        _remember_first(facts, touches.pop(first))


def medium(channel: str) -> str:
    """What channels reach the same contact points; it stands for a point of it that is not known."""
    return "number|" if channel in BY_NUMBER else channel + "|"


def speaks_of_debt(touch: Touch) -> bool:
    """Whether something was said about a debt: attempts say nothing, and a message on a machine is one."""
    if touch.purpose in ("transactional", "opt_out_confirmation"):
        return False
    if touch.channel in ("call", "voicemail"):
        return touch.outcome == "conversation"
    return not touch.inbound and touch.outcome != FAILED


def gives_notice(touch: Touch) -> bool:
    """Whether a validation notice was sent, or given in a conversation."""
    if touch.purpose != "validation_notice" or touch.inbound:
        return False
    return touch.outcome == "conversation" if touch.channel in ("call", "voicemail") else touch.outcome != FAILED


def _remember_first(facts: InteractionFacts, touch: Touch) -> None:
    """What is asked of a contact even when it is not kept any more."""
    debt = touch.debt_id or ""
    if speaks_of_debt(touch):
        since = max(touch.at, instant_of(touch.stamp)) if touch.outcome == "conversation" else touch.at
        facts.spoken[debt] = min(facts.spoken.get(debt, since), since)
        _bound_debts(facts.spoken)
    if gives_notice(touch):
        facts.noticed[debt] = min(facts.noticed.get(debt, touch.at), touch.at)
        if len(facts.noticed) > DEBTS:  # what is forgotten here only denies more
            del facts.noticed[min(facts.noticed, key=lambda name: (facts.noticed[name], name))]
    if touch.inbound:
        wrote(facts, touch.channel, touch.address, touch.at)
    if touch.outcome == "wrong_party" and not touch.address:
        block(facts, medium(touch.channel), touch.at)
