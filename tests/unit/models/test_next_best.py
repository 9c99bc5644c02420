"""What the next best action respects before it values anything, each rule on both sides; and what it tells of its choice."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.actions.arms import in_hold_out
from models.actions.choice import Conditions
from models.actions.options import options_of, question_of
from models.actions.policy import Strategist, instead, probabilities, weigh
from models.calendar import DAY, HOUR, instant
from models.core import Work, step
from schemas.control import Limits
from schemas.crm import DisputeOpened, HardshipDeclared, HoldPlaced, VulnerabilityReported
from schemas.envelope import Hours
from schemas.interactions import CallCompleted, ContactFailed, ReplyRead
from schemas.payments import (
    Instalment,
    PaymentFailed,
    PaymentPending,
    PaymentScheduled,
    PlanAccepted,
    PlanBroken,
    SettlementAccepted,
)
from schemas.strategies import (
    ActionSpec,
    ActionStrategy,
    Effect,
    Escalate,
    Explore,
    HoldOut,
    Prices,
    Review,
)
from tests.unit.models.events import (
    account,
    cancelled,
    consent,
    day,
    envelope,
    issued,
    opted_out,
    paid,
    point,
    promised,
    replied,
    sent,
    tenant,
)
from tests.unit.models.life import NINE, Life
from tests.unit.models.strategies import CRM_EVENTS, INTERACTION_EVENTS, money_events, numbered

STRONG = Effect(log_odds=1.0, sd=0.1)
EMAIL = ActionSpec(id="email", action="contact", channel="email", template="first", effect=STRONG, cost={"USD": 0.2})
CALL = ActionSpec(
    id="call", action="contact", channel="call", template="script", effect=Effect(log_odds=1.2, sd=0.1),
    staff_minutes=3, from_days=5,
)  # fmt: skip
PLAN = ActionSpec(
    id="plan",
    action="offer_plan",
    channel="email",
    template="plan_offer",
    effect=Effect(log_odds=0.4, sd=0.1),
    from_days=3,
)
PERSON = ActionSpec(
    id="person", action="hand_to_person", staff_minutes=30, effect=Effect(log_odds=0.9, sd=0.1), from_days=20
)
REMIND = ActionSpec(
    id="remind",
    action="pre_due_reminder",
    channel="email",
    template="reminder",
    effect=STRONG,
    from_days=-3,
    to_days=0,
    at_most=1,
)


def strategy(*actions, **fields):
    base: dict[str, Any] = {
        "name": "test",
        "actions": actions or (EMAIL,),
        "prices": Prices(minute={"USD": 60}),
        "scarcity": 0.0,
    }
    return ActionStrategy(**base | fields)


def overdue(*events, of=None, conditions=None, at=1 + NINE, **fields):
    """An account whose invoice of 100 dollars became overdue on day 1, looked at in the morning of that day."""
    life = Life(tenant(**fields), strategy=of or strategy(), conditions=conditions or Conditions())
    life.take(0, account(name="Ada"), point(), point("call", "+12125550100"), issued("a", due=0.99))
    life.take(at, *events)
    return life


def last(life):
    return life.decisions[-1]


def said(life):
    return last(life).action, last(life).reasons[0]


def look(life, at):
    """What is decided when the account is looked at, whatever was agreed."""
    life.review = instant(day(at))
    life.live_until(at)
    return said(life)


CHASED = ("contact", "worth_it")


def test_an_overdue_account_is_contacted_when_that_is_worth_it():
    life = overdue()
    assert said(life) == CHASED
    decision = last(life)
    assert (decision.step, decision.channel, decision.template) == ("email", "email", "first")
    assert decision.policy.startswith("nba:test@")
    assert decision.context.days_past_due == 1
    assert (decision.currency, decision.at_stake_minor, decision.invoice_ids) == ("USD", 100_00, ("a",))
    assert life.said("ContactRequested")[-1].variables["name"] == "Ada"
    assert life.review == instant(decision.occurred_at) + 72 * HOUR


def test_one_contact_covers_everything_that_is_due():
    life = Life(tenant(), strategy=strategy())
    life.take(
        0,
        point(),
        issued("a", due=0.5),
        issued("b", 50_00, due=0.6),
        issued("c", due=20),
        issued("e", due=0.7, currency="EUR"),
    )
    life.take(1 + NINE, account(at=1 + NINE, name="Ada"))
    assert len(life.said("ContactRequested")) == 1
    assert last(life).invoice_ids == ("a", "b", "e")
    assert last(life).at_stake_minor == 150_00
    assert "150.00 USD" in life.said("ContactRequested")[0].variables["amount"]


def test_nothing_worth_its_cost_is_not_done():
    dear = msgspec.structs.replace(EMAIL, cost={"USD": 10_000.0})
    life = overdue(of=strategy(dear))
    assert said(life) == ("wait", "nothing_worth_it")
    assert last(life).actions[1].value < 0
    assert life.review == instant(last(life).occurred_at) + 72 * HOUR


def test_nobody_who_owes_nothing_is_contacted():
    life = overdue(paid("p", 100_00, at=1))
    assert said(life) == ("wait", "nothing_owed")
    assert life.review is None


def test_the_minimum_is_chased_and_a_cent_less_is_not():
    assert said(overdue(of=strategy(minimums={"USD": 100_00}))) == CHASED
    assert said(overdue(of=strategy(minimums={"USD": 100_01}))) == ("wait", "below_minimum")
    assert said(overdue(of=strategy(minimums={"EUR": 10**9}))) == CHASED


@pytest.mark.parametrize("told", ["scheduled", "pending"])
def test_a_payment_on_its_way_is_waited_for(told):
    kind = {"scheduled": PaymentScheduled, "pending": PaymentPending}[told]
    coming = kind(**envelope(1), payment_id="p", amount_minor=100_00, currency="USD", expected_at=day(4))
    life = overdue(coming)
    assert said(life) == ("wait", "payment_on_its_way")
    assert life.review == instant(day(4)) + 2 * DAY
    assert look(life, 5.9)[1] == "payment_on_its_way"
    assert look(life, 6 + NINE) == CHASED


def test_a_payment_on_its_way_without_a_day_is_waited_for_some_days():
    life = overdue(PaymentPending(**envelope(1), payment_id="p", amount_minor=100_00, currency="USD"))
    assert look(life, 7.9)[1] == "payment_on_its_way"
    assert look(life, 8 + NINE) == CHASED


def test_a_failed_payment_is_waited_for_only_if_it_is_tried_again():
    failed: dict[str, Any] = {
        "payment_id": "p",
        "amount_minor": 100_00,
        "currency": "USD",
        "code": "insufficient_funds",
    }
    assert said(overdue(PaymentFailed(**envelope(1), **failed))) == CHASED
    again = PaymentFailed(**envelope(1), **failed, retry_at=day(3))
    assert said(overdue(again)) == ("wait", "payment_on_its_way")


def test_a_promise_is_waited_for_until_its_day_and_grace_have_passed():
    life = overdue(promised("p", by=5))
    assert said(life) == ("wait", "promise")
    assert look(life, 7.9)[1] == "promise"  # the 5th, and two days of grace
    assert look(life, 8 + NINE) == CHASED
    assert [event.promise_id for event in life.said("PromiseBroken")] == ["p"]


def test_a_promise_that_was_taken_back_is_not_waited_for():
    assert said(overdue(promised("p", by=5), cancelled("p", at=1.2))) == CHASED


def accepted(first, last_, at=1):
    days = (
        Instalment(amount_minor=50_00, due_on=day(first).date()),
        Instalment(amount_minor=50_00, due_on=day(last_).date()),
    )
    return PlanAccepted(**envelope(at), plan_id="plan", currency="USD", instalments=days)


def test_a_plan_is_respected_until_it_is_over_or_broken():
    life = overdue(accepted(5, 20))
    assert said(life) == ("wait", "plan")
    assert look(life, 22.9)[1] == "plan"
    assert look(life, 23 + NINE) == CHASED
    life = overdue(accepted(5, 20))
    life.take(8 + NINE, PlanBroken(**envelope(8), plan_id="plan"))
    assert said(life) == CHASED


def test_a_settlement_that_was_accepted_is_waited_for():
    agreed = SettlementAccepted(
        **envelope(1), settlement_id="s", amount_minor=60_00, currency="USD", due_on=day(6).date()
    )
    life = overdue(agreed)
    assert said(life) == ("wait", "plan")
    assert look(life, 9 + NINE) == CHASED


def test_a_disputed_invoice_is_left_out_and_the_rest_is_chased():
    life = Life(tenant(), strategy=strategy())
    life.take(0, point(), issued("a", due=0.5), issued("b", 40_00, due=0.6))
    life.take(1 + NINE, DisputeOpened(**envelope(1), invoice_id="a"))
    assert said(life) == CHASED
    assert (last(life).invoice_ids, last(life).at_stake_minor) == (("b",), 40_00)
    life.take(5 + NINE, DisputeOpened(**envelope(5), invoice_id="b"))
    assert said(life) == ("wait", "nothing_may_be_chased")


def test_a_hold_on_the_account_is_waited_for_until_it_ends():
    life = overdue(HoldPlaced(**envelope(1), reason="manual", until=day(6)))
    assert said(life) == ("wait", "on_hold")
    assert life.review == instant(day(6))
    assert look(life, 6 + NINE) == CHASED


def test_money_of_another_currency_on_the_account_goes_to_a_person():
    of = strategy(minimums={"EUR": 20_00})
    assert said(overdue(paid("p", 19_99, at=1, currency="EUR"), of=of)) == CHASED
    life = overdue(paid("p", 20_00, at=1, currency="EUR"), of=of)
    assert said(life) == ("hand_to_person", "money_on_account")
    assert look(life, 5)[1] == "with_a_person"


def test_a_vip_goes_to_a_person_once_overdue_and_is_left_alone_before():
    assert said(overdue(account(at=1, vip=True))) == ("hand_to_person", "vip")
    life = Life(tenant(), strategy=strategy(REMIND, EMAIL))
    life.take(0, point(), account(vip=True), issued("a", due=1.99))
    assert said(life) == ("wait", "vip")
    assert [event.reason for event in overdue(account(at=1, vip=True)).said("AccountEscalated")] == ["vip"]


def test_a_reply_that_waits_to_be_read_goes_to_a_person_and_comes_back_when_it_was_read():
    life = overdue(replied("could you please maybe not do that any more, or not", at=1, channel="email"))
    assert said(life) == ("hand_to_person", "reply_to_read")
    assert look(life, 3)[1] == "with_a_person"
    read = ReplyRead(**envelope(4), reply_id="r", channel="email", intent="other", reader="ann")
    life.take(4 + NINE, read)
    assert said(life) == CHASED


@pytest.mark.parametrize("told", [HardshipDeclared(**envelope(1)), VulnerabilityReported(**envelope(1))])
def test_who_is_in_hardship_is_offered_a_plan_or_a_person_and_nothing_else(told):
    life = overdue(of=strategy(EMAIL, CALL, PLAN))
    assert said(life) == CHASED
    life = overdue(told, of=strategy(EMAIL, CALL, PLAN), at=5 + NINE)
    assert [its.action for its in last(life).actions] == ["wait", "offer_plan"]
    assert last(life).action == "offer_plan"
    assert life.said("ContactRequested")[-1].template == "plan_offer"
    assert said(overdue(told, of=strategy(EMAIL, CALL))) == ("wait", "nothing_offered_yet")


def test_nobody_is_chased_when_the_payments_feed_is_stale():
    of, now = strategy(freshness_hours=6), instant(day(1 + NINE))
    assert said(overdue(of=of, conditions=Conditions(feeds={"acme": now - 6 * HOUR}))) == CHASED
    life = overdue(of=of, conditions=Conditions(feeds={"acme": now - 6 * HOUR - 1}))
    assert said(life) == ("wait", "payments_feed_stale")
    assert life.review == now + HOUR
    assert said(overdue(of=of, conditions=Conditions(feeds={}))) == ("wait", "payments_feed_stale")
    assert said(overdue(of=of, conditions=Conditions(feeds=None))) == CHASED
    assert said(overdue(conditions=Conditions(feeds={}))) == CHASED  # a strategy that does not ask


def test_a_cap_denies_until_tomorrow_and_is_used_up_by_what_is_chosen():
    life = overdue(conditions=Conditions(caps={("acme", "email"): 0}))
    assert said(life) == ("wait", "best_is_denied")
    assert last(life).actions[1].denied_by == ("strategy:caps",)
    assert life.review == instant(day(2)) + 13 * HOUR  # eight in New York
    assert said(overdue(conditions=Conditions(caps={("acme", "call"): 0}))) == CHASED
    work, lives = [], [Life(tenant(), strategy=strategy(), key=f"acme|{name}") for name in "abc"]
    for life in lives:
        life.take(0, point(), issued("a", due=0.99))
        work.append(Work(life.key, "acme", life.key[-1], life.blob, [], instant(day(1 + NINE))))
    outcome = step(
        work,
        lives[0].tenants,
        "live",
        strategies=lives[0].strategies,
        conditions=Conditions(caps={("acme", "email"): 2}),
    )
    assert outcome.decided == {"contact": 2, "wait": 1}
    assert outcome.caps_left == {("acme", "email"): 0}
    assert outcome.denied == {"strategy:caps": 1}


def test_nobody_is_chased_again_before_they_can_have_answered():
    of = strategy(msgspec.structs.replace(EMAIL, at_most=9), review=Review(contact_hours=48))
    life = overdue(of=of)
    life.take(1 + NINE + 0.01, sent(life.said("ContactRequested")[0].contact_id, at=1 + NINE))
    assert said(life) == ("wait", "awaiting_answer")
    assert look(life, 3 + NINE - 0.01)[1] == "awaiting_answer"
    assert look(life, 3 + NINE) == CHASED


def test_a_contact_that_never_left_is_not_waited_for():
    life = overdue(of=strategy(msgspec.structs.replace(EMAIL, at_most=9)))
    contact = life.said("ContactRequested")[0].contact_id
    life.take(1 + NINE + 0.01, ContactFailed(**envelope(1 + NINE), contact_id=contact, channel="email", code="x"))
    assert said(life) == CHASED


def test_an_action_is_taken_so_often_and_after_the_one_it_needs():
    second = msgspec.structs.replace(EMAIL, id="second", template="second", after=("email",), at_most=1)
    life = overdue(of=strategy(msgspec.structs.replace(EMAIL, at_most=1), second))
    life.live_until(20)
    assert [name for name, _ in life.taken] == ["email", "second"]
    assert said(life) == ("wait", "nothing_offered_yet")


def test_an_action_with_hours_waits_for_them():
    evening = msgspec.structs.replace(EMAIL, hours=(Hours(start="17:00", end="19:00"),))
    life = overdue(of=strategy(evening))
    assert said(life) == ("wait", "best_is_denied")
    assert last(life).actions[1].denied_by == ("strategy:hours",)
    assert life.review == instant(day(1)) + 22 * HOUR
    life.live_until(1.95)
    assert said(life) == CHASED


def test_a_reminder_before_the_due_day_is_sent_once_and_only_then():
    life = Life(tenant(), strategy=strategy(REMIND, EMAIL))
    life.take(0, point(), issued("a", due=10.5))
    assert said(life) == ("wait", "nothing_offered_yet")
    life.live_until(11.3)
    assert [name for name, _ in life.taken] == ["remind"]
    assert life.decisions[-1].context is None or life.decisions[-1].context.days_past_due <= 0
    assert life.said("ContactRequested")[0].template == "reminder"
    life.live_until(15)
    assert [name for name, _ in life.taken][:2] == ["remind", "email"]
    assert [name for name, _ in life.taken].count("remind") == 1


def test_a_credit_hold_is_for_businesses_and_is_told():
    hold = ActionSpec(id="hold", action="credit_hold", debt_class="business", effect=STRONG, at_most=1)
    assert said(overdue(of=strategy(hold))) == ("wait", "nothing_offered_yet")
    life = overdue(of=strategy(hold), debt_class="business")
    assert last(life).action == "credit_hold"
    told = life.said("CreditHoldAdvised")
    assert [(event.open_minor, event.currency, event.days_past_due) for event in told] == [(100_00, "USD", 1)]
    life.live_until(20)
    assert len(life.said("CreditHoldAdvised")) == 1


def test_after_enough_contacts_a_person_has_it_until_there_is_news():
    of = strategy(msgspec.structs.replace(EMAIL, at_most=9), escalate=Escalate(after_contacts=2))
    life = overdue(of=of)
    life.live_until(8)
    assert [decision.action for decision in life.decisions if decision.action != "wait"] == [
        "contact",
        "contact",
        "hand_to_person",
    ]
    assert [event.reason for event in life.said("AccountEscalated")] == ["no_further_contact"]
    assert life.review is None
    assert look(life, 30)[1] == "with_a_person"
    life.take(31 + NINE, paid("p", 20_00, at=31))
    assert said(life) == CHASED


def test_after_enough_days_a_person_has_it():
    of = strategy(msgspec.structs.replace(EMAIL, cost={"USD": 10**6}), escalate=Escalate(after_days=10))
    life = overdue(of=of)
    assert look(life, 9 + NINE)[1] == "nothing_worth_it"
    assert look(life, 10 + NINE) == ("hand_to_person", "no_further_contact")


def test_what_the_gate_denies_is_not_chosen_and_is_looked_at_when_it_may_be():
    life = overdue(at=2.2)  # nearly midnight in New York
    assert said(life) == ("wait", "best_is_denied")
    assert "tenant:contact_hours" in last(life).actions[1].denied_by
    assert life.review == instant(day(2)) + 13 * HOUR
    life.live_until(2.6)
    assert said(life) == CHASED


def test_a_channel_without_a_contact_point_is_not_chosen():
    letter = ActionSpec(id="letter", action="contact", channel="letter", template="last", effect=STRONG)
    life = overdue(of=strategy(letter))
    assert said(life) == ("wait", "best_is_denied")
    assert last(life).actions[1].denied_by == ("no_contact_point",)
    assert life.review == instant(last(life).occurred_at) + 72 * HOUR


def test_the_last_contact_of_the_tenants_limit_is_dear():
    limits = Limits(
        contact_hours=(Hours(start="08:00", end="21:00"),), min_hours_between_contacts=0, max_contacts_per_7_days=1
    )
    life = overdue(of=strategy(EMAIL, scarcity=0.9), limits=limits)
    assert last(life).actions[1].left == 1
    assert last(life).actions[1].scarcity > 0


def test_two_calls_a_week_are_a_budget_in_massachusetts_and_every_call_takes_one():
    early = msgspec.structs.replace(CALL, from_days=1, cost={"USD": 10**6})
    for made in range(3):
        calls = [CallCompleted(**envelope(1 - number / 10), outcome="no_answer") for number in range(made)]
        options = {
            its.id: its for its in last(overdue(*calls, of=strategy(early, EMAIL, scarcity=0.5), state="MA")).actions
        }
        assert options["call"].left == 2 - made
        assert options["call"].allowed is (made < 2)
        assert options["email"].left == 100 - made  # the tenant's own limit alone
    assert last(overdue(of=strategy(early, scarcity=0.5), state="TX")).actions[1].left == 100


# -- arms --------------------------------------------------------------------------------------------------------------

HELD = HoldOut(share=0.5, experiment="spring", ends_at=day(10))


def some_key(*, held_out):
    return next(key for key in (f"acme|{n}" for n in range(99)) if in_hold_out("spring", key, 0.5) is held_out)


def arm(key, *events, at=1 + NINE, of=None):
    life = Life(tenant(), strategy=of or strategy(hold_out=HELD, explore=Explore(share=0.0)), key=key)
    life.take(0, point(), point("sms", "+12125550100"), consent("granted"), issued("a", due=0.99))
    life.take(at, *events)
    return life


def test_who_is_held_out_is_not_contacted_and_its_options_are_known_all_the_same():
    life = arm(some_key(held_out=True), account(at=1))
    decision = last(life)
    assert (decision.action, decision.arm, decision.reasons) == ("wait", "hold_out", ("held_out",))
    assert [(its.id, its.probability) for its in decision.actions] == [("", 1.0), ("email", 0.0)]
    assert decision.actions[1].value > 0
    assert (decision.experiment, decision.hold_out) == ("spring", 0.5)
    life.live_until(9.9)
    assert not life.said("ContactRequested")
    assert look(life, 10 + NINE) == CHASED  # the experiment is over
    assert last(life).experiment == ""


def test_who_is_not_held_out_is_told_apart_by_its_arm():
    decision = last(arm(some_key(held_out=False), account(at=1)))
    assert (decision.action, decision.arm, decision.experiment) == ("contact", "policy", "spring")


def test_who_is_held_out_gets_no_confirmation_of_an_opt_out_either():
    for held_out in (True, False):
        life = arm(some_key(held_out=held_out), opted_out("sms", at=1 + NINE))
        purposes = [request.purpose for request in life.said("ContactRequested")]
        assert ("opt_out_confirmation" in purposes) is not held_out


def test_policy_none_contacts_nobody():
    life = overdue(of=ActionStrategy(name="none", policy="none"))
    life.live_until(60)
    assert {decision.action for decision in life.decisions} == {"wait"}


# -- the confirmation of an opt-out ------------------------------------------------------------------------------------


def test_an_opt_out_by_sms_is_confirmed_once_within_five_minutes():
    life = arm(some_key(held_out=False), replied("STOP", at=1 + NINE, address="+12125550100"))
    request = life.said("ContactRequested")[-1]
    assert (request.purpose, request.template, request.channel) == (
        "opt_out_confirmation",
        "opt_out_confirmation",
        "sms",
    )
    assert request.address == "+12125550100"
    assert request.expires_at == day(1 + NINE + 5 / 24 / 60)
    assert not request.invoice_ids
    life.take(1 + NINE + 0.001, opted_out("sms", at=1 + NINE, address="+12125550100"))  # the same, from the provider
    assert [its.purpose for its in life.said("ContactRequested")].count("opt_out_confirmation") == 1


def test_an_opt_out_that_is_heard_of_late_is_not_confirmed():
    late = 1 + NINE + 5 / 24 / 60
    life = arm(some_key(held_out=False), opted_out("sms", at=1 + NINE), at=late)
    assert "opt_out_confirmation" not in [its.purpose for its in life.said("ContactRequested")]
    life = arm(some_key(held_out=False), opted_out("sms", at=1 + NINE), at=late - 0.00002)
    assert "opt_out_confirmation" in [its.purpose for its in life.said("ContactRequested")]


# -- the validation notice ---------------------------------------------------------------------------------------------


def placed(**fields):
    """A debt of a collector, first contacted by e-mail on day 1; the debtor has a letter box."""
    life = overdue(
        collector_role="third_party", at=0.5, of=strategy(msgspec.structs.replace(EMAIL, at_most=9)), **fields
    )
    life.take(0.6, point("letter", "1 Main Street"))
    life.live_until(1 + NINE)
    assert said(life) == CHASED
    contact = life.said("ContactRequested")[0].contact_id
    life.take(1 + NINE + 0.01, sent(contact, at=1 + NINE + 0.01))
    return life


def test_a_notice_follows_a_collectors_first_communication_and_goes_before_the_chase():
    life = placed()
    assert said(life) == ("contact", "validation_notice_due")
    request = life.said("ContactRequested")[-1]
    assert (request.purpose, request.template, request.channel) == ("validation_notice", "validation_notice", "letter")
    life.live_until(30)
    purposes = [its.purpose for its in life.said("ContactRequested")]
    assert purposes.count("validation_notice") == 1
    assert purposes.count("collection") > 1


@pytest.mark.parametrize("fields", [{"debt_class": "business"}, {"country": "DE", "state": None}])
def test_no_notice_is_sent_where_the_law_asks_for_none(fields):
    life = placed(**fields)
    life.live_until(20)
    assert {its.purpose for its in life.said("ContactRequested")} == {"collection"}


def test_a_creditor_sends_no_notice():
    life = overdue(of=strategy(msgspec.structs.replace(EMAIL, at_most=9)))
    life.take(1 + NINE + 0.01, sent(life.said("ContactRequested")[0].contact_id, at=1 + NINE + 0.01))
    life.live_until(20)
    assert {its.purpose for its in life.said("ContactRequested")} == {"collection"}


# -- whatever happens --------------------------------------------------------------------------------------------------

ALL = strategy(
    REMIND,
    msgspec.structs.replace(EMAIL, at_most=20),
    CALL,
    PLAN,
    PERSON,
    explore=Explore(share=0.3, floor={"USD": -10_000.0}),
    escalate=Escalate(after_contacts=12),
    hold_out=HoldOut(share=0.3, experiment="spring", ends_at=day(500)),
    scarcity=0.5,
)
TERMS = ("value", "pay_action", "lift_low", "gain", "cost", "friction", "scarcity")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(money_events(), max_size=8),
    st.lists(CRM_EVENTS, max_size=4),
    st.lists(INTERACTION_EVENTS, max_size=4),
    st.integers(0, 40),
)
def test_every_decision_is_allowed_exact_and_the_log_says_so_again(money, crm, interactions, who):
    life = Life(tenant(), strategy=ALL, key=f"acme|{who}")
    life.take(0, point(), point("call", "+12125550100"), issued("base", due=0.99))
    life.take(1 + NINE, *numbered([*money, *crm, *interactions]))
    life.live_until(45)
    strategist = Strategist(ALL)
    for decision in life.decisions:
        assert sum(its.probability for its in decision.actions) == pytest.approx(1.0)
        done = [
            its
            for its in decision.actions
            if (its.action, its.template) == (decision.action, decision.template) and its.probability
        ]
        assert len(done) == 1
        assert done[0].allowed
        if decision.arm == "hold_out":
            assert decision.contact_id is None
        asked = question_of(decision)
        if asked is None:
            continue
        again = weigh(strategist, asked, options_of(decision))
        for logged, its in zip(decision.actions, again, strict=True):
            assert [getattr(its, term) for term in TERMS] == [getattr(logged, term) for term in TERMS]
        chances = [its.probability for its in decision.actions]
        assert probabilities(strategist, again, asked.currency, decision.arm) == chances
        if decision.arm != "hold_out":
            assert instead(strategist, decision) == chances
