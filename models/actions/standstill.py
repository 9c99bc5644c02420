"""Why nothing is chosen for an account now, and until when: what is respected before any contact, whatever it is worth.

In this order: nothing is owed or may be chased; too little is; a reply waits to be read; a person has the account; it is
a person's in any case; money lies on it; a promise, a plan or a payment on its way is waited for; automatic contact has
had its chance; the payments feed is stale; the last contact cannot have been answered yet.
"""

from collections.abc import Sequence

import msgspec

from models.account.bars import standing_holds
from models.account.claims import unread_since
from models.account.course import HAND_TO_PERSON, WAIT, Planned
from models.account.interactions import FAILED
from models.account.ledger import Attempt
from models.account.profile import WHOLE
from models.account.promises import FAR
from models.account.seen import instant_of
from models.account.standing import Named
from models.actions.choice import WAIT_ALONE, WAIT_ELSE, Choice, Look, earliest
from models.actions.options import CONTACTS
from models.actions.schedule import BARRED, NOTHING_OWED, Plan
from models.calendar import DAY, HOUR
from models.clock import Instant
from schemas.actions import Candidate
from schemas.strategies import ActionStrategy

PENDING_DAYS = 5
"""A payment on its way that names no day is waited for so long."""
ON_ITS_WAY = ("scheduled", "pending")
AGREED = ("accepted", "settlement_accepted")
FEED_AGAIN = HOUR
"""A stale feed is asked again so much later."""

TO_PERSON = (WAIT_ELSE, Candidate(action=HAND_TO_PERSON, value=0.0, probability=1.0, allowed=True))


class Owed(msgspec.Struct, gc=False):
    """What one contact would be about."""

    ruling: Named
    """The oldest invoice that may be chased."""
    covers: Sequence[Named]
    ids: tuple[str, ...]
    currency: str
    at_stake: int
    """Minor units in that currency."""
    days: int
    """Past due of the ruling invoice; negative = before its due day."""


class Standstill:
    """What a strategy respects before it chooses."""

    def __init__(self, strategy: ActionStrategy, plan: Plan) -> None:
        self.strategy = strategy
        self.plan = plan
        self.answer_within = round(strategy.review.contact_hours * HOUR)
        fresh = strategy.freshness_hours
        self.fresh = None if fresh is None else round(fresh * HOUR)
        self.others = {spec.id for spec in strategy.actions if spec.action not in CONTACTS}
        """Ids of actions that are no contacts; everything else that was done is one."""

    def before_owed(self, look: Look) -> Choice | None:
        """The choice where nothing may be asked for."""
        standing = look.standing
        if not standing.open:
            return waits(*NOTHING_OWED)
        if not standing.chaseable:
            return waits(*BARRED, at=earliest(self.plan.next_overdue_at(standing), self._hold_ends(look)))
        return self._held(look) if look.facts.bars.holds else None

    def _hold_ends(self, look: Look) -> Instant | None:
        """When the first hold of a debt ends."""
        at = look.today.at
        return earliest(*[hold.until for hold in standing_holds(look.facts.bars) if hold.until and hold.until > at])

    def _held(self, look: Look) -> Choice | None:
        """The choice while the whole account is held."""
        at = look.today.at
        holds = [h for h in standing_holds(look.facts.bars) if h.debt_id == WHOLE and (h.until is None or h.until > at)]
        if not holds:
            return None
        ends = [hold.until for hold in holds if hold.until is not None]
        return waits("on_hold", at=max(ends) if len(ends) == len(holds) else None)

    def of(self, look: Look, owed: Owed, later: Instant | None, *, held_out: bool) -> Choice | None:
        """The choice that is made whatever an action is worth; None when there is something to choose.

        Args:
            later: when the next invoice is overdue.
        """
        minimum: int = self.strategy.minimums.get(owed.currency, 0)  # type: ignore[call-overload]
        if owed.at_stake < minimum:
            return waits("below_minimum", at=later, owed=owed)
        with_person = look.course.escalated_at
        why = self._for_person(look, owed)
        if with_person and with_person >= (why[1] if why else newest_news(look)):
            return waits("with_a_person", at=later, owed=owed)
        if why is not None:
            return to_person(why[0], later, owed)
        if look.facts.crm.profile.vip:
            return waits("vip", at=later, owed=owed)
        waited = self._waited_for(look)
        if waited is not None:
            return waits(waited[0], at=earliest(later, waited[1]), owed=owed)
        if not held_out and self._has_had_its_chance(look, owed):
            return to_person("no_further_contact", later, owed)
        return None

    # -- a person's ----------------------------------------------------------------------------------------------------

    def _for_person(self, look: Look, owed: Owed) -> tuple[str, Instant] | None:
        """Why the account is a person's, and since when; who has had it since then has it still."""
        facts = look.facts
        since = unread_since(facts.interactions) if facts.contacts.last_reply_at else 0
        if since:
            return "reply_to_read", since
        if facts.crm.profile.vip and owed.days > 0:
            return "vip", newest_news(look)
        if facts.payments.credits and self._unapplied(look, owed):
            return "money_on_account", newest_news(look)
        return None

    def _unapplied(self, look: Look, owed: Owed) -> bool:
        """Whether so much money lies on the account that the balance is in doubt.

        Money of the same currency is spread over what is open as it comes, so it is mostly that of another one. What it
        is worth in the balance's currency nobody knows here: all of it counts that is not less than its own minimum.
        """
        lying: dict[str, int] = {}
        for payment in look.facts.payments.credits.values():
            if payment.unused > 0:
                lying[payment.currency] = lying.get(payment.currency, 0) + payment.unused
        owing = sum([invoice.rest for _, _, invoice in look.standing.open if invoice.currency == owed.currency])
        minimums = self.strategy.minimums
        return any(
            amount > self.strategy.unapplied_share * owing
            if currency == owed.currency
            else amount >= minimums.get(currency, 1)  # type: ignore[call-overload]  # a text of the state
            for currency, amount in lying.items()
        )

    def _has_had_its_chance(self, look: Look, owed: Owed) -> bool:
        """Whether automatic contact has gone as far as it may; after a person has had it, it begins anew."""
        limits, course = self.strategy.escalate, look.course
        if limits.after_contacts is None and limits.after_days is None:
            return False
        if course.escalated_at:
            days = (look.today.at - course.escalated_at) // DAY
            contacts = sum([planned.at > course.escalated_at for planned in course.planned])
        else:
            days, contacts = owed.days, self.contacts_about(look, owed)
        most, last = limits.after_contacts, limits.after_days
        return (most is not None and contacts >= most) or (last is not None and days >= last)

    def contacts_about(self, look: Look, owed: Owed) -> int:
        """Contacts about the invoices that are open now; each counts for the invoice that ruled it."""
        steps, others = look.course.steps, self.others
        done = [steps[name] for name in owed.ids if name in steps]
        return sum([step not in others for its in done for step in its.steps])

    # -- what is waited for --------------------------------------------------------------------------------------------

    def _waited_for(self, look: Look) -> tuple[str, Instant | None] | None:
        """What an account is left alone for, and until when."""
        facts, at = look.facts, look.today.at
        payments = facts.payments
        if facts.contacts.promises and (day := self._promised(look)) is not None:
            return "promise", self._after(look, day)
        if payments.deals and (day := self._agreed(look)) is not None:
            return "plan", self._after(look, day)
        if payments.attempts:
            until = max([self._comes(attempt) for attempt in payments.attempts.values()])
            if until > at:
                return "payment_on_its_way", until
        if self.fresh is not None and look.feeds is not None:
            seen = look.feeds.get(self.plan.tenant.tenant_id, 0)
            if at - seen > self.fresh:
                return "payments_feed_stale", at + FEED_AGAIN
        if look.course.planned:
            until = self._answered_by(look, look.course.planned[-1])
            if until > at:
                return "awaiting_answer", until
        return None

    def _after(self, look: Look, day: int) -> Instant:
        """When contact hours begin on the day after a last one and its grace; never further than one looks ahead."""
        today = look.today.day
        return self.plan.opening(min(day + self.strategy.grace_days + 1, today + FAR))

    def _promised(self, look: Look) -> int | None:
        """The last promised day that, with its grace, has not passed."""
        zone, first = self.plan.zone, look.today.day - self.strategy.grace_days
        days = [
            promise.due_on
            for promise in look.facts.contacts.promises.values()
            if promise.known
            and promise.cancelled_at is None
            and promise.due_on >= first
            and zone.day(promise.made_at) <= promise.due_on
        ]
        return max(days, default=None)

    def _agreed(self, look: Look) -> int | None:
        """The last day of a plan or settlement that stands; one without a known day stands until it is broken."""
        first, today = look.today.day - self.strategy.grace_days, look.today.day
        days = [
            deal.last_on or today + FAR
            for deal in look.facts.payments.deals.values()
            if deal.status in AGREED and (not deal.last_on or deal.last_on >= first)
        ]
        return max(days, default=None)

    def _comes(self, attempt: Attempt) -> Instant:
        """Until when a payment may still arrive; one that has failed only if it is tried again."""
        expected = attempt.expected_at
        if expected is None:
            if attempt.status not in ON_ITS_WAY:
                return 0
            expected = instant_of(attempt.stamp) + PENDING_DAYS * DAY
        return expected + self.strategy.grace_days * DAY

    def _answered_by(self, look: Look, last: Planned) -> Instant:
        """Until when the last contact may still be answered; one that never left is not waited for."""
        if last.purpose != "collection":
            return 0
        touch = look.facts.interactions.touches.get(last.contact_id)
        return 0 if touch is not None and touch.outcome == FAILED else last.at + self.answer_within


def newest_news(look: Look) -> Instant:
    """The latest that was heard of the account: a payment, an invoice, a reply or what a person read in one."""
    facts = look.facts
    times = [invoice.at for _, _, invoice in look.standing.open]
    times += [facts.payments.habits.last_paid_at, facts.contacts.last_reply_at]
    if facts.contacts.last_reply_at:
        times += facts.interactions.read_until.values()
    return max(times)


def waits(*reasons: str, at: Instant | None = None, owed: Owed | None = None) -> Choice:
    """To wait, whatever an action would be worth."""
    ids = () if owed is None else owed.ids
    return Choice(WAIT, reasons, WAIT_ALONE, at, invoice_ids=ids)


def to_person(why: str, at: Instant | None, owed: Owed) -> Choice:
    """To hand the account over, whatever an action would be worth."""
    return Choice(HAND_TO_PERSON, (why,), TO_PERSON, at, invoice_ids=owed.ids)
