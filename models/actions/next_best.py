"""The `nba`, `random` and `none` policies: what stands in the way first, then the options and what each of them is worth.

An account is looked at while it is decoded (`consider`), and chosen for once it has been scored (`choose`).
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from models.account.bars import HARDSHIP, VULNERABLE
from models.account.course import HAND_TO_PERSON, WAIT
from models.account.interactions import FAILED
from models.account.profile import ContactPoint, CrmFacts, Profile, flagged_at
from models.actions.arms import in_hold_out
from models.actions.choice import WAIT_ALONE, Caps, Choice, Look, earliest
from models.actions.contact import Draft, covered, planned_contacts, point_for, variables
from models.actions.options import CONTACTS, OFFER_PLAN, WAITING, Option, Question, Weighed, candidates_of
from models.actions.policy import (
    OTHERS,
    Arm,
    Strategist,
    choose,
    pay_wait,
    probabilities,
    segment_of,
    weigh,
)
from models.actions.schedule import Plan
from models.actions.standstill import Owed, Standstill
from models.actions.strategy import policy_of
from models.calendar import DAY, HOUR, MINUTE, Zone, instant
from models.clock import Instant
from models.compliance.gate import Situation, Verdict
from models.compliance.hours import Daytime, spans_of, within
from models.compliance.live import zones_of
from schemas.actions import NONE, Context
from schemas.strategies import ActionSpec, ActionStrategy

LATELY = 30 * DAY
SOON = MINUTE
"""No look is agreed for sooner than this."""
WINDOW_DAYS = 7
"""Of the tenant's own limit of contacts."""

GENTLE = frozenset({OFFER_PLAN, HAND_TO_PERSON})
"""All that may be chosen for who has declared hardship, or is known to be vulnerable."""

WORTH_IT = "worth_it"
DRAWN = "drawn_to_learn"
NOT_WORTH_IT = "nothing_worth_it"
BEST_DENIED = "best_is_denied"
NOTHING_OFFERED = "nothing_offered_yet"
HELD_OUT = "held_out"
NO_CONTACT = "no_contact_policy"


class Prospect(msgspec.Struct, gc=False):
    """What there is to choose from: all that valuing and sending need of the account, so that it need not be kept."""

    question: Question
    """Its score follows."""
    options: list[Option]
    points: dict[str, ContactPoint]
    """By channel."""
    reasons: dict[str, tuple[str, ...]]
    """Why a channel was denied, for people."""
    owed: Owed
    at: Instant
    later: Instant | None
    """When something else begins: an invoice is overdue, an action is offered."""
    opens: Instant
    """When the next day's contact hours begin."""
    profile: Profile
    arm: Arm
    experiment: str = ""


class NextBest:
    """A strategy made ready for one tenant's accounts."""

    def __init__(self, strategy: ActionStrategy, plan: Plan) -> None:
        self.strategy = strategy
        self.plan = plan
        self.tenant = plan.tenant
        self.name = policy_of(strategy)
        self.strategist = Strategist(strategy)
        self.standstill = Standstill(strategy, plan)
        self.starts = sorted({spec.from_days for spec in strategy.actions})
        self.contact_again = round(strategy.review.contact_hours * HOUR)
        self.idle_again = round(strategy.review.idle_hours * HOUR)
        hold_out = strategy.hold_out
        self.ends_at = 0 if hold_out is None else instant(hold_out.ends_at)
        self._slots: dict[tuple[str, tuple[Zone, ...]], Daytime] = {}

    # -- while the account is decoded ----------------------------------------------------------------------------------

    def consider(self, look: Look) -> Prospect | Choice:
        """What there is to choose from, or the choice when nothing could change it."""
        choice = self.standstill.before_owed(look)
        if choice is not None:
            return choice
        owed = self._owed(look)
        held_out = self._is_held_out(look)
        choice = self.standstill.of(look, owed, held_out=held_out)
        if choice is not None:
            return choice
        later = earliest(self.plan.next_overdue_at(look.standing), self._next_start(owed))
        context = self._context(look, owed)
        specs = self._offered(look, owed, context)
        if not specs:
            return Choice(WAIT, (NOTHING_OFFERED,), WAIT_ALONE, later, invoice_ids=owed.ids)
        return self._prospect(look, owed, context, specs, later, held_out=held_out)

    def _owed(self, look: Look) -> Owed:
        ruling = look.standing.chaseable[0]
        covers = covered(look.standing, ruling, look.today.at)
        currency = ruling[2].currency
        at_stake = sum([its.rest for _, _, its in covers if its.currency == currency])
        days = look.today.day - self.plan.zone.day(ruling[0])
        return Owed(ruling, covers, tuple([named[1] for named in covers]), currency, at_stake, days)

    def _is_held_out(self, look: Look) -> bool:
        hold_out = self.strategy.hold_out
        if hold_out is None or look.today.at >= self.ends_at:
            return False
        return in_hold_out(hold_out.experiment, look.key, hold_out.share)

    def _next_start(self, owed: Owed) -> Instant | None:
        """When contact hours begin on the day on which the next action is offered."""
        place = bisect_right(self.starts, owed.days)
        if place == len(self.starts):
            return None
        return self.plan.opening(self.plan.zone.day(owed.ruling[0]) + self.starts[place])

    def _context(self, look: Look, owed: Owed) -> Context:
        facts, tenant = look.facts, self.tenant
        contacts, habits, profile = facts.interactions, facts.payments.habits, facts.crm.profile
        after = look.today.at - LATELY
        lately = [
            its for its in contacts.touches.values() if its.at > after and not its.inbound and its.outcome != FAILED
        ]
        planned = planned_contacts(facts, look.course, look.today.at, look.mode) if look.course.planned else ()
        return Context(
            days_past_due=owed.days,
            open_invoices=len(look.standing.chaseable),
            contacts_30=len(lately) + len(planned),
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

    def _offered(self, look: Look, owed: Owed, context: Context) -> list[ActionSpec]:
        """The actions that are open to the account, but for its segment, which may hang on its score."""
        steps, days = look.course.steps, owed.days
        taken = [step for name in owed.ids if name in steps for step in steps[name].steps] if steps else []
        flags = look.facts.crm.flags
        gentle = bool(flags) and any(flagged_at(look.facts.crm, name) for name in (HARDSHIP, VULNERABLE))
        return [
            spec
            for spec in self.strategy.actions
            if spec.from_days <= days <= spec.to_days
            and (spec.debt_class is None or spec.debt_class == context.debt_class)
            and (not gentle or spec.action in GENTLE)
            and (not taken or taken.count(spec.id) < spec.at_most)
            and (not spec.after or any(name in taken for name in spec.after))
        ]

    def _prospect(
        self,
        look: Look,
        owed: Owed,
        context: Context,
        specs: Sequence[ActionSpec],
        later: Instant | None,
        *,
        held_out: bool,
    ) -> Prospect:
        facts, at, tenant = look.facts, look.today.at, self.tenant
        crm = facts.crm
        channels = {spec.channel for spec in specs if spec.channel is not None}
        points: dict[str, ContactPoint] = {}
        for channel in channels:
            point = point_for(crm, channel, tenant.debt_class)
            if point is not None:
                points[channel] = point
        verdicts = self._verdicts(look, owed, points)
        left = self._left(look)
        options = [WAITING, *[self._option(spec, points, verdicts, left, crm, at) for spec in specs]]
        return Prospect(
            question=Question(0.0, owed.currency, owed.at_stake, context),
            options=options,
            points=points,
            reasons={channel: verdict.reasons for channel, verdict in verdicts.items() if not verdict.allowed},
            owed=owed,
            at=at,
            later=later,
            opens=self.plan.opening(look.today.day + 1),
            profile=crm.profile,
            arm="hold_out" if held_out else "policy",
            experiment=self.strategy.hold_out.experiment if self.strategy.hold_out and at < self.ends_at else "",
        )

    def _verdicts(self, look: Look, owed: Owed, points: dict[str, ContactPoint]) -> dict[str, Verdict]:
        """What the gate says of each channel."""
        if not points:
            return {}
        facts, at, tenant, debt = look.facts, look.today.at, self.tenant, owed.ruling[2].debt_id
        planned = planned_contacts(facts, look.course, at, look.mode) if look.course.planned else ()
        situations = [
            Situation(at, channel, tenant, facts, point, debt, planned=planned) for channel, point in points.items()
        ]
        judge = look.gate.judge
        return dict(zip(points, [judge(situation) for situation in situations], strict=True))

    def _left(self, look: Look) -> int | None:
        """Contacts that the tenant's own limit leaves in its window; None = so many that it does not bind."""
        most = self.tenant.limits.max_contacts_per_7_days
        zone, first = self.plan.zone, look.today.day - WINDOW_DAYS + 1
        touches = look.facts.interactions.touches.values()
        made = sum([
            zone.day(its.at) >= first for its in touches if not its.inbound and its.outcome != FAILED
        ])  # fmt: skip
        made += len(planned_contacts(look.facts, look.course, look.today.at, look.mode)) if look.course.planned else 0
        return max(0, most - made)

    def _option(
        self,
        spec: ActionSpec,
        points: dict[str, ContactPoint],
        verdicts: dict[str, Verdict],
        left: int | None,
        crm: CrmFacts,
        at: Instant,
    ) -> Option:
        channel = spec.channel
        if spec.action not in CONTACTS or channel is None:
            return Option(spec.id, spec.action)
        verdict = verdicts.get(channel, NO_POINT)
        if verdict.allowed and spec.hours and (opens := self._opens(spec, crm, at)) != at:
            verdict = Verdict(allowed=False, denied_by=("strategy:hours",), next_allowed_at=opens)
        return Option(
            spec.id,
            spec.action,
            channel,
            spec.template,
            verdict.allowed,
            verdict.denied_by,
            verdict.next_allowed_at,
            left,
        )

    def _opens(self, spec: ActionSpec, crm: CrmFacts, at: Instant) -> Instant | None:
        """The first instant from now on within the action's own hours."""
        zones = zones_of(crm, self.tenant)
        if zones is None:
            return None
        slot = self._slots.get((spec.id, zones))
        if slot is None:
            slot = self._slots[spec.id, zones] = Daytime(zones, [("strategy:hours", within(spans_of(spec.hours)))])
        return slot.next_open(at)

    # -- once it has been scored ---------------------------------------------------------------------------------------

    def choose(self, prospect: Prospect, score: float, decision_id: str, caps: Caps) -> Choice:
        """The choice, with the value and the probability of every option."""
        strategist, question, owed = self.strategist, prospect.question, prospect.owed
        question.score = score
        options = self._within_caps(prospect, caps) if caps else prospect.options
        weighed = weigh(strategist, question, options)
        chances = probabilities(strategist, weighed, owed.currency, prospect.arm)
        place, arm = choose(strategist, weighed, owed.currency, decision_id, prospect.arm)
        chosen = weighed[place]
        option = chosen.option
        hold_out = self.strategy.hold_out
        choice = Choice(
            option.action,
            (),
            candidates_of(weighed, chances),
            step=option.id or None,
            invoice_ids=owed.ids,
            arm=arm,
            segment=segment_of(strategist, question) if self.strategy.segments else OTHERS,
            currency=owed.currency,
            at_stake=owed.at_stake,
            pay_wait=pay_wait(strategist, score),
            context=question.context,
            experiment=prospect.experiment,
            hold_out=hold_out.share if hold_out is not None and prospect.experiment else NONE,
            explore=strategist.explore or NONE,
        )
        if option.channel is not None:
            choice.draft = self._draft(prospect, option)
            if (key := (self.tenant.tenant_id, option.channel)) in caps:
                caps[key] -= 1
        self._conclude(choice, prospect, weighed, chosen)
        return choice

    def _within_caps(self, prospect: Prospect, caps: Caps) -> list[Option]:
        """The options, those denied whose channel has no contact left today."""
        tenant = self.tenant.tenant_id
        return [
            msgspec.structs.replace(
                its,
                allowed=False,
                denied_by=tuple(sorted({*its.denied_by, "strategy:caps"})),
                next_allowed_at=prospect.opens if its.allowed else its.next_allowed_at,
            )
            if its.channel is not None and caps.get((tenant, its.channel), 1) < 1
            else its
            for its in prospect.options
        ]

    def _draft(self, prospect: Prospect, option: Option) -> Draft:
        owed, channel = prospect.owed, option.channel
        assert channel is not None and option.template is not None  # noqa: S101, PT018 - a contact has both
        profile = prospect.profile
        said = variables(owed.covers, profile)
        address = prospect.points[channel].address
        return Draft(channel, address, option.template, said, owed.ruling[2].debt_id, profile.language or None)  # type: ignore[arg-type]

    def _conclude(self, choice: Choice, prospect: Prospect, weighed: Sequence[Weighed], chosen: Weighed) -> None:
        """Say why, what stood in the way, and when the account is looked at again."""
        at = prospect.at
        denied = [its for its in weighed if not its.option.allowed and its.value > max(chosen.value, 0.0)]
        choice.denied = tuple(sorted({rule for its in denied for rule in its.option.denied_by}))
        if chosen.option.action != WAIT:
            choice.reasons = (DRAWN if choice.arm == "explore" else WORTH_IT,)
            again = None if chosen.option.action == HAND_TO_PERSON else at + self.contact_again
        else:
            choice.reasons = self._why_waiting(choice, prospect, denied)
            opens = earliest(*[its.option.next_allowed_at for its in denied]) if choice.arm != "hold_out" else None
            again = earliest(at + self.idle_again, None if opens is None else max(opens, at + SOON))
        choice.review_at = earliest(again, prospect.later)

    def _why_waiting(self, choice: Choice, prospect: Prospect, denied: Sequence[Weighed]) -> tuple[str, ...]:
        if choice.arm == "hold_out":
            return (HELD_OUT,)
        if choice.arm == "explore":
            return (DRAWN,)
        if self.strategy.policy == "none":
            return (NO_CONTACT,)
        if not denied:
            return (NOT_WORTH_IT,)
        best = max(denied, key=lambda its: its.value)
        return BEST_DENIED, *prospect.reasons.get(best.option.channel or "", best.option.denied_by)

    # -- an account that is only folded --------------------------------------------------------------------------------

    def look_again(self, look: Look) -> Instant | None:
        """When the next day's contact hours begin, if anything is open: what there is to do is asked then."""
        return self.plan.opening(look.today.day + 1) if look.standing.open else None


NO_POINT = Verdict(allowed=False, denied_by=("no_contact_point",))
