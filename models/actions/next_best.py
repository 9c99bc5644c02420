"""The `nba`, `random` and `none` policies: what stands in the way first, then the options and what each of them is worth.

An account is looked at while it is decoded (`consider`), and chosen for once it has been scored (`choose`).
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from models.account.course import HAND_TO_PERSON, WAIT
from models.account.profile import Profile
from models.actions.arms import in_hold_out
from models.actions.choice import WAIT_ALONE, Caps, Choice, Look, earliest
from models.actions.contact import Draft, covered, variables
from models.actions.notice import AGAIN as NOTICE_AGAIN
from models.actions.notice import is_bound, notice, was_given
from models.actions.offers import Offer, Offers
from models.actions.options import Option, Question, Weighed, candidates_of
from models.actions.policy import Arm, Strategist, choose, pay_wait, probabilities, segment_of, weigh
from models.actions.schedule import Plan
from models.actions.standstill import Owed, Standstill
from models.actions.strategy import policy_of
from models.calendar import HOUR, MINUTE, instant
from models.clock import Instant
from schemas.actions import NONE
from schemas.strategies import ActionStrategy, HoldOut

SOON = MINUTE
"""No look is agreed for sooner than this."""
CAPS_RULE = "strategy:caps"

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
    offer: Offer
    owed: Owed
    profile: Profile
    at: Instant
    later: Instant | None
    """When something else begins: an invoice is overdue, an action is offered."""
    tomorrow: Instant
    """When the next day's contact hours begin."""
    arm: Arm
    experiment: str = ""
    unnoticed: bool = False
    """A validation notice must follow the first contact."""


class NextBest:
    """A strategy made ready for one tenant's accounts."""

    reads_all = True

    def __init__(self, strategy: ActionStrategy, plan: Plan) -> None:
        self.strategy = strategy
        self.plan = plan
        self.tenant_id = plan.tenant.tenant_id
        self.name = policy_of(strategy)
        self.strategist = Strategist(strategy)
        self.standstill = Standstill(strategy, plan)
        self.offers = Offers(strategy, plan)
        self.starts = sorted({spec.from_days for spec in strategy.actions})
        self.contact_again = round(strategy.review.contact_hours * HOUR)
        self.idle_again = round(strategy.review.idle_hours * HOUR)
        hold_out = strategy.hold_out
        self.ends_at = 0 if hold_out is None else instant(hold_out.ends_at)

    # -- while the account is decoded ----------------------------------------------------------------------------------

    def consider(self, look: Look) -> Prospect | Choice:
        """What there is to choose from, or the choice when nothing could change it."""
        choice = self.standstill.before_owed(look)
        if choice is not None:
            return choice
        owed = self._owed(look)
        unnoticed = is_bound(look, owed, self.plan.tenant) and not was_given(look, owed)
        if unnoticed and (due := notice(look, owed, self.plan.tenant, self.strategy.notice)) is not None:
            return due
        experiment = self._experiment(look)
        held_out = self._is_held_out(look)
        due_day = look.today.day - owed.days
        overdue = self.plan.next_overdue_at(look.standing, owed.ruling, due_day)
        choice = self.standstill.of(look, owed, overdue, held_out=held_out)
        if choice is not None:
            return choice
        later = earliest(overdue, self._next_start(owed, due_day))
        specs = self.offers.open_to(look, owed)
        if not specs:
            return Choice(WAIT, (NOTHING_OFFERED,), WAIT_ALONE, later, invoice_ids=owed.ids)
        recent = self.offers.recent(look)
        return Prospect(
            question=Question(0.0, owed.currency, owed.at_stake, self.offers.context(look, owed, recent)),
            offer=self.offers.offer(look, owed, specs, recent),
            owed=owed,
            profile=look.facts.crm.profile,
            at=look.today.at,
            later=later,
            tomorrow=self.plan.opening(look.today.day + 1),
            arm="hold_out" if held_out else "policy",
            experiment="" if experiment is None else experiment.experiment,
            unnoticed=unnoticed,
        )

    def _owed(self, look: Look) -> Owed:
        ruling = look.standing.chaseable[0]
        covers = covered(look.standing, ruling, look.today.at)
        currency, at_stake, ids = ruling[2].currency, 0, []
        days = look.today.day - self.plan.zone.day(ruling[0])
        for _, name, its in covers:
            ids.append(name)
            if its.currency == currency:
                at_stake += its.amount + its.adjusted - its.paid  # its `rest`, without the call
        return Owed(ruling, covers, tuple(ids), currency, at_stake, days)

    def _experiment(self, look: Look) -> HoldOut | None:
        """The experiment that is running."""
        return self.strategy.hold_out if look.today.at < self.ends_at else None

    def _is_held_out(self, look: Look) -> bool:
        experiment = self._experiment(look)
        return experiment is not None and in_hold_out(experiment.experiment, look.key, experiment.share)

    def _next_start(self, owed: Owed, due_day: int) -> Instant | None:
        """When contact hours begin on the day on which the next action is offered."""
        place = bisect_right(self.starts, owed.days)
        if place == len(self.starts):
            return None
        return self.plan.opening(due_day + self.starts[place])

    # -- once it has been scored ---------------------------------------------------------------------------------------

    def choose(self, prospect: Prospect, score: float, decision_id: str, caps: Caps) -> Choice:
        """The choice, with the value and the probability of every option."""
        strategist, question, owed = self.strategist, prospect.question, prospect.owed
        question.score = score
        segment = segment_of(strategist, question)
        options = self._within_caps(prospect, caps) if caps else prospect.offer.options
        weighed = weigh(strategist, question, options, segment)
        chances = probabilities(strategist, weighed, owed.currency, prospect.arm)
        place, arm = choose(strategist, weighed, owed.currency, decision_id, prospect.arm)
        chosen = weighed[place]
        option, hold_out = chosen.option, self.strategy.hold_out
        choice = Choice(
            option.action,
            (),
            candidates_of(weighed, chances),
            step=option.id or None,
            invoice_ids=owed.ids,
            arm=arm,
            segment=segment,
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
            if (key := (self.tenant_id, option.channel)) in caps:
                caps[key] -= 1
        self._conclude(choice, prospect, weighed, chosen)
        return choice

    def _within_caps(self, prospect: Prospect, caps: Caps) -> list[Option]:
        """The options; one whose channel has no contact left today is denied until tomorrow."""
        tenant = self.tenant_id
        return [
            msgspec.structs.replace(
                its,
                allowed=False,
                denied_by=tuple(sorted({*its.denied_by, CAPS_RULE})),
                next_allowed_at=prospect.tomorrow if its.allowed else its.next_allowed_at,
            )
            if its.channel is not None and caps.get((tenant, its.channel), 1) < 1
            else its
            for its in prospect.offer.options
        ]

    def _draft(self, prospect: Prospect, option: Option) -> Draft:
        owed, channel = prospect.owed, option.channel
        assert channel is not None and option.template is not None  # noqa: S101, PT018 - a contact has both
        profile = prospect.profile
        said = variables(owed.covers, profile)
        address = prospect.offer.points[channel].address
        return Draft(channel, address, option.template, said, owed.ruling[2].debt_id, profile.language or None)  # type: ignore[arg-type]

    def _conclude(self, choice: Choice, prospect: Prospect, weighed: Sequence[Weighed], chosen: Weighed) -> None:
        """Say why, what stood in the way, and when the account is looked at again."""
        at = prospect.at
        denied = [its for its in weighed if not its.option.allowed and its.value > max(chosen.value, 0.0)]
        choice.denied = tuple(sorted({rule for its in denied for rule in its.option.denied_by}))
        if chosen.option.action != WAIT:
            choice.reasons = (DRAWN if choice.arm == "explore" else WORTH_IT,)
            again = None if chosen.option.action == HAND_TO_PERSON else at + self.contact_again
            if prospect.unnoticed and choice.draft is not None:
                again = at + min(self.contact_again, NOTICE_AGAIN)
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
        return BEST_DENIED, *prospect.offer.reasons.get(best.option.channel or "", best.option.denied_by)

    def contacts(self, look: Look) -> bool:
        """Every account but those that are held out; policy `none` contacts nobody."""
        return self.strategy.policy != "none" and not self._is_held_out(look)

    def look_again(self, look: Look) -> Instant | None:
        """When the next day's contact hours begin, if anything is open: what there is to do is asked then."""
        return self.plan.opening(look.today.day + 1) if look.standing.open else None
