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
from models.calendar import DAY, day_number, instant
from models.clock import Instant
from models.language.opt_out import channels_named, opt_out
from models.language.reading import BY_PHRASE
from models.language.replies import read_reply
from schemas.envelope import Event
from schemas.interactions import (
    CallCompleted,
    ComplaintReceived,
    ContactBounced,
    ContactClicked,
    ContactDelivered,
    ContactFailed,
    ContactOpened,
    ContactSent,
    OptOutReceived,
    PromiseCancelled,
    PromiseMade,
    ReplyRead,
    ReplyReceived,
)

TOUCH_DAYS = 32
"""The longest rule window is 30 dates, and a date may begin a day earlier in another zone."""
TOUCHES = 128
"""Many times what the limits let through in that time."""
WRITTEN = ("sms", "email")
WROTE = 16
DEBTS = 16
STOPS = 24
OPT_OUTS = 32
PROMISES = 8
BLOCKED = 16

FAILED = "failed"
LEFT = ("sent", "unknown")
READ = ("opened", "clicked")
CONNECTED = ("conversation", "third_party", "voicemail", "no_answer", "wrong_party")
"""Outcomes of a call that was made; `not_connected` was none."""

CLAIMED = frozenset({"dispute", "paid_already", "hardship"})
"""What a reply may claim that its own event says better, once a person has looked into it."""
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
        _block(facts, event.address, at)
    return APPLIED


def _block(facts: InteractionFacts, address: str, at: Instant) -> None:
    blocked = facts.blocked
    blocked[address] = max(blocked.get(address, 0), at)
    if len(blocked) > BLOCKED:
        del blocked[min(blocked, key=lambda name: (blocked[name], name))]


def has_left(touch: Touch) -> bool:
    """Whether the contact was made at all; what is unknown counts as made."""
    return touch.outcome != FAILED


# -- words -------------------------------------------------------------------------------------------------------------


def _replied(facts: InteractionFacts, event: ReplyReceived, at: Instant, _mark: bytes) -> Answer:
    facts.answered += 1
    facts.last_reply_at = max(facts.last_reply_at, at)
    _wrote(facts, event.channel, event.address, at)
    wish = opt_out(event.text)
    if wish == "yes":
        _later(facts.stopped_by, event.channel, at)
    if wish != "no":
        for channel in channels_named(event.text) or (event.channel,):
            if wish == "yes":
                _opt_out(facts, channel, _meant(event, channel), at, event.debt_id)
            else:
                _later(facts.unread, f"{event.channel}|{channel}", at)
    if wish == "unsure":
        _later(facts.unread, event.channel, at)
    elif wish == "no":
        _understood(facts, event, at)
    return APPLIED


def _understood(facts: InteractionFacts, event: ReplyReceived, at: Instant) -> None:
    """Take what a reply says besides; what nobody is sure of, and a question, waits for a person."""
    channel = event.channel
    reading = read_reply(event.text, event.address, at)
    if not reading.sure or reading.says("question"):
        _later(facts.unread, channel, at)
    if not reading.sure:
        if reading.intent == "opt_out":
            _later(facts.unread, f"{channel}|{channel}", at)
        return
    for intent in (reading.intent, *reading.also):
        if intent in CLAIMED:
            _later(facts.claims, f"{channel}|{intent}", at)
    if reading.says("wrong_person"):
        if event.address and reading.confidence >= BY_PHRASE:
            _block(facts, event.address, at)
        else:
            _later(facts.unread, channel, at)
    if reading.says("promise"):
        if reading.due_on is None:
            _later(facts.claims, f"{channel}|promise", at)
        else:
            promise = Promise(at, reading.amount_minor or 0, reading.currency or "", day_number(reading.due_on))
            _promise(facts, event.event_id, promise)


def _wrote(facts: InteractionFacts, channel: str, address: str | None, at: Instant) -> None:
    if channel in WRITTEN:
        _later(facts.wrote, f"{channel}|{address or ''}", at)
        if len(facts.wrote) > WROTE:
            del facts.wrote[min(facts.wrote, key=lambda name: (facts.wrote[name], name))]


def _meant(event: ReplyReceived, channel: str) -> str | None:
    """The address that an opt-out is about: where the reply came from, when the channel reaches that, else every one."""
    return event.address if channel == event.channel or {channel, event.channel} <= BY_NUMBER else None


def _read(facts: InteractionFacts, event: ReplyRead, at: Instant, _mark: bytes) -> Answer:
    _later(facts.read_until, event.channel, at)
    if event.intent == "opt_out":
        _opt_out(facts, event.channel, event.address, at)
    elif event.intent == "wrong_person" and event.address:
        _block(facts, event.address, at)
    return APPLIED


def _later(times: dict[str, Instant], name: str, at: Instant) -> None:
    times[name] = max(times.get(name, 0), at)


def _opted_out(facts: InteractionFacts, event: OptOutReceived, at: Instant, _mark: bytes) -> Answer:
    _opt_out(facts, event.channel, event.address, at)
    if event.received_by is not None:
        _later(facts.stopped_by, event.received_by, at)
    return APPLIED


def _opt_out(
    facts: InteractionFacts, channel: str, address: str | None, at: Instant, debt_id: str | None = None
) -> None:
    """Over the limit the oldest address is forgotten and its whole channel opted out instead: never too little."""
    opt_outs = facts.opt_outs
    if channel in BY_NUMBER or channel == "all":
        _later(facts.stops, f"{channel}|{debt_id or ''}", at)
        if len(facts.stops) > STOPS:  # what is forgotten is taken to be about every debt
            name = min(
                (name for name in facts.stops if not name.endswith("|")), key=lambda name: (facts.stops[name], name)
            )
            _later(facts.stops, name.partition("|")[0] + "|", facts.stops.pop(name))
    key = f"{channel}|{address or ''}"
    opt_outs[key] = max(opt_outs.get(key, 0), at)
    if len(opt_outs) > OPT_OUTS:
        oldest = min((name for name in opt_outs if not name.endswith("|")), key=lambda name: (opt_outs[name], name))
        since = opt_outs.pop(oldest)
        whole = oldest.partition("|")[0] + "|"
        opt_outs[whole] = max(opt_outs.get(whole, 0), since)


def _complained(facts: InteractionFacts, _event: ComplaintReceived, at: Instant, _mark: bytes) -> Answer:
    facts.last_complaint_at = max(facts.last_complaint_at, at)
    return APPLIED


def _promised(facts: InteractionFacts, event: PromiseMade, at: Instant, _mark: bytes) -> Answer:
    promise = Promise(at, event.amount_minor, event.currency, day_number(event.due_on))
    return _promise(facts, event.promise_id, promise)


def _promise(facts: InteractionFacts, promise_id: str, promise: Promise) -> Answer:
    known = facts.promises.get(promise_id)
    if known is not None and known.known:
        return DUPLICATE
    if known is not None:
        promise.cancelled_at = known.cancelled_at
    facts.promises[promise_id] = promise
    _bound_promises(facts)
    return APPLIED


def _promise_cancelled(facts: InteractionFacts, event: PromiseCancelled, at: Instant, _mark: bytes) -> Answer:
    promise = facts.promises.setdefault(event.promise_id, Promise(at, 0, "", 0, known=False))
    promise.cancelled_at = at if promise.cancelled_at is None else min(promise.cancelled_at, at)
    _bound_promises(facts)
    return APPLIED


def _bound_promises(facts: InteractionFacts) -> None:
    promises = facts.promises
    if len(promises) > PROMISES:
        del promises[min(promises, key=lambda name: (promises[name].due_on, promises[name].made_at, name))]


Handler = Callable[[InteractionFacts, Any, Instant, bytes], Answer]

HANDLERS: dict[type, Handler] = {
    ContactSent: _sent,
    ContactDelivered: _reported("delivered"),
    ContactBounced: _reported("bounced"),
    ContactFailed: _reported(FAILED),
    ContactOpened: _reported("opened"),
    ContactClicked: _reported("clicked"),
    CallCompleted: _called,
    ReplyReceived: _replied,
    ReplyRead: _read,
    PromiseMade: _promised,
    PromiseCancelled: _promise_cancelled,
    OptOutReceived: _opted_out,
    ComplaintReceived: _complained,
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
        _wrote(facts, touch.channel, touch.address, touch.at)
    if touch.outcome == "wrong_party" and not touch.address:
        _block(facts, medium(touch.channel), touch.at)
