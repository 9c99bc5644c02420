"""The gate in force: a tenant's rules, evaluated on a live account's state, within a few microseconds a contact.

It answers as the exact judge does, always; it only leaves out what cannot change the answer.
"""

from collections.abc import Sequence

from models.account.course import Planned
from models.account.interactions import FAILED, InteractionFacts, Touch
from models.account.profile import CrmFacts, Debt
from models.clock import Instant
from models.compliance import frequency
from models.compliance.bars import NOT_OWED, Unnoticed, days_owed, unnoticed
from models.compliance.case import Case
from models.compliance.exact import judge, until_of
from models.compliance.frequency import NEVER
from models.compliance.gate import Situation, Verdict
from models.compliance.live import as_made, case_of, debt_of, rules_for, said_by
from models.compliance.places import is_new_york_city
from models.compliance.plan import (
    ALWAYS,
    BREATHING,
    CHANNELS,
    DISPUTES,
    FLAGS,
    GRANTS,
    HOLDS,
    OUTS,
    PARTY,
    SPOKEN,
    TALKS,
    WROTE,
    Contacts,
    Kind,
    Plan,
)
from models.compliance.who import Who, who_is
from schemas.control import Tenant
from schemas.rules import Limit

MOST_PLANS = 2_000
"""Of a tenant; kinds of customers are few, but for those whose debts fell due on different days."""


class Summary:
    """What an account's facts come to at an instant."""

    __slots__ = ("_owed", "_planned", "_unnoticed", "exact", "facts", "granted", "last", "made", "outs")

    def __init__(  # noqa: C901, PLR0912 - one pass over the facts, on the hot path
        self, crm: CrmFacts, interactions: InteractionFacts, at: Instant
    ) -> None:
        self.exact = bool(crm.preferences or crm.work or crm.workplace_refused or crm.extra_calls)
        """Facts that too many rules look at."""
        facts = _standing(crm) if crm.flags or crm.holds or crm.disputes or crm.checks else ALWAYS
        granted = outs = 0
        if crm.breathing is not None:
            facts |= BREATHING
        if crm.consents:
            for key, consent in crm.consents.items():
                channel = key[: key.index("|")]
                if consent.granted:
                    granted |= CHANNELS[channel]
                else:
                    outs |= CHANNELS[channel]
        if interactions.opt_outs or interactions.unread:
            outs |= _opted_out(interactions)
        if interactions.blocked:
            facts |= PARTY
        if interactions.wrote:
            facts |= WROTE
        if interactions.spoken:
            facts |= SPOKEN
        made: list[Touch] = []
        last = 0
        for touch in interactions.touches.values():
            if touch.at > at:
                continue
            outcome = touch.outcome
            if outcome == "conversation":
                facts |= TALKS | SPOKEN
            elif outcome == "wrong_party":
                facts |= PARTY
            if touch.inbound:
                facts |= WROTE
            elif outcome != FAILED:
                facts |= SPOKEN
                if touch.purpose != "transactional":
                    made.append(touch)
                    if touch.purpose == "collection" and touch.at > last:
                        last = touch.at
        self.facts = facts
        self.granted, self.outs = granted, outs
        """The channels that a consent or its end is about, as bits."""
        self.made = made
        """Contacts of ours that may count."""
        self.last = last
        """When the last collection contact was."""
        self._planned: Sequence[Instant | Planned] | None = None
        """What the notices that are owed were worked out with."""
        self._unnoticed: dict[str | None, Unnoticed]
        self._owed: dict[tuple[str | None, Instant], int]

    def days_owed(self, situation: Situation, who: Who, at: Instant) -> int:
        """For how many days a notice has been owed at an instant; worked out once for all channels."""
        if self._planned is not situation.planned:
            self._planned, self._unnoticed, self._owed = situation.planned, {}, {}
        debt = situation.debt_id
        days = self._owed.get((debt, at))
        if days is None:
            owed = self._unnoticed.get(debt)
            if owed is None:
                owed = self._unnoticed[debt] = unnoticed(case_of(situation, who))
            days = self._owed[debt, at] = days_owed(owed, at)
        return days


def _standing(crm: CrmFacts) -> int:
    facts = ALWAYS
    if any(written > 0 for written in crm.flags.values()):
        facts |= FLAGS
    if any(hold.placed > hold.released for hold in crm.holds.values()):
        facts |= HOLDS
    if any(dispute.invoice_id is None for dispute in crm.disputes.values()):
        facts |= DISPUTES
    if any(check.anothers_at for check in crm.checks.values()):
        facts |= PARTY
    return facts


def _opted_out(interactions: InteractionFacts) -> int:
    outs = 0
    for key in interactions.opt_outs:
        outs |= CHANNELS[key[: key.index("|")]]
    for key in interactions.unread:
        outs |= CHANNELS.get(key.partition("|")[2], 0)
    return outs


class RuleGate:
    """Judges contacts by every rule that binds the tenant. Keeps what it has worked out for customers of a kind."""

    def __init__(self) -> None:
        self._plans: dict[str, tuple[Tenant, dict[tuple[object, ...], Plan]]] = {}

    def judge(self, situation: Situation) -> Verdict:
        """Whether the contact is allowed now, and if not, from when on."""
        return self.judge_all((situation,))[0]

    def judge_all(self, situations: Sequence[Situation]) -> list[Verdict]:
        """Several contacts of one account at one instant."""
        verdicts: list[Verdict] = []
        summary: Summary | None = None
        plan: Plan | None = None
        for situation in situations:
            facts, at, purpose = situation.facts, situation.at, situation.purpose
            if summary is None:
                crm = facts.crm
                summary = Summary(crm, facts.interactions, at)
            if summary.exact or purpose == "opt_out_confirmation" or situation.suppressed or situation.requested:
                verdicts.append(judge(rules_for(situation.tenant), case_of(situation)))
                continue
            if plan is None or crm.debts:
                plan = self._plan(situation)
            verdicts.append(_answer(situation, summary, plan.contacts(_kind(situation), at), plan.who))
        return verdicts

    def limits_all(self, situations: Sequence[Situation]) -> list[Sequence[Limit]]:
        """The limits that bind contacts of one account; of a consent that would lift one nothing is asked."""
        plan: Plan | None = None
        found: list[Sequence[Limit]] = []
        for situation in situations:
            if plan is None or situation.facts.crm.debts:
                plan = self._plan(situation)
            found.append(plan.contacts(_kind(situation), situation.at).bound)
        return found

    def _plan(self, situation: Situation) -> Plan:
        tenant, crm = situation.tenant, situation.facts.crm
        known = self._plans.get(tenant.tenant_id)
        if known is None or known[0] is not tenant:
            known = self._plans[tenant.tenant_id] = tenant, {}
        profile = crm.profile
        debt = debt_of(crm, situation.debt_id) if crm.debts else None
        state = tenant.state if profile.state is None else profile.state
        # Towns are many and matter in one state only.
        in_city = is_new_york_city(profile.city, profile.zip) if state is not None and "NY" in state.upper() else None
        key: tuple[object, ...] = (
            profile.time_zones,
            profile.country,
            profile.state,
            in_city,
            profile.collector_role,
            profile.debt_class,
        )
        if debt is not None:
            key = (*key, debt.collector_role, debt.debt_class)
        plan = known[1].get(key) or self._ready(known[1], key, situation, None)
        if debt is not None and plan.minds_debt:
            key = (*key, debt.secured_by, debt.defaulted_on)
            plan = known[1].get(key) or self._ready(known[1], key, situation, debt)
        return plan

    def _ready(
        self, plans: dict[tuple[object, ...], Plan], key: tuple[object, ...], situation: Situation, debt: Debt | None
    ) -> Plan:
        if len(plans) > MOST_PLANS:
            plans.clear()
        tenant = situation.tenant
        who = who_is(said_by(situation.facts.crm, situation.debt_id, tenant))
        plan = plans[key] = Plan(rules_for(tenant), who, debt)
        return plan


def _kind(situation: Situation) -> Kind:
    point = situation.point
    if point is None:
        return situation.channel, situation.purpose, situation.mode, False, False, True
    return situation.channel, situation.purpose, situation.mode, point.workplace, point.verified, False


def _answer(  # noqa: C901, PLR0912, PLR0915 - the hot path, without a call that it can do without
    situation: Situation, summary: Summary, contacts: Contacts, who: Who
) -> Verdict:
    at, facts, made, last = situation.at, summary.facts, summary.made, summary.last
    if summary.granted & contacts.channel:
        facts |= GRANTS
    if summary.outs & contacts.stopping:
        facts |= OUTS
    if situation.planned:
        made = made.copy()  # those that were decided on count as made
        for planned in situation.planned:
            moment = planned if isinstance(planned, int) else planned.at
            if moment <= at:
                touch = as_made(planned)
                if touch.purpose != "transactional":
                    made.append(touch)
                facts |= SPOKEN
                if moment > last and (isinstance(planned, int) or planned.purpose == "collection"):
                    last = moment
    facts &= contacts.mask
    lacking, todo, ages, notices = contacts.split(facts)
    found: tuple[str, ...] = ()
    until = at
    if last:
        for name, length in contacts.distances:
            if last + length > at:
                found = (*found, name)
                until = max(until, last + length)
    owed = summary.days_owed(situation, who, at) if notices else NOT_OWED
    if owed != NOT_OWED:
        for name, notice in notices:
            if owed > notice.days:
                found, until = (*found, name), NEVER
    case: Case | None = None
    if len(made) >= contacts.least:
        for name, limit, reach in contacts.limits:
            near = [touch for touch in made if touch.at > at - reach]
            if len(near) >= limit.most:
                case = case or case_of(situation, who)
                if limit.except_lines and case.line_type in limit.except_lines:
                    continue
                ends = frequency.limit(limit, case, at, contacts.asked.extra_days, near)
                if ends > at:
                    found = (*found, name)
                    until = max(until, ends)
    if todo:
        case = case or case_of(situation, who)
        for name, required in todo:
            if required.except_lines and case.line_type in required.except_lines:
                continue
            ends = until_of(required, case, at, contacts.asked)
            if ends > at:
                found = (*found, name)
                until = max(until, ends)
    if not found and (lacking or not ages or not contacts.closed(at)):
        plain = contacts.plain(facts, at)
        if plain is None:
            return judge(rules_for(situation.tenant), case or case_of(situation, who))
        if owed == NOT_OWED or plain.next_allowed_at is None:
            return plain
    names = lacking + found + contacts.closed(at)
    if lacking or until >= NEVER:
        return contacts.named(names)
    again = contacts.opens(until)
    if again is None:
        return contacts.named(names)
    if again >= contacts.ends:
        return judge(rules_for(situation.tenant), case or case_of(situation, who))
    if owed != NOT_OWED:
        owed = summary.days_owed(situation, who, again)
        for _, notice in notices:
            if owed > notice.days:
                return contacts.named(names)
    for required in ages:
        assert case is not None  # noqa: S101 - whatever ages was evaluated
        if until_of(required, case, again, contacts.asked) > again:
            return contacts.named(names)
    return contacts.denied(names, again)
