"""What we have decided about an account: the fold of our own published decisions, live and in a rebuild the same."""

import msgspec

from models.calendar import DAY, instant
from models.clock import Instant
from schemas.actions import NextBestAction

WAIT = "wait"
CONTACT = "contact"
HAND_TO_PERSON = "hand_to_person"

STEPS = 32
"""Invoices whose steps are remembered; the one whose last step lies furthest back is forgotten first."""
TOLD = 1_000
"""Overdue invoices remembered as told, until the account is cured."""
PLANNED = 16
PLANNED_DAYS = 32
JUDGED = 16
"""Promises remembered as judged: twice as many as an account's facts hold, so that none is judged again."""


class Done(msgspec.Struct, array_like=True, gc=False):
    """The steps that were taken for one invoice, and when the last one was."""

    at: Instant
    steps: list[str]


class Planned(msgspec.Struct, array_like=True, gc=False):
    """A contact that was decided on; whether it left is for interaction-events to say."""

    contact_id: str
    at: Instant
    channel: str
    purpose: str


class Course(msgspec.Struct, array_like=True, gc=False):
    """The fold of an account's decisions."""

    decision_no: int = 0
    decision_id: str = ""
    decided_at: Instant = 0
    action: str = ""
    review_at: Instant | None = None
    overdue_since: Instant | None = None
    """Due instant of the oldest overdue invoice, as of the last decision."""
    told: list[str] = []
    """Invoices told as overdue since the account was last without any."""
    steps: dict[str, Done] = {}
    planned: list[Planned] = []
    promises_kept: int = 0
    promises_broken: int = 0
    judged: list[str] = []
    """Promises whose day has passed and that have been found kept or broken."""
    escalated_at: Instant = 0
    """When the account was last handed to a person; 0 = never."""

    def after(self, decision: NextBestAction) -> "Course":
        """The course with one more decision in it; an older or repeated decision changes nothing."""
        if decision.decision_no <= self.decision_no:
            return self
        review = decision.review_at
        since = decision.overdue_since
        return self.advanced(
            decision,
            at=instant(decision.occurred_at),
            review_at=None if review is None else instant(review),
            overdue_since=None if since is None else instant(since),
        )

    def advanced(
        self, decision: NextBestAction, *, at: Instant, review_at: Instant | None, overdue_since: Instant | None
    ) -> "Course":
        """`after` for callers that have the decision's times as instants already."""
        told = self.told
        if overdue_since is None:
            told = []
        elif decision.overdue:
            told = [*told, *decision.overdue][-TOLD:]
        steps = self.steps
        if decision.step is not None and decision.action != WAIT and decision.invoice_ids:
            steps = _with_step(steps, decision.invoice_ids[0], decision.step, at)
        planned = self.planned
        if decision.contact_id is not None and decision.channel is not None:
            new = Planned(decision.contact_id, at, decision.channel, decision.purpose or "collection")
            planned = [*(old for old in planned if old.at > at - PLANNED_DAYS * DAY), new][-PLANNED:]
        kept, broken, judged = decision.promises_kept, decision.promises_broken, self.judged
        if kept or broken:
            judged = [*judged, *kept, *broken][-JUDGED:]
        return Course(
            decision_no=decision.decision_no,
            decision_id=decision.decision_id,
            decided_at=at,
            action=decision.action,
            review_at=review_at,
            overdue_since=overdue_since,
            told=told,
            steps=steps,
            planned=planned,
            promises_kept=self.promises_kept + len(kept),
            promises_broken=self.promises_broken + len(broken),
            judged=judged,
            escalated_at=at if decision.action == HAND_TO_PERSON else self.escalated_at,
        )


def _with_step(steps: dict[str, Done], invoice_id: str, step: str, at: Instant) -> dict[str, Done]:
    """The step belongs to the invoice that ruled the decision: the first of those it covers."""
    steps = dict(steps)
    known = steps.pop(invoice_id, None)
    steps[invoice_id] = Done(at, [*(known.steps if known else ()), step])
    if len(steps) > STEPS:
        del steps[min(steps, key=lambda name: (steps[name].at, name))]
    return steps
