"""The `schedule` policy: a tenant's steps at days from the due date, each taken once for an invoice.

The oldest open invoice that may be chased rules which step is due (not one whose last step lay before the tenant went
live); one contact covers everything that is due by then. Of several steps whose day has come only the latest is taken.
A step that the gate denies stays due: the account is looked at again when it is allowed, and by then a later step may
have taken its place.

Who pays a part of an invoice after its due day is given time: the days of the steps that are left count from the day of
that payment, as they did from the due day.
"""

from bisect import bisect_right

import msgspec

from models.account.course import CONTACT, WAIT, Course
from models.account.promises import next_judging
from models.account.standing import Named, Standing
from models.account.state import Facts
from models.actions.choice import WAIT_ALONE, WAIT_CHOSEN, WAIT_ELSE, Caps, Choice, Day, Look, earliest
from models.actions.contact import Draft, covered, planned_contacts, point_for, variables
from models.calendar import Zone, instant, utc, zone
from models.clock import Instant
from models.compliance.gate import Situation, Verdict
from models.compliance.hours import spans_of, within
from schemas.actions import Candidate
from schemas.control import Tenant
from schemas.strategies import Step

LIFT = 0.05
"""Declared, not learned: one in twenty of those who would not pay by themselves is moved by a contact. It values the
candidates for comparison; the schedule itself chooses by date alone."""

NOTHING_OWED = ("nothing_owed",)
BARRED = ("nothing_may_be_chased",)
BEFORE_LIVE = ("due_before_going_live",)
NO_STEP_DUE = ("no_step_due",)
STEP_DUE = ("step_due",)
STEPS_EXHAUSTED = "steps_exhausted"


class Prospect(msgspec.Struct, gc=False):
    """What the schedule has to choose from: all that it needs of the account."""

    action: str
    """What will be done, whatever the score."""
    reasons: tuple[str, ...]
    review_at: Instant | None = None
    step: Step | None = None
    """The step that is due."""
    verdict: Verdict | None = None
    """On the step's contact."""
    invoice_ids: tuple[str, ...] = ()
    """What it is about, the invoice that ruled it first."""
    at_stake: int = 0
    """Minor units open in the ruling invoice's currency."""
    draft: Draft | None = None


class Plan:
    """A tenant's strategy, made ready for the hot path."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.zone: Zone = zone(tenant.time_zone) or Zone("UTC")
        self.opens = within(spans_of(tenant.limits.contact_hours)).first_start()
        steps = [step for step in tenant.strategy.steps if step.action != CONTACT or (step.channel and step.template)]
        self.steps = sorted(steps, key=lambda step: step.at_days)
        self.days = [step.at_days for step in self.steps]
        self.policy = f"schedule:{tenant.strategy.name}"[:200]
        self.live_since = None if tenant.live_since is None else instant(tenant.live_since)
        self.live_day = self._first_day(self.live_since) if self.live_since is not None else 0
        self.rules_from = self.zone.start(self.live_day - self.days[-1], 0) if self.days and self.live_day else 0
        """An invoice due before this has no step left since the tenant went live; it rules nothing."""
        self._today = Day(-1, 0, 0)

    def _first_day(self, since: Instant) -> int:
        """The first date whose contact hours begin at `since` or later: steps of earlier dates are skipped."""
        day = self.zone.day(since)
        return day if self.zone.start(day, self.opens) >= since else day + 1

    def is_live(self, at: Instant) -> bool:
        """Whether the tenant's accounts are decided on."""
        return self.live_since is not None and self.live_since <= at

    def today(self, at: Instant) -> Day:
        """The tenant's calendar at an instant; most calls in a batch ask for the same one."""
        if self._today.at != at:
            day = self.day_of(at)
            self._today = Day(at, day, self.zone.start(day, 0))
        return self._today

    def day_of(self, at: Instant) -> int:
        """The latest local date whose contact hours have begun."""
        day = self.zone.day(at)
        return day if self.zone.start(day, self.opens) <= at else day - 1

    def opening(self, day: int) -> Instant:
        """When contact hours begin on a local date."""
        return self.zone.start(day, self.opens)

    def ruling(self, standing: Standing) -> Named | None:
        """The oldest invoice that may be chased and has had a step since the tenant went live."""
        for named in standing.chaseable:
            if named[0] >= self.rules_from:
                return named
        return None

    def steps_of(self, named: Named, due_day: int, course: Course, today: Day) -> tuple[Step | None, Instant | None]:
        """The step that is due for an invoice due on a day, and when the next one will be.

        Due is the latest whose day has come, unless it was taken already or lies before the tenant went live.
        """
        invoice = named[2]
        if invoice.paid and (paid_day := self.zone.day(invoice.paid_at)) > due_day:
            return self._steps_after(paid_day, named[1], course, today)
        place = bisect_right(self.days, today.day - due_day)
        done = course.steps.get(named[1]) if course.steps else None
        due = self.steps[place - 1] if place else None
        if due is not None:
            day = due_day + due.at_days
            if day < self.live_day or (done and (due.id in done.steps or day <= self.day_of(done.at))):
                due = None
        for later in self.steps[place:]:
            if due_day + later.at_days >= self.live_day and not (done and later.id in done.steps):
                return due, self.opening(due_day + later.at_days)
        return due, None

    def _steps_after(
        self, paid_day: int, invoice_id: str, course: Course, today: Day
    ) -> tuple[Step | None, Instant | None]:
        """`steps_of` for an invoice that was partly paid on a day after its due day.

        Left are the steps behind the due day and behind every step taken, in the strategy's order: nobody who has paid
        a part is asked for the rest in milder words than before.
        """
        done = course.steps.get(invoice_id)
        first = bisect_right(self.days, 0)
        if done is not None:
            first = max([first, *(place + 1 for place, step in enumerate(self.steps) if step.id in done.steps)])
        place = bisect_right(self.days, today.day - paid_day)
        due = self.steps[place - 1] if place > first else None
        if due is not None:
            day = paid_day + due.at_days
            if day < self.live_day or (done is not None and day <= self.day_of(done.at)):
                due = None
        for later in self.steps[max(place, first) :]:
            if paid_day + later.at_days >= self.live_day:
                return due, self.opening(paid_day + later.at_days)
        return due, None

    def next_overdue_at(self, standing: Standing, known: Named | None = None, known_day: int = 0) -> Instant | None:
        """When the next open invoice will be overdue.

        Args:
            known: an invoice whose due date has been worked out already, as `known_day`.
        """
        place = len(standing.overdue)
        if place == len(standing.open):
            return None
        coming = standing.open[place]
        return self.opening((known_day if coming is known else self.zone.day(coming[0])) + 1)

    def next_judging_at(self, facts: Facts, course: Course, today: Day) -> Instant | None:
        """When the next promise can be judged."""
        contacts = facts.contacts
        if not contacts.promises:
            return None
        day = next_judging(contacts, course, self.zone, today.day)
        return None if day is None else self.opening(day)

    def next_step_of_any(self, facts: Facts, standing: Standing, course: Course, today: Day) -> Instant | None:
        """When any invoice's next step will be due or a promise can be judged, for an account that is only folded.

        Which of them will rule depends on when the tenant goes live.
        """
        day_of = self.zone.day
        steps = [self.steps_of(named, day_of(named[0]), course, today)[1] for named in standing.chaseable]
        return earliest(*steps, self.next_overdue_at(standing), self.next_judging_at(facts, course, today))


class Schedule:
    """The policy that carries out a plan's steps."""

    reads_all = False

    def __init__(self, plan: Plan, name: str | None = None) -> None:
        self.plan = plan
        self.name = name or plan.policy

    def consider(self, look: Look) -> Prospect:
        """What the schedule would do about an account now."""
        plan, standing, course, today = self.plan, look.standing, look.course, look.today
        ruling = plan.ruling(standing) if standing.chaseable else None
        if ruling is None:
            return Prospect(WAIT, _idle(standing), plan.next_overdue_at(standing))
        due_day = plan.zone.day(ruling[0])
        step, next_at = plan.steps_of(ruling, due_day, course, today)
        review_at = earliest(next_at, plan.next_overdue_at(standing, ruling, due_day))
        if step is None:
            return Prospect(WAIT, NO_STEP_DUE, review_at, invoice_ids=(ruling[1],))
        return self._step(look, ruling, step, review_at)

    def _step(self, look: Look, ruling: Named, step: Step, review_at: Instant | None) -> Prospect:
        facts, at, tenant = look.facts, look.today.at, self.plan.tenant
        covers = covered(look.standing, ruling, at)
        invoice = ruling[2]
        ids = tuple([named[1] for named in covers])
        at_stake = sum([its.rest for _, _, its in covers if its.currency == invoice.currency])
        if step.action != CONTACT or step.channel is None or step.template is None:
            return Prospect(step.action, STEP_DUE, review_at, step, None, ids, at_stake)
        point = point_for(facts.crm, step.channel, tenant.debt_class)
        planned = planned_contacts(facts, look.course, at, look.mode) if look.course.planned else ()
        verdict = look.gate.judge(Situation(at, step.channel, tenant, facts, point, invoice.debt_id, planned=planned))
        if verdict.allowed and point is not None:
            profile = facts.crm.profile
            said = variables(covers, profile)
            draft = Draft(step.channel, point.address, step.template, said, invoice.debt_id, profile.language or None)
            return Prospect(CONTACT, STEP_DUE, review_at, step, verdict, ids, at_stake, draft)
        again = earliest(review_at, verdict.next_allowed_at)
        return Prospect(WAIT, ("step_denied", *verdict.reasons), again, step, verdict, ids, at_stake)

    def choose(self, prospect: Prospect, score: float, decision_id: str, caps: Caps) -> Choice:
        """What was due is done, whatever the score; the values are for comparison."""
        step, verdict = prospect.step, prospect.verdict
        return Choice(
            prospect.action,
            prospect.reasons,
            WAIT_ALONE if step is None else candidates(prospect, score),
            prospect.review_at,
            None if step is None else step.id,
            prospect.invoice_ids,
            prospect.draft,
            denied=() if verdict is None else verdict.denied_by,
            escalation=STEPS_EXHAUSTED,
        )

    def contacts(self, look: Look) -> bool:
        """Every account."""
        return True

    def look_again(self, look: Look) -> Instant | None:
        """When any invoice's next step will be due or a promise can be judged."""
        return self.plan.next_step_of_any(look.facts, look.standing, look.course, look.today)


def _idle(standing: Standing) -> tuple[str, ...]:
    if not standing.open:
        return NOTHING_OWED
    return BEFORE_LIVE if standing.chaseable else BARRED


def candidates(prospect: Prospect, probability: float) -> tuple[Candidate, ...]:
    """The whole set that was looked at. The schedule is deterministic: what is chosen has probability 1.

    Args:
        probability: of being paid without a contact.
    """
    step = prospect.step
    if step is None:
        return WAIT_ALONE
    value = round(LIFT * (1.0 - probability) * prospect.at_stake, 2)
    verdict = prospect.verdict
    if verdict is None:
        return WAIT_ELSE, Candidate(action=step.action, value=value, probability=1.0, allowed=True)
    again = verdict.next_allowed_at
    candidate = Candidate(
        action=CONTACT,
        value=value,
        probability=1.0 if verdict.allowed else 0.0,
        allowed=verdict.allowed,
        channel=step.channel,
        template=step.template,
        denied_by=verdict.denied_by,
        next_allowed_at=None if again is None else utc(again),
    )
    return (WAIT_ELSE if verdict.allowed else WAIT_CHOSEN), candidate
