"""What the customer says: replies, opt-outs, promises and complaints, folded into the facts of interaction-events.

A reply is read once, when it is folded. What nobody is sure of waits for a person, and denies meanwhile what it may have
been about.
"""

from collections.abc import Callable
from typing import Any

from models.account.interactions import BY_NUMBER, InteractionFacts, Promise, block, later, wrote
from models.account.outcome import APPLIED, DUPLICATE, Answer
from models.calendar import day_number
from models.clock import Instant
from models.language.opt_out import channels_named, opt_out
from models.language.reading import BY_PHRASE
from models.language.replies import read_reply
from schemas.interactions import (
    ComplaintReceived,
    OptOutReceived,
    PromiseCancelled,
    PromiseMade,
    ReplyRead,
    ReplyReceived,
)

STOPS = 24
OPT_OUTS = 32
PROMISES = 8

CLAIMED = frozenset({"dispute", "paid_already", "hardship"})
"""What a reply may claim that its own event says better, once a person has looked into it."""


def _replied(facts: InteractionFacts, event: ReplyReceived, at: Instant, _mark: bytes) -> Answer:
    facts.answered += 1
    facts.last_reply_at = max(facts.last_reply_at, at)
    wrote(facts, event.channel, event.address, at)
    wish = opt_out(event.text)
    if wish == "yes":
        later(facts.stopped_by, event.channel, at)
    if wish != "no":
        for channel in channels_named(event.text) or (event.channel,):
            if wish == "yes":
                _opt_out(facts, channel, _meant(event, channel), at, event.debt_id)
            else:
                later(facts.unread, f"{event.channel}|{channel}", at)
    if wish == "unsure":
        later(facts.unread, event.channel, at)
    elif wish == "no":
        _understood(facts, event, at)
    return APPLIED


def _understood(facts: InteractionFacts, event: ReplyReceived, at: Instant) -> None:
    """Take what a reply says besides; what nobody is sure of, and a question, waits for a person."""
    channel = event.channel
    reading = read_reply(event.text, event.address, at)
    if not reading.sure or reading.says("question"):
        later(facts.unread, channel, at)
    if not reading.sure:
        if reading.intent == "opt_out":
            later(facts.unread, f"{channel}|{channel}", at)
        return
    for intent in (reading.intent, *reading.also):
        if intent in CLAIMED:
            later(facts.claims, f"{channel}|{intent}", at)
    if reading.says("wrong_person"):
        if event.address and reading.confidence >= BY_PHRASE:
            block(facts, event.address, at)
        else:
            later(facts.unread, channel, at)
    if reading.says("promise"):
        if reading.due_on is None:
            later(facts.claims, f"{channel}|promise", at)
        else:
            promise = Promise(at, reading.amount_minor or 0, reading.currency or "", day_number(reading.due_on))
            _promise(facts, event.event_id, promise)


def _meant(event: ReplyReceived, channel: str) -> str | None:
    """The address that an opt-out is about: where the reply came from, when the channel reaches that, else every one."""
    return event.address if channel == event.channel or {channel, event.channel} <= BY_NUMBER else None


def _read(facts: InteractionFacts, event: ReplyRead, at: Instant, _mark: bytes) -> Answer:
    later(facts.read_until, event.channel, at)
    if event.intent == "opt_out":
        _opt_out(facts, event.channel, event.address, at)
    elif event.intent == "wrong_person" and event.address:
        block(facts, event.address, at)
    return APPLIED


def _opted_out(facts: InteractionFacts, event: OptOutReceived, at: Instant, _mark: bytes) -> Answer:
    _opt_out(facts, event.channel, event.address, at)
    if event.received_by is not None:
        later(facts.stopped_by, event.received_by, at)
    return APPLIED


def _opt_out(
    facts: InteractionFacts, channel: str, address: str | None, at: Instant, debt_id: str | None = None
) -> None:
    """Over the limit the oldest address is forgotten and its whole channel opted out instead: never too little."""
    opt_outs = facts.opt_outs
    if channel in BY_NUMBER or channel == "all":
        later(facts.stops, f"{channel}|{debt_id or ''}", at)
        if len(facts.stops) > STOPS:  # what is forgotten is taken to be about every debt
            name = min(
                (name for name in facts.stops if not name.endswith("|")), key=lambda name: (facts.stops[name], name)
            )
            later(facts.stops, name.partition("|")[0] + "|", facts.stops.pop(name))
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


HANDLERS: dict[type, Callable[[InteractionFacts, Any, Instant, bytes], Answer]] = {
    ReplyReceived: _replied,
    ReplyRead: _read,
    PromiseMade: _promised,
    PromiseCancelled: _promise_cancelled,
    OptOutReceived: _opted_out,
    ComplaintReceived: _complained,
}
