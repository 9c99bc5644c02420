"""What was known of an account at past instants: its events folded in the order of their arrival, by the live code.

The state behind a snapshot holds exactly what had arrived by its instant, whatever `occurred_at` says; what arrives
later, however far back it is dated, changes no bit of it.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from models.account.course import Course
from models.account.outcome import APPLIED
from models.account.standing import Named, Standing, standing_of
from models.account.state import Facts
from models.actions.schedule import Plan
from models.clock import Instant
from models.features.rows import Row, focus_of, observe
from models.propensity.examples import Moment, Target
from schemas.actions import NextBestAction
from schemas.envelope import Event
from schemas.payments import InvoiceIssued

SETTLED_AT_ONCE = "no longer open when it arrived"
NOT_OVERDUE = "no longer open when it was to become overdue"
AFTER_THE_END = "becomes overdue after the end of the data"


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An event, or one of our own decisions, and when it became known."""

    at: Instant
    event: Event


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """An account at an instant, with an eye to one of its invoices."""

    at: Instant
    invoice_id: str
    due: Instant
    currency: str
    segment: str
    """Empty = none."""
    row: Row


class History:
    """One account, walked through its arrivals.

    Args:
        arrivals: in the order of their instants; within one instant in the order in which they are folded.
        plan: the calendar of the account's tenant, the one that live decisions go by.
        until: no snapshot is taken after it.
        left_out: counts the invoices that come to no snapshot, by reason.
    """

    def __init__(self, arrivals: Sequence[Arrival], plan: Plan, until: Instant, left_out: Counter[str]) -> None:
        self.arrivals = arrivals
        self.plan = plan
        self.until = until
        self.left_out = left_out
        self.facts = Facts()
        self.course = Course()
        self._place = 0

    def snapshots(self, moment: Moment, target: Target) -> Iterator[Snapshot]:
        """Every snapshot of the account, in the order of time.

        `issue`: when an invoice arrives, about that invoice. `overdue`: when the contact hours of the first day after
        the due date begin (live, an invoice is overdue from then on), if it is open then as far as is known. `every`:
        each so many days at that hour, from the day of the first arrival, about the invoice that a live score would be
        about then.
        """
        match moment.name:
            case "issue":
                return self._at_issue()
            case "overdue":
                return self._when_overdue()
            case _:
                return self._every(moment, target)

    def fold_until(self, at: Instant) -> list[InvoiceIssued]:
        """Fold everything that arrives up to and at an instant; the invoices among it."""
        issued = []
        while self._place < len(self.arrivals) and self.arrivals[self._place].at <= at:
            event = self.arrivals[self._place].event
            self._place += 1
            if isinstance(event, NextBestAction):
                self.course = self.course.after(event)
            elif self.facts.apply(event) is APPLIED and isinstance(event, InvoiceIssued):
                issued.append(event)
        return issued

    @property
    def next_at(self) -> Instant | None:
        """When the next arrival comes."""
        return self.arrivals[self._place].at if self._place < len(self.arrivals) else None

    def _at_issue(self) -> Iterator[Snapshot]:
        while (at := self.next_at) is not None and at <= self.until:
            issued = self.fold_until(at)
            if not issued:
                continue
            standing = self._standing(at)
            found = {named[1]: named for named in standing.open}
            for event in issued:
                if (named := found.get(event.invoice_id)) is None:
                    self.left_out[SETTLED_AT_ONCE] += 1
                else:
                    yield self._snapshot(standing, named, at)

    def _when_overdue(self) -> Iterator[Snapshot]:
        coming: list[tuple[Instant, str]] = []
        while coming or self.next_at is not None:
            at = self.next_at
            if at is not None and (not coming or at <= coming[0][0]):
                for event in self.fold_until(at):
                    invoice = self.facts.payments.invoices.get(event.invoice_id)
                    if invoice is None:
                        self.left_out[SETTLED_AT_ONCE] += 1
                        continue
                    opening = self.plan.opening(self.plan.zone.day(invoice.due) + 1)
                    heapq.heappush(coming, (max(at, opening), event.invoice_id))
                continue
            at = coming[0][0]
            if at > self.until:
                self.left_out[AFTER_THE_END] += len(coming)
                return
            standing = self._standing(at)
            found = {named[1]: named for named in standing.overdue}
            while coming and coming[0][0] == at:
                _, name = heapq.heappop(coming)
                if (named := found.get(name)) is None:
                    self.left_out[NOT_OVERDUE] += 1
                else:
                    yield self._snapshot(standing, named, at)

    def _every(self, moment: Moment, target: Target) -> Iterator[Snapshot]:
        if (first := self.next_at) is None:
            return
        days, day = moment.days, self.plan.zone.day(first)
        while (at := self.plan.opening(day)) <= self.until:
            self.fold_until(at)
            if self.facts.payments.invoices:
                standing = self._standing(at)
                if (focus := focus_of(standing, moment.name, target.name)) is not None:
                    yield self._snapshot(standing, focus, at)
            elif self.next_at is None:
                return
            else:  # nothing is open until something arrives
                day += max(0, (self.plan.zone.day(self.next_at) - day) // days - 1) * days
            day += days

    def _standing(self, at: Instant) -> Standing:
        return standing_of(self.facts, at, self.plan.today(at).overdue_before)

    def _snapshot(self, standing: Standing, focus: Named, at: Instant) -> Snapshot:
        due, name, invoice = focus
        return Snapshot(
            at=at,
            invoice_id=name,
            due=due,
            currency=invoice.currency,
            segment=self.facts.crm.profile.segment or "",
            row=observe(self.facts, self.course, standing, focus, at, self.plan.zone),
        )
