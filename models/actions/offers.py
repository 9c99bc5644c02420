"""What a strategy has to offer an account now: the actions that are open to it, and what the gate says of each.

Everything that valuing needs of the account is read off here once, because the account is not kept.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from models.account.bars import HARDSHIP, VULNERABLE
from models.account.course import HAND_TO_PERSON, Planned
from models.account.interactions import FAILED, Touch
from models.account.profile import ContactPoint, CrmFacts, flagged_at
from models.actions.choice import Look
from models.actions.contact import planned_contacts, point_for
from models.actions.options import CONTACTS, OFFER_PLAN, WAITING, Option
from models.actions.schedule import Plan
from models.actions.standstill import Owed
from models.calendar import DAY, Zone
from models.clock import Instant
from models.compliance.gate import Situation, Verdict
from models.compliance.hours import Daytime, spans_of, within
from models.compliance.live import zones_of
from schemas.actions import Context
from schemas.rules import Limit
from schemas.strategies import ActionSpec, ActionStrategy

LATELY = 30 * DAY
LEAST_DAYS = 7
"""A limit of fewer days is free again so soon that no contact is saved up for."""
HOURS_RULE = "strategy:hours"
NO_POINT = Verdict(allowed=False, denied_by=("no_contact_point",))

GENTLE = frozenset({OFFER_PLAN, HAND_TO_PERSON})
"""All that may be chosen for who has declared hardship, or is known to be vulnerable."""


class Offer(msgspec.Struct, gc=False):
    """The options of an account, and what sending one of them needs."""

    options: list[Option]
    """Waiting first."""
    points: dict[str, ContactPoint]
    """By channel."""
    reasons: dict[str, tuple[str, ...]]
    """Why a channel was denied, for people."""


class Recent(msgspec.Struct, gc=False):
    """Contacts of ours lately, those that were planned and not yet heard of included."""

    planned: Sequence[Planned]
    touches: Sequence[Touch]

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.planned) + len(self.touches)


class Offers:
    """A strategy's actions, made ready for one tenant's accounts."""

    def __init__(self, strategy: ActionStrategy, plan: Plan) -> None:
        self.strategy = strategy
        self.tenant = plan.tenant
        self._edges = sorted({day for its in strategy.actions for day in (its.from_days, its.to_days + 1)})
        self._by_days = [
            [its for its in strategy.actions if its.from_days <= first <= its.to_days]
            for first in (-math.inf, *self._edges)
        ]
        """The actions that are offered before the first edge, and from each edge on until before the next."""
        self._slots: dict[tuple[str, tuple[Zone, ...]], Daytime] = {}

    def open_to(self, look: Look, owed: Owed) -> list[ActionSpec]:
        """The actions that are open to an account, but for its segment, which may hang on its score."""
        steps, days, crm = look.course.steps, owed.days, look.facts.crm
        taken = [step for name in owed.ids if name in steps for step in steps[name].steps] if steps else []
        gentle = bool(crm.flags) and any(flagged_at(crm, name) is not None for name in (HARDSHIP, VULNERABLE))
        debt_class = crm.profile.debt_class or self.tenant.debt_class
        return [
            spec
            for spec in self._by_days[bisect_right(self._edges, days)]
            if (spec.debt_class is None or spec.debt_class == debt_class)
            and (not gentle or spec.action in GENTLE)
            and (not taken or taken.count(spec.id) < spec.at_most)
            and (not spec.after or any(name in taken for name in spec.after))
        ]

    def recent(self, look: Look) -> Recent:
        """What was sent lately."""
        after, course = look.today.at - LATELY, look.course
        touches = [
            touch
            for touch in look.facts.interactions.touches.values()
            if touch.at > after and not touch.inbound and touch.outcome != FAILED
        ]
        planned = planned_contacts(look.facts, course, look.today.at, look.mode) if course.planned else ()
        return Recent(planned, touches)

    def context(self, look: Look, owed: Owed, recent: Recent) -> Context:
        """What the actions will be valued by, besides score and amount."""
        facts, tenant = look.facts, self.tenant
        contacts, habits, profile = facts.interactions, facts.payments.habits, facts.crm.profile
        return Context(
            days_past_due=owed.days,
            open_invoices=len(look.standing.chaseable),
            contacts_30=recent.count,
            made=contacts.made,
            answered=contacts.answered,
            payments=habits.payments,
            reversed=habits.reversed,
            closed=habits.closed,
            late=habits.late,
            segment=profile.segment or "",
            debt_class=profile.debt_class or tenant.debt_class,
            country=(tenant.country if profile.country is None else profile.country) or "",
            state=(tenant.state if profile.state is None else profile.state) or "",
        )

    def offer(self, look: Look, owed: Owed, specs: Sequence[ActionSpec], recent: Recent) -> Offer:
        """What there is to choose from; each channel is judged once."""
        crm, at = look.facts.crm, look.today.at
        points: dict[str, ContactPoint] = {}
        for channel in {spec.channel: None for spec in specs}:  # in their order, which a set has not
            point = None if channel is None else point_for(crm, channel, self.tenant.debt_class)
            if channel is not None and point is not None:
                points[channel] = point
        situations = [self._situation(look, owed, channel, point, recent) for channel, point in points.items()]
        verdicts: dict[str, Verdict] = {}
        left: dict[str, int | None] = {}
        if situations:
            verdicts = dict(zip(points, look.gate.judge_all(situations), strict=True))
            limits = look.gate.limits_all(situations)
            left = {channel: left_of(binding, recent, at) for channel, binding in zip(points, limits, strict=True)}
        options = [WAITING]
        for spec in specs:
            if spec.channel is None or spec.action not in CONTACTS:
                options.append(Option(spec.id, spec.action))
                continue
            verdict = verdicts.get(spec.channel, NO_POINT)
            if verdict.allowed and spec.hours and (opens := self._opens(spec, crm, at)) != at:
                verdict = Verdict(allowed=False, denied_by=(HOURS_RULE,), next_allowed_at=opens)
            option = Option(spec.id, spec.action, spec.channel, spec.template, verdict.allowed, verdict.denied_by)
            option.next_allowed_at, option.left = verdict.next_allowed_at, left.get(spec.channel)
            options.append(option)
        reasons = {channel: verdict.reasons for channel, verdict in verdicts.items() if not verdict.allowed}
        return Offer(options, points, reasons)

    def _situation(self, look: Look, owed: Owed, channel: str, point: ContactPoint, recent: Recent) -> Situation:
        debt = owed.ruling[2].debt_id
        return Situation(look.today.at, channel, self.tenant, look.facts, point, debt, planned=recent.planned)

    def _opens(self, spec: ActionSpec, crm: CrmFacts, at: Instant) -> Instant | None:
        """The first instant from now on within the action's own hours; None when the customer's clock is not known."""
        zones = zones_of(crm, self.tenant)
        if zones is None:
            return None
        slot = self._slots.get((spec.id, zones))
        if slot is None:
            slot = self._slots[spec.id, zones] = Daytime(zones, [(HOURS_RULE, within(spans_of(spec.hours)))])
        return slot.next_open(at)


def left_of(limits: Sequence[Limit], recent: Recent, at: Instant) -> int | None:
    """Contacts that the limits leave, the next one included; None = none binds.

    Counted by days of 24 hours and without the finer exceptions: what it is for is a price, the gate has the last word.
    """
    fewest: int | None = None
    contacts: list[Touch | Planned] = [*recent.touches, *recent.planned]
    for limit in limits:
        if limit.days < LEAST_DAYS:
            continue
        after, channels, purposes = at - limit.days * DAY, limit.counted_channels, limit.counted_purposes
        made = 0
        for contact in contacts:
            made += (
                contact.at > after
                and (not channels or contact.channel in channels)
                and (contact.purpose in purposes if purposes else contact.purpose != "transactional")
            )
        left = max(0, limit.most - made)
        if fewest is None or left < fewest:
            fewest = left
    return fewest
