"""Promises to pay, each judged once, when its day has passed: kept when the money has come in time, else broken.

A promise stands when it was made before its day ended and not taken back before then, by the tenant's calendar. Money
counts that was received in its currency from when it was made to the end of its day, less what of that has gone back by
the time of judging; what goes back later changes nothing. Money counts for every promise that it came in time for.

Money is asked of the payments that are remembered by name: those on account and the last SETTLED used-up ones. A
promise that more payments than that have followed before it was judged, such as one of years ago in history that was
only folded, can therefore be called broken although it was kept. The same holds for money that was merged into a sum
without a name, beyond CREDITS payments on account.
"""

from collections.abc import Iterator

import msgspec

from models.account.course import Course
from models.account.interactions import Contacts, Promise
from models.account.ledger import Payment, PaymentFacts, decode_payment
from models.account.state import Facts
from models.calendar import DAY, Zone
from models.clock import Instant
from schemas.currencies import decimals

FAR = 366
"""Days beyond which nobody looks ahead to a promised day, which may be 170 years away; the account is looked at again
then."""


class Judged(msgspec.Struct, gc=False):
    """A promise whose day has passed."""

    promise_id: str
    promise: Promise
    received: int
    """Minor units that have come in time."""
    told: bool = True
    """Whether it is news; what had passed when the tenant went live is not, nor what cannot be said in any currency."""

    @property
    def kept(self) -> bool:
        """Whether all that was promised has come."""
        return self.received >= self.promise.amount


def judge(facts: Facts, course: Course, zone: Zone, today: int) -> tuple[Judged, ...]:
    """The promises that are to be judged now, oldest day first.

    Args:
        today: the tenant's day number; what was promised for an earlier day has passed.
    """
    due = sorted([(p.due_on, name, p) for name, p in _unjudged(facts.contacts, course, zone) if p.due_on < today])
    if not due:
        return ()
    payments = list(_payments(facts.payments))
    return tuple([_judged(facts.payments, payments, name, promise, zone) for _, name, promise in due])


def next_judging(contacts: Contacts, course: Course, zone: Zone, today: int) -> int | None:
    """The day number on which the next promise can be judged: the one after the promised day, later than `today`."""
    days = [promise.due_on for _, promise in _unjudged(contacts, course, zone) if promise.due_on >= today]
    return min(min(days) + 1, today + FAR) if days else None


def review_for(contacts: Contacts, course: Course) -> Instant | None:
    """The course's own next review, or an earlier one where it does not reach a promise that it cannot have known of.

    That is one that history brought after the last decision. In whose zone its day ends is not known here: the account
    is looked at when it begins, and that look says when the next one is.
    """
    review_at = course.review_at
    days = [
        promise.due_on
        for name, promise in contacts.promises.items()
        if promise.known
        and promise.cancelled_at is None
        and promise.made_at < (promise.due_on + 2) * DAY
        and name not in course.judged
    ]
    ahead = [day for day in days if day * DAY > course.decided_at]
    if ahead and (review_at is None or review_at > (min(ahead) + 3) * DAY):  # by then the day is over in every zone
        return min(min(ahead) * DAY, course.decided_at + (FAR - 2) * DAY)  # nobody had looked ahead further
    return review_at


def _unjudged(contacts: Contacts, course: Course, zone: Zone) -> Iterator[tuple[str, Promise]]:
    judged = course.judged
    for name, promise in contacts.promises.items():
        if promise.known and name not in judged and _stands(promise, zone):
            yield name, promise


def _stands(promise: Promise, zone: Zone) -> bool:
    cancelled = promise.cancelled_at
    return zone.day(promise.made_at) <= promise.due_on and (cancelled is None or zone.day(cancelled) > promise.due_on)


def _payments(facts: PaymentFacts) -> Iterator[Payment]:
    yield from facts.credits.values()
    for stored in facts.settled.values():
        yield decode_payment(stored)


def _judged(facts: PaymentFacts, payments: list[Payment], name: str, promise: Promise, zone: Zone) -> Judged:
    """Judge a promise, which from a reply may lack its currency or its sum.

    It is then about the currency that money came in, else that of the oldest open invoice. Without a sum anything that came
    keeps it, and when nothing came it was about all that is open.
    """
    if promise.currency and promise.amount:
        return Judged(name, promise, _received(payments, promise, zone))
    invoices = sorted([(invoice.due, name, invoice) for name, invoice in facts.invoices.items() if invoice.known])
    came = [payment.currency for payment in payments if _in_time(payment, promise, zone)]
    currency = promise.currency or min(came, default=invoices[0][2].currency if invoices else "")
    if not currency:
        return Judged(name, msgspec.structs.replace(promise, amount=max(1, promise.amount)), 0, told=False)
    amount = promise.amount if promise.currency else promise.amount * 10 ** decimals(currency) // 100
    about = msgspec.structs.replace(promise, currency=currency, amount=amount)
    received = _received(payments, about, zone)
    if not promise.amount:
        about.amount = received or sum([i.rest for _, _, i in invoices if i.currency == currency and i.rest > 0])
    if not about.amount:
        about.amount = 1
        return Judged(name, about, received, told=False)
    return Judged(name, about, received)


def _received(payments: list[Payment], promise: Promise, zone: Zone) -> int:
    return sum([
        max(0, payment.unused + sum([share[1] for share in payment.shares]))
        for payment in payments
        if payment.currency == promise.currency and _in_time(payment, promise, zone)
    ])  # fmt: skip


def _in_time(payment: Payment, promise: Promise, zone: Zone) -> bool:
    return payment.known and payment.at >= promise.made_at and zone.day(payment.at) <= promise.due_on
